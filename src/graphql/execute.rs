//! From a request to its answer.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::{ExecutableDocument, OperationType};
use async_graphql::{Request, Response, ServerError, Value};
use tokio::time::Instant;

use super::error::{ErrorCode, complete, request_error};
use super::limits::REQUEST_COST;
use super::prepare::Prepared;
use super::scope::RequestScope;
use super::variables::chosen_operation;
use super::written::WritesAnswers;
use super::{Schema, permissions, traced as trace};
use crate::domain::shortened;
use crate::telemetry;
use crate::telemetry::metrics::OperationMeter;

/// How many errors of validation a client is told at once: a document can have thousands.
const MOST_VALIDATION_ERRORS: usize = 20;

/// How much of the name of an operation is kept for reports.
const LONGEST_NAME: usize = 128;

/// An answer, and how far the request came.
#[derive(Debug)]
pub struct Execution {
    /// What the client gets: it has to be sent as [`response_json`](super::response_json) writes it.
    pub response: Response,
    /// How far the request came.
    pub ending: Ending,
}

/// How far a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// No field was resolved: the errors are the request's own.
    Refused,
    /// No field was resolved, because the operation changes something and came in a way that is for reading alone.
    MustNotWrite,
    /// Fields were resolved.
    Executed,
    /// The time limit was reached.
    TimedOut,
    /// No field was resolved, because whoever asks has had enough for the moment.
    RateLimited {
        /// How long that lasts.
        retry_after: Duration,
    },
    /// No field was resolved, because whoever asks may not ask that.
    Forbidden,
}

/// What operations are paid with. Everything that is sent costs something, so that nothing can be sent without end.
pub trait Toll: Sync {
    /// Takes so many points, or says why not.
    fn pay(&self, cost: NonZeroU32) -> impl Future<Output = Result<(), Box<Unpaid>>> + Send;
}

/// An operation that is not paid for.
#[derive(Debug)]
pub struct Unpaid {
    /// What the client is told.
    pub error: ServerError,
    /// What becomes of the request.
    pub ending: Ending,
}

/// For operations that cost nothing.
#[derive(Debug, Clone, Copy)]
pub struct Free;

impl Toll for Free {
    async fn pay(&self, _cost: NonZeroU32) -> Result<(), Box<Unpaid>> {
        Ok(())
    }
}

impl Execution {
    fn refused(errors: Vec<ServerError>) -> Self {
        Self { response: Response::from_errors(errors), ending: Ending::Refused }
    }

    /// Whether fields were resolved.
    #[must_use]
    pub fn is_executed(&self) -> bool {
        matches!(self.ending, Ending::Executed | Ending::TimedOut)
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
    request: Request,
    limit: TimeLimit,
    toll: &impl Toll,
    named: impl FnOnce(&str),
) -> Execution {
    let operation = async {
        let mut meter = OperationMeter::begin();
        let execution = run(schema, scope, request, limit, toll, &mut meter, named).await;
        trace::end(scope, &execution.response);
        if let Some(meter) = meter {
            meter.end(&trace::codes(&execution.response), scope.statements());
        }
        execution
    };
    telemetry::within(trace::begin(scope), operation).await
}

async fn run(
    schema: &Schema,
    scope: &Arc<RequestScope>,
    mut request: Request,
    limit: TimeLimit,
    toll: &impl Toll,
    meter: &mut Option<OperationMeter>,
    named: impl FnOnce(&str),
) -> Execution {
    // Only where the request is recorded.
    let fields = scope.dispatcher.fields.as_ref();
    let traced = fields.zip(schema.traced.as_ref()).map(|(fields, traced)| {
        fields.all_have_spans();
        traced
    });
    let prepared = schema.prepare(&request);
    let cost = prepared.as_ref().map_or(REQUEST_COST, |prepared| prepared.passed.cost);
    if let Err(unpaid) = toll.pay(cost).await {
        let Unpaid { error, ending } = *unpaid;
        return Execution { response: Response::from_errors(vec![error]), ending };
    }
    match prepared {
        Ok(Prepared { document, operation_type, passed, merges_fields }) => {
            // It is parsed already, so nobody else needs the text.
            let text = std::mem::take(&mut request.query);
            let name = operation_name(&request, &document);
            trace::describe(scope, operation_type, name, passed.complexity, || text);
            if operation_type == OperationType::Mutation && !scope.context.may_write {
                let message = "a mutation changes something: send it with POST, which nobody repeats by himself";
                let response = Response::from_errors(vec![request_error(ErrorCode::BadUserInput, message)]);
                return Execution { response, ending: Ending::MustNotWrite };
            }
            let permitted = chosen_operation(&request, &document)
                .and_then(|operation| permissions::check(scope.context.principal.scopes, &document, &operation.node));
            if let Err(error) = permitted {
                return Execution { response: Response::from_errors(vec![error]), ending: Ending::Forbidden };
            }
            if let Some(name) = name {
                named(name);
                scope.name_operation(&shortened(name, LONGEST_NAME));
            }
            if passed.introspects && !schema.introspection.admits(&scope.context.principal) {
                let message = "only administrators may ask this server for its schema";
                let response = Response::from_errors(vec![request_error(ErrorCode::Forbidden, message)]);
                return Execution { response, ending: Ending::Forbidden };
            }
            if let Some(meter) = meter {
                meter.executes(trace::type_name(operation_type), name);
            }
            if fields.is_some() {
                scope.coordinates.get_or_init(|| schema.output_types.coordinates(&document));
            }
            request.set_parsed_query(document);
            if !merges_fields {
                request = request.data(WritesAnswers { has_spans: traced.is_some() });
            }
        }
        Err(errors) => return Execution::refused(errors),
    }
    let execution = traced.unwrap_or(&schema.executable).execute(request.data(Arc::clone(scope)));
    let driven = async {
        let response = Arc::clone(&scope.dispatcher).drive(execution).await;
        trace::executed(&response);
        response
    };
    let driven = telemetry::within(trace::Phase::Execute.begin(), driven);
    let Ok(mut response) = tokio::time::timeout_at(limit.deadline, driven).await else {
        let message = format!("the request took longer than {} ms: ask for less at once", limit.whole.as_millis());
        let response = Response::from_errors(vec![request_error(ErrorCode::Timeout, message)]);
        return Execution { response, ending: Ending::TimedOut };
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
    Execution { response, ending: if refused { Ending::Refused } else { Ending::Executed } }
}
