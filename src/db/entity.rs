//! What all tables of the graph have in common: rows are found by id, and listed, by themselves or under a parent.

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use diesel::result::QueryResult;
use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::columns::{Child, ColumnSet};
use super::connection::DbConnection;
use super::page::{OrderField, Positioned, Slice};
use crate::domain::Principal;

/// A table of the graph. Every statement carries the condition that `principal` may see the rows.
pub trait Entity: Copy + Eq + Hash + Debug + Send + Sync + 'static {
    /// A row of it.
    type Row: Positioned<Field = Self::OrderField> + Send + Sync + 'static;
    /// What lists can be ordered by.
    type OrderField: OrderField + Debug;
    /// Which rows of a list are wanted.
    type Filter: Clone + Eq + Hash + Default + Debug + Send + Sync + 'static;
    /// The columns that lead to a parent, and so make lists per parent.
    type Parent: Copy + Eq + Hash + Send + Sync + 'static;

    /// The rows with these ids; those that do not exist or may not be seen are missing.
    fn by_ids<'c>(
        connection: &'c mut DbConnection,
        principal: &Principal,
        ids: Vec<Uuid>,
        columns: ColumnSet,
    ) -> BoxFuture<'c, QueryResult<Vec<Arc<Self::Row>>>>;

    /// A page of all rows.
    fn page<'c>(
        connection: &'c mut DbConnection,
        principal: &Principal,
        filter: &Self::Filter,
        slice: Slice<Self::OrderField>,
        columns: ColumnSet,
    ) -> BoxFuture<'c, QueryResult<Vec<Arc<Self::Row>>>>;

    /// The number of rows.
    fn count<'c>(
        connection: &'c mut DbConnection,
        principal: &Principal,
        filter: &Self::Filter,
    ) -> BoxFuture<'c, QueryResult<i64>>;

    /// The same page of each parent's rows. With each row comes the place of its parent in `parents`.
    fn page_per_parent<'c>(
        connection: &'c mut DbConnection,
        principal: &Principal,
        parent: Self::Parent,
        parents: Vec<Uuid>,
        filter: &Self::Filter,
        slice: Slice<Self::OrderField>,
        columns: ColumnSet,
    ) -> BoxFuture<'c, QueryResult<Vec<Child<Self::Row>>>>;

    /// The number of each parent's rows; parents without rows are missing.
    fn count_per_parent<'c>(
        connection: &'c mut DbConnection,
        principal: &Principal,
        parent: Self::Parent,
        parents: Vec<Uuid>,
        filter: &Self::Filter,
    ) -> BoxFuture<'c, QueryResult<Vec<(Uuid, i64)>>>;
}

/// Implements [`Entity`] for a table with the functions `selection(columns)`, `visible(principal)` (what may be seen
/// at all) and `matching(principal, filter)` (what may be seen and meets the filter) in scope.
macro_rules! entity {
    (
        $entity:ident, $table:ident, $row:ty, $filter:ty,
        $order:ident { $($field:ident => $key:ident: $kind:ident),+ $(,)? },
        $parent:ident { $($variant:ident => $column:ident),* $(,)? }
    ) => {
        impl crate::db::page::OrderField for $order {
            fn column(self) -> crate::db::page::SortColumn {
                use crate::db::page::{SortColumn, SortKind};
                match self {
                    $($order::$field => SortColumn {
                        name: <$table::$key as diesel::query_source::Column>::NAME,
                        kind: SortKind::$kind,
                    },)+
                }
            }
        }

        impl crate::db::page::Positioned for $row {
            type Field = $order;

            fn id(&self) -> uuid::Uuid {
                self.id.into()
            }

            fn position(&self, field: $order) -> crate::db::page::Position {
                let key = match field {
                    $($order::$field => self.$key.clone().into(),)+
                };
                crate::db::page::Position { key, id: self.id.into() }
            }
        }

        impl crate::db::entity::Entity for $entity {
            type Row = $row;
            type OrderField = $order;
            type Filter = $filter;
            type Parent = $parent;

            fn by_ids<'c>(
                connection: &'c mut DbConnection,
                principal: &Principal,
                ids: Vec<uuid::Uuid>,
                columns: ColumnSet,
            ) -> BoxFuture<'c, QueryResult<Vec<std::sync::Arc<$row>>>> {
                let mut conditions = visible(principal);
                conditions.require(crate::db::lists::any_id($table::id, ids));
                let rows = crate::db::page::Rows::new(selection(columns), conditions);
                Box::pin(async move { on_backend!(connection, |inner| rows.load(inner).await).map(crate::db::columns::shared) })
            }

            fn page<'c>(
                connection: &'c mut DbConnection,
                principal: &Principal,
                filter: &$filter,
                slice: crate::db::page::Slice<$order>,
                columns: ColumnSet,
            ) -> BoxFuture<'c, QueryResult<Vec<std::sync::Arc<$row>>>> {
                let page = crate::db::page::Page::new(selection(columns), matching(principal, filter), slice);
                Box::pin(async move { on_backend!(connection, |inner| page.load(inner).await).map(crate::db::columns::shared) })
            }

            fn count<'c>(
                connection: &'c mut DbConnection,
                principal: &Principal,
                filter: &$filter,
            ) -> BoxFuture<'c, QueryResult<i64>> {
                let count = crate::db::page::Count::new(matching(principal, filter));
                Box::pin(async move { on_backend!(connection, |inner| count.get_result(inner).await) })
            }

            #[allow(unused_variables, unreachable_code, reason = "some tables have no parents")]
            fn page_per_parent<'c>(
                connection: &'c mut DbConnection,
                principal: &Principal,
                parent: $parent,
                parents: Vec<uuid::Uuid>,
                filter: &$filter,
                slice: crate::db::page::Slice<$order>,
                columns: ColumnSet,
            ) -> BoxFuture<'c, QueryResult<Vec<crate::db::columns::Child<$row>>>> {
                let page = crate::db::page::Page::new(selection(columns), matching(principal, filter), slice);
                match parent {
                    $($parent::$variant => {
                        let pages = crate::db::page::PagePerParent::new(page, $table::$column, parents);
                        Box::pin(async move { on_backend!(connection, |inner| pages.load(inner).await) })
                    })*
                }
            }

            #[allow(unused_variables, unreachable_code, reason = "some tables have no parents")]
            fn count_per_parent<'c>(
                connection: &'c mut DbConnection,
                principal: &Principal,
                parent: $parent,
                parents: Vec<uuid::Uuid>,
                filter: &$filter,
            ) -> BoxFuture<'c, QueryResult<Vec<(uuid::Uuid, i64)>>> {
                let conditions = matching(principal, filter);
                match parent {
                    $($parent::$variant => {
                        let counts = crate::db::page::CountPerParent::new(conditions, $table::$column, parents);
                        Box::pin(async move { on_backend!(connection, |inner| counts.load(inner).await) })
                    })*
                }
            }
        }
    };
}

pub(crate) use entity;
