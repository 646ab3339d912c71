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

/// A value that depends on the size of the schema, or that is tedious to work out.
pub const ANY: u64 = 0;

/// The largest number that is reported.
const LARGEST: u64 = (1 << 53) - 1;

fn exceeding(name: &'static str, query: String, exceeded: &[(&'static str, u64)]) -> Hostile {
    Hostile { name, query, variables: json!({}), code: "LIMIT_EXCEEDED", exceeded: exceeded.to_vec() }
}

fn invalid(name: &'static str, query: String) -> Hostile {
    refused(name, query, "GRAPHQL_VALIDATION_FAILED")
}

fn unparsable(name: &'static str, query: String) -> Hostile {
    refused(name, query, "GRAPHQL_PARSE_FAILED")
}

fn refused(name: &'static str, query: String, code: &'static str) -> Hostile {
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
    let all =
        [documents(), open_strings(), fragments(), operations(), pages(), inputs(), variables(), floods_of_errors()];
    all.into_iter().flatten().collect()
}

fn documents() -> Vec<Hostile> {
    vec![
        exceeding(
            "a long document",
            format!("{{ viewer {{ userId }} }} #{}", "x".repeat(200_000)),
            &[("maxDocumentBytes", 200_023)],
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
            &[("maxDocumentBytes", 178_893)],
        ),
        exceeding("many tokens", format!("{{ {} }}", "id ".repeat(20_000)), &[("maxTokens", 20_002)]),
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
            "introspection that goes round",
            format!("{{ __type(name: \"Node\") {{ {} }} }}", nest(9, "possibleTypes { interfaces { ", "name", " } }")),
            &[("maxComplexity", ANY)],
        ),
        exceeding(
            "introspection that recurs",
            format!("{{ __schema {{ types {{ {} }} }} }}", nest(7, "fields { type { ", "name", " } }")),
            &[("maxComplexity", ANY)],
        ),
    ]
}

