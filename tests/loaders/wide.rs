//! Which wide columns of a row were read.

use evalgraph::db::columns::ColumnSet;
use evalgraph::db::entity::Entity;
use evalgraph::db::evaluations::Evaluations;
use evalgraph::db::prompts::Prompts;
use evalgraph::db::runs::Runs;
use evalgraph::db::templates::Templates;
use evalgraph::db::test_results::TestResults;

pub trait Wide: Entity {
    /// For each wide column, in the order of their numbers, whether the row has a value.
    fn values(row: &Self::Row) -> Vec<bool>;

    /// Checks that the row has exactly the wide columns that were asked for; none of them may be null in the table.
    fn assert_read(row: &Self::Row, columns: ColumnSet) {
        for (number, has_value) in (0..).zip(Self::values(row)) {
            let asked = columns.contains(ColumnSet::single(number));
            assert_eq!(has_value, asked, "wide column {number} of {columns:?}");
        }
    }
}

macro_rules! wide {
    ($($entity:ty: $($column:ident),*;)*) => {$(
        impl Wide for $entity {
            fn values(row: &Self::Row) -> Vec<bool> {
                vec![$(row.$column.is_some()),*]
            }
        }
    )*};
}

wide! {
    Prompts: description, content, system_message, tags, metadata;
    Runs: description, tags, git, metadata;
    Evaluations: metrics, error_message;
    TestResults: input_data, rendered_prompt, expected_output, actual_output, reason, named_scores, metadata,
        error_message;
    Templates: description, template, variables;
}

/// Every wide column of a table alone, none, and all.
pub fn column_sets<E: Wide>(row: &E::Row) -> Vec<ColumnSet> {
    let numbers = (0..).take(E::values(row).len());
    numbers.map(ColumnSet::single).chain([ColumnSet::NONE, ColumnSet::ALL]).collect()
}
