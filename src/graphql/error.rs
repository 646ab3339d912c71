//! What goes wrong, and what the client is told.

use std::sync::Arc;

use async_graphql::{ErrorExtensionValues, PathSegment, ServerError};
use thiserror::Error;

use crate::db::DbError;
use crate::loaders::LoadError;

/// Every code that `extensions.code` can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// The document is not GraphQL.
    GraphqlParseFailed,
    /// The document does not fit the schema.
    GraphqlValidationFailed,
    /// An argument, a variable or the request itself is wrong.
    BadUserInput,
    /// There is nothing of that name.
    NotFound,
    /// The request asks for more than is allowed.
    LimitExceeded,
    /// It took too long.
    Timeout,
    /// Something that the server depends on is away; try again.
    Unavailable,
    /// The server's fault.
    Internal,
}

impl ErrorCode {
    /// The code as clients see it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GraphqlParseFailed => "GRAPHQL_PARSE_FAILED",
            Self::GraphqlValidationFailed => "GRAPHQL_VALIDATION_FAILED",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::NotFound => "NOT_FOUND",
            Self::LimitExceeded => "LIMIT_EXCEEDED",
            Self::Timeout => "TIMEOUT",
            Self::Unavailable => "UNAVAILABLE",
            Self::Internal => "INTERNAL",
        }
    }
}

/// A failure of a resolver. Its message is what the client reads; causes inside are for the log.
#[derive(Debug, Clone, Error)]
pub enum ApiError {
    /// An argument cannot be used.
    #[error("{argument}: {problem}")]
    BadArgument {
        /// The argument, with a path inside it where it has fields.
        argument: &'static str,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// A number that GraphQL's `Int` cannot hold.
    #[error("{number} is too large for {field}, an Int of 32 bits")]
    TooLarge {
        /// The field.
        field: String,
        /// Its value.
        number: i64,
    },
    /// The store failed.
    #[error("{}", .0.public_message())]
    Store(Arc<DbError>),
    /// A defect of the server.
    #[error("internal error")]
    Defect(String),
}

impl ApiError {
    /// An argument that cannot be used.
    pub(super) fn argument(argument: &'static str, problem: impl Into<String>) -> Self {
        Self::BadArgument { argument, problem: problem.into() }
    }

    /// The code that clients program against.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::BadArgument { .. } => ErrorCode::BadUserInput,
            Self::TooLarge { .. } => ErrorCode::LimitExceeded,
            Self::Store(error) => error.code(),
            Self::Defect(_) => ErrorCode::Internal,
        }
    }
}

impl From<LoadError> for ApiError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Database(error) => Self::Store(error),
            defect @ LoadError::Incomplete(_) => Self::Defect(defect.to_string()),
        }
    }
}

impl DbError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::StatementTimeout => ErrorCode::Timeout,
            Self::Unreachable(_)
            | Self::PoolTimeout(_)
            | Self::ConnectionLost(_)
            | Self::Contention(_)
            | Self::Storage(_) => ErrorCode::Unavailable,
            Self::Statement(_) | Self::Interrupted(_) => ErrorCode::Internal,
        }
    }

    fn public_message(&self) -> &'static str {
        match self {
            Self::StatementTimeout => "the database took too long to answer: ask for less at once",
            Self::Unreachable(_) | Self::ConnectionLost(_) => "the database cannot be reached: try again later",
            Self::PoolTimeout(_) => "the server is too busy: try again later",
            Self::Contention(_) => "other work was in the way: try again",
            Self::Storage(_) => "the database cannot be used at the moment: try again later",
            Self::Statement(_) | Self::Interrupted(_) => "internal error",
        }
    }
}

/// Gives an error that came out of an execution its code, and writes its cause to the log.
pub(super) fn complete(error: &mut ServerError, request_id: &str) {
    let Some(api_error) = error.source::<ApiError>().cloned() else {
        return complete_foreign(error);
    };
    let code = api_error.code();
    let extensions = error.extensions.get_or_insert_default();
    extensions.set("code", code.as_str());
    match &api_error {
        ApiError::BadArgument { argument, .. } => extensions.set("argument", *argument),
        ApiError::TooLarge { .. } => {}
        ApiError::Store(cause) => log_cause(code, request_id, &error.path, cause.as_ref(), extensions),
        ApiError::Defect(cause) => log_cause(code, request_id, &error.path, cause, extensions),
    }
}

fn log_cause(
    code: ErrorCode,
    request_id: &str,
    path: &[PathSegment],
    cause: &dyn std::fmt::Display,
    extensions: &mut ErrorExtensionValues,
) {
    let path = path_text(path);
    if code == ErrorCode::Internal {
        // What a client can quote, so that the cause is found in the log.
        extensions.set("requestId", request_id);
        tracing::error!(request_id, path, %cause, "a resolver failed");
    } else {
        tracing::warn!(request_id, path, code = code.as_str(), %cause, "a resolver failed");
    }
}

/// Errors of async-graphql itself have no code. Those with a path arose where an argument was read, those without in
/// validation.
fn complete_foreign(error: &mut ServerError) {
    let code = if error.path.is_empty() { ErrorCode::GraphqlValidationFailed } else { ErrorCode::BadUserInput };
    error.extensions.get_or_insert_default().set("code", code.as_str());
}

/// An error about the request as a whole.
#[must_use]
pub fn request_error(code: ErrorCode, message: impl Into<String>) -> ServerError {
    let mut error = ServerError::new(message, None);
    error.extensions.get_or_insert_default().set("code", code.as_str());
    error
}

/// The error about a text with the character U+0000.
pub(super) fn nul_refused() -> ServerError {
    request_error(ErrorCode::BadUserInput, "texts must not contain the character U+0000")
}

fn path_text(path: &[PathSegment]) -> String {
    let segments = path.iter().map(|segment| match segment {
        PathSegment::Field(name) => name.clone(),
        PathSegment::Index(index) => index.to_string(),
    });
    segments.collect::<Vec<_>>().join(".")
}
