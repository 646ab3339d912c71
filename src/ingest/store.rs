//! Storing a run: in one transaction, and only what is missing.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use diesel::result::{DatabaseErrorKind, Error as DieselError, QueryResult};

use super::report::ImportReport;
use super::rows::{evaluation_row, result_row, run_row, totals_of_evaluation};
use super::totals::{Figures, Totals};
use super::versions::resolve_prompts;
use super::{ImportedEvaluation, ImportedResult, ImportedRun, ScoreSum};
use crate::db::runs::RunExtension;
use crate::db::transaction::write_transaction;
use crate::db::{Database, DbConnection, DbError, StatementCount, evaluations, insert, runs, test_results};
use crate::domain::{EvaluationId, RunId, TestResultId, Timestamp};

/// How often a transaction is tried: another import of the same file or prompt may get in between.
const ATTEMPTS: usize = 5;

/// Stores, for the user, what of the run is not stored yet: all of it or, after an error, nothing.
///
/// # Errors
/// When the database fails.
pub async fn store(database: &Database, run: ImportedRun, user_id: &str) -> Result<ImportReport, DbError> {
    let run = Arc::new(run);
    let mut attempt = 1;
    loop {
        match store_once(database, &run, user_id).await {
            Err(error) if attempt < ATTEMPTS && is_collision(&error) => attempt += 1,
            result => return result,
        }
    }
}

async fn store_once(database: &Database, run: &Arc<ImportedRun>, user_id: &str) -> Result<ImportReport, DbError> {
    let (run, user_id) = (Arc::clone(run), user_id.to_owned());
    database
        .write(&StatementCount::default(), move |connection| {
            Box::pin(write_transaction(connection, move |connection| {
                Box::pin(async move { Import::new(&run, user_id).run(connection).await })
            }))
        })
        .await
}

/// Whether another transaction was in the way: the next attempt sees what it wrote.
fn is_collision(error: &DbError) -> bool {
    matches!(
        error,
        DbError::Contention(_) | DbError::Statement(DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _))
    )
}

/// One attempt.
struct Import<'a> {
    run: &'a ImportedRun,
    user_id: String,
    /// The time of the import: when rows were last changed.
    now: Timestamp,
    report: ImportReport,
}

/// What the database has of the run.
#[derive(Default)]
struct Known {
    /// By position.
    evaluations: HashMap<i32, EvaluationId>,
    /// External ids by evaluation.
    results: HashMap<EvaluationId, HashSet<String>>,
}

/// Results of the file that the database lacks, with the evaluation they go to.
struct Missing<'a> {
    evaluation_id: EvaluationId,
    evaluation: &'a ImportedEvaluation,
    is_new: bool,
    results: Vec<&'a ImportedResult>,
}

impl<'a> Import<'a> {
    fn new(run: &'a ImportedRun, user_id: String) -> Self {
        let report = ImportReport {
            run_id: RunId::generate(),
            external_id: run.external_id.clone(),
            new_runs: 0,
            new_lineages: 0,
            new_versions: 0,
            new_evaluations: 0,
            new_results: 0,
            known_evaluations: 0,
            known_results: 0,
            warnings: run.warnings.clone(),
        };
        Self { run, user_id, now: Timestamp::now(), report }
    }

    async fn run(mut self, connection: &mut DbConnection) -> QueryResult<ImportReport> {
        let known = self.find_or_insert_run(connection).await?;
        let missing = self.missing(&known);
        self.insert_evaluations(connection, &missing).await?;
        self.insert_results(connection, &missing).await?;
        if self.report.new_runs == 0 && self.report.new_rows() > 0 {
            self.extend_run(connection, &missing).await?;
        }
        Ok(self.report)
    }

    async fn find_or_insert_run(&mut self, connection: &mut DbConnection) -> QueryResult<Known> {
        let run = self.run;
        match runs::find_imported(connection, &self.user_id, run.source, &run.external_id).await? {
            Some(id) => {
                self.report.run_id = id;
                find_known(connection, id).await
            }
            None => {
                let row = run_row(run, self.report.run_id, &self.user_id, self.now);
                insert::runs(connection, vec![row]).await?;
                self.report.new_runs = 1;
                Ok(Known::default())
            }
        }
    }

