//! What objects come to: one statement for all of them, whichever of the figures are asked for.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;

use diesel::result::QueryResult;
use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::Store;
use crate::db::DbConnection;
use crate::db::totals::{PromptTotals, RunTotals, of_prompts, of_runs};
use crate::domain::Principal;
use crate::loaders::loader::{Batch, LoadError};

/// Figures of an object. Those of an object without evaluations are the default.
pub trait Totals: Copy + Default + Send + Sync + 'static {
    /// The loader's name in reports.
    const LOADER: &'static str;

    /// The figures of the objects with these ids; those without evaluations may be missing.
    fn of(
        connection: &mut DbConnection,
        principal: Principal,
        ids: Vec<Uuid>,
    ) -> BoxFuture<'_, QueryResult<Vec<(Uuid, Self)>>>;
}

impl Totals for PromptTotals {
    const LOADER: &'static str = "promptTotals";

    fn of(
        connection: &mut DbConnection,
        principal: Principal,
        ids: Vec<Uuid>,
    ) -> BoxFuture<'_, QueryResult<Vec<(Uuid, Self)>>> {
        Box::pin(async move { of_prompts(connection, &principal, ids).await })
    }
}

impl Totals for RunTotals {
    const LOADER: &'static str = "runTotals";

    fn of(
        connection: &mut DbConnection,
        principal: Principal,
        ids: Vec<Uuid>,
    ) -> BoxFuture<'_, QueryResult<Vec<(Uuid, Self)>>> {
        Box::pin(async move { of_runs(connection, &principal, ids).await })
    }
}

/// Figures of objects by their ids.
pub struct TotalsById<T> {
    store: Arc<Store>,
    totals: PhantomData<fn() -> T>,
}

impl<T> TotalsById<T> {
    pub(in crate::loaders) fn new(store: &Arc<Store>) -> Self {
        Self { store: Arc::clone(store), totals: PhantomData }
    }
}

impl<T: Totals> Batch for TotalsById<T> {
    type Key = Uuid;
    type Value = T;

    fn name(&self) -> &'static str {
        T::LOADER
    }

    async fn load(&self, keys: &[Uuid]) -> Vec<Result<T, LoadError>> {
        let ids = keys.to_vec();
        let totals = self.store.read(|connection, principal| T::of(connection, principal.clone(), ids)).await;
        let totals = totals.map(|totals| totals.into_iter().collect::<HashMap<_, _>>());
        keys.iter().map(|id| Ok(totals.as_ref().map_err(Clone::clone)?.get(id).copied().unwrap_or_default())).collect()
    }
}
