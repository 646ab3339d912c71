//! Changing runs.

use async_graphql::{Context, ID, Object, SimpleObject};

use super::{INPUT, perform};
use crate::db::columns::ColumnSet;
use crate::graphql::connection::GraphNode as _;
use crate::graphql::error::ApiError;
use crate::graphql::global_id::NodeType;
use crate::graphql::inputs::StartRunInput;
use crate::graphql::selection;
use crate::graphql::types::{Run, int};
use crate::writes::runs::{DeleteRun, FinishRun, SetRunBaseline};

/// The name of the argument that says which run is to be changed.
const ID_ARGUMENT: &str = "id";

/// The run that was stored.
#[derive(SimpleObject)]
pub struct RunPayload {
    /// The run as it is stored now.
    run: Run,
}

/// What was removed with a run.
#[derive(SimpleObject)]
pub struct DeleteRunPayload {
    /// The id that the run had.
    deleted_id: ID,
    /// How many evaluations were removed with it.
    evaluations: i32,
    /// How many test results were removed with those.
    test_results: i32,
}

/// Changes of runs.
#[derive(Default)]
pub struct RunMutations;

fn columns(context: &Context<'_>) -> ColumnSet {
    selection::of_member(context, "run", Run::COLUMNS)
}

#[Object]
impl RunMutations {
    /// Stores a new run, which is RUNNING. It belongs to the viewer.
    async fn start_run(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The run.")] input: StartRunInput,
    ) -> Result<RunPayload, ApiError> {
        let write = input.read(columns(context)).map_err(|refusal| ApiError::refused(INPUT, refusal))?;
        Ok(RunPayload { run: Run::new(perform(context, INPUT, write).await?) })
    }

    /// Says that an open run has ended. All of its evaluations must have ended before: with one that is open it is a
    /// `CONFLICT`. The run is FAILED when it has evaluations and all of them are, else COMPLETED.
    async fn finish_run(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The run's id.")] id: ID,
    ) -> Result<RunPayload, ApiError> {
        let id = NodeType::Run.decode(&id, ID_ARGUMENT)?.into();
        let write = FinishRun { id, columns: columns(context) };
        Ok(RunPayload { run: Run::new(perform(context, ID_ARGUMENT, write).await?) })
    }

    /// Says whether other runs are compared with this one, in whatever state it is. There may be several such runs.
    async fn set_run_baseline(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The run's id.")] id: ID,
        #[graphql(desc = "Whether others are compared with it.")] is_baseline: bool,
    ) -> Result<RunPayload, ApiError> {
        let id = NodeType::Run.decode(&id, ID_ARGUMENT)?.into();
        let write = SetRunBaseline { id, is_baseline, columns: columns(context) };
        Ok(RunPayload { run: Run::new(perform(context, ID_ARGUMENT, write).await?) })
    }

    /// Removes a run with its evaluations and their test results, for good and in whatever state it is. The prompts stay.
    async fn delete_run(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The run's id.")] id: ID,
    ) -> Result<DeleteRunPayload, ApiError> {
        let run_id = NodeType::Run.decode(&id, ID_ARGUMENT)?.into();
        let deleted = perform(context, ID_ARGUMENT, DeleteRun { id: run_id }).await?;
        Ok(DeleteRunPayload {
            deleted_id: id,
            evaluations: i32::try_from(deleted.evaluations).unwrap_or(i32::MAX),
            test_results: int(deleted.test_results, "DeleteRunPayload.testResults")?,
        })
    }
}
