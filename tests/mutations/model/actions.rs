//! What may be asked for.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Ids;

/// A change. Objects are named by numbers that are taken as remainders of how many there are.
#[derive(Debug, Clone)]
pub enum Action {
    CreatePrompt {
        name: Option<u8>,
        content: u8,
    },
    ChangeName {
        prompt: usize,
        name: Option<u8>,
    },
    ChangeContent {
        prompt: usize,
        content: u8,
    },
    CreateVersion {
        parent: usize,
        content: Option<u8>,
    },
    /// A prompt that is there, or none, and what it says from now on.
    Upsert {
        items: Vec<(Option<usize>, u8)>,
    },
    Archive {
        prompts: Vec<usize>,
    },
    Delete {
        prompts: Vec<usize>,
    },
    Restore {
        prompts: Vec<usize>,
    },
    StartRun,
    FinishRun {
        run: usize,
    },
    SetBaseline {
        run: usize,
        is_baseline: bool,
    },
    DeleteRun {
        run: usize,
    },
    CreateEvaluation {
        prompt: usize,
        run: usize,
        external_id: Option<u8>,
    },
    CreateWithPrompt {
        name: Option<u8>,
        content: u8,
    },
    Start {
        evaluation: usize,
    },
    Record {
        evaluation: usize,
        results: Vec<TestResult>,
    },
    Complete {
        evaluation: usize,
        score: Option<i8>,
    },
    Fail {
        evaluation: usize,
    },
    CreateTemplate {
        content: u8,
    },
    ChangeTemplate {
        template: usize,
        content: u8,
    },
    /// `value` is that of the variable; without one, it is forgotten.
    Instantiate {
        template: usize,
        value: Option<u8>,
    },
}

/// A result; those of one external id differ in nothing but the score.
#[derive(Debug, Clone, PartialEq)]
pub struct TestResult {
    pub outcome: &'static str,
    pub score: i8,
    pub external_id: Option<u8>,
}

/// Lists of up to 40 changes, in which later stages of an evaluation are about as frequent as earlier ones.
pub fn sequences() -> impl Strategy<Value = Vec<Action>> {
    vec(prop_oneof![3 => of_prompts(), 1 => of_runs(), 4 => of_evaluations(), 1 => of_templates()], 1..40)
}

fn of_prompts() -> impl Strategy<Value = Action> {
    let name = || proptest::option::of(0..3_u8);
    let some = || vec(any::<usize>(), 0..4);
    let items = vec((proptest::option::of(any::<usize>()), 0..3_u8), 0..4);
    prop_oneof![
        2 => items.prop_map(|items| Action::Upsert { items }),
        4 => (name(), 0..3_u8).prop_map(|(name, content)| Action::CreatePrompt { name, content }),
        1 => (any::<usize>(), name()).prop_map(|(prompt, name)| Action::ChangeName { prompt, name }),
        1 => (any::<usize>(), 0..3_u8).prop_map(|(prompt, content)| Action::ChangeContent { prompt, content }),
        2 => (any::<usize>(), proptest::option::of(0..3_u8)).prop_map(|(parent, content)| Action::CreateVersion { parent, content }),
        1 => some().prop_map(|prompts| Action::Archive { prompts }),
        2 => some().prop_map(|prompts| Action::Delete { prompts }),
        2 => some().prop_map(|prompts| Action::Restore { prompts }),
    ]
}

fn of_runs() -> impl Strategy<Value = Action> {
    prop_oneof![
        3 => Just(Action::StartRun),
        2 => any::<usize>().prop_map(|run| Action::FinishRun { run }),
        1 => (any::<usize>(), any::<bool>()).prop_map(|(run, is_baseline)| Action::SetBaseline { run, is_baseline }),
        1 => any::<usize>().prop_map(|run| Action::DeleteRun { run }),
    ]
}

fn of_templates() -> impl Strategy<Value = Action> {
    prop_oneof![
        2 => (0..3_u8).prop_map(|content| Action::CreateTemplate { content }),
        1 => (any::<usize>(), 0..3_u8).prop_map(|(template, content)| Action::ChangeTemplate { template, content }),
        3 => (any::<usize>(), proptest::option::of(0..3_u8))
            .prop_map(|(template, value)| Action::Instantiate { template, value }),
    ]
}

