//! The span of commands to Redis that are sent together: neither keys nor values are in it.

use opentelemetry::KeyValue;

use super::span::{Span, at, client};

/// Commands that are sent together.
#[derive(Debug, Clone, Copy)]
pub struct RedisCommands {
    /// Which command.
    pub operation: &'static str,
    /// How many keys it is about.
    pub keys: usize,
}

/// Sends commands and waits for the answer. `failed` tells whether there is none.
pub async fn redis<T>(commands: RedisCommands, work: impl Future<Output = T>, failed: impl FnOnce(&T) -> bool) -> T {
    let span = client(commands.operation);
    if let Some(span) = &span {
        span.set_all([
            KeyValue::new("db.system.name", "redis"),
            KeyValue::new("db.operation.name", commands.operation),
            KeyValue::new("db.operation.batch.size", i64::try_from(commands.keys).unwrap_or(i64::MAX)),
        ]);
    }
    let answer = at(span.as_ref().map(Span::place), work).await;
    if let Some(span) = span
        && failed(&answer)
    {
        span.fail("UNAVAILABLE");
    }
    answer
}
