//! Pages and lengths of parents' lists.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use super::group::{by_group, distinct};
use super::{PageArguments, PageRows, Store};
use crate::db::columns::{Child, ColumnSet};
use crate::db::entity::Entity;
use crate::db::page::{Direction, Order, Positioned};
use crate::loaders::loader::{Batch, LoadError};

/// A page of one parent's list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ChildPageKey<E: Entity> {
    /// The parent's id.
    pub parent: Uuid,
    /// Which page.
    pub page: PageArguments<E>,
    /// The columns on demand that are needed.
    pub columns: ColumnSet,
}

/// Pages of parents' lists: one statement for each page arguments, whatever the number of parents.
pub struct ChildPage<E: Entity> {
    store: Arc<Store>,
    name: &'static str,
    pub(in crate::loaders) parent: E::Parent,
}

impl<E: Entity> ChildPage<E> {
    pub(in crate::loaders) fn new(store: &Arc<Store>, name: &'static str, parent: E::Parent) -> Self {
        Self { store: Arc::clone(store), name, parent }
    }

    /// The pages of `parents`, in their order.
    async fn load_group(
        &self,
        parents: Vec<Uuid>,
        arguments: PageArguments<E>,
        columns: ColumnSet,
    ) -> Result<Vec<PageRows<E::Row>>, LoadError> {
        let (parent, count, order) = (self.parent, parents.len(), arguments.slice.order);
        let rows = self
            .store
            .read(move |connection, principal| {
                E::page_per_parent(connection, principal, parent, parents, &arguments.filter, arguments.slice, columns)
            })
            .await?;
        let mut pages: Vec<Vec<Arc<E::Row>>> = vec![Vec::new(); count];
        for Child { place, row } in rows {
            if let Some(page) = usize::try_from(place).ok().and_then(|place| pages.get_mut(place)) {
                page.push(row);
            }
        }
        Ok(pages.into_iter().map(|page| Arc::new(in_order(page, order))).collect())
    }
}

impl<E: Entity> Batch for ChildPage<E> {
    type Key = ChildPageKey<E>;
    type Value = PageRows<E::Row>;

    fn name(&self) -> &'static str {
        self.name
    }

    async fn load(&self, keys: &[Self::Key]) -> Vec<Result<Self::Value, LoadError>> {
        by_group(
            self.name,
            keys,
            |key| &key.page,
            async |arguments, members| {
                let parents = distinct(members.iter().map(|key| key.parent));
                let columns = members.iter().map(|key| key.columns).collect();
                let pages = self.load_group(parents.clone(), arguments.clone(), columns).await?;
                let pages: HashMap<Uuid, PageRows<E::Row>> = parents.into_iter().zip(pages).collect();
                Ok(members.iter().map(|key| pages.get(&key.parent).cloned().unwrap_or_default()).collect())
            },
        )
        .await
    }
}

/// The length of one parent's list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ChildCountKey<F> {
    /// The parent's id.
    pub parent: Uuid,
    /// Which rows belong to the list.
    pub filter: F,
}

/// The lengths of parents' lists: one statement for each filter, whatever the number of parents.
pub struct ChildCount<E: Entity> {
    store: Arc<Store>,
    name: &'static str,
    pub(in crate::loaders) parent: E::Parent,
}

impl<E: Entity> ChildCount<E> {
    pub(in crate::loaders) fn new(store: &Arc<Store>, name: &'static str, parent: E::Parent) -> Self {
        Self { store: Arc::clone(store), name, parent }
    }
}

impl<E: Entity> Batch for ChildCount<E> {
    type Key = ChildCountKey<E::Filter>;
    type Value = i64;

    fn name(&self) -> &'static str {
        self.name
    }

    async fn load(&self, keys: &[Self::Key]) -> Vec<Result<i64, LoadError>> {
        by_group(
            self.name,
            keys,
            |key| &key.filter,
            async |filter, members| {
                let (filter, parent) = (filter.clone(), self.parent);
                let parents = members.iter().map(|key| key.parent).collect();
                let counts = self.store.read(move |connection, principal| {
                    E::count_per_parent(connection, principal, parent, parents, &filter)
                });
                let counts: HashMap<Uuid, i64> = counts.await?.into_iter().collect();
                Ok(members.iter().map(|key| counts.get(&key.parent).copied().unwrap_or(0)).collect())
            },
        )
        .await
    }
}

/// The statement returns each parent's rows in order as a rule, but does not promise to; sorting what is sorted is cheap.
fn in_order<R: Positioned>(mut rows: Vec<Arc<R>>, order: Order<R::Field>) -> Vec<Arc<R>> {
    match order.direction {
        Direction::Ascending => rows.sort_by_cached_key(|row| row.position(order.field)),
        Direction::Descending => rows.sort_by_cached_key(|row| std::cmp::Reverse(row.position(order.field))),
    }
    rows
}
