//! The object types: one file each.

mod api_token;
mod audit_entry;
mod comparison;
mod evaluation;
mod leaderboards;
mod node;
mod prompt;
mod prompt_template;
mod run;
mod score_point;
mod service_config;
mod statistics;
mod test_result;
mod viewer;

pub use api_token::ApiToken;
pub use audit_entry::AuditEntry;
pub use comparison::EvaluationComparison;
pub use evaluation::Evaluation;
pub use leaderboards::{ModelRanking, PromptRanking};
pub use node::{Node, load as load_node};
pub use prompt::Prompt;
pub use prompt_template::PromptTemplate;
pub use run::Run;
pub use score_point::ScorePoint;
pub use service_config::ServiceConfig;
pub use statistics::Statistics;
pub use test_result::TestResult;
pub use viewer::Viewer;

use super::error::ApiError;

/// A number as GraphQL's `Int`, which has 32 bits: one that does not fit is an error of its field.
pub fn int(number: i64, field: &str) -> Result<i32, ApiError> {
    i32::try_from(number).map_err(|_| ApiError::TooLarge { field: field.to_owned(), number })
}

/// The value of a column on demand that the statement was told to read and that the table never leaves null.
fn read<'a, T>(value: &'a Option<T>, field: &str) -> Result<&'a T, ApiError> {
    value.as_ref().ok_or_else(|| ApiError::Defect(format!("the column of {field} was not read")))
}
