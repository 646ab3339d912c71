//! The SQL of the figures: the same expressions in whatever statement computes them.
//!
//! PostgreSQL refuses to add up to infinity and to divide down to nothing, SQLite does both. So numbers beyond 1e290 are
//! not added, and a sum that lacks one is null; sums nearer to zero than 1e-290 are not divided.
//!
//! A sum of costs is of those that are known. An evaluation with a result whose cost is too large to be added has none that
//! is known, and one whose own cost is too large counts like it where evaluations are added up: the totals of prompts do
//! not say which of the two there was, and what is added up from them has to come to the same.
//!
//! Where totals are compared, `…_scale` is the sum of what was added without its signs.

use uuid::Uuid;

use crate::db::raw::Raw;

/// The sum of a number over the rows; null of none, and when one of them is beyond 1e290.
macro_rules! sum {
    ($number:expr) => {
        concat!(
            "CASE WHEN coalesce(max(abs(",
            $number,
            ")), 0) <= 1e290 THEN sum(",
            $number,
            ") FILTER (WHERE abs(",
            $number,
            ") <= 1e290) END"
        )
    };
}

/// What rows cost together, by the column of what each did; null when that is known of none. A cost beyond 1e290 is not
/// known.
macro_rules! cost_sum {
    ($cost:expr) => {
        concat!("sum(", $cost, ") FILTER (WHERE abs(", $cost, ") <= 1e290)")
    };
}

/// The sum of a count over the rows; 0 of none.
macro_rules! count_sum {
    ($count:expr) => {
        concat!("CAST(coalesce(sum(", $count, "), 0) AS bigint)")
    };
}

/// The sums of the counts of results, under the counts' names.
macro_rules! test_count_sums {
    () => {
        concat!(
            count_sum!("total_tests"),
            " AS total_tests, ",
            count_sum!("passed_tests"),
            " AS passed_tests, ",
            count_sum!("failed_tests"),
            " AS failed_tests, ",
            count_sum!("errored_tests"),
            " AS errored_tests"
        )
    };
}

/// What a sum comes to per row.
macro_rules! mean {
    ($sum:expr, $count:expr) => {
        concat!("CASE WHEN abs(", $sum, ") < 1e-290 THEN ", $sum, " ELSE ", $sum, " / ", $count, " END")
    };
}

/// The tokens that a result's metadata tell under a name, as the import reads them (`ingest::rows`): a whole number from 0
/// to 2147483647, and not what else somebody may have written there.
macro_rules! told_tokens_postgres {
    ($name:literal) => {
        concat!(
            "CASE WHEN CAST(test_results.metadata -> '",
            $name,
            // No more digits than a `bigint` has; the next condition is looked at only where these are all.
            "' AS text) ~ '^[0-9]{1,10}$' THEN CASE WHEN CAST(test_results.metadata -> '",
            $name,
            "' AS bigint) <= 2147483647 THEN CAST(test_results.metadata -> '",
            $name,
            "' AS bigint) END END"
        )
    };
}

/// The same in SQLite.
macro_rules! told_tokens_sqlite {
    ($name:literal) => {
        concat!(
            "CASE WHEN json_type(test_results.metadata, '$.",
            $name,
            "') = 'integer' AND test_results.metadata ->> '$.",
            $name,
            "' BETWEEN 0 AND 2147483647 THEN test_results.metadata ->> '$.",
            $name,
            "' END"
        )
    };
}

/// The score of an evaluation, where it counts.
macro_rules! counted_score {
    () => {
        "CASE WHEN evaluations.status = 'completed' THEN evaluations.overall_score END"
    };
}

/// What rows of `evaluations` come to, all of them completed.
pub(in crate::db) const FIGURES: &str = concat!(
    "count(*) AS evaluation_count, count(evaluations.overall_score) AS scored_count, ",
    sum!("evaluations.overall_score"),
    " AS score_sum, ",
    test_count_sums!(),
    ", ",
    count_sum!("evaluations.timed_tests"),
    " AS timed_tests, CAST(sum(evaluations.total_latency_ms) AS bigint) AS total_latency_ms, ",
    cost_sum!("evaluations.cost_usd"),
    " AS cost_usd"
);

/// Which evaluations count for a model.
pub(in crate::db) const OF_MODELS: &str =
    "evaluations.status = 'completed' AND evaluations.provider IS NOT NULL AND evaluations.model IS NOT NULL";

