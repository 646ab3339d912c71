//! The store: two databases behind one set of statements. Knows nothing of GraphQL.

pub mod api_tokens;
mod arrays;
pub mod audit;
pub mod backend;
pub mod changes;
pub mod columns;
pub mod comparison;
pub mod conditions;
pub mod connection;
pub mod entity;
pub mod error;
pub mod evaluations;
pub mod insert;
pub mod leaderboards;
pub mod lists;
pub mod migrate;
pub mod outbox;
pub mod page;
pub mod planner;
mod plans;
pub mod pool;
mod postgres;
pub mod prompts;
pub mod purge;
mod raw;
pub mod runs;
#[rustfmt::skip]
#[allow(missing_docs, reason = "printed by Diesel")]
pub mod schema;
pub mod search;
pub mod search_index;
mod sqlite;
pub mod state;
mod statement_count;
pub mod statistics;
pub mod templates;
pub mod test_results;
pub mod totals;
pub mod transaction;
pub mod trends;
pub mod types;

pub use connection::DbConnection;
pub use error::DbError;
pub use pool::Database;
pub use statement_count::StatementCount;
