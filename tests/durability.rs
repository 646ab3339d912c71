//! What the server has acknowledged is there, and is right, though its process is killed.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::process::{Server, evalgraph_on};
use common::{Kind, TestDatabase, on_both_databases, sql};
use rand::RngExt as _;
use serde_json::{Value, json};

/// How often the server is killed.
const KILLS: usize = 30;
const WRITERS: usize = 4;
/// Results that are recorded by one request.
const RESULTS: usize = 20;

/// A request to a server that may be gone; `None` when it was, or had not answered.
async fn ask(address: &str, document: &str, variables: Value) -> Option<Value> {
    let request = reqwest::Client::new().post(format!("http://{address}/graphql"));
    let response = request.json(&json!({ "query": document, "variables": variables })).send().await.ok()?;
    let body: Value = response.json().await.ok()?;
    assert!(body.get("errors").is_none(), "{body:#}");
    Some(body["data"].clone())
}

/// An evaluation, and what was sent to be recorded in it.
struct Writer {
    evaluation: String,
    sent: usize,
    acknowledged: usize,
}

impl Writer {
    async fn new(address: &str) -> Self {
        let prompt =
            "mutation { createPromptWithEvaluation(prompt: { title: \"T\", content: \"C\" }) { evaluation { id } } }";
        let data = ask(address, prompt, json!({})).await.expect("the server is there");
        let id = data["createPromptWithEvaluation"]["evaluation"]["id"].as_str().unwrap();
        Self { evaluation: id.to_owned(), sent: 0, acknowledged: 0 }
    }

    /// Sends a batch of results, known by its number, and tells how many of them were new.
    async fn record(&self, address: &str, batch: usize) -> Option<usize> {
        let document = "mutation ($id: ID!, $results: [TestResultInput!]!) {
            recordTestResults(evaluationId: $id, results: $results) { recorded } }";
        let result = |number: usize| {
            json!({ "testCaseName": format!("batch {batch}"), "externalId": format!("{batch}/{number}"),
                    "inputData": {}, "score": 0.5, "passed": number.is_multiple_of(2), "tokenCount": 3 })
        };
        let results: Vec<_> = (0..RESULTS).map(result).collect();
        let data = ask(address, document, json!({ "id": self.evaluation, "results": results })).await?;
        data["recordTestResults"]["recorded"].as_u64().and_then(|count| count.try_into().ok())
    }

    /// Records until the server is gone.
    async fn write(mut self, address: &str, waiting: Arc<AtomicUsize>) -> Self {
        loop {
            self.sent += 1;
            waiting.fetch_add(1, Ordering::Relaxed);
            let recorded = self.record(address, self.sent).await;
            let Some(recorded) = recorded else { return self };
            waiting.fetch_sub(1, Ordering::Relaxed);
            assert_eq!(recorded, RESULTS);
            self.acknowledged = self.sent;
        }
    }

    /// What was acknowledged is known, and the one batch that was not is known as a whole or not at all.
    async fn check(&mut self, address: &str) {
        let known = self.acknowledged.saturating_sub(3)..self.acknowledged;
        for batch in known.map(|batch| batch + 1) {
            assert_eq!(self.record(address, batch).await, Some(0), "batch {batch} of {}", self.evaluation);
        }
        if self.sent > self.acknowledged {
            let recorded = self.record(address, self.sent).await.expect("the server is there");
            assert!(recorded == 0 || recorded == RESULTS, "{recorded} of batch {}", self.sent);
            self.acknowledged = self.sent;
        }
    }
}

/// Everything that holds whatever has happened.
async fn check_all(database: &TestDatabase, writers: &[Writer]) {
    if database.kind == Kind::Sqlite {
        assert_eq!(
            sql::texts(&database.location, "SELECT integrity_check AS value FROM pragma_integrity_check").await,
            ["ok"]
        );
        assert_eq!(
            sql::numbers(&database.location, "SELECT count(*) AS value FROM pragma_foreign_key_check").await,
            [0]
        );
    }
    let in_parts =
        "SELECT count(*) AS value FROM test_results GROUP BY evaluation_id, test_case_name HAVING count(*) <> 20";
    assert_eq!(sql::numbers(&database.location, in_parts).await, Vec::<i64>::new());
    let batches: usize = writers.iter().map(|writer| writer.acknowledged).sum();
    assert_eq!(database.count("test_results").await, i64::try_from(batches * RESULTS).unwrap());
    database.check_totals().await;
}

on_both_databases! {
    #[ignore = "takes long: scripts/test-long"]
    async fn what_was_acknowledged_survives_the_death_of_the_server(database: TestDatabase) {
        let start = || Server::start(&mut evalgraph_on(&database.location, &["serve", "--listen=127.0.0.1:0"]));
        let mut server = start();
        let mut writers = Vec::new();
        for _ in 0..WRITERS {
            writers.push(Writer::new(&server.address).await);
        }
        let mut in_the_middle = 0;
        for _ in 0..KILLS {
            let waiting = Arc::new(AtomicUsize::new(0));
            let address: Arc<str> = server.address.as_str().into();
            let writing = writers.drain(..).map(|writer| {
                let (address, waiting) = (Arc::clone(&address), Arc::clone(&waiting));
                tokio::spawn(async move { writer.write(&address, waiting).await })
            });
            let writing: Vec<_> = writing.collect();
            let pause = rand::rng().random_range(20..600);
            tokio::time::sleep(Duration::from_millis(pause)).await;
            in_the_middle += usize::from(waiting.load(Ordering::Relaxed) > 0);
            server.signal("KILL");
            for task in writing {
                writers.push(task.await.unwrap());
            }
            drop(server);
            server = start();
            for writer in &mut writers {
                writer.check(&server.address).await;
            }
            check_all(&database, &writers).await;
        }
        let acknowledged: usize = writers.iter().map(|writer| writer.acknowledged).sum();
        println!("{KILLS} kills, {in_the_middle} of them while somebody waited; {acknowledged} batches");
        assert!(in_the_middle > KILLS / 2 && acknowledged > KILLS, "{in_the_middle} {acknowledged}");
    }
}
