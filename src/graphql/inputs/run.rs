//! What is said of runs that are to be stored.

use async_graphql::InputObject;

use super::values::{object, optional_text};
use crate::db::columns::ColumnSet;
use crate::graphql::scalars::JsonScalar;
use crate::writes::runs::StartRun;
use crate::writes::{Checks, Refusal};

/// A run that has begun.
#[derive(InputObject)]
pub struct StartRunInput {
    /// What people call the run: 1 to 255 characters.
    name: String,
    /// What the run is about.
    description: Option<String>,
    /// What the client calls the run: 1 to 255 characters, unique among the runs that its owner started through this API.
    /// If there is one of this name already with the same content, that one is returned and nothing is stored, so that a
    /// request can be repeated; with another content it is a `CONFLICT`.
    external_id: Option<String>,
    /// Labels: a JSON object of texts.
    tags: Option<JsonScalar>,
    /// The state of the code that is tested, such as commit and branch.
    git: Option<JsonScalar>,
    /// Whatever else is to be known about the run: a JSON object.
    metadata: Option<JsonScalar>,
}

impl StartRunInput {
    /// The change that is meant, of which `columns` are wanted in return.
    ///
    /// # Errors
    /// With all that is wrong.
    pub fn read(self, columns: ColumnSet) -> Result<StartRun, Refusal> {
        let mut checks = Checks::default();
        checks.short_text("name", &self.name);
        optional_text(&mut checks, "externalId", self.external_id.as_deref());
        let tags = object(&mut checks, "tags", self.tags);
        checks.texts("tags", &tags);
        let metadata = object(&mut checks, "metadata", self.metadata);
        checks.finish()?;
        Ok(StartRun {
            name: self.name,
            description: self.description,
            external_id: self.external_id,
            tags,
            git: self.git.map(|JsonScalar(git)| git),
            metadata,
            columns,
        })
    }
}
