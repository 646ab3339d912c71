//! Transactions: all or nothing, tried again when they collide, and finished though nobody waits for them.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::{Kind, PromptBuilder, TestDatabase, eventually, on_both_databases, recorder, small_pools, sql};
use evalgraph::db::changes::Changes;
use evalgraph::db::pool::PoolSettings;
use evalgraph::db::transaction::{Aborted, write_transaction};
use evalgraph::db::{Database, DbConnection, DbError, StatementCount};
use futures_util::future::BoxFuture;
use rand::RngExt as _;
use tokio::sync::{Barrier, oneshot};

/// What the work of these tests ends with.
type Ended = Result<((), Changes), Aborted<&'static str>>;

/// Runs work in a transaction and tells how often it was tried.
async fn run<W>(database: &Database, work: W) -> (Result<Result<(), &'static str>, DbError>, usize)
where
    W: for<'c> Fn(&'c mut DbConnection, usize) -> BoxFuture<'c, Ended> + Send + Sync + 'static,
{
    let attempts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&attempts);
    let result = database
        .transaction(&StatementCount::default(), move |connection| {
            let attempt = counted.fetch_add(1, Ordering::SeqCst) + 1;
            work(connection, attempt)
        })
        .await;
    (result, attempts.load(Ordering::SeqCst))
}

/// A statement that stores a template.
fn insert(kind: Kind, name: &str) -> String {
    let id = kind.literal(uuid::Uuid::now_v7());
    format!("INSERT INTO prompt_templates (id, name, template, category) VALUES ({id}, '{name}', 'Hello', 'test')")
}

async fn names(database: &TestDatabase) -> Vec<String> {
    sql::texts(&database.location, "SELECT name AS value FROM prompt_templates ORDER BY name").await
}

