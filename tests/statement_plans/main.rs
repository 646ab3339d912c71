//! Every statement that the other tests make the server send has a plan that reads what it returns or changes: no table
//! that grows is read from end to end, nothing is sorted to return a part of it, and rows of given parents are found by
//! the parents. What is allowed nevertheless is listed, with its reason, and what is listed has to be there.
//!
//! `scripts/test` runs this after all other tests, which record their statements (`tests/common/recorder.rs`).

#[path = "../common/mod.rs"]
mod common;

mod exceptions;
mod postgres;
mod shape;
mod sqlite;
mod statistics;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::bulk::{self, Sizes};
use common::{Kind, TestDatabase, eventually, recorder, sql};
use exceptions::{Allowed, Exception};
use shape::{fits, shape};
use statistics::Statistics;

/// Tables that grow with use.
const TABLES: [&str; 10] = [
    "prompts",
    "runs",
    "evaluations",
    "test_results",
    "prompt_templates",
    "prompt_totals",
    "prompt_model_totals",
    "api_tokens",
    "audit_log",
    "audit_log_objects",
];

/// The statements about tables that were recorded for a database.
fn recorded(kind: Kind) -> Vec<String> {
    let directory = std::env::var_os(recorder::DIRECTORY);
    let directory = directory.expect("scripts/test records statements, and says where");
    let name = match kind {
        Kind::Sqlite => "sqlite",
        Kind::Postgres => "postgresql",
    };
    let files = std::fs::read_dir(Path::new(&directory).join(name)).expect("other tests have recorded statements");
    let mut paths: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    let texts = paths.into_iter().map(|path| std::fs::read_to_string(path).unwrap());
    texts.filter(|text| is_about_a_table(text)).collect()
}

fn is_about_a_table(statement: &str) -> bool {
    ["SELECT", "WITH", "INSERT", "UPDATE", "DELETE"].iter().any(|verb| statement.starts_with(verb))
        && TABLES.iter().any(|table| statement.contains(table))
}

/// Many rows in every table of PostgreSQL, and statistics that know of them. Every list has more rows than may be sorted: those of a
/// user, of a prompt, of a run, of an evaluation.
async fn fill(database: &TestDatabase) {
    let sizes = Sizes {
        users: 100,
        templates: 4_000,
        prompts: 20_000,
        runs: 15_000,
        evaluated: 300,
        evaluations: 45_000,
        tested: 800,
        results: 120_000,
    };
    for statement in bulk::statements(true, sizes) {
        database.execute(&statement).await;
    }
    for statement in TOTALS_OF_ALL.into_iter().chain(AUDIT_LOG) {
        database.execute(statement).await;
    }
    database.execute(API_TOKENS).await;
    // Whatever else PostgreSQL does in the database keeps VACUUM from saying which rows everybody sees, and without that an
    // index that has all columns is not enough: plans would differ from run to run.
    let all_are_seen = async || {
        database.execute("VACUUM ANALYZE").await;
        let unseen = "SELECT count(*) AS value FROM pg_class WHERE relkind = 'r' AND relallvisible < relpages
                        AND relnamespace = current_schema()::regnamespace";
        sql::numbers(&database.location, unseen).await == [0]
    };
    eventually(Duration::from_secs(60), "every page is seen by everybody", all_are_seen).await;
}

/// Rows of totals, as many as there would be if all prompts had evaluations.
const TOTALS_OF_ALL: [&str; 2] = [
    "INSERT INTO prompt_totals (prompt_id, user_id, evaluation_count, completed_count, scored_count, score_sum,
       average_score, total_tests, passed_tests, failed_tests, errored_tests)
     SELECT id, user_id, 3, 3, 3, version * 0.7, version * 0.7 / 3, 30, 20, 5, 5 FROM prompts
     WHERE NOT EXISTS (SELECT 1 FROM prompt_totals WHERE prompt_id = prompts.id)",
    "INSERT INTO prompt_model_totals (prompt_id, provider, model, evaluation_count, scored_count, score_sum,
       total_tests, passed_tests, failed_tests, errored_tests, timed_tests)
     SELECT id, 'provider ' || version, 'model ' || version, 3, 3, 1.5, 30, 20, 5, 5, 0 FROM prompts
     WHERE NOT EXISTS (SELECT 1 FROM prompt_model_totals WHERE prompt_id = prompts.id)",
];

/// More tokens of each user than may be sorted, of which each tenth was made with another.
const API_TOKENS: &str =
    "INSERT INTO api_tokens (id, user_id, name, hash, scopes, created_at)
     SELECT gen_random_uuid(), 'user ' || number % 50, 'test', lpad(number::text, 64, '0'), 'read', now() - number * interval '1 second'
     FROM generate_series(1, 15000) AS number;
     UPDATE api_tokens SET created_with = (SELECT id FROM api_tokens AS maker WHERE maker.hash < api_tokens.hash
       ORDER BY maker.hash DESC LIMIT 1) WHERE hash LIKE '%0'";
