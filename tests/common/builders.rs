//! Rows for tests. Each is valid from the start; a test says only what matters to it.
//!
//! The totals of an evaluation are stored as given, whatever its results are; those of its prompt follow from them.

use std::sync::atomic::{AtomicU64, Ordering};

use diesel::result::QueryResult;
use evalgraph::db::api_tokens::NewApiToken;
use evalgraph::db::evaluations::NewEvaluation;
use evalgraph::db::prompts::NewPrompt;
use evalgraph::db::runs::NewRun;
use evalgraph::db::templates::NewTemplate;
use evalgraph::db::test_results::NewTestResult;
use evalgraph::db::types::Json;
use evalgraph::db::{DbConnection, StatementCount, insert, totals};
use evalgraph::domain::{
    ApiTokenId, EvaluationId, EvaluationStatus, Principal, PromptFormat, PromptId, PromptStatus, RunId, RunSource,
    TemplateId, TestOutcome, TestResultId, Timestamp,
};

use super::TestDatabase;

/// A hash that no other row of the process has.
fn some_hash() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("{:064x}", NEXT.fetch_add(1, Ordering::Relaxed))
}

macro_rules! builder_functions {
    ($builder:ident, $row:ty, $insert:path) => {
        impl $builder {
            /// Changes a field that has no method of its own.
            pub fn with(mut self, change: impl FnOnce(&mut $row)) -> Self {
                change(&mut self.row);
                self
            }

            /// When it was created and last changed.
            pub fn created_at(self, time: Timestamp) -> Self {
                self.with(|row| (row.created_at, row.updated_at) = (time, time))
            }

            /// The row, for those who store many at once.
            pub fn build(self) -> $row {
                self.row
            }

            async fn store(row: $row, database: &TestDatabase) -> $row {
                let stored = row.clone();
                database.write(|connection| Box::pin(async move { $insert(connection, vec![row]).await })).await;
                stored
            }
        }
    };
}

/// A template, with a name that no other has.
pub struct TemplateBuilder {
    row: NewTemplate,
}

builder_functions!(TemplateBuilder, NewTemplate, insert::templates);

impl TemplateBuilder {
    pub fn new() -> Self {
        let (id, now) = (TemplateId::generate(), Timestamp::now());
        let row = NewTemplate {
            id,
            name: format!("template {id}"),
            description: None,
            template: "Answer {{question}}".to_owned(),
            variables: Json::empty_object(),
            category: "general".to_owned(),
            usage_count: 0,
            created_at: now,
            updated_at: now,
        };
        Self { row }
    }

    pub fn name(self, name: &str) -> Self {
        self.with(|row| row.name = name.to_owned())
    }

    pub fn category(self, category: &str) -> Self {
        self.with(|row| row.category = category.to_owned())
    }

    pub fn usage_count(self, count: i32) -> Self {
        self.with(|row| row.usage_count = count)
    }

    pub async fn insert(self, database: &TestDatabase) -> NewTemplate {
        Self::store(self.row, database).await
    }
}

/// An API token of the local user.
pub struct ApiTokenBuilder {
    row: NewApiToken,
}

impl ApiTokenBuilder {
    pub fn new() -> Self {
        let id = ApiTokenId::generate();
        let row = NewApiToken {
            id,
            user_id: "local".to_owned(),
            name: "test".to_owned(),
            hash: some_hash(),
            scopes: "read".to_owned(),
            created_with: None,
            created_at: Timestamp::now(),
            expires_at: None,
        };
        Self { row }
    }

    pub fn created_at(mut self, time: Timestamp) -> Self {
        self.row.created_at = time;
        self
    }

    pub async fn insert(self, database: &TestDatabase) -> NewApiToken {
        let row = self.row.clone();
        database.write(|connection| Box::pin(async move { insert::api_tokens(connection, vec![row]).await })).await;
        self.row
    }
}

/// The first version of a prompt without a name, active, of the local user.
pub struct PromptBuilder {
    row: NewPrompt,
    deleted: bool,
}

builder_functions!(PromptBuilder, NewPrompt, insert::prompts);

