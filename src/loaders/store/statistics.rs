//! Figures about everything.

use std::sync::Arc;

use super::Store;
use crate::db::statistics::{StatisticsRow, compute};
use crate::loaders::loader::{Batch, LoadError};

/// Figures about everything that the principal may see.
pub struct Statistics(pub(in crate::loaders) Arc<Store>);

impl Batch for Statistics {
    type Key = ();
    type Value = Arc<StatisticsRow>;

    fn name(&self) -> &'static str {
        "statistics"
    }

    async fn load(&self, keys: &[()]) -> Vec<Result<Self::Value, LoadError>> {
        let row = self.0.read(|connection, principal| {
            let principal = principal.clone();
            Box::pin(async move { compute(connection, &principal).await })
        });
        let row = row.await.map(Arc::new);
        vec![row; keys.len()]
    }
}