fn of_evaluations() -> impl Strategy<Value = Action> {
    let score = || proptest::option::of(-4..4_i8);
    prop_oneof![
        4 => (any::<usize>(), any::<usize>(), proptest::option::of(0..2_u8))
            .prop_map(|(prompt, run, external_id)| Action::CreateEvaluation { prompt, run, external_id }),
        1 => (proptest::option::of(0..3_u8), 0..3_u8)
            .prop_map(|(name, content)| Action::CreateWithPrompt { name, content }),
        1 => any::<usize>().prop_map(|evaluation| Action::Start { evaluation }),
        4 => (any::<usize>(), vec(result(), 1..4)).prop_map(|(evaluation, results)| Action::Record { evaluation, results }),
        2 => (any::<usize>(), score()).prop_map(|(evaluation, score)| Action::Complete { evaluation, score }),
        1 => any::<usize>().prop_map(|evaluation| Action::Fail { evaluation }),
    ]
}

fn result() -> impl Strategy<Value = TestResult> {
    let outcome = proptest::sample::select(vec!["PASSED", "FAILED", "ERRORED", "SKIPPED"]);
    let drawn = (outcome, -4..4_i8, proptest::option::of(0..2_u8));
    drawn.prop_map(|(outcome, score, external_id)| TestResult { outcome, score, external_id })
}

const CREATE_PROMPT: &str = "mutation ($input: CreatePromptInput!) { createPrompt(input: $input) { prompt { id } } }";
const UPDATE_PROMPT: &str = "mutation ($input: UpdatePromptInput!) { updatePrompt(input: $input) { prompt { id } } }";
const CREATE_VERSION: &str =
    "mutation ($input: CreatePromptVersionInput!) { createPromptVersion(input: $input) { prompt { id } } }";
const UPSERT: &str =
    "mutation ($input: [UpsertPromptInput!]!) { upsertPrompts(input: $input) { affected prompts { id } } }";
const ARCHIVE: &str = "mutation ($ids: [ID!]!) { updatePromptStatuses(ids: $ids, status: ARCHIVED) { affected } }";
const DELETE: &str = "mutation ($ids: [ID!]!) { deletePrompts(ids: $ids) { affected } }";
const RESTORE: &str = "mutation ($ids: [ID!]!) { restorePrompts(ids: $ids) { affected } }";
const START_RUN: &str = "mutation { startRun(input: { name: \"run\" }) { run { id } } }";
const FINISH_RUN: &str = "mutation ($id: ID!) { finishRun(id: $id) { run { id } } }";
const SET_BASELINE: &str =
    "mutation ($id: ID!, $isBaseline: Boolean!) { setRunBaseline(id: $id, isBaseline: $isBaseline) { run { id } } }";
const DELETE_RUN: &str = "mutation ($id: ID!) { deleteRun(id: $id) { deletedId } }";
const CREATE_EVALUATION: &str =
    "mutation ($input: CreateEvaluationInput!) { createEvaluation(input: $input) { evaluation { id } } }";
const CREATE_WITH_PROMPT: &str = "mutation ($prompt: CreatePromptInput!) {
    createPromptWithEvaluation(prompt: $prompt) { evaluation { id prompt { id } } } }";
const START: &str = "mutation ($id: ID!) { startEvaluation(id: $id) { evaluation { id } } }";
const RECORD: &str = "mutation ($id: ID!, $results: [TestResultInput!]!) {
    recordTestResults(evaluationId: $id, results: $results) { recorded } }";
const COMPLETE: &str =
    "mutation ($input: CompleteEvaluationInput!) { completeEvaluation(input: $input) { evaluation { id } } }";
const FAIL: &str = "mutation ($input: FailEvaluationInput!) { failEvaluation(input: $input) { evaluation { id } } }";
const CREATE_TEMPLATE: &str = "mutation ($input: CreatePromptTemplateInput!) {
    createPromptTemplate(input: $input) { template { id } } }";
const UPDATE_TEMPLATE: &str = "mutation ($input: UpdatePromptTemplateInput!) {
    updatePromptTemplate(input: $input) { template { id } } }";
const INSTANTIATE: &str = "mutation ($input: InstantiatePromptTemplateInput!) {
    instantiatePromptTemplate(input: $input) { prompt { id } } }";

