//! Every statement that the other tests make the server send has a plan that reads what it returns: no table that grows
//! is read from end to end, and nothing is sorted to return a part of it.
//!
//! `scripts/test` runs this after all other tests, which record their statements (`tests/common/recorder.rs`). The plans
//! are made on databases with many rows and fresh statistics.

mod common;

use std::path::{Path, PathBuf};

use common::bulk::{self, Sizes};
use common::{Kind, TestDatabase, recorder, sql};
use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl, SqliteConnection};
use diesel_async::AsyncPgConnection;
use serde_json::Value;

/// Tables that grow with use.
const TABLES: [&str; 7] =
    ["prompts", "runs", "evaluations", "test_results", "prompt_templates", "prompt_totals", "prompt_model_totals"];
/// Rows that may be sorted whatever is returned of them.
const FEW: f64 = 100.0;

/// Parts of statements that may read or sort more than they return, and why.
const ALLOWED: &[(&str, &str)] = &[
    (
        "SELECT count(*) FROM",
        "the length of a list that is under no parent: whoever asks for `totalCount` has it counted",
    ),
    ("SELECT (SELECT count(*) FROM", "figures about everything"),
    (
        "FROM prompt_model_totals JOIN prompts",
        "the best models of all prompts: what is kept of every prompt is added up",
    ),
    (
        "AS cost_usd FROM evaluations JOIN prompts ON",
        "the best models since a time: all evaluations since are added up, and the time says how many of all that is",
    ),
    (
        "INNER JOIN \"prompts\" ON (\"evaluations\".\"prompt_id\" = \"prompts\".\"id\")",
        "results know their owner through evaluation and prompt: PostgreSQL may join the other way round",
    ),
    ("FROM `test_results` WHERE (EXISTS", "a list of all results, which the API does not have; tests look at it"),
];

/// The statements that were recorded for a database.
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
    // Those of the tests themselves have no parameters.
    texts.filter(|text| is_read(text) && (text.contains('?') || text.contains('$'))).collect()
}

fn is_read(statement: &str) -> bool {
    (statement.starts_with("SELECT") || statement.starts_with("WITH"))
        && TABLES.iter().any(|table| {
            [format!("FROM {table}"), format!("FROM \"{table}\""), format!("FROM `{table}`")]
                .iter()
                .any(|from| statement.contains(from))
        })
}

/// Many rows in every table, and statistics that know of them.
async fn fill(database: &TestDatabase) {
    let sizes = Sizes { templates: 2_000, prompts: 20_000, runs: 3_000, evaluations: 40_000, results: 100_000 };
    for statement in bulk::statements(database.kind == Kind::Postgres, sizes) {
        database.execute(&statement).await;
    }
}

#[derive(QueryableByName)]
struct Detail {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// What is wrong with the plan of a statement in SQLite. It may sort what an index has found for a filter: SQLite does
/// not know how much that is, nor how much is wanted of it.
fn faults_in_sqlite(connection: &mut SqliteConnection, statement: &str) -> Vec<String> {
    let explain = diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}"));
    let plan: Vec<Detail> =
        RunQueryDsl::load(explain, connection).unwrap_or_else(|error| panic!("{error}: {statement}"));
    let lines: Vec<_> = plan.into_iter().map(|line| line.detail).collect();
    let sorts = lines.iter().any(|line| line.contains("TEMP B-TREE") && line.contains("ORDER BY"));
    let found: Vec<_> = lines
        .iter()
        .filter_map(|line| line.strip_prefix("CO-ROUTINE ").or_else(|| line.strip_prefix("MATERIALIZE ")))
        .collect();
    // Tables go by their other names, where they have some. What other parts of the statement have found is none.
    let is_fault = |detail: &String| {
        let scanned = detail.strip_prefix("SCAN ").is_some_and(|rest| {
            let name = rest.split(' ').next().unwrap_or_default();
            let ends_early = rest.contains(" USING ") && statement.contains(" LIMIT ") && !sorts;
            !rest.contains("VIRTUAL TABLE") && name != "CONSTANT" && !found.contains(&name) && !ends_early
        });
        // An index made for one statement, or one whose first column has no condition.
        scanned || detail.contains("AUTOMATIC") || detail.contains("(ANY(")
    };
    if lines.iter().any(is_fault) { lines } else { Vec::new() }
}

#[derive(QueryableByName)]
struct Plan {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    plan: String,
}

/// The statement with a usual number of rows, which decides about the plan, in the place of each limit; and the types of
/// its parameters, as far as nothing in it tells them.
fn with_limits(statement: &str) -> (String, String) {
    let count = statement.split('$').skip(1).map(leading_number).max().unwrap_or_default();
    let mut types = vec!["unknown"; count];
    let mut parts = statement.split(" LIMIT $");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let number = leading_number(part);
        types[number - 1] = "bigint";
        text = format!("{text} LIMIT 21{}", &part[number.to_string().len()..]);
    }
    // Diesel says the type of the parents' ids, which nothing else tells here.
    (text.replace("unnest($1)", "unnest($1::uuid[])"), types.join(", "))
}

