//! The templates.

use std::collections::BTreeMap;

use serde_json::Value;

use super::prompts::DemoPrompt;
use crate::db::templates::NewTemplate;
use crate::db::types::Json;
use crate::demo::catalog::TEMPLATES;
use crate::demo::random::{Calendar, Random, timestamp};
use crate::domain::TemplateId;

/// All templates, unused so far. They are older than every prompt.
pub(super) fn templates(random: &mut Random, calendar: Calendar) -> Vec<NewTemplate> {
    let mut created = calendar.at(89, 7.0);
    let mut rows = Vec::new();
    for template in TEMPLATES {
        created += random.whole(30_000_000, 150_000_000);
        let variables: serde_json::Map<_, _> =
            template.variables.iter().map(|&(name, meaning)| (name.to_owned(), Value::from(meaning))).collect();
        rows.push(NewTemplate {
            id: TemplateId(random.id(created)),
            name: template.name.to_owned(),
            description: Some(template.description.to_owned()),
            template: template.text.to_owned(),
            variables: Json::from(Value::Object(variables)),
            category: template.category.to_owned(),
            usage_count: 0,
            created_at: timestamp(created),
            updated_at: timestamp(created),
        });
    }
    rows
}

/// Counts the prompts that were made from each template; the newest of them was its last change.
pub(super) fn count_uses(templates: &mut [NewTemplate], prompts: &[DemoPrompt]) {
    let mut uses = BTreeMap::new();
    for prompt in prompts {
        if let Some(template) = prompt.row.template_id {
            let (count, latest) = uses.entry(template).or_insert((0, prompt.row.created_at));
            *count += 1;
            *latest = prompt.row.created_at.max(*latest);
        }
    }
    for template in templates {
        if let Some(&(count, latest)) = uses.get(&template.id) {
            template.usage_count = count;
            template.updated_at = latest;
        }
    }
}
