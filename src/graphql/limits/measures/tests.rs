//! The pass is compared with an evaluation that follows every fragment wherever it is spread.

mod naive;
mod random;

use async_graphql::Variables;
use async_graphql::parser::{parse_query, parse_schema};
use proptest::prelude::*;

use super::*;

/// What there is to select: pages, lists with and without a limit, single objects, leaves.
const SDL: &str = "
    type Query { item: Item items(first: Int, last: Int): ItemConnection! top(limit: Int = 7): [Item!]! name: String }
    type Item {
        item: Item items(first: Int, last: Int): ItemConnection! byIds(ids: [ID!]!): [Item] tags: [String!]! name: String
    }
    type ItemConnection { nodes: [Item!]! edges: [ItemEdge!]! totalCount: Int! }
    type ItemEdge { node: Item! cursor: String! }
    schema { query: Query }
";

/// The size of a page by default.
const DEFAULT: u32 = 20;

/// The measures of a document, and how many selections were looked at.
fn measured(document: &str, variables: &Variables) -> Result<(Measures, usize), FragmentCycle> {
    let (shape, document) = (SchemaShape::new(&parse_schema(SDL).unwrap()), parse_query(document).unwrap());
    let arguments = Arguments::new(&document, variables, DEFAULT);
    let mut meter = Meter::new(&shape, &arguments);
    meter.measure_fragments(&document)?;
    for (_, operation) in document.operations.iter() {
        meter.operation(&operation.node);
    }
    Ok((of_document(&document, &shape, &arguments)?, meter.visited))
}

fn measures(document: &str) -> Measures {
    measured(document, &Variables::default()).unwrap().0
}

fn complexity(document: &str) -> u64 {
    measures(document).volume.values
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn the_pass_equals_the_naive_evaluation(document in random::document()) {
        let text = document.to_string();
        let parsed = parse_query(&text).unwrap();
        let variables = Variables::from_json(serde_json::json!({ "five": 5 }));
        let (measures, visited) = measured(&text, &variables).unwrap();
        prop_assert_eq!(measures, naive::of_document(&parsed), "{}", text);
        // However often a fragment is spread, each of its selections is looked at once.
        prop_assert_eq!(visited, document.selections(), "{}", text);
    }
}

#[test]
fn pages_multiply_down_the_tree() {
    assert_eq!(complexity("{ name }"), 1);
    assert_eq!(complexity("{ item { name tags } }"), 3);
    assert_eq!(complexity("{ items(first: 5) { nodes { name } } }"), 1 + 5 * 2);
    assert_eq!(complexity("{ items(first: 5) { totalCount edges { cursor node { name } } } }"), 1 + 1 + 5 * 4);
    assert_eq!(complexity("{ items(last: 3) { nodes { items(first: 4) { nodes { name } } } } }"), 1 + 3 * (2 + 4 * 2));
    // Without a size, the default; what is not wanted counts once, so that nothing can hide in it.
    assert_eq!(complexity("{ items { nodes { name } } }"), 1 + 20 * 2);
    assert_eq!(complexity("{ items(first: 0) { nodes { name } } }"), 1 + 2);
    assert_eq!(complexity("{ items(first: -9) { nodes { name } } }"), 1 + 2);
    assert_eq!(complexity("{ items(first: null) { nodes { name } } }"), 1 + 20 * 2);
    assert_eq!(complexity("{ items(first: 2, last: 6) { nodes { name } } }"), 1 + 6 * 2);
    // Lists without pages: their limit, else the default of the limit, else the list that is given.
    assert_eq!(complexity("{ top { name } }"), 7 * 2);
    assert_eq!(complexity("{ top(limit: 3) { name } }"), 3 * 2);
    assert_eq!(complexity("{ item { byIds(ids: [1, 2, 3, 4]) { name } } }"), 1 + 4 * 2);
}

#[test]
fn page_sizes_are_read_from_variables() {
    let with = |variables| {
        let document =
            "query A($n: Int = 3, $ids: [ID!]!) { items(first: $n) { nodes { byIds(ids: $ids) { name } } } }";
        measured(document, &Variables::from_json(variables)).unwrap().0.volume.values
    };
    assert_eq!(with(serde_json::json!({})), 1 + 3 * (1 + 20 * 2));
    assert_eq!(with(serde_json::json!({ "n": 5, "ids": ["a", "b"] })), 1 + 5 * (1 + 2 * 2));
    // Where operations disagree about the default, the larger counts.
    let document = "query A($n: Int = 3) { ...F } query B($n: Int = 9) { ...F }
        fragment F on Query { items(first: $n) { nodes { name } } }";
    assert_eq!(complexity(document), 1 + 9 * 2);
}

#[test]
fn everything_is_counted_wherever_a_fragment_is_spread() {
    let document = "query Q @d { a: item { ...F } ... on Query { ...G @d } }
        fragment G on Query { b: item { ...F } name } fragment F on Item @d { c: name @d item { name } }";
    let measures = measures(document);
    assert_eq!((measures.depth, measures.nesting), (3, 6));
    assert_eq!((measures.aliases, measures.root_fields, measures.fragment_spreads), (4, 3, 4));
    assert_eq!(measures.directives, 1 + 1 + 2 * 2);
    assert_eq!(measures.volume.values, 4 + 4 + 1);
}

