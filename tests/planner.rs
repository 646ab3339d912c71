//! What the databases know about their tables when they plan statements.

mod common;

use common::{
    EvaluationBuilder, Kind, PromptBuilder, ResultBuilder, TestDatabase, TestLocation, on_both_databases, sql,
};
use evalgraph::db::migrate::{migrate, revert};
use evalgraph::db::planner;

/// What SQLite plans by.
const STATISTICS: &str = "SELECT concat_ws(' ', tbl, idx, stat) AS value FROM sqlite_stat1 ORDER BY value";

#[tokio::test]
async fn sqlite_is_told_about_every_index() {
    let database = TestLocation::migrated(Kind::Sqlite).await;
    // Rows of a table without row numbers are an index themselves, and go by its name.
    let unknown = "SELECT t.name || ' ' || i.name AS value
         FROM sqlite_schema AS t CROSS JOIN pragma_index_list(t.name) AS i CROSS JOIN pragma_table_list(t.name) AS l
         WHERE t.type = 'table' AND t.name NOT LIKE 'prompt!_search!_%' ESCAPE '!' AND t.name NOT LIKE '!_!_%' ESCAPE '!'
           AND NOT EXISTS (
             SELECT 1 FROM sqlite_stat1
             WHERE tbl = t.name AND idx = iif(l.wr AND i.origin = 'pk', t.name, i.name)
               AND length(stat) - length(replace(stat, ' ', '')) - (stat LIKE '%noskipscan') =
                 (SELECT count(*) FROM pragma_index_info(i.name)))";
    assert_eq!(sql::texts(&database.location, unknown).await, Vec::<String>::new());
    let gone = "SELECT idx AS value FROM sqlite_stat1
         WHERE idx NOT IN (SELECT name FROM sqlite_schema) OR tbl NOT IN (SELECT name FROM sqlite_schema)";
    assert_eq!(sql::texts(&database.location, gone).await, Vec::<String>::new());
}

#[tokio::test]
async fn sqlite_plans_by_what_it_was_told_and_not_by_what_somebody_had_it_count() {
    let database = TestDatabase::sqlite().await;
    let told = sql::texts(&database.location, STATISTICS).await;
    let prompt = PromptBuilder::new().insert(&database).await;
    for _ in 0..30 {
        let evaluation = EvaluationBuilder::of(&prompt).insert(&database).await;
        ResultBuilder::of(&evaluation).insert(&database).await;
    }
    sql::execute(&database.location, "VACUUM").await;
    assert_eq!(sql::texts(&database.location, STATISTICS).await, told);
    sql::execute(&database.location, "ANALYZE").await;
    assert_ne!(sql::texts(&database.location, STATISTICS).await, told);
    assert!(migrate(&database.location).await.unwrap().is_empty());
    assert_eq!(sql::texts(&database.location, STATISTICS).await, told);
    let samples = "SELECT count(*) AS value FROM sqlite_stat4";
    assert_eq!(sql::numbers(&database.location, samples).await, [0]);
    // An older schema has other indexes, and its release says nothing about them.
    revert(&database.location, 1).await.unwrap();
    assert_eq!(sql::texts(&database.location, STATISTICS).await, Vec::<String>::new());
}

on_both_databases! {
    async fn postgresql_looks_when_much_was_stored_at_once(database: TestDatabase) {
        let prompt = PromptBuilder::new().insert(&database).await;
        let evaluation = EvaluationBuilder::of(&prompt).insert(&database).await;
        for _ in 0..40 {
            ResultBuilder::of(&evaluation).insert(&database).await;
        }
        planner::notice_growth(&database.database, 40).await.unwrap();
        if database.kind == Kind::Postgres {
            let believed = "SELECT CAST(reltuples AS bigint) AS value FROM pg_class WHERE relname = 'test_results'";
            assert_eq!(sql::numbers(&database.location, believed).await, [40]);
            ResultBuilder::of(&evaluation).insert(&database).await;
            planner::notice_growth(&database.database, 1).await.unwrap();
            assert_eq!(sql::numbers(&database.location, believed).await, [40], "one of forty is not much");
        }
    }
}
