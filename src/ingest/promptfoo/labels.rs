//! The name of a prompt, found in the label that promptfoo gives it.
//!
//! promptfoo makes the label of a prompt from a text file out of the user's label, the file's path and the whole text;
//! of one from a JSON file it keeps the user's label alone; and without a label the text itself is the label.

use serde_json::Value;

use crate::ingest::json::{NAME_LIMIT, cut, fit_name};

/// What a prompt is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Naming {
    /// The name of its lineage.
    pub name: String,
    /// What people call it.
    pub title: String,
}

/// The name and title of the prompt with this label and text, where `paths` are those of the configured prompts.
pub(super) fn naming(label: &str, raw: &str, paths: &[String], content_hash: &str) -> Naming {
    let label = label.trim();
    let name = stable_part(label, raw.trim(), paths);
    if name.is_empty() {
        let name = format!("prompt-{}", &content_hash[..8]);
        let title = if label.is_empty() { name.clone() } else { cut(label, NAME_LIMIT) };
        return Naming { name, title };
    }
    Naming { name: fit_name(name), title: cut(name, NAME_LIMIT) }
}

/// The part of the label that stays when the text changes; empty when there is none.
fn stable_part<'a>(label: &'a str, raw: &str, paths: &[String]) -> &'a str {
    if label == raw {
        return "";
    }
    let label = without_text(label, raw, paths);
    let label = match label.rsplit_once(": ") {
        Some((front, path)) if is_configured(path, paths) => front,
        _ => label,
    };
    // A name that ends in `/` would be that of a folder.
    label.trim().trim_end_matches('/')
}

fn without_text<'a>(label: &'a str, raw: &str, paths: &[String]) -> &'a str {
    if let Some(front) = label.strip_suffix(raw).and_then(|front| front.trim_end().strip_suffix(':')) {
        return front;
    }
    // Of a Markdown file the label contains only the beginning of the text.
    let is_shortened = |(path, beginning): &(&str, &str)| {
        is_configured(path, paths) && raw.starts_with(beginning.trim_end_matches("...").trim_end())
    };
    label.split_once(": ").filter(is_shortened).map_or(label, |(path, _)| path)
}

fn is_configured(path: &str, paths: &[String]) -> bool {
    paths.iter().any(|pattern| {
        let front = pattern.len().checked_sub(path.len()).map(|length| pattern.as_bytes().split_at(length));
        // An absolute path in the configuration is relative in the label.
        matches(pattern, path) || front.is_some_and(|(front, end)| front.ends_with(b"/") && end == path.as_bytes())
    })
}

/// Whether the path is the one that the pattern names, where `*` stands for any text.
fn matches(pattern: &str, path: &str) -> bool {
    let Some((front, rest)) = pattern.split_once('*') else { return pattern == path };
    let Some(mut path) = path.strip_prefix(front) else { return false };
    let mut pieces: Vec<_> = rest.split('*').collect();
    let last = pieces.pop().unwrap_or_default();
    for piece in pieces {
        match path.split_once(piece) {
            Some((_, tail)) => path = tail,
            None => return false,
        }
    }
    path.ends_with(last)
}

/// The paths of the prompts that a configuration names.
pub(super) fn prompt_paths(config: &Value) -> Vec<String> {
    let prompts = &config["prompts"];
    let entries: Vec<&str> = match prompts {
        Value::String(path) => vec![path],
        Value::Array(prompts) => prompts.iter().filter_map(path_of).collect(),
        // The oldest form: paths and their labels.
        Value::Object(prompts) => prompts.keys().map(String::as_str).collect(),
        _ => Vec::new(),
    };
    entries.into_iter().map(plain_path).collect()
}

fn path_of(prompt: &Value) -> Option<&str> {
    prompt.as_str().or_else(|| prompt["id"].as_str()).or_else(|| prompt["raw"].as_str())
}

fn plain_path(path: &str) -> String {
    let path = path.strip_prefix("file://").unwrap_or(path);
    path.strip_prefix("./").unwrap_or(path).to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const HASH: &str = "0123456789abcdef";

    fn name(label: &str, raw: &str) -> String {
        let config = json!({"prompts": [
            "file://./prompts/plain.txt", {"id": "file://prompts/terse.txt", "label": "terse"}, "file:///home/me/a.md",
            "file://more/*.txt", {"raw": "Echo: {{x}}", "label": "x"},
        ]});
        naming(label, raw, &prompt_paths(&config), HASH).name
    }

    #[test]
    fn text_and_path_are_cut_off() {
        assert_eq!(name("terse: prompts/terse.txt: Say: {{x}}", "Say: {{x}}"), "terse");
        assert_eq!(name("a: b: prompts/plain.txt: Say: {{x}}\n", "Say: {{x}}\n"), "a: b");
        assert_eq!(name("mine: more/one.txt: text", "text"), "mine");
        assert_eq!(name("mine: a.md: text", "text"), "mine");
    }

    #[test]
    fn without_a_label_the_path_is_the_name() {
        assert_eq!(name("prompts/plain.txt: Say {{x}}", "Say {{x}}"), "prompts/plain.txt");
        assert_eq!(name("prompts/terse.txt: # A long te...", "# A long text"), "prompts/terse.txt");
    }

    #[test]
    fn other_labels_stay_with_their_colons() {
        assert_eq!(name("triage-chat", "[]"), "triage-chat");
        assert_eq!(name("folder/named: prompt", "Echo: {{x}}"), "folder/named: prompt");
        assert_eq!(name("one: other.txt: text", "text"), "one: other.txt");
        assert_eq!(name("folder/", "text"), "folder");
    }

    #[test]
    fn without_any_name_the_content_gives_one() {
        for (label, raw, title) in
            [("{{x}}", "{{x}}", "{{x}}"), ("", "{{x}}", "prompt-01234567"), (" \n", "{{x}}", "prompt-01234567")]
        {
            let naming = naming(label, raw, &[], HASH);
            assert_eq!((naming.name.as_str(), naming.title.as_str()), ("prompt-01234567", title));
        }
        assert_eq!(naming(": {{x}}", "{{x}}", &[], HASH).name, "prompt-01234567");
    }

    #[test]
    fn long_names_are_cut_and_stay_different() {
        let (one, two) = ("ä".repeat(255) + "1", "ä".repeat(255) + "2");
        let (one, two) = (naming(&one, "text", &[], HASH), naming(&two, "text", &[], HASH));
        assert_eq!((one.name.chars().count(), one.title.chars().count()), (255, 255));
        assert_ne!(one.name, two.name);
    }

    #[test]
    fn paths_come_in_every_form_of_the_configuration() {
        use serde_json::json;
        let paths = ["a.txt", "b.txt"];
        for prompts in [
            json!(["file://a.txt", {"id": "file://./b.txt"}]),
            json!([{"raw": "a.txt"}, "./b.txt"]),
            json!({"a.txt": "a label", "b.txt": "another"}),
        ] {
            assert_eq!(prompt_paths(&json!({"prompts": prompts})), paths);
        }
        assert_eq!(prompt_paths(&json!({"prompts": "file://a.txt"})), ["a.txt"]);
        assert_eq!(prompt_paths(&json!({})), Vec::<String>::new());
    }

    #[test]
    fn patterns_match_paths() {
        assert!(matches("a/*.txt", "a/b.txt"));
        assert!(matches("a/**/*.txt", "a/b/c.txt"));
        assert!(!matches("a/*.txt", "a/b.md"));
        assert!(!matches("a/*.txt", "b/a/b.txt"));
    }
}
