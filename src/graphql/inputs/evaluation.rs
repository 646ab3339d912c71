//! What is said of evaluations that are to be stored or changed.

use async_graphql::{ID, InputObject};

use super::values::{id, object, optional_text};
use crate::db::columns::ColumnSet;
use crate::domain::FiniteFloat;
use crate::graphql::global_id::NodeType;
use crate::graphql::scalars::JsonScalar;
use crate::writes::evaluations::{CompleteEvaluation, CreateEvaluation, EvaluationChange, FailEvaluation};
use crate::writes::{Checks, Refusal};

/// An evaluation that is to be registered.
#[derive(InputObject)]
pub struct CreateEvaluationInput {
    /// The prompt version that is evaluated; it must not be deleted.
    prompt_id: ID,
    /// The run that the evaluation is part of, after those that it holds: a run that was started through this API, is open
    /// and belongs to the owner of the prompt. Without one, the evaluation stands by itself.
    run_id: Option<ID>,
    /// Who runs the model: 1 to 255 characters.
    provider: Option<String>,
    /// The model: 1 to 255 characters.
    model: Option<String>,
    /// The set of test cases, as the client names it: 1 to 255 characters.
    test_suite_id: Option<String>,
    /// What the client calls the evaluation: 1 to 255 characters, unique among those of the prompt. If the prompt has one of
    /// this name already with the same content, that one is returned and nothing is stored, so that a request can be
    /// repeated; with another content it is a `CONFLICT`. The metrics of an evaluation that has ended are not compared.
    external_id: Option<String>,
    /// Whatever was measured of the evaluation as a whole: a JSON object.
    metrics: Option<JsonScalar>,
}

impl CreateEvaluationInput {
    /// The change that is meant, of which `columns` are wanted in return.
    ///
    /// # Errors
    /// With all that is wrong.
    pub fn read(self, columns: ColumnSet) -> Result<CreateEvaluation, Refusal> {
        let mut checks = Checks::default();
        let prompt_id = id(&mut checks, "promptId", NodeType::Prompt, &self.prompt_id);
        let run_id = self.run_id.as_ref().map(|run_id| id(&mut checks, "runId", NodeType::Run, run_id));
        optional_text(&mut checks, "provider", self.provider.as_deref());
        optional_text(&mut checks, "model", self.model.as_deref());
        optional_text(&mut checks, "testSuiteId", self.test_suite_id.as_deref());
        optional_text(&mut checks, "externalId", self.external_id.as_deref());
        let metrics = object(&mut checks, "metrics", self.metrics);
        checks.finish()?;
        Ok(CreateEvaluation {
            prompt_id,
            run_id,
            provider: self.provider,
            model: self.model,
            test_suite_id: self.test_suite_id,
            external_id: self.external_id,
            metrics,
            columns,
        })
    }
}

/// Where the id of an evaluation stands in an input.
const ID_PLACE: &str = ".id";

/// The end of an evaluation whose results are all recorded.
#[derive(InputObject)]
pub struct CompleteEvaluationInput {
    /// The evaluation, which must be RUNNING.
    id: ID,
    /// The score of the whole: any finite number. Without one, it is the mean score of the results that were not skipped;
    /// null for none.
    overall_score: Option<f64>,
    /// What was measured of the evaluation as a whole: a JSON object in the place of the metrics that it has. Without it,
    /// those stay.
    metrics: Option<JsonScalar>,
    /// How long the evaluation took, in milliseconds: 0 or more.
    execution_time_ms: Option<i32>,
}

impl CompleteEvaluationInput {
    /// The change that is meant, of which `columns` are wanted in return.
    ///
    /// # Errors
    /// With all that is wrong.
    pub fn read(self, columns: ColumnSet) -> Result<CompleteEvaluation, Refusal> {
        let mut checks = Checks::default();
        let id = id(&mut checks, "id", NodeType::Evaluation, &self.id);
        let overall_score = self.overall_score.and_then(|score| match FiniteFloat::try_from(score) {
            Ok(score) => Some(score),
            Err(error) => {
                checks.fault("overallScore", error);
                None
            }
        });
        let metrics = self.metrics.map(|metrics| object(&mut checks, "metrics", Some(metrics)));
        checks.count("executionTimeMs", self.execution_time_ms);
        checks.finish()?;
        let evaluation = EvaluationChange { id, place: ID_PLACE, columns };
        Ok(CompleteEvaluation { evaluation, overall_score, metrics, execution_time_ms: self.execution_time_ms })
    }
}

/// The end of an evaluation that is given up.
#[derive(InputObject)]
pub struct FailEvaluationInput {
    /// The evaluation, which must be PENDING or RUNNING.
    id: ID,
    /// Why it is given up: not blank.
    error_message: String,
}

impl FailEvaluationInput {
    /// The change that is meant, of which `columns` are wanted in return.
    ///
    /// # Errors
    /// With all that is wrong.
    pub fn read(self, columns: ColumnSet) -> Result<FailEvaluation, Refusal> {
        let mut checks = Checks::default();
        let id = id(&mut checks, "id", NodeType::Evaluation, &self.id);
        if self.error_message.trim().is_empty() {
            checks.fault("errorMessage", "must not be blank");
        }
        checks.finish()?;
        let evaluation = EvaluationChange { id, place: ID_PLACE, columns };
        Ok(FailEvaluation { evaluation, error_message: self.error_message })
    }
}
