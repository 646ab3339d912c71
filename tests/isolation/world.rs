//! What two owners have stored.

use evalgraph::db::evaluations::NewEvaluation;
use evalgraph::db::prompts::NewPrompt;
use evalgraph::db::runs::NewRun;
use evalgraph::db::templates::NewTemplate;
use evalgraph::db::test_results::NewTestResult;
use evalgraph::db::types::Json;
use evalgraph::db::{insert, totals};
use evalgraph::domain::{EvaluationStatus, PromptId, PromptStatus, RunSource, TestOutcome, Timestamp};
use serde_json::json;

use crate::common::{
    EvaluationBuilder, PromptBuilder, ResultBuilder, RunBuilder, TemplateBuilder, TestDatabase, global_id,
};

/// What every text of the other owner contains. Nobody asks for it.
pub const MARKER: &str = "Marker7f3aOfBob";

/// The rows of one owner.
#[derive(Clone, Default)]
pub struct Rows {
    pub prompts: Vec<NewPrompt>,
    pub deleted: Vec<PromptId>,
    pub runs: Vec<NewRun>,
    pub evaluations: Vec<NewEvaluation>,
    pub results: Vec<NewTestResult>,
}

/// Templates belong to everybody.
pub fn templates() -> Vec<NewTemplate> {
    let one = TemplateBuilder::new().name("template").usage_count(3).created_at(time(0));
    let other = TemplateBuilder::new().name("other").category("other").created_at(time(1));
    [one, other].map(|template| template.with(|row| row.template = "Hello {{ name }}".to_owned()).build()).into()
}

/// The same times for all, so that orders have ties.
fn time(seconds: i64) -> Timestamp {
    Timestamp::parse("2026-01-01T00:00:00Z").unwrap().plus_millis(seconds * 1_000)
}

/// Makes the rows of an owner.
struct Maker<'a> {
    user: &'a str,
    /// What is in every text of theirs.
    mark: &'a str,
    rows: Rows,
}

/// The rows of the owner who asks.
pub fn of_alice(templates: &[NewTemplate]) -> Rows {
    let mut maker = Maker { user: "alice", mark: "", rows: Rows::default() };
    maker.lineage(Some("shared/one"), "gpt", "openai", templates);
    maker.lineage(Some("alices/own"), "gpt", "openai", templates);
    maker.lineage(None, "gpt", "openai", templates);
    maker.rows
}

/// The rows of the other: some are called like those of the first, so that they would be counted together with them.
pub fn of_bob(templates: &[NewTemplate]) -> Rows {
    let mut maker = Maker { user: "bob", mark: MARKER, rows: Rows::default() };
    maker.lineage(Some("shared/one"), "gpt", "openai", templates);
    maker.lineage(
        Some(&format!("bobs/own/{MARKER}")),
        &format!("bobgpt{MARKER}"),
        &format!("bobai{MARKER}"),
        templates,
    );
    maker.lineage(None, "gpt", "openai", templates);
    maker.rows
}