#[test]
fn fragments_that_double_are_measured_once_each() {
    let doubling = |levels: usize| {
        let mut document = "{ ...F0 }".to_owned();
        for level in 0..levels {
            let next = level + 1;
            document += &format!(" fragment F{level} on Query {{ ...F{next} ...F{next} }}");
        }
        document + &format!(" fragment F{levels} on Query {{ name }}")
    };
    let (measures, visited) = measured(&doubling(30), &Variables::default()).unwrap();
    assert_eq!((measures.volume.values, visited), (1 << 30, 1 + 2 * 30 + 1));
    // Far beyond all numbers, and beyond the stack of a pass that called itself for each.
    let (measures, visited) = measured(&doubling(20_000), &Variables::default()).unwrap();
    assert_eq!((measures.volume.values, measures.fragment_spreads, visited), (u64::MAX, u64::MAX, 40_002));
    assert_eq!((measures.nesting, measures.depth), (20_002, 1));
}

#[test]
fn arguments_cost_as_often_as_they_are_used() {
    let bytes =
        |document: &str, variables| measured(document, &Variables::from_json(variables)).unwrap().0.volume.input_bytes;
    let none = || serde_json::json!({});
    assert_eq!(bytes("{ name }", none()), 0);
    // A name of five letters, a number.
    assert_eq!(bytes("{ items(first: 9) { totalCount } }", none()), 16 + 5 + 16);
    let nested = "query ($ids: [ID!]!) { items(first: 9) { nodes { byIds(ids: $ids) { name } } } }";
    // For each of nine: a name of three letters, a list of two texts.
    let expected = 37 + 9 * (16 + 3 + 16 + (16 + 2) + (16 + 4));
    assert_eq!(bytes(nested, serde_json::json!({ "ids": ["ab", "cdef"] })), expected);
    assert_eq!(bytes("{ name @d(a: { bc: [\"x\"] }) }", none()), 16 + 1 + 16 + (16 + 2) + 16 + (16 + 1));
}

#[test]
fn page_sizes_saturate() {
    let nested =
        (0..20).fold("name".to_owned(), |inner, _| format!("items(first: 2147483647) {{ nodes {{ {inner} }} }}"));
    assert_eq!(complexity(&format!("{{ {nested} }}")), u64::MAX);
}

#[test]
fn fragments_that_contain_themselves_are_found() {
    let cycle = |document: &str| measured(document, &Variables::default()).unwrap_err().name;
    assert_eq!(cycle("{ ...A } fragment A on Query { name ...A }"), "A");
    assert_eq!(
        cycle(
            "{ ...A } fragment A on Query { ...B } fragment B on Query { item { ... { ...C } } } fragment C on Item { ...A }",
        ),
        "A",
    );
    // Also where nothing spreads them.
    assert_eq!(cycle("{ name } fragment A on Query { ...A }"), "A");
    // Twice is not a cycle, nor is one that does not exist.
    assert_eq!(complexity("{ ...A ...A ...None } fragment A on Query { name }"), 2);
}

#[test]
fn fragments_are_measured_though_nothing_spreads_them() {
    assert_eq!(complexity("{ name } fragment A on ItemConnection { nodes { name tags } totalCount }"), 1 + 3);
}

#[test]
fn what_the_schema_does_not_know_counts_once() {
    assert_eq!(complexity("{ what(first: 1000) { ever { name } } ... on Nothing { item { name } } }"), 3 + 2);
}

#[test]
fn introspection_has_lists_too() {
    let types = |inner: &str| complexity(&format!("{{ __schema {{ types {{ {inner} }} }} }}"));
    // Four types and 13 that every schema has; 13 fields with 8 arguments.
    assert_eq!(types("name"), 1 + 17 * 2);
    assert_eq!(types("fields { name }"), 1 + 17 * (1 + 4 * 2));
    assert_eq!(types("fields { args { name } }"), 1 + 17 * (1 + 4 * (1 + 2)));
    let recursive = (0..12).fold("name".to_owned(), |inner, _| format!("fields {{ type {{ {inner} }} }}"));
    assert!(types(&recursive) > 1 << 24);
}

#[test]
fn going_round_in_introspection_counts_with_the_longest_list() {
    let sdl = "interface Node { id: ID! } type A implements Node { id: ID! } type B implements Node { id: ID! }
        type C implements Node { id: ID! } union U = A | B type Query { node: Node } schema { query: Query }";
    let values = |document: &str| {
        let (shape, document) = (SchemaShape::new(&parse_schema(sdl).unwrap()), parse_query(document).unwrap());
        let variables = Variables::default();
        let arguments = Arguments::new(&document, &variables, DEFAULT);
        of_document(&document, &shape, &arguments).unwrap().volume.values
    };
    let round = |inner: &str| format!("possibleTypes {{ interfaces {{ {inner} }} }}");
    let once = round("name");
    assert_eq!(values(&format!("{{ __type(name: \"Node\") {{ {once} }} }}")), 1 + 3 * (1 + 2));
    let twice = round(&once);
    assert_eq!(values(&format!("{{ __type(name: \"Node\") {{ {twice} }} }}")), 1 + 3 * (1 + 1 + 3 * (1 + 2)));
}

#[test]
fn whoever_asks_for_the_schema_is_known_wherever_it_is_asked_for() {
    for document in [
        "{ __schema { types { name } } }",
        "{ name a: __type(name: \"x\") { name } }",
        "{ ...F } fragment F on Query { ...G } fragment G on Query { __schema { types { name } } }",
        "query A { name } query B { __type(name: \"x\") { name } }",
    ] {
        assert!(measures(document).introspects, "{document}");
    }
    assert!(
        !measures("query __schema { __typename item { __schema: name byIds(ids: [\"__type\"]) { name } } }")
            .introspects
    );
}
