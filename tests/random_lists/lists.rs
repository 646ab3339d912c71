//! Rows drawn at random, many of them equal in what they are ordered by.

use evalgraph::db::evaluations::NewEvaluation;
use evalgraph::db::prompts::NewPrompt;
use evalgraph::db::runs::NewRun;
use evalgraph::db::templates::NewTemplate;
use evalgraph::db::test_results::NewTestResult;
use evalgraph::domain::{EvaluationStatus, PromptStatus, RunSource, TestOutcome, Timestamp};
use rand::RngExt as _;
use rand::seq::IndexedRandom as _;
use rand_chacha::ChaCha8Rng;

use crate::common::{EvaluationBuilder, PromptBuilder, ResultBuilder, RunBuilder, TemplateBuilder, TestDatabase};
use crate::global_id;
use crate::model::{Condition, List, Row};

/// Rows of a list.
const ROWS: usize = 40;

const PROMPTS: &[Condition] = &[
    ("status", "status: [ACTIVE]"),
    ("status", "status: [DRAFT, ARCHIVED]"),
    ("tags", "tags: [\"a\"]"),
    ("createdAfter", "createdAfter: \"2026-11-23T10:00:00.001Z\""),
    ("createdBefore", "createdBefore: \"2026-11-23T10:00:00.001Z\""),
];
const RUNS: &[Condition] =
    &[("source", "source: [PROMPTFOO, CSV]"), ("name", "name: \"b\""), ("isBaseline", "isBaseline: true")];
const EVALUATIONS: &[Condition] = &[
    ("status", "status: [COMPLETED]"),
    ("provider", "provider: \"openai\""),
    ("minScore", "minScore: 0.5"),
    ("maxScore", "maxScore: 0.5"),
];
const RESULTS: &[Condition] = &[
    ("passed", "passed: false"),
    ("outcome", "outcome: [PASSED, ERRORED]"),
    ("minScore", "minScore: 0.5"),
    ("testCaseName", "testCaseName: \"one\""),
];

fn time(random: &mut ChaCha8Rng) -> Timestamp {
    Timestamp::parse("2026-11-23T10:00:00Z").unwrap().plus_millis(random.random_range(0..3))
}

fn one<T: Copy>(random: &mut ChaCha8Rng, values: &[T]) -> T {
    *values.choose(random).unwrap()
}

fn early() -> Timestamp {
    Timestamp::parse("2026-11-23T10:00:00.001Z").unwrap()
}

/// A prompt for the list of all prompts.
pub fn prompt(random: &mut ChaCha8Rng) -> PromptBuilder {
    let (created_at, updated_at) = (time(random), time(random));
    let builder = PromptBuilder::new()
        .title(one(random, &["a", "b", "B", "ä", "\u{10ffff}"]))
        .status(one(random, &[PromptStatus::Draft, PromptStatus::Active, PromptStatus::Archived]))
        .with(|row| (row.created_at, row.updated_at) = (created_at, updated_at));
    if random.random_bool(0.5) { builder.tags(["b", "a"]) } else { builder }
}

/// It as a row of the list.
pub fn row_of_prompt(row: &NewPrompt) -> Row {
    let tags = row.tags.as_str().contains("\"a\"");
    Row {
        id: global_id("Prompt", row.id),
        uuid: row.id.into(),
        keys: vec![row.created_at.into(), row.updated_at.into(), (&row.title).into()],
        meets: vec![
            row.status == PromptStatus::Active,
            row.status != PromptStatus::Active,
            tags,
            row.created_at >= early(),
            row.created_at < early(),
        ],
    }
}

fn row_of_run(row: &NewRun) -> Row {
    Row {
        id: global_id("Run", row.id),
        uuid: row.id.into(),
        keys: vec![row.created_at.into(), (&row.name).into()],
        meets: vec![matches!(row.source, RunSource::Promptfoo | RunSource::Csv), row.name == "b", row.is_baseline],
    }
}

fn row_of_evaluation(row: &NewEvaluation) -> Row {
    Row {
        id: global_id("Evaluation", row.id),
        uuid: row.id.into(),
        keys: vec![row.created_at.into(), row.position.into(), row.overall_score.into(), row.execution_time_ms.into()],
        meets: vec![
            row.status == EvaluationStatus::Completed,
            row.provider.as_deref() == Some("openai"),
            row.overall_score.is_some_and(|score| score >= 0.5),
            row.overall_score.is_some_and(|score| score <= 0.5),
        ],
    }
}

fn row_of_result(row: &NewTestResult) -> Row {
    Row {
        id: global_id("TestResult", row.id),
        uuid: row.id.into(),
        keys: vec![row.created_at.into(), row.position.into(), Some(row.score).into(), row.latency_ms.into()],
        meets: vec![
            !row.passed,
            matches!(row.outcome, TestOutcome::Passed | TestOutcome::Errored),
            row.score >= 0.5,
            row.test_case_name == "one",
        ],
    }
}

