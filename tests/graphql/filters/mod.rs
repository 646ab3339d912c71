//! Which objects a filter lets through, and what is found by name.

mod by_name;
mod evaluations;
mod prompts;
mod results;
mod runs;
mod search;

use crate::common::TestServer;
use crate::texts;
use crate::world::List;

/// A text as it is written in a document.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn all(coordinate: &'static str) -> List {
    List { coordinate, parent: None, ids: vec![] }
}

/// Checks what each filter lets through of a list, and that it is counted as it is listed. `label` is a field of the
/// objects that tells them apart; the labels expected are in alphabetical order.
async fn check_filters(server: &TestServer, list: &List, label: &str, cases: &[(&str, &[&str])]) {
    for (filter, expected) in cases {
        let selection = format!("totalCount nodes {{ {label} }}");
        let found = list.select(server, &format!("first: 100, filter: {{ {filter} }}"), &selection).await;
        let mut labels = texts(&found["nodes"], label);
        labels.sort();
        assert_eq!(labels, *expected, "{} {filter}", list.coordinate);
        assert_eq!(found["totalCount"], expected.len(), "{} {filter}", list.coordinate);
    }
}
