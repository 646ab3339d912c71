//! Texts with variables.
//!
//! They are written in the language of Jinja, which people know from their tools, and need a text made of them bounded in
//! time and memory: whoever may store a template may store one that counts to a billion.

use std::collections::BTreeSet;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value as TemplateValue};
use minijinja::{Environment, ErrorKind, Output, State, UndefinedBehavior};
use serde_json::{Map, Value};
use thiserror::Error;

/// How many bytes the text may have that is made of a template.
pub const MAX_RENDERED_BYTES: usize = 1024 * 1024;
/// What making it may cost: a unit for each instruction and each 64 bytes that are made on the way.
const FUEL: u64 = 200_000;

/// Why no text can be made of a template.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TemplateError {
    /// It is not written in the language.
    #[error("line {line}: {problem}")]
    Syntax {
        /// The line, counted from 1.
        line: usize,
        /// What is wrong there.
        problem: String,
    },
    /// Values cannot be used as the template wants to use them.
    #[error("line {line} of the template: {problem}")]
    Values {
        /// The line, counted from 1.
        line: usize,
        /// What is wrong there.
        problem: String,
    },
    /// It takes too long, or too much memory.
    #[error("takes too much work with these variables: simplify its loops, or give it shorter texts")]
    TooMuchWork,
    /// The text is too long.
    #[error("makes a text of {0} bytes of these variables: at most {MAX_RENDERED_BYTES} are allowed")]
    TooLong(usize),
}

/// The names of the variables that a template uses, in their order.
///
/// # Errors
/// When it is no template.
pub fn template_variables(template: &str) -> Result<BTreeSet<String>, TemplateError> {
    let environment = environment();
    let parsed = environment.template_from_str(template).map_err(|error| told(&error))?;
    let mut names: BTreeSet<_> = parsed.undeclared_variables(false).into_iter().collect();
    // What the language brings along.
    for (global, _) in environment.globals() {
        names.remove(global);
    }
    Ok(names)
}

/// The text that a template makes of these variables, all of which it needs to have.
///
/// # Errors
/// When it is no template, or none can be made.
pub fn render_template(template: &str, variables: &Map<String, Value>) -> Result<String, TemplateError> {
    let environment = environment();
    let parsed = environment.template_from_str(template).map_err(|error| told(&error))?;
    let text = parsed.render(TemplateValue::from(Serde(variables))).map_err(|error| told(&error))?;
    if text.len() > MAX_RENDERED_BYTES { Err(TemplateError::TooLong(text.len())) } else { Ok(text) }
}

/// The language: no other templates to include, no files, nothing of the system.
fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    // The delimiters are those that the language has, which are valid.
    if let Ok(syntax) = SyntaxConfig::builder().keep_trailing_newline(true).build() {
        environment.set_syntax(syntax);
    }
    environment.set_formatter(write);
    environment
}

/// Texts are written as they are, everything else as JSON.
fn write(out: &mut Output<'_>, _: &mut State<'_, '_>, value: &TemplateValue) -> Result<(), minijinja::Error> {
    let written = match value.as_str() {
        Some(text) => out.write_str(text),
        None => {
            let json = serde_json::to_string(value)
                .map_err(|error| minijinja::Error::new(ErrorKind::BadSerialization, error.to_string()))?;
            out.write_str(&json)
        }
    };
    Ok(written?)
}

fn told(error: &minijinja::Error) -> TemplateError {
    let line = error.line().unwrap_or(1);
    let problem = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    match error.kind() {
        ErrorKind::OutOfFuel => TemplateError::TooMuchWork,
        ErrorKind::SyntaxError => TemplateError::Syntax { line, problem },
        _ => TemplateError::Values { line, problem },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rendered(template: &str, variables: Value) -> Result<String, TemplateError> {
        let Value::Object(variables) = variables else { panic!("no object") };
        render_template(template, &variables)
    }

    #[test]
    fn variables_are_found_and_put_in() {
        let names = |template| template_variables(template).unwrap().into_iter().collect::<Vec<_>>();
        assert_eq!(names("Hello {{ name }}, {{name}} of {{place}}!"), ["name", "place"]);
        assert_eq!(
            names("{% for row in rows %}{{ row.x }}{{ range(3) }}{% endfor %}{% set a = b %}{{ a }}"),
            ["b", "rows"]
        );
        assert_eq!(names("{ \"json\": [] }"), Vec::<String>::new());
        let text = "<{{ text }}> {{ number }} {{ list }} {{ map }} {{ nothing }} {{ flag }}\n";
        let values = json!({ "text": "ü<&>\n{{ x }}", "number": 1.5, "list": [1, "a"], "map": { "k": true }, "nothing": null, "flag": false });
        assert_eq!(rendered(text, values).unwrap(), "<ü<&>\n{{ x }}> 1.5 [1,\"a\"] {\"k\":true} null false\n");
        assert_eq!(
            rendered("{% for x in xs %}{{ loop.index }}={{ x }};{% endfor %}", json!({ "xs": ["a", "b"] })).unwrap(),
            "1=a;2=b;"
        );
    }

    #[test]
    fn what_is_no_template_is_told_by_its_line() {
        for (template, line) in
            [("{{ name", 1), ("\n{% for %}", 2), ("a\nb\n{{ }}", 3), ("{% include 'x' %}", 1), ("{% extends 'x' %}", 1)]
        {
            match template_variables(template) {
                Err(TemplateError::Syntax { line: found, .. }) => assert_eq!(found, line, "{template}"),
                other => panic!("{template}: {other:?}"),
            }
        }
        let wrong = rendered("a\n{{ name.first.second }}", json!({ "name": "x" }));
        assert!(matches!(wrong, Err(TemplateError::Values { line: 2, .. })), "{wrong:?}");
        assert!(matches!(rendered("{{ name }}", json!({})), Err(TemplateError::Values { line: 1, .. })));
    }

    #[test]
    fn a_template_takes_neither_all_time_nor_all_memory() {
        let nested = "{% for a in range(9999) %}".repeat(8) + &"{% endfor %}".repeat(8);
        let doubled = format!("{{% set a = 'x' * 1000 %}}{}{{{{ a }}}}", "{% set a = a ~ a %}".repeat(60));
        for template in [nested.as_str(), doubled.as_str(), "{{ 'x' * 99999999999 }}", "{{ [1] * 9999999999 }}"] {
            assert!(rendered(template, json!({})).is_err(), "{template}");
        }
        let long = "x".repeat(2_000);
        let text = "{{ v }}".repeat(1_000);
        assert_eq!(rendered(&text, json!({ "v": long })), Err(TemplateError::TooLong(2_000_000)));
        assert_eq!(rendered(&text, json!({ "v": "y" })).unwrap().len(), 1_000);
        // Deeply nested brackets are refused by the parser before they take the stack.
        assert!(rendered(&("{{ ".to_owned() + &"(".repeat(100_000)), json!({})).is_err());
    }
}
