//! What a transaction has invalidated, from the outbox to whoever carries it out.

use std::sync::{Arc, Mutex, PoisonError};

use diesel::result::QueryResult;
use futures_util::future::BoxFuture;
use uuid::Uuid;

use crate::db::changes::Changes;
use crate::db::connection::DbConnection;
use crate::db::outbox;
use crate::db::transaction::Aborted;

/// What a transaction has invalidated.
#[derive(Clone)]
pub struct Claimed {
    instance: Uuid,
    tags: Arc<Mutex<Vec<String>>>,
}

impl Claimed {
    /// Nothing yet; what is to come stands in the outbox under this name.
    pub fn by(instance: Uuid) -> Self {
        Self { instance, tags: Arc::default() }
    }

    /// Called last in the transaction: what it has changed is in the outbox by then.
    async fn claim(&self, connection: &mut DbConnection) -> QueryResult<()> {
        let tags = outbox::claim(connection, self.instance).await?;
        *self.tags.lock().unwrap_or_else(PoisonError::into_inner) = tags;
        Ok(())
    }

    /// The tags that it has invalidated.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.tags.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// `work`, at whose end what it has invalidated is claimed.
pub fn claiming<T, R, W>(
    work: W,
    claimed: Option<Claimed>,
) -> impl for<'c> Fn(&'c mut DbConnection) -> BoxFuture<'c, Result<(T, Changes), Aborted<R>>> + Send + Sync + 'static
where
    T: Send + 'static,
    R: Send + 'static,
    W: for<'c> Fn(&'c mut DbConnection) -> BoxFuture<'c, Result<(T, Changes), Aborted<R>>> + Send + Sync + 'static,
{
    let work = Arc::new(work);
    move |connection| {
        let (work, claimed) = (Arc::clone(&work), claimed.clone());
        Box::pin(async move {
            let outcome = work(&mut *connection).await?;
            if let Some(claimed) = claimed {
                claimed.claim(connection).await?;
            }
            Ok(outcome)
        })
    }
}
