//! The statements of one request.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use crate::telemetry::slow::Asker;

/// Counts the statements of one request, and says whose they are.
#[derive(Debug, Clone, Default)]
pub struct StatementCount(Arc<Statements>);

#[derive(Debug, Default)]
struct Statements {
    sent: AtomicU64,
    request_id: Option<Arc<str>>,
    operation: OnceLock<Arc<str>>,
}

impl StatementCount {
    /// Of the request with this id.
    #[must_use]
    pub fn of_request(request_id: Arc<str>) -> Self {
        Self(Arc::new(Statements { request_id: Some(request_id), ..Statements::default() }))
    }

    /// Notes the name of the operation that is being executed.
    pub fn name_operation(&self, name: &str) {
        let _ = self.0.operation.set(name.into());
    }

    /// How many there were so far.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.sent.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, sent: u64) {
        self.0.sent.fetch_add(sent, Ordering::Relaxed);
    }

    pub(super) fn asker(&self) -> Asker {
        Asker { request_id: self.0.request_id.clone(), operation: self.0.operation.get().cloned() }
    }
}
