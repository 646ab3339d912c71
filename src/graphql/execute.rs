//! From a request to its answer.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{ExecutableDocument, VariableDefinition};
use async_graphql::{Positioned, Request, Response, ServerError, Value};

use tokio::time::Instant;

use super::error::{ErrorCode, complete, request_error};
use super::scope::RequestScope;
use super::{Schema, precheck};

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

/// The document of a request that may be executed.
fn prepare(request: &Request) -> Result<ExecutableDocument, ServerError> {
    precheck::check(&request.query, &request.variables)?;
    // Parsed here and not by async-graphql, so that a syntax error can be told from an error of validation.
    let document = parse_query(&request.query).map_err(|error| {
        let mut error = ServerError::from(error);
        error.extensions.get_or_insert_default().set("code", ErrorCode::GraphqlParseFailed.as_str());
        error
    })?;
    check_variables(request, &document)?;
    Ok(document)
}

/// The name of the operation that is meant, where it has one.
fn operation_name<'a>(request: &'a Request, document: &'a ExecutableDocument) -> Option<&'a str> {
    let only = || document.operations.iter().next().and_then(|(name, _)| name.map(|name| name.as_str()));
    request.operation_name.as_deref().or_else(only)
}

/// Refuses a request without a value for a variable that needs one. async-graphql notices only where it is used, when
/// the rest has been executed, and not at all where the argument has a default.
fn check_variables(request: &Request, document: &ExecutableDocument) -> Result<(), ServerError> {
    let chosen = request.operation_name.as_deref();
    let mut operations = document.operations.iter();
    let operation = operations
        .find(|(name, _)| chosen.is_none() || name.map(|name| name.as_str()) == chosen)
        // Which one is meant is the first question then.
        .filter(|_| chosen.is_some() || operations.next().is_none());
    let variables = operation.map_or(&[][..], |(_, operation)| &operation.node.variable_definitions);
    let lacks_value = |definition: &&Positioned<VariableDefinition>| {
        let definition = &definition.node;
        let value = request.variables.get(&definition.name.node);
        !definition.var_type.node.nullable
            && value.map_or(definition.default_value.is_none(), |value| *value == Value::Null)
    };
    let Some(definition) = variables.iter().find(lacks_value) else { return Ok(()) };
    let (name, var_type) = (&definition.node.name.node, &definition.node.var_type.node);
    let message = format!("the variable ${name} must have a value of the type {var_type}");
    Err(ServerError { locations: vec![definition.pos], ..request_error(ErrorCode::BadUserInput, message) })
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
    match prepare(&request) {
        Ok(document) => {
            if let Some(name) = operation_name(&request, &document) {
                named(name);
            }
            request.set_parsed_query(document);
        }
        Err(error) => return Execution::refused(error),
    }
    let execution = schema.execute(request.data(Arc::clone(scope)));
    let driven = Arc::clone(&scope.dispatcher).drive(execution);
    let Ok(mut response) = tokio::time::timeout_at(limit.deadline, driven).await else {
        let message = format!("the request took longer than {} ms: ask for less at once", limit.whole.as_millis());
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
