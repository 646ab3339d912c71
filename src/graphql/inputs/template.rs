//! What is said of templates that are to be stored, or used.

use async_graphql::{ID, InputObject, MaybeUndefined};
use serde_json::{Map, Value};

use super::values::{id, object, optional, required};
use crate::db::columns::ColumnSet;
use crate::db::types::Json;
use crate::domain::PromptStatus;
use crate::graphql::global_id::NodeType;
use crate::graphql::scalars::JsonScalar;
use crate::writes::templates::{CreateTemplate, InstantiateTemplate, UpdateTemplate};
use crate::writes::{Change, Checks, Refusal};

/// A template that is to be stored.
#[derive(InputObject)]
pub struct CreatePromptTemplateInput {
    /// The template's name: 1 to 255 characters, with `/` between folders. No other template may have it.
    name: String,
    /// What the template is for.
    description: Option<String>,
    /// The text, with variables in double braces: `Answer {{ question }}`. It may have conditions, loops and filters as
    /// Jinja has them (`{% if tone %}`, `{% for example in examples %}`), but not refer to other templates.
    template: String,
    /// What is known about the variables: a JSON object with one entry for each. Those that it names must be given to whoever
    /// uses the template, beside those that the text uses.
    variables: Option<JsonScalar>,
    /// What kind of work the template is for: 1 to 255 characters.
    category: String,
}

impl CreatePromptTemplateInput {
    /// The change that is meant, of which `columns` are wanted in return.
    ///
    /// # Errors
    /// With all that is wrong.
    pub fn read(self, columns: ColumnSet) -> Result<CreateTemplate, Refusal> {
        let mut checks = Checks::default();
        checks.name("name", &self.name);
        checks.template("template", &self.template);
        let variables = object(&mut checks, "variables", self.variables);
        checks.short_text("category", &self.category);
        checks.finish()?;
        Ok(CreateTemplate {
            name: self.name,
            description: self.description,
            template: self.template,
            variables,
            category: self.category,
            columns,
        })
    }
}

/// What becomes of a template. A field that is left out stays as it is; null clears what may be null.
#[derive(InputObject)]
pub struct UpdatePromptTemplateInput {
    /// The template.
    id: ID,
    /// The template's name: 1 to 255 characters, with `/` between folders. No other template may have it.
    name: MaybeUndefined<String>,
    /// What the template is for.
    description: MaybeUndefined<String>,
    /// The text, with variables in double braces. Prompts that were made from it before stay as they are.
    template: MaybeUndefined<String>,
    /// What is known about the variables: a JSON object with one entry for each, which takes the place of the stored one.
    variables: MaybeUndefined<JsonScalar>,
    /// What kind of work the template is for: 1 to 255 characters.
    category: MaybeUndefined<String>,
}

impl UpdatePromptTemplateInput {
    /// The change that is meant, of which `columns` are wanted in return.
    ///
    /// # Errors
    /// With all that is wrong.
    pub fn read(self, columns: ColumnSet) -> Result<UpdateTemplate, Refusal> {
        let mut checks = Checks::default();
        let template_id = id(&mut checks, "id", NodeType::PromptTemplate, &self.id);
        let name = required(&mut checks, "name", self.name);
        if let Some(name) = name.to() {
            checks.name("name", name);
        }
        let template = required(&mut checks, "template", self.template);
        if let Some(template) = template.to() {
            checks.template("template", template);
        }
        let variables = match required(&mut checks, "variables", self.variables) {
            Change::Keep => Change::Keep,
            Change::To(json) => Change::To(object(&mut checks, "variables", Some(json))),
        };
        let category = required(&mut checks, "category", self.category);
        if let Some(category) = category.to() {
            checks.short_text("category", category);
        }
        checks.finish()?;
        let description = optional(self.description);
        Ok(UpdateTemplate { id: template_id, name, description, template, variables, category, columns })
    }
}

/// A prompt that is to be made from a template.
#[derive(InputObject)]
pub struct InstantiatePromptTemplateInput {
    /// The template.
    template_id: ID,
    /// What people will call the prompt: 1 to 255 characters.
    title: String,
    /// The values of the variables: a JSON object that has all variables of the template, and no others. Texts are put in as
    /// they are, everything else as JSON.
    variables: JsonScalar,
    /// Where the prompt is in its life.
    #[graphql(default_with = "Some(PromptStatus::Draft)")]
    status: Option<PromptStatus>,
}

impl InstantiatePromptTemplateInput {
    /// The change that is meant, of which `columns` are wanted in return.
    ///
    /// # Errors
    /// With all that is wrong.
    pub fn read(self, columns: ColumnSet) -> Result<InstantiateTemplate, Refusal> {
        let mut checks = Checks::default();
        let id = id(&mut checks, "templateId", NodeType::PromptTemplate, &self.template_id);
        checks.short_text("title", &self.title);
        let JsonScalar(variables) = self.variables;
        checks.object("variables", &variables);
        checks.finish()?;
        let status = self.status.unwrap_or(PromptStatus::Draft);
        Ok(InstantiateTemplate { id, title: self.title, variables: members(&variables), status, columns })
    }
}

fn members(json: &Json) -> Map<String, Value> {
    serde_json::from_str(json.as_str()).unwrap_or_default()
}
