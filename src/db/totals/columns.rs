//! The columns of totals: each list once, in whatever form a statement has it.

/// The totals of evaluations, as `$form` writes them.
macro_rules! evaluation_columns {
    ($form:ident $(from $table:ident)?) => {
        $form!($($table:)? total_tests, passed_tests, failed_tests, errored_tests, timed_tests, total_latency_ms,
            prompt_tokens, completion_tokens, total_tokens, cost_usd)
    };
}

/// The columns of `prompt_totals` but for the key.
macro_rules! prompt_columns {
    ($form:ident $(from $table:ident)?) => {
        $form!($($table:)? user_id, evaluation_count, completed_count, scored_count, score_sum, average_score,
            total_tests, passed_tests, failed_tests, errored_tests, cost_usd)
    };
}

/// The columns of `prompt_model_totals` but for the key.
macro_rules! model_columns {
    ($form:ident) => {
        $form!(
            evaluation_count,
            scored_count,
            score_sum,
            total_tests,
            passed_tests,
            failed_tests,
            errored_tests,
            timed_tests,
            total_latency_ms,
            cost_usd
        )
    };
}

/// `one, other`
macro_rules! names {
    ($first:ident $(, $column:ident)*) => {
        concat!(stringify!($first) $(, ", ", stringify!($column))*)
    };
}

/// `one = table.one, other = table.other`
macro_rules! assignments {
    ($table:ident: $first:ident $(, $column:ident)*) => {
        concat!(
            stringify!($first), " = ", stringify!($table), ".", stringify!($first)
            $(, ", ", stringify!($column), " = ", stringify!($table), ".", stringify!($column))*
        )
    };
}

pub(super) use {assignments, evaluation_columns, model_columns, names, prompt_columns};
