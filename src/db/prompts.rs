//! Prompt versions.

mod lineages;
mod marks;
mod names;
mod owners;
mod stored;
mod texts;

use std::sync::Arc;

use diesel::dsl::{exists, not};
use diesel::prelude::*;
use diesel::result::QueryResult;
use diesel::sql_types::Untyped;
use diesel_async::RunQueryDsl;
use futures_util::future::BoxFuture;

use super::backend::on_backend;
use super::columns::{ColumnSet, one_shared, row};
use super::conditions::Conditions;
use super::connection::DbConnection;
use super::entity::entity;
use super::lists::{any_text, contains_all};
use super::raw::Raw;
use super::schema::prompts;
use super::search::contains;
use super::types::Json;
use crate::domain::{
    Principal, PromptFormat, PromptId, PromptOrderField, PromptStatus, SearchTerms, TemplateId, Timestamp,
};

pub use lineages::{
    NewestVersion, lock_against_evaluations, lock_lineages, newest_version, owned_by_ids, rename_lineage,
};
pub use marks::{set_deleted, set_status};
pub use names::{live_names, lock_names};
pub use owners::owner_for_evaluation;
pub use stored::{MarkedPrompt, StoredPrompt, marked, stored};
pub use texts::{PromptTexts, replace_texts};

row! {
    /// One version of a prompt.
    pub struct PromptRow of prompts {
        /// Its id.
        id: PromptId,
        /// What people call it.
        title: String,
        /// When it was created.
        created_at: Timestamp,
        /// When it was last changed.
        updated_at: Timestamp,
    }
    on demand prompt_columns {
        /// Its owner.
        user_id / USER_ID: String,
        /// The stable name of the lineage.
        name / NAME: String,
        /// SHA-256 of format, content and system message, in hexadecimal.
        content_hash / CONTENT_HASH: String,
        /// How the content is to be read.
        format / FORMAT: PromptFormat,
        /// Counted from 1 within the lineage.
        version / VERSION: i32,
        /// The version it was made from.
        parent_id / PARENT_ID: PromptId,
        /// The first version of the lineage.
        root_id / ROOT_ID: PromptId,
        /// The template it was made from.
        template_id / TEMPLATE_ID: TemplateId,
        /// Where it is in its life.
        status / STATUS: PromptStatus,
        /// When it was deleted, if it was.
        deleted_at / DELETED_AT: Timestamp,
        /// What it is for.
        description / DESCRIPTION: String,
        /// The text.
        content / CONTENT: String,
        /// The system message, for models that take one beside the content.
        system_message / SYSTEM_MESSAGE: String,
        /// A JSON array of texts.
        tags / TAGS: Json,
        /// A JSON object.
        metadata / METADATA: Json,
    }
}

/// A prompt version to be stored.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = prompts, treat_none_as_default_value = false)]
#[allow(missing_docs, reason = "the fields are those of `PromptRow`")]
pub struct NewPrompt {
    pub id: PromptId,
    pub user_id: String,
    pub name: Option<String>,
    pub title: String,
    pub description: Option<String>,
    pub content: String,
    pub content_hash: String,
    pub format: PromptFormat,
    pub system_message: Option<String>,
    pub tags: Json,
    pub metadata: Json,
    pub version: i32,
    pub parent_id: Option<PromptId>,
    pub root_id: PromptId,
    pub template_id: Option<TemplateId>,
    pub status: PromptStatus,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Which prompts of a list are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct PromptFilter {
    /// Only those of this user.
    pub user_id: Option<String>,
    /// Only those in one of these states.
    pub status: Option<Vec<PromptStatus>>,
    /// Only the lineage of this name or, when it ends in `/`, all in that folder.
    pub name: Option<String>,
    /// Only those that have all of these tags.
    pub tags: Option<Vec<String>>,
    /// Only those for which no newer version exists.
    pub latest_version_only: bool,
    /// Only those that have all of these words.
    pub search: Option<SearchTerms>,
    /// Only those created at this time or later.
    pub created_after: Option<Timestamp>,
    /// Only those created before this time.
    pub created_before: Option<Timestamp>,
    /// Deleted ones too.
    pub include_deleted: bool,
}

/// The lists of prompts under a parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PromptParent {
    /// The versions made from a version.
    Parent,
    /// All versions of a lineage, by its first.
    Root,
    /// The prompts made from a template.
    Template,
}

/// The table of prompts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Prompts;

entity!(Prompts, prompts, PromptRow, PromptFilter, PromptOrderField {
    CreatedAt => created_at: Time,
    UpdatedAt => updated_at: Time,
    Title => title: Text,
}, PromptParent {
    Parent => parent_id,
    Root => root_id,
    Template => template_id,
});

type PromptConditions = Conditions<prompts::table>;

