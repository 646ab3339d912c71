//! The report of slow statements.

use serde_json::{Value, json};

use crate::Operated;
use crate::common::process::{stderr, stdout};
use crate::common::{Kind, TestLocation, sql};

/// A server for which every statement is slow, after a named operation with this request id.
async fn slow_server(kind: Kind, request_id: &str) -> (Operated, TestLocation) {
    use diesel_async::SimpleAsyncConnection as _;
    let location = TestLocation::migrated(kind).await;
    let server = Operated::start(&location.location, &["--slow-statement-ms=1", "--cache-process=off"]);
    let ask = async || {
        let request = server.client.post(format!("http://{}/graphql", server.server.address));
        let query = json!({ "query": "query Board($title: String!) { prompts(filter: { userId: $title }) { totalCount nodes { title } } }", "variables": { "title": "a secret value" } });
        let reply = request.header("x-request-id", request_id).json(&query).send().await.unwrap();
        assert_eq!(reply.status(), 200);
        let body: Value = reply.json().await.unwrap();
        assert!(body.get("errors").is_none(), "{body}");
    };
    match kind {
        // Slow by nothing but a lock: how fast the machine is does not matter.
        Kind::Postgres => {
            let mut other = sql::postgres(&location.location).await;
            other.batch_execute("BEGIN; LOCK TABLE prompts IN ACCESS EXCLUSIVE MODE").await.unwrap();
            let (_, ()) = tokio::join!(
                async {
                    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
                    other.batch_execute("COMMIT").await.unwrap();
                },
                ask(),
            );
        }
        // The first statements of a process take their time; if not, there is nothing to be told.
        Kind::Sqlite => ask().await,
    }
    (server, location)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_statements_are_told_with_whom_they_were_for() {
    let (server, location) = slow_server(Kind::Postgres, "the-slow-one").await;
    let report = server.json("/slow-statements").await;
    assert_eq!(report["thresholdMs"], 1.0);
    let table = report["tables"].as_array().unwrap().iter().find(|group| group["table"] == "prompts").unwrap();
    assert_eq!((&table["operation"], &table["count"]), (&json!("SELECT"), &json!(2)));
    assert!(table["maxMs"].as_f64().unwrap() >= 1.0 && table["meanMs"].as_f64() <= table["maxMs"].as_f64());
    let groups = report["statements"].as_array().unwrap();
    let group = groups.iter().find(|group| group["table"] == "prompts").unwrap();
    assert_eq!((&group["lastOperationName"], &group["lastRequestId"]), (&json!("Board"), &json!("the-slow-one")));
    assert!(group["statement"].as_str().unwrap().contains("FROM \"prompts\"") && group.get("plan").is_none());
    assert!(!report.to_string().contains("a secret value"));

    let explained = server.json("/slow-statements?plans=true").await;
    let plans: Vec<&str> =
        explained["statements"].as_array().unwrap().iter().filter_map(|group| group["plan"].as_str()).collect();
    assert!(plans.iter().any(|plan| plan.contains("on prompts")), "{plans:?}");
    assert!(!plans.iter().any(|plan| plan.contains("cannot be explained")), "{plans:?}");
    // None was executed: there is no time in them, and nothing was asked of the pool.
    assert!(!plans.iter().any(|plan| plan.contains("actual time")), "{plans:?}");

    let told = stdout(&server.command(&location.location, &["slow-queries", "--plans"]));
    for expected in
        ["SELECT prompts: 2 times", "last operation Board, last request the-slow-one", "FROM \"prompts\"", "on prompts"]
    {
        assert!(told.contains(expected), "{expected}: {told}");
    }
    let told = stdout(&server.command(&location.location, &["slow-queries", "--json"]));
    assert_eq!(serde_json::from_str::<Value>(&told).unwrap()["thresholdMs"], 1.0);
    let samples = server.get("/metrics").await.text().await.unwrap();
    assert!(
        samples.contains("evalgraph_db_slow_statements_total{operation=\"SELECT\",table=\"prompts\"} 2"),
        "{samples}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_has_no_plans_to_tell() {
    let (server, _location) = slow_server(Kind::Sqlite, "any").await;
    let report = server.json("/slow-statements?plans=true").await;
    assert!(report["statements"].as_array().unwrap().iter().all(|group| group.get("plan").is_none()));
    assert_eq!(server.get("/slow-statements?plan=yes").await.status(), 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_kept_unless_it_is_wanted() {
    let location = TestLocation::migrated(Kind::Sqlite).await;
    let server = Operated::start(&location.location, &["--slow-statement-ms=0"]);
    assert_eq!(server.get("/slow-statements").await.status(), 404);
    let output = server.command(&location.location, &["slow-queries"]);
    assert!(stderr(&output).contains("keeps no slow statements"), "{}", stderr(&output));
}
