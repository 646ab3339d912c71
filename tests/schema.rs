//! The schema as clients see it.

use evalgraph::graphql::{PageLimits, QueryLimits, schema};
use serde_json::Value;

/// Clients read `schema.graphql`; the server serves what the code says.
#[test]
fn the_committed_schema_is_the_one_served() {
    let committed = include_str!("../schema.graphql");
    assert!(
        committed == evalgraph::graphql::sdl(),
        "schema.graphql has drifted; to write it anew: cargo run -- schema > schema.graphql",
    );
}

const EVERYTHING: &str = "{ __schema { types {
    name description
    fields { name description args { name description } }
    inputFields { name description }
    enumValues { name description }
} } }";

/// The scalars that GraphQL itself describes.
const BUILT_IN: [&str; 5] = ["Boolean", "Float", "ID", "Int", "String"];

/// The descriptions are the manual: whatever a client can name has one.
#[tokio::test]
async fn everything_in_the_schema_is_described() {
    let schema = schema(QueryLimits { max_depth: 20, pages: PageLimits { default: 20, maximum: 100 } });
    let answer = schema.execute(EVERYTHING).await;
    assert!(answer.errors.is_empty(), "{:?}", answer.errors);
    let data = answer.data.into_json().unwrap();
    let mut missing = Vec::new();
    let types = data["__schema"]["types"].as_array().unwrap();
    let ours = |name: &str| !name.starts_with("__") && !BUILT_IN.contains(&name);
    for described in types.iter().filter(|described| ours(name(described))) {
        note(described, name(described).to_owned(), &mut missing);
        for part in ["fields", "inputFields", "enumValues"] {
            for member in members(described, part) {
                let coordinate = format!("{}.{}", name(described), name(member));
                note(member, coordinate.clone(), &mut missing);
                for argument in members(member, "args") {
                    note(argument, format!("{coordinate}({})", name(argument)), &mut missing);
                }
            }
        }
    }
    assert!(types.len() > 40, "the schema is not that small");
    assert!(missing.is_empty(), "without a description: {missing:#?}");
}

fn name(described: &Value) -> &str {
    described["name"].as_str().unwrap()
}

fn members<'a>(described: &'a Value, part: &str) -> &'a [Value] {
    described[part].as_array().map_or(&[], Vec::as_slice)
}

fn note(described: &Value, coordinate: String, missing: &mut Vec<String>) {
    if described["description"].as_str().is_none_or(str::is_empty) {
        missing.push(coordinate);
    }
}
