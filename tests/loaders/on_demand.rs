//! Which columns of a row were read.

use evalgraph::db::columns::ColumnSet;
use evalgraph::db::evaluations::Evaluations;
use evalgraph::db::prompts::Prompts;
use evalgraph::db::runs::Runs;
use evalgraph::db::templates::Templates;
use evalgraph::db::test_results::TestResults;
use evalgraph::loaders::Remembered;

pub trait OnDemand: Remembered {
    /// Columns that are null in some rows of these tests.
    const NULL: &'static [&'static str];

    /// The columns on demand, in the order of their numbers, and whether the row has a value.
    fn values(row: &Self::Row) -> Vec<(&'static str, bool)>;

    /// Checks that the row has exactly the columns that were asked for.
    fn assert_read(row: &Self::Row, columns: ColumnSet) {
        for (number, (name, has_value)) in (0..).zip(Self::values(row)) {
            let asked = columns.contains(ColumnSet::single(number));
            if !asked || !Self::NULL.contains(&name) {
                assert_eq!(has_value, asked, "{name} of {columns:?}");
            }
        }
    }
}

macro_rules! on_demand {
    ($($entity:ty $([null $($null:ident),*])?: $($column:ident),*;)*) => {$(
        impl OnDemand for $entity {
            const NULL: &'static [&'static str] = &[$($(stringify!($null)),*)?];

            fn values(row: &Self::Row) -> Vec<(&'static str, bool)> {
                vec![$((stringify!($column), row.$column.is_some())),*]
            }
        }
    )*};
}

on_demand! {
    Prompts [null deleted_at, parent_id]: user_id, name, content_hash, format, version, parent_id, root_id, template_id, status, deleted_at, description,
        content, system_message, tags, metadata;
    Runs: user_id, external_id, source, source_version, status, is_baseline, duration_ms, started_at, completed_at,
        description, tags, git, metadata;
    Evaluations: prompt_id, run_id, test_suite_id, external_id, status, provider, model, provider_label,
        total_tests, passed_tests, failed_tests, errored_tests, timed_tests,
        total_latency_ms, total_tokens, cost_usd,
        started_at, completed_at, updated_at, metrics, error_message;
    TestResults: evaluation_id, external_id, test_case_name, repetition, outcome, passed, token_count, cost_usd,
        updated_at, input_data, rendered_prompt, expected_output, actual_output, reason, named_scores, metadata,
        error_message;
    Templates: category, updated_at, description, template, variables;
}

/// Every column of a table alone, none, and all.
pub fn column_sets<E: OnDemand>(row: &E::Row) -> Vec<ColumnSet> {
    let numbers = (0..).take(E::values(row).len());
    numbers.map(ColumnSet::single).chain([ColumnSet::NONE, ColumnSet::ALL]).collect()
}
