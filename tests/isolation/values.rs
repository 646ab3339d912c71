//! The values of arguments: those that rows have, of both owners, and others.

use std::collections::BTreeMap;

use rand::RngExt as _;
use rand::seq::IndexedRandom as _;
use rand_chacha::ChaCha8Rng;

/// Types whose objects have ids.
pub const NODES: [&str; 6] = ["Prompt", "Run", "Evaluation", "TestResult", "PromptTemplate", "AuditEntry"];

/// Texts that rows have or might have; of the other owner's, those without the marker.
const TEXTS: &[(&str, &[&str])] = &[
    ("userId", &["alice", "bob", "nobody"]),
    ("name", &["shared/one", "shared/", "bobs/own", "alices/own", "nightly", "template", "other"]),
    ("search", &["lunar", "harv*", "\"lunar harvest\"", "bobw*", "secret", "alic*", "nothing", ""]),
    ("provider", &["openai", "bobai"]),
    ("model", &["gpt", "bobgpt"]),
    ("testSuiteId", &["suite", "bobsuite"]),
    ("externalId", &["ext-0", "ext-1", "ext-2", "bobs-ext", "new"]),
    ("testCaseName", &["case 0", "case 1", "bobs case"]),
    ("category", &["general", "other"]),
    ("action", &["createPrompt", "deletePrompts"]),
    ("tags", &["common", "bobtag", "alicetag"]),
    ("template", &["Hello {{ name }}", "{{ name }"]),
];
const OTHER_TEXTS: &[&str] = &["lunar harvest", "a text", "\u{e4}\u{1f600}", "x", ""];
const TIMES: &[&str] = &[
    "\"2026-01-01T00:00:00Z\"",
    "\"2026-01-01T00:00:03Z\"",
    "\"2026-01-01T00:00:05.000001Z\"",
    "\"2027-01-01T01:00:00+01:00\"",
    "\"never\"",
];
const JSON: &[&str] = &[
    "{}",
    "{ name: \"x\" }",
    "{ name: \"y\", other: 1 }",
    "{ a: [1, null, 2.5] }",
    "[1]",
    "\"x\"",
    "{ label: \"x\" }",
];
const FLOATS: &[&str] = &["0", "0.5", "0.25", "1", "-2", "7e300"];

/// The pools that values are drawn from.
#[derive(Debug, Clone, Default)]
pub struct Pools {
    /// Ids by type.
    pub ids: BTreeMap<String, Vec<String>>,
    /// Cursors by field of the root, and all others.
    pub cursors: BTreeMap<String, Vec<String>>,
}

fn one<T: Copy>(random: &mut ChaCha8Rng, values: &[T]) -> T {
    *values.choose(random).unwrap()
}

impl Pools {
    /// An id for this argument of a field, or field of an input.
    pub fn id(&self, random: &mut ChaCha8Rng, owner: &str, name: &str) -> String {
        let likely = match (owner, name) {
            (_, "promptId" | "parentId") => Some("Prompt"),
            (_, "runId") => Some("Run"),
            (_, "evaluationId" | "baseline" | "candidate") => Some("Evaluation"),
            (_, "templateId") => Some("PromptTemplate"),
            ("Query.node" | "Query.nodes", _) | (_, "objectId") => None,
            (_, "ids") => Some("Prompt"),
            (owner, "id") => id_of(owner),
            _ => None,
        };
        let object = likely.filter(|_| random.random_bool(0.95)).unwrap_or_else(|| one(random, &NODES));
        let known = self.ids.get(object).and_then(|ids| ids.choose(random));
        match known {
            Some(id) if random.random_bool(0.98) => format!("{id:?}"),
            _ => one(random, &["\"UHJvbXB0\"", "\"\"", "\"x\"", "7"]).to_owned(),
        }
    }

    /// A text for this argument of a field, or field of an input.
    pub fn text(&self, random: &mut ChaCha8Rng, owner: &str, name: &str) -> String {
        if name == "after" || name == "before" {
            let own = self.cursors.get(owner).filter(|_| random.random_bool(0.9));
            let any = || self.cursors.values().collect::<Vec<_>>().choose(random).copied();
            let cursor = own.or_else(any).and_then(|cursors| cursors.choose(random));
            return format!("{:?}", cursor.map_or("no cursor", String::as_str));
        }
        let fitting = TEXTS.iter().find(|(known, _)| *known == name).map(|(_, texts)| *texts);
        let texts = fitting.filter(|_| random.random_bool(0.95)).unwrap_or(OTHER_TEXTS);
        format!("{:?}", one(random, texts))
    }
}

/// The type of the object that the `id` of a field or input is of.
fn id_of(owner: &str) -> Option<&'static str> {
    let kinds = [
        ("template", "PromptTemplate"),
        ("testresult", "TestResult"),
        ("evaluation", "Evaluation"),
        ("run", "Run"),
        ("prompt", "Prompt"),
    ];
    let owner = owner.to_lowercase();
    kinds.into_iter().find(|(part, _)| owner.contains(part)).map(|(_, object)| object)
}

/// A number for this argument.
pub fn int(random: &mut ChaCha8Rng, name: &str) -> String {
    let numbers: &[i32] = match name {
        "first" | "last" | "limit" => &[0, 1, 2, 3, 3, 4, 5],
        "version" | "minEvaluations" => &[1, 2, 3],
        _ => &[0, 1, 7, -1],
    };
    one(random, numbers).to_string()
}

pub fn float(random: &mut ChaCha8Rng) -> String {
    one(random, FLOATS).to_owned()
}

pub fn time(random: &mut ChaCha8Rng) -> String {
    one(random, TIMES).to_owned()
}

pub fn json(random: &mut ChaCha8Rng) -> String {
    one(random, JSON).to_owned()
}
