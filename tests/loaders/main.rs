//! Each loader over both databases: what it answers, and in how many statements.

#[path = "../common/mod.rs"]
mod common;

mod by_name;
mod children;
mod lists;
mod on_demand;
mod places;
mod rows;
mod tree;
mod visible;

use std::sync::Arc;

use evalgraph::db::StatementCount;
use evalgraph::domain::Principal;
use evalgraph::loaders::{Batch, Dispatcher, Loader, Loaders, Store};
use futures_util::future::join_all;

use common::TestDatabase;

/// One of the loaders of a request.
type Pick<B> = fn(&Loaders) -> &Loader<B>;

/// The loaders of one request.
struct Request {
    dispatcher: Arc<Dispatcher>,
    loaders: Loaders,
    statements: StatementCount,
}

impl Request {
    fn of(principal: Principal, database: &TestDatabase) -> Self {
        let (dispatcher, statements) = (Arc::new(Dispatcher::default()), StatementCount::default());
        let store = Arc::new(Store {
            database: database.database.clone(),
            principal,
            statements: statements.clone(),
            cache: None,
        });
        Self { loaders: Loaders::new(&store, &dispatcher), dispatcher, statements }
    }

    /// Of an administrator.
    fn new(database: &TestDatabase) -> Self {
        Self::of(Principal::local(), database)
    }

    /// The answers to `keys`, which are asked for at the same time.
    async fn ask<B: Batch>(&self, loader: Pick<B>, keys: impl IntoIterator<Item = B::Key>) -> Vec<B::Value> {
        let loader = loader(&self.loaders);
        let loads = join_all(keys.into_iter().map(|key| loader.load(key)));
        let answers = Arc::clone(&self.dispatcher).drive(loads).await;
        answers.into_iter().map(|answer| answer.expect("the batch succeeds")).collect()
    }
}
