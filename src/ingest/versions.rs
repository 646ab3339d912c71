//! The prompt versions of an import: those that are there, and the next ones of their lineages.

use std::collections::HashMap;

use diesel::result::QueryResult;

use super::{ImportedPrompt, ImportedRun};
use crate::db::prompts::{NamedVersion, NewPrompt, versions_by_names};
use crate::db::types::Json;
use crate::db::{DbConnection, insert};
use crate::domain::{PromptId, PromptStatus, Timestamp};

/// The versions that the prompts of a run became.
#[derive(Debug)]
pub(super) struct ResolvedPrompts {
    /// By index into the run's prompts.
    pub ids: HashMap<usize, PromptId>,
    /// Lineages that were begun.
    pub new_lineages: usize,
    /// The versions that were stored.
    pub stored: Vec<PromptId>,
}

/// Finds the versions of the run's prompts at these indices and stores those that are missing.
pub(super) async fn resolve_prompts(
    connection: &mut DbConnection,
    run: &ImportedRun,
    used: &[usize],
    user_id: &str,
    now: Timestamp,
) -> QueryResult<ResolvedPrompts> {
    let mut indices = used.to_vec();
    indices.sort_unstable();
    indices.dedup();
    let used: Vec<_> = indices.iter().filter_map(|&index| Some((index, run.prompts.get(index)?))).collect();
    let mut lineages = if used.is_empty() {
        Lineages::default()
    } else {
        let names = used.iter().map(|(_, prompt)| prompt.name.clone()).collect();
        Lineages::new(versions_by_names(connection, user_id, names).await?)
    };
    let (mut ids, mut rows) = (HashMap::new(), Vec::new());
    for (index, prompt) in used {
        let id = lineages.find(prompt).unwrap_or_else(|| {
            let row = lineages.next_version(prompt, user_id, run.started_at, now);
            let id = row.id;
            rows.push(row);
            id
        });
        ids.insert(index, id);
    }
    let new_lineages = rows.iter().filter(|row| row.id == row.root_id).count();
    let stored = rows.iter().map(|row| row.id).collect();
    insert::prompts(connection, rows).await?;
    Ok(ResolvedPrompts { ids, new_lineages, stored })
}

/// The versions of lineages by name, older before newer.
#[derive(Default)]
struct Lineages(HashMap<String, Vec<NamedVersion>>);

impl Lineages {
    fn new(versions: Vec<NamedVersion>) -> Self {
        let mut lineages: HashMap<_, Vec<_>> = HashMap::new();
        for version in versions {
            lineages.entry(version.name.clone().unwrap_or_default()).or_default().push(version);
        }
        Self(lineages)
    }

    /// The newest version that says the same. Deleted ones are not shown to anybody, and so are no choice.
    fn find(&self, prompt: &ImportedPrompt) -> Option<PromptId> {
        let is_same =
            |version: &&NamedVersion| version.content_hash == prompt.content_hash && version.deleted_at.is_none();
        self.0.get(&prompt.name)?.iter().rfind(is_same).map(|version| version.id)
    }

    /// The version that comes after the newest, which is deleted or not, or the first one.
    fn next_version(&mut self, prompt: &ImportedPrompt, user_id: &str, run_at: Timestamp, now: Timestamp) -> NewPrompt {
        let id = PromptId::generate();
        let versions = self.0.entry(prompt.name.clone()).or_default();
        let newest = versions.last();
        let next = NamedVersion {
            id,
            name: Some(prompt.name.clone()),
            root_id: newest.map_or(id, |newest| newest.root_id),
            version: newest.map_or(1, |newest| newest.version.saturating_add(1)),
            content_hash: prompt.content_hash.clone(),
            // Runs may be imported in any order: a version is not older than the one before it.
            created_at: newest.map_or(run_at, |newest| newest.created_at.max(run_at)),
            deleted_at: None,
        };
        let row = new_prompt(prompt, &next, newest.map(|newest| newest.id), user_id, now);
        versions.push(next);
        row
    }
}

fn new_prompt(
    prompt: &ImportedPrompt,
    version: &NamedVersion,
    parent_id: Option<PromptId>,
    user_id: &str,
    now: Timestamp,
) -> NewPrompt {
    NewPrompt {
        id: version.id,
        user_id: user_id.to_owned(),
        name: version.name.clone(),
        title: prompt.title.clone(),
        description: None,
        content: prompt.content.clone(),
        content_hash: version.content_hash.clone(),
        format: prompt.format,
        system_message: prompt.system_message.clone(),
        tags: Json::from(serde_json::Value::Array(Vec::new())),
        metadata: serde_json::Value::Object(prompt.metadata.clone()).into(),
        version: version.version,
        parent_id,
        root_id: version.root_id,
        template_id: None,
        status: PromptStatus::Active,
        created_at: version.created_at,
        updated_at: now,
    }
}
