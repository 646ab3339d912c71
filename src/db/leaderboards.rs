//! The best prompts and the best models.

use std::sync::Arc;

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql};
use diesel::prelude::*;
use diesel::result::QueryResult;
use diesel::row::NamedRow;
use diesel::sql_types::{BigInt, Double, Nullable, Text, Untyped};
use diesel_async::RunQueryDsl as _;

use super::backend::on_backend;
use super::columns::{ColumnReader, ColumnSet, SelectedRow};
use super::conditions::Conditions;
use super::connection::DbConnection;
use super::prompts::{self, PromptRow};
use super::raw::Raw;
use super::schema::prompt_totals;
use super::totals::{EvaluationSums, FIGURES, OF_MODELS, SUMS_OF_TOTALS, mean};
use crate::domain::{Principal, PromptId, Timestamp};

/// A prompt in the list of the best.
#[derive(Debug, Clone)]
pub struct RankedPrompt {
    /// The prompt.
    pub prompt: Arc<PromptRow>,
    /// The mean overall score of its completed evaluations that have one.
    pub average_score: f64,
    /// How many evaluations that are.
    pub evaluation_count: i64,
}

impl<DB: Backend> QueryableByName<DB> for RankedPrompt
where
    f64: FromSql<Double, DB>,
    i64: FromSql<BigInt, DB>,
    PromptRow: SelectedRow<DB>,
{
    fn build<'a>(row: &impl NamedRow<'a, DB>) -> deserialize::Result<Self> {
        let mut columns = ColumnReader::at(row, 0);
        Ok(Self {
            average_score: columns.always::<DB, Double, _>()?,
            evaluation_count: columns.always::<DB, BigInt, _>()?,
            prompt: Arc::new(PromptRow::read(row, 2)?),
        })
    }
}

/// The prompts with the highest means over at least `min_evaluations` scored evaluations, the best first. Of equal means
/// that of more evaluations goes first, then the smaller id.
///
/// # Errors
/// When the statement fails.
pub async fn best_prompts(
    connection: &mut DbConnection,
    principal: &Principal,
    min_evaluations: i64,
    limit: i64,
    columns: ColumnSet,
) -> QueryResult<Vec<RankedPrompt>> {
    // Of the prompts as well, PostgreSQL would take the condition for one that few of the owner's prompts meet, and sort.
    let mut owner = Conditions::<prompt_totals::table>::default();
    if !principal.is_admin {
        owner.require(prompt_totals::user_id.eq(principal.user_id.to_string()));
    }
    // The cross join has SQLite walk along the index of means and look the prompts up; the plus sign keeps it from
    // looking for a count under every mean. To PostgreSQL both mean nothing.
    let statement: Raw<Untyped> = Raw::new("SELECT prompt_totals.average_score, prompt_totals.scored_count, ")
        .fragment(prompts::selection(columns))
        .sql(
            " FROM prompt_totals CROSS JOIN prompts \
             WHERE prompts.id = prompt_totals.prompt_id AND prompt_totals.average_score IS NOT NULL \
             AND prompts.deleted_at IS NULL AND +prompt_totals.scored_count >= ",
        )
        .number(min_evaluations)
        .sql(" AND ")
        .fragment(owner)
        .sql(
            " ORDER BY prompt_totals.average_score DESC, prompt_totals.scored_count DESC, prompt_totals.prompt_id \
             LIMIT ",
        )
        .number(limit);
    on_backend!(connection, |inner| statement.load(inner).await)
}

/// A model in the list of the best.
#[derive(Debug, Clone, PartialEq, Queryable, serde::Serialize, serde::Deserialize)]
pub struct RankedModel {
    /// Who runs it.
    pub provider: String,
    /// Its name.
    pub model: String,
    /// Its completed evaluations.
    pub sums: EvaluationSums,
    /// Results with a latency.
    pub timed_tests: i64,
    /// The sum of those latencies.
    pub total_latency_ms: Option<i64>,
    /// What the evaluations cost; none when that is known of none.
    pub cost_usd: Option<f64>,
}

impl RankedModel {
    /// The mean latency in milliseconds; none of nothing.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "counts and latencies stay far below 2^53")]
    pub fn average_latency_ms(&self) -> Option<f64> {
        let total = self.total_latency_ms.filter(|_| self.timed_tests > 0)?;
        Some(total as f64 / self.timed_tests as f64)
    }
}

