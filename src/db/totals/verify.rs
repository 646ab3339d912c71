//! Comparing totals with what they should be.

use std::collections::BTreeMap;
use std::fmt;

use diesel::prelude::*;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Bool, Double, Nullable, Text};
use diesel_async::RunQueryDsl as _;
use uuid::Uuid;

use super::figures::{END_OF_PROMPT_FIGURES, FIGURES, OF_MODELS, PROMPT_FIGURES, sum};
use crate::db::backend::on_backend;
use crate::db::connection::DbConnection;
use crate::db::raw::Raw;
use crate::db::types::sql;
use crate::db::{Database, DbError, StatementCount};

/// How many evaluations are looked at in one statement: each may have thousands of results.
const EVALUATIONS: i64 = 100;
/// How many prompts are looked at in one statement.
const PROMPTS: i64 = 200;
/// By how much sums of floating-point numbers may differ, relative to the sum of what was added without its signs: the
/// order in which numbers are added makes a difference.
const TOLERANCE: f64 = 1e-9;

/// A total that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The evaluation or the prompt.
    pub id: Uuid,
    /// Whose total it is.
    pub subject: String,
    /// The column; none where a whole row is missing or too many.
    pub column: &'static str,
    /// What is stored.
    pub stored: String,
    /// What it should be.
    pub computed: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} is {} and should be {}", self.subject, self.column, self.stored, self.computed)
    }
}

/// What was compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Verified {
    /// Evaluations with their results.
    pub evaluations: u64,
    /// Prompts, and models on them, with their evaluations.
    pub prompts: u64,
    /// Totals that are not what they should be.
    pub differences: u64,
}

/// Compares the totals of all evaluations with their results, and those of all prompts, and of the models on them, with
/// the evaluations. `report` is told of every difference.
///
/// Each page is compared within one statement, so that transactions that are going on make no difference.
///
/// # Errors
/// When there is no connection or a statement fails.
pub async fn verify(database: &Database, mut report: impl FnMut(&Difference)) -> Result<Verified, DbError> {
    let mut verified = Verified::default();
    for subject in Subject::ALL {
        let mut last = None;
        loop {
            let (ids, differences) = compare_page(database, subject, last).await?;
            let Some(&end) = ids.last() else { break };
            last = Some(end);
            differences.iter().for_each(&mut report);
            verified.count(subject, ids.len(), differences.len());
        }
    }
    Ok(verified)
}

impl Verified {
    /// Adds a page.
    pub(super) fn count(&mut self, subject: Subject, rows: usize, differences: usize) {
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        match subject {
            Subject::Evaluations => self.evaluations += number(rows),
            Subject::Prompts => self.prompts += number(rows),
        }
        self.differences += number(differences);
    }
}

/// What has totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// Evaluations, of their results.
    Evaluations,
    /// Prompts and the models on them, of the evaluations.
    Prompts,
}

impl Subject {
    /// Those first that others depend on.
    pub const ALL: [Self; 2] = [Self::Evaluations, Self::Prompts];
}

/// The ids of the page after `last` and the differences on it. After the last page there are no ids.
pub(super) async fn compare_page(
    database: &Database,
    subject: Subject,
    last: Option<Uuid>,
) -> Result<(Vec<Uuid>, Vec<Difference>), DbError> {
    let count = StatementCount::default();
    let page = database.read(&count, move |connection| {
        Box::pin(async move {
            let ids = page_after(connection, subject, last).await?;
            let differences = if ids.is_empty() { Vec::new() } else { compare(connection, subject, &ids).await? };
            Ok((ids, differences))
        })
    });
    page.await
}

async fn page_after(connection: &mut DbConnection, subject: Subject, last: Option<Uuid>) -> QueryResult<Vec<Uuid>> {
    let (begin, limit) = match subject {
        Subject::Evaluations => ("SELECT id FROM evaluations WHERE id > ", EVALUATIONS),
        Subject::Prompts => ("SELECT id FROM prompts WHERE id > ", PROMPTS),
    };
    let statement: Raw<sql::Uuid> =
        Raw::new(begin).id(last.unwrap_or_default()).sql(" ORDER BY id LIMIT ").number(limit);
    on_backend!(connection, |inner| statement.load(inner).await)
}

