//! Requests that are made to hurt.

#![allow(dead_code, reason = "each program that sends them uses its own part of this")]

use serde_json::{Value, json};

/// A request, and how it must be refused.
pub struct Hostile {
    pub name: &'static str,
    pub query: String,
    pub variables: Value,
    /// The code of the first error.
    pub code: &'static str,
    /// The limits that are exceeded, each with the value.
    pub exceeded: Vec<(&'static str, u64)>,
}

/// The largest number that is reported.
const LARGEST: u64 = (1 << 53) - 1;

fn exceeding(name: &'static str, query: String, exceeded: &[(&'static str, u64)]) -> Hostile {
    Hostile { name, query, variables: json!({}), code: "LIMIT_EXCEEDED", exceeded: exceeded.to_vec() }
}

fn invalid(name: &'static str, query: String) -> Hostile {
    let code = "GRAPHQL_VALIDATION_FAILED";
    Hostile { name, query, variables: json!({}), code, exceeded: Vec::new() }
}

fn repeat(times: usize, part: impl Fn(usize) -> String) -> String {
    (0..times).map(part).collect::<Vec<_>>().join(" ")
}

/// `open` so many times, then `inner`, then as many closing brackets.
fn nest(times: usize, open: &str, inner: &str, close: &str) -> String {
    [open.repeat(times).as_str(), inner, &close.repeat(times)].concat()
}

/// All of them, against the default limits.
pub fn requests() -> Vec<Hostile> {
    [documents(), fragments(), pages(), inputs(), floods_of_errors()].into_iter().flatten().collect()
}

fn documents() -> Vec<Hostile> {
    vec![
        exceeding(
            "a long document",
            format!("{{ viewer {{ userId }} }} #{}", "x".repeat(300_000)),
            &[("maxDocumentBytes", 300_023)],
        ),
        exceeding(
            "nesting, 200 deep",
            format!("{{ prompt(id: 1) {} }}", nest(200, "{ root ", "{ id }", " }")),
            &[("maxNesting", 202)],
        ),
        exceeding(
            "nesting, 40 deep",
            format!("{{ prompt(id: 1) {} }}", nest(38, "{ root ", "{ id }", " }")),
            &[("maxDepth", 40)],
        ),
        exceeding(
            "10,000 aliases",
            format!("{{ {} }}", repeat(10_000, |n| format!("a{n}: __typename"))),
            &[("maxTokens", 30_002)],
        ),
        exceeding(
            "800 aliases",
            format!("{{ {} }}", repeat(800, |n| format!("a{n}: statistics {{ promptCount }}"))),
            &[("maxAliases", 800), ("maxRootFields", 800)],
        ),
        exceeding(
            "aliases in a fragment",
            format!(
                "{{ {} }} fragment A on Statistics {{ {} }}",
                repeat(20, |_| "statistics { ...A }".to_owned()),
                repeat(30, |n| format!("a{n}: promptCount")),
            ),
            &[("maxAliases", 600)],
        ),
        exceeding(
            "root fields",
            format!("{{ {} }}", repeat(3_000, |_| "__typename".to_owned())),
            &[("maxRootFields", 3_000)],
        ),
        exceeding(
            "a flood of directives",
            format!("{{ viewer {{ userId {} }} }}", "@skip(if: false) ".repeat(700)),
            &[("maxDirectives", 700)],
        ),
        exceeding("a long name", format!("{{ {} }}", "x".repeat(100_000)), &[("maxNameBytes", 100_000)]),
        exceeding(
            "introspection that recurs",
            format!("{{ __schema {{ types {{ {} }} }} }}", nest(7, "fields { type { ", "name", " } }")),
            // The value depends on the size of the schema.
            &[("maxComplexity", 0)],
        ),
    ]
}

fn doubling(levels: usize) -> String {
    let fragments = repeat(levels, |level| {
        let next = level + 1;
        format!("fragment F{level} on Query {{ ...F{next} ...F{next} }}")
    });
    format!("{{ ...F0 }} {fragments} fragment F{levels} on Query {{ __typename }}")
}

