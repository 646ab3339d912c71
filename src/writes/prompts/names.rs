//! Names of lineages, of which an owner has each once.

use diesel::result::Error as DieselError;

use crate::db::DbConnection;
use crate::db::error::violated_constraint;
use crate::db::prompts;
use crate::db::transaction::Aborted;
use crate::domain::PromptId;
use crate::writes::{Fault, Refusal, RefusalKind};

/// The index that keeps names unique among versions of the same number.
const NAME_INDEX: &str = "prompts_user_name_version";

/// Makes sure that no other lineage of the owner than `root` has the name, and that none gets it before the end of the
/// transaction.
pub(super) async fn claim_name(
    connection: &mut DbConnection,
    user_id: &str,
    name: &str,
    root: Option<PromptId>,
) -> Result<(), Aborted<Refusal>> {
    prompts::lock_names(connection, [(user_id, name)]).await?;
    let takers = prompts::live_names(connection, vec![user_id.to_owned()], vec![name.to_owned()]).await?;
    let is_other = |(_, _, taker): &(String, Option<String>, PromptId)| Some(*taker) != root;
    if takers.iter().any(is_other) { Err(taken().into()) } else { Ok(()) }
}

fn taken() -> Refusal {
    let problem = "is the name of another prompt of the same owner: choose another, or make a version of that prompt";
    Refusal::of(RefusalKind::Conflict, Fault::new(".name", problem))
}

/// An import does not claim the names that it uses: the index tells of one that was faster.
pub(super) fn name_is_taken(error: DieselError) -> Aborted<Refusal> {
    match violated_constraint(&error) {
        Some(NAME_INDEX) => taken().into(),
        _ => error.into(),
    }
}