/// The sums of the counts of results of rows of `evaluations`.
pub(super) const TEST_COUNT_SUMS: &str = test_count_sums!();

/// What rows of `prompt_totals` or of `prompt_model_totals` come to. The sum of scores is null when one of the sums that
/// are added is not known though it has scores.
pub(in crate::db) const SUMS_OF_TOTALS: &str = concat!(
    count_sum!("evaluation_count"),
    " AS evaluation_count, ",
    count_sum!("scored_count"),
    " AS scored_count, ",
    "CASE WHEN count(*) FILTER (WHERE scored_count > 0 AND score_sum IS NULL) = 0 THEN sum(score_sum) END AS score_sum, ",
    test_count_sums!()
);

/// Adds the computed totals of these evaluations, over their results, in columns under their names.
pub(super) fn of_evaluations<ST>(statement: Raw<ST>, ids: Vec<Uuid>) -> Raw<ST> {
    statement
        .sql(concat!(
            "SELECT evaluations.id, count(test_results.id) AS total_tests, ",
            "count(*) FILTER (WHERE test_results.outcome = 'passed') AS passed_tests, ",
            "count(*) FILTER (WHERE test_results.outcome = 'failed') AS failed_tests, ",
            "count(*) FILTER (WHERE test_results.outcome = 'errored') AS errored_tests, ",
            "count(test_results.latency_ms) AS timed_tests, ",
            "CAST(sum(test_results.latency_ms) AS bigint) AS total_latency_ms, CAST(sum("
        ))
        .dialects(told_tokens_postgres!("prompt_tokens"), told_tokens_sqlite!("prompt_tokens"))
        .sql(") AS bigint) AS prompt_tokens, CAST(sum(")
        .dialects(told_tokens_postgres!("completion_tokens"), told_tokens_sqlite!("completion_tokens"))
        .sql(concat!(
            ") AS bigint) AS completion_tokens, CAST(sum(test_results.token_count) AS bigint) AS total_tokens, ",
            sum!("test_results.cost_usd"),
            " AS cost_usd, ",
            sum!("abs(test_results.cost_usd)"),
            " AS cost_scale",
            " FROM evaluations LEFT JOIN test_results ON test_results.evaluation_id = evaluations.id WHERE "
        ))
        .any_id("evaluations.id", ids)
        .sql(" GROUP BY evaluations.id")
}

/// Adds the computed totals of these prompts, a row for each, also for those without evaluations.
pub(super) fn of_prompts<ST>(statement: Raw<ST>, ids: Vec<Uuid>) -> Raw<ST> {
    statement
        .sql(concat!(
            "SELECT figures.*, ",
            mean!("score_sum", "scored_count"),
            " AS average_score FROM (SELECT prompts.id AS prompt_id, prompts.user_id, ",
            "count(evaluations.prompt_id) AS evaluation_count, ",
            "count(*) FILTER (WHERE evaluations.status = 'completed') AS completed_count, count(",
            counted_score!(),
            ") AS scored_count, ",
            sum!(counted_score!()),
            " AS score_sum, ",
            sum!(concat!("abs(", counted_score!(), ")")),
            " AS score_scale, ",
            test_count_sums!(),
            ", ",
            cost_sum!("evaluations.cost_usd"),
            " AS cost_usd, ",
            cost_sum!("abs(evaluations.cost_usd)"),
            " AS cost_scale FROM prompts LEFT JOIN evaluations ON evaluations.prompt_id = prompts.id WHERE "
        ))
        .any_id("prompts.id", ids)
        .sql(" GROUP BY prompts.id, prompts.user_id) AS figures")
}

/// Adds the computed totals of the models on these prompts, a row for each that has completed evaluations.
pub(super) fn of_models<ST>(statement: Raw<ST>, ids: Vec<Uuid>) -> Raw<ST> {
    statement
        .sql("SELECT evaluations.prompt_id, evaluations.provider, evaluations.model, ")
        .sql(FIGURES)
        .sql(concat!(
            ", ",
            sum!("abs(evaluations.overall_score)"),
            " AS score_scale, ",
            cost_sum!("abs(evaluations.cost_usd)"),
            " AS cost_scale FROM evaluations WHERE "
        ))
        .sql(OF_MODELS)
        .sql(" AND ")
        .any_id("evaluations.prompt_id", ids)
        .sql(" GROUP BY evaluations.prompt_id, evaluations.provider, evaluations.model")
}

pub(super) use cost_sum;
pub(in crate::db) use mean;
