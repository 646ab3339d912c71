//! Recording results.

use std::collections::HashMap;
use std::sync::Arc;

use diesel::result::QueryResult;

use super::{EvaluationChange, finished, read_back};
use crate::db::changes::Changes;
use crate::db::evaluations::{self, EvaluationProgress, EvaluationRow, EvaluationState, EvaluationTotals};
use crate::db::test_results::{self, NewTestResult, ResultContent};
use crate::db::transaction::Aborted;
use crate::db::{DbConnection, insert};
use crate::domain::{EvaluationId, EvaluationStatus, Principal, ScoreSum, Timestamp, Totals};
use crate::writes::{Fault, Outcome, Refusal, RefusalKind, Write};

/// How many results that are there already are read at a time, to be compared with those that are given.
const COMPARED_AT_A_TIME: usize = 1_000;

/// Adds results to an evaluation that has not ended, which begins if it has not.
///
/// A result with the external id of one that is there already is left out, if it says the same.
#[derive(Debug, Clone)]
pub struct RecordTestResults {
    /// The evaluation.
    pub evaluation: EvaluationChange,
    /// The results.
    pub results: Vec<ResultContent>,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The evaluation as it is stored now.
    pub evaluation: Arc<EvaluationRow>,
    /// How many results were added.
    pub recorded: usize,
}

impl Write for RecordTestResults {
    type Output = Recorded;

    async fn run(&self, connection: &mut DbConnection, principal: &Principal) -> Outcome<Recorded> {
        let open = [EvaluationStatus::Pending, EvaluationStatus::Running];
        let state = self.evaluation.lock(connection, principal, &open, "given results").await?;
        let EvaluationChange { id, columns, .. } = self.evaluation;
        let new = self.new_results(connection).await?;
        if new.is_empty() {
            let evaluation = read_back(connection, principal, id, columns).await?;
            return Ok((Recorded { evaluation, recorded: 0 }, Changes::default()));
        }
        let now = Timestamp::now();
        let rows = number(connection, (id, &state), &new, now).await?;
        insert::test_results(connection, rows).await?;
        let mut totals = Totals::default();
        new.iter().for_each(|result| totals.add(result.figures()));
        add_up(connection, id, &state, &totals, now).await?;
        let (evaluation, changes) = finished(connection, principal, (id, state.prompt_id), columns).await?;
        Ok((Recorded { evaluation, recorded: new.len() }, changes))
    }
}

/// Adds what the new results come to to the totals of the evaluation, which begins if it has not.
async fn add_up(
    connection: &mut DbConnection,
    id: EvaluationId,
    state: &EvaluationState,
    added: &Totals,
    now: Timestamp,
) -> QueryResult<()> {
    let totals = evaluations::totals_with(connection, id, &state.totals, added).await?;
    // The score of the whole is said when it is complete.
    let overall_score = state.totals.overall_score;
    let totals = EvaluationTotals { overall_score, ..EvaluationTotals::of(&totals, ScoreSum::OfResults, now) };
    let begins = state.status == EvaluationStatus::Pending;
    let progress = EvaluationProgress {
        status: begins.then_some(EvaluationStatus::Running),
        started_at: begins.then(|| state.started_at.unwrap_or(now)),
        ..EvaluationProgress::default()
    };
    evaluations::extend(connection, id, totals, progress).await
}

impl RecordTestResults {
    /// The results that are not there yet, each once. The evaluation is locked, so nobody adds others meanwhile.
    async fn new_results(&self, connection: &mut DbConnection) -> Result<Vec<&ResultContent>, Aborted<Refusal>> {
        let mut repetitions = Repetitions::default();
        let mut candidates = Vec::new();
        for (index, result) in self.results.iter().enumerate() {
            if repetitions.is_first(index, result) {
                candidates.push((index, result));
            }
        }
        let named = |&(index, result): &(usize, _)| Some((result_id(result)?, index));
        let by_id: HashMap<&str, usize> = candidates.iter().filter_map(named).collect();
        let mut known = vec![false; self.results.len()];
        let ids: Vec<&str> = by_id.keys().copied().collect();
        for ids in ids.chunks(COMPARED_AT_A_TIME) {
            let ids = ids.iter().map(|&id| id.to_owned()).collect();
            for stored in test_results::recorded(connection, self.evaluation.id, ids).await? {
                let index = stored.external_id.as_deref().and_then(|id| by_id.get(id)).copied();
                let Some((index, result)) = index.and_then(|index| Some((index, self.results.get(index)?))) else {
                    continue;
                };
                if let Some(known) = known.get_mut(index) {
                    *known = true;
                }
                if !result.is_same_as(&stored) {
                    repetitions.differs(index, result, "a result that is recorded already");
                }
            }
        }
        repetitions.finish()?;
        candidates.retain(|(index, _)| known.get(*index) == Some(&false));
        Ok(candidates.into_iter().map(|(_, result)| result).collect())
    }
}

fn result_id(result: &ResultContent) -> Option<&str> {
    result.external_id.as_deref()
}

/// Tells results that repeat others from those that contradict them.
#[derive(Default)]
struct Repetitions<'a> {
    given: HashMap<&'a str, (usize, &'a ResultContent)>,
    /// By the index of the result.
    contradictions: Vec<(usize, Fault)>,
}

impl<'a> Repetitions<'a> {
    /// Whether no result before this one has its external id.
    fn is_first(&mut self, index: usize, result: &'a ResultContent) -> bool {
        let Some(id) = result_id(result) else { return true };
        let (first, earlier) = *self.given.entry(id).or_insert((index, result));
        if first != index && !result.is_same_as(earlier) {
            self.differs(index, result, &format!("results[{first}]"));
        }
        first == index
    }

    /// Notes that a result says something else than one that has the same external id.
    fn differs(&mut self, index: usize, result: &ResultContent, from: &str) {
        let id = result_id(result).unwrap_or_default();
        let problem = format!("«{id}» is the externalId of {from}, which differs");
        self.contradictions.push((index, Fault::new(format!("results[{index}].externalId"), problem)));
    }

    fn finish(mut self) -> Result<(), Refusal> {
        if self.contradictions.is_empty() {
            return Ok(());
        }
        self.contradictions.sort_by_key(|&(index, _)| index);
        let faults = self.contradictions.into_iter().map(|(_, fault)| fault).collect();
        Err(Refusal { kind: RefusalKind::Conflict, faults })
    }
}

/// The rows of new results, in which repetitions of a case are numbered on from those that are there.
async fn number(
    connection: &mut DbConnection,
    (id, state): (EvaluationId, &EvaluationState),
    new: &[&ResultContent],
    now: Timestamp,
) -> Result<Vec<NewTestResult>, Aborted<Refusal>> {
    let mut next: HashMap<(String, Option<String>), i32> = HashMap::new();
    if state.totals.total_tests > 0 {
        let names = new.iter().map(|result| result.test_case_name.clone()).collect();
        for (name, hash, last) in test_results::last_repetitions(connection, id, names).await? {
            next.insert((name, hash), last.map_or(0, |last| last.saturating_add(1)));
        }
    }
    let row = |result: &&ResultContent| {
        let hash = result.case_hash();
        let repetition = next.entry((result.test_case_name.clone(), hash.clone())).or_insert(0);
        let row = result.row(id, hash, *repetition, now);
        *repetition = repetition.saturating_add(1);
        row
    };
    Ok(new.iter().map(row).collect())
}
