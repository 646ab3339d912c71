//! Trying a transaction again that collided with another.

use std::time::{Duration, Instant};

use diesel::result::QueryResult;
use futures_util::future::BoxFuture;
use rand::RngExt as _;

use super::{Aborted, write_transaction};
use crate::db::connection::DbConnection;
use crate::db::error::is_contention;

/// How often a transaction is tried at most.
const ATTEMPTS: u32 = 6;
/// No attempt begins later than so long after the first: SQLite has waited five seconds each time that it says that it is
/// busy, and the client does not wait for ever.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest pause after the first attempt; twice as long after each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// Runs `work` in a transaction, and again when it collided with another, from the beginning and after a pause of random
/// length: those who collided once would otherwise do so again. No other failure is tried again.
///
/// # Errors
/// Inside, what `work` found; outside, the failure of a statement, that of the last attempt when all collided.
pub async fn retried<T, R, W>(connection: &mut DbConnection, work: &W) -> QueryResult<Result<T, R>>
where
    W: for<'c> Fn(&'c mut DbConnection) -> BoxFuture<'c, Result<T, Aborted<R>>>,
{
    let begun = Instant::now();
    let mut attempt = 1;
    loop {
        match write_transaction(connection, work).await {
            Ok(value) => return Ok(Ok(value)),
            Err(Aborted::Refused(refusal)) => return Ok(Err(refusal)),
            Err(Aborted::Statement(error)) => {
                let may_try_again = attempt < ATTEMPTS && begun.elapsed() < PATIENCE;
                if !may_try_again || !is_contention(&error) {
                    return Err(error);
                }
                tracing::debug!(%error, attempt, "a transaction collided with another and is tried again");
            }
        }
        tokio::time::sleep(pause(attempt)).await;
        attempt += 1;
    }
}

/// How long to wait after this attempt.
fn pause(attempt: u32) -> Duration {
    let longest = FIRST_PAUSE * 2_u32.saturating_pow(attempt - 1);
    longest.mul_f64(rand::rng().random_range(0.0..1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_differ() {
        for attempt in 1..ATTEMPTS {
            let pauses: Vec<_> = (0..20).map(|_| pause(attempt)).collect();
            assert!(pauses.iter().all(|&pause| pause < FIRST_PAUSE * 2_u32.pow(attempt - 1)), "{pauses:?}");
            assert!(pauses.windows(2).any(|pair| pair[0] != pair[1]), "{pauses:?}");
        }
    }
}