/// The parser takes the beginning of a block string that does not end for other strings.
fn open_strings() -> Vec<Hostile> {
    vec![
        unparsable(
            "brackets behind an open string",
            format!("{{prompt(id:[\"\"\"x\" {}]){{id}}}}", nest(2_000, "[", "", "]")),
        ),
        unparsable(
            "an open string with many beginnings",
            format!("{{a(b:[\"\"\"{}])}}", " \\\"\"\"\"\"".repeat(15_000)),
        ),
        unparsable(
            "U+0000 behind an open string",
            r#"{prompts(filter:{tags:["""x" "\u0000"]}){totalCount}}"#.to_owned(),
        ),
        unparsable("a long line with an error in it", format!("{{ viewer {{ {} }}", "userId ".repeat(4_000))),
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
            &[
                ("maxRootFields", 1 << 30),
                ("maxFragmentSpreads", (1 << 31) - 1),
                ("maxSelections", ANY),
                ("maxComplexity", 1 << 30),
            ],
        ),
        exceeding(
            "fragments that double beyond all numbers",
            doubling(480),
            &[
                ("maxNesting", 482),
                ("maxRootFields", LARGEST),
                ("maxFragmentSpreads", LARGEST),
                ("maxSelections", ANY),
                ("maxComplexity", LARGEST),
            ],
        ),
        exceeding(
            "fragments that double and are not used",
            doubling(30).replacen("...F0", "__typename", 1),
            &[("maxFragmentSpreads", (1 << 31) - 2), ("maxSelections", ANY), ("maxComplexity", 1 << 30)],
        ),
        exceeding(
            "a chain of fragments",
            format!("{{ ...F0 }} {chain} fragment F600 on Query {{ __typename }}"),
            &[("maxNesting", 602), ("maxFragmentSpreads", 601), ("maxSelections", ANY)],
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

/// Validation follows the fragments of every operation, whichever is meant.
fn operations() -> Vec<Hostile> {
    let fields = |n: usize| "userId ".repeat(n);
    let fragments = format!(
        "fragment A on Query {{ {} }} fragment B on Query {{ {} }} fragment C on Query {{ viewer {{ {} }} }}",
        "...B ".repeat(5),
        "...C ".repeat(10),
        fields(900),
    );
    let many = |n: usize| repeat(n, |n| format!("query Q{n} {{ ...A }}"));
    let undefined = repeat(300, |n| format!("v{n}: prompt(id: $v{n}) {{ id }}"));
    vec![
        exceeding("many operations", format!("{} {fragments}", many(500)), &[("maxOperations", 500)]),
        exceeding(
            "operations that share large fragments",
            format!("{} {fragments}", many(20)),
            &[("maxSelections", ANY)],
        ),
        exceeding(
            "operations that share undefined variables",
            format!("{} fragment A on Query {{ {undefined} }}", many(20)),
            &[("maxAliases", 300), ("maxRootFields", 300)],
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
    let ids: Vec<_> = (0..21_000).map(|n| format!("x{n}")).collect();
    vec![
        exceeding(
            "huge pages at every level",
            everything,
            &[("maxComplexity", 1 + page * (2 + page * (2 + page * 2))), ("maxInputBytes", ANY)],
        ),
        exceeding(
            "pages within pages",
            format!("{{ prompts(first: 100) {nested} }}"),
            &[("maxComplexity", LARGEST), ("maxInputBytes", ANY)],
        ),
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
                &[("maxComplexity", 21_000 * 6)],
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

/// A variable is copied wherever it is used, for every object that it is used for.
fn variables() -> Vec<Hostile> {
    let filter = json!({ "filter": { "tags": vec!["x"; 90_000] } });
    let uses = repeat(50, |n| format!("a{n}: prompts(filter: $filter) {{ totalCount }}"));
    let status = json!({ "filter": { "status": vec!["COMPLETED"; 40_000] } });
    let nested = "evaluations(first: 1, filter: $filter) { totalCount }";
    // A name, an object with one name, a list, its texts.
    let (tags, statuses) = (22 + 16 + 20 + 16 + 90_000 * 17, 22 + 16 + 22 + 16 + 40_000 * 25);
    let declared = repeat(800, |_| "$v: [JSON]".to_owned());
    vec![
        Hostile {
            variables: json!({ "v": vec![1; 400_000] }),
            ..invalid("a large variable declared often", format!("query ({declared}) {{ __typename }}"))
        },
        Hostile {
            variables: filter,
            ..exceeding(
                "a large variable often",
                format!("query ($filter: PromptFilter) {{ {uses} }}"),
                &[("maxInputBytes", 50 * tags)],
            )
        },
        Hostile {
            variables: status,
            ..exceeding(
                "a large variable for every object",
                format!("query ($filter: EvaluationFilter) {{ prompts(first: 90) {{ nodes {{ {nested} }} }} }}"),
                &[("maxInputBytes", 16 + 5 + 16 + 90 * (16 + 5 + 16 + statuses))],
            )
        },
    ]
}

/// Within the limits, and wrong in so many places that telling them all would be an answer of megabytes.
fn floods_of_errors() -> Vec<Hostile> {
    let conflicts = repeat(400, |n| format!("evaluations(first: {n}) {{ totalCount }}"));
    vec![
        invalid("unknown fields", format!("{{ prompt(id: 1) {{ {} }} }}", repeat(4_900, |n| format!("titel{n}")))),
        invalid(
            "long unknown fields",
            format!("{{ prompt(id: 1) {{ {} }} }}", repeat(1_000, |n| format!("{}{n:04}", "title".repeat(24)))),
        ),
        invalid("unknown arguments", format!("{{ prompt({}) {{ id }} }}", repeat(1_600, |n| format!("idd{n}: 1")))),
        invalid("unknown types", format!("query ({}) {{ __typename }}", repeat(450, |n| format!("$v{n}: Promt{n}")))),
        invalid("fields in conflict", format!("{{ prompt(id: 1) {{ {conflicts} }} }}")),
        invalid("unused variables", format!("query ({}) {{ __typename }}", repeat(1_200, |n| format!("$v{n}: Int")))),
    ]
}
