//! An entry is there with the change, and not without it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use evalgraph::db::audit::record;
use evalgraph::db::changes::Changes;
use evalgraph::db::transaction::Aborted;
use evalgraph::db::{DbConnection, StatementCount};
use evalgraph::domain::{Deed, Principal, PromptId};
use evalgraph::writes::{Outcome, Write, perform};
use futures_util::future::join_all;
use serde_json::json;

use crate::common::process::{Server, evalgraph_on};
use crate::common::{Kind, PromptBuilder, TestDatabase, TestServer, eventually, global_id, on_both_databases, sql};

/// A change that collides with others at first, as late as can be.
struct Collides {
    attempts: AtomicUsize,
    failures: usize,
    kind: Kind,
}

impl Write for Collides {
    type Output = ();

    async fn run(&self, connection: &mut DbConnection, principal: &Principal) -> Outcome<()> {
        let attempt = self.attempts.fetch_add(1, Ordering::SeqCst);
        let id = self.kind.literal(uuid::Uuid::now_v7());
        let insert = format!(
            "INSERT INTO prompt_templates (id, name, template, category) VALUES ({id}, 'attempt {attempt}', 'T', 'c')"
        );
        connection.batch_execute(&insert).await?;
        let changes = Changes { prompts: vec![PromptId::generate()], ..Changes::default() };
        if attempt < self.failures {
            // As if it was the commit that failed, when the entry was written already.
            let deed = Deed::command("an attempt that failed", &principal.user_id);
            record(connection, &deed, &changes).await?;
            let collision = DatabaseErrorKind::SerializationFailure;
            return Err(Aborted::Statement(DieselError::DatabaseError(collision, Box::new("collided".to_owned()))));
        }
        Ok(((), changes))
    }
}

async fn actions(database: &TestDatabase) -> Vec<String> {
    sql::texts(&database.location, "SELECT action AS value FROM audit_log ORDER BY created_at, id").await
}

/// How many prompts have another number of entries than one.
const NOT_ONE: &str = "SELECT count(*) AS value FROM prompts
    WHERE 1 <> (SELECT count(*) FROM audit_log_objects WHERE object_id = prompts.id)";

on_both_databases! {
    async fn a_change_that_is_tried_again_has_one(database: TestDatabase) {
        let write = Collides { attempts: AtomicUsize::new(0), failures: 3, kind: database.kind };
        let made = perform(&database.database, &StatementCount::default(), Deed::command("a deed", "alice"), write).await;
        made.unwrap().unwrap();
        assert_eq!(actions(&database).await, ["a deed"]);
        assert_eq!(database.count("audit_log_objects").await, 1);
        let names = "SELECT name AS value FROM prompt_templates";
        assert_eq!(sql::texts(&database.location, names).await, ["attempt 3"]);
        // One that never succeeds has none.
        let write = Collides { attempts: AtomicUsize::new(0), failures: usize::MAX, kind: database.kind };
        let made = perform(&database.database, &StatementCount::default(), Deed::command("a deed", "alice"), write).await;
        assert!(made.is_err());
        assert_eq!(actions(&database).await, ["a deed"]);
    }

    async fn changes_at_the_same_time_have_one_each(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let prompts = [PromptBuilder::new().insert(&database).await, PromptBuilder::new().insert(&database).await];
        let [one, two] = prompts.map(|prompt| global_id("Prompt", prompt.id));
        let change = "mutation ($ids: [ID!]!, $title: String!) {
            updatePromptStatuses(ids: $ids, status: DRAFT) { affected }
            createPrompt(input: { title: $title, content: \"c\" }) { prompt { id } } }";
        let requests = (0..24).map(|number| {
            let ids = if number % 2 == 0 { [&one, &two] } else { [&two, &one] };
            server.ask(change, json!({ "ids": ids, "title": format!("{number}") }))
        });
        let affected: i64 = join_all(requests).await.iter().map(|data| data["updatePromptStatuses"]["affected"].as_i64().unwrap()).sum();
        let actions = actions(&database).await;
        assert_eq!(actions.iter().filter(|action| *action == "createPrompt").count(), 24);
        // The first made drafts of them, and the others nothing.
        assert_eq!(affected, 2);
        assert_eq!(actions.iter().filter(|action| *action == "updatePromptStatuses").count(), 1);
        let requests = sql::numbers(&database.location, "SELECT count(DISTINCT request_id) AS value FROM audit_log").await;
        assert_eq!(requests, [24]);
    }

    async fn nothing_is_there_of_a_change_whose_server_was_killed(database: TestDatabase) {
        for _ in 0..3 {
            let server = Server::start(&mut evalgraph_on(&database.location, &["serve", "--listen=127.0.0.1:0"]));
            let url = format!("http://{}/graphql", server.address);
            let sent = Arc::new(AtomicUsize::new(0));
            let clients: Vec<_> = (0..8).map(|_| {
                let (url, sent, client) = (url.clone(), Arc::clone(&sent), reqwest::Client::new());
                tokio::spawn(async move {
                    let create = json!({ "query": "mutation { createPrompt(input: { title: \"T\", content: \"c\" }) { prompt { id } } }" });
                    while client.post(&url).json(&create).send().await.is_ok() {
                        sent.fetch_add(1, Ordering::Relaxed);
                    }
                })
            }).collect();
            eventually(Duration::from_secs(20), "some are made", async || sent.load(Ordering::Relaxed) > 40).await;
            server.signal("KILL");
            join_all(clients).await;
        }
        // PostgreSQL may need a moment to notice.
        let all_have_one = async || {
            sql::numbers(&database.location, NOT_ONE).await == [0]
                && database.count("prompts").await == database.count("audit_log").await
        };
        eventually(Duration::from_secs(5), "each prompt has its entry, and each entry its prompt", all_have_one).await;
        assert!(database.count("prompts").await > 100);
    }
}
