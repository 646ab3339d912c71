//! Whether values are what columns can hold. All that is wrong is told together.

use std::collections::HashSet;
use std::fmt::Display;

use serde_json::Value;

use super::refusal::{Fault, Refusal, RefusalKind};
use crate::db::types::Json;
use crate::domain::{FiniteFloat, PromptFormat, check_content, shortened, template_variables};

/// How many characters a name, a title or a tag may have.
const MAX_CHARACTERS: usize = 255;
/// How many tags a prompt may have.
pub const MAX_TAGS: usize = 100;

/// What one answer may cost: more than it ever will, and little enough to be added up.
const MAX_COST_USD: f64 = 1e9;
/// How many members of a JSON object are told to be wrong, and how much of their names.
const MAX_MEMBERS_TOLD: usize = 10;
const LONGEST_NAME_TOLD: usize = 64;

/// Collects what is wrong with the values of an argument.
#[derive(Debug, Default)]
pub struct Checks {
    /// What comes before the name of a field: the place of the item in a list.
    item: String,
    faults: Vec<Fault>,
}

impl Checks {
    /// From now on values of this item of the list are looked at.
    pub fn item(&mut self, index: usize) {
        self.item = format!("[{index}]");
    }

    /// Notes what is wrong with a field; an empty name means the item itself.
    pub fn fault(&mut self, field: &str, problem: impl Display) {
        let dot = if field.is_empty() { "" } else { "." };
        self.faults.push(Fault::new(format!("{}{dot}{field}", self.item), problem.to_string()));
    }

    /// Nothing, if all is well.
    ///
    /// # Errors
    /// With all that is wrong.
    pub fn finish(self) -> Result<(), Refusal> {
        if self.faults.is_empty() { Ok(()) } else { Err(Refusal { kind: RefusalKind::Invalid, faults: self.faults }) }
    }

    /// A text of 1 to 255 characters that are not all blanks.
    pub fn short_text(&mut self, field: &str, text: &str) {
        if text.trim().is_empty() {
            self.fault(field, "must not be blank");
        }
        let characters = text.chars().count();
        if characters > MAX_CHARACTERS {
            self.fault(field, format_args!("must have at most {MAX_CHARACTERS} characters, not {characters}"));
        }
    }

    /// A name whose parts, between slashes, are all something.
    pub fn name(&mut self, field: &str, name: &str) {
        self.short_text(field, name);
        if name.chars().any(char::is_control) {
            self.fault(field, "must not have control characters");
        }
        // A name that is blank has been told already.
        if !name.trim().is_empty() && name.split('/').any(|part| part.is_empty() || part != part.trim()) {
            self.fault(
                field,
                "must not begin or end with a slash or a blank, nor have two slashes or blanks around one",
            );
        }
    }

    /// The content of a prompt.
    pub fn content(&mut self, field: &str, format: PromptFormat, content: &str) {
        if let Err(error) = check_content(format, content) {
            self.fault(field, error);
        }
    }

    /// The text of a template.
    pub fn template(&mut self, field: &str, template: &str) {
        if template.trim().is_empty() {
            self.fault(field, "must not be blank");
        } else if let Err(error) = template_variables(template) {
            self.fault(field, error);
        }
    }

    /// Tags as they are stored: each once.
    pub fn tags(&mut self, field: &str, tags: Vec<String>) -> Json {
        if tags.len() > MAX_TAGS {
            self.fault(field, format_args!("must be at most {MAX_TAGS} tags, not {}", tags.len()));
        }
        for (index, tag) in tags.iter().enumerate().take(MAX_TAGS) {
            self.short_text(&format!("{field}[{index}]"), tag);
        }
        let mut known = HashSet::new();
        let once: Vec<_> = tags.iter().filter(|tag| known.insert(tag.as_str())).cloned().collect();
        Value::from(once).into()
    }

    /// A finite number.
    pub fn finite(&mut self, field: &str, number: f64) {
        if let Err(error) = FiniteFloat::try_from(number) {
            self.fault(field, error);
        }
    }

    /// A count, if there is one.
    pub fn count(&mut self, field: &str, count: Option<i32>) {
        if let Some(count) = count.filter(|&count| count < 0) {
            self.fault(field, format_args!("must be 0 or more, not {count}"));
        }
    }

    /// What something cost in US dollars, if that is known.
    pub fn cost(&mut self, field: &str, cost: Option<f64>) {
        if cost.is_some_and(|cost| !(0.0..=MAX_COST_USD).contains(&cost)) {
            self.fault(field, format_args!("must be a number from 0 to {MAX_COST_USD}"));
        }
    }

    /// The members of a JSON object are numbers. What is no object has been told already.
    pub fn numbers(&mut self, field: &str, json: &Json) {
        self.members(field, json, Value::is_number, "must be a number");
    }

    /// The members of a JSON object are texts. What is no object has been told already.
    pub fn texts(&mut self, field: &str, json: &Json) {
        self.members(field, json, Value::is_string, "must be a text");
    }

    fn members(&mut self, field: &str, json: &Json, is_right: fn(&Value) -> bool, problem: &str) {
        let Ok(Value::Object(members)) = serde_json::from_str(json.as_str()) else { return };
        for (name, _) in members.iter().filter(|(_, value)| !is_right(value)).take(MAX_MEMBERS_TOLD) {
            self.fault(&format!("{field}.{}", shortened(name, LONGEST_NAME_TOLD)), problem);
        }
    }

    /// A JSON object.
    pub fn object(&mut self, field: &str, json: &Json) {
        if !json.is_object() {
            self.fault(field, "must be a JSON object");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(check: impl FnOnce(&mut Checks)) -> Vec<(String, String)> {
        let mut checks = Checks::default();
        check(&mut checks);
        let faults = checks.finish().err().map(|refusal| refusal.faults).unwrap_or_default();
        faults.into_iter().map(|fault| (fault.place, fault.problem)).collect()
    }

    #[test]
    fn a_name_has_parts_that_are_something() {
        for name in ["a", "team/support/reply", "Grüße an alle", "v1.2_x-y", &"ü".repeat(255)] {
            assert_eq!(faults(|checks| checks.name("name", name)), [], "{name}");
        }
        for name in ["", "  ", "/a", "a/", "a//b", " a", "a /b", "a\tb", "a\nb", &"ü".repeat(256)] {
            assert_eq!(faults(|checks| checks.name("name", name)).len(), 1, "{name:?}");
        }
    }

    #[test]
    fn faults_name_their_places() {
        let found = faults(|checks| {
            checks.short_text("title", "");
            checks.item(3);
            checks.tags("tags", vec!["fine".into(), " ".into()]);
            checks.object("metadata", &Value::from(vec![1]).into());
            checks.fault("", "is the same as that of [1]");
        });
        let places: Vec<_> = found.iter().map(|(place, _)| place.as_str()).collect();
        assert_eq!(places, [".title", "[3].tags[1]", "[3].metadata", "[3]"]);
    }

    #[test]
    fn tags_are_stored_once_and_in_their_order() {
        let mut checks = Checks::default();
        let tags = checks.tags("tags", ["b", "a", "b"].map(str::to_owned).to_vec());
        assert_eq!(tags.as_str(), r#"["b","a"]"#);
        checks.finish().unwrap();
        assert_eq!(faults(|checks| drop(checks.tags("tags", vec![String::from("x"); MAX_TAGS + 1]))).len(), 1);
    }
}
