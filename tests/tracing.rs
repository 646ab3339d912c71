//! What traces have of a request: which spans there are below which, and what is never in them.

mod common;

use std::fmt::Write as _;
use std::sync::OnceLock;
use std::time::Duration;

use common::{PromptBuilder, Reply, TestServer, eventually, on_both_databases};
use opentelemetry::trace::{SpanId, Status};
use opentelemetry_sdk::trace::{InMemorySpanExporter, Sampler, SdkTracerProvider, SpanData};
use serde_json::{Value, json};

const MARKER: &str = "marker-of-a-secret";

/// What was recorded by this process. Requests that say nothing of it are not recorded.
fn recorded() -> &'static InMemorySpanExporter {
    static EXPORTER: OnceLock<InMemorySpanExporter> = OnceLock::new();
    EXPORTER.get_or_init(|| {
        let exporter = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOff)))
            .with_simple_exporter(exporter.clone())
            .build();
        assert!(evalgraph::telemetry::install(&provider));
        exporter
    })
}

/// A trace that a client began, and its header.
struct Trace {
    id: String,
    header: String,
}

impl Trace {
    fn new(flags: &str) -> Self {
        recorded();
        let id = format!("{:032x}", uuid::Uuid::now_v7().as_u128());
        Self { header: format!("00-{id}-00f067aa0ba902b7-{flags}"), id }
    }

    fn sampled() -> Self {
        Self::new("01")
    }

    async fn send(&self, server: &TestServer, query: &str, variables: Value) -> Reply {
        let request = server.client.post(server.url("/graphql")).header("traceparent", &self.header);
        Reply::of(request.json(&json!({ "query": query, "variables": variables }))).await
    }

    fn spans(&self) -> Vec<SpanData> {
        let all = recorded().get_finished_spans().unwrap();
        all.into_iter().filter(|span| span.span_context.trace_id().to_string() == self.id).collect()
    }

    /// The spans, each below its parent. The last is the request's own, so it is waited for.
    async fn tree(&self) -> String {
        let is_whole = async || self.spans().iter().any(|span| span.name.ends_with("/graphql"));
        eventually(Duration::from_secs(10), "the request's span ends", is_whole).await;
        let mut spans = self.spans();
        spans.sort_by_key(|span| span.start_time);
        let mut tree = String::new();
        write_below(&mut tree, &spans, "00f067aa0ba902b7".to_owned(), 0);
        tree
    }
}

fn attribute(span: &SpanData, name: &str) -> Option<String> {
    span.attributes.iter().find(|attribute| attribute.key.as_str() == name).map(|found| found.value.to_string())
}

fn write_below(tree: &mut String, spans: &[SpanData], parent: String, depth: usize) {
    let below = spans.iter().filter(|span| span.parent_span_id.to_string() == parent);
    // PostgreSQL and SQLite differ in what comes before a statement.
    for span in below.filter(|span| !["BEGIN", "COMMIT"].iter().any(|verb| span.name.starts_with(verb))) {
        let _ = write!(tree, "{:1$}{2}", "", depth * 2, span.name);
        for name in [
            "graphql.field.path",
            "graphql.field.arguments",
            "graphql.dataloader.name",
            "graphql.dataloader.batch.size",
            "graphql.operation.name",
            "http.response.status_code",
            "evalgraph.request.cancelled",
            "error.type",
        ] {
            if let Some(value) = attribute(span, name) {
                let _ = write!(tree, " {}={value}", name.rsplit('.').next().unwrap());
            }
        }
        for link in &span.links.links {
            let coordinate = link.attributes.first().map(|attribute| attribute.value.to_string()).unwrap_or_default();
            assert!(is_known(spans, link.span_context.span_id()), "a link leads to no span: {coordinate}");
            let _ = write!(tree, " <-{coordinate}");
        }
        for event in &span.events.events {
            let attributes: Vec<_> = event.attributes.iter().map(|attribute| attribute.value.to_string()).collect();
            let _ = write!(tree, " !{} {}", event.name, attributes.join(" "));
        }
        tree.push('\n');
        write_below(tree, spans, span.span_context.span_id().to_string(), depth + 1);
    }
}

fn is_known(spans: &[SpanData], id: SpanId) -> bool {
    spans.iter().any(|span| span.span_context.span_id() == id)
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
        common::sql::execute(&database.location, "ALTER TABLE runs RENAME TO hidden_runs").await;
        let trace = Trace::sampled();
        let reply = trace.send(&server, "{ runs { totalCount } }", json!({})).await;
        assert_eq!(reply.body["errors"][0]["extensions"]["code"], "INTERNAL");
        let tree = trace.tree().await;
        let failed: Vec<_> = trace.spans().into_iter().filter(|span| matches!(span.status, Status::Error { .. })).collect();
        let names: Vec<_> = failed.iter().map(|span| span.name.as_ref()).collect();
        for name in ["RunConnection.totalCount", "graphql.dataloader.batch", "query"] {
            assert!(names.contains(&name), "{name} is not marked: {tree}");
        }
    }

    async fn an_unsampled_request_has_no_span(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let trace = Trace::new("00");
        let reply = trace.send(&server, "{ prompts { totalCount nodes { id } } }", json!({})).await;
        assert!(!reply.headers.contains_key("traceparent"));
        server.data("{ prompts { totalCount } }").await;
        // What was recorded is sent when it ends, so a trace that is recorded comes after it.
        let recorded_trace = Trace::sampled();
        recorded_trace.send(&server, "{ prompts { totalCount } }", json!({})).await;
        recorded_trace.tree().await;
        assert_eq!(trace.spans().len(), 0);
        let others = recorded().get_finished_spans().unwrap();
        let is_of_another = |span: &&SpanData| span.span_context.trace_id().to_string() != recorded_trace.id;
        assert_eq!(others.iter().filter(is_of_another).count(), 0);
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
            common::Kind::Postgres => "CREATE VIEW runs AS SELECT 1 AS id FROM pg_sleep(30)".to_owned(),
            common::Kind::Sqlite => "CREATE VIEW runs AS WITH RECURSIVE counter (id) AS
                (SELECT 1 UNION ALL SELECT id + 1 FROM counter LIMIT 3000000) SELECT id FROM counter".to_owned(),
        };
        common::sql::execute(&database.location, &format!("ALTER TABLE runs RENAME TO hidden_runs; {slow}")).await;
        let server = TestServer::start(&database).await;
        let trace = Trace::sampled();
        let question = trace.send(&server, "{ runs { totalCount } }", json!({}));
        assert!(tokio::time::timeout(Duration::from_millis(400), question).await.is_err());
        let tree = trace.tree().await;
        assert!(tree.starts_with("POST /graphql cancelled=true\n"), "{tree}");
    }
}
