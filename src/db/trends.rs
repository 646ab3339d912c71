//! The course of scores over time.

use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Double, Nullable};
use diesel_async::RunQueryDsl as _;
use uuid::Uuid;

use super::backend::on_backend;
use super::connection::DbConnection;
use super::evaluations;
use super::raw::Raw;
use super::totals::{EvaluationSums, FIGURES, mean};
use super::types::sql;
use crate::domain::{Principal, Timestamp, TrendInterval};

/// The most buckets that a course has.
pub const MOST_BUCKETS: u32 = 1_000;

/// The buckets of a course, and which evaluations are in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TrendQuestion {
    /// How long a bucket is.
    pub interval: TrendInterval,
    /// Only evaluations created at this time or later.
    pub since: Option<Timestamp>,
    /// At most so many buckets, the newest ones.
    pub limit: i64,
}

/// The completed evaluations of a prompt that were created in one hour, day, week or month.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrendPoint {
    /// When the bucket begins, in UTC.
    pub at: Timestamp,
    /// What they come to.
    pub sums: EvaluationSums,
}

type TrendSql = (sql::Uuid, BigInt, (BigInt, Nullable<Double>, BigInt, BigInt));

/// The microsecond in which the bucket of `created_at` begins, counted from 1970. Both databases count days in the same
/// calendar, and round down also before 1970: that is why the remainders are made positive for SQLite.
fn bucket(interval: TrendInterval) -> (&'static str, &'static str) {
    macro_rules! postgres {
        ($unit:literal) => {
            concat!(
                "CAST(extract(epoch FROM date_trunc('",
                $unit,
                "', evaluations.created_at, 'UTC')) * 1000000 AS bigint)"
            )
        };
    }
    // 1970 began on a Thursday: the days since the Monday before are three more.
    macro_rules! sqlite {
        ($length:literal, $shift:literal) => {
            concat!(
                "evaluations.created_at - ((evaluations.created_at + ",
                $shift,
                ") % ",
                $length,
                " + ",
                $length,
                ") % ",
                $length
            )
        };
    }
    match interval {
        TrendInterval::Hour => (postgres!("hour"), sqlite!("3600000000", "0")),
        TrendInterval::Day => (postgres!("day"), sqlite!("86400000000", "0")),
        TrendInterval::Week => (postgres!("week"), sqlite!("604800000000", "259200000000")),
        TrendInterval::Month => (
            postgres!("month"),
            "unixepoch((evaluations.created_at - (evaluations.created_at % 1000000 + 1000000) % 1000000) / 1000000, \
             'unixepoch', 'start of month') * 1000000",
        ),
    }
}

/// The courses of the prompts' completed evaluations that the principal may see: each point after its prompt, the
/// oldest of a prompt first. Buckets without evaluations are left out.
///
/// # Errors
/// When the statement fails.
pub async fn of_prompts(
    connection: &mut DbConnection,
    principal: &Principal,
    prompts: Vec<Uuid>,
    question: TrendQuestion,
) -> QueryResult<Vec<(Uuid, TrendPoint)>> {
    let (postgres, sqlite) = bucket(question.interval);
    let statement: Raw<TrendSql> = Raw::new(concat!(
        "SELECT prompt_id, bucket, evaluation_count, ",
        mean!("score_sum", "scored_count"),
        ", passed_tests, passed_tests + failed_tests + errored_tests FROM (\
         SELECT buckets.*, row_number() OVER (PARTITION BY prompt_id ORDER BY bucket DESC) AS place FROM (\
         SELECT evaluations.prompt_id, "
    ))
    .dialects(postgres, sqlite)
    .sql(" AS bucket, ")
    .sql(FIGURES)
    .sql(" FROM evaluations WHERE evaluations.status = 'completed' AND ")
    .any_id("evaluations.prompt_id", prompts)
    .sql(" AND ")
    .fragment(evaluations::visible(principal));
    let statement = match question.since {
        Some(since) => statement.sql(" AND evaluations.created_at >= ").time(since),
        None => statement,
    };
    let statement = statement
        .sql(" GROUP BY 1, 2) AS buckets) AS newest WHERE place <= ")
        .number(question.limit)
        .sql(" ORDER BY prompt_id, bucket");
    let rows: Vec<(Uuid, i64, EvaluationSums)> = on_backend!(connection, |inner| statement.load(inner).await)?;
    let point = |(prompt, micros, sums)| (prompt, TrendPoint { at: beginning(micros), sums });
    Ok(rows.into_iter().map(point).collect())
}

/// The week in which the calendar begins has begun before it.
fn beginning(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros).unwrap_or(Timestamp::MIN)
}
