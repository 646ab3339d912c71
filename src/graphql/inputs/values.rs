//! Reading the values of inputs.

use async_graphql::{ID, MaybeUndefined};
use uuid::Uuid;

use crate::db::types::Json;
use crate::domain::PromptId;
use crate::graphql::global_id::NodeType;
use crate::graphql::scalars::JsonScalar;
use crate::writes::{Change, Checks, Refusal};

/// What becomes of a value that may be missing: null clears it.
pub fn optional<T>(given: MaybeUndefined<T>) -> Change<Option<T>> {
    match given {
        MaybeUndefined::Undefined => Change::Keep,
        MaybeUndefined::Null => Change::To(None),
        MaybeUndefined::Value(value) => Change::To(Some(value)),
    }
}

/// What becomes of a value that has to be there: null is a fault.
pub fn required<T>(checks: &mut Checks, field: &str, given: MaybeUndefined<T>) -> Change<T> {
    match given {
        MaybeUndefined::Undefined => Change::Keep,
        MaybeUndefined::Null => {
            checks.fault(field, "must not be null: leave it out to keep what is stored");
            Change::Keep
        }
        MaybeUndefined::Value(value) => Change::To(value),
    }
}

/// A JSON object of something new, empty where there is none.
pub fn object(checks: &mut Checks, field: &str, given: Option<JsonScalar>) -> Json {
    let json = given.map_or_else(Json::empty_object, |JsonScalar(json)| json);
    checks.object(field, &json);
    json
}

/// The row that an id means. One that means none is a fault, and leads nowhere.
pub fn id<I: From<Uuid>>(checks: &mut Checks, field: &str, node_type: NodeType, id: &ID) -> I {
    let uuid = node_type.read(id).unwrap_or_else(|problem| {
        checks.fault(field, problem);
        Uuid::nil()
    });
    uuid.into()
}

/// The prompts that a list of ids means.
///
/// # Errors
/// With all that are no ids of prompts.
pub fn prompt_ids(ids: &[ID]) -> Result<Vec<PromptId>, Refusal> {
    let mut checks = Checks::default();
    let mut prompts = Vec::with_capacity(ids.len());
    for (index, given) in ids.iter().enumerate() {
        checks.item(index);
        prompts.push(id(&mut checks, "", NodeType::Prompt, given));
    }
    checks.finish()?;
    Ok(prompts)
}

/// A text of 1 to 255 characters, if there is one.
pub fn optional_text(checks: &mut Checks, field: &str, given: Option<&str>) {
    if let Some(text) = given {
        checks.short_text(field, text);
    }
}
