//! How many files the process may have open. A connection is one.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Raises the limit that holds (often 1,024, for programs of old) to the one that the process may choose, and returns it;
/// none when there is no limit.
pub fn raise_limit() -> Option<u64> {
    let mut limit = getrlimit(Resource::Nofile);
    let before = limit.current;
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::debug!(%error, "the limit of open files stays as it is");
        return before;
    }
    limit.current
}
