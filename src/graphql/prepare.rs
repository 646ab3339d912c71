//! From the text of a request to a document that may be executed.

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{ExecutableDocument, OperationType};
use async_graphql::{Request, ServerError};

use super::error::ErrorCode;
use super::limits::Passed;
use super::traced::Phase;
use super::written::merges_fields;
use super::{Schema, variables};
use crate::telemetry::metrics::Phases;

/// A document that may be executed.
#[derive(Debug)]
pub struct Prepared {
    /// The document.
    pub document: ExecutableDocument,
    /// What kind of operation is meant.
    pub operation_type: OperationType,
    /// What is known of it beside that it is within the limits.
    pub passed: Passed,
    /// Whether objects of the answer have to be put together: see [`merges_fields`].
    pub merges_fields: bool,
}

impl Schema {
    /// Whether a request changes many objects at once, and so may have a larger body than others. It is looked at for
    /// nothing else yet: one that cannot be read is none.
    #[must_use]
    pub fn is_bulk(&self, request: &Request) -> bool {
        self.limiter.check_text(&request.query).is_ok()
            && parse_query(&request.query).is_ok_and(|document| {
                let operation = variables::chosen_operation(request, &document);
                operation.is_ok_and(|operation| self.limiter.is_bulk(&operation.node))
            })
    }

    /// The parsed document of a request that is within the limits and has the variables that it needs.
    ///
    /// # Errors
    /// With what is wrong with the request. What the schema says of it is not among that.
    pub fn prepare(&self, request: &Request) -> Result<Prepared, Vec<ServerError>> {
        let only = |error| vec![error];
        let document = Phase::Parse.run(|| Phases::Parse.measure(|| self.parse(request).map_err(only)))?;
        let passed =
            Phase::Validate.run(|| Phases::Validate.measure(|| self.limiter.check(&document, &request.variables)))?;
        let coerce = || {
            let operation = variables::chosen_operation(request, &document).map_err(only)?;
            self.input_types.check(request, &operation.node).map_err(only)?;
            Ok((operation.node.ty, merges_fields(&document, &operation.node)))
        };
        let (operation_type, merges_fields) = Phase::CoerceVariables.run(|| Phases::Plan.measure(coerce))?;
        Ok(Prepared { document, operation_type, passed, merges_fields })
    }

    fn parse(&self, request: &Request) -> Result<ExecutableDocument, ServerError> {
        self.limiter.check_text(&request.query)?;
        variables::check_texts(&request.variables)?;
        // Parsed here and not by async-graphql, so that a syntax error can be told from an error of validation.
        parse_query(&request.query).map_err(parse_error)
    }
}

/// What the parser expected. It also shows the line, which is as long as the client made it; the client has the line, and
/// is told the place.
fn parse_error(error: async_graphql::parser::Error) -> ServerError {
    let mut error = ServerError::from(error);
    if let Some((_, expected)) = error.message.rsplit_once("\n  = ") {
        error.message = format!("syntax error: {expected}");
    }
    error.extensions.get_or_insert_default().set("code", ErrorCode::GraphqlParseFailed.as_str());
    error
}
