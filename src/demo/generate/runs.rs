//! The runs: which there are, and what each evaluates.

use serde_json::{Value, json};

use super::cases::PreparedSuite;
use super::evaluations::{CONCURRENCY, Job, Progress};
use super::prompts::DemoPrompt;
use crate::db::evaluations::NewEvaluation;
use crate::db::runs::NewRun;
use crate::db::types::Json;
use crate::demo::catalog::{DOMAINS, MODELS, Model};
use crate::demo::random::{Calendar, Random, date, timestamp};
use crate::demo::{DemoData, MARKER_PREFIX};
use crate::domain::{EvaluationStatus, Principal, RunId, RunSource};

/// Evaluations that a run carries out at the same time.
const LANES: usize = 4;
/// Runs before those of yesterday.
const EARLIER_RUNS: usize = 29;
/// Groups of domains, by index, that the runs of yesterday divide among themselves.
const YESTERDAY: [&[usize]; 5] = [&[0, 1, 2], &[3, 4, 5], &[6, 7, 8], &[9, 10], &[11, 12]];

const BUDGET: &str = "The run was stopped: its budget of 2.50 USD is used up";
const FAILURES: &[&str] = &[
    "401 Incorrect API key provided: the key of this provider has expired",
    "404 The model does not exist or you do not have access to it",
    "The evaluation was aborted after 5 consecutive errors of the provider",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Every night: what is in use, with few models.
    Nightly,
    /// One domain with many models.
    Comparison,
    /// Each prompt beside the version before it.
    Review,
    /// Before a release: everything.
    Candidate,
}

#[derive(Debug, Clone, Copy)]
enum When {
    /// Days ago, and the hour of that day.
    Day(i64, f64),
    /// Seconds ago.
    Ago(i64),
}

/// A run to be carried out.
#[derive(Debug)]
pub(super) struct RunPlan {
    /// Counted from 1, oldest first.
    number: usize,
    kind: Kind,
    when: When,
    domains: Vec<usize>,
    models: usize,
    is_baseline: bool,
    status: EvaluationStatus,
}

/// All runs, the oldest first.
pub(super) fn plans() -> Vec<RunPlan> {
    let earlier = (0..EARLIER_RUNS).map(|index| {
        let day = 64 - (index * 62 / (EARLIER_RUNS - 1)) as i64;
        let (kind, hour, domains, models) = match index % 4 {
            0 | 1 => (Kind::Nightly, 2.1, 2, 3),
            2 => (Kind::Comparison, 10.6, 1, 6),
            _ => (Kind::Review, 14.3, 2, 2),
        };
        RunPlan {
            number: 0,
            kind,
            when: When::Day(day, hour),
            domains: (0..domains).map(|offset| (2 * index + offset) % DOMAINS.len()).collect(),
            models,
            is_baseline: matches!(index, 8 | 20),
            status: if index == 11 { EvaluationStatus::Failed } else { EvaluationStatus::Completed },
        }
    });
    let yesterday = YESTERDAY.into_iter().enumerate().map(|(index, domains)| RunPlan {
        number: 0,
        kind: Kind::Candidate,
        when: When::Day(1, 6.5 + 2.2 * index as f64),
        domains: domains.to_vec(),
        models: 4,
        is_baseline: index == 0,
        status: EvaluationStatus::Completed,
    });
    let today = [
        (EvaluationStatus::Running, Kind::Nightly, 600, (0..DOMAINS.len()).collect()),
        (EvaluationStatus::Pending, Kind::Comparison, 45, vec![3, 5]),
    ]
    .map(|(status, kind, seconds, domains)| RunPlan {
        number: 0,
        kind,
        when: When::Ago(seconds),
        domains,
        models: 2,
        is_baseline: false,
        status,
    });
    let mut plans: Vec<_> = earlier.chain(yesterday).chain(today).collect();
    for (index, plan) in plans.iter_mut().enumerate() {
        plan.number = index + 1;
    }
    plans
}

