use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::*;
use crate::db::migrate::migrate;
use crate::db::pool::{DatabaseLocation, PoolSettings};
use crate::domain::{EvaluationStatus, PromptFormat, PromptStatus, TestOutcome, content_hash};

const DAY_MILLIS: i64 = 24 * 3_600 * 1_000;

fn now() -> Timestamp {
    Timestamp::parse("2026-11-23T00:40:00Z").unwrap()
}

fn fingerprint(data: &DemoData) -> Vec<u8> {
    Sha256::digest(format!("{data:?}")).to_vec()
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

/// Everything but times and ids is the same on every day and at every hour.
#[test]
fn only_times_depend_on_the_time() {
    let shape = |data: &DemoData| {
        let results = data.test_results.iter();
        let results: Vec<_> = results
            .map(|result| (result.test_case_name.clone(), result.score.to_bits(), result.outcome, result.latency_ms))
            .collect();
        let evaluations: Vec<_> =
            data.evaluations.iter().map(|evaluation| (evaluation.model.clone(), evaluation.status)).collect();
        let prompts: Vec<_> = data.prompts.iter().map(|prompt| (prompt.title.clone(), prompt.version)).collect();
        (results, evaluations, prompts)
    };
    let expected = shape(&generate(now()));
    for hours in [1, 5, 14, 23, 24 * 40 + 13, 24 * 365 + 7] {
        assert!(shape(&generate(now().plus_millis(hours * 3_600_000))) == expected, "{hours} hours later");
    }
}

#[test]
fn the_same_time_gives_the_same_data() {
    assert_eq!(fingerprint(&generate(now())), fingerprint(&generate(now())));
    assert_ne!(fingerprint(&generate(now())), fingerprint(&generate(now().plus_millis(1))));
}

#[test]
fn there_is_enough_of_everything() {
    let data = generate(now());
    let summary = data.summary();
    assert!(summary.templates >= 12, "{summary:?}");
    assert!((200..=400).contains(&summary.prompts), "{summary:?}");
    assert!((30..=40).contains(&summary.runs), "{summary:?}");
    assert!((1_000..=1_600).contains(&summary.evaluations), "{summary:?}");
    assert!((10_000..=20_000).contains(&summary.test_results), "{summary:?}");
    let results_per_evaluation = share(summary.test_results, summary.evaluations);
    assert!((10.5..=13.5).contains(&results_per_evaluation), "{results_per_evaluation}");

    let roots: BTreeSet<_> = data.prompts.iter().map(|prompt| prompt.root_id).collect();
    assert!((60..=80).contains(&roots.len()), "{} lineages", roots.len());
    let categories: BTreeSet<_> = data.templates.iter().map(|template| &template.category).collect();
    assert!(categories.len() >= 5);
    let providers: BTreeSet<_> = data.evaluations.iter().map(|evaluation| &evaluation.provider).collect();
    assert!(providers.len() >= 6);
    assert!(data.prompts.iter().any(|prompt| prompt.format == PromptFormat::Chat));
    assert!(data.runs.iter().filter(|run| run.is_baseline).count() >= 2);
    for status in [PromptStatus::Draft, PromptStatus::Active, PromptStatus::Archived] {
        assert!(data.prompts.iter().filter(|prompt| prompt.status == status).count() >= 5, "{status:?}");
    }
    let with_status = |status| data.evaluations.iter().filter(|evaluation| evaluation.status == status).count();
    assert!(share(with_status(EvaluationStatus::Completed), summary.evaluations) > 0.9);
    for status in [EvaluationStatus::Pending, EvaluationStatus::Running, EvaluationStatus::Failed] {
        assert!(with_status(status) >= 4, "{status:?}");
        assert!(data.runs.iter().any(|run| run.status == status), "{status:?}");
    }
    for evaluation in &data.evaluations {
        assert_eq!(evaluation.error_message.is_some(), evaluation.status == EvaluationStatus::Failed);
    }
}

#[test]
fn outcomes_are_spread_as_in_life() {
    let data = generate(now());
    let of =
        |outcome| share(data.test_results.iter().filter(|row| row.outcome == outcome).count(), data.test_results.len());
    assert!((0.78..=0.85).contains(&of(TestOutcome::Passed)), "{}", of(TestOutcome::Passed));
    assert!((0.10..=0.20).contains(&of(TestOutcome::Failed)), "{}", of(TestOutcome::Failed));
    assert!((0.012..=0.03).contains(&of(TestOutcome::Errored)), "{}", of(TestOutcome::Errored));
    assert!((0.001..=0.012).contains(&of(TestOutcome::Skipped)), "{}", of(TestOutcome::Skipped));
    for row in &data.test_results {
        assert_eq!(row.passed, row.outcome == TestOutcome::Passed);
        assert!((0.0..=1.0).contains(&row.score));
        assert!(row.case_hash.as_ref().is_some_and(|hash| hash.len() == 64));
        assert_eq!(row.error_message.is_some(), row.outcome == TestOutcome::Errored);
        match row.outcome {
            TestOutcome::Passed => assert!(row.score > 0.75),
            TestOutcome::Failed => assert!(row.score < 0.75 && row.reason.is_some()),
            TestOutcome::Errored | TestOutcome::Skipped => assert!(row.score == 0.0 && row.latency_ms.is_none()),
        }
        assert!(!row.rendered_prompt.as_ref().unwrap().contains("{{"), "{row:?}");
    }
}

#[test]
fn newer_versions_tend_to_score_better() {
    let data = generate(now());
    let versions: BTreeMap<_, _> = data.prompts.iter().map(|prompt| (prompt.id, prompt.version)).collect();
    let mean = |is_wanted: fn(i32) -> bool| {
        let scores: Vec<_> = data
            .evaluations
            .iter()
            .filter(|evaluation| is_wanted(versions[&evaluation.prompt_id]))
            .filter_map(|evaluation| evaluation.overall_score)
            .collect();
        scores.iter().sum::<f64>() / scores.len() as f64
    };
    let (early, late) = (mean(|version| version <= 2), mean(|version| version >= 4));
    assert!(late > early + 0.01, "{early} {late}");
}

#[test]
fn the_newest_prompts_have_everything() {
    let data = generate(now());
    let mut newest: Vec<_> = data.prompts.iter().collect();
    newest.sort_by_key(|prompt| std::cmp::Reverse((prompt.created_at, prompt.id)));
    for prompt in &newest[..30] {
        assert!(prompt.version >= 2 && prompt.parent_id.is_some() && prompt.template_id.is_some(), "{prompt:?}");
        let evaluations: Vec<_> =
            data.evaluations.iter().filter(|evaluation| evaluation.prompt_id == prompt.id).collect();
        assert!(evaluations.len() >= 3, "{}: {}", prompt.title, evaluations.len());
        for evaluation in evaluations {
            assert!(evaluation.run_id.is_some());
            assert!(evaluation.failed_tests >= 1, "{}", prompt.title);
        }
    }
}

#[test]
fn totals_are_the_sums_of_the_rows() {
    let data = generate(now());
    let mut rows: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for row in &data.test_results {
        rows.entry(row.evaluation_id).or_default().push(row);
    }
    for evaluation in &data.evaluations {
        let rows = rows.remove(&evaluation.id).unwrap_or_default();
        let with = |outcome| rows.iter().filter(|row| row.outcome == outcome).count() as i32;
        assert_eq!(evaluation.total_tests, rows.len() as i32);
        assert_eq!(evaluation.passed_tests, with(TestOutcome::Passed));
        assert_eq!(evaluation.failed_tests, with(TestOutcome::Failed));
        assert_eq!(evaluation.errored_tests, with(TestOutcome::Errored));
        assert_eq!(evaluation.timed_tests, rows.iter().filter(|row| row.latency_ms.is_some()).count() as i32);
        let latency: i64 = rows.iter().filter_map(|row| row.latency_ms).map(i64::from).sum();
        assert_eq!(evaluation.total_latency_ms.unwrap_or(0), latency);
        let tokens: i64 = rows.iter().filter_map(|row| row.token_count).map(i64::from).sum();
        assert_eq!(evaluation.total_tokens.unwrap_or(0), tokens);
        let parts = evaluation.prompt_tokens.unwrap_or(0) + evaluation.completion_tokens.unwrap_or(0);
        assert_eq!(parts, tokens);
        let cost: f64 = rows.iter().filter_map(|row| row.cost_usd).sum();
        assert!((evaluation.cost_usd.unwrap_or(0.0) - cost).abs() < 1e-9);
        let scores: f64 = rows.iter().map(|row| row.score).sum();
        assert!((evaluation.score_sum.unwrap_or(0.0) - scores).abs() < 1e-9);
        let mean = evaluation.overall_score.map(|score| score * rows.len() as f64);
        assert!((mean.unwrap_or(0.0) - scores).abs() < 1e-9);
        assert_eq!(evaluation.overall_score.is_some(), !rows.is_empty());
    }
    assert!(rows.is_empty(), "results without an evaluation");

    for template in &data.templates {
        let uses = data.prompts.iter().filter(|prompt| prompt.template_id == Some(template.id)).count();
        assert_eq!(template.usage_count as usize, uses);
        assert!(uses > 0, "{}", template.name);
    }
}

/// Whenever it is: at the beginning and at the end of a day too.
#[test]
fn all_times_fit_into_each_other() {
    for now in [0, 14 * 3_600_000, 23 * 3_600_000].map(|millis| now().plus_millis(millis)) {
        let data = generate(now);
        let oldest = now.plus_millis(-90 * DAY_MILLIS);
        let is_inside = |time: Timestamp| oldest <= time && time <= now;
        for template in &data.templates {
            assert!(is_inside(template.created_at) && is_inside(template.updated_at));
        }
        let prompts: BTreeMap<_, _> = data.prompts.iter().map(|prompt| (prompt.id, prompt)).collect();
        for prompt in &data.prompts {
            assert!(is_inside(prompt.created_at) && is_inside(prompt.updated_at));
            assert!(prompt.created_at <= prompt.updated_at);
            if let Some(template) = prompt.template_id {
                let template = data.templates.iter().find(|row| row.id == template).unwrap();
                assert!(template.created_at < prompt.created_at);
            }
        }
        let runs: BTreeMap<_, _> = data.runs.iter().map(|run| (run.id, run)).collect();
        for run in &data.runs {
            assert!(is_inside(run.created_at) && is_inside(run.updated_at), "{}", run.name);
            assert!(run.started_at.is_none_or(|time| run.created_at <= time));
            assert!(run.completed_at.is_none_or(|time| run.started_at.is_some_and(|start| start < time)));
        }
        let mut evaluations = BTreeMap::new();
        for evaluation in &data.evaluations {
            evaluations.insert(evaluation.id, evaluation);
            let run = runs[&evaluation.run_id.unwrap()];
            assert!(prompts[&evaluation.prompt_id].created_at < evaluation.created_at);
            assert!(run.created_at <= evaluation.created_at && is_inside(evaluation.updated_at));
            if let (Some(start), Some(run_start)) = (evaluation.started_at, run.started_at) {
                assert!(run_start <= start && evaluation.created_at <= start);
                assert!(evaluation.completed_at.is_none_or(|end| start < end));
                assert!(run.completed_at.is_none_or(|end| evaluation.completed_at.is_some_and(|own| own <= end)));
            }
        }
        for row in &data.test_results {
            let evaluation = evaluations[&row.evaluation_id];
            assert!(evaluation.started_at.is_some_and(|start| start <= row.created_at));
            assert!(evaluation.completed_at.is_none_or(|end| row.created_at <= end));
            assert!(is_inside(row.created_at));
        }
    }
}

#[test]
fn lineages_are_consistent() {
    let data = generate(now());
    let (mut by_root, mut by_name, mut ids) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut known: BTreeMap<_, &NewPrompt> = BTreeMap::new();
    for prompt in &data.prompts {
        assert!(by_root.insert((prompt.root_id, prompt.version)));
        assert!(by_name.insert((&prompt.user_id, &prompt.name, prompt.version)));
        assert!(ids.insert(prompt.id.0));
        match prompt.parent_id {
            None => assert!(prompt.version == 1 && prompt.root_id == prompt.id),
            Some(parent) => {
                let parent = known[&parent];
                assert_eq!((parent.root_id, parent.version + 1), (prompt.root_id, prompt.version));
                assert!(parent.created_at < prompt.created_at && parent.content_hash != prompt.content_hash);
            }
        }
        let hash = content_hash(prompt.format, &prompt.content, prompt.system_message.as_deref());
        assert_eq!(prompt.content_hash, hash);
        if prompt.format == PromptFormat::Chat {
            let messages: serde_json::Value = serde_json::from_str(&prompt.content).unwrap();
            assert_eq!(messages[0]["role"], "system");
            assert_eq!(messages[0]["content"].as_str(), prompt.system_message.as_deref());
        }
        known.insert(prompt.id, prompt);
    }
    let others = data.templates.iter().map(|row| row.id.0);
    let others = others.chain(data.runs.iter().map(|row| row.id.0));
    let others = others.chain(data.evaluations.iter().map(|row| row.id.0));
    for id in others.chain(data.test_results.iter().map(|row| row.id.0)) {
        assert!(ids.insert(id) && id.get_version_num() == 7);
    }
    let positions: BTreeSet<_> = data.evaluations.iter().map(|row| (row.run_id, row.position)).collect();
    assert_eq!(positions.len(), data.evaluations.len());
    let cases: BTreeSet<_> = data.test_results.iter().map(|row| (row.evaluation_id, &row.case_hash)).collect();
    assert_eq!(cases.len(), data.test_results.len());
}

#[tokio::test]
async fn it_is_loaded_only_once() {
    let directory = tempfile::tempdir().unwrap();
    let location = DatabaseLocation::Sqlite(directory.path().join("demo.db"));
    migrate(&location).await.unwrap();
    let settings = PoolSettings {
        base: 2,
        overflow: 0,
        wait: Duration::from_secs(5),
        lifetime: Duration::from_secs(3_600),
        statement_timeout: Duration::from_secs(10),
        lock_wait: Duration::from_secs(10),
        carries_out: false,
        syncs_commits: false,
    };
    let database = Database::open(&location, &settings).await.unwrap();
    let now = Timestamp::now();
    let started = std::time::Instant::now();
    // Two at once, as when two instances are started together.
    let (one, other) = tokio::join!(load_once(&database, now), load_once(&database, now));
    println!("loaded in {:?}", started.elapsed());
    let (one, other) = (one.unwrap(), other.unwrap());
    assert!(one.is_some() != other.is_some(), "{one:?} {other:?}");
    assert_eq!(one.or(other), Some(generate(now).summary()));
    assert_eq!(load_once(&database, now).await.unwrap(), None);
}
