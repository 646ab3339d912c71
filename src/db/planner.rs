//! What the databases know about their tables when they plan statements.
//!
//! PostgreSQL finds out by itself, some time after a table has changed; whoever has stored much at once tells it to look.
//!
//! SQLite would plan by guesses, or by what somebody had it count at some time. It is told the same in every database from
//! the beginning instead, for it plans by nothing else: what a statement costs is then known for all of them, and a test
//! looks at every plan (`tests/statement_plans`).

use diesel::connection::SimpleConnection as _;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Text};
use diesel::{QueryableByName, RunQueryDsl as _, SqliteConnection};
use diesel_async::SimpleAsyncConnection as _;

use super::connection::DbConnection;
use super::pool::Database;
use super::{DbError, StatementCount};

/// For each index of a table: how many rows it has, and how many of them are the same in its first column, in its first
/// two, and so on. Nobody has counted them. They are those of a store in which every index pays: a parent has few children
/// compared with the rows of a user, a provider or a status, so that lists under a parent are found by the parent.
/// `noskipscan`: an index is not walked once for each value of its first column.
const STATISTICS: &[(&str, &[(&str, &str)])] = &[
    (
        "prompt_templates",
        &[
            ("sqlite_autoindex_prompt_templates_1", "2000 1"),
            ("sqlite_autoindex_prompt_templates_2", "2000 1"),
            ("prompt_templates_category_usage", "2000 100 2 1"),
            ("prompt_templates_category_recent", "2000 100 1 1"),
            ("prompt_templates_category_name", "2000 100 1 1"),
            ("prompt_templates_recent", "2000 1 1"),
            ("prompt_templates_usage", "2000 20 1"),
        ],
    ),
    (
        "prompts",
        &[
            ("sqlite_autoindex_prompts_1", "100000 1"),
            ("sqlite_autoindex_prompts_2", "100000 3 1"),
            ("prompts_user_recent", "100000 2000 1 1 1"),
            ("prompts_user_updated", "100000 2000 1 1 1"),
            ("prompts_user_title", "100000 2000 4 1 1"),
            ("prompts_user_status_recent", "98000 2000 700 1 1 noskipscan"),
            ("prompts_user_name_version", "98000 2000 3 1"),
            ("prompts_recent", "100000 1 1 1"),
            ("prompts_updated", "100000 1 1 1"),
            ("prompts_title", "100000 5 1 1"),
            ("prompts_status_recent", "100000 34000 1 1 1 noskipscan"),
            ("prompts_name", "100000 4 2 1"),
            ("prompts_root_recent", "100000 3 1 1"),
            ("prompts_parent_recent", "100000 2 1 1"),
            ("prompts_template_recent", "100000 20 1 1"),
            ("prompts_deleted", "2000 1"),
        ],
    ),
    (
        "runs",
        &[
            ("sqlite_autoindex_runs_1", "10000 1"),
            ("sqlite_autoindex_runs_2", "10000 500 200 1"),
            ("runs_user_recent", "10000 500 1 1"),
            ("runs_user_name", "10000 500 20 1"),
            ("runs_recent", "10000 1 1"),
            ("runs_name", "10000 50 1"),
            ("runs_name_recent", "10000 50 1 1"),
            ("runs_external", "10000 1"),
        ],
    ),
    (
        "evaluations",
        &[
            ("sqlite_autoindex_evaluations_1", "1000000 1"),
            ("sqlite_autoindex_evaluations_2", "1000000 100 1"),
            ("sqlite_autoindex_evaluations_3", "1000000 100 1"),
            ("evaluations_prompt_recent", "1000000 100 1 1"),
            ("evaluations_prompt_score", "1000000 100 2 1"),
            ("evaluations_prompt_totals", "1000000 100 80 2 1 1 1 1 1 1 1 1 1 noskipscan"),
            ("evaluations_run_recent", "1000000 100 1 1"),
            ("evaluations_run_position", "1000000 100 1 1"),
            ("evaluations_recent", "1000000 1 1"),
            ("evaluations_score", "1000000 5000 1"),
            ("evaluations_execution_time", "1000000 500 1"),
            ("evaluations_position", "1000000 50000 1"),
            ("evaluations_provider_recent", "1000000 150000 1 1 noskipscan"),
            ("evaluations_model_recent", "1000000 30000 1 1 noskipscan"),
            ("evaluations_suite_recent", "1000000 5000 1 1 noskipscan"),
        ],
    ),
    (
        "test_results",
        &[
            ("sqlite_autoindex_test_results_1", "100000000 1"),
            ("sqlite_autoindex_test_results_2", "100000000 200 1"),
            ("test_results_evaluation_order", "100000000 200 1 1"),
            ("test_results_evaluation_not_passed", "20000000 40 1 1"),
            ("test_results_evaluation_score", "100000000 200 50 1"),
            ("test_results_evaluation_position", "100000000 200 1 1"),
        ],
    ),
    (
        "prompt_totals",
        &[
            ("sqlite_autoindex_prompt_totals_1", "100000 1"),
            ("prompt_totals_average", "90000 50 5 1"),
            ("prompt_totals_user_average", "90000 1800 5 1 1"),
        ],
    ),
    (
        "api_tokens",
        &[
            ("sqlite_autoindex_api_tokens_1", "10000 1"),
            ("sqlite_autoindex_api_tokens_2", "10000 1"),
            ("api_tokens_user_recent", "10000 100 1 1"),
            ("api_tokens_recent", "10000 1 1"),
            ("api_tokens_created_with", "10000 10"),
        ],
    ),
    (
        "audit_log",
        &[
            ("sqlite_autoindex_audit_log_1", "1000000 1"),
            ("audit_log_recent", "1000000 1 1"),
            ("audit_log_user_recent", "1000000 20000 1 1 noskipscan"),
            ("audit_log_action_recent", "1000000 60000 1 1 noskipscan"),
        ],
    ),
    // The rows themselves are in the order of the primary key.
    ("audit_log_objects", &[("audit_log_objects", "3000000 5 1"), ("audit_log_objects_entry", "3000000 3")]),
    ("cache_outbox", &[("cache_outbox_unclaimed", "1000 1")]),
    (
        "prompt_model_totals",
        // The rows themselves are in the order of the primary key.
        &[("prompt_model_totals", "500000 100000 20000 1 noskipscan"), ("prompt_model_totals_prompt", "500000 5")],
    ),
    ("prompt_search_numbers", &[("sqlite_autoindex_prompt_search_numbers_1", "100000 1")]),
];

