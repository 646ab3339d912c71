//! What goes wrong, and what the client is told.

use std::sync::Arc;

use async_graphql::{ErrorExtensionValues, PathSegment, ServerError, Value};
use serde_json::{Map, json};
use thiserror::Error;

use crate::db::DbError;
use crate::loaders::LoadError;
use crate::writes::{Fault, Refusal, RefusalKind};

/// How many faults of an argument a client is told in words, and how many in the extensions: a list of thousands of items
/// may have thousands.
const MOST_FAULTS_IN_WORDS: usize = 3;
const MOST_FAULTS: usize = 50;

/// Every code that `extensions.code` can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// The document is not GraphQL.
    GraphqlParseFailed,
    /// The document does not fit the schema.
    GraphqlValidationFailed,
    /// An argument, a variable or the request itself is wrong.
    BadUserInput,
    /// Nobody knows who asks: there is no credential, or none that counts.
    Unauthenticated,
    /// Who asks may not do that.
    Forbidden,
    /// There is nothing of that name.
    NotFound,
    /// What is stored forbids the change.
    Conflict,
    /// The request asks for more than is allowed.
    LimitExceeded,
    /// Whoever asks has had as much as they may have in a time; try again later.
    RateLimited,
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
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::NotFound => "NOT_FOUND",
            Self::Conflict => "CONFLICT",
            Self::LimitExceeded => "LIMIT_EXCEEDED",
            Self::RateLimited => "RATE_LIMITED",
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
    /// A change that an argument asks for is not made.
    #[error("{}", words(.argument, .refusal))]
    Refused {
        /// The argument; nothing where it may be one of several, which the places of the faults begin with then.
        argument: &'static str,
        /// Why not.
        refusal: Refusal,
    },
    /// Nobody may do that here.
    #[error("{0}")]
    Forbidden(&'static str),
    /// A list with more items than one call may have.
    #[error("{argument} has {items} items: maxBulkItems is {limit}; send several requests")]
    TooManyItems {
        /// The argument.
        argument: &'static str,
        /// How many it has.
        items: usize,
        /// How many it may have.
        limit: u32,
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

    /// A change that is not made.
    pub(super) fn refused(argument: &'static str, refusal: Refusal) -> Self {
        Self::Refused { argument, refusal }
    }

    /// The code that clients program against.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::BadArgument { .. } => ErrorCode::BadUserInput,
            Self::Refused { refusal, .. } => match refusal.kind {
                RefusalKind::Invalid => ErrorCode::BadUserInput,
                RefusalKind::NotFound => ErrorCode::NotFound,
                RefusalKind::Conflict => ErrorCode::Conflict,
                RefusalKind::Forbidden => ErrorCode::Forbidden,
            },
            Self::Forbidden(_) => ErrorCode::Forbidden,
            Self::TooManyItems { .. } | Self::TooLarge { .. } => ErrorCode::LimitExceeded,
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
        ApiError::Refused { argument, refusal } => {
            extensions.set("argument", argument_of(argument, refusal));
            tell_faults(argument, refusal, extensions);
        }
        ApiError::TooManyItems { argument, items, limit } => {
            extensions.set("argument", *argument);
            extensions.set("limitName", "maxBulkItems");
            extensions.set("limit", *limit);
            extensions.set("value", *items);
        }
        ApiError::Forbidden(_) | ApiError::TooLarge { .. } => {}
        ApiError::Store(cause) => log_cause(code, request_id, &error.path, cause.as_ref(), extensions),
        ApiError::Defect(cause) => log_cause(code, request_id, &error.path, cause, extensions),
    }
}

/// The argument that is wrong: of several, that of the first fault.
fn argument_of<'a>(argument: &'a str, refusal: &'a Refusal) -> &'a str {
    let place = refusal.faults.first().filter(|_| argument.is_empty()).map(|fault| fault.place.as_str());
    place.and_then(|place| place.split(['.', '[']).next()).unwrap_or(argument)
}

/// What is wrong with an argument, in words.
fn words(argument: &str, refusal: &Refusal) -> String {
    let told = refusal.faults.iter().take(MOST_FAULTS_IN_WORDS);
    let told: Vec<_> = told.map(|fault| format!("{argument}{}: {}", fault.place, fault.problem)).collect();
    let rest = refusal.faults.len().saturating_sub(MOST_FAULTS_IN_WORDS);
    let rest = if rest == 0 { String::new() } else { format!("; and {rest} more") };
    told.join("; ") + &rest
}

/// The specification wants one error for a field, so all faults are in one: the first as `field` and `current`, all of them
/// as `faults`.
fn tell_faults(argument: &str, refusal: &Refusal, extensions: &mut ErrorExtensionValues) {
    let field = |fault: &Fault| format!("{argument}{}", fault.place);
    let current = |fault: &Fault| fault.current.clone().and_then(|current| Value::from_json(current).ok());
    if let Some(first) = refusal.faults.first() {
        extensions.set("field", field(first));
        if let Some(current) = current(first) {
            extensions.set("current", current);
        }
    }
    let faults = refusal.faults.iter().take(MOST_FAULTS).map(|fault| {
        let mut told = Map::new();
        told.insert("field".to_owned(), field(fault).into());
        told.insert("message".to_owned(), fault.problem.clone().into());
        told.extend(fault.current.clone().map(|current| ("current".to_owned(), current)));
        serde_json::Value::Object(told)
    });
    extensions.set("faults", Value::from_json(json!(faults.collect::<Vec<_>>())).unwrap_or_default());
    extensions.set("faultCount", refusal.faults.len());
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

fn complete_foreign(error: &mut ServerError) {
    let code = code_of(error);
    error.extensions.get_or_insert_default().set("code", code.as_str());
}

/// The code that an error has, or is to be given. Errors of async-graphql itself have none: those with a path arose where an
/// argument was read, those without in validation.
pub(super) fn code_of(error: &ServerError) -> ErrorCode {
    match error.source::<ApiError>() {
        Some(error) => error.code(),
        None if error.path.is_empty() => ErrorCode::GraphqlValidationFailed,
        None => ErrorCode::BadUserInput,
    }
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