/// The differences in the totals of these evaluations or prompts.
pub(super) async fn compare(
    connection: &mut DbConnection,
    subject: Subject,
    ids: &[Uuid],
) -> QueryResult<Vec<Difference>> {
    match subject {
        Subject::Evaluations => {
            let lines: Vec<EvaluationLine> = on_backend!(connection, |inner| evaluations(ids).load(inner).await)?;
            Ok(differences(lines))
        }
        Subject::Prompts => {
            let lines: Vec<PromptLine> = on_backend!(connection, |inner| prompts(ids).load(inner).await)?;
            let models: Vec<ModelLine> = on_backend!(connection, |inner| models(ids).load(inner).await)?;
            Ok(differences(lines).into_iter().chain(differences(models)).collect())
        }
    }
}

/// Totals as they are stored, or as they should be.
trait Line {
    fn is_stored(&self) -> bool;
    fn id(&self) -> Uuid;
    fn subject(&self) -> String;
    fn figures(&self) -> Vec<(&'static str, Figure)>;
    /// Whether nothing needs to be stored.
    fn is_empty(&self) -> bool;
}

/// A column's value.
#[derive(Debug, Clone, PartialEq)]
enum Figure {
    Text(String),
    Count(Option<i64>),
    /// With the sum of what was added without its signs, where it was computed.
    Sum(Option<f64>, Option<f64>),
}

impl Figure {
    fn equals(&self, computed: &Self) -> bool {
        match (self, computed) {
            (Self::Sum(Some(stored), _), Self::Sum(Some(computed), scale)) => {
                let scale = scale.unwrap_or_default().max(stored.abs()).max(computed.abs());
                (stored - computed).abs() <= TOLERANCE * scale
            }
            (Self::Sum(stored, _), Self::Sum(computed, _)) => stored == computed,
            _ => self == computed,
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "«{text}»"),
            Self::Count(Some(count)) => count.fmt(f),
            Self::Sum(Some(sum), _) => sum.fmt(f),
            Self::Count(None) | Self::Sum(None, _) => f.write_str("null"),
        }
    }
}

fn differences<L: Line>(lines: Vec<L>) -> Vec<Difference> {
    let mut pairs: BTreeMap<String, (Option<L>, Option<L>)> = BTreeMap::new();
    for line in lines {
        let pair = pairs.entry(line.subject()).or_default();
        let place = if line.is_stored() { &mut pair.0 } else { &mut pair.1 };
        *place = Some(line);
    }
    pairs.into_values().flat_map(|(stored, computed)| differences_of(stored.as_ref(), computed.as_ref())).collect()
}

fn differences_of<L: Line>(stored: Option<&L>, computed: Option<&L>) -> Vec<Difference> {
    let difference = |line: &L, column, stored: String, computed: String| Difference {
        id: line.id(),
        subject: line.subject(),
        column,
        stored,
        computed,
    };
    match (stored, computed) {
        (Some(stored), Some(computed)) => {
            let figures = stored.figures().into_iter().zip(computed.figures());
            let unequal = figures.filter(|((_, stored), (_, computed))| !stored.equals(computed));
            unequal
                .map(|((column, one), (_, other))| difference(stored, column, one.to_string(), other.to_string()))
                .collect()
        }
        (None, Some(line)) if !line.is_empty() => {
            vec![difference(line, "the row", "missing".to_owned(), "there".to_owned())]
        }
        (Some(line), None) => vec![difference(line, "the row", "there".to_owned(), "missing".to_owned())],
        _ => Vec::new(),
    }
}

