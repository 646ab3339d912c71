//! Changing a template.

use std::sync::Arc;

use super::{check_name, find_for_change, name_is_taken, read_back};
use crate::db::DbConnection;
use crate::db::changes::Changes;
use crate::db::columns::ColumnSet;
use crate::db::templates::{self, StoredTemplate, TemplateRow, TemplateTexts};
use crate::db::types::Json;
use crate::domain::{Principal, TemplateId, Timestamp};
use crate::writes::{Change, Outcome, Write};

/// Changes a template. Prompts that were made from it stay as they are.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the fields are those of `TemplateRow`")]
pub struct UpdateTemplate {
    pub id: TemplateId,
    pub name: Change<String>,
    pub description: Change<Option<String>>,
    pub template: Change<String>,
    pub variables: Change<Json>,
    pub category: Change<String>,
    /// The columns that are wanted of the stored row.
    pub columns: ColumnSet,
}

impl Write for UpdateTemplate {
    type Output = Arc<TemplateRow>;

    async fn run(&self, connection: &mut DbConnection, principal: &Principal) -> Outcome<Arc<TemplateRow>> {
        let row = find_for_change(connection, self.id, ".id").await?;
        let texts = self.applied_to(&row);
        let mut changes = Changes::default();
        if is_changed(&row, &texts) {
            if texts.name != row.name {
                check_name(connection, &texts.name, Some(self.id)).await?;
            }
            templates::replace(connection, self.id, texts).await.map_err(name_is_taken)?;
            changes.templates.push(self.id);
        }
        let row = read_back(connection, principal, self.id, self.columns).await?;
        Ok((row, changes))
    }
}

impl UpdateTemplate {
    fn applied_to(&self, row: &StoredTemplate) -> TemplateTexts {
        let mut texts = TemplateTexts::of(row);
        self.name.apply(&mut texts.name);
        self.description.apply(&mut texts.description);
        self.template.apply(&mut texts.template);
        self.variables.apply(&mut texts.variables);
        self.category.apply(&mut texts.category);
        texts.updated_at = Timestamp::now().max(row.updated_at.next());
        texts
    }
}

fn is_changed(row: &StoredTemplate, texts: &TemplateTexts) -> bool {
    let old = TemplateTexts { updated_at: texts.updated_at, ..TemplateTexts::of(row) };
    let is_other_document = old.variables.differs_from(&texts.variables);
    is_other_document || TemplateTexts { variables: texts.variables.clone(), ..old } != *texts
}
