//! Beginning a run.

use std::sync::Arc;

use serde_json::Value;

use super::{changed, read_back};
use crate::db::DbConnection;
use crate::db::changes::Changes;
use crate::db::columns::ColumnSet;
use crate::db::runs::{self, NewRun, RunContent, RunRow};
use crate::db::types::Json;
use crate::domain::{EvaluationStatus, Principal, RunId, RunSource, Timestamp, same_json};
use crate::writes::{Fault, Outcome, Refusal, RefusalKind, Write};

/// Stores a run that is running, which belongs to the principal. One that they have under the same external id, with the
/// same content, is left as it is.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the fields are those of `RunRow`")]
pub struct StartRun {
    pub name: String,
    pub description: Option<String>,
    pub external_id: Option<String>,
    pub tags: Json,
    pub git: Option<Json>,
    pub metadata: Json,
    /// The wide columns that are wanted of the stored row.
    pub columns: ColumnSet,
}

impl Write for StartRun {
    type Output = Arc<RunRow>;

    async fn run(&self, connection: &mut DbConnection, principal: &Principal) -> Outcome<Arc<RunRow>> {
        let row = self.row(principal);
        let id = row.id;
        if runs::insert_unless_known(connection, row).await? {
            return changed(connection, principal, id, self.columns).await;
        }
        let external_id = self.external_id.as_deref().unwrap_or_default();
        let known = runs::find_imported(connection, &principal.user_id, RunSource::Api, external_id).await?;
        let known = known.ok_or(diesel::result::Error::NotFound)?;
        if !self.is_content_of(&runs::content(connection, known).await?) {
            let problem = format!("«{external_id}» is the externalId of another run of yours, which differs");
            return Err(Refusal::of(RefusalKind::Conflict, Fault::new(".externalId", problem)).into());
        }
        Ok((read_back(connection, principal, known, self.columns).await?, Changes::default()))
    }
}

impl StartRun {
    fn is_content_of(&self, known: &RunContent) -> bool {
        let read = |json: &Json| serde_json::from_str::<Value>(json.as_str()).unwrap_or_default();
        let same = |one: &Json, other: &Json| same_json(&read(one), &read(other));
        let same_git = match (&self.git, &known.git) {
            (Some(one), Some(other)) => same(one, other),
            (one, other) => one.is_none() && other.is_none(),
        };
        self.name == known.name
            && self.description == known.description
            && same_git
            && same(&self.tags, &known.tags)
            && same(&self.metadata, &known.metadata)
    }

    fn row(&self, principal: &Principal) -> NewRun {
        let now = Timestamp::now();
        NewRun {
            id: RunId::generate(),
            user_id: principal.user_id.to_string(),
            external_id: self.external_id.clone(),
            source: RunSource::Api,
            source_version: None,
            name: self.name.clone(),
            description: self.description.clone(),
            tags: self.tags.clone(),
            config: Json::empty_object(),
            git: self.git.clone(),
            metadata: self.metadata.clone(),
            status: EvaluationStatus::Running,
            is_baseline: false,
            declared: Json::empty_object(),
            duration_ms: None,
            created_at: now,
            started_at: Some(now),
            completed_at: None,
            updated_at: now,
        }
    }
}
