//! One attempt to store a file.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use diesel::result::{Error as DieselError, QueryResult};
use serde_json::Value;
use tokio::sync::mpsc;

use super::chunks::{Chunk, ChunkRow, Recipient, read_chunks};
use super::complete::complete_if_all_are_there;
use super::extend::{Additions, CaseNames, extend_run};
use super::status::new_status_of_run;
use crate::db::changes::Changes;
use crate::db::evaluations::EvaluationOfRun;
use crate::db::types::Json;
use crate::db::{DbConnection, audit, evaluations, insert, runs, test_results, totals};
use crate::domain::{Deed, EvaluationId, EvaluationStatus, PromptId, RunId, RunSource, Timestamp};
use crate::ingest::ImportedEvaluation;
use crate::ingest::error::ImportError;
use crate::ingest::prepared::Prepared;
use crate::ingest::problem::Problem;
use crate::ingest::report::ImportReport;
use crate::ingest::rows::{evaluation_row, run_row};
use crate::ingest::source::StopReason;
use crate::ingest::totals::Totals;
use crate::ingest::versions::resolve_prompts;

/// Chunks that may wait for the database.
const CHUNKS_WAITING: usize = 1;

/// Why an attempt ended.
pub(super) enum Failure {
    /// The database refused.
    Statement(DieselError),
    /// The file could not be read a second time.
    File(Box<ImportError>),
}

impl From<DieselError> for Failure {
    fn from(error: DieselError) -> Self {
        Self::Statement(error)
    }
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        Self::File(Box::new(error))
    }
}

/// An evaluation of the file and what the database has of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub id: EvaluationId,
    /// Whether it was there.
    pub is_known: bool,
    /// Whether it was running and has come to its end according to the file.
    pub ends: bool,
    /// The totals over the results that were added to it.
    pub added: Totals,
}

impl Target {
    /// Whether what is stored of it has to change.
    pub fn is_changed(&self) -> bool {
        self.is_known && (self.added.tests > 0 || self.ends)
    }
}

/// What the database had of the run, whose evaluations are locked.
#[derive(Default)]
pub(super) struct Known {
    /// By what the tool calls them.
    pub evaluations: HashMap<String, EvaluationOfRun>,
    next_position: i32,
    /// What the run becomes, where that is something else.
    pub new_status: Option<EvaluationStatus>,
    /// When the run began.
    started_at: Option<Timestamp>,
    /// When the run ended.
    pub completed_at: Option<Timestamp>,
    /// Whether a run whose results are still to come was announced with other counts before.
    is_announced_anew: bool,
}

/// One attempt.
pub(super) struct Attempt {
    prepared: Arc<Prepared>,
    user_id: String,
    /// The time of the import: when rows were last changed.
    now: Timestamp,
    report: ImportReport,
    /// What was added to evaluations that were there.
    added_cases: CaseNames,
    /// The prompt versions that were stored.
    new_prompts: Vec<PromptId>,
}

impl Attempt {
    /// An attempt for the user.
    pub fn new(prepared: Arc<Prepared>, user_id: String, dry_run: bool) -> Self {
        let report = ImportReport {
            run_id: RunId::generate(),
            external_id: prepared.run.external_id.clone(),
            new_runs: 0,
            new_lineages: 0,
            new_versions: 0,
            new_evaluations: 0,
            new_results: 0,
            known_evaluations: 0,
            known_results: 0,
            warnings: prepared.run.warnings.clone(),
            dry_run,
        };
        Self {
            prepared,
            user_id,
            now: Timestamp::now(),
            report,
            added_cases: CaseNames::default(),
            new_prompts: Vec::new(),
        }
    }

