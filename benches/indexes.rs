//! What each index costs whoever writes: batches of 1,000 rows are stored with all indexes and without one of them, in
//! turns, in transactions that are taken back, so that every batch finds the same tables.
//!
//! `scripts/bench --bench indexes` starts a private PostgreSQL. Without `EVALGRAPH_BENCH_POSTGRES_URL` only SQLite is
//! measured. The tables that are printed are those of `docs/indexes.md`, which says what each index is for.

mod common;
#[path = "../tests/common/sql.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod sql;

use std::time::{Duration, Instant};

use common::bulk::{self, Sizes};
use evalgraph::db::pool::DatabaseLocation;
use evalgraph::db::{Database, StatementCount};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SIZES: Sizes = Sizes {
    users: 100,
    templates: 1_000,
    prompts: 50_000,
    runs: 5_000,
    evaluated: 5_000,
    evaluations: 100_000,
    tested: 2_000,
    results: 400_000,
};
/// How often each index is there, and is not.
const TURNS: usize = 11;

/// A table, and the statement that stores the batch of this number in it. What refers to something refers to what is
/// newest, as it does in an import, and rows are as long as usual ones.
struct Subject {
    table: &'static str,
    insert: fn(&Dialect, usize) -> String,
    rows: usize,
}

const SUBJECTS: [Subject; 3] = [
    Subject { table: "prompts", insert: prompts, rows: SIZES.prompts },
    Subject { table: "evaluations", insert: evaluations, rows: SIZES.evaluations },
    Subject { table: "test_results", insert: results, rows: SIZES.results },
];

/// The two ways to say things, about rows with the numbers `n`.
struct Dialect {
    is_postgres: bool,
}

impl Dialect {
    fn id(&self, number: &str) -> String {
        if self.is_postgres {
            format!("lpad(to_hex({number}), 32, '0')::uuid")
        } else {
            format!("unhex(printf('%032x', {number}))")
        }
    }

    fn time(&self) -> &'static str {
        if self.is_postgres { "timestamptz '2026-01-01' + n * interval '1 minute'" } else { "n * 60000000" }
    }

    /// A thousand numbers, higher than those of the rows that are there.
    fn batch(&self, number: usize) -> String {
        let first = 10_000_000 + number * 1_000;
        let last = first + 999;
        if self.is_postgres {
            format!("generate_series({first}, {last}) AS s (n)")
        } else {
            format!(
                "(WITH RECURSIVE c (n) AS (VALUES ({first}) UNION ALL SELECT n + 1 FROM c WHERE n < {last}) SELECT n FROM c)"
            )
        }
    }

    /// About so many characters, other ones in each row.
    fn text(&self, length: usize) -> String {
        let (words, number) = (length / 12, "(CAST(n AS bigint) * 7919 % 100003)");
        if self.is_postgres {
            format!("repeat('a word ' || {number} || ' ', {words})")
        } else {
            format!("replace(printf('%.{words}c', '.'), '.', 'a word ' || {number} || ' ')")
        }
    }
}

fn prompts(dialect: &Dialect, number: usize) -> String {
    let (id, time, batch, content) = (dialect.id("n"), dialect.time(), dialect.batch(number), dialect.text(300));
    let template = dialect.id(&format!("n % {} + 1", SIZES.templates));
    format!(
        "INSERT INTO prompts (id, user_id, name, title, content, content_hash, version, root_id, template_id, status,
           created_at, updated_at)
         SELECT {id}, 'user ' || (n % {}), 'name ' || n, 'title ' || (n % 997), {content}, 'hash ' || n, 1, {id},
           CASE WHEN n % 5 = 0 THEN {template} END, 'active', {time}, {time} FROM {batch}",
        SIZES.users
    )
}

fn evaluations(dialect: &Dialect, number: usize) -> String {
    let (id, time, batch) = (dialect.id("n"), dialect.time(), dialect.batch(number));
    let prompt = dialect.id(&format!("{} - n % 20", SIZES.prompts));
    let run = dialect.id(&format!("{} - n / 50 % 20", SIZES.runs));
    format!(
        "INSERT INTO evaluations (id, prompt_id, run_id, position, external_id, test_suite_id, status, provider, model,
           overall_score, execution_time_ms, total_tests, passed_tests, created_at, updated_at)
         SELECT {id}, {prompt}, {run}, n, 'evaluation ' || n, 'suite ' || (n % 400), 'completed', 'provider ' || (n % 7),
           'model ' || (n % 31), n % 101 / 100.0, n % 5000, 100, 90, {time}, {time} FROM {batch}"
    )
}

fn results(dialect: &Dialect, number: usize) -> String {
    let (id, time, batch) = (dialect.id("n"), dialect.time(), dialect.batch(number));
    let evaluation = dialect.id(&format!("{} - n % 10", SIZES.evaluations));
    let (input, output) = (dialect.text(200), dialect.text(500));
    format!(
        "INSERT INTO test_results (id, evaluation_id, external_id, position, test_case_name, case_hash, rendered_prompt,
           actual_output, score, outcome, passed, latency_ms, created_at, updated_at)
         SELECT {id}, {evaluation}, 'result ' || n, n, 'case ' || (n / 10), 'hash ' || (n / 10), {input}, {output},
           n % 11 / 10.0, CASE n % 10 WHEN 0 THEN 'failed' ELSE 'passed' END, n % 10 <> 0, n % 700, {time}, {time}
         FROM {batch}"
    )
}