    /// What the file has and the database lacks. Counts what both have.
    fn missing(&mut self, known: &Known) -> Vec<Missing<'a>> {
        let mut all = Vec::new();
        for evaluation in &self.run.evaluations {
            let known_id = known.evaluations.get(&evaluation.position).copied();
            let stored = known_id.and_then(|id| known.results.get(&id));
            let is_missing = |result: &&ImportedResult| stored.is_none_or(|ids| !ids.contains(&result.external_id));
            let results: Vec<_> = evaluation.results.iter().filter(is_missing).collect();
            self.report.known_evaluations += usize::from(known_id.is_some());
            self.report.known_results += evaluation.results.len() - results.len();
            if known_id.is_none() || !results.is_empty() {
                let evaluation_id = known_id.unwrap_or_else(EvaluationId::generate);
                all.push(Missing { evaluation_id, evaluation, is_new: known_id.is_none(), results });
            }
        }
        all
    }

    async fn insert_evaluations(&mut self, connection: &mut DbConnection, missing: &[Missing<'_>]) -> QueryResult<()> {
        let new: Vec<_> = missing.iter().filter(|missing| missing.is_new).collect();
        // Prompts that only evaluations use which are there already may have been renamed or deleted since.
        let used: Vec<_> = new.iter().map(|missing| missing.evaluation.prompt).collect();
        let prompts = resolve_prompts(connection, self.run, &used, &self.user_id, self.now).await?;
        self.report.new_lineages = prompts.new_lineages;
        self.report.new_versions = prompts.new_versions;
        let row = |missing: &&Missing<'_>| {
            let prompt_id = prompts.ids.get(&missing.evaluation.prompt).copied()?;
            let ids = (missing.evaluation_id, prompt_id, self.report.run_id);
            Some(evaluation_row(self.run, missing.evaluation, ids, self.now))
        };
        let rows: Vec<_> = new.iter().filter_map(row).collect();
        self.report.new_evaluations = rows.len();
        insert::evaluations(connection, rows).await
    }

    async fn insert_results(&mut self, connection: &mut DbConnection, missing: &[Missing<'_>]) -> QueryResult<()> {
        let mut rows = Vec::with_capacity(missing.iter().map(|missing| missing.results.len()).sum());
        for Missing { evaluation_id, results, .. } in missing {
            for result in results {
                let id = TestResultId::generate();
                rows.push(result_row(result, id, *evaluation_id, self.run.started_at, self.now));
            }
        }
        self.report.new_results = rows.len();
        insert::test_results(connection, rows).await
    }

    /// Brings the totals of a run up to date that was there and to which something was added.
    async fn extend_run(&self, connection: &mut DbConnection, missing: &[Missing<'_>]) -> QueryResult<()> {
        let grown: Vec<_> = missing.iter().filter(|missing| !missing.is_new).collect();
        let ids: Vec<_> = grown.iter().map(|missing| missing.evaluation_id).collect();
        if !ids.is_empty() {
            let totals = stored_totals(connection, &ids).await?;
            for Missing { evaluation_id, evaluation, .. } in grown {
                let totals = totals.get(evaluation_id).copied().unwrap_or_default();
                let stated = score_of_all(evaluation, &totals);
                let changes = totals_of_evaluation(self.run, evaluation, &totals, stated, self.now);
                evaluations::set_totals(connection, *evaluation_id, changes).await?;
            }
        }
        let changes = RunExtension {
            declared: self.run.declared.clone().into(),
            duration_ms: self.run.duration_ms,
            completed_at: self.run.completed_at(),
            updated_at: self.now,
        };
        runs::extend(connection, self.report.run_id, changes).await
    }
}

async fn find_known(connection: &mut DbConnection, run_id: RunId) -> QueryResult<Known> {
    let mut known = Known::default();
    for (id, position) in evaluations::lock_of_run(connection, run_id).await? {
        if let Some(position) = position {
            known.evaluations.insert(position, id);
        }
    }
    let ids: Vec<_> = known.evaluations.values().copied().collect();
    for (evaluation_id, external_id) in test_results::external_ids(connection, &ids).await? {
        known.results.entry(evaluation_id).or_default().extend(external_id);
    }
    Ok(known)
}

/// The totals over what is stored of these evaluations.
async fn stored_totals(
    connection: &mut DbConnection,
    ids: &[EvaluationId],
) -> QueryResult<HashMap<EvaluationId, Totals>> {
    let mut figures: HashMap<_, Vec<Figures>> = HashMap::new();
    for result in test_results::counted(connection, ids).await? {
        figures.entry(result.evaluation_id).or_default().push(Figures::from(&result));
    }
    Ok(figures.into_iter().map(|(id, figures)| (id, Totals::of(figures))).collect())
}

/// The sum of scores that the file states, unless there are results that it does not know of.
fn score_of_all(evaluation: &ImportedEvaluation, totals: &Totals) -> ScoreSum {
    let is_about_all = usize::try_from(totals.tests).is_ok_and(|tests| tests == evaluation.results.len());
    match evaluation.score_sum {
        ScoreSum::Stated(_) if !is_about_all => ScoreSum::OfResults,
        stated => stated,
    }
}
