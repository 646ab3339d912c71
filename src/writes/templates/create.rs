//! Storing a new template.

use std::sync::Arc;

use super::{check_name, name_is_taken, read_back};
use crate::db::changes::Changes;
use crate::db::columns::ColumnSet;
use crate::db::templates::{NewTemplate, TemplateRow};
use crate::db::types::Json;
use crate::db::{DbConnection, insert};
use crate::domain::{Principal, TemplateId, Timestamp};
use crate::writes::{Outcome, Write};

/// Stores a template that nobody has used yet.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the fields are those of `TemplateRow`")]
pub struct CreateTemplate {
    pub name: String,
    pub description: Option<String>,
    pub template: String,
    pub variables: Json,
    pub category: String,
    /// The columns that are wanted of the stored row.
    pub columns: ColumnSet,
}

impl Write for CreateTemplate {
    type Output = Arc<TemplateRow>;

    async fn run(&self, connection: &mut DbConnection, principal: &Principal) -> Outcome<Arc<TemplateRow>> {
        check_name(connection, &self.name, None).await?;
        let (id, now) = (TemplateId::generate(), Timestamp::now());
        let row = NewTemplate {
            id,
            name: self.name.clone(),
            description: self.description.clone(),
            template: self.template.clone(),
            variables: self.variables.clone(),
            category: self.category.clone(),
            usage_count: 0,
            created_at: now,
            updated_at: now,
        };
        insert::templates(connection, vec![row]).await.map_err(name_is_taken)?;
        let row = read_back(connection, principal, id, self.columns).await?;
        Ok((row, Changes { templates: vec![id], ..Changes::default() }))
    }
}