/// Some hundred entries for each user and for each action; some for each object.
const AUDIT_LOG: [&str; 2] = [
    "INSERT INTO audit_log (id, created_at, user_id, is_admin, credential, origin, action, objects, object_count)
     SELECT lpad(to_hex(n), 32, '0')::uuid, timestamptz '2026-01-01' + n * interval '1 minute', 'user ' || n % 100, FALSE,
       'local', 'request', 'action ' || n % 23, '[]', 2 FROM generate_series(1, 40000) AS s (n)",
    "INSERT INTO audit_log_objects (object_id, entry_id)
     SELECT lpad(to_hex(n / 5), 32, '0')::uuid, lpad(to_hex(n / 2), 32, '0')::uuid FROM generate_series(2, 80000) AS s (n)
     ON CONFLICT DO NOTHING",
];

/// What was found wrong about statements, but for what is allowed.
struct Findings {
    exceptions: Vec<Exception>,
    used: BTreeSet<usize>,
    statements: usize,
    told: Vec<String>,
    plans: BTreeSet<(String, Vec<String>)>,
}

impl Findings {
    fn new(exceptions: impl IntoIterator<Item = &'static Allowed>) -> Self {
        let exceptions = exceptions.into_iter().flat_map(Exception::alternatives).collect();
        Self { exceptions, used: BTreeSet::new(), statements: 0, told: Vec::new(), plans: BTreeSet::new() }
    }

    /// Takes note of the faults of a statement's plan.
    fn add(&mut self, statement: &str, faults: Vec<String>) {
        self.statements += 1;
        let shape = shape(statement);
        // Statements that differ in the columns that they select have the same plans.
        if faults.is_empty() || !self.plans.insert((shape.clone(), faults.clone())) {
            return;
        }
        let mut is_excused = |fault: &String| {
            let fitting: Vec<usize> = (0..self.exceptions.len())
                .filter(|&place| {
                    let exception = &self.exceptions[place];
                    fits(&shape, &exception.statement) && exception.fault.split('|').any(|pattern| fits(fault, pattern))
                })
                .collect();
            self.used.extend(&fitting);
            !fitting.is_empty()
        };
        let faults: Vec<_> = faults.into_iter().filter(|fault| !is_excused(fault)).collect();
        if !faults.is_empty() {
            self.told.push(format!("{shape}\n    {}", faults.join("\n    ")));
        }
    }

    fn check(self) {
        assert!(self.statements > 500, "only {} statements were recorded", self.statements);
        let unused = self.exceptions.iter().enumerate().filter(|(place, _)| !self.used.contains(place));
        let unused: Vec<_> =
            unused.map(|(_, exception)| format!("{}\n    {}", exception.statement, exception.fault)).collect();
        let (told, count) = (self.told.join("\n\n"), self.told.len());
        assert!(
            count == 0 && unused.is_empty(),
            "{count} of {} statements:\n\n{told}\n\nexceptions that excuse nothing:\n\n{}",
            self.statements,
            unused.join("\n\n"),
        );
    }
}

/// SQLite plans by what a migration tells it and by nothing that is in the tables: so this is how it plans whatever they
/// contain.
#[tokio::test]
#[ignore = "reads what all other tests have recorded: scripts/test runs it after them"]
async fn sqlite() {
    let database = TestDatabase::sqlite().await;
    let mut connection = sql::sqlite(&database.location);
    let told = sqlite::told(&mut connection);
    let mut findings = Findings::new(exceptions::IN_SQLITE.iter().chain(exceptions::IN_BOTH));
    for statement in recorded(Kind::Sqlite) {
        findings.add(&statement, sqlite::faults(&mut connection, &statement, &told));
    }
    findings.check();
}

#[tokio::test]
#[ignore = "reads what all other tests have recorded: scripts/test runs it after them"]
async fn postgres() {
    use diesel_async::SimpleAsyncConnection as _;
    let database = TestDatabase::postgres().await;
    fill(&database).await;
    let mut connection = sql::postgres(&database.location).await;
    connection.batch_execute("SET plan_cache_mode = force_generic_plan").await.unwrap();
    let statistics = Statistics::of(&database.location).await;
    let mut findings = Findings::new(exceptions::IN_POSTGRES.iter().chain(exceptions::IN_BOTH));
    for statement in recorded(Kind::Postgres) {
        findings.add(&statement, postgres::faults(&mut connection, &statement, &statistics).await);
    }
    findings.check();
}
