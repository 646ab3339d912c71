//! The statements of a comparison. Both databases have what they are made of, so each exists once.
//!
//! The matching is done with window functions alone. Each of its steps sorts the results of the two evaluations; a join
//! could be planned as a loop over all pairs of them, because no database can tell how many rows a window leaves.

use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Float8, HasSqlType, Int4, Nullable, Text};

use super::{CasePosition, CaseRange, CaseSlice, EvaluationPair};
use crate::db::conditions::Conditions;
use crate::db::evaluations::visible;
use crate::db::lists::{AnyText, any_text};
use crate::db::schema::evaluations;
use crate::db::types::sql;
use crate::domain::{EvaluationId, Principal, TestResultId};

/// The results of one evaluation, before the number of its side and after it.
const RESULTS_OF: [&str; 2] = [
    "SELECT ",
    " AS side, id, position, test_case_name AS name, case_hash AS hash, repetition, outcome, score, latency_ms \
     FROM test_results WHERE evaluation_id = (SELECT id FROM evaluations WHERE id = ",
];

/// From results to compared cases.
///
/// - `counted`: what the repetitions of each case have come to, and the number of each among those that were not skipped.
/// - `cases`: the first repetition of each, the outcome of all, and whether the other side has the same name and hash.
/// - `named`, `hashed`: whether, of those left over, one on each side and no other has the name, or the hash.
/// - `paired`: each case with the one that follows in its pair: the candidate's after the baseline's. Those that were
///   skipped have helped to tell the others apart, and are dropped.
/// - `compared`: a row for each pair, and for each case without a partner.
/// - `changes`: with what it means.
const MATCHING: &str = "\
), counted AS (\
SELECT results.*, \
ROW_NUMBER() OVER (of_case ORDER BY outcome = 'skipped', repetition, position NULLS LAST, id) AS number, \
COUNT(*) FILTER (WHERE outcome = 'passed') OVER of_case AS passed, \
COUNT(*) FILTER (WHERE outcome = 'failed') OVER of_case AS failed, \
COUNT(*) FILTER (WHERE outcome = 'errored') OVER of_case AS errored \
FROM results WINDOW of_case AS (PARTITION BY name, hash, side)\
), cases AS (\
SELECT side, id, position, name, hash, score, latency_ms, \
CASE WHEN passed > failed AND passed > errored THEN 'passed' \
WHEN errored > failed AND errored > passed THEN 'errored' \
WHEN passed + failed + errored = 0 THEN 'skipped' ELSE 'failed' END AS outcome, \
COUNT(*) OVER (PARTITION BY name, hash) = 2 AS is_same \
FROM counted WHERE number = 1\
), named AS (\
SELECT cases.*, NOT is_same AND COUNT(*) OVER others = 2 AND SUM(side) OVER others = 1 AS by_name \
FROM cases WINDOW others AS (PARTITION BY name, is_same)\
), hashed AS (\
SELECT named.*, NOT is_same AND NOT by_name AND hash IS NOT NULL \
AND COUNT(*) OVER others = 2 AND SUM(side) OVER others = 1 AS by_hash \
FROM named WINDOW others AS (PARTITION BY hash, is_same, by_name)\
), paired AS (\
SELECT side, id, position, name, outcome, score, latency_ms, ROW_NUMBER() OVER pair AS number, \
LEAD(id) OVER pair AS next_id, LEAD(name) OVER pair AS next_name, LEAD(outcome) OVER pair AS next_outcome, \
LEAD(score) OVER pair AS next_score, LEAD(latency_ms) OVER pair AS next_latency_ms \
FROM hashed WHERE outcome <> 'skipped' \
WINDOW pair AS (PARTITION BY is_same, by_name, by_hash, \
CASE WHEN is_same OR by_name THEN name END, CASE WHEN is_same OR by_hash THEN hash END, \
CASE WHEN NOT (is_same OR by_name OR by_hash) THEN id END ORDER BY side)\
), compared (name, baseline_id, baseline_outcome, baseline_score, baseline_latency_ms, \
candidate_id, candidate_outcome, candidate_score, candidate_latency_ms, candidate_only, position, result_id) AS (\
SELECT COALESCE(next_name, name), id, outcome, score, latency_ms, \
next_id, next_outcome, next_score, next_latency_ms, 0, position, id FROM paired WHERE side = 0 \
UNION ALL \
SELECT name, NULL, NULL, NULL, NULL, id, outcome, score, latency_ms, 1, position, id FROM paired \
WHERE side = 1 AND number = 1\
), changes AS (\
SELECT compared.*, COALESCE(CAST(position AS BIGINT), 2147483648) AS place, \
CASE WHEN candidate_id IS NULL THEN 'removed' WHEN baseline_id IS NULL THEN 'added' \
WHEN baseline_outcome = 'errored' OR candidate_outcome = 'errored' THEN 'errored' \
WHEN baseline_outcome <> candidate_outcome AND candidate_outcome = 'passed' THEN 'fixed' \
WHEN baseline_outcome <> candidate_outcome THEN 'regressed' \
WHEN candidate_outcome = 'passed' THEN 'unchanged_pass' ELSE 'unchanged_fail' END AS change \
FROM compared) ";

/// What a database must be able to bind for a comparison.
trait BindsComparisons: Backend + HasSqlType<sql::Uuid> + HasSqlType<BigInt> + HasSqlType<Int4> {}

