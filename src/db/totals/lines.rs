//! The totals that are compared, stored and computed, each pair of them read by one statement.

use diesel::prelude::*;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Bool, Double, Nullable, Text};
use diesel_async::RunQueryDsl as _;
use uuid::Uuid;

use super::columns::names;
use super::difference::{Difference, Figure, Line, differences};
use super::figures;
use super::pages::Subject;
use crate::db::backend::on_backend;
use crate::db::connection::DbConnection;
use crate::db::raw::Raw;
use crate::db::types::sql;

/// The differences in the totals of these evaluations or prompts.
pub(super) async fn compare(
    connection: &mut DbConnection,
    subject: Subject,
    ids: &[Uuid],
) -> QueryResult<Vec<Difference>> {
    match subject {
        Subject::Evaluations => {
            let lines: Vec<EvaluationLine> =
                on_backend!(connection, |inner| EvaluationLine::both(ids).load(inner).await)?;
            Ok(differences(lines))
        }
        Subject::Prompts => {
            let lines: Vec<PromptLine> = on_backend!(connection, |inner| PromptLine::both(ids).load(inner).await)?;
            let models: Vec<ModelLine> = on_backend!(connection, |inner| ModelLine::both(ids).load(inner).await)?;
            Ok(differences(lines).into_iter().chain(differences(models)).collect())
        }
    }
}

/// Declares a line: the table that it is stored in, its key, what computes it, the words for its subject, its columns by
/// what they hold, and the columns with which only comparing has to do.
macro_rules! line {
    (
        $line:ident as $sql_type:ident in $table:literal { $id:ident $(, $key:ident: $key_type:ty as $key_sql:ty)* }
        computed by $computed:path,
        subject: $subject:expr,
        empty: $empty:expr,
        columns { $($column:ident: $kind:ident $(($scale_of:ident))?),+ }
        scales { $($scale:ident),* }
    ) => {
        #[derive(Debug, Queryable)]
        struct $line {
            is_stored: bool,
            $id: Uuid,
            $($key: $key_type,)*
            $($column: column_type!($kind),)+
            $($scale: Option<f64>,)*
        }

        type $sql_type = (Bool, sql::Uuid, $($key_sql,)* $(column_sql!($kind),)+ $(scale_sql!($scale),)*);

        impl $line {
            /// The lines of these ids: as they are stored, and as they should be.
            fn both(ids: &[Uuid]) -> Raw<$sql_type> {
                let stored = Raw::new(concat!(
                    "SELECT TRUE, ",
                    names!($id $(, $key)* $(, $column)+),
                    $(null!($scale),)*
                    " FROM ",
                    $table,
                    " WHERE "
                ));
                let stored = stored.any_id(stringify!($id), ids.to_vec());
                let computed = stored.sql(concat!(
                    " UNION ALL SELECT FALSE, ",
                    names!($id $(, $key)* $(, $column)+ $(, $scale)*),
                    " FROM ("
                ));
                $computed(computed, ids.to_vec()).sql(") AS computed")
            }
        }

        impl Line for $line {
            type Key = (Uuid, $($key_type,)*);

            fn key(&self) -> Self::Key {
                (self.$id, $(self.$key.clone(),)*)
            }

            fn is_stored(&self) -> bool {
                self.is_stored
            }

            fn id(&self) -> Uuid {
                self.$id
            }

            fn subject(&self) -> String {
                ($subject)(self)
            }

            fn figures(&self) -> Vec<(&'static str, Figure)> {
                vec![$((stringify!($column), figure!(self, $column, $kind $(, $scale_of)?)),)+]
            }

            fn is_empty(&self) -> bool {
                ($empty)(self)
            }
        }
    };
}

macro_rules! column_type {
    (text) => { String };
    (count) => { i64 };
    (optional_count) => { Option<i64> };
    (sum) => { Option<f64> };
    (mean) => { Option<f64> };
}

macro_rules! column_sql {
    (text) => { Text };
    (count) => { BigInt };
    (optional_count) => { Nullable<BigInt> };
    (sum) => { Nullable<Double> };
    (mean) => { Nullable<Double> };
}

/// What is compared of a column.
macro_rules! figure {
    ($line:expr, $column:ident, text) => {
        Figure::Text($line.$column.clone())
    };
    ($line:expr, $column:ident, count) => {
        Figure::Count(Some($line.$column))
    };
    ($line:expr, $column:ident, optional_count) => {
        Figure::Count($line.$column)
    };
    ($line:expr, $column:ident, sum, $scale:ident) => {
        Figure::Sum($line.$column, $line.$scale)
    };
    ($line:expr, $column:ident, mean, $scale:ident) => {
        Figure::Sum($line.$column, mean($line.$scale, $line.scored_count))
    };
}

/// What is stored has no scale.
macro_rules! null {
    ($scale:ident) => {
        ", NULL"
    };
}

macro_rules! scale_sql {
    ($scale:ident) => {
        Nullable<Double>
    };
}

#[allow(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn mean(sum: Option<f64>, count: i64) -> Option<f64> {
    sum.map(|sum| sum / count as f64)
}

line! {
    EvaluationLine as EvaluationSql in "evaluations" { id }
    computed by figures::of_evaluations,
    subject: |line: &Self| format!("evaluation {}", line.id),
    empty: |_: &Self| false,
    columns {
        total_tests: count, passed_tests: count, failed_tests: count, errored_tests: count, timed_tests: count,
        total_latency_ms: optional_count, prompt_tokens: optional_count, completion_tokens: optional_count,
        total_tokens: optional_count, cost_usd: sum(cost_scale)
    }
    scales { cost_scale }
}

line! {
    PromptLine as PromptSql in "prompt_totals" { prompt_id }
    computed by figures::of_prompts,
    subject: |line: &Self| format!("prompt {}", line.prompt_id),
    empty: |line: &Self| line.evaluation_count == 0,
    columns {
        user_id: text, evaluation_count: count, completed_count: count, scored_count: count,
        score_sum: sum(score_scale), average_score: mean(score_scale), total_tests: count, passed_tests: count,
        failed_tests: count, errored_tests: count, cost_usd: sum(cost_scale)
    }
    scales { score_scale, cost_scale }
}

line! {
    ModelLine as ModelSql in "prompt_model_totals" { prompt_id, provider: String as Text, model: String as Text }
    computed by figures::of_models,
    subject: |line: &Self| format!("prompt {}, model {} of {}", line.prompt_id, line.model, line.provider),
    empty: |_: &Self| false,
    columns {
        evaluation_count: count, scored_count: count, score_sum: sum(score_scale), total_tests: count,
        passed_tests: count, failed_tests: count, errored_tests: count, timed_tests: count,
        total_latency_ms: optional_count, cost_usd: sum(cost_scale)
    }
    scales { score_scale, cost_scale }
}
