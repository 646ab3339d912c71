//! Spans of all resolvers, for whoever wants to see each: a schema of its own, with an extension that opens them. Fields that
//! are written and not resolved by the library have theirs from [`resolver_span`](super::scope::resolver_span).

use std::sync::Arc;

use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextResolve, ResolveInfo};
use async_graphql::{QueryPathSegment, ServerResult, Value, async_trait};

use super::coordinates::{self, OutputTypes};
use super::traced;
use crate::telemetry::{self, Span};

/// Opens a span for each field that is resolved.
#[derive(Clone)]
pub struct AllResolvers(pub Arc<OutputTypes>);

impl ExtensionFactory for AllResolvers {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(self.clone())
    }
}

#[async_trait::async_trait]
impl Extension for AllResolvers {
    async fn resolve(
        &self,
        context: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        let span = self.span(&info);
        let resolved = telemetry::at(span.as_ref().map(Span::place), next.run(context, info)).await;
        if let (Some(span), Err(error)) = (&span, &resolved) {
            traced::fail(span, error);
        }
        resolved
    }
}

impl AllResolvers {
    /// The span of a field; items of lists have none.
    fn span(&self, info: &ResolveInfo<'_>) -> Option<Span> {
        if matches!(info.path_node.segment, QueryPathSegment::Index(_)) {
            return None;
        }
        let name = self.0.field(info.parent_type, info.name)?;
        let path = || coordinates::path(Some(info.path_node));
        telemetry::field(name, info.alias.unwrap_or(info.name), path, &info.field.arguments)
    }
}