type RankedModelSql =
    (Text, Text, (BigInt, Nullable<Double>, BigInt, BigInt), BigInt, Nullable<BigInt>, Nullable<Double>);

/// Which models are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ModelQuestion {
    /// Only on this prompt.
    pub prompt: Option<PromptId>,
    /// Only in evaluations created at this time or later.
    pub since: Option<Timestamp>,
    /// At most so many models.
    pub limit: i64,
}

const RANKED_MODELS: &str = concat!(
    "SELECT provider, model, evaluation_count, ",
    mean!("score_sum", "scored_count"),
    " AS average_score, passed_tests, passed_tests + failed_tests + errored_tests, timed_tests, total_latency_ms, \
     cost_usd FROM ("
);
const IN_ORDER: &str =
    ") AS models ORDER BY average_score DESC NULLS LAST, evaluation_count DESC, provider, model LIMIT ";

/// The models with the highest mean overall score, the best first and those without a score last. Of equal means that of
/// more evaluations goes first, then names decide, by code point.
///
/// # Errors
/// When the statement fails.
pub async fn best_models(
    connection: &mut DbConnection,
    principal: &Principal,
    question: ModelQuestion,
) -> QueryResult<Vec<RankedModel>> {
    let ModelQuestion { prompt, since, limit } = question;
    let statement: Raw<RankedModelSql> = Raw::new(RANKED_MODELS);
    let statement = match since {
        None if prompt.is_none() && principal.is_admin => of_all_totals(statement),
        None => of_totals(statement, prompt).sql(" AND ").fragment(prompts::visible(principal)),
        Some(since) => of_evaluations(statement, prompt, since).sql(" AND ").fragment(prompts::visible(principal)),
    };
    let statement = statement.sql(" GROUP BY provider, model").sql(IN_ORDER).number(limit);
    on_backend!(connection, |inner| statement.load(inner).await)
}

/// What is kept for each prompt, added up by model.
fn sums_of_totals(statement: Raw<RankedModelSql>) -> Raw<RankedModelSql> {
    statement.sql("SELECT provider, model, ").sql(SUMS_OF_TOTALS).sql(
        ", CAST(sum(timed_tests) AS bigint) AS timed_tests, CAST(sum(total_latency_ms) AS bigint) AS total_latency_ms, \
         sum(prompt_model_totals.cost_usd) AS cost_usd FROM prompt_model_totals ",
    )
}

/// Those of all prompts but the deleted ones, which are few: a join would look every prompt up. PostgreSQL makes a hash of
/// them only for `NOT EXISTS`, SQLite a list only for `NOT IN`.
fn of_all_totals(statement: Raw<RankedModelSql>) -> Raw<RankedModelSql> {
    sums_of_totals(statement).sql("WHERE ").dialects(
        "NOT EXISTS (SELECT 1 FROM prompts WHERE prompts.id = prompt_model_totals.prompt_id \
         AND prompts.deleted_at IS NOT NULL)",
        "prompt_model_totals.prompt_id NOT IN (SELECT prompts.id FROM prompts WHERE prompts.deleted_at IS NOT NULL)",
    )
}

fn of_totals(statement: Raw<RankedModelSql>, prompt: Option<PromptId>) -> Raw<RankedModelSql> {
    let statement =
        sums_of_totals(statement).sql("JOIN prompts ON prompts.id = prompt_model_totals.prompt_id WHERE TRUE");
    only_of_prompt(statement, " AND prompt_model_totals.prompt_id = ", prompt)
}

fn of_evaluations(statement: Raw<RankedModelSql>, prompt: Option<PromptId>, since: Timestamp) -> Raw<RankedModelSql> {
    let statement = statement
        .sql("SELECT evaluations.provider, evaluations.model, ")
        .sql(FIGURES)
        .sql(" FROM evaluations JOIN prompts ON prompts.id = evaluations.prompt_id WHERE ")
        .sql(OF_MODELS)
        .sql(" AND evaluations.created_at >= ")
        .time(since);
    only_of_prompt(statement, " AND evaluations.prompt_id = ", prompt)
}

fn only_of_prompt(
    statement: Raw<RankedModelSql>,
    condition: &'static str,
    prompt: Option<PromptId>,
) -> Raw<RankedModelSql> {
    match prompt {
        Some(prompt) => statement.sql(condition).id(prompt.into()),
        None => statement,
    }
}