fn owned(principal: &Principal) -> PromptConditions {
    let mut conditions = PromptConditions::default();
    if !principal.is_admin {
        conditions.require(prompts::user_id.eq(principal.user_id.to_string()));
    }
    conditions
}

pub(super) fn visible(principal: &Principal) -> PromptConditions {
    let mut conditions = owned(principal);
    conditions.require(prompts::deleted_at.is_null());
    conditions
}

fn matching(principal: &Principal, filter: &PromptFilter) -> PromptConditions {
    let mut conditions = if filter.include_deleted { owned(principal) } else { visible(principal) };
    conditions.require_if(filter.user_id.clone(), |user| prompts::user_id.eq(user));
    match filter.status.as_deref() {
        // The usual case, in the form that an index on the status serves in order.
        Some(&[status]) => conditions.require(prompts::status.eq(status)),
        Some(statuses) => conditions.require(any_text(prompts::status, statuses.iter().map(|status| status.as_str()))),
        None => {}
    }
    if let Some(name) = &filter.name {
        match name.strip_suffix('/') {
            // Names are ordered by code point, and `0` follows `/`: the folder is a range of the index.
            Some(folder) => {
                conditions.require_unforeseeable(prompts::name.ge(name.clone()));
                conditions.require_unforeseeable(prompts::name.lt(format!("{folder}0")));
            }
            None => conditions.require(prompts::name.eq(name.clone())),
        }
    }
    if let Some(tags) = &filter.tags {
        conditions.require_unforeseeable(contains_all(prompts::tags, tags));
    }
    if let Some(search) = &filter.search {
        conditions.require_unforeseeable(contains(search));
    }
    if filter.latest_version_only {
        let newer = diesel::alias!(prompts as newer_version);
        let newer_versions = newer
            .filter(newer.field(prompts::root_id).eq(prompts::root_id))
            .filter(newer.field(prompts::version).gt(prompts::version))
            .select(newer.field(prompts::id));
        if filter.include_deleted {
            conditions.require(not(exists(newer_versions)));
        } else {
            conditions.require(not(exists(newer_versions.filter(newer.field(prompts::deleted_at).is_null()))));
        }
    }
    if let Some(time) = filter.created_after {
        conditions.require_unforeseeable(prompts::created_at.ge(time));
    }
    if let Some(time) = filter.created_before {
        conditions.require_unforeseeable(prompts::created_at.lt(time));
    }
    conditions
}

/// The version of the named lineage, or its newest. The principal's own lineage goes before those of others.
///
/// # Errors
/// When the statement fails.
pub async fn by_name(
    connection: &mut DbConnection,
    principal: &Principal,
    name: &str,
    version: Option<i32>,
    columns: ColumnSet,
) -> QueryResult<Option<Arc<PromptRow>>> {
    let mut conditions = visible(principal);
    conditions.require(prompts::name.eq(name.to_owned()));
    conditions.require_if(version, |version| prompts::version.eq(version));
    let own = prompts::user_id.eq(principal.user_id.to_string());
    let statement: Raw<Untyped> = Raw::new("SELECT ")
        .fragment(selection(columns))
        .sql(" FROM prompts WHERE ")
        .fragment(conditions)
        .sql(" ORDER BY ")
        .fragment(own)
        .sql(" DESC, prompts.version DESC, prompts.id DESC LIMIT 1");
    on_backend!(connection, |inner| statement.load(inner).await).map(one_shared)
}

/// A version of a named lineage, as far as making the next one needs it.
#[derive(Debug, Clone, Queryable)]
pub struct NamedVersion {
    /// Its id.
    pub id: PromptId,
    /// The name of the lineage.
    pub name: Option<String>,
    /// The first version of the lineage.
    pub root_id: PromptId,
    /// Counted from 1 within the lineage.
    pub version: i32,
    /// SHA-256 of format, content and system message, in hexadecimal.
    pub content_hash: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was deleted, if it was.
    pub deleted_at: Option<Timestamp>,
}

/// All versions, deleted or not, of the owner's lineages with these names, older before newer. A lineage of which
/// everything is deleted has given its name up.
///
/// # Errors
/// When the statement fails.
pub async fn versions_by_names(
    connection: &mut DbConnection,
    user_id: &str,
    names: Vec<String>,
) -> QueryResult<Vec<NamedVersion>> {
    let named = diesel::alias!(prompts as named);
    let roots = named
        .filter(named.field(prompts::user_id).eq(user_id.to_owned()))
        .filter(any_text(named.field(prompts::name), names))
        .filter(named.field(prompts::deleted_at).is_null())
        .select(named.field(prompts::root_id));
    let statement =
        prompts::table.filter(prompts::root_id.eq_any(roots)).order((prompts::version, prompts::id)).select((
            prompts::id,
            prompts::name,
            prompts::root_id,
            prompts::version,
            prompts::content_hash,
            prompts::created_at,
            prompts::deleted_at,
        ));
    on_backend!(connection, |inner| statement.load(inner).await)
}
