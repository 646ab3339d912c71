//! Rows under every connection field of the schema.

use evalgraph::db::prompts::NewPrompt;
use evalgraph::db::templates::NewTemplate;
use evalgraph::domain::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use crate::common::{
    ApiTokenBuilder, EvaluationBuilder, PromptBuilder, ResultBuilder, RunBuilder, TemplateBuilder, TestDatabase,
    TestServer,
};
use crate::{global_id, texts};

/// When the rows of a list were created: all but the first and the last in the same microsecond, so that their ids
/// decide.
fn times() -> [Timestamp; 7] {
    let time = |millis| Timestamp::parse("2026-11-23T10:00:00Z").unwrap().plus_millis(millis);
    [time(0), time(1), time(1), time(1), time(1), time(1), time(2)]
}

/// A list of the schema, and what is in it.
pub struct List {
    /// The field, such as `Prompt.evaluations`.
    pub coordinate: &'static str,
    /// The parent as clients know it, if the list is under one.
    pub parent: Option<String>,
    /// The ids of its objects, oldest first.
    pub ids: Vec<String>,
}

/// A page of a list.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    pub ids: Vec<String>,
    pub cursors: Vec<String>,
    pub has_next: bool,
    pub has_previous: bool,
    pub total: usize,
}

impl List {
    /// Whether the list can be ordered.
    pub fn has_order(&self) -> bool {
        !matches!(
            self.coordinate,
            "Prompt.children" | "Prompt.versions" | "PromptTemplate.prompts" | "Viewer.apiTokens"
        )
    }

    /// The ids in the order that the list has by itself.
    pub fn ids_in_default_order(&self) -> Vec<String> {
        let mut ids = self.ids.clone();
        if self.coordinate != "Evaluation.testResults" {
            ids.reverse();
        }
        ids
    }

    /// A query for a part of the list.
    pub fn query(&self, arguments: &str, selection: &str) -> String {
        let (parent_type, field) = self.coordinate.split_once('.').unwrap();
        let arguments = if arguments.is_empty() { String::new() } else { format!("({arguments})") };
        let list = format!("list: {field}{arguments} {{ {selection} }}");
        match &self.parent {
            None if self.is_the_viewers() => format!("{{ viewer {{ {list} }} }}"),
            None => format!("{{ {list} }}"),
            Some(id) => format!("{{ node(id: {id:?}) {{ ... on {parent_type} {{ {list} }} }} }}"),
        }
    }

    /// What a query for a part of the list returns of it.
    pub async fn select(&self, server: &TestServer, arguments: &str, selection: &str) -> Value {
        let data = server.data(&self.query(arguments, selection)).await;
        self.in_answer(&data).clone()
    }

    /// Where the list is in the answer to a query for it.
    pub fn in_answer<'a>(&self, data: &'a Value) -> &'a Value {
        let parent = match self.parent {
            Some(_) => &data["node"],
            None if self.is_the_viewers() => &data["viewer"],
            None => data,
        };
        &parent["list"]
    }

    fn is_the_viewers(&self) -> bool {
        self.coordinate.starts_with("Viewer.")
    }

    /// A page of the list. Whatever page it is, its parts must fit together.
    pub async fn page(&self, server: &TestServer, arguments: &str) -> Page {
        let page = self
            .select(
                server,
                arguments,
                "edges { cursor node { id } } nodes { id }
                 pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount",
            )
            .await;
        let edges = page["edges"].as_array().unwrap();
        let cursors: Vec<_> = edges.iter().map(|edge| edge["cursor"].as_str().unwrap().to_owned()).collect();
        let ids = texts(&page["nodes"], "id");
        let ids_of_edges: Vec<_> = edges.iter().map(|edge| edge["node"]["id"].as_str().unwrap()).collect();
        assert_eq!(ids, ids_of_edges, "edges and nodes are the same objects");
        let info = &page["pageInfo"];
        assert_eq!(info["startCursor"].as_str(), cursors.first().map(String::as_str));
        assert_eq!(info["endCursor"].as_str(), cursors.last().map(String::as_str));
        Page {
            ids,
            cursors,
            has_next: info["hasNextPage"].as_bool().unwrap(),
            has_previous: info["hasPreviousPage"].as_bool().unwrap(),
            total: usize::try_from(page["totalCount"].as_u64().unwrap()).unwrap(),
        }
    }
}

