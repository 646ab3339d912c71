//! Connections: lists in pages, as Relay wants them
//! (<https://relay.dev/graphql/connections.htm>).

use std::sync::Arc;

use async_graphql::{ContainerType, Context, Object, SimpleObject};
use uuid::Uuid;

use super::error::ApiError;
use super::pagination::{ListIdentity, PageParams, Window};
use super::scope::loaders;
use super::selection::{self, FieldColumns};
use super::types::{ApiToken, AuditEntry, Evaluation, Prompt, PromptTemplate, Run, TestResult, int};
use super::written::{Writable, Written, WrittenList};
use crate::db::columns::ColumnSet;
use crate::db::entity::Entity;
use crate::db::page::{Order, Positioned as _, Slice};
use crate::loaders::{
    Cached, ChildCount, ChildCountKey, ChildPage, ChildPageKey, List, ListCount, ListKey, Loader, Loaders,
    PageArguments, PageRows, Remembered,
};

/// A GraphQL type whose objects are rows of a table.
pub trait GraphNode: Writable {
    /// The table.
    type Entity: Remembered;
    /// The columns on demand that fields are read from.
    const COLUMNS: FieldColumns;

    /// The object of a row.
    fn new(row: Arc<<Self::Entity as Entity>::Row>) -> Self;
}

type Filter<N> = <<N as GraphNode>::Entity as Entity>::Filter;
type OrderField<N> = <<N as GraphNode>::Entity as Entity>::OrderField;

/// Where a list comes from: the loaders of its pages and of its length.
pub enum Source<E: Remembered> {
    /// All rows.
    All { pages: fn(&Loaders) -> &Loader<Cached<List<E>>>, counts: fn(&Loaders) -> &Loader<Cached<ListCount<E>>> },
    /// The rows under a parent.
    Under {
        parent: Uuid,
        pages: fn(&Loaders) -> &Loader<Cached<ChildPage<E>>>,
        counts: fn(&Loaders) -> &Loader<Cached<ChildCount<E>>>,
    },
}

impl<E: Remembered> Source<E> {
    fn parent(&self) -> Option<Uuid> {
        match self {
            Self::All { .. } => None,
            Self::Under { parent, .. } => Some(*parent),
        }
    }

    async fn page(
        &self,
        loaders: &Loaders,
        page: PageArguments<E>,
        columns: ColumnSet,
    ) -> Result<PageRows<E::Row>, ApiError> {
        Ok(match *self {
            Self::All { pages, .. } => pages(loaders).load(ListKey { page, columns }).await?,
            Self::Under { parent, pages, .. } => pages(loaders).load(ChildPageKey { parent, page, columns }).await?,
        })
    }

    async fn count(&self, loaders: &Loaders, filter: E::Filter) -> Result<i64, ApiError> {
        Ok(match *self {
            Self::All { counts, .. } => counts(loaders).load(filter).await?,
            Self::Under { parent, counts, .. } => counts(loaders).load(ChildCountKey { parent, filter }).await?,
        })
    }
}

/// A list as a field describes it.
pub struct ListField<E: Remembered> {
    /// The field, such as `Prompt.evaluations`.
    pub coordinate: &'static str,
    /// Where the rows come from.
    pub source: Source<E>,
    /// Which rows belong to it.
    pub filter: E::Filter,
    /// Their order.
    pub order: Order<E::OrderField>,
}

/// Reads the page of a list that the arguments describe.
pub async fn paginate<N: GraphNode>(
    context: &Context<'_>,
    list: ListField<N::Entity>,
    params: PageParams,
) -> Result<Connection<N>, ApiError> {
    let identity = ListIdentity { coordinate: list.coordinate, parent: list.source.parent(), order: list.order };
    let window = Window::new(context, identity, &params)?;
    let found = if selection::selects_any(context, &["nodes", "edges", "pageInfo"]) {
        let page = PageArguments { filter: list.filter.clone(), slice: window.slice() };
        list.source.page(loaders(context), page, selection::of_connection(context, N::COLUMNS)).await?
    } else {
        PageRows::default()
    };
    let more = found.len() > window.size;
    let mut rows: Vec<_> = found.iter().take(window.size).cloned().collect();
    if window.backward {
        rows.reverse();
    }
    Ok(Connection { rows, more, window, identity, source: list.source, filter: list.filter })
}

/// One page of a list.
pub struct Connection<N: GraphNode> {
    rows: Vec<Arc<<N::Entity as Entity>::Row>>,
    /// Whether the list goes on where the page was cut.
    more: bool,
    window: Window<OrderField<N>>,
    identity: ListIdentity<OrderField<N>>,
    source: Source<N::Entity>,
    filter: Filter<N>,
}