/// Carries a run out and adds its rows to the data.
pub(super) fn perform(
    plan: &RunPlan,
    random: &mut Random,
    calendar: Calendar,
    suites: &[PreparedSuite],
    prompts: &[DemoPrompt],
    data: &mut DemoData,
) {
    let created = match plan.when {
        When::Day(day, hour) => calendar.at(day, hour) + random.whole(0, 900_000_000),
        When::Ago(seconds) => calendar.now() - seconds * 1_000_000,
    };
    let id = RunId(random.id(created));
    let (source, external_id) = plan.origin(random, created);
    let started = created + random.whole(400_000, 4_000_000);
    let models = plan.choose_models(random);
    let chosen = plan.choose_prompts(suites, prompts, created);
    // Suites grow: at first they contain little more than the plain cases. Counted in days, so that the data does not
    // depend on the time of day.
    let days_ago = match plan.when {
        When::Day(day, _) => day,
        When::Ago(_) => 0,
    };
    let cases = 8.0 + 6.0 * (1.0 - days_ago as f64 / 90.0);

    let pairs: Vec<_> = chosen.iter().flat_map(|&prompt| models.iter().map(move |&model| (prompt, model))).collect();
    let first_evaluation = data.evaluations.len();
    let mut lanes = [started; LANES];
    let mut size = 0;
    for (position, &(prompt, model)) in pairs.iter().enumerate() {
        if position % models.len() == 0 {
            // All models of a prompt get the same cases.
            size = (cases + random.between(-1.5, 2.5)) as usize;
        }
        let job = Job {
            run_id: id,
            run_external_id: &external_id,
            position,
            prompt,
            suite: &suites[prompt.suite],
            model,
            cases: size,
            registered: created + 1_000 * position as i64,
            begins: lanes[position % LANES] + random.whole(20_000, 300_000),
            progress: plan.progress(random, position, pairs.len(), prompt),
        };
        let (evaluation, ends) = job.perform(random, &mut data.test_results);
        lanes[position % LANES] = ends;
        data.evaluations.push(evaluation);
    }

    let ended = lanes.into_iter().max().unwrap_or(started) + random.whole(200_000, 900_000);
    let outcome = Outcome { id, source, external_id, created, started, ended };
    let row = plan.row(random, &outcome, &pairs, suites, &data.evaluations[first_evaluation..]);
    data.runs.push(row);
}

struct Outcome {
    id: RunId,
    source: RunSource,
    external_id: String,
    created: i64,
    started: i64,
    ended: i64,
}

impl RunPlan {
    fn origin(&self, random: &mut Random, created: i64) -> (RunSource, String) {
        if self.status == EvaluationStatus::Completed && self.number.is_multiple_of(3) {
            (RunSource::Promptfoo, format!("eval-{}-{}", random.hex(3), date(created)))
        } else {
            (RunSource::Api, format!("{MARKER_PREFIX}{}", self.number))
        }
    }

