//! Changing evaluations and recording their results.

use async_graphql::{Context, ID, Object, SimpleObject};

use super::{INPUT, items, perform};
use crate::db::columns::ColumnSet;
use crate::graphql::connection::GraphNode as _;
use crate::graphql::error::ApiError;
use crate::graphql::global_id::NodeType;
use crate::graphql::inputs::{
    CompleteEvaluationInput, CreateEvaluationInput, CreatePromptInput, FailEvaluationInput, TestResultInput,
    optional_text,
};
use crate::graphql::selection;
use crate::graphql::types::Evaluation;
use crate::writes::evaluations::{CreatePromptWithEvaluation, EvaluationChange, RecordTestResults, StartEvaluation};
use crate::writes::{Checks, Refusal};

/// The names of the arguments that say what is to be changed.
const ID_ARGUMENT: &str = "id";
const EVALUATION_ID: &str = "evaluationId";
const RESULTS: &str = "results";
const PROMPT: &str = "prompt";
/// Where there are several such arguments, faults name theirs themselves.
const SEVERAL: &str = "";

/// The evaluation that was stored.
#[derive(SimpleObject)]
pub struct EvaluationPayload {
    /// The evaluation as it is stored now.
    evaluation: Evaluation,
}

/// The evaluation whose results were recorded.
#[derive(SimpleObject)]
pub struct RecordTestResultsPayload {
    /// The evaluation as it is stored now, with the totals of all its results.
    evaluation: Evaluation,
    /// How many results were added. Those that were recorded before, and repetitions in the list, are not counted.
    recorded: i32,
}

/// Changes of evaluations.
#[derive(Default)]
pub struct EvaluationMutations;

fn columns(context: &Context<'_>) -> ColumnSet {
    selection::of_member(context, "evaluation", Evaluation::COLUMNS)
}

fn in_input(refusal: Refusal) -> ApiError {
    ApiError::refused(INPUT, refusal)
}

#[Object]
impl EvaluationMutations {
    /// Registers an evaluation of a prompt version, which is PENDING. It belongs to the owner of the prompt.
    async fn create_evaluation(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The evaluation.")] input: CreateEvaluationInput,
    ) -> Result<EvaluationPayload, ApiError> {
        let write = input.read(columns(context)).map_err(in_input)?;
        Ok(EvaluationPayload { evaluation: Evaluation::new(perform(context, INPUT, write).await?) })
    }

    /// Stores a new prompt of the viewer's, as `createPrompt` does, and registers an evaluation of it, as `createEvaluation`
    /// does: both, or neither.
    async fn create_prompt_with_evaluation(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The prompt.")] prompt: CreatePromptInput,
        #[graphql(desc = "Who runs the model: 1 to 255 characters.")] provider: Option<String>,
        #[graphql(desc = "The model: 1 to 255 characters.")] model: Option<String>,
        #[graphql(desc = "The set of test cases, as the client names it: 1 to 255 characters.")] test_suite_id: Option<
            String,
        >,
    ) -> Result<EvaluationPayload, ApiError> {
        let mut checks = Checks::default();
        for (name, value) in [("provider", &provider), ("model", &model), ("testSuiteId", &test_suite_id)] {
            optional_text(&mut checks, name, value.as_deref());
        }
        let evaluation = checks.finish().map_err(|refusal| refusal.of_arguments());
        // The prompt's fields are read into the evaluation: of the prompt itself nothing wide is wanted.
        let prompt = prompt.read(ColumnSet::NONE).map_err(|refusal| refusal.within(PROMPT));
        let prompt = match (prompt, evaluation) {
            (Ok(prompt), Ok(())) => prompt,
            (Err(one), Err(other)) => return Err(ApiError::refused(SEVERAL, one.and(other))),
            (Err(refusal), Ok(())) | (Ok(_), Err(refusal)) => return Err(ApiError::refused(SEVERAL, refusal)),
        };
        let write = CreatePromptWithEvaluation { prompt, provider, model, test_suite_id, columns: columns(context) };
        // What the store refuses is the prompt: nothing else can be in the way.
        Ok(EvaluationPayload { evaluation: Evaluation::new(perform(context, PROMPT, write).await?) })
    }

    /// Says that a PENDING evaluation has begun.
    async fn start_evaluation(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The evaluation's id.")] id: ID,
    ) -> Result<EvaluationPayload, ApiError> {
        let id = NodeType::Evaluation.decode(&id, ID_ARGUMENT)?.into();
        let write = StartEvaluation(EvaluationChange { id, place: "", columns: columns(context) });
        Ok(EvaluationPayload { evaluation: Evaluation::new(perform(context, ID_ARGUMENT, write).await?) })
    }

    /// Adds test results to an evaluation that is RUNNING, or PENDING: then it has begun. All of them are recorded, or
    /// none. At most `maxBulkItems` results, in a request of at most `maxBulkBodyBytes` (see `serviceConfig`); an empty list
    /// changes nothing.
    async fn record_test_results(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The evaluation's id.")] evaluation_id: ID,
        #[graphql(desc = "The results, in the order of the tests.")] results: Vec<TestResultInput>,
    ) -> Result<RecordTestResultsPayload, ApiError> {
        let id = NodeType::Evaluation.decode(&evaluation_id, EVALUATION_ID)?.into();
        let results = TestResultInput::read_all(items(context, RESULTS, results)?)
            .map_err(|refusal| ApiError::refused(RESULTS, refusal))?;
        let evaluation = EvaluationChange { id, place: EVALUATION_ID, columns: columns(context) };
        let recorded = perform(context, SEVERAL, RecordTestResults { evaluation, results }).await?;
        Ok(RecordTestResultsPayload {
            evaluation: Evaluation::new(recorded.evaluation),
            recorded: i32::try_from(recorded.recorded).unwrap_or(i32::MAX),
        })
    }

    /// Says that all results of a RUNNING evaluation are recorded.
    async fn complete_evaluation(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The evaluation, and what it came to.")] input: CompleteEvaluationInput,
    ) -> Result<EvaluationPayload, ApiError> {
        let write = input.read(columns(context)).map_err(in_input)?;
        Ok(EvaluationPayload { evaluation: Evaluation::new(perform(context, INPUT, write).await?) })
    }

    /// Gives up an evaluation that is PENDING or RUNNING. Its results stay.
    async fn fail_evaluation(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The evaluation, and why it is given up.")] input: FailEvaluationInput,
    ) -> Result<EvaluationPayload, ApiError> {
        let write = input.read(columns(context)).map_err(in_input)?;
        Ok(EvaluationPayload { evaluation: Evaluation::new(perform(context, INPUT, write).await?) })
    }
}
