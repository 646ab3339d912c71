//! The queries that the first visit finds in the editor.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use evalgraph::demo;
use evalgraph::domain::Timestamp;
use serde_json::{Value, json};

use crate::common::{TestDatabase, TestServer};

/// A query and its variables, as in `assets/graphiql/tabs`.
struct StarterTab {
    /// The file's name without its ending.
    name: String,
    query: String,
    variables: Value,
}

impl StarterTab {
    fn all() -> Vec<Self> {
        let files = std::fs::read_dir(source().join("tabs")).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|file| file.extension().is_some_and(|ending| ending == "graphql")).map(Self::read).collect()
    }

    fn read(file: PathBuf) -> Self {
        let variables = file.with_extension("json");
        let variables = variables.exists().then(|| serde_json::from_str(&std::fs::read_to_string(variables).unwrap()));
        Self {
            name: file.file_stem().unwrap().to_str().unwrap().to_owned(),
            query: std::fs::read_to_string(file).unwrap(),
            variables: variables.map_or_else(|| json!({}), Result::unwrap),
        }
    }
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/graphiql")
}

/// The largest size of the lists at each path, which are told apart by fields and not by places in other lists.
fn list_sizes(value: &Value, path: &str, sizes: &mut BTreeMap<String, usize>) {
    match value {
        Value::Array(items) => {
            let size = sizes.entry(path.to_owned()).or_default();
            *size = items.len().max(*size);
            items.iter().for_each(|item| list_sizes(item, path, sizes));
        }
        Value::Object(fields) => {
            fields.iter().for_each(|(name, field)| list_sizes(field, &format!("{path}.{name}"), sizes));
        }
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_starter_tab_finds_something_in_the_demo_data() {
    let database = TestDatabase::sqlite().await;
    demo::load_once(&database.database, Timestamp::now()).await.unwrap();
    let server = TestServer::start(&database).await;
    let tabs = StarterTab::all();
    assert_eq!(tabs.len(), 4);
    for StarterTab { name, query, variables } in tabs {
        let data = server.ask(&query, variables).await;
        let mut sizes = BTreeMap::new();
        list_sizes(&data, &name, &mut sizes);
        // Each list of objects that the query asks for has some somewhere.
        assert_eq!(sizes.keys().filter(|path| path.ends_with(".nodes")).count(), query.matches("nodes {").count());
        assert!(sizes.values().all(|size| *size > 0), "{name}: {sizes:#?}");
    }
}

#[test]
fn every_starter_tab_is_opened() {
    let opened = std::fs::read_to_string(source().join("src/starter-tabs.js")).unwrap();
    for StarterTab { name, variables, .. } in StarterTab::all() {
        assert!(opened.contains(&format!("'../tabs/{name}.graphql?raw'")), "{name}");
        assert!(variables == json!({}) || opened.contains(&format!("'../tabs/{name}.json?raw'")), "{name}");
    }
}
