//! The fields of the root that change something: one file for each type of object.

mod api_tokens;
mod evaluations;
mod prompts;
mod runs;
mod templates;

use async_graphql::{Context, MergedObject};

use self::api_tokens::ApiTokenMutations;
use self::evaluations::EvaluationMutations;
use self::prompts::PromptMutations;
use self::runs::RunMutations;
use self::templates::TemplateMutations;
use super::ServiceLimits;
use super::error::ApiError;
use super::scope::scope;
use crate::writes::Write;

/// The name of the argument that says what is to be stored.
const INPUT: &str = "input";

/// What can be changed. Each field is a transaction of its own: all that it asks for is stored, or nothing. Fields of one
/// operation are executed one after the other, and a change that has begun is made even when the client does not wait for
/// it. An object that belongs to somebody else is as one that does not exist.
#[derive(MergedObject, Default)]
pub struct Mutation(PromptMutations, TemplateMutations, RunMutations, EvaluationMutations, ApiTokenMutations);

/// The items of a list, if they are not too many for one call.
fn items<T>(context: &Context<'_>, argument: &'static str, items: Vec<T>) -> Result<Vec<T>, ApiError> {
    let limit = context.data_unchecked::<ServiceLimits>().max_bulk_items;
    if items.len() > limit as usize {
        return Err(ApiError::TooManyItems { argument, items: items.len(), limit });
    }
    Ok(items)
}

/// Makes a change, which `argument` describes. The audit log knows it by the name of the field.
async fn perform<W: Write>(context: &Context<'_>, argument: &'static str, write: W) -> Result<W::Output, ApiError> {
    scope(context).write(&context.item.node.name.node, argument, write).await
}
