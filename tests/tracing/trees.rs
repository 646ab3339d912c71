//! Which spans there are below which, and what is in none.

use std::time::Duration;

use evalgraph::cache::{Cache, Follower};
use evalgraph::config::Settings;
use evalgraph::domain::Principal;
use evalgraph::telemetry::TraceSettings;
use opentelemetry::trace::{SpanKind, Status};
use opentelemetry_sdk::trace::SpanData;
use serde_json::json;

use crate::common::log::{lines_about, recorded_spans};
use crate::common::{Kind, PromptBuilder, Reply, TestServer, eventually, on_both_databases, small_pools, sql};
use crate::recorded::{MARKER, Trace, attribute};

/// The lines of a tree, in an order that does not depend on which of two that ran beside one another began first.
fn shape(tree: &str) -> Vec<String> {
    let mut lines: Vec<_> = tree.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

on_both_databases! {
    async fn a_nested_query_has_spans_of_resolvers_batches_and_statements(database: TestDatabase) {
        for _ in 0..2 {
            PromptBuilder::new().insert(&database).await;
        }
        let server = TestServer::start(&database).await;
        let trace = Trace::sampled();
        let query = "query Nested($n: Int) { some: prompts(first: $n) { nodes { ...Evaluated } } }
                     fragment Evaluated on Prompt { evaluations(first: 1) { totalCount nodes { id } } }";
        let reply = trace.send(&server, query, json!({ "n": 2 })).await;
        assert_eq!(reply.body["data"]["some"]["nodes"].as_array().unwrap().len(), 2);
        let traceparent = reply.headers["traceparent"].to_str().unwrap();
        assert!(traceparent.starts_with(&format!("00-{}-", trace.id)), "{traceparent}");
        insta::assert_snapshot!("nested_query", trace.tree().await);
    }

    async fn a_mutation_has_spans_of_its_statements(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let trace = Trace::sampled();
        let mutation = "mutation Make($input: CreatePromptInput!) { createPrompt(input: $input) { prompt { id } } }";
        let input = json!({ "title": MARKER, "content": MARKER, "tags": [MARKER], "metadata": { "key": MARKER } });
        let reply = trace.send(&server, mutation, json!({ "input": input })).await;
        assert!(reply.body.get("errors").is_none(), "{:#}", reply.body);
        let tree = trace.tree().await;
        assert!(tree.contains("\n  mutation"), "{tree}");
        assert!(tree.contains("INSERT prompts"), "{tree}");
        let spans = format!("{:?}", trace.spans());
        assert!(!spans.contains(MARKER), "a value is in a span");
        let of_database = match database.kind {
            Kind::Postgres => "mutation_postgres",
            Kind::Sqlite => "mutation_sqlite",
        };
        insta::assert_snapshot!(of_database, tree);
    }

    async fn a_cache_hit_has_a_batch_without_statements(database: TestDatabase) {
        PromptBuilder::new().insert(&database).await;
        let settings = Settings::default();
        let pools = evalgraph::db::pool::PoolSettings { carries_out: true, ..small_pools() };
        let store = evalgraph::db::Database::open(&database.location, &pools).await.unwrap();
        let cache = Cache::new(&settings.cache().unwrap()).unwrap();
        let (_follower, store) = Follower::start(&cache, store);
        eventually(Duration::from_secs(10), "the cache is believed", async || cache.is_believed()).await;
        let app = TestServer::app(store).with_cache(Some(cache));
        let server = TestServer::with(app, Principal { is_admin: false, ..Principal::local() }).await;
        let query = "{ prompts { nodes { title } } }";
        server.data(query).await;
        let trace = Trace::sampled();
        trace.send(&server, query, json!({})).await;
        insta::assert_snapshot!("cache_hit", trace.tree().await);
    }

    async fn what_the_client_says_of_its_trace_is_kept(database: TestDatabase) {
        let app = TestServer::app(database.database.clone()).with_tracing(TraceSettings {
            baggage: ["tenant".to_owned()].into(),
            ..TraceSettings::default()
        });
        let server = TestServer::with(app, Principal::local()).await;
        let trace = Trace::sampled();
        let request = trace.request(&server).header("tracestate", "vendor=1").header("tracestate", "other=2");
        let request = request.header("baggage", format!("tenant=acme,secret={MARKER}"));
        let reply = Reply::of(request.json(&json!({ "query": "{ prompts { totalCount } }" }))).await;
        trace.tree().await;
        for span in trace.spans() {
            assert_eq!(span.span_context.trace_state().header(), "vendor=1,other=2", "{}", span.name);
        }
        let of_request = trace.span("POST /graphql");
        assert_eq!(of_request.span_kind, SpanKind::Server);
        assert_eq!(attribute(&of_request, "baggage.tenant").as_deref(), Some("acme"));
        assert_eq!(attribute(&of_request, "evalgraph.request.id").as_deref(), reply.request_id());
        assert!(!format!("{:?}", trace.spans()).contains(MARKER), "baggage is recorded that was not to be");
        let told = reply.headers["traceparent"].to_str().unwrap();
        assert_eq!(told, format!("00-{}-{}-01", trace.id, of_request.span_context.span_id()));
        let lines = lines_about(reply.request_id().unwrap());
        assert_eq!(lines[0]["trace_id"], trace.id);
    }

    async fn requests_at_the_same_time_do_not_mix_their_spans(database: TestDatabase) {
        for _ in 0..3 {
            PromptBuilder::new().insert(&database).await;
        }
        let server = TestServer::start(&database).await;
        let query = "{ prompts { nodes { evaluations { totalCount } versions { totalCount } } } }";
        let ask = async || {
            let trace = Trace::sampled();
            trace.send(&server, query, json!({})).await;
            trace.tree().await
        };
        let alone = shape(&ask().await);
        let trees = futures_util::future::join_all((0..24).map(|_| ask())).await;
        for tree in trees {
            assert_eq!(shape(&tree), alone);
        }
    }

    async fn an_error_is_recorded_where_it_arises_and_a_client_s_fault_is_none_of_the_server(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let trace = Trace::sampled();
        let reply = trace.send(&server, "{ prompts(after: \"no cursor\") { totalCount } }", json!({})).await;
        assert_eq!(reply.body["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
        insta::assert_snapshot!("client_fault", trace.tree().await);
        let of_request = trace.spans().into_iter().find(|span| span.name == "POST /graphql").unwrap();
        assert_eq!(of_request.status, Status::Unset);
    }

    async fn a_statement_that_fails_marks_everything_that_waits_for_it(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        sql::execute(&database.location, "ALTER TABLE runs RENAME TO hidden_runs").await;
        let trace = Trace::sampled();
        let reply = trace.send(&server, "{ runs { totalCount } }", json!({})).await;
        assert_eq!(reply.body["errors"][0]["extensions"]["code"], "INTERNAL");
        let tree = trace.tree().await;
        let failed: Vec<_> = trace.spans().into_iter().filter(|span| matches!(span.status, Status::Error { .. })).collect();
        let names: Vec<_> = failed.iter().map(|span| span.name.as_ref()).collect();
        for name in ["RunConnection.totalCount", "GraphQL DataLoader Batch runCount", "GraphQL Operation Execution", "query"] {
            assert!(names.contains(&name), "{name} is not marked: {tree}");
        }
    }

    async fn an_unsampled_request_has_no_span(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let trace = Trace::unsampled();
        let reply = trace.send(&server, "{ prompts { totalCount nodes { id } } }", json!({})).await;
        assert!(!reply.headers.contains_key("traceparent"));
        let own = server.send("{ prompts { totalCount } }", json!({})).await;
        // What was recorded is sent when it ends, so a trace that is recorded comes after it.
        let recorded_trace = Trace::sampled();
        recorded_trace.send(&server, "{ prompts { totalCount } }", json!({})).await;
        recorded_trace.tree().await;
        assert_eq!(trace.spans().len(), 0);
        let request_ids = [reply.request_id(), own.request_id()];
        let is_of_one = |span: &SpanData| request_ids.contains(&attribute(span, "evalgraph.request.id").as_deref());
        assert!(!recorded_spans().iter().any(is_of_one));
        // The log knows all the same of which trace the client spoke.
        let lines = lines_about(reply.request_id().unwrap());
        assert_eq!(lines[0]["trace_id"], trace.id);
        assert_eq!(lines_about(own.request_id().unwrap())[0]["trace_id"], serde_json::Value::Null);
    }

    async fn values_and_secrets_are_in_no_span(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let inputs = [
            (format!("{{ prompts(filter: {{ search: \"{MARKER}\" }}) {{ totalCount nodes {{ id }} }} }}"), json!({})),
            (format!("{{ promptByName(name: \"{MARKER}\") {{ id }} }}"), json!({})),
            (format!("{{ node(id: \"{MARKER}\") {{ id }} }}"), json!({})),
            (format!("{{ prompts(after: \"{MARKER}\") {{ totalCount }} }}"), json!({})),
            (format!("{{ # {MARKER}\n unknown(x: \"{MARKER}\") }}"), json!({})),
            (format!("{{ \"{MARKER}\" "), json!({})),
            ("query($n: Int) { prompts(first: $n) { totalCount } }".to_owned(), json!({ "n": MARKER })),
        ];
        for (query, variables) in inputs {
            let trace = Trace::sampled();
            let request = server.client.post(server.url(&format!("/graphql?token={MARKER}")));
            let request = request.header("traceparent", &trace.header).bearer_auth(MARKER).header("cookie", MARKER);
            Reply::of(request.json(&json!({ "query": query, "variables": variables }))).await;
            trace.tree().await;
            let spans = format!("{:?}", trace.spans());
            assert!(!spans.contains(MARKER), "{query}: {spans}");
        }
    }

    async fn a_request_whose_client_leaves_has_a_span_that_says_so(database: TestDatabase) {
        let slow = match database.kind {
            Kind::Postgres => "CREATE VIEW runs AS SELECT 1 AS id FROM pg_sleep(30)".to_owned(),
            Kind::Sqlite => "CREATE VIEW runs AS WITH RECURSIVE counter (id) AS
                (SELECT 1 UNION ALL SELECT id + 1 FROM counter LIMIT 3000000) SELECT id FROM counter".to_owned(),
        };
        sql::execute(&database.location, &format!("ALTER TABLE runs RENAME TO hidden_runs; {slow}")).await;
        let server = TestServer::start(&database).await;
        let trace = Trace::sampled();
        let question = trace.send(&server, "{ runs { totalCount } }", json!({}));
        assert!(tokio::time::timeout(Duration::from_millis(400), question).await.is_err());
        let tree = trace.tree().await;
        assert!(tree.starts_with("POST /graphql request.cancelled=true\n"), "{tree}");
    }
}
