//! Bringing databases to the current schema, whatever state they are in.

mod common;

use std::process::Stdio;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use common::bulk::{self, Sizes};
use common::process::evalgraph_on;
use common::{
    EvaluationBuilder, Kind, PromptBuilder, ResultBuilder, RunBuilder, TemplateBuilder, TestDatabase, TestLocation,
    on_both_databases, sql,
};
use evalgraph::db::migrate::{MigrateError, migrate, revert};
use rand::RngExt as _;

async fn check_foreign_database(kind: Kind) {
    let database = TestLocation::empty(kind).await;
    sql::execute(&database.location, "CREATE TABLE invoices (id integer)").await;
    let error = migrate(&database.location).await.unwrap_err();
    assert!(matches!(error, MigrateError::Foreign(_)), "{error:?}");
    assert!(error.to_string().contains("invoices"), "{error}");
    let error = revert(&database.location, 1).await.unwrap_err();
    assert!(matches!(error, MigrateError::Foreign(_)), "{error:?}");
}

#[tokio::test]
async fn postgres_database_of_another_application_is_refused() {
    check_foreign_database(Kind::Postgres).await;
}

#[tokio::test]
async fn sqlite_database_of_another_application_is_refused() {
    check_foreign_database(Kind::Sqlite).await;
}

/// Another application may use Diesel too.
async fn check_foreign_journal(kind: Kind) {
    let database = TestLocation::migrated(kind).await;
    sql::execute(&database.location, "UPDATE __diesel_schema_migrations SET version = '1' || version").await;
    let error = migrate(&database.location).await.unwrap_err();
    assert!(matches!(error, MigrateError::Foreign(_)), "{error:?}");
}

#[tokio::test]
async fn postgres_database_with_other_migrations_is_refused() {
    check_foreign_journal(Kind::Postgres).await;
}

#[tokio::test]
async fn sqlite_database_with_other_migrations_is_refused() {
    check_foreign_journal(Kind::Sqlite).await;
}

async fn check_newer_database(kind: Kind) {
    let database = TestLocation::migrated(kind).await;
    sql::execute(&database.location, "INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000000')")
        .await;
    for result in [migrate(&database.location).await, revert(&database.location, 1).await] {
        let error = result.unwrap_err();
        assert!(matches!(error, MigrateError::Newer(_)), "{error:?}");
        assert!(error.to_string().contains("29990101000000"), "{error}");
    }
}

#[tokio::test]
async fn postgres_database_of_a_newer_release_is_refused() {
    check_newer_database(Kind::Postgres).await;
}

#[tokio::test]
async fn sqlite_database_of_a_newer_release_is_refused() {
    check_newer_database(Kind::Sqlite).await;
}

/// Instances of a deployment start at the same moment.
async fn check_simultaneous_migration(kind: Kind) {
    let database = TestLocation::empty(kind).await;
    let start = Arc::new(Barrier::new(8));
    let instances: Vec<_> = (0..8)
        .map(|_| {
            let (location, start) = (database.location.clone(), Arc::clone(&start));
            // Each has a runtime and thread of its own, as processes have.
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                start.wait();
                runtime.block_on(migrate(&location))
            })
        })
        .collect();
    let mut applied = Vec::new();
    for instance in instances {
        applied.push(instance.join().unwrap().expect("every instance finds the database migrated"));
    }
    applied.retain(|versions| !versions.is_empty());
    assert_eq!(applied.len(), 1, "one instance did all the work: {applied:?}");
    let journal = "SELECT version AS value FROM __diesel_schema_migrations ORDER BY version";
    assert_eq!(sql::texts(&database.location, journal).await, applied[0]);
}

#[tokio::test]
async fn postgres_is_migrated_once_by_many() {
    check_simultaneous_migration(Kind::Postgres).await;
}

#[tokio::test]
async fn sqlite_is_migrated_once_by_many() {
    // Often: what goes wrong here without a lock goes wrong in some of the cases.
    for _ in 0..10 {
        check_simultaneous_migration(Kind::Sqlite).await;
    }
}

/// The first makes the tables, and taking it back would empty them.
const MIGRATIONS_AFTER_THE_FIRST: usize = 5;

const TABLES: [&str; 5] = ["prompt_templates", "prompts", "runs", "evaluations", "test_results"];

async fn counts(database: &TestDatabase) -> Vec<i64> {
    let mut counts = Vec::new();
    for table in TABLES {
        counts.push(database.count(table).await);
    }
    counts
}

on_both_databases! {
    #[ignore = "takes long: scripts/test-long"]
    async fn killed_at_any_moment_a_migration_can_be_made_again(database: TestDatabase) {
        const KILLS: usize = 20;
        let sizes = Sizes {
            users: 20,
            templates: 10,
            prompts: 4_000,
            runs: 100,
            evaluated: 300,
            evaluations: 4_000,
            tested: 200,
            results: 20_000,
        };
        for statement in bulk::statements(database.kind == Kind::Postgres, sizes) {
            database.execute(&statement).await;
        }
        evalgraph::db::totals::rebuild(&database.database).await.unwrap();
        let before = counts(&database).await;
        let migration = || evalgraph_on(&database.location, &["migrate"]).stdout(Stdio::null()).spawn().unwrap();
        let (mut in_the_middle, mut longest) = (0, Duration::ZERO);
        for number in 0..=KILLS {
            revert(&database.location, MIGRATIONS_AFTER_THE_FIRST).await.unwrap();
            if number > 0 {
                let mut migration = migration();
                tokio::time::sleep(longest.mul_f64(rand::rng().random_range(0.0..1.0))).await;
                migration.kill().unwrap();
                in_the_middle += usize::from(migration.wait().unwrap().code().is_none());
            }
            let begun = Instant::now();
            assert!(migration().wait().unwrap().success());
            longest = longest.max(begun.elapsed());
            assert_eq!(counts(&database).await, before);
            assert!(migrate(&database.location).await.unwrap().is_empty(), "nothing is left to do");
        }
        database.check_totals().await;
        println!("{in_the_middle} of {KILLS} kills came before the end");
        assert!(in_the_middle > KILLS / 2, "{in_the_middle}");
    }

    async fn rows_survive_the_last_migration_in_both_directions(database: TestDatabase) {
        let template = TemplateBuilder::new().insert(&database).await;
        let prompt = PromptBuilder::new().name("a/b").template(&template).insert(&database).await;
        PromptBuilder::new().version_of(&prompt).tags(["new"]).deleted().insert(&database).await;
        let run = RunBuilder::new().insert(&database).await;
        let evaluation =
            EvaluationBuilder::of(&prompt).run(&run, 0).provider("openai", "gpt-4o").score(0.5).insert(&database).await;
        for name in ["one", "two", "three"] {
            ResultBuilder::of(&evaluation).name(name).insert(&database).await;
        }
        assert_eq!(counts(&database).await, [1, 2, 1, 1, 3]);

        let reverted = revert(&database.location, 1).await.unwrap();
        assert_eq!(reverted.len(), 1);
        assert_eq!(counts(&database).await, [1, 2, 1, 1, 3]);

        assert_eq!(migrate(&database.location).await.unwrap(), reverted);
        assert_eq!(counts(&database).await, [1, 2, 1, 1, 3]);
        assert!(migrate(&database.location).await.unwrap().is_empty(), "nothing is left to do");
    }
}