fn row_of_template(row: &NewTemplate) -> Row {
    Row {
        id: global_id("PromptTemplate", row.id),
        uuid: row.id.into(),
        keys: vec![row.created_at.into(), Some(row.usage_count).into(), (&row.name).into()],
        meets: Vec::new(),
    }
}

/// Fills all lists that can be ordered.
pub async fn fill(database: &TestDatabase, random: &mut ChaCha8Rng) -> Vec<List> {
    let mut prompts = Vec::new();
    for _ in 0..ROWS {
        prompts.push(prompt(random).insert(database).await);
    }
    let mut runs = Vec::new();
    for _ in 0..ROWS {
        let builder = RunBuilder::new()
            .name(one(random, &["a", "b", "c"]))
            .source(one(random, &[RunSource::Api, RunSource::Promptfoo, RunSource::Csv]))
            .created_at(time(random));
        let builder = if random.random_bool(0.5) { builder.baseline() } else { builder };
        runs.push(builder.insert(database).await);
    }
    let mut templates = Vec::new();
    for number in 0..ROWS {
        let name = format!("{}{number}", one(random, &["a", "b"]));
        let builder = TemplateBuilder::new().name(&name).usage_count(random.random_range(0..3));
        templates.push(builder.created_at(time(random)).insert(database).await);
    }
    let evaluations = evaluations(database, random, (&prompts, &runs)).await;
    let results = results(database, random, &evaluations[0]).await;
    let list = |coordinate, rows, conditions, orders| List {
        coordinate,
        parent: None,
        rows,
        conditions,
        orders,
        descending: true,
    };
    let of_evaluations = |coordinate, of: &dyn Fn(&&NewEvaluation) -> bool| {
        let rows = evaluations.iter().filter(of).map(row_of_evaluation).collect();
        list(coordinate, rows, EVALUATIONS, &["CREATED_AT", "POSITION", "OVERALL_SCORE", "EXECUTION_TIME"])
    };
    vec![
        list(
            "Query.prompts",
            prompts.iter().map(row_of_prompt).collect(),
            PROMPTS,
            &["CREATED_AT", "UPDATED_AT", "TITLE"],
        ),
        list("Query.runs", runs.iter().map(row_of_run).collect(), RUNS, &["CREATED_AT", "NAME"]),
        list(
            "Query.promptTemplates",
            templates.iter().map(row_of_template).collect(),
            &[],
            &["CREATED_AT", "USAGE_COUNT", "NAME"],
        ),
        of_evaluations("Query.evaluations", &|_| true),
        List {
            parent: Some(global_id("Prompt", prompts[0].id)),
            ..of_evaluations("Prompt.evaluations", &|row| row.prompt_id == prompts[0].id)
        },
        List {
            parent: Some(global_id("Run", runs[0].id)),
            ..of_evaluations("Run.evaluations", &|row| row.run_id == Some(runs[0].id))
        },
        List {
            parent: Some(global_id("Evaluation", evaluations[0].id)),
            descending: false,
            ..list(
                "Evaluation.testResults",
                results.iter().map(row_of_result).collect(),
                RESULTS,
                &["CREATED_AT", "POSITION", "SCORE", "LATENCY"],
            )
        },
    ]
}

/// Evaluations of two prompts, some of them in one of two runs.
async fn evaluations(
    database: &TestDatabase,
    random: &mut ChaCha8Rng,
    (prompts, runs): (&[NewPrompt], &[NewRun]),
) -> Vec<NewEvaluation> {
    let mut evaluations = Vec::new();
    for number in 0..2 * ROWS {
        let builder = EvaluationBuilder::of(&prompts[random.random_range(0..2)]);
        let builder = match random.random_range(0..3) {
            2 => builder,
            run => builder.run(&runs[run], i32::try_from(2 * ROWS - number).unwrap()),
        };
        let (score, duration) =
            (one(random, &[None, Some(0.5), Some(-2.0), Some(5.0)]), one(random, &[None, Some(0), Some(7)]));
        let builder = builder
            .provider(one(random, &["openai", "other"]), "model")
            .status(one(random, &[EvaluationStatus::Completed, EvaluationStatus::Failed]))
            .created_at(time(random))
            .with(|row| (row.overall_score, row.execution_time_ms) = (score, duration));
        evaluations.push(builder.insert(database).await);
    }
    evaluations
}

async fn results(database: &TestDatabase, random: &mut ChaCha8Rng, of: &NewEvaluation) -> Vec<NewTestResult> {
    let mut results = Vec::new();
    for _ in 0..2 * ROWS {
        let outcomes = [TestOutcome::Passed, TestOutcome::Failed, TestOutcome::Errored, TestOutcome::Skipped];
        let (position, latency) = (one(random, &[None, Some(0), Some(3)]), one(random, &[None, Some(0), Some(12)]));
        let builder = ResultBuilder::of(of)
            .name(one(random, &["one", "two"]))
            .outcome(one(random, &outcomes))
            .score(one(random, &[0.0, 0.5, 1.0, -1e308]))
            .created_at(time(random))
            .with(|row| (row.position, row.latency_ms) = (position, latency));
        results.push(builder.insert(database).await);
    }
    results
}
