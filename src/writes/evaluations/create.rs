//! Registering an evaluation.

use std::sync::Arc;

use serde_json::Value;

use super::{finished, read_back};
use crate::db::changes::Changes;
use crate::db::columns::ColumnSet;
use crate::db::evaluations::{self, EvaluationContent, EvaluationRow, NewEvaluation};
use crate::db::transaction::Aborted;
use crate::db::types::Json;
use crate::db::{DbConnection, prompts, runs};
use crate::domain::{EvaluationId, EvaluationStatus, Principal, PromptId, RunId, RunSource, Timestamp, same_json};
use crate::writes::{Fault, Outcome, Refusal, RefusalKind, Write, state_name};

/// Where the input names the run.
const RUN: &str = ".runId";

/// Stores an evaluation that is to begin. One that its prompt has under the same external id, with the same content, is
/// left as it is.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the fields are those of `EvaluationRow`")]
pub struct CreateEvaluation {
    pub prompt_id: PromptId,
    pub run_id: Option<RunId>,
    pub provider: Option<String>,
    pub model: Option<String>,
    pub test_suite_id: Option<String>,
    pub external_id: Option<String>,
    pub metrics: Json,
    /// The wide columns that are wanted of the stored row.
    pub columns: ColumnSet,
}

impl Write for CreateEvaluation {
    type Output = Arc<EvaluationRow>;

    async fn run(&self, connection: &mut DbConnection, principal: &Principal) -> Outcome<Arc<EvaluationRow>> {
        // Runs are locked before anything else, as imports do.
        let run = match self.run_id {
            Some(id) => Some((id, runs::lock_visible(connection, principal, id).await?)),
            None => None,
        };
        let owner = prompts::owner_for_evaluation(connection, principal, self.prompt_id).await?;
        let owner = owner.ok_or_else(|| not_found(".promptId", "there is no prompt with this id"))?;
        let run = match run {
            Some((id, run)) => Some((id, run.ok_or_else(|| not_found(RUN, "there is no run with this id"))?)),
            None => None,
        };
        if let Some(external_id) = &self.external_id
            && let Some(known) = evaluations::by_external_id(connection, self.prompt_id, external_id).await?
        {
            return self.repeated(connection, principal, external_id, &known).await;
        }
        let position = match run {
            Some((id, run)) => {
                check_run(&run, &owner)?;
                Some(evaluations::next_position(connection, id).await?)
            }
            None => None,
        };
        let row = self.row(position);
        let id = row.id;
        if !evaluations::insert_unless_known(connection, row).await? {
            // Somebody else was faster.
            let external_id = self.external_id.as_deref().unwrap_or_default();
            let known = evaluations::by_external_id(connection, self.prompt_id, external_id).await?;
            let known = known.ok_or(diesel::result::Error::NotFound)?;
            return self.repeated(connection, principal, external_id, &known).await;
        }
        finished(connection, principal, (id, self.prompt_id), self.columns).await
    }
}

impl CreateEvaluation {
    async fn repeated(
        &self,
        connection: &mut DbConnection,
        principal: &Principal,
        external_id: &str,
        known: &EvaluationContent,
    ) -> Outcome<Arc<EvaluationRow>> {
        if !self.is_content_of(known) {
            let problem =
                format!("«{external_id}» is the externalId of another evaluation of this prompt, which differs");
            return Err(Refusal::of(RefusalKind::Conflict, Fault::new(".externalId", problem)).into());
        }
        Ok((read_back(connection, principal, known.id, self.columns).await?, Changes::default()))
    }

    /// Metrics may be replaced when an evaluation is completed.
    fn is_content_of(&self, known: &EvaluationContent) -> bool {
        let same_metrics = || {
            let read = |json: &Json| serde_json::from_str::<Value>(json.as_str()).unwrap_or_default();
            same_json(&read(&self.metrics), &read(&known.metrics))
        };
        self.run_id == known.run_id
            && self.provider == known.provider
            && self.model == known.model
            && self.test_suite_id == known.test_suite_id
            && (!known.status.is_open() || same_metrics())
    }

    fn row(&self, position: Option<i32>) -> NewEvaluation {
        let now = Timestamp::now();
        NewEvaluation {
            id: EvaluationId::generate(),
            prompt_id: self.prompt_id,
            run_id: self.run_id,
            position,
            test_suite_id: self.test_suite_id.clone(),
            external_id: self.external_id.clone(),
            status: EvaluationStatus::Pending,
            provider: self.provider.clone(),
            model: self.model.clone(),
            provider_id: None,
            provider_label: None,
            overall_score: None,
            score_sum: None,
            metrics: self.metrics.clone(),
            total_tests: 0,
            passed_tests: 0,
            failed_tests: 0,
            errored_tests: 0,
            timed_tests: 0,
            total_latency_ms: None,
            prompt_tokens: None,
            completion_tokens: None,
            total_tokens: None,
            cost_usd: None,
            execution_time_ms: None,
            error_message: None,
            created_at: now,
            started_at: None,
            completed_at: None,
            updated_at: now,
        }
    }
}

/// Whether an evaluation of a prompt of `owner` can become part of the run.
fn check_run(run: &runs::RunToChange, owner: &str) -> Result<(), Aborted<Refusal>> {
    let problem = if run.user_id != owner {
        let problem = "belongs to another owner than the prompt: a run holds evaluations of its owner's prompts";
        return Err(Refusal::of(RefusalKind::Invalid, Fault::new(RUN, problem)).into());
    } else if run.source != RunSource::Api {
        "is a run that was imported: start one with startRun".to_owned()
    } else if !run.status.is_open() {
        format!("is a run that is {}: only one that is open takes evaluations", state_name(run.status))
    } else {
        return Ok(());
    };
    Err(Refusal::of(RefusalKind::Conflict, Fault::new(RUN, problem)).into())
}

fn not_found(place: &str, problem: &str) -> Refusal {
    Refusal::of(RefusalKind::NotFound, Fault::new(place, problem))
}
