//! One evaluation with its results.

use serde_json::json;

use super::cases::{PreparedCase, PreparedSuite};
use super::outcomes::{self, Verdict};
use super::prompts::DemoPrompt;
use crate::db::evaluations::NewEvaluation;
use crate::db::test_results::NewTestResult;
use crate::db::types::Json;
use crate::demo::catalog::{Model, Style};
use crate::demo::random::{Random, timestamp};
use crate::domain::{EvaluationId, EvaluationStatus, RunId, TestOutcome, TestResultId};

/// Cases of one evaluation that are asked at the same time.
pub(super) const CONCURRENCY: i64 = 4;
/// How long an evaluation waits for a case that errors, in milliseconds: retries included.
const ERROR_MS: i64 = 9_000;

/// How far an evaluation got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// It has not begun.
    Pending,
    /// It is at work.
    Running,
    /// It is done.
    Completed,
    /// It was given up for this reason.
    Failed(&'static str),
}

impl Progress {
    fn status(self) -> EvaluationStatus {
        match self {
            Self::Pending => EvaluationStatus::Pending,
            Self::Running => EvaluationStatus::Running,
            Self::Completed => EvaluationStatus::Completed,
            Self::Failed(_) => EvaluationStatus::Failed,
        }
    }

    /// How many of the cases have a result.
    fn done(self, cases: usize) -> usize {
        match self {
            Self::Pending => 0,
            Self::Running => cases / 2,
            Self::Completed => cases,
            Self::Failed(_) => 2.min(cases),
        }
    }
}

/// One evaluation to be carried out.
pub(super) struct Job<'a> {
    pub run_id: RunId,
    pub run_external_id: &'a str,
    pub position: usize,
    pub prompt: &'a DemoPrompt,
    pub suite: &'a PreparedSuite,
    pub model: &'static Model,
    /// How many cases the suite had at that time.
    pub cases: usize,
    /// When it was registered, in microseconds.
    pub registered: i64,
    /// When it begins, unless it is pending.
    pub begins: i64,
    pub progress: Progress,
}

/// What the results add up to.
#[derive(Default)]
struct Totals {
    results: i32,
    passed: i32,
    failed: i32,
    errored: i32,
    latencies: Vec<i64>,
    prompt_tokens: i64,
    completion_tokens: i64,
    cost: f64,
    scores: f64,
}

