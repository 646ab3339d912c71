//! Who runs a model and which, found in the id that promptfoo gives a provider.

use serde_json::Value;

/// Second parts of an id that name a way of asking, not a model.
const MODES: [&str; 8] = ["chat", "completion", "responses", "messages", "embedding", "image", "realtime", "assistant"];

/// Schemes of providers that the user wrote or runs.
const CUSTOM_SCHEMES: [&str; 13] = [
    "file",
    "python",
    "exec",
    "http",
    "https",
    "ws",
    "wss",
    "webhook",
    "golang",
    "go",
    "ruby",
    "package",
    "javascript",
];

/// The provider and the model that an id means. Of one's own providers the label is the model, or else the base name of
/// the script or address.
pub(super) fn provider_and_model(id: &str, label: Option<&str>) -> (String, String) {
    let id = id.trim();
    let Some((scheme, rest)) = id.split_once(':') else {
        return if is_script(id) { custom(id, id, label) } else { (id.to_owned(), id.to_owned()) };
    };
    if CUSTOM_SCHEMES.contains(&scheme.to_ascii_lowercase().as_str()) {
        return custom(id, rest, label);
    }
    let model = match rest.split_once(':') {
        Some((mode, model)) if MODES.contains(&mode) && !model.is_empty() => model,
        _ => rest,
    };
    let model = if model.is_empty() { scheme } else { model };
    (scheme.to_owned(), model.to_owned())
}

fn is_script(id: &str) -> bool {
    [".js", ".mjs", ".cjs", ".ts", ".py", ".rb", ".go"].iter().any(|extension| id.ends_with(extension))
}

fn custom(id: &str, rest: &str, label: Option<&str>) -> (String, String) {
    let label = label.map(str::trim).filter(|label| !label.is_empty() && *label != id);
    ("custom".to_owned(), label.map_or_else(|| base_name(rest), str::to_owned))
}

/// The last part of a path or address; of a command, of the program.
fn base_name(text: &str) -> String {
    let program = program(text);
    let path = program.split(['?', '#']).next().unwrap_or(program);
    let path = path.rsplit_once('@').map_or(path, |(_, host)| host);
    let name = path.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or(text);
    name.to_owned()
}

/// The first word of a command that sets no variable: of `TOKEN=abc node x.js` it is `node`.
fn program(command: &str) -> &str {
    let mut rest = command.trim_start();
    loop {
        let (word, tail) = rest.split_at(word_end(rest));
        if word.is_empty() {
            return command;
        }
        if word != "env" && !is_assignment(word) {
            return word.trim_matches(['"', '\'']);
        }
        rest = tail.trim_start();
    }
}

/// Where the first word ends: at white space outside of quotes.
fn word_end(text: &str) -> usize {
    let mut open = None;
    let end = text.find(|letter: char| {
        match open {
            Some(quote) if letter == quote => open = None,
            None if matches!(letter, '"' | '\'') => open = Some(letter),
            _ => {}
        }
        open.is_none() && letter.is_whitespace()
    });
    end.unwrap_or(text.len())
}

fn is_assignment(word: &str) -> bool {
    let is_name = |name: &str| name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    word.split_once('=').is_some_and(|(name, _)| !name.is_empty() && is_name(name))
}

/// The configured provider that a column names by its label or else its id.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Configured {
    /// Its id.
    pub id: Option<String>,
    /// Its own configuration: temperature and the like.
    pub config: Option<Value>,
}

/// Looks the provider up in a configuration.
pub(super) fn configured(config: &Value, name: &str) -> Configured {
    let providers = match &config["providers"] {
        Value::Null => &config["targets"],
        providers => providers,
    };
    let entries = match providers {
        Value::Array(entries) => entries.as_slice(),
        one => std::slice::from_ref(one),
    };
    let named = |key: &str| entries.iter().find(|entry| entry[key].as_str() == Some(name));
    match named("label").or_else(|| named("id")) {
        Some(entry) => Configured { id: entry["id"].as_str().map(str::to_owned), config: entry.get("config").cloned() },
        // The older form: an object whose only key is the id.
        None => entries
            .iter()
            .find_map(|entry| Some(entry.get(name)?.get("config").cloned()))
            .map_or_else(Configured::default, |config| Configured { id: Some(name.to_owned()), config }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ids_are_taken_apart() {
        for (id, provider, model) in [
            ("openai:chat:gpt-4o", "openai", "gpt-4o"),
            ("openai:gpt-4o", "openai", "gpt-4o"),
            ("openai:chat", "openai", "chat"),
            ("anthropic:messages:claude-x", "anthropic", "claude-x"),
            ("azure:chat:deployment", "azure", "deployment"),
            ("openrouter:meta/llama", "openrouter", "meta/llama"),
            ("bedrock:anthropic.claude-v2:1", "bedrock", "anthropic.claude-v2:1"),
            ("ollama:chat:llama3:8b", "ollama", "llama3:8b"),
            ("echo", "echo", "echo"),
            ("file://dir/p.mjs", "custom", "p.mjs"),
            ("python:p.py", "custom", "p.py"),
            ("exec:./bin/run.sh --fast", "custom", "run.sh"),
            ("exec:TOKEN=abc node x.js", "custom", "node"),
            ("exec:'./my dir/run.sh' --fast", "custom", "run.sh"),
            ("exec:A=1 B='two words' env C=3 ./bin/ask --fast", "custom", "ask"),
            ("https://me:pw@example.org/v1/ask?key=1", "custom", "ask"),
            ("https://example.org", "custom", "example.org"),
            ("dir/provider.js", "custom", "provider.js"),
        ] {
            assert_eq!(provider_and_model(id, Some(id)), (provider.to_owned(), model.to_owned()), "{id}");
            assert_eq!(provider_and_model(id, None), (provider.to_owned(), model.to_owned()), "{id}");
        }
    }

    #[test]
    fn the_label_names_the_model_of_ones_own_provider_only() {
        assert_eq!(provider_and_model("file://p.mjs", Some("small")), ("custom".to_owned(), "small".to_owned()));
        assert_eq!(provider_and_model("file://p.mjs", Some("")), ("custom".to_owned(), "p.mjs".to_owned()));
        assert_eq!(provider_and_model("echo", Some("baseline")), ("echo".to_owned(), "echo".to_owned()));
    }

    #[test]
    fn configurations_are_found_by_label_or_id() {
        let config = json!({"providers": [
            "echo", {"id": "openai:x", "label": "a", "config": {"temperature": 1}}, {"id": "openai:y"},
            {"openai:z": {"config": {"seed": 1}}},
        ]});
        let found = |name: &str| configured(&config, name);
        assert_eq!(found("a"), Configured { id: Some("openai:x".to_owned()), config: Some(json!({"temperature": 1})) });
        assert_eq!(found("openai:y"), Configured { id: Some("openai:y".to_owned()), config: None });
        assert_eq!(found("openai:z").config, Some(json!({"seed": 1})));
        assert_eq!(found("echo"), Configured::default());
        assert_eq!(configured(&json!({"providers": "echo"}), "echo"), Configured::default());
        // Red teams call them targets.
        let targets = json!({"targets": [{"id": "openai:x", "label": "a"}]});
        assert_eq!(configured(&targets, "a").id.as_deref(), Some("openai:x"));
    }
}
