//! Figures over evaluations drawn at random are those of a plain evaluation in memory: before and after everything that
//! can happen to evaluations and prompts, and for everybody who may ask.

use evalgraph::db::evaluations::NewEvaluation;
use evalgraph::domain::{EvaluationStatus, Principal, PromptId, RunId, Timestamp};
use rand::RngExt as _;
use rand::seq::IndexedRandom as _;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::*;
use crate::common::{EvaluationBuilder, PromptBuilder, RunBuilder, seeded};
use crate::model::{INTERVALS, Model};

/// Times at which something new begins: years, months, weeks, days, and time itself.
const BEGINNINGS: [&str; 12] = [
    "0000-01-03T00:00:00Z",
    "1582-10-15T00:00:00Z",
    "1900-03-01T00:00:00Z",
    "1969-12-29T00:00:00Z",
    "1970-01-01T00:00:00Z",
    "1970-01-05T00:00:00Z",
    "2000-01-01T00:00:00Z",
    "2024-02-29T00:00:00Z",
    "2024-03-01T00:00:00Z",
    "2026-03-29T01:00:00Z",
    "2026-11-23T00:00:00Z",
    "9999-12-31T23:00:00Z",
];

fn draw_time(random: &mut ChaCha8Rng) -> Timestamp {
    let beginning = Timestamp::parse(BEGINNINGS.choose(random).unwrap()).unwrap().micros();
    let second = 1_000_000;
    let distances = [-1, 0, 1, second, -second, 3_599 * second + 999_999, -86_400 * second, 86_399 * second];
    let micros = beginning + distances.choose(random).unwrap();
    Timestamp::from_micros(micros).unwrap_or(Timestamp::MIN)
}

/// One in so many is missing; the others are what is drawn.
fn some<T>(random: &mut ChaCha8Rng, one_in: u32, draw: impl FnOnce(&mut ChaCha8Rng) -> T) -> Option<T> {
    (!random.random_ratio(1, one_in)).then(|| draw(random))
}

fn draw_evaluation(model: &Model, random: &mut ChaCha8Rng) -> NewEvaluation {
    let prompt = model.prompts.choose(random).unwrap();
    let mut row = EvaluationBuilder::of(prompt).created_at(draw_time(random)).build();
    let states = [EvaluationStatus::Pending, EvaluationStatus::Running, EvaluationStatus::Failed];
    row.status = some(random, 4, |_| EvaluationStatus::Completed).unwrap_or_else(|| *states.choose(random).unwrap());
    let name = |random: &mut ChaCha8Rng| ["openai", "Open", "ärger", "z"].choose(random).map(|&name| name.to_owned());
    (row.provider, row.model) = (some(random, 6, name).flatten(), some(random, 6, name).flatten());
    // Sums of such numbers are exact, whatever the order in which they are added.
    row.overall_score = some(random, 4, |random| f64::from(random.random_range(-16..=40)) / 8.0);
    row.cost_usd = some(random, 3, |random| f64::from(random.random_range(0..64)) / 64.0);
    if random.random_ratio(1, 12) {
        row.cost_usd = Some(f64::MAX);
    }
    if random.random_ratio(3, 4) {
        let [passed, failed, errored] = std::array::from_fn(|_| random.random_range(0..4));
        (row.passed_tests, row.failed_tests, row.errored_tests) = (passed, failed, errored);
        row.total_tests = passed + failed + errored + random.random_range(0..2);
    }
    row.timed_tests = random.random_range(0..=row.total_tests);
    row.total_latency_ms = (row.timed_tests > 0).then(|| random.random_range(0..10_000));
    if let Some(number) = some(random, 2, |random| random.random_range(0..model.runs.len())) {
        let (run, position) = (model.runs[number].0, i32::try_from(model.evaluations.len()).unwrap());
        (row.run_id, row.position) = (Some(run), Some(position));
    }
    row
}

async fn fill(database: &TestDatabase, random: &mut ChaCha8Rng) -> Model {
    let mut model = Model::default();
    for number in 0..14 {
        let user = if number % 3 == 0 { "bob" } else { "alice" };
        let prompt = PromptBuilder::new().user(user).title(&format!("prompt {number}"));
        model.prompts.push(prompt.insert(database).await);
    }
    for user in ["alice", "bob", "alice"] {
        model.runs.push((RunBuilder::new().user(user).insert(database).await.id, user.to_owned()));
    }
    for _ in 0..3 {
        let mut rows = Vec::new();
        for _ in 0..60 {
            let row = draw_evaluation(&model, random);
            model.evaluations.push(row.clone());
            rows.push(row);
        }
        store(database, rows).await;
    }
    model
}

