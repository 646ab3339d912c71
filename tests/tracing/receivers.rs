//! Receivers of spans, and servers that send them there.

use std::process::Command;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::net::TcpListener;

use crate::common::process::evalgraph_on;
use crate::common::{Kind, TestLocation};

/// What a receiver was sent.
#[derive(Clone, Default)]
pub struct Received(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

/// Begins to receive in this protocol, at the address that is returned.
pub async fn receive(protocol: &str) -> (String, Received) {
    let received = Received::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    match protocol {
        "grpc" => {
            let incoming = tonic::transport::server::TcpIncoming::from(listener);
            let service = TraceServiceServer::new(received.clone());
            tokio::spawn(tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming));
        }
        _ => {
            let routes = Router::new().route("/v1/traces", post(over_http)).with_state(received.clone());
            tokio::spawn(async move { axum::serve(listener, routes).await });
        }
    }
    (address, received)
}

async fn over_http(
    State(received): State<Received>,
    body: Bytes,
) -> ([(axum::http::HeaderName, &'static str); 1], Vec<u8>) {
    received.0.lock().unwrap().push(ExportTraceServiceRequest::decode(body).unwrap());
    ([(CONTENT_TYPE, "application/x-protobuf")], ExportTraceServiceResponse::default().encode_to_vec())
}

#[tonic::async_trait]
impl TraceService for Received {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, tonic::Status> {
        self.0.lock().unwrap().push(request.into_inner());
        Ok(tonic::Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Received {
    /// The spans of all traces.
    pub fn spans(&self) -> Vec<Span> {
        let requests = self.0.lock().unwrap().clone();
        let scopes =
            requests.into_iter().flat_map(|request| request.resource_spans).flat_map(|spans| spans.scope_spans);
        scopes.flat_map(|scope| scope.spans).collect()
    }

    /// An attribute of whoever sent the spans.
    pub fn resource(&self, name: &str) -> Option<String> {
        let requests = self.0.lock().unwrap();
        let resource = requests.first()?.resource_spans.first()?.resource.as_ref()?;
        let found = resource.attributes.iter().find(|attribute| attribute.key == name)?;
        match found.value.as_ref()?.value.as_ref()? {
            Value::StringValue(text) => Some(text.clone()),
            other => Some(format!("{other:?}")),
        }
    }

    /// The names of spans, from the root of a trace downwards, until the last of `names`, if the trace has that path.
    pub fn has_path(&self, names: &[&str]) -> bool {
        let spans = self.spans();
        let mut parents: Vec<Vec<u8>> = vec![Vec::new()];
        for name in names {
            let below = spans.iter().filter(|span| span.name == *name && parents.contains(&span.parent_span_id));
            parents = below.map(|span| span.span_id.clone()).collect();
        }
        !parents.is_empty()
    }
}

/// A SQLite database, and the command for it, which exports to this address.
pub async fn exporting(arguments: &[&str], endpoint: &str, protocol: &str) -> (Command, TestLocation) {
    let location = TestLocation::migrated(Kind::Sqlite).await;
    let mut command = evalgraph_on(&location.location, arguments);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint).env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol);
    command.env("OTEL_BSP_SCHEDULE_DELAY", "100");
    (command, location)
}