/// Declares a line: its key, the words for its subject, and its columns.
macro_rules! line {
    (
        $line:ident as $sql_type:ident { $($key:ident: $key_type:ty as $key_sql:ty),+ }
        = $subject:expr, empty: $empty:expr,
        { $($column:ident: $type:ty as $column_sql:ty => $figure:expr),+ $(,)? }
        scales { $($scale:ident),* }
    ) => {
        #[derive(Debug, Queryable)]
        struct $line {
            is_stored: bool,
            $($key: $key_type,)+
            $($column: $type,)+
            $($scale: Option<f64>,)*
        }

        type $sql_type = (Bool, $($key_sql,)+ $($column_sql,)+ $(scale_sql!($scale),)*);

        impl Line for $line {
            fn is_stored(&self) -> bool {
                self.is_stored
            }

            fn id(&self) -> Uuid {
                self.id
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

macro_rules! scale_sql {
    ($scale:ident) => {
        Nullable<Double>
    };
}

line! {
    EvaluationLine as EvaluationSql { id: Uuid as sql::Uuid }
    = |line: &Self| format!("evaluation {}", line.id), empty: |_: &Self| false,
    {
        total_tests: i64 as BigInt => |line: &Self| Figure::Count(Some(line.total_tests)),
        passed_tests: i64 as BigInt => |line: &Self| Figure::Count(Some(line.passed_tests)),
        failed_tests: i64 as BigInt => |line: &Self| Figure::Count(Some(line.failed_tests)),
        errored_tests: i64 as BigInt => |line: &Self| Figure::Count(Some(line.errored_tests)),
        timed_tests: i64 as BigInt => |line: &Self| Figure::Count(Some(line.timed_tests)),
        total_latency_ms: Option<i64> as Nullable<BigInt> => |line: &Self| Figure::Count(line.total_latency_ms),
        total_tokens: Option<i64> as Nullable<BigInt> => |line: &Self| Figure::Count(line.total_tokens),
        cost_usd: Option<f64> as Nullable<Double> => |line: &Self| Figure::Sum(line.cost_usd, line.cost_scale),
    }
    scales { cost_scale }
}

line! {
    PromptLine as PromptSql { id: Uuid as sql::Uuid }
    = |line: &Self| format!("prompt {}", line.id), empty: |line: &Self| line.evaluation_count == 0,
    {
        user_id: String as Text => |line: &Self| Figure::Text(line.user_id.clone()),
        evaluation_count: i64 as BigInt => |line: &Self| Figure::Count(Some(line.evaluation_count)),
        completed_count: i64 as BigInt => |line: &Self| Figure::Count(Some(line.completed_count)),
        scored_count: i64 as BigInt => |line: &Self| Figure::Count(Some(line.scored_count)),
        score_sum: Option<f64> as Nullable<Double> => |line: &Self| Figure::Sum(line.score_sum, line.score_scale),
        average_score: Option<f64> as Nullable<Double> =>
            |line: &Self| Figure::Sum(line.average_score, line.score_scale),
        total_tests: i64 as BigInt => |line: &Self| Figure::Count(Some(line.total_tests)),
        passed_tests: i64 as BigInt => |line: &Self| Figure::Count(Some(line.passed_tests)),
        failed_tests: i64 as BigInt => |line: &Self| Figure::Count(Some(line.failed_tests)),
        errored_tests: i64 as BigInt => |line: &Self| Figure::Count(Some(line.errored_tests)),
        cost_usd: Option<f64> as Nullable<Double> => |line: &Self| Figure::Sum(line.cost_usd, line.cost_scale),
    }
    scales { score_scale, cost_scale }
}

line! {
    ModelLine as ModelSql { id: Uuid as sql::Uuid, provider: String as Text, model: String as Text }
    = |line: &Self| format!("prompt {}, model {} of {}", line.id, line.model, line.provider), empty: |_: &Self| false,
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

fn evaluations(ids: &[Uuid]) -> Raw<EvaluationSql> {
    Raw::new(
        "SELECT TRUE, id, CAST(total_tests AS bigint), CAST(passed_tests AS bigint), CAST(failed_tests AS bigint), \
         CAST(errored_tests AS bigint), CAST(timed_tests AS bigint), total_latency_ms, total_tokens, cost_usd, \
         CAST(NULL AS double precision) FROM evaluations WHERE ",
    )
    .any_id("id", ids.to_vec())
    .sql(" UNION ALL SELECT FALSE, id, total_tests, passed_tests, failed_tests, errored_tests, timed_tests, ")
    .sql("total_latency_ms, total_tokens, cost_usd, cost_scale FROM (")
    .sql(EVALUATION_FIGURES)
    .any_id("evaluations.id", ids.to_vec())
    .sql(" GROUP BY evaluations.id) AS computed")
}

/// What evaluations come to over their results.
pub(super) const EVALUATION_FIGURES: &str = concat!(
    "SELECT evaluations.id, count(test_results.id) AS total_tests, ",
    "count(*) FILTER (WHERE test_results.outcome = 'passed') AS passed_tests, ",
    "count(*) FILTER (WHERE test_results.outcome = 'failed') AS failed_tests, ",
    "count(*) FILTER (WHERE test_results.outcome = 'errored') AS errored_tests, ",
    "count(test_results.latency_ms) AS timed_tests, ",
    "CAST(sum(test_results.latency_ms) AS bigint) AS total_latency_ms, ",
    "CAST(sum(test_results.token_count) AS bigint) AS total_tokens, ",
    sum!("test_results.cost_usd"),
    " AS cost_usd, ",
    sum!("abs(test_results.cost_usd)"),
    " AS cost_scale FROM evaluations LEFT JOIN test_results ON test_results.evaluation_id = evaluations.id WHERE "
);

fn prompts(ids: &[Uuid]) -> Raw<PromptSql> {
    Raw::new(
        "SELECT TRUE, prompt_id, user_id, evaluation_count, completed_count, scored_count, score_sum, average_score, \
         total_tests, passed_tests, failed_tests, errored_tests, cost_usd, CAST(NULL AS double precision), \
         CAST(NULL AS double precision) FROM prompt_totals WHERE ",
    )
    .any_id("prompt_id", ids.to_vec())
    .sql(" UNION ALL SELECT FALSE, computed.* FROM (")
    .sql(PROMPT_FIGURES)
    .any_id("prompts.id", ids.to_vec())
    .sql(END_OF_PROMPT_FIGURES)
    .sql(") AS computed")
}

fn models(ids: &[Uuid]) -> Raw<ModelSql> {
    Raw::new(
        "SELECT TRUE, prompt_id, provider, model, evaluation_count, scored_count, score_sum, total_tests, \
         passed_tests, failed_tests, errored_tests, timed_tests, total_latency_ms, cost_usd, \
         CAST(NULL AS double precision), CAST(NULL AS double precision) FROM prompt_model_totals WHERE ",
    )
    .any_id("prompt_id", ids.to_vec())
    .sql(" UNION ALL SELECT FALSE, evaluations.prompt_id, evaluations.provider, evaluations.model, ")
    .sql(FIGURES)
    .sql(concat!(
        ", ",
        sum!("abs(evaluations.overall_score)"),
        ", ",
        sum!("abs(evaluations.cost_usd)"),
        " FROM evaluations WHERE "
    ))
    .sql(OF_MODELS)
    .sql(" AND ")
    .any_id("evaluations.prompt_id", ids.to_vec())
    .sql(" GROUP BY evaluations.prompt_id, evaluations.provider, evaluations.model")
}

#[cfg(test)]
mod tests {
    use super::Figure;

    #[test]
    fn sums_are_equal_within_a_billionth_of_what_was_added() {
        let equal = |stored, computed, scale| Figure::Sum(stored, None).equals(&Figure::Sum(computed, scale));
        assert!(equal(Some(1.0), Some(1.0 + 5e-10), Some(1.0)));
        assert!(!equal(Some(1.0), Some(1.0 + 5e-9), Some(1.0)));
        // What is left of 0.1 + 0.2 − 0.3 depends on the order.
        assert!(equal(Some(5.5e-17), Some(0.0), Some(0.6)));
        assert!(!equal(Some(5.5e-17), Some(0.0), Some(0.0)));
        assert!(equal(None, None, None));
        assert!(!equal(Some(0.0), None, None));
        assert!(!equal(None, Some(0.0), Some(0.0)));
    }
}
