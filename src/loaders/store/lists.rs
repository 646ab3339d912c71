//! Pages and lengths of lists that are under no parent.

use std::marker::PhantomData;
use std::sync::Arc;

use futures_util::future::join_all;

use super::Store;
use super::group::by_group;
use crate::db::columns::ColumnSet;
use crate::db::entity::Entity;
use crate::db::page::Slice;
use crate::loaders::loader::{Batch, LoadError};

/// A page of rows, in the order of its slice.
pub type PageRows<R> = Arc<Vec<Arc<R>>>;

/// Which page of a list: everything that its statement depends on, but for the columns.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PageArguments<E: Entity> {
    /// Which rows belong to the list.
    pub filter: E::Filter,
    /// Which of them are wanted.
    pub slice: Slice<E::OrderField>,
}

/// A page of a list that is under no parent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ListKey<E: Entity> {
    /// Which page.
    pub page: PageArguments<E>,
    /// The columns on demand that are needed.
    pub columns: ColumnSet,
}

/// Pages of all rows.
pub struct List<E> {
    store: Arc<Store>,
    name: &'static str,
    entity: PhantomData<fn() -> E>,
}

impl<E> List<E> {
    pub(in crate::loaders) fn new(store: &Arc<Store>, name: &'static str) -> Self {
        Self { store: Arc::clone(store), name, entity: PhantomData }
    }
}

impl<E: Entity> Batch for List<E> {
    type Key = ListKey<E>;
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
                let (arguments, count) = (arguments.clone(), members.len());
                let columns = members.iter().map(|key| key.columns).collect();
                let rows = self.store.read(move |connection, principal| {
                    E::page(connection, principal, &arguments.filter, arguments.slice, columns)
                });
                let page: PageRows<E::Row> = Arc::new(rows.await?);
                Ok(vec![page; count])
            },
        )
        .await
    }
}

/// The length of a list that is under no parent.
pub struct ListCount<E> {
    store: Arc<Store>,
    name: &'static str,
    entity: PhantomData<fn() -> E>,
}

impl<E> ListCount<E> {
    pub(in crate::loaders) fn new(store: &Arc<Store>, name: &'static str) -> Self {
        Self { store: Arc::clone(store), name, entity: PhantomData }
    }
}

impl<E: Entity> Batch for ListCount<E> {
    type Key = E::Filter;
    type Value = i64;

    fn name(&self) -> &'static str {
        self.name
    }

    async fn load(&self, keys: &[E::Filter]) -> Vec<Result<i64, LoadError>> {
        join_all(keys.iter().map(|filter| {
            let filter = filter.clone();
            self.store.read(move |connection, principal| E::count(connection, principal, &filter))
        }))
        .await
    }
}
