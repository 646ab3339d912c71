//! Evaluations compared: one statement for each pair and slice, as only fields of the root ask.

use std::sync::Arc;

use futures_util::future::join_all;

use super::Store;
use crate::db::comparison::{self, CaseSlice, ComparedCase, EvaluationPair};
use crate::loaders::loader::{Batch, LoadError};

/// How many test cases of two evaluations have which change.
pub struct ComparisonCounts(pub(in crate::loaders) Arc<Store>);

impl Batch for ComparisonCounts {
    type Key = EvaluationPair;
    type Value = Arc<comparison::ComparisonCounts>;

    fn name(&self) -> &'static str {
        "comparisonCounts"
    }

    async fn load(&self, keys: &[EvaluationPair]) -> Vec<Result<Self::Value, LoadError>> {
        join_all(keys.iter().map(async |&pair| {
            let counts = self.0.read(move |connection, principal| {
                let principal = principal.clone();
                Box::pin(async move { comparison::counts(connection, &principal, pair).await })
            });
            counts.await.map(Arc::new)
        }))
        .await
    }
}

/// Some test cases of two evaluations.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ComparedCasesKey {
    /// The evaluations.
    pub pair: EvaluationPair,
    /// Which of their cases.
    pub slice: CaseSlice,
}

/// Test cases of two evaluations, in their order.
pub struct ComparedCases(pub(in crate::loaders) Arc<Store>);

impl Batch for ComparedCases {
    type Key = ComparedCasesKey;
    type Value = Arc<Vec<Arc<ComparedCase>>>;

    fn name(&self) -> &'static str {
        "comparedCases"
    }

    async fn load(&self, keys: &[ComparedCasesKey]) -> Vec<Result<Self::Value, LoadError>> {
        join_all(keys.iter().map(async |key| {
            let ComparedCasesKey { pair, slice } = key.clone();
            let cases = self.0.read(move |connection, principal| {
                let principal = principal.clone();
                Box::pin(async move { comparison::cases(connection, &principal, pair, slice).await })
            });
            Ok(Arc::new(cases.await?.into_iter().map(Arc::new).collect()))
        }))
        .await
    }
}