fn viewers() -> [Principal; 4] {
    [Principal::local(), Principal::user("alice"), Principal::user("bob"), Principal::user("carol")]
}

/// A time, as an argument where there is one.
fn argument(since: Option<Timestamp>) -> String {
    since.map(|since| format!(", since: \"{since}\"")).unwrap_or_default()
}

/// A value as one reads it from an answer: where reading numbers changes the last digit, it changes that of both.
fn as_read(value: &Value) -> Value {
    serde_json::from_str(&value.to_string()).unwrap()
}

/// Compares all figures for everybody.
async fn compare(database: &TestDatabase, model: &Model, random: &mut ChaCha8Rng) {
    for principal in viewers() {
        let server = TestServer::for_principal(database, principal.clone()).await;
        for _ in 0..3 {
            compare_prompts(&server, model, &principal, random).await;
            compare_leaderboards(&server, model, &principal, random).await;
        }
        let query =
            "{ runs(first: 10, orderBy: { field: CREATED_AT, direction: ASC }) { nodes { id totalTests passedTests
            failedTests erroredTests passRate totalCostUsd } }
            statistics { promptCount runCount evaluationCount testResultCount averageScore passRate } }";
        let data = server.data(query).await;
        let is_visible = |user: &str| principal.is_admin || *user == *principal.user_id;
        let runs = model.runs.iter().filter(|(_, user)| is_visible(user));
        let runs: Value = runs.map(|(run, _)| model.run(*run, &principal)).collect();
        assert_eq!(data["runs"]["nodes"], as_read(&runs), "for {principal:?}");
        assert_eq!(data["statistics"], as_read(&model.statistics(&principal)), "for {principal:?}");
    }
    assert_eq!(wrong_prompts(database).await, []);
}

async fn compare_prompts(server: &TestServer, model: &Model, principal: &Principal, random: &mut ChaCha8Rng) {
    let since = some(random, 2, draw_time);
    let limit = *[1, 2, 200].choose(random).unwrap();
    let trends = INTERVALS.map(|(name, _)| {
        let arguments = format!("interval: {name}, limit: {limit}{}", argument(since));
        format!("{name}: scoreTrend({arguments}) {{ at averageScore passRate evaluationCount }}")
    });
    let query = format!(
        "{{ prompts(first: 14, filter: {{ includeDeleted: true }}, orderBy: {{ field: CREATED_AT, direction: ASC }})
            {{ nodes {{ id evaluationCount averageScore passRate {} }} }} }}",
        trends.join(" ")
    );
    let reply = server.send(&query, json!({})).await;
    let prompts = model.owned(principal);
    let nodes = reply.body["data"]["prompts"]["nodes"].as_array().unwrap_or_else(|| panic!("{:#}", reply.body));
    assert_eq!(nodes.len(), prompts.len());
    for (node, prompt) in nodes.iter().zip(&prompts) {
        assert_eq!(*node, as_read(&model.prompt(prompt, since, limit)), "{query}");
    }
    // The prompts, their totals, and one for each interval.
    let statements = if prompts.is_empty() { 1 } else { 6 };
    assert_eq!(reply.statements(), statements, "{query}");
}

async fn compare_leaderboards(server: &TestServer, model: &Model, principal: &Principal, random: &mut ChaCha8Rng) {
    let (min_evaluations, limit) = (random.random_range(1..=8), random.random_range(0..=15));
    let since = some(random, 2, draw_time);
    let prompt: Option<PromptId> = some(random, 2, |random| model.prompts.choose(random).unwrap().id);
    let only = prompt.map(|id| format!(", promptId: {:?}", global_id("Prompt", id))).unwrap_or_default();
    let query = format!(
        "{{ promptLeaderboard(minEvaluations: {min_evaluations}, limit: {limit})
              {{ prompt {{ id title content }} evaluationCount averageScore }}
            modelLeaderboard(limit: {limit}{}{only})
              {{ provider model evaluationCount averageScore passRate averageLatencyMs totalCostUsd }} }}",
        argument(since)
    );
    let expected = json!({
        "promptLeaderboard": model.prompt_leaderboard(principal, min_evaluations, limit),
        "modelLeaderboard": model.model_leaderboard(principal, prompt, since, limit),
    });
    assert_eq!(server.data(&query).await, as_read(&expected), "{query} for {principal:?}");
}