on_both_databases! {
    async fn work_that_succeeds_is_stored_and_work_that_is_refused_is_not(database: TestDatabase) {
        let kind = database.kind;
        let (stored, attempts) = run(&database.database, move |connection, _| {
            Box::pin(async move { Ok((connection.batch_execute(&insert(kind, "stored")).await?, Changes::default())) })
        })
        .await;
        assert!(matches!(stored, Ok(Ok(()))), "{stored:?}");
        assert_eq!(attempts, 1);
        let (refused, attempts) = run(&database.database, move |connection, _| {
            Box::pin(async move {
                connection.batch_execute(&insert(kind, "refused")).await?;
                Err(Aborted::Refused("no"))
            })
        })
        .await;
        assert!(matches!(refused, Ok(Err("no"))), "{refused:?}");
        assert_eq!(attempts, 1);
        assert_eq!(names(&database).await, ["stored"]);
    }

    async fn a_failure_within_a_transaction_takes_back_the_inner_work_alone(database: TestDatabase) {
        let kind = database.kind;
        let (result, _) = run(&database.database, move |connection, _| {
            Box::pin(async move {
                connection.batch_execute(&insert(kind, "outer")).await?;
                for (name, fails) in [("first", false), ("second", true), ("third", false)] {
                    let inner: Result<(), Aborted<&str>> = write_transaction(connection, |connection| {
                        Box::pin(async move {
                            connection.batch_execute(&insert(kind, name)).await?;
                            // The innermost fails by its statement, which PostgreSQL does not let pass by itself.
                            let innermost: Result<(), Aborted<&str>> = write_transaction(connection, |connection| {
                                Box::pin(async move { Ok(connection.batch_execute(&insert(kind, "outer")).await?) })
                            })
                            .await;
                            assert!(matches!(innermost, Err(Aborted::Statement(_))), "{innermost:?}");
                            if fails { Err(Aborted::Refused("inner")) } else { Ok(()) }
                        })
                    })
                    .await;
                    assert_eq!(inner.is_err(), fails);
                }
                Ok(((), Changes::default()))
            })
        })
        .await;
        assert!(matches!(result, Ok(Ok(()))), "{result:?}");
        assert_eq!(names(&database).await, ["first", "outer", "third"]);
    }

    async fn a_failure_of_the_outer_work_takes_back_the_inner(database: TestDatabase) {
        let kind = database.kind;
        let (result, attempts) = run(&database.database, move |connection, _| {
            Box::pin(async move {
                let inner: Result<(), Aborted<&str>> = write_transaction(connection, |connection| {
                    Box::pin(async move { Ok(connection.batch_execute(&insert(kind, "inner")).await?) })
                })
                .await;
                inner?;
                connection.batch_execute("SELECT nothing FROM nowhere").await?;
                Ok(((), Changes::default()))
            })
        })
        .await;
        // A mistake in a statement is no collision: it is not made twice.
        assert!(matches!(result, Err(DbError::Statement(_))), "{result:?}");
        assert_eq!((attempts, names(&database).await), (1, Vec::new()));
    }

    async fn a_broken_rule_is_not_tried_again(database: TestDatabase) {
        let kind = database.kind;
        database.execute(&insert(kind, "taken")).await;
        let (result, attempts) = run(&database.database, move |connection, _| {
            Box::pin(async move { Ok((connection.batch_execute(&insert(kind, "taken")).await?, Changes::default())) })
        })
        .await;
        assert!(matches!(result, Err(DbError::Statement(_))), "{result:?}");
        assert_eq!(attempts, 1);
    }

    async fn all_statements_of_a_snapshot_see_the_same(database: TestDatabase) {
        let (kind, location) = (database.kind, database.location.clone());
        let count = StatementCount::default();
        let snapshot = database.database.snapshot(&count, move |connection| {
            Box::pin(async move {
                let before = count_templates(connection).await?;
                sql::execute(&location, &insert(kind, "new")).await;
                let after = count_templates(connection).await?;
                let written = connection.batch_execute(&recorder::of_a_test("DELETE FROM prompt_templates")).await;
                Ok((before, after, written.is_err()))
            })
        });
        assert_eq!(snapshot.await.unwrap(), (0, 0, true));
        assert_eq!(names(&database).await, ["new"]);
    }

    async fn whoever_leaves_leaves_no_open_transaction(database: TestDatabase) {
        let kind = database.kind;
        let begun = Arc::new(AtomicUsize::new(0));
        for number in 0..100 {
            let (pools, begun) = (database.database.clone(), Arc::clone(&begun));
            let writer = tokio::spawn(async move {
                run(&pools, move |connection, _| {
                    begun.fetch_add(1, Ordering::SeqCst);
                    Box::pin(async move {
                        connection.batch_execute(&insert(kind, &format!("{number:03} a"))).await?;
                        tokio::time::sleep(Duration::from_micros(500)).await;
                        connection.batch_execute(&insert(kind, &format!("{number:03} b"))).await?;
                        Ok(((), Changes::default()))
                    })
                })
                .await
            });
            // Some leave before they have a connection, some at every point of their work, some after it.
            let patience = rand::rng().random_range(0..4_000);
            tokio::time::sleep(Duration::from_micros(patience)).await;
            writer.abort();
        }
        let all_ended = async || names(&database).await.len() == 2 * begun.load(Ordering::SeqCst);
        eventually(Duration::from_secs(10), "what has begun is finished", all_ended).await;
        if kind == Kind::Postgres {
            let open = "SELECT count(*) AS value FROM pg_stat_activity
                        WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
            assert_eq!(sql::numbers(&database.location, open).await, [0]);
        }
        // Nobody holds a lock, on any connection.
        sql::execute(&database.location, "DELETE FROM prompt_templates").await;
        for _ in 0..8 {
            database.execute(&recorder::of_a_test("UPDATE prompt_templates SET category = 'none'")).await;
        }
    }

    async fn whoever_stops_waits_for_what_has_begun(database: TestDatabase) {
        let kind = database.kind;
        let (started, has_started) = oneshot::channel();
        let started = std::sync::Mutex::new(Some(started));
        let pools = database.database.clone();
        let writer = tokio::spawn(async move {
            run(&pools, move |connection, _| {
                let _ = started.lock().unwrap().take().unwrap().send(());
                Box::pin(async move {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    Ok((connection.batch_execute(&insert(kind, "finished")).await?, Changes::default()))
                })
            })
            .await
        });
        has_started.await.unwrap();
        writer.abort();
        assert!(!database.database.finish_writes(Duration::ZERO).await, "it is not finished yet");
        assert!(database.database.finish_writes(Duration::from_secs(10)).await);
        assert_eq!(names(&database).await, ["finished"]);
    }

    async fn a_transaction_that_always_collides_is_given_up(database: TestDatabase) {
        let kind = database.kind;
        let collide = match kind {
            Kind::Postgres => {
                "CREATE FUNCTION collide() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '40001'; END $$;
                 CREATE TRIGGER collide BEFORE INSERT ON prompt_templates EXECUTE FUNCTION collide()"
            }
            Kind::Sqlite => {
                "CREATE TRIGGER collide BEFORE INSERT ON prompt_templates
                 BEGIN SELECT RAISE(ABORT, 'database is locked'); END"
            }
        };
        database.execute(collide).await;
        let (result, attempts) = run(&database.database, move |connection, _| {
            Box::pin(async move { Ok((connection.batch_execute(&insert(kind, "x")).await?, Changes::default())) })
        })
        .await;
        assert!(matches!(result, Err(DbError::Contention(_))), "{result:?}");
        assert_eq!(attempts, 6);
    }
}