/// One page of a list, and how to get to the others.
#[Object(
    concrete(name = "PromptConnection", params(Prompt)),
    concrete(name = "RunConnection", params(Run)),
    concrete(name = "EvaluationConnection", params(Evaluation)),
    concrete(name = "TestResultConnection", params(TestResult)),
    concrete(name = "PromptTemplateConnection", params(PromptTemplate)),
    concrete(name = "ApiTokenConnection", params(ApiToken)),
    concrete(name = "AuditEntryConnection", params(AuditEntry))
)]
impl<N: GraphNode> Connection<N>
where
    Edge<N>: Writable,
{
    /// The objects of the page, each with its cursor.
    async fn edges(&self) -> WrittenList<Edge<N>> {
        let edge = |row: &Arc<_>| Edge { cursor: self.cursor(row), node: Written(N::new(Arc::clone(row))) };
        WrittenList(self.rows.iter().map(edge).collect())
    }

    /// The objects of the page.
    async fn nodes(&self) -> WrittenList<N> {
        WrittenList(self.rows.iter().map(|row| N::new(Arc::clone(row))).collect())
    }

    /// Where the page stands in the list.
    async fn page_info(&self, context: &Context<'_>) -> Result<PageInfo, ApiError> {
        let (has_previous_page, has_next_page) = if self.window.backward {
            (self.more, self.goes_on(context, "hasNextPage", self.window.probe_after()).await?)
        } else {
            (self.goes_on(context, "hasPreviousPage", self.window.probe_before()).await?, self.more)
        };
        Ok(PageInfo {
            has_next_page,
            has_previous_page,
            start_cursor: self.rows.first().map(|row| self.cursor(row)),
            end_cursor: self.rows.last().map(|row| self.cursor(row)),
        })
    }

    /// How many objects the whole list has. Counted only when it is asked for; null when the count fails.
    async fn total_count(&self, context: &Context<'_>) -> Option<Result<i32, ApiError>> {
        let count = self.source.count(loaders(context), self.filter.clone()).await;
        Some(count.and_then(|count| int(count, "totalCount")))
    }
}

impl<N: GraphNode> Connection<N> {
    fn cursor(&self, row: &Arc<<N::Entity as Entity>::Row>) -> String {
        self.identity.cursor(&row.position(self.identity.order.field))
    }

    /// Whether there is a row on the far side of a cursor. Looked up only when the answer is asked for.
    async fn goes_on(
        &self,
        context: &Context<'_>,
        field: &str,
        probe: Option<Slice<OrderField<N>>>,
    ) -> Result<bool, ApiError> {
        let Some(slice) = probe.filter(|_| selection::selects_any(context, &[field])) else { return Ok(false) };
        let page = PageArguments { filter: self.filter.clone(), slice };
        Ok(!self.source.page(loaders(context), page, ColumnSet::NONE).await?.is_empty())
    }
}

/// An object of a list and its place there.
#[derive(SimpleObject)]
#[graphql(
    concrete(name = "PromptEdge", params(Prompt)),
    concrete(name = "RunEdge", params(Run)),
    concrete(name = "EvaluationEdge", params(Evaluation)),
    concrete(name = "TestResultEdge", params(TestResult)),
    concrete(name = "PromptTemplateEdge", params(PromptTemplate)),
    concrete(name = "ApiTokenEdge", params(ApiToken)),
    concrete(name = "AuditEntryEdge", params(AuditEntry))
)]
pub struct Edge<N: Writable> {
    /// The object's place in the list: what `after` and `before` take. Opaque, and bound to the list and its order.
    cursor: String,
    /// The object.
    node: Written<N>,
}

impl<N: Writable> Writable for Edge<N>
where
    Self: ContainerType,
{
    const AT_HAND: &'static [&'static str] = &["cursor"];
}

/// Where a page stands in its list.
#[derive(SimpleObject)]
pub struct PageInfo {
    /// Whether the list goes on after the page; with `before`, and without `last`, whether it does so up to that cursor.
    pub(super) has_next_page: bool,
    /// Whether the list has objects before the page; with `after` and `last`, whether it has some after that cursor.
    pub(super) has_previous_page: bool,
    /// The cursor of the first object of the page; null when the page is empty.
    pub(super) start_cursor: Option<String>,
    /// The cursor of the last object of the page; null when the page is empty.
    pub(super) end_cursor: Option<String>,
}