impl PromptBuilder {
    pub fn new() -> Self {
        let (id, now) = (PromptId::generate(), Timestamp::now());
        let row = NewPrompt {
            id,
            user_id: Principal::LOCAL_USER.to_owned(),
            name: None,
            title: "A prompt".to_owned(),
            description: None,
            content: "Say hello.".to_owned(),
            content_hash: some_hash(),
            format: PromptFormat::Text,
            system_message: None,
            tags: Json::from(serde_json::json!([])),
            metadata: Json::empty_object(),
            version: 1,
            parent_id: None,
            root_id: id,
            template_id: None,
            status: PromptStatus::Active,
            created_at: now,
            updated_at: now,
        };
        Self { row, deleted: false }
    }

    pub fn name(self, name: &str) -> Self {
        self.with(|row| row.name = Some(name.to_owned()))
    }

    pub fn title(self, title: &str) -> Self {
        self.with(|row| row.title = title.to_owned())
    }

    pub fn user(self, user_id: &str) -> Self {
        self.with(|row| row.user_id = user_id.to_owned())
    }

    /// The version after this one, with its owner, name and title.
    pub fn version_of(self, prompt: &NewPrompt) -> Self {
        self.with(|row| {
            row.user_id.clone_from(&prompt.user_id);
            row.name.clone_from(&prompt.name);
            row.title.clone_from(&prompt.title);
            row.version = prompt.version + 1;
            row.parent_id = Some(prompt.id);
            row.root_id = prompt.root_id;
        })
    }

    pub fn template(self, template: &NewTemplate) -> Self {
        self.with(|row| row.template_id = Some(template.id))
    }

    pub fn tags<const N: usize>(self, tags: [&str; N]) -> Self {
        self.with(|row| row.tags = Json::from(serde_json::Value::from(tags.to_vec())))
    }

    pub fn status(self, status: PromptStatus) -> Self {
        self.with(|row| row.status = status)
    }

    /// Softly.
    pub fn deleted(mut self) -> Self {
        self.deleted = true;
        self
    }

    pub async fn insert(self, database: &TestDatabase) -> NewPrompt {
        let prompt = Self::store(self.row, database).await;
        if self.deleted {
            let id = database.kind.literal(prompt.id);
            database.execute(&format!("UPDATE prompts SET deleted_at = updated_at WHERE id = {id}")).await;
        }
        prompt
    }
}

/// A completed run of the local user.
pub struct RunBuilder {
    row: NewRun,
}

builder_functions!(RunBuilder, NewRun, insert::runs);

impl RunBuilder {
    pub fn new() -> Self {
        let now = Timestamp::now();
        let row = NewRun {
            id: RunId::generate(),
            user_id: Principal::LOCAL_USER.to_owned(),
            external_id: None,
            source: RunSource::Api,
            source_version: None,
            name: "A run".to_owned(),
            description: None,
            tags: Json::empty_object(),
            config: Json::empty_object(),
            git: None,
            metadata: Json::empty_object(),
            status: EvaluationStatus::Completed,
            is_baseline: false,
            declared: Json::empty_object(),
            duration_ms: None,
            created_at: now,
            started_at: None,
            completed_at: None,
            updated_at: now,
        };
        Self { row }
    }

    pub fn name(self, name: &str) -> Self {
        self.with(|row| row.name = name.to_owned())
    }

    pub fn user(self, user_id: &str) -> Self {
        self.with(|row| row.user_id = user_id.to_owned())
    }

    pub fn external_id(self, id: &str) -> Self {
        self.with(|row| row.external_id = Some(id.to_owned()))
    }

    pub fn source(self, source: RunSource) -> Self {
        self.with(|row| row.source = source)
    }

    pub fn status(self, status: EvaluationStatus) -> Self {
        self.with(|row| row.status = status)
    }

    pub fn baseline(self) -> Self {
        self.with(|row| row.is_baseline = true)
    }

    pub async fn insert(self, database: &TestDatabase) -> NewRun {
        Self::store(self.row, database).await
    }
}

/// A completed evaluation without results and score.
pub struct EvaluationBuilder {
    row: NewEvaluation,
}

builder_functions!(EvaluationBuilder, NewEvaluation, insert_with_totals);

