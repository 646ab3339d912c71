//! Changes of templates, which belong to everybody.

mod create;
mod instantiate;
mod update;

use std::sync::Arc;

use diesel::result::Error as DieselError;

pub use create::CreateTemplate;
pub use instantiate::InstantiateTemplate;
pub use update::UpdateTemplate;

use super::{Fault, Refusal, RefusalKind};
use crate::db::DbConnection;
use crate::db::columns::ColumnSet;
use crate::db::entity::Entity as _;
use crate::db::error::violated_constraint;
use crate::db::templates::{self, StoredTemplate, TemplateRow, Templates};
use crate::db::transaction::Aborted;
use crate::domain::{Principal, TemplateId};

/// What keeps names of templates unique.
const NAME_INDEX: &str = "prompt_templates_name_key";

/// The template as it is stored now. It was written in the same transaction.
async fn read_back(
    connection: &mut DbConnection,
    principal: &Principal,
    id: TemplateId,
    columns: ColumnSet,
) -> Result<Arc<TemplateRow>, Aborted<Refusal>> {
    let rows = Templates::by_ids(connection, principal, vec![id.into()], columns).await?;
    Ok(rows.into_iter().next().ok_or(DieselError::NotFound)?)
}

/// The template as it is stored, which nobody else changes until the end of the transaction.
async fn find_for_change(
    connection: &mut DbConnection,
    id: TemplateId,
    place: &str,
) -> Result<StoredTemplate, Aborted<Refusal>> {
    let missing = || Refusal::of(RefusalKind::NotFound, Fault::new(place, "there is no such template")).into();
    templates::lock(connection, id).await?.ok_or_else(missing)
}

/// Makes sure that no other template than `own` has the name. One that gets it at the same time is found out by the index.
async fn check_name(
    connection: &mut DbConnection,
    name: &str,
    own: Option<TemplateId>,
) -> Result<(), Aborted<Refusal>> {
    let found = templates::by_name(connection, name, ColumnSet::NONE).await?;
    if found.is_some_and(|row| Some(row.id) != own) { Err(taken().into()) } else { Ok(()) }
}

fn taken() -> Refusal {
    Refusal::of(RefusalKind::Conflict, Fault::new(".name", "is the name of another template: choose another"))
}

fn name_is_taken(error: DieselError) -> Aborted<Refusal> {
    match violated_constraint(&error) {
        Some(NAME_INDEX) => taken().into(),
        _ => error.into(),
    }
}
