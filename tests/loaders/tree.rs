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
            .with(|row| (row.description, row.git) = (text(), Some(row.metadata.clone())))
            .insert(database)
            .await;
        let evaluation = EvaluationBuilder::of(&prompt)
            .run(&run, 0)
            .tests(1, 0, 0)
            .with(|row| row.error_message = text())
            .insert(database)
            .await;
        let result = ResultBuilder::of(&evaluation)
            .with(|row| {
                (row.rendered_prompt, row.expected_output, row.actual_output) = (text(), text(), text());
                (row.reason, row.error_message) = (text(), text());
            })
            .insert(database)
            .await;
        Self { template, root, prompt, run, evaluation, result }
    }
}
