//! All figures, evaluated plainly in memory.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike as _, Days, NaiveTime, Timelike as _, Utc};
use evalgraph::db::evaluations::NewEvaluation;
use evalgraph::db::prompts::NewPrompt;
use evalgraph::domain::{EvaluationStatus, Principal, PromptId, RunId, Timestamp};
use serde_json::{Value, json};

use crate::global_id;

/// Everything that is stored.
#[derive(Default)]
pub struct Model {
    pub prompts: Vec<NewPrompt>,
    pub deleted: BTreeSet<PromptId>,
    pub runs: Vec<(RunId, String)>,
    pub evaluations: Vec<NewEvaluation>,
}

/// Evaluations and what they come to.
struct Group<'a>(Vec<&'a NewEvaluation>);

impl<'a> Group<'a> {
    fn scores(&self) -> impl Iterator<Item = f64> {
        let completed = self.0.iter().filter(|row| row.status == EvaluationStatus::Completed);
        completed.filter_map(|row| row.overall_score)
    }

    fn average_score(&self) -> Option<f64> {
        let (count, sum) = self.scores().fold((0.0, 0.0), |(count, sum), score| (count + 1.0, sum + score));
        (count > 0.0).then_some(sum / count)
    }

    fn sum(&self, count: impl Fn(&NewEvaluation) -> i32) -> i32 {
        self.0.iter().map(|row| count(row)).sum()
    }

    fn pass_rate(&self) -> Option<f64> {
        let (passed, others) = (self.sum(|row| row.passed_tests), self.sum(|row| row.failed_tests + row.errored_tests));
        (passed + others > 0).then(|| f64::from(passed) / f64::from(passed + others))
    }

    /// What is known of it: a cost that is too large to be added up is not.
    fn cost(&self) -> Option<f64> {
        let costs = self.0.iter().filter_map(|row| row.cost_usd).filter(|cost| cost.abs() <= 1e290);
        costs.reduce(|sum, cost| sum + cost)
    }

    fn average_latency(&self) -> Option<f64> {
        let timed = self.sum(|row| row.timed_tests);
        let total: Option<i64> = self.0.iter().filter_map(|row| row.total_latency_ms).reduce(|sum, it| sum + it);
        Some(total? as f64 / f64::from(timed))
    }
}

/// Finds when the interval begins in which a time lies.
type Bucket = fn(DateTime<Utc>) -> DateTime<Utc>;

/// The intervals by name.
pub const INTERVALS: [(&str, Bucket); 4] = [
    ("HOUR", |time| time.date_naive().and_hms_opt(time.hour(), 0, 0).unwrap().and_utc()),
    ("DAY", |time| time.date_naive().and_time(NaiveTime::MIN).and_utc()),
    ("WEEK", |time| {
        let since_monday = Days::new(time.weekday().num_days_from_monday().into());
        (time.date_naive() - since_monday).and_time(NaiveTime::MIN).and_utc()
    }),
    ("MONTH", |time| time.date_naive().with_day(1).unwrap().and_time(NaiveTime::MIN).and_utc()),
];

fn time(timestamp: Timestamp) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(timestamp.micros()).unwrap()
}

impl Model {
    /// The prompts that the principal may see, deleted or not.
    pub fn owned(&self, principal: &Principal) -> Vec<&NewPrompt> {
        self.prompts.iter().filter(|row| principal.is_admin || *row.user_id == *principal.user_id).collect()
    }

    fn is_live(&self, prompt: &NewPrompt) -> bool {
        !self.deleted.contains(&prompt.id)
    }

