//! Old entries are removed.

use std::time::Duration;

use evalgraph::db::audit::{Retention, record};
use evalgraph::db::changes::Changes;
use evalgraph::domain::{Deed, PromptId};

use crate::common::{Kind, TestDatabase, eventually, on_both_databases, sql};

/// Writes an entry that is so many days old.
async fn write(database: &TestDatabase, action: &'static str, days: i64, objects: usize) {
    let changes = Changes { prompts: (0..objects).map(|_| PromptId::generate()).collect(), ..Changes::default() };
    let deed = Deed::command(action, "alice");
    database.write(|connection| Box::pin(async move { record(connection, &deed, &changes).await })).await;
    let age = match database.kind {
        Kind::Postgres => format!("interval '{days} days'"),
        Kind::Sqlite => (days * 86_400_000_000).to_string(),
    };
    database.execute(&format!("UPDATE audit_log SET created_at = created_at - {age} WHERE action = '{action}'")).await;
}

const DAY: Duration = Duration::from_hours(24);

on_both_databases! {
    async fn what_is_older_than_the_limit_goes_and_nothing_else(database: TestDatabase) {
        write(&database, "old", 401, 3).await;
        write(&database, "older", 3_000, 10_000).await;
        write(&database, "young", 399, 2).await;
        write(&database, "new", 0, 1).await;
        // Several servers do so at the same time.
        let _all = [0; 3].map(|_| Retention::start(database.database.clone(), DAY * 400));
        let removed = async || database.count("audit_log").await == 2;
        eventually(Duration::from_secs(20), "the old ones are gone", removed).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let left = "SELECT action AS value FROM audit_log ORDER BY created_at";
        assert_eq!(sql::texts(&database.location, left).await, ["young", "new"]);
        assert_eq!(database.count("audit_log_objects").await, 3);
    }

    async fn more_than_go_at_a_time_are_all_removed(database: TestDatabase) {
        let (day, now) = match database.kind {
            Kind::Postgres => ("interval '1 day'", "now()"),
            Kind::Sqlite => ("86400000000", "CAST(unixepoch('subsec') * 1000000 AS INTEGER)"),
        };
        let (id, numbers) = match database.kind {
            Kind::Postgres => ("lpad(to_hex(n), 32, '0')::uuid", "generate_series(1, 1500) AS s (n)"),
            Kind::Sqlite => (
                "unhex(printf('%032x', n))",
                "(WITH RECURSIVE c (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c WHERE n < 1500) SELECT n FROM c)",
            ),
        };
        let fill = format!(
            "INSERT INTO audit_log (id, created_at, user_id, is_admin, credential, origin, action, objects, object_count)
             SELECT {id}, {now} - (n % 2) * {day} * 10, 'alice', {}, 'local', 'request', 'createPrompt', '[]', 1 FROM {numbers}",
            if database.kind == Kind::Postgres { "FALSE" } else { "0" },
        );
        database.execute(&fill).await;
        let _retention = Retention::start(database.database.clone(), DAY * 5);
        let removed = async || database.count("audit_log").await == 750;
        eventually(Duration::from_secs(20), "the old ones are gone", removed).await;
    }
}
