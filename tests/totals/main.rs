//! What prompts, runs and models come to: figures that are kept, and figures that are computed on demand.

#[path = "../common/mod.rs"]
mod common;

mod command;
mod extremes;
mod model;
mod random;
mod writers;

use evalgraph::db::evaluations::NewEvaluation;
use evalgraph::db::totals::{self, Difference};
use evalgraph::db::{StatementCount, insert};
use evalgraph::domain::PromptId;

use crate::common::{TestDatabase, TestServer, global_id, on_both_databases};

/// Stores evaluations, all at once, as every transaction that writes them does.
async fn store(database: &TestDatabase, rows: Vec<NewEvaluation>) {
    let stored = database.write(|connection| {
        Box::pin(async move {
            let prompts: Vec<_> = rows.iter().map(|row| row.prompt_id).collect();
            insert::evaluations(connection, rows).await?;
            totals::refresh(connection, prompts).await
        })
    });
    stored.await;
}

/// Computes the totals of these prompts anew.
async fn refresh(database: &TestDatabase, prompts: Vec<PromptId>) {
    database.write(|connection| Box::pin(async move { totals::refresh(connection, prompts).await })).await;
}

/// Every total that is wrong.
async fn differences(database: &TestDatabase) -> Vec<Difference> {
    let mut differences = Vec::new();
    let verified = totals::verify(&database.database, |difference| differences.push(difference.clone())).await.unwrap();
    assert_eq!(usize::try_from(verified.differences).unwrap(), differences.len());
    differences
}

/// Every total of a prompt that is wrong, where evaluations have totals without results.
async fn wrong_prompts(database: &TestDatabase) -> Vec<Difference> {
    differences(database).await.into_iter().filter(|difference| difference.subject.starts_with("prompt")).collect()
}

on_both_databases! {
    async fn an_empty_database_has_empty_lists(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let query = "{ promptLeaderboard(minEvaluations: 1) { averageScore } modelLeaderboard { model }
                       recent: modelLeaderboard(since: \"2026-01-01T00:00:00Z\") { model } }";
        let expected = serde_json::json!({ "promptLeaderboard": [], "modelLeaderboard": [], "recent": [] });
        assert_eq!(server.data(query).await, expected);
        assert_eq!(differences(&database).await, []);
    }
}