    /// Stores what is missing.
    pub async fn run(mut self, connection: &mut DbConnection) -> Result<ImportReport, Failure> {
        let known = self.find_or_insert_run(connection).await?;
        let mut targets = self.insert_evaluations(connection, &known).await?;
        // A batch of results does not say when its run began.
        let began = known.started_at.filter(|_| self.prepared.run.is_batch).unwrap_or(self.prepared.run.started_at);
        self.insert_results(connection, &mut targets, began).await?;
        let is_changed =
            known.new_status.is_some() || known.is_announced_anew || targets.iter().any(Target::is_changed);
        let (run, id) = (&self.prepared.run, self.report.run_id);
        if self.report.new_runs == 0 && (self.report.new_rows() > 0 || is_changed) {
            let additions = Additions { targets: &targets, cases: &self.added_cases };
            extend_run(connection, run, id, &known, additions, self.now).await?;
        }
        let has_ended = run.source == RunSource::Promptfoo
            && run.status.is_open()
            && complete_if_all_are_there(connection, id, self.now).await?;
        if self.report.new_rows() > 0 || is_changed || has_ended {
            audit::record(connection, &self.deed(), &self.changes(&targets)).await?;
        }
        // The last thing of all: it locks the prompts' totals until the commit.
        let prompts = evaluations::prompts_of_run(connection, id).await?;
        totals::refresh(connection, prompts).await?;
        Ok(self.report)
    }

    /// What the audit log says of the import.
    fn deed(&self) -> Deed {
        let action = match self.prepared.run.source {
            RunSource::Inspect => "import inspect",
            _ => "import promptfoo",
        };
        Deed::command(action, &self.user_id)
    }

    fn changes(&self, targets: &[Target]) -> Changes {
        let changed = targets.iter().filter(|target| !target.is_known || target.is_changed());
        Changes {
            prompts: self.new_prompts.clone(),
            runs: vec![self.report.run_id],
            evaluations: changed.map(|target| target.id).collect(),
            ..Changes::default()
        }
    }

    async fn find_or_insert_run(&mut self, connection: &mut DbConnection) -> Result<Known, Failure> {
        let run = &self.prepared.run;
        match runs::find_imported(connection, &self.user_id, run.source, &run.external_id).await? {
            Some(id) => {
                self.report.run_id = id;
                // In this order: see `runs::lock`.
                let stored = runs::lock(connection, id).await?;
                let mut known = find_known(connection, id).await?;
                known.is_announced_anew = run.status.is_open() && is_other(run.declared.as_ref(), &stored.declared);
                known.new_status = new_status_of_run(stored.status, run, &known.evaluations);
                (known.started_at, known.completed_at) = (stored.started_at, stored.completed_at);
                Ok(known)
            }
            None if run.is_batch => {
                let problem = format!("the run «{}» is not there; import its record first", run.external_id);
                Err(self.refuse("evalId", problem).into())
            }
            None => {
                let row = run_row(run, self.report.run_id, &self.user_id, self.now);
                insert::runs(connection, vec![row]).await?;
                self.report.new_runs = 1;
                Ok(Known::default())
            }
        }
    }

    /// Stores the evaluations that are missing, with the totals that the file gives them, and says what all of them
    /// have become.
    async fn insert_evaluations(
        &mut self,
        connection: &mut DbConnection,
        known: &Known,
    ) -> Result<Vec<Target>, Failure> {
        let run = &self.prepared.run;
        let target = |evaluation: &ImportedEvaluation| {
            let known = known.evaluations.get(&evaluation.external_id);
            let id = known.map_or_else(EvaluationId::generate, |known| known.id);
            let ends = known.is_some_and(|known| known.status.is_open()) && !evaluation.status.is_open();
            Target { id, is_known: known.is_some(), ends, added: Totals::default() }
        };
        let targets: Vec<_> = run.evaluations.iter().map(target).collect();
        let new: Vec<_> = run.evaluations.iter().zip(&targets).filter(|(_, target)| !target.is_known).collect();
        if let Some((evaluation, _)) = new.first().filter(|_| run.is_batch) {
            let column = evaluation.position.unwrap_or_default();
            let problem = format!("the run «{}» has no prompt {column}", run.external_id);
            return Err(self.refuse("promptIdx", problem).into());
        }
        // Prompts that only evaluations use which are there already may have been renamed or deleted since.
        let used: Vec<_> = new.iter().map(|(evaluation, _)| evaluation.prompt).collect();
        let prompts = resolve_prompts(connection, run, &used, &self.user_id, self.now).await?;
        self.report.new_lineages = prompts.new_lineages;
        self.report.new_versions = prompts.stored.len();
        self.new_prompts = prompts.stored;
        let row = |((evaluation, target), free): ((&ImportedEvaluation, &Target), i32)| {
            let prompt_id = prompts.ids.get(&evaluation.prompt).copied()?;
            let ids = (target.id, prompt_id, self.report.run_id);
            Some(evaluation_row(run, evaluation, ids, evaluation.position.unwrap_or(free), self.now))
        };
        let rows: Vec<_> = new.into_iter().zip(known.next_position..).filter_map(row).collect();
        self.report.new_evaluations = rows.len();
        self.report.known_evaluations = targets.iter().filter(|target| target.is_known).count();
        insert::evaluations(connection, rows).await?;
        Ok(targets)
    }