fn fragments() -> Vec<Hostile> {
    let chain = repeat(600, |n| format!("fragment F{n} on Query {{ ...F{} }}", n + 1));
    let empty = "fragment F on Query { __typename }";
    vec![
        exceeding(
            "fragments that double",
            doubling(30),
            &[("maxRootFields", 1 << 30), ("maxFragmentSpreads", (1 << 31) - 1), ("maxComplexity", 1 << 30)],
        ),
        exceeding(
            "fragments that double beyond all numbers",
            doubling(480),
            &[
                ("maxNesting", 482),
                ("maxRootFields", LARGEST),
                ("maxFragmentSpreads", LARGEST),
                ("maxComplexity", LARGEST),
            ],
        ),
        exceeding(
            "fragments that double and are not used",
            doubling(30).replacen("...F0", "__typename", 1),
            &[("maxRootFields", 1 << 30), ("maxFragmentSpreads", (1 << 31) - 2), ("maxComplexity", 1 << 30)],
        ),
        exceeding(
            "a chain of fragments",
            format!("{{ ...F0 }} {chain} fragment F600 on Query {{ __typename }}"),
            &[("maxNesting", 602), ("maxFragmentSpreads", 601)],
        ),
        exceeding(
            "one fragment often",
            format!("{{ {} }} {empty}", "...F ".repeat(2_000)),
            &[("maxRootFields", 2_000), ("maxFragmentSpreads", 2_000)],
        ),
        exceeding(
            "inline fragments",
            format!("{{ {} }}", "... { viewer { userId } } ".repeat(600)),
            &[("maxRootFields", 600), ("maxFragmentSpreads", 600)],
        ),
        invalid("a fragment within itself", "{ ...A } fragment A on Query { ...A }".to_owned()),
        invalid(
            "fragments within one another",
            "{ ...A } fragment A on Query { ...B ...B } fragment B on Query { ...A ...A }".to_owned(),
        ),
    ]
}

fn pages() -> Vec<Hostile> {
    let page = 65_536;
    let everything = format!(
        "{{ prompts(first: {page}) {{ nodes {{ evaluations(first: {page}) {{ nodes {{
            testResults(first: {page}) {{ nodes {{ id }} }} }} }} }} }} }}"
    );
    let nested = nest(9, "{ nodes { versions(first: 100) ", "{ totalCount }", " } }");
    let ids: Vec<_> = (0..20_000).map(|n| format!("x{n}")).collect();
    vec![
        exceeding(
            "huge pages at every level",
            everything,
            &[("maxComplexity", 1 + page * (2 + page * (2 + page * 2)))],
        ),
        exceeding("pages within pages", format!("{{ prompts(first: 100) {nested} }}"), &[("maxComplexity", LARGEST)]),
        Hostile {
            variables: json!({ "n": 65_536 }),
            ..exceeding(
                "a huge page from a variable",
                "query ($n: Int!) { prompts(first: $n) { nodes { id title } } }".to_owned(),
                &[("maxComplexity", 1 + page * 3)],
            )
        },
        Hostile {
            variables: json!({ "ids": ids }),
            ..exceeding(
                "huge variables",
                "query ($ids: [ID!]!) { nodes(ids: $ids) { id __typename ... on Prompt { title version status } } }"
                    .to_owned(),
                &[("maxComplexity", 20_000 * 6)],
            )
        },
    ]
}

fn inputs() -> Vec<Hostile> {
    let mut deep = json!({});
    for _ in 0..60 {
        deep = json!({ "search": [deep] });
    }
    vec![
        exceeding(
            "deep input objects",
            format!("{{ prompts(filter: {}) {{ totalCount }} }}", nest(100, "{ search: [", "", "] }")),
            &[("maxNesting", 202)],
        ),
        exceeding(
            "deep types",
            format!("query ($v: {}) {{ prompt(id: $v) {{ id }} }}", nest(90, "[", "ID", "]")),
            &[("maxNesting", 91)],
        ),
        Hostile {
            variables: json!({ "filter": deep }),
            code: "BAD_USER_INPUT",
            ..invalid(
                "deep input objects in variables",
                "query ($filter: PromptFilter) { prompts(filter: $filter) { totalCount } }".to_owned(),
            )
        },
    ]
}

/// Within the limits, and wrong in so many places that telling them all would be an answer of megabytes.
fn floods_of_errors() -> Vec<Hostile> {
    let conflicts = repeat(400, |n| format!("evaluations(first: {n}) {{ totalCount }}"));
    vec![
        invalid("unknown fields", format!("{{ prompt(id: 1) {{ {} }} }}", repeat(4_900, |n| format!("titel{n}")))),
        invalid("unknown arguments", format!("{{ prompt({}) {{ id }} }}", repeat(1_600, |n| format!("idd{n}: 1")))),
        invalid("unknown types", format!("query ({}) {{ __typename }}", repeat(450, |n| format!("$v{n}: Promt{n}")))),
        invalid("fields in conflict", format!("{{ prompt(id: 1) {{ {conflicts} }} }}")),
        invalid("unused variables", format!("query ({}) {{ __typename }}", repeat(1_200, |n| format!("$v{n}: Int")))),
    ]
}
