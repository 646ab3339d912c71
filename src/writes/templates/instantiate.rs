//! Making a prompt from a template.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::find_for_change;
use crate::db::changes::Changes;
use crate::db::columns::ColumnSet;
use crate::db::prompts::PromptRow;
use crate::db::templates::{self, StoredTemplate};
use crate::db::{DbConnection, insert};
use crate::domain::{
    Principal, PromptFormat, PromptStatus, TemplateId, Timestamp, check_content, render_template, shortened,
    template_variables,
};
use crate::writes::prompts::{PromptDraft, read_back};
use crate::writes::{Fault, Outcome, Refusal, RefusalKind, Write};

/// How much of the name of a variable that a template does not have is shown.
const LONGEST_SHOWN: usize = 64;

/// Stores a prompt whose text a template makes, and counts the use of the template.
#[derive(Debug, Clone)]
pub struct InstantiateTemplate {
    /// The template.
    pub id: TemplateId,
    /// What people will call the prompt.
    pub title: String,
    /// The values of the template's variables, by their names.
    pub variables: Map<String, Value>,
    /// Where the prompt is in its life.
    pub status: PromptStatus,
    /// The columns that are wanted of the stored row.
    pub columns: ColumnSet,
}

impl Write for InstantiateTemplate {
    type Output = Arc<PromptRow>;

    async fn run(&self, connection: &mut DbConnection, principal: &Principal) -> Outcome<Arc<PromptRow>> {
        let template = find_for_change(connection, self.id, ".templateId").await?;
        let content = self.content(&template)?;
        let draft = PromptDraft {
            template_id: Some(self.id),
            status: self.status,
            ..PromptDraft::text(self.title.clone(), content)
        };
        let row = draft.first_version(&principal.user_id);
        let id = row.id;
        insert::prompts(connection, vec![row]).await?;
        templates::count_use(connection, self.id, Timestamp::now().max(template.updated_at.next())).await?;
        let row = read_back(connection, principal, id, self.columns).await?;
        Ok((row, Changes { prompts: vec![id], templates: vec![self.id], ..Changes::default() }))
    }
}

impl InstantiateTemplate {
    fn content(&self, row: &StoredTemplate) -> Result<String, Refusal> {
        let template = row.template.as_str();
        let refused = |problem: String| {
            Refusal::of(RefusalKind::Invalid, Fault::new(".templateId", format!("the template {problem}")))
        };
        let mut names = template_variables(template).map_err(|error| refused(format!("is none: {error}")))?;
        names.extend(declared(row));
        self.check_names(&names)?;
        let content = render_template(template, &self.variables).map_err(|error| refused(error.to_string()))?;
        // All of it may depend on the variables.
        check_content(PromptFormat::Text, &content)
            .map_err(|_| refused("makes a blank text of these variables".to_owned()))?;
        Ok(content)
    }

    /// Every variable that the template uses or declares has a value, and there are no others.
    fn check_names(&self, names: &BTreeSet<String>) -> Result<(), Refusal> {
        let missing = names.iter().filter(|name| !self.variables.contains_key(*name));
        let missing = missing.map(|name| fault(name, "is a variable of the template and must have a value"));
        let known = || names.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let unknown = self.variables.keys().filter(|name| !names.contains(*name));
        let unknown = unknown.map(|name| fault(name, &format!("is no variable of the template: it has «{}»", known())));
        let faults: Vec<_> = missing.chain(unknown).collect();
        if faults.is_empty() { Ok(()) } else { Err(Refusal { kind: RefusalKind::Invalid, faults }) }
    }
}

fn fault(name: &str, problem: &str) -> Fault {
    Fault::new(format!(".variables.{}", shortened(name, LONGEST_SHOWN)), problem)
}

/// The variables that the template declares: the names in its object of variables.
fn declared(row: &StoredTemplate) -> Vec<String> {
    match serde_json::from_str(row.variables.as_str()) {
        Ok(Value::Object(variables)) => variables.into_iter().map(|(name, _)| name).collect(),
        _ => Vec::new(),
    }
}