    /// Reads the results once more, on a thread of their own, and stores those that are missing.
    async fn insert_results(
        &mut self,
        connection: &mut DbConnection,
        targets: &mut [Target],
        created_at: Timestamp,
    ) -> Result<(), Failure> {
        let (sender, mut chunks) = mpsc::channel(CHUNKS_WAITING);
        let recipients: Vec<_> = targets.iter().map(|target| target.id).collect();
        let recipient = Recipient { evaluations: recipients, created_at, now: self.now };
        let prepared = Arc::clone(&self.prepared);
        let reading = tokio::task::spawn_blocking(move || read_chunks(&prepared, &recipient, &sender));
        let mut stored = Ok(());
        while let Some(chunk) = chunks.recv().await {
            stored = self.insert_chunk(connection, chunk, targets).await;
            if stored.is_err() {
                break;
            }
        }
        // Whoever reads ends soon when nobody takes the chunks, and then its error is of no interest.
        drop(chunks);
        let read = reading.await;
        stored?;
        read.map_err(|cause| {
            let file = self.prepared.source.name().to_owned();
            ImportError::Interrupted { file, cause: cause.to_string() }
        })??;
        Ok(())
    }

    /// Says that the database lacks what a batch of results needs.
    fn refuse(&self, place: &str, problem: String) -> ImportError {
        StopReason::Problem(Problem::new(place, problem)).into_error(&self.prepared.source, None)
    }

    async fn insert_chunk(
        &mut self,
        connection: &mut DbConnection,
        mut chunk: Chunk,
        targets: &mut [Target],
    ) -> QueryResult<()> {
        let all = chunk.len();
        let stored = find_stored(connection, &chunk, targets).await?;
        chunk.retain(|ChunkRow { row, .. }| !stored.contains(&(row.evaluation_id, row.external_id.clone())));
        for ChunkRow { evaluation, figures, row } in &chunk {
            if let Some(target) = targets.get_mut(*evaluation) {
                target.added.add(*figures);
                if target.is_known {
                    self.added_cases.insert(&row.test_case_name);
                }
            }
        }
        self.report.new_results += chunk.len();
        self.report.known_results += all - chunk.len();
        insert::test_results(connection, chunk.into_iter().map(|chunk_row| chunk_row.row).collect()).await
    }
}

/// Those results of a chunk that are there already. Evaluations that are new have none.
async fn find_stored(
    connection: &mut DbConnection,
    chunk: &[ChunkRow],
    targets: &[Target],
) -> QueryResult<HashSet<(EvaluationId, Option<String>)>> {
    let known: HashSet<_> = targets.iter().filter(|target| target.is_known).map(|target| target.id).collect();
    let rows = chunk.iter().map(|chunk_row| &chunk_row.row);
    let rows: Vec<_> = rows.filter(|row| known.contains(&row.evaluation_id)).collect();
    if rows.is_empty() {
        return Ok(HashSet::new());
    }
    let evaluations: HashSet<_> = rows.iter().map(|row| row.evaluation_id).collect();
    let ids: Vec<_> = evaluations.into_iter().collect();
    let external_ids = rows.iter().filter_map(|row| row.external_id.clone()).collect();
    Ok(test_results::known(connection, &ids, external_ids).await?.into_iter().collect())
}

/// Whether a file claims other counts than are stored.
fn is_other(declared: Option<&Value>, stored: &Json) -> bool {
    let stored: Option<Value> = serde_json::from_str(stored.as_str()).ok();
    declared.is_some_and(|declared| Some(declared) != stored.as_ref())
}

async fn find_known(connection: &mut DbConnection, run_id: RunId) -> QueryResult<Known> {
    let mut known = Known::default();
    for evaluation in evaluations::lock_of_run(connection, run_id).await? {
        known.next_position =
            known.next_position.max(evaluation.position.map_or(0, |position| position.saturating_add(1)));
        if let Some(external_id) = evaluation.external_id.clone() {
            known.evaluations.insert(external_id, evaluation);
        }
    }
    Ok(known)
}