    fn choose_models(&self, random: &mut Random) -> Vec<&'static Model> {
        let mut models: Vec<&'static Model> = MODELS.iter().collect();
        random.shuffle(&mut models);
        models.truncate(self.models);
        models
    }

    /// The version of each lineage that was the newest at that time, in a review with the one before it.
    fn choose_prompts<'a>(
        &self,
        suites: &[PreparedSuite],
        prompts: &'a [DemoPrompt],
        created: i64,
    ) -> Vec<&'a DemoPrompt> {
        let mut chosen = Vec::new();
        for versions in prompts.chunk_by(|one, next| one.lineage == next.lineage) {
            let known = &versions[..versions.partition_point(|version| version.created < created)];
            let Some((current, older)) = known.split_last() else { continue };
            if !self.domains.contains(&suites[current.suite].domain_index) {
                continue;
            }
            // What has no results yet would be the first thing that people see of a recent prompt.
            let is_open = matches!(self.status, EvaluationStatus::Pending | EvaluationStatus::Running);
            if is_open && current.is_recent {
                continue;
            }
            if self.kind == Kind::Review {
                chosen.extend(older.last());
            }
            chosen.push(current);
        }
        chosen
    }

    fn progress(&self, random: &mut Random, position: usize, evaluations: usize, prompt: &DemoPrompt) -> Progress {
        match self.status {
            EvaluationStatus::Pending => Progress::Pending,
            EvaluationStatus::Running => match position {
                0..20 => Progress::Completed,
                20..24 => Progress::Running,
                _ => Progress::Pending,
            },
            EvaluationStatus::Failed if position * 10 >= evaluations * 6 => Progress::Failed(BUDGET),
            EvaluationStatus::Completed if !prompt.is_recent && random.chance(0.025) => {
                let cause: &&'static str = random.pick(FAILURES);
                Progress::Failed(cause)
            }
            _ => Progress::Completed,
        }
    }

    fn name(&self, created: i64) -> String {
        let date = date(created);
        let titles: Vec<_> = self.domains.iter().map(|&domain| DOMAINS[domain].title).collect();
        let titles = titles.join(", ");
        match self.kind {
            Kind::Nightly => format!("nightly regression {date}"),
            Kind::Comparison => format!("model comparison {date}: {titles}"),
            Kind::Review => format!("prompt review {date}: {titles}"),
            Kind::Candidate => format!("release candidate {date}: {titles}"),
        }
    }

    fn description(&self) -> &'static str {
        match self.kind {
            Kind::Nightly => "The newest versions with the models in use.",
            Kind::Comparison => "The prompts of a team with all models under consideration.",
            Kind::Review => "Each prompt beside the version before it.",
            Kind::Candidate => "Everything that the next release contains.",
        }
    }

    fn row(
        &self,
        random: &mut Random,
        outcome: &Outcome,
        pairs: &[(&DemoPrompt, &Model)],
        suites: &[PreparedSuite],
        evaluations: &[NewEvaluation],
    ) -> NewRun {
        let is_over = matches!(self.status, EvaluationStatus::Completed | EvaluationStatus::Failed);
        let has_begun = self.status != EvaluationStatus::Pending;
        let branch = match self.kind {
            Kind::Review => format!("prompts/{}", random.hex(4)),
            Kind::Candidate => "release".to_owned(),
            Kind::Nightly | Kind::Comparison => "main".to_owned(),
        };
        let from_promptfoo = outcome.source == RunSource::Promptfoo;
        let declared = if from_promptfoo { counts(evaluations) } else { json!({}) };
        let mut metadata = json!({ "host": format!("ci-runner-{}", random.whole(1, 9)) });
        if self.status == EvaluationStatus::Failed {
            metadata["error"] = Value::from(BUDGET);
        }
        NewRun {
            id: outcome.id,
            user_id: Principal::LOCAL_USER.to_owned(),
            external_id: Some(outcome.external_id.clone()),
            source: outcome.source,
            source_version: from_promptfoo.then(|| "0.118.11".to_owned()),
            name: self.name(outcome.created),
            description: Some(self.description().to_owned()),
            tags: Json::from(json!({
                "trigger": if self.kind == Kind::Nightly { "schedule" } else { "manual" },
                "environment": "staging",
            })),
            config: Json::from(config(pairs, suites)),
            git: Some(Json::from(json!({ "commit": random.hex(40), "branch": branch, "dirty": false }))),
            metadata: Json::from(metadata),
            status: self.status,
            is_baseline: self.is_baseline,
            declared: Json::from(declared),
            duration_ms: is_over.then_some((outcome.ended - outcome.started) / 1_000),
            created_at: timestamp(outcome.created),
            started_at: has_begun.then(|| timestamp(outcome.started)),
            completed_at: is_over.then(|| timestamp(outcome.ended)),
            updated_at: timestamp(if has_begun { outcome.ended } else { outcome.created }),
        }
    }
}

/// The counts as promptfoo writes them.
fn counts(evaluations: &[NewEvaluation]) -> Value {
    let sum = |count: fn(&NewEvaluation) -> i32| evaluations.iter().map(count).sum::<i32>();
    json!({
        "successes": sum(|evaluation| evaluation.passed_tests),
        "failures": sum(|evaluation| evaluation.failed_tests),
        "errors": sum(|evaluation| evaluation.errored_tests),
    })
}

fn config(pairs: &[(&DemoPrompt, &Model)], suites: &[PreparedSuite]) -> Value {
    let mut providers: Vec<_> = pairs.iter().map(|(_, model)| model.provider_id).collect();
    let mut names: Vec<_> = pairs.iter().map(|(prompt, _)| suites[prompt.suite].suite.name).collect();
    for list in [&mut providers, &mut names] {
        list.sort_unstable();
        list.dedup();
    }
    json!({ "providers": providers, "suites": names, "maxConcurrency": CONCURRENCY })
}
