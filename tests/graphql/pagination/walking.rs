//! All pages, one after the other, are the whole list.

use serde_json::Value;

use crate::common::{TestServer, on_both_databases};
use crate::world::{List, Page, fill};

/// The list in pages of `size` from its beginning.
async fn walk_forward(server: &TestServer, list: &List, order: &str, size: usize, expected: &[String]) {
    let mut after = String::new();
    for (number, ids) in expected.chunks(size).enumerate() {
        let page = list.page(server, &format!("first: {size}{after}{order}")).await;
        let place = format!("{} {order} page {number} of {size}", list.coordinate);
        assert_eq!(page.ids, ids, "{place}");
        let is_last = (number + 1) * size >= expected.len();
        assert_eq!((page.has_previous, page.has_next), (number > 0, !is_last), "{place}");
        assert_eq!(page.total, expected.len(), "{place}");
        after = format!(", after: {:?}", page.cursors.last().unwrap());
    }
    assert_nothing_beyond(&list.page(server, &format!("first: {size}{after}{order}")).await, true);
}

/// The list in pages of `size` from its end.
async fn walk_backward(server: &TestServer, list: &List, order: &str, size: usize, expected: &[String]) {
    let mut before = String::new();
    for (number, ids) in expected.rchunks(size).enumerate() {
        let page = list.page(server, &format!("last: {size}{before}{order}")).await;
        let place = format!("{} {order} page {number} of {size} from the end", list.coordinate);
        assert_eq!(page.ids, ids, "{place}");
        let is_first = (number + 1) * size >= expected.len();
        assert_eq!((page.has_previous, page.has_next), (!is_first, number > 0), "{place}");
        assert_eq!(page.total, expected.len(), "{place}");
        before = format!(", before: {:?}", page.cursors.first().unwrap());
    }
    assert_nothing_beyond(&list.page(server, &format!("last: {size}{before}{order}")).await, false);
}

fn assert_nothing_beyond(page: &Page, is_end: bool) {
    assert!(page.ids.is_empty(), "{page:?}");
    assert_eq!((page.has_previous, page.has_next), (is_end, !is_end));
}

async fn walk(server: &TestServer, list: &List, order: &str, expected: &[String]) {
    for size in [1, 3, expected.len()] {
        walk_forward(server, list, order, size, expected).await;
        walk_backward(server, list, order, size, expected).await;
    }
}

on_both_databases! {
    async fn all_pages_together_are_the_list(database: TestDatabase) {
        let lists = fill(&database).await;
        let server = TestServer::start(&database).await;
        for list in &lists {
            walk(&server, list, "", &list.ids_in_default_order()).await;
        }
    }

    async fn a_list_can_be_walked_in_both_orders(database: TestDatabase) {
        let lists = fill(&database).await;
        let server = TestServer::start(&database).await;
        for list in lists.iter().filter(|list| list.has_order()) {
            let newest_first: Vec<_> = list.ids.iter().rev().cloned().collect();
            walk(&server, list, ", orderBy: { field: CREATED_AT, direction: ASC }", &list.ids).await;
            walk(&server, list, ", orderBy: { field: CREATED_AT, direction: DESC }", &newest_first).await;
            // The direction has a default of its own.
            walk(&server, list, ", orderBy: { field: CREATED_AT }", &list.ids_in_default_order()).await;
        }
    }

    async fn every_list_of_the_schema_is_walked(database: TestDatabase) {
        let lists = fill(&database).await;
        let server = TestServer::start(&database).await;
        let types = server.data("{ __schema { types { name fields { name type { name ofType { name } } } } } }").await;
        let mut connections = Vec::new();
        for object in types["__schema"]["types"].as_array().unwrap() {
            for field in object["fields"].as_array().into_iter().flatten() {
                let name = field["type"]["name"].as_str().or(field["type"]["ofType"]["name"].as_str());
                if name.is_some_and(|name| name.ends_with("Connection")) {
                    let name = |named: &Value| named["name"].as_str().unwrap().to_owned();
                    connections.push(format!("{}.{}", name(object), name(field)));
                }
            }
        }
        let mut walked: Vec<_> = lists.iter().map(|list| list.coordinate.to_owned()).collect();
        // The objects of one are no rows: `comparison/random.rs` walks it. Those of the other are made by changes: `tests/audit`
        // walks it.
        connections.retain(|list| !["EvaluationComparison.cases", "Query.auditLog"].contains(&list.as_str()));
        connections.sort();
        walked.sort();
        assert_eq!(connections, walked);
    }
}
