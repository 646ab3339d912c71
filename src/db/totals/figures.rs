//! The SQL of the figures: the same expressions in whatever statement computes them.
//!
//! PostgreSQL refuses to add up to infinity and to divide down to nothing, SQLite does both. So numbers beyond 1e290 are
//! not added, and a sum that lacks one is null; sums nearer to zero than 1e-290 are not divided.

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

/// The sum of a count over the rows; 0 of none.
macro_rules! count_sum {
    ($count:expr) => {
        concat!("CAST(coalesce(sum(", $count, "), 0) AS bigint)")
    };
}

/// What a sum comes to per row.
macro_rules! mean {
    ($sum:expr, $count:expr) => {
        concat!("CASE WHEN abs(", $sum, ") < 1e-290 THEN ", $sum, " ELSE ", $sum, " / ", $count, " END")
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
    count_sum!("evaluations.total_tests"),
    " AS total_tests, ",
    count_sum!("evaluations.passed_tests"),
    " AS passed_tests, ",
    count_sum!("evaluations.failed_tests"),
    " AS failed_tests, ",
    count_sum!("evaluations.errored_tests"),
    " AS errored_tests, ",
    count_sum!("evaluations.timed_tests"),
    " AS timed_tests, CAST(sum(evaluations.total_latency_ms) AS bigint) AS total_latency_ms, ",
    sum!("evaluations.cost_usd"),
    " AS cost_usd"
);

/// Which evaluations count for a model.
pub(in crate::db) const OF_MODELS: &str =
    "evaluations.status = 'completed' AND evaluations.provider IS NOT NULL AND evaluations.model IS NOT NULL";

pub(in crate::db) use mean;
pub(super) use {count_sum, counted_score, sum};