/// Tells a SQLite database of the present schema what it is to plan by, in the place of whatever somebody has had it
/// count. Connections that are open already go by it when they are opened anew.
///
/// # Errors
/// When a statement fails.
pub(super) fn instruct(connection: &mut SqliteConnection) -> QueryResult<()> {
    let rows = STATISTICS
        .iter()
        .flat_map(|(table, indexes)| indexes.iter().map(move |index| (table, index)))
        .map(|(table, (index, numbers))| format!("('{table}', '{index}', '{numbers}')"));
    let mut rows: Vec<_> = rows.collect();
    rows.sort_unstable();
    if stored(connection)?.as_ref() == Some(&rows) {
        return Ok(());
    }
    let rows = rows.join(", ");
    replace(connection, &format!("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES {rows};"))
}

/// Takes back what [`instruct`] has said: an older schema has other indexes.
///
/// # Errors
/// When a statement fails.
pub(super) fn forget(connection: &mut SqliteConnection) -> QueryResult<()> {
    replace(connection, "")
}

/// What a database plans by, in the form of rows that are to be inserted; `None` when it has never been told nor counted.
fn stored(connection: &mut SqliteConnection) -> QueryResult<Option<Vec<String>>> {
    let tables =
        texts(connection, "SELECT name AS value FROM sqlite_schema WHERE name IN ('sqlite_stat1', 'sqlite_stat4')")?;
    if tables.len() < 2 {
        return Ok(None);
    }
    // Samples are something that was counted.
    let rows = "SELECT format('(%Q, %Q, %Q)', tbl, idx, stat) AS value FROM sqlite_stat1 \
                UNION ALL SELECT 'a sample of ' || tbl FROM sqlite_stat4 ORDER BY value";
    texts(connection, rows).map(Some)
}

/// Puts rows in the place of all that a database plans by.
fn replace(connection: &mut SqliteConnection, insert: &str) -> QueryResult<()> {
    // The first statement makes the tables, which nobody can do by hand; the last has this connection read them.
    let statements = format!(
        "ANALYZE sqlite_schema; DELETE FROM sqlite_stat1; DELETE FROM sqlite_stat4; {insert} ANALYZE sqlite_schema;"
    );
    connection.immediate_transaction(|connection| connection.batch_execute(&statements))
}

fn texts(connection: &mut SqliteConnection, sql: &str) -> QueryResult<Vec<String>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        value: String,
    }
    let rows: Vec<Row> = diesel::sql_query(sql).load(connection)?;
    Ok(rows.into_iter().map(|row| row.value).collect())
}

/// The tables that an import writes.
const IMPORTED: &str = "prompts, runs, evaluations, test_results, prompt_totals, prompt_model_totals";

/// How many rows PostgreSQL believes to be in the largest table; -1 when it has never looked.
const BELIEVED: &str = "SELECT CAST(reltuples AS bigint) AS value FROM pg_class WHERE oid = 'test_results'::regclass";

/// Has PostgreSQL look at the tables that an import writes, when `results` test results that were stored at once are
/// more than a tenth of what it believes there are. It would do so by itself about a minute later, but until then plan by
/// guesses: on tables that were empty it reads all of them for most lists. SQLite plans by nothing that is counted.
///
/// # Errors
/// When there is no connection or a statement fails.
pub async fn notice_growth(database: &Database, results: usize) -> Result<(), DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        value: i64,
    }
    let results = i64::try_from(results).unwrap_or(i64::MAX);
    let count = StatementCount::default();
    let looked = database.write(&count, move |connection| {
        Box::pin(async move {
            let DbConnection::Postgres(connection) = connection else { return Ok(()) };
            let connection = connection.inner();
            let believed: Row = diesel_async::RunQueryDsl::get_result(diesel::sql_query(BELIEVED), connection).await?;
            if results > believed.value / 10 {
                connection.batch_execute(&format!("ANALYZE {IMPORTED}")).await?;
            }
            Ok(())
        })
    });
    looked.await
}
