//! The GraphQL schema: types, fields, and the rules that hold for all of them.

mod connection;
mod error;
mod execute;
mod global_id;
mod inputs;
mod pagination;
mod precheck;
mod query;
mod scalars;
mod scope;
mod selection;
mod types;

use crate::domain::RunId;
use async_graphql::{EmptyMutation, EmptySubscription, SDLExportOptions};

pub use error::{ApiError, ErrorCode, request_error};
pub use execute::{Execution, TimeLimit, execute};
pub use pagination::PageLimits;
pub use query::Query;
pub use scope::{RequestContext, RequestScope};

/// The schema that the server executes requests against.
pub type Schema = async_graphql::Schema<Query, EmptyMutation, EmptySubscription>;

/// What a request may ask for.
#[derive(Debug, Clone, Copy)]
pub struct QueryLimits {
    /// How deeply fields may be nested.
    pub max_depth: usize,
    /// The sizes of pages.
    pub pages: PageLimits,
}

/// Builds the schema.
#[must_use]
pub fn schema(limits: QueryLimits) -> Schema {
    async_graphql::Schema::build(Query, EmptyMutation, EmptySubscription)
        .data(limits.pages)
        .limit_depth(limits.max_depth)
        .register_output_type::<types::Node>()
        .finish()
}

/// The schema in GraphQL's own language, in an order that does not depend on the code.
#[must_use]
pub fn sdl() -> String {
    let limits = QueryLimits { max_depth: usize::MAX, pages: PageLimits { default: 1, maximum: 1 } };
    schema(limits).sdl_with_options(SDLExportOptions::new().sorted_fields().sorted_arguments().sorted_enum_items())
}

/// A run's id as clients see it.
#[must_use]
pub fn run_id(id: RunId) -> String {
    global_id::NodeType::Run.encode(id).0
}
