//! From a request to its answer.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::parse_query;
use async_graphql::{Request, Response, ServerError};

use super::Schema;
use super::error::{ErrorCode, complete, request_error};
use super::scope::RequestScope;

/// An answer, and how far the request came.
#[derive(Debug)]
pub struct Execution {
    /// What the client gets.
    pub response: Response,
    /// Whether fields were resolved: errors before that are the request's own.
    pub executed: bool,
    /// The time limit was reached.
    pub timed_out: bool,
}

impl Execution {
    fn refused(error: ServerError) -> Self {
        Self { response: Response::from_errors(vec![error]), executed: false, timed_out: false }
    }
}

/// Executes a request within `limit`.
pub async fn execute(schema: &Schema, scope: &Arc<RequestScope>, mut request: Request, limit: Duration) -> Execution {
    // Parsed here and not by async-graphql, so that a syntax error can be told from an error of validation.
    match parse_query(&request.query) {
        Ok(document) => request.set_parsed_query(document),
        Err(error) => {
            let mut error = ServerError::from(error);
            error.extensions.get_or_insert_default().set("code", ErrorCode::GraphqlParseFailed.as_str());
            return Execution::refused(error);
        }
    }
    let execution = schema.execute(request.data(Arc::clone(scope)));
    let driven = Arc::clone(&scope.dispatcher).drive(execution);
    let Ok(mut response) = tokio::time::timeout(limit, driven).await else {
        let message = format!("the request took longer than {} ms: ask for less at once", limit.as_millis());
        let response = Response::from_errors(vec![request_error(ErrorCode::Timeout, message)]);
        return Execution { response, executed: true, timed_out: true };
    };
    // Validation errors have no path and leave no data; everything else comes from resolvers.
    let refused = response.data == async_graphql::Value::Null
        && !response.errors.is_empty()
        && response.errors.iter().all(|error| error.path.is_empty());
    for error in &mut response.errors {
        complete(error, &scope.context.request_id);
    }
    if scope.context.explain {
        let report = async_graphql::Value::from_json(scope.report()).unwrap_or_default();
        response.extensions.insert("evalgraph".to_owned(), report);
    }
    Execution { response, executed: !refused, timed_out: false }
}
