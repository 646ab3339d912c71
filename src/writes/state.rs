//! States that do not allow a change.

use super::{Fault, Refusal, RefusalKind};
use crate::domain::EvaluationStatus;

/// The name of a state, as clients write it.
pub(super) fn state_name(status: EvaluationStatus) -> String {
    status.as_str().to_uppercase()
}

/// Why something in this state is not changed: `deed` is what only one in a state `allowed` can be.
pub(super) fn wrong_state(
    place: &str,
    object: &str,
    status: EvaluationStatus,
    deed: &str,
    allowed: &[EvaluationStatus],
) -> Refusal {
    let state = state_name(status);
    let allowed: Vec<_> = allowed.iter().map(|&status| state_name(status)).collect();
    let problem = format!("the {object} is {state}: only one that is {} can be {deed}", allowed.join(" or "));
    Refusal::of(RefusalKind::Conflict, Fault { current: Some(state.into()), ..Fault::new(place, problem) })
}