/// Stores a row for each of the `times`, the greatest id first: the order of insertion is not that of the list.
macro_rules! rows {
    ($database:expr, $builder:expr) => {{
        let mut rows = Vec::new();
        for builder in times().map($builder).into_iter().rev() {
            rows.push(builder.insert($database).await);
        }
        rows
    }};
}

/// A list of these rows.
macro_rules! list {
    ($coordinate:literal, $parent:expr, $rows:expr, $type:literal) => {{
        let mut places: Vec<(Timestamp, Uuid)> = $rows.iter().map(|row| (row.created_at, row.id.into())).collect();
        places.sort();
        let ids = places.iter().map(|(_, id)| global_id($type, *id)).collect();
        List { coordinate: $coordinate, parent: $parent, ids }
    }};
}

/// Fills every connection field of the schema with rows.
pub async fn fill(database: &TestDatabase) -> Vec<List> {
    let templates = rows!(database, |time| TemplateBuilder::new().created_at(time));
    let (prompts, mut lists) = fill_prompts(database, &templates[0]).await;
    lists.extend(fill_evaluations(database, &prompts).await);
    lists.push(list!("Query.promptTemplates", None, templates, "PromptTemplate"));
    let tokens = rows!(database, |time| ApiTokenBuilder::new().created_at(time));
    lists.push(list!("Viewer.apiTokens", None, tokens, "ApiToken"));
    lists
}

/// A lineage that was made from a template: a first version, one made from it, and all others from that one.
async fn fill_prompts(database: &TestDatabase, template: &NewTemplate) -> (NewPrompt, Vec<List>) {
    let root = PromptBuilder::new().template(template).created_at(times()[0].plus_millis(-2)).insert(database).await;
    let parent = PromptBuilder::new().version_of(&root).template(template).created_at(times()[0].plus_millis(-1));
    let parent = parent.insert(database).await;
    let mut version = 2;
    let children = rows!(database, |time| {
        version += 1;
        let child = PromptBuilder::new().version_of(&parent).template(template);
        child.with(|row| row.version = version).created_at(time)
    });
    let all: Vec<_> = children.iter().chain([&root, &parent]).cloned().collect();
    let id = Some(global_id("Prompt", parent.id));
    let lists = vec![
        list!("Query.prompts", None, all, "Prompt"),
        list!("Prompt.versions", id.clone(), all, "Prompt"),
        list!("PromptTemplate.prompts", Some(global_id("PromptTemplate", template.id)), all, "Prompt"),
        list!("Prompt.children", id, children, "Prompt"),
    ];
    (parent, lists)
}

/// Evaluations of a prompt, all in one run, and results of one of them.
async fn fill_evaluations(database: &TestDatabase, prompt: &NewPrompt) -> Vec<List> {
    let runs = rows!(database, |time| RunBuilder::new().created_at(time));
    let mut position = 0;
    let evaluations = rows!(database, |time| {
        position += 1;
        EvaluationBuilder::of(prompt).run(&runs[0], position).created_at(time)
    });
    let results = rows!(database, |time| ResultBuilder::of(&evaluations[0]).created_at(time));
    vec![
        list!("Query.runs", None, runs, "Run"),
        list!("Query.evaluations", None, evaluations, "Evaluation"),
        list!("Prompt.evaluations", Some(global_id("Prompt", prompt.id)), evaluations, "Evaluation"),
        list!("Run.evaluations", Some(global_id("Run", runs[0].id)), evaluations, "Evaluation"),
        list!("Evaluation.testResults", Some(global_id("Evaluation", evaluations[0].id)), results, "TestResult"),
    ]
}