impl Job<'_> {
    /// Carries it out: adds the results and returns the evaluation and its end in microseconds.
    pub(super) fn perform(&self, random: &mut Random, results: &mut Vec<NewTestResult>) -> (NewEvaluation, i64) {
        let id = EvaluationId(random.id(self.registered));
        let cases = &self.suite.cases[..self.progress.done(self.cases.min(self.suite.cases.len()))];
        let mut totals = Totals::default();
        let mut clock = self.begins;
        for (position, (case, verdict)) in cases.iter().zip(self.verdicts(random, cases)).enumerate() {
            let result = self.result(random, id, position, case, verdict, &mut clock, &mut totals);
            results.push(result);
        }
        let ends = clock + random.whole(40_000, 400_000);
        (self.evaluation(id, &totals, ends), ends)
    }

    fn verdicts(&self, random: &mut Random, cases: &[PreparedCase]) -> Vec<Verdict> {
        let style = self.suite.suite.style;
        let mut verdicts: Vec<_> =
            cases.iter().map(|case| outcomes::judge(random, case, self.model, style, self.prompt.quality)).collect();
        // The evaluations of the newest prompts are what people see first: each has something to look into.
        let has_failure = verdicts.iter().any(|verdict| verdict.outcome == TestOutcome::Failed);
        if self.prompt.is_recent && !has_failure && !cases.is_empty() {
            let place = random.whole(0, cases.len() as i64) as usize;
            verdicts[place] = outcomes::fail(random, &cases[place], style);
        }
        verdicts
    }

    #[expect(clippy::too_many_arguments, reason = "what one row is made of")]
    fn result(
        &self,
        random: &mut Random,
        evaluation_id: EvaluationId,
        position: usize,
        case: &PreparedCase,
        verdict: Verdict,
        clock: &mut i64,
        totals: &mut Totals,
    ) -> NewTestResult {
        let rendered = self.prompt.render(self.suite.suite, &case.input);
        let usage = verdict.answer.as_deref().map(|answer| self.usage(random, &rendered, answer));
        let waited = match verdict.outcome {
            TestOutcome::Errored => ERROR_MS,
            _ => usage.as_ref().map_or(0, |usage| usage.latency_ms),
        };
        *clock += waited * 1_000 / CONCURRENCY + random.whole(1_000, 9_000);
        totals.add(&verdict, usage.as_ref());

        let names = metric_names(self.suite.suite.style);
        let (named_scores, metadata) = match &usage {
            Some(usage) => (
                json!({ names[0]: verdict.metrics[0], names[1]: verdict.metrics[1] }),
                json!({
                    "prompt_tokens": usage.prompt_tokens,
                    "completion_tokens": usage.completion_tokens,
                    "attempts": if random.chance(0.03) { 2 } else { 1 },
                }),
            ),
            None => (json!({}), json!({})),
        };
        NewTestResult {
            id: TestResultId(random.id(*clock)),
            evaluation_id,
            external_id: None,
            position: Some(position as i32),
            test_case_name: case.name.clone(),
            case_hash: Some(case.hash.clone()),
            repetition: 0,
            input_data: case.input_data.clone(),
            rendered_prompt: Some(rendered),
            expected_output: Some(case.case.expected.to_owned()),
            score: verdict.score(),
            outcome: verdict.outcome,
            passed: verdict.outcome == TestOutcome::Passed,
            actual_output: verdict.answer,
            reason: verdict.reason,
            latency_ms: usage.as_ref().map(|usage| usage.latency_ms as i32),
            token_count: usage.as_ref().map(|usage| (usage.prompt_tokens + usage.completion_tokens) as i32),
            cost_usd: usage.as_ref().map(|usage| usage.cost),
            named_scores: Json::from(named_scores),
            metadata: Json::from(metadata),
            error_message: verdict.error,
            created_at: timestamp(*clock),
            updated_at: timestamp(*clock),
        }
    }

    fn usage(&self, random: &mut Random, prompt: &str, answer: &str) -> Usage {
        // About four characters make a token.
        let prompt_tokens = prompt.len() as i64 / 4 + 8;
        let visible = answer.len() as f64 / 4.0 + 4.0;
        let completion_tokens = (visible * self.model.verbosity * random.between(0.9, 1.2)).round() as i64;
        let latency_ms = random.log_normal(self.model.median_ms, self.model.spread).clamp(120.0, 58_000.0) as i64;
        let millionths =
            prompt_tokens as f64 * self.model.input_price + completion_tokens as f64 * self.model.output_price;
        let cost = (millionths * 100.0).round() / 100_000_000.0;
        Usage { prompt_tokens, completion_tokens, latency_ms, cost }
    }

    fn evaluation(&self, id: EvaluationId, totals: &Totals, ends: i64) -> NewEvaluation {
        let is_over = matches!(self.progress, Progress::Completed | Progress::Failed(_));
        let has_begun = self.progress != Progress::Pending;
        let has_results = totals.results > 0;
        NewEvaluation {
            id,
            prompt_id: self.prompt.row.id,
            run_id: Some(self.run_id),
            position: Some(self.position as i32),
            test_suite_id: Some(self.suite.suite.name.to_owned()),
            external_id: Some(format!("{}/{}", self.run_external_id, self.position)),
            status: self.progress.status(),
            provider: Some(self.model.provider.to_owned()),
            model: Some(self.model.name.to_owned()),
            provider_id: Some(self.model.provider_id.to_owned()),
            provider_label: Some(self.model.label.to_owned()),
            overall_score: has_results.then(|| totals.scores / f64::from(totals.results)),
            score_sum: has_results.then_some(totals.scores),
            metrics: totals.metrics(),
            total_tests: totals.results,
            passed_tests: totals.passed,
            failed_tests: totals.failed,
            errored_tests: totals.errored,
            timed_tests: totals.latencies.len() as i32,
            total_latency_ms: (!totals.latencies.is_empty()).then(|| totals.latencies.iter().sum()),
            prompt_tokens: has_results.then_some(totals.prompt_tokens),
            completion_tokens: has_results.then_some(totals.completion_tokens),
            total_tokens: has_results.then_some(totals.prompt_tokens + totals.completion_tokens),
            cost_usd: has_results.then_some(totals.cost),
            execution_time_ms: is_over.then_some(((ends - self.begins) / 1_000) as i32),
            error_message: match self.progress {
                Progress::Failed(message) => Some(message.to_owned()),
                _ => None,
            },
            created_at: timestamp(self.registered),
            started_at: has_begun.then(|| timestamp(self.begins)),
            completed_at: is_over.then(|| timestamp(ends)),
            updated_at: timestamp(if has_begun { ends } else { self.registered }),
        }
    }
}

/// What an answer took.
struct Usage {
    prompt_tokens: i64,
    completion_tokens: i64,
    latency_ms: i64,
    cost: f64,
}

fn metric_names(style: Style) -> [&'static str; 2] {
    match style {
        Style::Json => ["schema", "correctness"],
        Style::Text => ["faithfulness", "relevance"],
    }
}

impl Totals {
    fn add(&mut self, verdict: &Verdict, usage: Option<&Usage>) {
        self.results += 1;
        self.scores += verdict.score();
        match verdict.outcome {
            TestOutcome::Passed => self.passed += 1,
            TestOutcome::Failed => self.failed += 1,
            TestOutcome::Errored => self.errored += 1,
            TestOutcome::Skipped => {}
        }
        if let Some(usage) = usage {
            self.latencies.push(usage.latency_ms);
            self.prompt_tokens += usage.prompt_tokens;
            self.completion_tokens += usage.completion_tokens;
            self.cost += usage.cost;
        }
    }

    fn metrics(&self) -> Json {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        let Some(last) = sorted.len().checked_sub(1) else { return Json::empty_object() };
        let nearest = |share: f64| sorted[(last as f64 * share).round() as usize];
        Json::from(json!({ "latencyP50Ms": nearest(0.5), "latencyP95Ms": nearest(0.95) }))
    }
}
