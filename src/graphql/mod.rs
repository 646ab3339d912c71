//! The GraphQL schema: types, fields, and the rules that hold for all of them.

mod all_resolvers;
mod connection;
mod coordinates;
mod cursor;
mod error;
mod execute;
// Public, as are `pagination` and `Schema::prepare`, for the fuzz targets in `fuzz/`.
pub mod global_id;
mod inputs;
mod limits;
mod mutation;
pub mod pagination;
mod permissions;
mod prepare;
mod query;
mod scalars;
mod scope;
mod selection;
mod traced;
mod types;
mod variables;
mod written;

use std::sync::Arc;

use async_graphql::parser::parse_schema;
use async_graphql::{EmptySubscription, SDLExportOptions, SchemaBuilder};

use self::all_resolvers::AllResolvers;
use self::coordinates::OutputTypes;
use self::limits::Limiter;
use self::mutation::Mutation;
use self::variables::InputTypes;
use crate::domain::{ApiTokenId, RunId};

pub use error::{ApiError, ErrorCode, request_error};
pub use execute::{Ending, Execution, Free, TimeLimit, Toll, Unpaid, execute};
pub use limits::{Audience, QueryLimits, REQUEST_COST, ServiceLimits};
pub use pagination::PageLimits;
pub use query::Query;
pub use scope::{RequestContext, RequestScope};
pub use written::response_json;

/// The schema as async-graphql executes it.
type ExecutableSchema = async_graphql::Schema<Query, Mutation, EmptySubscription>;

/// The schema that the server executes requests against, and what guards it.
#[derive(Clone)]
pub struct Schema {
    executable: ExecutableSchema,
    /// The same, where every resolver of a recorded request has a span; none where only those that load have one.
    traced: Option<ExecutableSchema>,
    limiter: Arc<Limiter>,
    input_types: Arc<InputTypes>,
    output_types: Arc<OutputTypes>,
    introspection: Audience,
    limits: ServiceLimits,
}

impl Schema {
    /// The schema with these limits.
    ///
    /// # Panics
    /// When async-graphql describes the schema in something else than GraphQL.
    #[must_use]
    pub fn new(limits: ServiceLimits) -> Self {
        let executable = definition(limits).finish();
        // The library keeps its registry to itself, so what guards the schema reads it as it is printed.
        let document = parse_schema(printed(&executable)).expect("a schema's own description is GraphQL");
        let limiter = Limiter::new(&document, limits);
        Self {
            executable,
            traced: None,
            limits,
            limiter: Arc::new(limiter),
            input_types: Arc::new(InputTypes::new(&document)),
            output_types: Arc::new(OutputTypes::new(&document)),
            introspection: limits.introspection,
        }
    }

    /// The same schema, where every resolver of a recorded request has a span, or only those that load.
    #[must_use]
    pub fn tracing_all_resolvers(self, all: bool) -> Self {
        let extension = AllResolvers(Arc::clone(&self.output_types));
        let traced = all.then(|| definition(self.limits).extension(extension).finish());
        Self { traced, ..self }
    }
}

fn definition(limits: ServiceLimits) -> SchemaBuilder<Query, Mutation, EmptySubscription> {
    async_graphql::Schema::build(Query, Mutation::default(), EmptySubscription)
        .data(limits)
        .data(limits.queries.pages)
        // The library's own limit follows fragments wherever they are spread; ours is checked before.
        .limit_recursive_depth(usize::MAX)
        .register_output_type::<types::Node>()
}

/// The schema in GraphQL's own language, in an order that does not depend on the code.
#[must_use]
pub fn sdl() -> String {
    printed(&definition(ServiceLimits::DEFAULT).finish())
}

fn printed(schema: &ExecutableSchema) -> String {
    schema.sdl_with_options(SDLExportOptions::new().sorted_fields().sorted_arguments().sorted_enum_items())
}

/// An API token's id as clients see it.
#[must_use]
pub fn api_token_id(id: ApiTokenId) -> String {
    global_id::NodeType::ApiToken.encode(id).0
}

/// The API token that an id of clients means, or what is wrong with the id.
///
/// # Errors
/// When it is none.
pub fn read_api_token_id(id: &str) -> Result<ApiTokenId, String> {
    global_id::NodeType::ApiToken.read(&id.into()).map(Into::into)
}

/// A run's id as clients see it.
#[must_use]
pub fn run_id(id: RunId) -> String {
    global_id::NodeType::Run.encode(id).0
}