async fn count_templates(connection: &mut DbConnection) -> diesel::result::QueryResult<i64> {
    use evalgraph::db::entity::Entity as _;
    use evalgraph::db::templates::{TemplateFilter, Templates};
    use evalgraph::domain::Principal;
    Templates::count(connection, &Principal::local(), &TemplateFilter::default()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_loser_of_a_deadlock_is_tried_again() {
    let database = TestDatabase::postgres().await;
    let (a, b) = (PromptBuilder::new().insert(&database).await, PromptBuilder::new().insert(&database).await);
    let both_hold_a_row = Arc::new(Barrier::new(2));
    let change = |first, second| {
        let update = |id| {
            let id = Kind::Postgres.literal(id);
            format!("UPDATE prompts SET title = title || '+' WHERE id = {id}")
        };
        let (first, second) = (update(first), update(second));
        let (pools, both_hold_a_row) = (database.database.clone(), Arc::clone(&both_hold_a_row));
        async move {
            run(&pools, move |connection, attempt| {
                let (first, second, both_hold_a_row) = (first.clone(), second.clone(), Arc::clone(&both_hold_a_row));
                Box::pin(async move {
                    connection.batch_execute(&first).await?;
                    if attempt == 1 {
                        both_hold_a_row.wait().await;
                    }
                    connection.batch_execute(&second).await?;
                    Ok(((), Changes::default()))
                })
            })
            .await
        }
    };
    let ((first, attempts), (second, others)) = tokio::join!(change(a.id, b.id), change(b.id, a.id));
    assert!(matches!((&first, &second), (Ok(Ok(())), Ok(Ok(())))), "{first:?} {second:?}");
    assert_eq!(attempts + others, 3, "one of the two was tried again");
    let titles = sql::texts(&database.location, "SELECT title AS value FROM prompts").await;
    assert_eq!(titles, ["A prompt++", "A prompt++"], "each change was made once");
}

#[tokio::test]
async fn a_serialization_failure_is_tried_again() {
    let database = TestDatabase::postgres().await;
    PromptBuilder::new().insert(&database).await;
    let location = database.location.clone();
    let (result, attempts) = run(&database.database, move |connection, attempt| {
        let location = location.clone();
        Box::pin(async move {
            connection.batch_execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM prompts").await?;
            if attempt == 1 {
                sql::execute(&location, "UPDATE prompts SET title = 'Changed by another'").await;
            }
            connection.batch_execute(&recorder::of_a_test("UPDATE prompts SET title = 'Changed'")).await?;
            Ok(((), Changes::default()))
        })
    })
    .await;
    assert!(matches!(result, Ok(Ok(()))), "{result:?}");
    assert_eq!(attempts, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_file_is_tried_again() {
    let impatient = PoolSettings { lock_wait: Duration::from_millis(1), ..small_pools() };
    let database = TestDatabase::with_settings(Kind::Sqlite, impatient).await;
    let lock = sql::WriteLock::take(&database.location).await;
    let releases = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(20)).await;
        drop(lock);
    });
    // `BEGIN IMMEDIATE` is refused before the work begins.
    let (result, attempts) = run(&database.database, move |connection, _| {
        Box::pin(
            async move { Ok((connection.batch_execute(&insert(Kind::Sqlite, "patient")).await?, Changes::default())) },
        )
    })
    .await;
    releases.await.unwrap();
    assert!(matches!(result, Ok(Ok(()))), "{result:?}");
    assert_eq!((attempts, names(&database).await), (1, vec!["patient".to_owned()]));
}
