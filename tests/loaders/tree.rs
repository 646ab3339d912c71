//! A row of every kind.

use evalgraph::db::evaluations::NewEvaluation;
use evalgraph::db::prompts::NewPrompt;
use evalgraph::db::runs::NewRun;
use evalgraph::db::templates::NewTemplate;
use evalgraph::db::test_results::NewTestResult;

use crate::common::{EvaluationBuilder, PromptBuilder, ResultBuilder, RunBuilder, TemplateBuilder, TestDatabase};

/// A lineage of two versions made from a template, a run, an evaluation of the second version in it, and a result. No
/// column is null that can have a value.
pub struct Tree {
    pub template: NewTemplate,
    pub root: NewPrompt,
    pub prompt: NewPrompt,
    pub run: NewRun,
    pub evaluation: NewEvaluation,
    pub result: NewTestResult,
}

fn text() -> Option<String> {
    Some("something".to_owned())
}

fn prompt() -> PromptBuilder {
    PromptBuilder::new().with(|row| (row.description, row.system_message) = (text(), text()))
}

impl Tree {
    pub async fn plant(user: &str, database: &TestDatabase) -> Self {
        let template = TemplateBuilder::new().with(|row| row.description = text()).insert(database).await;
        let name = format!("prompt of {user}");
        let root = prompt().user(user).name(&name).template(&template).insert(database).await;
        let prompt = prompt().version_of(&root).template(&template).insert(database).await;
        let run = RunBuilder::new()
            .user(user)
            .external_id(&format!("run of {user}"))
            .with(|row| {
                (row.description, row.source_version) = (text(), text());
                (row.git, row.duration_ms) = (Some(row.metadata.clone()), Some(1));
                (row.started_at, row.completed_at) = (Some(row.created_at), Some(row.created_at));
            })
            .insert(database)
            .await;
        let evaluation = EvaluationBuilder::of(&prompt)
            .run(&run, 0)
            .tests(1, 0, 0)
            .provider("openai", "gpt")
            .with(|row| {
                (row.error_message, row.test_suite_id) = (text(), text());
                (row.external_id, row.provider_label) = (text(), text());
                (row.total_latency_ms, row.total_tokens, row.cost_usd) = (Some(1), Some(1), Some(1.0));
                (row.started_at, row.completed_at) = (Some(row.created_at), Some(row.created_at));
            })
            .insert(database)
            .await;
        let result = ResultBuilder::of(&evaluation)
            .with(|row| {
                (row.rendered_prompt, row.expected_output, row.actual_output) = (text(), text(), text());
                (row.reason, row.error_message, row.external_id) = (text(), text(), text());
                (row.token_count, row.cost_usd) = (Some(1), Some(1.0));
            })
            .insert(database)
            .await;
        Self { template, root, prompt, run, evaluation, result }
    }
}