impl Maker<'_> {
    fn text(&self, text: &str) -> String {
        if self.mark.is_empty() { text.to_owned() } else { format!("{text} bobword {}", self.mark) }
    }

    /// A text that may be missing.
    fn some(&self, text: &str) -> Option<String> {
        Some(self.text(text))
    }

    fn json(&self) -> Json {
        json!({ "label": self.text("x"), self.text("key"): 1 }).into()
    }

    /// Three versions, of which the last is deleted, with a run, evaluations and results.
    fn lineage(&mut self, name: Option<&str>, model: &str, provider: &str, templates: &[NewTemplate]) {
        let place = i64::try_from(self.rows.runs.len()).unwrap();
        let first = self.prompt(PromptBuilder::new(), name, place);
        let second = self.prompt(PromptBuilder::new().version_of(&first).template(&templates[0]), name, place + 1);
        let third = self.prompt(PromptBuilder::new().version_of(&second), name, place + 2);
        self.rows.deleted.push(third.id);
        let run = self.run(place);
        for (number, prompt) in [&first, &second, &second, &third].into_iter().enumerate() {
            self.evaluation(prompt, &run, i32::try_from(number).unwrap(), model, provider);
        }
    }

    fn prompt(&mut self, builder: PromptBuilder, name: Option<&str>, place: i64) -> NewPrompt {
        let tags =
            if self.mark.is_empty() { json!(["common", "alicetag"]) } else { json!(["common", self.text("bobtag")]) };
        let status =
            [PromptStatus::Active, PromptStatus::Draft, PromptStatus::Archived][usize::try_from(place % 3).unwrap()];
        let row = builder
            .user(self.user)
            .title(&self.text("Lunar title"))
            .status(status)
            .created_at(time(place))
            .with(|row| {
                row.name = name.map(str::to_owned);
                row.description = self.some("a description");
                row.content = self.text("lunar harvest, secret");
                row.content_hash = format!("{}{}", row.content_hash, self.mark);
                row.system_message = self.some("be kind");
                row.tags = tags.into();
                row.metadata = self.json();
            })
            .build();
        self.rows.prompts.push(row.clone());
        row
    }

    fn run(&mut self, place: i64) -> NewRun {
        let row = RunBuilder::new()
            .user(self.user)
            .name("nightly")
            .external_id(&format!("ext-{place}"))
            .created_at(time(place))
            .with(|row| {
                row.source = [RunSource::Api, RunSource::Promptfoo][usize::try_from(place % 2).unwrap()];
                row.status =
                    [EvaluationStatus::Running, EvaluationStatus::Completed][usize::try_from(place % 2).unwrap()];
                // One of each owner's is called like the other's, in all else they differ.
                if place > 0 && !self.mark.is_empty() {
                    (row.name, row.external_id) = (self.text("nightly"), Some(format!("bobs-ext{place}{}", self.mark)));
                }
                row.source_version = self.some("1");
                row.description = self.some("a run");
                row.tags = json!({ "label": self.text("x") }).into();
                row.config = self.json();
                row.git = Some(self.json());
                row.metadata = self.json();
                row.declared = self.json();
                row.is_baseline = place == 1;
                row.duration_ms = Some(1_000);
            })
            .build();
        self.rows.runs.push(row.clone());
        row
    }

    fn evaluation(&mut self, prompt: &NewPrompt, run: &NewRun, number: i32, model: &str, provider: &str) {
        let status = [
            EvaluationStatus::Completed,
            EvaluationStatus::Running,
            EvaluationStatus::Failed,
            EvaluationStatus::Completed,
        ];
        let place = usize::try_from(number).unwrap();
        let row = EvaluationBuilder::of(prompt)
            .run(run, number)
            .provider(provider, model)
            .created_at(time(number.into()))
            .tests(1, 1, 1)
            .with(|row| {
                row.status = status[place];
                // Sums of these are the same in every order.
                row.overall_score = (row.status == EvaluationStatus::Completed).then_some(0.5);
                row.score_sum = Some(1.5);
                row.test_suite_id = self.some("suite");
                row.external_id = self.some(&format!("ext-{number}"));
                row.provider_id = self.some("id");
                row.provider_label = self.some("label");
                row.metrics = self.json();
                row.error_message = self.some("an error");
                row.cost_usd = Some(0.25);
                row.execution_time_ms = Some(1_000 * number);
                row.total_latency_ms = Some(300);
                row.timed_tests = 3;
                (row.prompt_tokens, row.completion_tokens, row.total_tokens) = (Some(1), Some(2), Some(3));
            })
            .build();
        for (number, outcome) in
            [TestOutcome::Passed, TestOutcome::Failed, TestOutcome::Errored].into_iter().enumerate()
        {
            self.result(&row, number, outcome);
        }
        self.rows.evaluations.push(row);
    }

    fn result(&mut self, evaluation: &NewEvaluation, number: usize, outcome: TestOutcome) {
        let name = format!("case {number}");
        // The first case of all evaluations is called the same.
        let name = if number == 0 { name } else { self.text(&name) };
        let row = ResultBuilder::of(evaluation)
            .name(&name)
            .outcome(outcome)
            .score(0.5)
            .latency_ms(100)
            .created_at(time(i64::try_from(number).unwrap()))
            .with(|row| {
                row.external_id = self.some(&format!("result-{number}"));
                row.position = i32::try_from(number).ok();
                row.case_hash = self.some("hash");
                row.input_data = self.json();
                row.rendered_prompt = self.some("lunar");
                row.expected_output = self.some("expected");
                row.actual_output = self.some("actual");
                row.reason = self.some("a reason");
                row.named_scores = json!({ self.text("metric"): 0.5 }).into();
                row.metadata = self.json();
                row.error_message = self.some("an error");
                row.token_count = Some(3);
                row.cost_usd = Some(0.25);
            })
            .build();
        self.rows.results.push(row);
    }
}

impl Rows {
    /// Stores them.
    pub async fn insert(&self, database: &TestDatabase) {
        let Self { prompts, runs, evaluations, results, .. } = self.clone();
        let of_prompts: Vec<_> = prompts.iter().map(|row| row.id).collect();
        database
            .write(|connection| {
                Box::pin(async move {
                    insert::prompts(connection, prompts).await?;
                    insert::runs(connection, runs).await?;
                    insert::evaluations(connection, evaluations).await?;
                    insert::test_results(connection, results).await?;
                    totals::refresh(connection, of_prompts).await
                })
            })
            .await;
        for &id in &self.deleted {
            let id = database.kind.literal(id);
            database.execute(&format!("UPDATE prompts SET deleted_at = updated_at WHERE id = {id}")).await;
        }
    }

    /// The ids as clients see them, with their types.
    pub fn ids(&self) -> Vec<(&'static str, String)> {
        let prompts = self.prompts.iter().map(|row| ("Prompt", global_id("Prompt", row.id)));
        let runs = self.runs.iter().map(|row| ("Run", global_id("Run", row.id)));
        let evaluations = self.evaluations.iter().map(|row| ("Evaluation", global_id("Evaluation", row.id)));
        let results = self.results.iter().map(|row| ("TestResult", global_id("TestResult", row.id)));
        prompts.chain(runs).chain(evaluations).chain(results).collect()
    }
}
