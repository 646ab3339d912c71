//! What lives as long as one GraphQL operation.

use std::sync::{Arc, OnceLock};

use async_graphql::Context;
use serde_json::{Map, Value, json};

use super::coordinates::{self, Coordinates};
use super::error::ApiError;
use crate::auth::ApiTokens;
use crate::cache::Cache;
use crate::db::{Database, StatementCount};
use crate::domain::{Client, Deed, Origin, Principal};
use crate::loaders::{Dispatcher, Loaders, Store};
use crate::telemetry::{self, FieldName, OperationNote, OperationNotes, Span};
use crate::writes::{Write, perform};

/// Who asks, and under which name the request is known.
#[derive(Clone)]
pub struct RequestContext {
    /// On whose behalf the operation runs.
    pub principal: Principal,
    /// The API tokens of the server, where it has some.
    pub api_tokens: Option<Arc<ApiTokens>>,
    /// The request's id, as it stands in the log and in the answer's headers.
    pub request_id: Arc<str>,
    /// Who sent the request.
    pub client: Client,
    /// Whether the answer shall tell what the operation cost.
    pub explain: bool,
    /// Whether the operation may change something.
    pub may_write: bool,
}

/// The request scope: the principal and the loaders of one operation.
pub struct RequestScope {
    /// Who asks.
    pub context: RequestContext,
    /// What resolvers fetch through.
    pub loaders: Loaders,
    pub(super) dispatcher: Arc<Dispatcher>,
    /// The names of the fields, where the request is recorded.
    pub(super) coordinates: OnceLock<Coordinates>,
    /// What there would be to tell of the operation, where it is not recorded and may have to be told of in the end.
    pub(super) notes: Option<OperationNotes>,
    database: Database,
    statements: StatementCount,
}

impl RequestScope {
    /// A scope in which nothing was asked yet. Without a cache, everything is read from the database.
    #[must_use]
    pub fn new(database: Database, cache: Option<Arc<Cache>>, context: RequestContext) -> Arc<Self> {
        let (dispatcher, statements) =
            (Arc::new(Dispatcher::new()), StatementCount::of_request(Arc::clone(&context.request_id)));
        let store = Arc::new(Store {
            database: database.clone(),
            principal: context.principal.clone(),
            statements: statements.clone(),
            cache,
        });
        let loaders = Loaders::new(&store, &dispatcher);
        let notes = OperationNotes::wanted();
        Arc::new(Self { context, loaders, dispatcher, coordinates: OnceLock::new(), notes, database, statements })
    }

    /// Makes a change that `field` asks for and `argument` describes. What the request has read before it is forgotten: what
    /// it reads from now on is what was written. Even after a failure, for when the connection is lost at the very end nobody
    /// knows whether the change was made.
    pub(super) async fn write<W: Write>(
        &self,
        field: &str,
        argument: &'static str,
        write: W,
    ) -> Result<W::Output, ApiError> {
        let RequestContext { principal, request_id, client, .. } = self.context.clone();
        let origin = Origin::Request { id: request_id, client };
        let deed = Deed { principal, action: field.to_owned().into(), origin };
        let performed = perform(&self.database, &self.statements, deed, write).await;
        self.loaders.forget();
        match performed {
            Ok(Ok(output)) => Ok(output),
            Ok(Err(refusal)) => Err(ApiError::refused(argument, refusal)),
            Err(error) => Err(ApiError::Store(Arc::new(error))),
        }
    }

    /// What there is to tell of the operation, if it was not recorded.
    #[must_use]
    pub fn take_note(&self) -> Option<OperationNote> {
        self.notes.as_ref().and_then(OperationNotes::take)
    }

    /// Notes the name of the operation, for reports of its statements.
    pub(super) fn name_operation(&self, name: &str) {
        self.statements.name_operation(name);
    }

    /// How many statements the operation sent so far.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.statements.get()
    }

    /// By what names a field is known, where the request is recorded.
    fn field_name(&self, context: &Context<'_>) -> Option<&Arc<FieldName>> {
        self.coordinates.get()?.get(&context.item.pos)
    }

    /// What the operation cost: statements in all; batches, keys and hits of each loader.
    pub(super) fn report(&self) -> Value {
        let loaders: Map<String, Value> = self
            .loaders
            .usage()
            .map(|(name, usage)| {
                let mut report = json!({ "batches": usage.batches, "keys": usage.keys, "hits": usage.hits });
                for (tier, hits) in [("processHits", usage.cache.process_hits), ("redisHits", usage.cache.shared_hits)]
                {
                    if hits > 0 {
                        report[tier] = hits.into();
                    }
                }
                (name.to_owned(), report)
            })
            .collect();
        json!({ "statements": self.statements(), "loaders": loaders })
    }
}

/// The scope of the operation that a resolver is part of.
pub(super) fn scope<'a>(context: &Context<'a>) -> &'a RequestScope {
    context.data_unchecked::<Arc<RequestScope>>()
}

/// The loaders of the operation that a resolver is part of: it is about to ask one of them.
pub(super) fn loaders<'a>(context: &Context<'a>) -> &'a Loaders {
    let scope = scope(context);
    if let (Some(fields), Some(name)) = (&scope.dispatcher.fields, scope.field_name(context)) {
        fields.open(name, || span_of(context, name));
    }
    &scope.loaders
}

/// The span of a resolver, where each has one.
pub(super) fn resolver_span(context: &Context<'_>) -> Option<Span> {
    span_of(context, scope(context).field_name(context)?)
}

fn span_of(context: &Context<'_>, name: &FieldName) -> Option<Span> {
    let field = &context.item.node;
    let path = || coordinates::path(context.path_node.as_ref());
    telemetry::field(name, &field.response_key().node, path, &field.arguments)
}
