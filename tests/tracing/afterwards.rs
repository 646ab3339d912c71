//! Requests that nobody meant to record, and that have spans all the same: slow ones, failed ones, and what an administrator
//! asks for.

use std::time::{Duration, SystemTime};

use evalgraph::domain::Principal;
use evalgraph::telemetry::TraceSettings;
use opentelemetry::trace::{SpanId, Status};
use opentelemetry_sdk::trace::SpanData;
use serde_json::{Value, json};

use crate::common::log::{lines_about, recorded_spans};
use crate::common::{Reply, TestDatabase, TestServer, eventually, on_both_databases, sql};
use crate::recorded::{MARKER, Trace, attribute};

const QUERY: &str = "query Named { prompts { totalCount } }";

async fn server(database: &TestDatabase, slow: Duration, principal: Principal) -> TestServer {
    let tracing = TraceSettings { slow, ..TraceSettings::default() };
    TestServer::with(TestServer::app(database.database.clone()).with_tracing(tracing), principal).await
}

/// The spans of the trace in which a request's own span is.
async fn spans_about(reply: &Reply) -> Vec<SpanData> {
    let id = reply.request_id().unwrap();
    let of_request = || {
        let mut all = recorded_spans().into_iter();
        all.find(|span| attribute(span, "evalgraph.request.id").as_deref() == Some(id))
    };
    eventually(Duration::from_secs(10), "the request has a span", async || of_request().is_some()).await;
    let trace_id = of_request().unwrap().span_context.trace_id();
    recorded_spans().into_iter().filter(|span| span.span_context.trace_id() == trace_id).collect()
}

fn named<'a>(spans: &'a [SpanData], name: &str) -> &'a SpanData {
    spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no {name}: {spans:#?}"))
}

on_both_databases! {
    async fn a_slow_request_has_spans_of_itself_and_its_operation(database: TestDatabase) {
        let server = server(&database, Duration::ZERO, Principal::local()).await;
        let before = SystemTime::now();
        let reply = server.send(QUERY, json!({})).await;
        let spans = spans_about(&reply).await;
        assert_eq!(spans.len(), 2, "{spans:#?}");
        let (request, operation) = (named(&spans, "POST /graphql"), named(&spans, "query"));
        assert_eq!(request.parent_span_id, SpanId::INVALID);
        assert_eq!(operation.parent_span_id, request.span_context.span_id());
        assert_eq!(attribute(operation, "graphql.operation.name").as_deref(), Some("Named"));
        assert!(attribute(operation, "graphql.document.hash").unwrap().starts_with("sha256:"));
        assert_eq!(attribute(request, "http.response.status_code").as_deref(), Some("200"));
        let times = [before, request.start_time, operation.start_time, operation.end_time, request.end_time];
        assert!(times.is_sorted() && request.end_time <= SystemTime::now(), "{times:?}");
        // The client and the log know which trace it is.
        let trace_id = request.span_context.trace_id().to_string();
        let expected = format!("00-{trace_id}-{}-01", request.span_context.span_id());
        assert_eq!(reply.headers["traceparent"].to_str().unwrap(), expected);
        assert_eq!(lines_about(reply.request_id().unwrap())[0]["trace_id"], Value::from(trace_id));
    }

    async fn a_fast_request_has_none(database: TestDatabase) {
        let server = server(&database, Duration::from_secs(3600), Principal::local()).await;
        let reply = server.send(QUERY, json!({})).await;
        let fault_of_client = server.send("{ prompts(after: \"no cursor\") { totalCount } }", json!({})).await;
        for reply in [reply, fault_of_client] {
            assert!(!reply.headers.contains_key("traceparent"));
            assert_eq!(lines_about(reply.request_id().unwrap())[0]["trace_id"], Value::Null);
        }
    }

    async fn a_failed_request_has_spans_with_its_errors(database: TestDatabase) {
        sql::execute(&database.location, "ALTER TABLE runs RENAME TO hidden_runs").await;
        let server = server(&database, Duration::from_secs(3600), Principal::local()).await;
        let trace = Trace::unsampled();
        let query = format!("{{ runs(filter: {{ name: \"{MARKER}\" }}) {{ totalCount }} }}");
        let reply = trace.send(&server, &query, json!({})).await;
        let spans = spans_about(&reply).await;
        // The trace goes on that the client spoke of.
        let (request, operation) = (named(&spans, "POST /graphql"), named(&spans, "query"));
        assert_eq!(request.span_context.trace_id().to_string(), trace.id);
        assert_eq!(request.parent_span_id.to_string(), "00f067aa0ba902b7");
        assert!(matches!(operation.status, Status::Error { .. }));
        assert_eq!(attribute(operation, "error.type").as_deref(), Some("INTERNAL"));
        let event = operation.events.events.first().unwrap();
        let told: Vec<_> = event.attributes.iter().map(|attribute| attribute.value.to_string()).collect();
        assert_eq!((event.name.as_ref(), &told[..2]), ("graphql.error", &["INTERNAL".to_owned(), "runs.totalCount".to_owned()][..]));
        assert!(!format!("{spans:?}").contains(MARKER), "a value is in a span");
    }

    async fn an_administrator_may_ask_for_a_trace_and_nobody_else(database: TestDatabase) {
        for (is_admin, value, is_recorded) in [(true, "1", true), (true, "0", false), (false, "1", false)] {
            let principal = Principal { is_admin, ..Principal::local() };
            let server = server(&database, Duration::from_secs(3600), principal).await;
            let request = server.client.post(server.url("/graphql")).header("x-evalgraph-trace", value);
            let reply = Reply::of(request.json(&json!({ "query": QUERY }))).await;
            assert_eq!(reply.headers.contains_key("traceparent"), is_recorded, "{is_admin} {value}");
            if is_recorded {
                let spans = spans_about(&reply).await;
                let statement = named(&spans, "SELECT prompts");
                assert_ne!(statement.parent_span_id, SpanId::INVALID);
                named(&spans, "PromptConnection.totalCount");
            }
        }
    }
}
