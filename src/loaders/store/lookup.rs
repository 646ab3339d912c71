//! Objects by a name: one statement for each, as only fields of the root ask.

use std::hash::Hash;
use std::marker::PhantomData;
use std::sync::Arc;

use diesel::result::QueryResult;
use futures_util::future::{BoxFuture, join_all};

use super::Store;
use crate::db::columns::ColumnSet;
use crate::db::prompts::PromptRow;
use crate::db::runs::RunRow;
use crate::db::templates::TemplateRow;
use crate::db::{DbConnection, prompts, runs, templates};
use crate::domain::{Principal, RunSource};
use crate::loaders::loader::{Batch, LoadError};

/// What leads to at most one row.
pub trait Question: Clone + Eq + Hash + Send + Sync + 'static {
    /// The row.
    type Row: Send + Sync + 'static;
    /// The loader's name in reports.
    const LOADER: &'static str;

    /// The row, if `principal` may see it.
    fn find(
        self,
        connection: &mut DbConnection,
        principal: Principal,
    ) -> BoxFuture<'_, QueryResult<Option<Arc<Self::Row>>>>;
}

/// The loader of the rows that such questions lead to.
pub struct Lookup<Q> {
    store: Arc<Store>,
    question: PhantomData<fn() -> Q>,
}

impl<Q> Lookup<Q> {
    pub(in crate::loaders) fn new(store: &Arc<Store>) -> Self {
        Self { store: Arc::clone(store), question: PhantomData }
    }
}

impl<Q: Question> Batch for Lookup<Q> {
    type Key = Q;
    type Value = Option<Arc<Q::Row>>;

    fn name(&self) -> &'static str {
        Q::LOADER
    }

    async fn load(&self, keys: &[Q]) -> Vec<Result<Self::Value, LoadError>> {
        join_all(keys.iter().map(async |key| {
            let key = key.clone();
            let row = self.store.read(move |connection, principal| key.find(connection, principal.clone()));
            row.await
        }))
        .await
    }
}

/// A version of a named lineage.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PromptNameKey {
    /// The lineage's name.
    pub name: String,
    /// The version; the newest when there is none.
    pub version: Option<i32>,
    /// The columns on demand that are needed.
    pub columns: ColumnSet,
}

impl Question for PromptNameKey {
    type Row = PromptRow;
    const LOADER: &'static str = "promptByName";

    fn find(
        self,
        connection: &mut DbConnection,
        principal: Principal,
    ) -> BoxFuture<'_, QueryResult<Option<Arc<PromptRow>>>> {
        Box::pin(async move { prompts::by_name(connection, &principal, &self.name, self.version, self.columns).await })
    }
}

/// A run under the id that its tool gave it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RunExternalIdKey {
    /// The tool's id.
    pub external_id: String,
    /// The tool, if only its runs are meant.
    pub source: Option<RunSource>,
    /// The columns on demand that are needed.
    pub columns: ColumnSet,
}

impl Question for RunExternalIdKey {
    type Row = RunRow;
    const LOADER: &'static str = "runByExternalId";

    fn find(
        self,
        connection: &mut DbConnection,
        principal: Principal,
    ) -> BoxFuture<'_, QueryResult<Option<Arc<RunRow>>>> {
        Box::pin(async move {
            runs::by_external_id(connection, &principal, &self.external_id, self.source, self.columns).await
        })
    }
}

/// A template under its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TemplateNameKey {
    /// The name.
    pub name: String,
    /// The columns on demand that are needed.
    pub columns: ColumnSet,
}

impl Question for TemplateNameKey {
    type Row = TemplateRow;
    const LOADER: &'static str = "promptTemplateByName";

    fn find(self, connection: &mut DbConnection, _: Principal) -> BoxFuture<'_, QueryResult<Option<Arc<TemplateRow>>>> {
        Box::pin(async move { templates::by_name(connection, &self.name, self.columns).await })
    }
}
