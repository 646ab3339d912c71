//! The tier that several servers share.

use crate::common::log::{capture_log, recorded_spans};
use crate::common::{EvaluationBuilder, Kind, PromptBuilder, RedisServer, Reply, TestDatabase, global_id};
use crate::instance::{Instance, shared_tier};

async fn two(database: &TestDatabase, redis: &RedisServer) -> (Instance, Instance) {
    let settings = shared_tier(&redis.url());
    let (one, other) =
        tokio::join!(Instance::start(&database.location, &settings), Instance::start(&database.location, &settings));
    tokio::join!(one.shares(), other.shares());
    (one, other)
}

/// Asks until nothing is read from the database any more: entries are stored beside the answers, and on the second asking.
async fn until_remembered(instance: &Instance, query: &str) {
    for _ in 0..50 {
        if instance.statements(query).await == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("it is never remembered: {query}; {}", instance.cache.report());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_server_has_read_another_need_not() {
    let (database, redis) = (TestDatabase::postgres().await, RedisServer::start(&[]).await);
    let prompt = PromptBuilder::new().title("old").insert(&database).await;
    let (one, other) = two(&database, &redis).await;
    let query = format!("{{ prompt(id: \"{}\") {{ title }} }}", global_id("Prompt", prompt.id));
    until_remembered(&one, &query).await;
    let reply = other.server.send(&query, serde_json::json!({})).await;
    assert_eq!(reply.statements(), 0, "{:?}", reply.body);
    assert_eq!(reply.body["extensions"]["evalgraph"]["loaders"]["promptById"]["redisHits"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_has_the_commands_and_neither_keys_nor_values() {
    let (database, redis) = (TestDatabase::postgres().await, RedisServer::start(&[]).await);
    let prompt = PromptBuilder::new().title("old").insert(&database).await;
    let (one, _other) = two(&database, &redis).await;
    let query = format!("{{ prompt(id: \"{}\") {{ title }} }}", global_id("Prompt", prompt.id));
    until_remembered(&one, &query).await;
    capture_log();
    let trace_id = format!("{:032x}", uuid::Uuid::now_v7().as_u128());
    let request = one.server.client.post(one.server.url("/graphql"));
    let request = request.header("traceparent", format!("00-{trace_id}-00f067aa0ba902b7-01"));
    Reply::of(request.json(&serde_json::json!({ "query": query }))).await;
    let spans: Vec<_> =
        recorded_spans().into_iter().filter(|span| span.span_context.trace_id().to_string() == trace_id).collect();
    let lookup = spans.iter().find(|span| span.name == "MGET").unwrap_or_else(|| panic!("{spans:#?}"));
    let mut told: Vec<_> =
        lookup.attributes.iter().map(|attribute| format!("{}={}", attribute.key, attribute.value)).collect();
    told.sort();
    // The entry, and the generation that it depends on.
    assert_eq!(told, ["db.operation.batch.size=2", "db.operation.name=MGET", "db.system.name=redis"]);
    let batch = spans.iter().find(|span| span.span_context.span_id() == lookup.parent_span_id).unwrap();
    let hits = batch.attributes.iter().find(|attribute| attribute.key.as_str() == "evalgraph.cache.redis.hit_count");
    assert_eq!(
        (batch.name.as_ref(), hits.unwrap().value.to_string()),
        ("GraphQL DataLoader Batch promptById", "1".to_owned())
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_server_changes_another_sees_at_once() {
    let (database, redis) = (TestDatabase::postgres().await, RedisServer::start(&[]).await);
    let prompt = PromptBuilder::new().insert(&database).await;
    let (one, other) = two(&database, &redis).await;
    let id = global_id("Prompt", prompt.id);
    let query = format!("{{ prompt(id: \"{id}\") {{ title evaluationCount }} }}");
    for round in 0..20 {
        until_remembered(&one, &query).await;
        let change =
            format!("mutation {{ updatePrompt(input: {{ id: \"{id}\", title: \"{round}\" }}) {{ prompt {{ id }} }} }}");
        other.server.data(&change).await;
        assert_eq!(one.server.data(&query).await["prompt"]["title"], round.to_string());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_is_one_question() {
    let (database, redis) = (TestDatabase::new(Kind::Postgres).await, RedisServer::start(&[]).await);
    for number in 0..30 {
        let prompt = PromptBuilder::new().user("ada").title(&format!("prompt {number}")).insert(&database).await;
        EvaluationBuilder::of(&prompt).insert(&database).await;
    }
    let (one, _other) = two(&database, &redis).await;
    let query = "{ prompts(first: 30, filter: { userId: \"ada\" }) { nodes { title evaluations(first: 2) { nodes { model } } } } }";
    until_remembered(&one, query).await;
    let before = redis.calls("mget");
    assert_eq!(one.statements(query).await, 0);
    // The list of prompts, and the evaluations of all of them.
    assert_eq!(redis.calls("mget") - before, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_changed_behind_the_servers_back_is_carried_out() {
    let (database, redis) = (TestDatabase::postgres().await, RedisServer::start(&[]).await);
    let prompt = PromptBuilder::new().title("old").insert(&database).await;
    let (one, _other) = two(&database, &redis).await;
    let query = format!("{{ prompt(id: \"{}\") {{ title }} }}", global_id("Prompt", prompt.id));
    until_remembered(&one, &query).await;
    database.execute("UPDATE prompts SET title = 'new'").await;
    let is_seen = async || one.server.data(&query).await["prompt"]["title"] == "new";
    crate::common::eventually(std::time::Duration::from_secs(5), "the change is seen", is_seen).await;
}
