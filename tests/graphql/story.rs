//! A little of everything, with a value in every column and at fixed times.

use evalgraph::db::evaluations::NewEvaluation;
use evalgraph::db::prompts::NewPrompt;
use evalgraph::db::runs::NewRun;
use evalgraph::db::templates::NewTemplate;
use evalgraph::db::test_results::NewTestResult;
use evalgraph::db::types::Json;
use evalgraph::domain::{EvaluationStatus, PromptFormat, PromptStatus, RunSource, TestOutcome, Timestamp};
use serde_json::json;

use crate::common::{EvaluationBuilder, PromptBuilder, ResultBuilder, RunBuilder, TemplateBuilder, TestDatabase};

fn minute(minute: u32) -> Timestamp {
    Timestamp::parse(&format!("2026-11-23T10:{minute:02}:00.000123Z")).unwrap()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// A lineage of three versions, a run with two evaluations of the second, and three results of the first of them.
pub struct Story {
    pub template: NewTemplate,
    pub prompt: NewPrompt,
    pub run: NewRun,
    pub evaluation: NewEvaluation,
    pub results: Vec<NewTestResult>,
}

impl Story {
    pub async fn store(database: &TestDatabase) -> Self {
        let template = TemplateBuilder::new()
            .name("greeting")
            .category("support")
            .usage_count(2)
            .created_at(minute(0))
            .with(|row| {
                row.description = some("Greets a customer.");
                row.variables = Json::from(json!({ "name": { "type": "text" } }));
            })
            .insert(database)
            .await;
        let prompt = store_lineage(database, &template).await;
        let (run, evaluation) = store_run(database, &prompt).await;
        let results = store_results(database, &evaluation).await;
        Self { template, prompt, run, evaluation, results }
    }
}

async fn store_lineage(database: &TestDatabase, template: &NewTemplate) -> NewPrompt {
    let first = PromptBuilder::new()
        .name("support/greeting")
        .title("Greeting")
        .status(PromptStatus::Archived)
        .created_at(minute(1))
        .with(|row| row.content_hash = "1".repeat(64))
        .insert(database)
        .await;
    let second = PromptBuilder::new()
        .version_of(&first)
        .template(template)
        .tags(["polite", "größe \"1\""])
        .created_at(minute(2))
        .with(|row| {
            row.description = some("Greets, and asks what is wrong.");
            row.content = r#"[{"role":"user","content":"Hello {{name}}"}]"#.to_owned();
            row.content_hash = "2".repeat(64);
            row.format = PromptFormat::Chat;
            row.system_message = some("Be kind.");
            row.metadata = Json::from(json!({ "z": [1, 2.5, null], "a": { "nested": true } }));
            row.updated_at = minute(3);
        })
        .insert(database)
        .await;
    let third = PromptBuilder::new().version_of(&second).status(PromptStatus::Draft).created_at(minute(4));
    third.with(|row| row.content_hash = "3".repeat(64)).insert(database).await;
    second
}

async fn store_run(database: &TestDatabase, prompt: &NewPrompt) -> (NewRun, NewEvaluation) {
    let run = RunBuilder::new()
        .name("nightly")
        .external_id("eval-42")
        .source(RunSource::Promptfoo)
        .baseline()
        .created_at(minute(5))
        .with(|row| {
            row.source_version = some("0.120.0");
            row.description = some("Every night.");
            row.tags = Json::from(json!({ "team": "support" }));
            row.git = Some(Json::from(json!({ "commit": "abc", "branch": "main" })));
            row.metadata = Json::from(json!({ "ci": true }));
            row.duration_ms = Some(240_000);
            (row.started_at, row.completed_at) = (Some(minute(5)), Some(minute(9)));
        })
        .insert(database)
        .await;
    let evaluation = EvaluationBuilder::of(prompt)
        .run(&run, 0)
        .provider("openai", "gpt-4o")
        .external_id("column 1")
        .score(0.625)
        .tests(1, 1, 1)
        .created_at(minute(6))
        .with(|row| {
            row.provider_label = some("the big one");
            row.test_suite_id = some("smoke");
            row.metrics = Json::from(json!({ "tone": 0.75 }));
            (row.timed_tests, row.total_latency_ms) = (2, Some(301));
            (row.total_tokens, row.cost_usd) = (Some(3_000), Some(0.125));
            row.execution_time_ms = Some(61_000);
            (row.started_at, row.completed_at, row.updated_at) = (Some(minute(6)), Some(minute(7)), minute(8));
        })
        .insert(database)
        .await;
    EvaluationBuilder::of(prompt)
        .run(&run, 1)
        .status(EvaluationStatus::Failed)
        .created_at(minute(7))
        .with(|row| row.error_message = some("no answer from the provider"))
        .insert(database)
        .await;
    (run, evaluation)
}

async fn store_results(database: &TestDatabase, evaluation: &NewEvaluation) -> Vec<NewTestResult> {
    let passed = ResultBuilder::of(evaluation)
        .name("says hello")
        .external_id("row 1")
        .score(1.0)
        .latency_ms(101)
        .created_at(minute(6))
        .with(|row| {
            row.repetition = 1;
            row.input_data = Json::from(json!({ "name": "Zoë" }));
            row.rendered_prompt = some("Hello Zoë");
            (row.expected_output, row.actual_output) = (some("Hello"), some("Hello!\nHow are you?"));
            row.reason = some("contains Hello");
            row.named_scores = Json::from(json!({ "tone": 1 }));
            row.metadata = Json::from(json!({ "seed": 7 }));
            (row.token_count, row.cost_usd) = (Some(12), Some(0.0625));
        });
    let failed = ResultBuilder::of(evaluation).name("says goodbye").outcome(TestOutcome::Failed).score(-2.5);
    let errored = ResultBuilder::of(evaluation).name("answers").outcome(TestOutcome::Errored).score(0.0);
    let errored = errored.with(|row| row.error_message = some("429"));
    let mut stored = Vec::new();
    for (builder, time) in [(passed, minute(6)), (failed, minute(7)), (errored, minute(8))] {
        stored.push(builder.created_at(time).insert(database).await);
    }
    stored
}
