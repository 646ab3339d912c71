//! Whatever is asked for, in whatever order: what is stored is what a simple model of it says, on both databases.
//!
//! Every case belongs to a user of its own, so that all may share a database. `PROPTEST_CASES` asks for more of them.

mod actions;
mod expected;

use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use tokio::runtime::Handle;
use uuid::Uuid;

use crate::common::{TestServer, on_both_databases, recorder};
use crate::support::server_of;
use actions::Action;
use expected::Model;

const CASES: u32 = 24;

/// All that the owner can see of what the model knows.
const EVERYTHING: &str = "{
    prompts(filter: { includeDeleted: true }, first: 100, orderBy: { field: CREATED_AT, direction: ASC }) { nodes {
        name content version status deletedAt template { usageCount } evaluationCount
        evaluations(first: 40, orderBy: { field: CREATED_AT, direction: ASC }) { nodes { status run { status } } } } }
    runs(first: 100, orderBy: { field: CREATED_AT, direction: ASC }) { nodes {
        status isBaseline totalTests passedTests evaluations(first: 40, orderBy: { field: CREATED_AT, direction: ASC }) { nodes {
            status externalId overallScore totalTests passedTests failedTests erroredTests } } } } }";

/// The ids that the server gave to what the model numbers.
#[derive(Default)]
struct Ids {
    prompts: Vec<String>,
    runs: Vec<String>,
    evaluations: Vec<String>,
    templates: Vec<String>,
}

async fn follow(server: &TestServer, actions: &[Action]) {
    let (mut model, mut ids) = (Model::default(), Ids::default());
    for (place, action) in actions.iter().enumerate() {
        let Some((document, variables)) = action.request(&ids) else { continue };
        let expected = model.apply(action);
        let mut reply = server.send(document, variables).await.body;
        let code = reply["errors"][0]["extensions"]["code"].as_str();
        assert_eq!(code, expected.err(), "{place}: {action:?}: {reply:#}");
        if code.is_none() {
            ids.remember(action, reply["data"].take());
        }
        let seen = server.data(EVERYTHING).await;
        assert_eq!(plain(seen), model.visible(), "{place}: {action:?}");
    }
}

/// Whether a prompt is deleted, and not when.
fn plain(mut seen: Value) -> Value {
    for prompt in seen["prompts"]["nodes"].as_array_mut().unwrap() {
        prompt["deletedAt"] = json!(prompt["deletedAt"].is_string());
    }
    seen
}

impl Ids {
    /// Takes the ids of what an action has made.
    fn remember(&mut self, action: &Action, mut data: Value) {
        let mut prompt = |field: &str| vec![data[field]["prompt"]["id"].take()];
        let (list, made) = match action {
            Action::CreatePrompt { .. } => (&mut self.prompts, prompt("createPrompt")),
            Action::CreateVersion { .. } => (&mut self.prompts, prompt("createPromptVersion")),
            Action::Instantiate { .. } => (&mut self.prompts, prompt("instantiatePromptTemplate")),
            Action::Upsert { .. } => {
                let Value::Array(mut prompts) = data["upsertPrompts"]["prompts"].take() else { unreachable!() };
                (&mut self.prompts, prompts.iter_mut().map(|prompt| prompt["id"].take()).collect())
            }
            Action::StartRun => (&mut self.runs, vec![data["startRun"]["run"]["id"].take()]),
            Action::CreateEvaluation { .. } => {
                (&mut self.evaluations, vec![data["createEvaluation"]["evaluation"]["id"].take()])
            }
            Action::CreateWithPrompt { .. } => {
                let mut evaluation = data["createPromptWithEvaluation"]["evaluation"].take();
                add(&mut self.prompts, evaluation["prompt"]["id"].take());
                (&mut self.evaluations, vec![evaluation["id"].take()])
            }
            Action::CreateTemplate { .. } => {
                (&mut self.templates, vec![data["createPromptTemplate"]["template"]["id"].take()])
            }
            _ => return,
        };
        made.into_iter().for_each(|id| add(list, id));
    }
}

/// Adds an id, unless what was asked for was there already.
fn add(ids: &mut Vec<String>, id: Value) {
    let Value::String(id) = id else { panic!("{id} is no id") };
    if !ids.contains(&id) {
        ids.push(id);
    }
}

on_both_databases! {
    async fn all_sequences_of_changes_end_as_the_model_does(database: TestDatabase) {
        recorder::stop();
        let cases = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(CASES);
        let config = Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
        let outcome = tokio::task::block_in_place(|| {
            TestRunner::new(config).run(&actions::sequences(), |actions| {
                Handle::current().block_on(async {
                    let server = server_of(&Uuid::now_v7().to_string(), &database).await;
                    follow(&server, &actions).await;
                });
                Ok(())
            })
        });
        outcome.unwrap_or_else(|error| panic!("{error}"));
        database.check_totals().await;
    }
}