impl Action {
    /// The document and its variables, if there is what the change is of.
    pub fn request(&self, ids: &Ids) -> Option<(&'static str, Value)> {
        let input = |input: Value| json!({ "input": input });
        Some(match self {
            Self::CreatePrompt { name, content } => (
                CREATE_PROMPT,
                input(json!({ "name": name.map(self::name), "title": "title", "content": content.to_string() })),
            ),
            Self::ChangeName { prompt, name } => {
                (UPDATE_PROMPT, input(json!({ "id": one(&ids.prompts, *prompt)?, "name": name.map(self::name) })))
            }
            Self::ChangeContent { prompt, content } => {
                (UPDATE_PROMPT, input(json!({ "id": one(&ids.prompts, *prompt)?, "content": content.to_string() })))
            }
            Self::CreateVersion { parent, content } => {
                let mut version = json!({ "parentId": one(&ids.prompts, *parent)? });
                if let Some(content) = content {
                    version["content"] = json!(content.to_string());
                }
                (CREATE_VERSION, input(version))
            }
            Self::Upsert { items } => {
                let item = |&(prompt, content): &(Option<usize>, u8)| {
                    let mut item = json!({ "title": "title", "content": content.to_string() });
                    if let Some(prompt) = prompt {
                        item["id"] = json!(one(&ids.prompts, prompt)?);
                    }
                    Some(item)
                };
                (UPSERT, json!({ "input": items.iter().map(item).collect::<Option<Vec<_>>>()? }))
            }
            Self::Archive { prompts } => (ARCHIVE, json!({ "ids": some(&ids.prompts, prompts)? })),
            Self::Delete { prompts } => (DELETE, json!({ "ids": some(&ids.prompts, prompts)? })),
            Self::Restore { prompts } => (RESTORE, json!({ "ids": some(&ids.prompts, prompts)? })),
            Self::StartRun => (START_RUN, json!({})),
            Self::FinishRun { run } => (FINISH_RUN, json!({ "id": one(&ids.runs, *run)? })),
            Self::SetBaseline { run, is_baseline } => {
                (SET_BASELINE, json!({ "id": one(&ids.runs, *run)?, "isBaseline": is_baseline }))
            }
            Self::DeleteRun { run } => (DELETE_RUN, json!({ "id": one(&ids.runs, *run)? })),
            Self::CreateEvaluation { prompt, run, external_id } => (
                CREATE_EVALUATION,
                input(json!({
                    "promptId": one(&ids.prompts, *prompt)?, "runId": one(&ids.runs, *run)?,
                    "externalId": external_id.map(|id| id.to_string()),
                })),
            ),
            Self::CreateWithPrompt { name, content } => (
                CREATE_WITH_PROMPT,
                json!({ "prompt": { "name": name.map(self::name), "title": "title", "content": content.to_string() } }),
            ),
            Self::Start { evaluation } => (START, json!({ "id": one(&ids.evaluations, *evaluation)? })),
            Self::Record { evaluation, results } => {
                let results: Vec<_> = results.iter().map(TestResult::input).collect();
                (RECORD, json!({ "id": one(&ids.evaluations, *evaluation)?, "results": results }))
            }
            Self::Complete { evaluation, score } => {
                (COMPLETE, input(json!({ "id": one(&ids.evaluations, *evaluation)?, "overallScore": score })))
            }
            Self::Fail { evaluation } => {
                (FAIL, input(json!({ "id": one(&ids.evaluations, *evaluation)?, "errorMessage": "given up" })))
            }
            // Everybody has the same templates, so no two may have the same name.
            Self::CreateTemplate { content } => (
                CREATE_TEMPLATE,
                input(json!({ "name": Uuid::now_v7().to_string(), "template": template(*content), "category": "any" })),
            ),
            Self::ChangeTemplate { template: number, content } => {
                (UPDATE_TEMPLATE, input(json!({ "id": one(&ids.templates, *number)?, "template": template(*content) })))
            }
            Self::Instantiate { template, value } => {
                let variables = value.map_or_else(|| json!({}), |value| json!({ "value": value }));
                let id = one(&ids.templates, *template)?;
                (INSTANTIATE, input(json!({ "templateId": id, "title": "title", "variables": variables })))
            }
        })
    }
}

impl TestResult {
    fn input(&self) -> Value {
        json!({ "testCaseName": "case", "inputData": {}, "outcome": self.outcome, "score": self.score,
            "externalId": self.external_id.map(|id| id.to_string()) })
    }
}

/// The name of a lineage.
pub fn name(number: u8) -> String {
    format!("name/{number}")
}

/// The text of a template.
fn template(content: u8) -> String {
    format!("{content}: {{{{ value }}}}")
}

fn one(ids: &[String], number: usize) -> Option<&str> {
    ids.get(number.checked_rem(ids.len())?).map(String::as_str)
}

fn some<'a>(ids: &'a [String], numbers: &[usize]) -> Option<Vec<&'a str>> {
    numbers.iter().map(|&number| one(ids, number)).collect()
}