fn leading_number(text: &str) -> usize {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_default()
}

/// What is wrong with the plan of a statement in PostgreSQL, made for values that are not known.
async fn faults_in_postgres(connection: &mut AsyncPgConnection, statement: &str) -> Vec<String> {
    use diesel_async::{RunQueryDsl, SimpleAsyncConnection as _};
    let (text, types) = with_limits(statement);
    let in_brackets = |list: &str| if list.is_empty() { String::new() } else { format!("({list})") };
    let prepare = format!("PREPARE statement {} AS {text}", in_brackets(&types));
    connection.batch_execute(&prepare).await.unwrap_or_else(|error| panic!("{error}: {text}"));
    let values = vec!["NULL"; types.split(", ").filter(|name| !name.is_empty()).count()].join(", ");
    let explain = diesel::sql_query(format!("EXPLAIN (FORMAT JSON) EXECUTE statement{}", in_brackets(&values)));
    let plan = RunQueryDsl::get_result(explain, connection).await;
    let Plan { plan } = plan.unwrap_or_else(|error| panic!("{error}: {text}"));
    connection.batch_execute("DEALLOCATE statement").await.unwrap();
    let plan: Value = serde_json::from_str(&plan).unwrap();
    let mut faults = Vec::new();
    examine(&plan[0]["Plan"], false, &mut faults);
    faults
}

/// Looks at a node of a plan and at those below it; `ends_early` when a limit above stops it.
fn examine(node: &Value, ends_early: bool, faults: &mut Vec<String>) {
    let kind = node["Node Type"].as_str().unwrap_or_default();
    let inner = || node["Plans"].as_array().into_iter().flatten();
    let is_table = node["Relation Name"].as_str().is_some_and(|table| TABLES.contains(&table));
    // Nearly all rows are not deleted: that alone is no condition.
    let narrows = |condition: &str| node[condition].as_str().is_some_and(|text| text != "(deleted_at IS NULL)");
    let has_condition = narrows("Index Cond") || narrows("Recheck Cond");
    if is_table && (kind == "Seq Scan" || !has_condition && !ends_early) {
        faults.push(format!("{kind} on {} reads all of it", node["Relation Name"]));
    }
    let sorted = inner().filter_map(|inner| inner["Plan Rows"].as_f64()).fold(0.0, f64::max);
    if kind.ends_with("Sort") && sorted > FEW && sorted > node["Plan Rows"].as_f64().unwrap_or(0.0) / 2.0 && ends_early
    {
        faults.push(format!("{kind} of {sorted} rows, of which few are returned"));
    }
    // What a sort or a sum reads is read to the end.
    let ends_early = match kind {
        "Limit" => true,
        "Sort" | "Incremental Sort" | "Aggregate" | "Hash" => false,
        _ => ends_early,
    };
    inner().for_each(|inner| examine(inner, ends_early, faults));
}

/// Whether the list of exceptions has the statement.
fn is_allowed(statement: &str) -> bool {
    ALLOWED.iter().any(|(part, _)| statement.contains(part))
}

fn check(faulty: &[(String, Vec<String>)], statements: usize) {
    assert!(statements > 50, "only {statements} statements were recorded");
    let told: Vec<_> =
        faulty.iter().map(|(statement, faults)| format!("{statement}\n    {}", faults.join("\n    "))).collect();
    assert!(told.is_empty(), "{} of {statements} statements:\n\n{}", told.len(), told.join("\n\n"));
}

#[tokio::test]
#[ignore = "reads what all other tests have recorded: scripts/test runs it after them"]
async fn sqlite() {
    let database = TestDatabase::sqlite().await;
    fill(&database).await;
    let mut connection = sql::sqlite(&database.location);
    let statements = recorded(Kind::Sqlite);
    let mut faulty = Vec::new();
    for statement in statements.iter().filter(|statement| !is_allowed(statement)) {
        let faults = faults_in_sqlite(&mut connection, statement);
        if !faults.is_empty() {
            faulty.push((statement.clone(), faults));
        }
    }
    check(&faulty, statements.len());
}

#[tokio::test]
#[ignore = "reads what all other tests have recorded: scripts/test runs it after them"]
async fn postgres() {
    use diesel_async::SimpleAsyncConnection as _;
    let database = TestDatabase::postgres().await;
    fill(&database).await;
    let mut connection = sql::postgres(&database.location).await;
    connection.batch_execute("SET plan_cache_mode = force_generic_plan").await.unwrap();
    let statements = recorded(Kind::Postgres);
    let mut faulty = Vec::new();
    for statement in statements.iter().filter(|statement| !is_allowed(statement)) {
        let faults = faults_in_postgres(&mut connection, statement).await;
        if !faults.is_empty() {
            faulty.push((statement.clone(), faults));
        }
    }
    check(&faulty, statements.len());
}
