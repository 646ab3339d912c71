//! The questions that are answered by the database.

mod children;
mod comparison;
mod group;
mod leaderboards;
mod lists;
mod lookup;
mod rows;
mod statistics;
mod totals;
mod trends;

use std::sync::Arc;

use diesel::result::QueryResult;
use futures_util::future::BoxFuture;

pub use children::{ChildCount, ChildCountKey, ChildPage, ChildPageKey};
pub use comparison::{ComparedCases, ComparedCasesKey, ComparisonCounts};
pub use leaderboards::{ModelLeaderboard, PromptLeaderboard, PromptLeaderboardKey};
pub use lists::{List, ListCount, ListKey, PageArguments, PageRows};
pub use lookup::{Lookup, PromptNameKey, Question, RunExternalIdKey, TemplateNameKey};
pub use rows::{RowById, RowKey};
pub use statistics::Statistics;
pub use totals::{Totals, TotalsById};
pub use trends::{ScoreTrends, TrendKey};

use super::loader::LoadError;
use crate::cache::Cache;
use crate::db::{Database, DbConnection, StatementCount};
use crate::domain::Principal;

/// What the loaders of one request have in common.
pub struct Store {
    /// Where the data is.
    pub database: Database,
    /// On whose behalf it is read.
    pub principal: Principal,
    /// How many statements that took.
    pub statements: StatementCount,
    /// What remembers the answers, unless the request wants to know for itself.
    pub cache: Option<Arc<Cache>>,
}

impl Store {
    async fn read<T, W>(&self, work: W) -> Result<T, LoadError>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut DbConnection, &Principal) -> BoxFuture<'c, QueryResult<T>> + Send + 'static,
    {
        let work = on_behalf_of(self.principal.clone(), work);
        Ok(self.database.read(&self.statements, work).await?)
    }
}

fn on_behalf_of<T, W>(
    principal: Principal,
    work: W,
) -> impl for<'c> FnOnce(&'c mut DbConnection) -> BoxFuture<'c, QueryResult<T>> + Send + 'static
where
    W: for<'c> FnOnce(&'c mut DbConnection, &Principal) -> BoxFuture<'c, QueryResult<T>> + Send + 'static,
{
    move |connection| work(connection, &principal)
}