impl<DB: Backend + HasSqlType<sql::Uuid> + HasSqlType<BigInt> + HasSqlType<Int4>> BindsComparisons for DB {}

/// The compared cases of two evaluations, as the table expression `changes`. An evaluation that may not be seen has none.
struct Changes {
    sides: [Side; 2],
}

struct Side {
    number: &'static str,
    evaluation: EvaluationId,
    visible: Conditions<evaluations::table>,
}

impl Changes {
    fn new(principal: &Principal, pair: EvaluationPair) -> Self {
        let side = |number, evaluation| Side { number, evaluation, visible: visible(principal) };
        Self { sides: [side("0", pair.baseline), side("1", pair.candidate)] }
    }
}

impl<DB: BindsComparisons> QueryFragment<DB> for Changes
where
    Conditions<evaluations::table>: QueryFragment<DB>,
    EvaluationId: ToSql<sql::Uuid, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let [select, from] = RESULTS_OF;
        for (side, opening) in self.sides.iter().zip(["WITH results AS (", " UNION ALL "]) {
            out.push_sql(opening);
            out.push_sql(select);
            out.push_sql(side.number);
            out.push_sql(from);
            out.push_bind_param::<sql::Uuid, _>(&side.evaluation)?;
            out.push_sql(" AND ");
            side.visible.walk_ast(out.reborrow())?;
            out.push_sql(")");
        }
        out.push_sql(MATCHING);
        Ok(())
    }
}

/// How many cases have which change; changes that no case has do not appear.
pub struct ChangeCounts {
    changes: Changes,
}

impl ChangeCounts {
    /// Of this comparison.
    #[must_use]
    pub fn new(principal: &Principal, pair: EvaluationPair) -> Self {
        Self { changes: Changes::new(principal, pair) }
    }
}

impl<DB: Backend> QueryFragment<DB> for ChangeCounts
where
    Changes: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.changes.walk_ast(out.reborrow())?;
        out.push_sql("SELECT change, COUNT(*) FROM changes GROUP BY change");
        Ok(())
    }
}

/// A page of the cases, in their order.
pub struct Cases {
    changes: Changes,
    wanted: Option<AnyText<ChangeColumn>>,
    range: CaseRange,
    limit: i64,
}

impl Cases {
    /// Of this comparison.
    #[must_use]
    pub fn new(principal: &Principal, pair: EvaluationPair, slice: CaseSlice) -> Self {
        let wanted = slice.changes.map(|changes| any_text(ChangeColumn, changes.iter().map(|change| change.as_str())));
        Self { changes: Changes::new(principal, pair), wanted, range: slice.range, limit: slice.limit }
    }
}

impl<DB: BindsComparisons> QueryFragment<DB> for Cases
where
    Changes: QueryFragment<DB>,
    AnyText<ChangeColumn>: QueryFragment<DB>,
    i32: ToSql<Int4, DB>,
    i64: ToSql<BigInt, DB>,
    TestResultId: ToSql<sql::Uuid, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.changes.walk_ast(out.reborrow())?;
        out.push_sql(
            "SELECT name, change, baseline_id, baseline_outcome, baseline_score, baseline_latency_ms, \
             candidate_id, candidate_outcome, candidate_score, candidate_latency_ms, \
             candidate_only, place, result_id FROM changes WHERE ",
        );
        match &self.wanted {
            Some(wanted) => wanted.walk_ast(out.reborrow())?,
            None => out.push_sql("TRUE"),
        }
        match &self.range {
            CaseRange::All => {}
            CaseRange::After(position) => push_bound(&mut out, ") > (", position)?,
            CaseRange::UpTo(position) => push_bound(&mut out, ") <= (", position)?,
        }
        out.push_sql(" ORDER BY candidate_only, place, result_id LIMIT ");
        out.push_bind_param::<BigInt, _>(&self.limit)
    }
}

fn push_bound<'b, DB: BindsComparisons>(
    out: &mut AstPass<'_, 'b, DB>,
    comparison: &'static str,
    position: &'b CasePosition,
) -> QueryResult<()>
where
    i32: ToSql<Int4, DB>,
    i64: ToSql<BigInt, DB>,
    TestResultId: ToSql<sql::Uuid, DB>,
{
    out.push_sql(" AND (candidate_only, place, result_id");
    out.push_sql(comparison);
    out.push_bind_param::<Int4, _>(&position.candidate_only)?;
    out.push_sql(", ");
    out.push_bind_param::<BigInt, _>(&position.place)?;
    out.push_sql(", ");
    out.push_bind_param::<sql::Uuid, _>(&position.result)?;
    out.push_sql(")");
    Ok(())
}

/// The column `change` of `changes`.
struct ChangeColumn;

impl<DB: Backend> QueryFragment<DB> for ChangeColumn {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("change");
        Ok(())
    }
}

/// A case in one evaluation, of which all columns are null when it is not there.
type ResultColumns = (sql::Uuid, Text, Float8, Nullable<Int4>);

// The text of a page depends on what is asked for; prepared statements are kept by their text.
impl QueryId for Cases {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Cases {
    type SqlType = (Text, Text, Nullable<ResultColumns>, Nullable<ResultColumns>, (Int4, BigInt, sql::Uuid));
}

impl QueryId for ChangeCounts {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for ChangeCounts {
    type SqlType = (Text, BigInt);
}
