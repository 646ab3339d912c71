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

/// Declares a line: the table that it is stored in, its key, what computes it, the words for its subject, its columns, and
/// the columns with which only computing has to do.
macro_rules! line {
    (
        $line:ident as $sql_type:ident in $table:literal { $id:ident $(, $key:ident: $key_type:ty as $key_sql:ty)* }
        computed by $computed:path,
        = $subject:expr, empty: $empty:expr,
        { $($column:ident: $type:ty as $column_sql:ty => $figure:expr),+ $(,)? }
        scales { $($scale:ident),* }
    ) => {
        #[derive(Debug, Queryable)]
        struct $line {
            is_stored: bool,
            $id: Uuid,
            $($key: $key_type,)*
            $($column: $type,)+
            $($scale: Option<f64>,)*
        }

        type $sql_type = (Bool, sql::Uuid, $($key_sql,)* $($column_sql,)+ $(scale_sql!($scale),)*);

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
                vec![$((stringify!($column), ($figure)(self)),)+]
            }

            fn is_empty(&self) -> bool {
                ($empty)(self)
            }
        }
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

line! {
    EvaluationLine as EvaluationSql in "evaluations" { id }
    computed by figures::of_evaluations,
    = |line: &Self| format!("evaluation {}", line.id), empty: |_: &Self| false,
    {
        total_tests: i64 as BigInt => |line: &Self| Figure::Count(Some(line.total_tests)),
        passed_tests: i64 as BigInt => |line: &Self| Figure::Count(Some(line.passed_tests)),
        failed_tests: i64 as BigInt => |line: &Self| Figure::Count(Some(line.failed_tests)),
        errored_tests: i64 as BigInt => |line: &Self| Figure::Count(Some(line.errored_tests)),
        timed_tests: i64 as BigInt => |line: &Self| Figure::Count(Some(line.timed_tests)),
        total_latency_ms: Option<i64> as Nullable<BigInt> => |line: &Self| Figure::Count(line.total_latency_ms),
        prompt_tokens: Option<i64> as Nullable<BigInt> => |line: &Self| Figure::Count(line.prompt_tokens),
        completion_tokens: Option<i64> as Nullable<BigInt> => |line: &Self| Figure::Count(line.completion_tokens),
        total_tokens: Option<i64> as Nullable<BigInt> => |line: &Self| Figure::Count(line.total_tokens),
        cost_usd: Option<f64> as Nullable<Double> => |line: &Self| Figure::Sum(line.cost_usd, line.cost_scale),
    }
    scales { cost_scale }
}

line! {
    PromptLine as PromptSql in "prompt_totals" { prompt_id }
    computed by figures::of_prompts,
    = |line: &Self| format!("prompt {}", line.prompt_id), empty: |line: &Self| line.evaluation_count == 0,
    {
        user_id: String as Text => |line: &Self| Figure::Text(line.user_id.clone()),
        evaluation_count: i64 as BigInt => |line: &Self| Figure::Count(Some(line.evaluation_count)),
        completed_count: i64 as BigInt => |line: &Self| Figure::Count(Some(line.completed_count)),
        scored_count: i64 as BigInt => |line: &Self| Figure::Count(Some(line.scored_count)),
        score_sum: Option<f64> as Nullable<Double> => |line: &Self| Figure::Sum(line.score_sum, line.score_scale),
        average_score: Option<f64> as Nullable<Double> =>
            |line: &Self| Figure::Sum(line.average_score, line.average_scale()),
        total_tests: i64 as BigInt => |line: &Self| Figure::Count(Some(line.total_tests)),
        passed_tests: i64 as BigInt => |line: &Self| Figure::Count(Some(line.passed_tests)),
        failed_tests: i64 as BigInt => |line: &Self| Figure::Count(Some(line.failed_tests)),
        errored_tests: i64 as BigInt => |line: &Self| Figure::Count(Some(line.errored_tests)),
        cost_usd: Option<f64> as Nullable<Double> => |line: &Self| Figure::Sum(line.cost_usd, line.cost_scale),
    }
    scales { score_scale, cost_scale }
}

impl PromptLine {
    /// The mean of what was added without its signs.
    #[allow(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    fn average_scale(&self) -> Option<f64> {
        self.score_scale.map(|scale| scale / self.scored_count as f64)
    }
}

line! {
    ModelLine as ModelSql in "prompt_model_totals" { prompt_id, provider: String as Text, model: String as Text }
    computed by figures::of_models,
    = |line: &Self| format!("prompt {}, model {} of {}", line.prompt_id, line.model, line.provider), empty: |_: &Self| false,
    {
        evaluation_count: i64 as BigInt => |line: &Self| Figure::Count(Some(line.evaluation_count)),
        scored_count: i64 as BigInt => |line: &Self| Figure::Count(Some(line.scored_count)),
        score_sum: Option<f64> as Nullable<Double> => |line: &Self| Figure::Sum(line.score_sum, line.score_scale),
        total_tests: i64 as BigInt => |line: &Self| Figure::Count(Some(line.total_tests)),
        passed_tests: i64 as BigInt => |line: &Self| Figure::Count(Some(line.passed_tests)),
        failed_tests: i64 as BigInt => |line: &Self| Figure::Count(Some(line.failed_tests)),
        errored_tests: i64 as BigInt => |line: &Self| Figure::Count(Some(line.errored_tests)),
        timed_tests: i64 as BigInt => |line: &Self| Figure::Count(Some(line.timed_tests)),
        total_latency_ms: Option<i64> as Nullable<BigInt> => |line: &Self| Figure::Count(line.total_latency_ms),
        cost_usd: Option<f64> as Nullable<Double> => |line: &Self| Figure::Sum(line.cost_usd, line.cost_scale),
    }
    scales { score_scale, cost_scale }
}