    fn evaluations_of(&self, prompt: PromptId) -> Group<'_> {
        Group(self.evaluations.iter().filter(|row| row.prompt_id == prompt).collect())
    }

    /// The figures of one prompt, with its course by each interval.
    pub fn prompt(&self, prompt: &NewPrompt, since: Option<Timestamp>, limit: usize) -> Value {
        let group = self.evaluations_of(prompt.id);
        let mut figures = json!({
            "id": global_id("Prompt", prompt.id),
            "evaluationCount": group.0.len(),
            "averageScore": group.average_score(),
            "passRate": group.pass_rate(),
        });
        for (name, bucket) in INTERVALS {
            figures[name] = trend(&group, bucket, since, limit);
        }
        figures
    }

    pub fn run(&self, run: RunId, principal: &Principal) -> Value {
        let owned: BTreeSet<_> = self.owned(principal).into_iter().map(|prompt| prompt.id).collect();
        let is_of_run = |row: &&NewEvaluation| row.run_id == Some(run) && owned.contains(&row.prompt_id);
        let group = Group(self.evaluations.iter().filter(is_of_run).collect());
        json!({
            "id": global_id("Run", run),
            "totalTests": group.sum(|row| row.total_tests),
            "passedTests": group.sum(|row| row.passed_tests),
            "failedTests": group.sum(|row| row.failed_tests),
            "erroredTests": group.sum(|row| row.errored_tests),
            "passRate": group.pass_rate(),
            "totalCostUsd": group.cost(),
        })
    }

    pub fn prompt_leaderboard(&self, principal: &Principal, min_evaluations: usize, limit: usize) -> Value {
        let mut ranked: Vec<_> = self
            .owned(principal)
            .into_iter()
            .filter(|prompt| self.is_live(prompt))
            .map(|prompt| (prompt, self.evaluations_of(prompt.id)))
            .map(|(prompt, group)| (prompt, group.scores().count(), group.average_score()))
            .filter(|(_, count, _)| *count >= min_evaluations)
            .collect();
        ranked.sort_by(|one, other| {
            let averages = other.2.partial_cmp(&one.2).unwrap();
            averages.then(other.1.cmp(&one.1)).then(one.0.id.cmp(&other.0.id))
        });
        let place = |(prompt, count, average): &(&NewPrompt, usize, Option<f64>)| {
            json!({
                "prompt": { "id": global_id("Prompt", prompt.id), "title": prompt.title, "content": prompt.content },
                "evaluationCount": count,
                "averageScore": average,
            })
        };
        ranked.iter().take(limit).map(place).collect()
    }

    pub fn model_leaderboard(
        &self,
        principal: &Principal,
        prompt: Option<PromptId>,
        since: Option<Timestamp>,
        limit: usize,
    ) -> Value {
        let owned = self.owned(principal).into_iter().filter(|prompt| self.is_live(prompt));
        let prompts: BTreeSet<_> = owned.map(|row| row.id).filter(|id| prompt.is_none_or(|it| it == *id)).collect();
        let mut models: BTreeMap<(&String, &String), Vec<&NewEvaluation>> = BTreeMap::new();
        for row in &self.evaluations {
            let counts = row.status == EvaluationStatus::Completed
                && prompts.contains(&row.prompt_id)
                && since.is_none_or(|since| row.created_at >= since);
            if let (Some(provider), Some(model), true) = (&row.provider, &row.model, counts) {
                models.entry((provider, model)).or_default().push(row);
            }
        }
        let mut ranked: Vec<_> = models.into_iter().map(|(key, rows)| (key, Group(rows))).collect();
        ranked.sort_by(|(one_key, one), (other_key, other)| {
            let averages = other.average_score().partial_cmp(&one.average_score()).unwrap();
            averages.then(other.0.len().cmp(&one.0.len())).then(one_key.cmp(other_key))
        });
        let place = |((provider, model), group): &((&String, &String), Group<'_>)| {
            json!({
                "provider": provider,
                "model": model,
                "evaluationCount": group.0.len(),
                "averageScore": group.average_score(),
                "passRate": group.pass_rate(),
                "averageLatencyMs": group.average_latency(),
                "totalCostUsd": group.cost(),
            })
        };
        ranked.iter().take(limit).map(place).collect()
    }

    pub fn statistics(&self, principal: &Principal) -> Value {
        let prompts: BTreeSet<_> =
            self.owned(principal).into_iter().filter(|prompt| self.is_live(prompt)).map(|prompt| prompt.id).collect();
        let group = Group(self.evaluations.iter().filter(|row| prompts.contains(&row.prompt_id)).collect());
        json!({
            "promptCount": prompts.len(),
            "runCount": self.runs.iter().filter(|(_, user)| principal.is_admin || **user == *principal.user_id).count(),
            "evaluationCount": group.0.len(),
            "testResultCount": group.sum(|row| row.total_tests),
            "averageScore": group.average_score(),
            "passRate": group.pass_rate(),
        })
    }
}

fn trend(group: &Group<'_>, bucket: Bucket, since: Option<Timestamp>, limit: usize) -> Value {
    let mut buckets: BTreeMap<DateTime<Utc>, Vec<&NewEvaluation>> = BTreeMap::new();
    let counts = |row: &&&NewEvaluation| {
        row.status == EvaluationStatus::Completed && since.is_none_or(|since| row.created_at >= since)
    };
    for row in group.0.iter().filter(counts) {
        buckets.entry(bucket(time(row.created_at))).or_default().push(row);
    }
    let points = buckets.into_iter().map(|(at, rows)| {
        let group = Group(rows);
        json!({
            // The calendar begins in the middle of a week.
            "at": Timestamp::from(at).max(Timestamp::MIN).to_string(),
            "averageScore": group.average_score(),
            "passRate": group.pass_rate(),
            "evaluationCount": group.0.len(),
        })
    });
    let points: Vec<_> = points.collect();
    points[points.len().saturating_sub(limit)..].to_vec().into()
}