/// Stores evaluations as every transaction that writes them does.
async fn insert_with_totals(connection: &mut DbConnection, rows: Vec<NewEvaluation>) -> QueryResult<()> {
    let prompts: Vec<_> = rows.iter().map(|row| row.prompt_id).collect();
    insert::evaluations(connection, rows).await?;
    totals::refresh(connection, prompts).await
}

impl EvaluationBuilder {
    pub fn of(prompt: &NewPrompt) -> Self {
        let now = Timestamp::now();
        let row = NewEvaluation {
            id: EvaluationId::generate(),
            prompt_id: prompt.id,
            run_id: None,
            position: None,
            test_suite_id: None,
            external_id: None,
            status: EvaluationStatus::Completed,
            provider: None,
            model: None,
            provider_id: None,
            provider_label: None,
            overall_score: None,
            score_sum: None,
            metrics: Json::empty_object(),
            total_tests: 0,
            passed_tests: 0,
            failed_tests: 0,
            errored_tests: 0,
            timed_tests: 0,
            total_latency_ms: None,
            prompt_tokens: None,
            completion_tokens: None,
            total_tokens: None,
            cost_usd: None,
            execution_time_ms: None,
            error_message: None,
            created_at: now,
            started_at: None,
            completed_at: None,
            updated_at: now,
        };
        Self { row }
    }

    pub fn run(self, run: &NewRun, position: i32) -> Self {
        self.with(|row| (row.run_id, row.position) = (Some(run.id), Some(position)))
    }

    pub fn provider(self, provider: &str, model: &str) -> Self {
        self.with(|row| (row.provider, row.model) = (Some(provider.to_owned()), Some(model.to_owned())))
    }

    pub fn status(self, status: EvaluationStatus) -> Self {
        self.with(|row| row.status = status)
    }

    /// The overall score.
    pub fn score(self, score: f64) -> Self {
        self.with(|row| row.overall_score = Some(score))
    }

    pub fn external_id(self, id: &str) -> Self {
        self.with(|row| row.external_id = Some(id.to_owned()))
    }

    /// How many tests passed, failed and errored.
    pub fn tests(self, passed: i32, failed: i32, errored: i32) -> Self {
        self.with(|row| {
            (row.passed_tests, row.failed_tests, row.errored_tests) = (passed, failed, errored);
            row.total_tests = passed + failed + errored;
        })
    }

    pub async fn insert(self, database: &TestDatabase) -> NewEvaluation {
        Self::store(self.row, database).await
    }
}

/// A result that passed with a score of 1.
pub struct ResultBuilder {
    row: NewTestResult,
}

builder_functions!(ResultBuilder, NewTestResult, insert::test_results);

impl ResultBuilder {
    pub fn of(evaluation: &NewEvaluation) -> Self {
        let now = Timestamp::now();
        let row = NewTestResult {
            id: TestResultId::generate(),
            evaluation_id: evaluation.id,
            external_id: None,
            position: None,
            test_case_name: "A case".to_owned(),
            case_hash: None,
            repetition: 0,
            input_data: Json::empty_object(),
            rendered_prompt: None,
            expected_output: None,
            actual_output: None,
            score: 1.0,
            outcome: TestOutcome::Passed,
            passed: true,
            reason: None,
            latency_ms: None,
            token_count: None,
            cost_usd: None,
            named_scores: Json::empty_object(),
            metadata: Json::empty_object(),
            error_message: None,
            created_at: now,
            updated_at: now,
        };
        Self { row }
    }

    /// The name of the test case.
    pub fn name(self, name: &str) -> Self {
        self.with(|row| row.test_case_name = name.to_owned())
    }

    pub fn external_id(self, id: &str) -> Self {
        self.with(|row| row.external_id = Some(id.to_owned()))
    }

    /// The outcome, and with it whether the test passed.
    pub fn outcome(self, outcome: TestOutcome) -> Self {
        self.with(|row| (row.outcome, row.passed) = (outcome, outcome == TestOutcome::Passed))
    }

    pub fn score(self, score: f64) -> Self {
        self.with(|row| row.score = score)
    }

    pub fn latency_ms(self, latency: i32) -> Self {
        self.with(|row| row.latency_ms = Some(latency))
    }

    pub async fn insert(self, database: &TestDatabase) -> NewTestResult {
        Self::store(self.row, database).await
    }
}