/// A database to measure on.
struct Bench {
    dialect: Dialect,
    location: DatabaseLocation,
    database: Database,
}

impl Bench {
    async fn fill(location: DatabaseLocation) -> Self {
        let dialect = Dialect { is_postgres: matches!(location, DatabaseLocation::Postgres(_)) };
        let database = common::open_database(&location, 1).await;
        let bench = Self { dialect, location, database };
        let mut statements = bulk::statements(bench.dialect.is_postgres, SIZES);
        if !bench.dialect.is_postgres {
            // It plans by what a migration has told it.
            statements.retain(|statement| statement != "ANALYZE");
        }
        for statement in statements {
            bench.time(vec![], vec![format!("{statement};")]).await;
        }
        bench
    }

    /// Runs statements, and says how long the last ones took.
    async fn time(&self, before: Vec<String>, timed: Vec<String>) -> Duration {
        let count = StatementCount::default();
        let work = self.database.write(&count, move |connection| {
            Box::pin(async move {
                for statement in before {
                    connection.batch_execute(&statement).await?;
                }
                let begun = Instant::now();
                for statement in timed {
                    connection.batch_execute(&statement).await?;
                }
                Ok(begun.elapsed())
            })
        });
        work.await.unwrap()
    }

    /// The indexes of a table that no constraint needs.
    async fn indexes(&self, table: &str) -> Vec<String> {
        let indexes = if self.dialect.is_postgres {
            format!(
                "SELECT indexname::text AS value FROM pg_indexes WHERE tablename = '{table}'
                   AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = indexname) ORDER BY indexname"
            )
        } else {
            format!("SELECT name AS value FROM pragma_index_list('{table}') WHERE origin = 'c' ORDER BY name")
        };
        sql::texts(&self.location, &indexes).await
    }

    async fn bytes(&self, index: &str) -> i64 {
        let bytes = if self.dialect.is_postgres {
            format!("SELECT pg_relation_size('{index}') AS value")
        } else {
            format!("SELECT sum(pgsize) AS value FROM dbstat WHERE name = '{index}'")
        };
        sql::numbers(&self.location, &bytes).await[0]
    }

    /// How long a batch takes in a transaction that begins with a statement and an untimed batch.
    async fn batch(&self, subject: &Subject, first: &str) -> Duration {
        let insert = |number| (subject.insert)(&self.dialect, number);
        let took = self.time(vec!["BEGIN".to_owned(), first.to_owned(), insert(0)], vec![insert(1), insert(2)]).await;
        self.time(vec![], vec!["ROLLBACK".to_owned()]).await;
        took / 2
    }

    /// What a row takes with an index, in microseconds, how much more that is than without, and how many times as much:
    /// medians over the turns.
    async fn compare(&self, subject: &Subject, index: &str) -> [f64; 3] {
        // A thousand rows: milliseconds are microseconds per row.
        let micros = |took: Duration| took.as_secs_f64() * 1e3;
        let (mut all, mut differences, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        let drop = format!("DROP INDEX {index}");
        for turn in 0..TURNS {
            // In turns, so that whatever else the machine does is the same for both.
            let (with, without) = if turn % 2 == 0 {
                let with = self.batch(subject, "SELECT 1").await;
                (with, self.batch(subject, &drop).await)
            } else {
                let without = self.batch(subject, &drop).await;
                (self.batch(subject, "SELECT 1").await, without)
            };
            all.push(micros(with));
            differences.push(micros(with) - micros(without));
            ratios.push(micros(with) / micros(without));
        }
        if self.dialect.is_postgres {
            // What was taken back is still in the way.
            self.time(vec![], vec![format!("VACUUM {}", subject.table)]).await;
        }
        [all, differences, ratios].map(|mut values| {
            values.sort_unstable_by(f64::total_cmp);
            values[TURNS / 2]
        })
    }

    async fn report(&self) {
        let name = if self.dialect.is_postgres { "PostgreSQL" } else { "SQLite" };
        for subject in &SUBJECTS {
            println!("\n{name}, {} of {} rows\n", subject.table, subject.rows);
            println!("| index | bytes per row | µs per row | of that for the index | ratio |");
            println!("|---|---|---|---|---|");
            // Before batches are stored and taken back: PostgreSQL keeps their space.
            let mut indexes = Vec::new();
            for index in self.indexes(subject.table).await {
                let bytes = self.bytes(&index).await as f64 / subject.rows as f64;
                indexes.push((index, bytes));
            }
            for (index, bytes) in indexes {
                let [took, difference, ratio] = self.compare(subject, &index).await;
                println!("| `{index}` | {bytes:.0} | {took:.1} | {difference:+.1} | {ratio:.2} |");
            }
        }
    }
}

fn main() {
    let runtime = common::runtime();
    let directory = tempfile::tempdir().unwrap();
    let mut locations = vec![DatabaseLocation::Sqlite(directory.path().join("indexes.db"))];
    if let Ok(url) = std::env::var("EVALGRAPH_BENCH_POSTGRES_URL") {
        locations.push(DatabaseLocation::Postgres(url));
    }
    for location in locations {
        runtime.block_on(async { Bench::fill(location).await.report().await });
    }
}
