//! Rows by id.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;

use uuid::Uuid;

use super::Store;
use super::group::distinct;
use crate::db::columns::ColumnSet;
use crate::db::entity::Entity;
use crate::db::page::Positioned as _;
use crate::loaders::loader::{Batch, LoadError};

/// A row, for one who needs these columns on demand of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RowKey {
    /// The row's id.
    pub id: Uuid,
    /// The columns on demand needed. Keys of one batch are read together, with all columns that any of them needs.
    pub columns: ColumnSet,
}

/// Rows by id.
pub struct RowById<E> {
    store: Arc<Store>,
    name: &'static str,
    entity: PhantomData<fn() -> E>,
}

impl<E> RowById<E> {
    pub(in crate::loaders) fn new(store: &Arc<Store>, name: &'static str) -> Self {
        Self { store: Arc::clone(store), name, entity: PhantomData }
    }
}

impl<E: Entity> Batch for RowById<E> {
    type Key = RowKey;
    type Value = Option<Arc<E::Row>>;

    fn name(&self) -> &'static str {
        self.name
    }

    async fn load(&self, keys: &[RowKey]) -> Vec<Result<Self::Value, LoadError>> {
        let columns = keys.iter().map(|key| key.columns).collect();
        let ids = distinct(keys.iter().map(|key| key.id));
        let rows = self.store.read(move |connection, principal| E::by_ids(connection, principal, ids, columns)).await;
        let rows =
            rows.map(|rows| -> HashMap<Uuid, Arc<E::Row>> { rows.into_iter().map(|row| (row.id(), row)).collect() });
        keys.iter().map(|key| Ok(rows.as_ref().map_err(Clone::clone)?.get(&key.id).cloned())).collect()
    }
}