/// Changes evaluations behind the server's back, as its write functions do: some end, some go.
async fn change(database: &TestDatabase, model: &mut Model, random: &mut ChaCha8Rng) {
    let mut touched = Vec::new();
    for row in &mut model.evaluations {
        if random.random_ratio(1, 5) {
            (row.status, row.overall_score) = (EvaluationStatus::Completed, Some(0.5));
            let id = database.kind.literal(row.id);
            let change = "UPDATE evaluations SET status = 'completed', overall_score = 0.5 WHERE id =";
            database.execute(&format!("{change} {id}")).await;
            touched.push(row.prompt_id);
        }
    }
    // All that one prompt had, and one run.
    let (bare, run): (PromptId, RunId) = (model.prompts[1].id, model.runs[0].0);
    let is_gone = |row: &NewEvaluation| row.prompt_id == bare || row.run_id == Some(run);
    touched.extend(model.evaluations.iter().filter(|row| is_gone(row)).map(|row| row.prompt_id));
    model.evaluations.retain(|row| !is_gone(row));
    model.runs.remove(0);
    let (bare, run) = (database.kind.literal(bare), database.kind.literal(run));
    database.execute(&format!("DELETE FROM evaluations WHERE prompt_id = {bare}")).await;
    database.execute(&format!("DELETE FROM runs WHERE id = {run}")).await;
    refresh(database, touched).await;
}

/// All models, without a time and since the beginning of time: figures that are kept, and figures that are computed.
async fn compare_ways(server: &TestServer, prompt: Option<PromptId>) -> Value {
    let only = prompt.map(|id| format!(", promptId: {:?}", global_id("Prompt", id))).unwrap_or_default();
    let fields = "{ provider model evaluationCount averageScore passRate averageLatencyMs totalCostUsd }";
    let query = format!(
        "{{ kept: modelLeaderboard(limit: 100{only}) {fields}
            computed: modelLeaderboard(limit: 100{only}{}) {fields} }}",
        argument(Some(Timestamp::MIN))
    );
    let data = server.data(&query).await;
    assert_eq!(data["kept"], data["computed"], "{query}");
    data["kept"].clone()
}

on_both_databases! {
    async fn models_are_ranked_alike_with_a_time_and_without(database: TestDatabase) {
        let mut random = seeded();
        let model = fill(&database, &mut random).await;
        let mut extreme = Vec::new();
        for _ in 0..60 {
            let mut row = draw_evaluation(&model, &mut random);
            (row.run_id, row.position) = (None, None);
            row.overall_score = some(&mut random, 8, |_| f64::MAX);
            // Sums of the large one are exact as well, and beside it the small ones do not count.
            row.cost_usd = Some(*[f64::MAX, -f64::MAX, 2_f64.powi(963), 0.0].choose(&mut random).unwrap());
            extreme.push(row);
        }
        for principal in viewers() {
            let server = TestServer::for_principal(&database, principal.clone()).await;
            for prompt in [None, Some(model.prompts[0].id), Some(model.prompts[1].id)] {
                compare_ways(&server, prompt).await;
            }
        }
        store(&database, extreme).await;
        let server = TestServer::start(&database).await;
        for prompt in model.prompts.iter().map(|prompt| Some(prompt.id)).chain([None]) {
            let models = compare_ways(&server, prompt).await;
            assert!(prompt.is_some() || models.as_array().unwrap().iter().any(|model| model["averageScore"].is_null()));
        }
    }

    async fn all_figures_are_those_of_a_plain_evaluation(database: TestDatabase) {
        let mut random = seeded();
        let mut model = fill(&database, &mut random).await;
        compare(&database, &model, &mut random).await;
        change(&database, &mut model, &mut random).await;
        for prompt in [2, 3, 7].map(|number| model.prompts[number].id) {
            let id = database.kind.literal(prompt);
            database.execute(&format!("UPDATE prompts SET deleted_at = updated_at WHERE id = {id}")).await;
            model.deleted.insert(prompt);
        }
        compare(&database, &model, &mut random).await;
    }
}
