//! From a request to its answer.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Request, Response, ServerError, Value};
use tokio::time::Instant;

use super::Schema;
use super::error::{ErrorCode, complete, request_error};
use super::prepare::Prepared;
use super::scope::RequestScope;
use super::written::WritesAnswers;

/// How many errors of validation a client is told at once: a document can have thousands.
const MOST_VALIDATION_ERRORS: usize = 20;

/// An answer, and how far the request came.
#[derive(Debug)]
pub struct Execution {
    /// What the client gets: it has to be sent as [`response_json`](super::response_json) writes it.
    pub response: Response,
    /// Whether fields were resolved: errors before that are the request's own.
    pub executed: bool,
    /// The time limit was reached.
    pub timed_out: bool,
}

impl Execution {
    fn refused(errors: Vec<ServerError>) -> Self {
        Self { response: Response::from_errors(errors), executed: false, timed_out: false }
    }
}

/// The name of the operation that is meant, where it has one.
fn operation_name<'a>(request: &'a Request, document: &'a ExecutableDocument) -> Option<&'a str> {
    let only = || document.operations.iter().next().and_then(|(name, _)| name.map(|name| name.as_str()));
    request.operation_name.as_deref().or_else(only)
}

/// Until when a request may run.
#[derive(Debug, Clone, Copy)]
pub struct TimeLimit {
    /// The end.
    pub deadline: Instant,
    /// How long the whole request may take, as the client is told.
    pub whole: Duration,
}

/// Executes a request within the time limit. `named` is told the name of the operation before it begins, if it has one.
pub async fn execute(
    schema: &Schema,
    scope: &Arc<RequestScope>,
    mut request: Request,
    limit: TimeLimit,
    named: impl FnOnce(&str),
) -> Execution {
    match schema.prepare(&request) {
        Ok(Prepared { document, merges_fields }) => {
            if let Some(name) = operation_name(&request, &document) {
                named(name);
            }
            request.set_parsed_query(document);
            if !merges_fields {
                request = request.data(WritesAnswers);
            }
        }
        Err(errors) => return Execution::refused(errors),
    }
    let execution = schema.executable.execute(request.data(Arc::clone(scope)));
    let driven = Arc::clone(&scope.dispatcher).drive(execution);
    let Ok(mut response) = tokio::time::timeout_at(limit.deadline, driven).await else {
        let message = format!("the request took longer than {} ms: ask for less at once", limit.whole.as_millis());
        let response = Response::from_errors(vec![request_error(ErrorCode::Timeout, message)]);
        return Execution { response, executed: true, timed_out: true };
    };
    // Validation errors have no path and leave no data; everything else comes from resolvers.
    let refused = response.data == Value::Null
        && !response.errors.is_empty()
        && response.errors.iter().all(|error| error.path.is_empty());
    if refused {
        response.errors.truncate(MOST_VALIDATION_ERRORS);
    }
    for error in &mut response.errors {
        complete(error, &scope.context.request_id);
    }
    if scope.context.explain {
        let report = Value::from_json(scope.report()).unwrap_or_default();
        response.extensions.insert("evalgraph".to_owned(), report);
    }
    Execution { response, executed: !refused, timed_out: false }
}
