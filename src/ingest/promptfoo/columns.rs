//! Entries of `results.prompts` as prompts and evaluations.

use serde_json::{Map, Value, json};

use super::file::{Column, Metrics, TokenUsage};
use super::labels::naming;
use super::provider::{configured, provider_and_model};
use crate::domain::{PromptFormat, content_hash};
use crate::ingest::ImportedPrompt;
use crate::ingest::json::{NAME_LIMIT, cut, text_form};
use crate::ingest::members::Members;
use crate::ingest::numbers::without_fraction;
use crate::ingest::redact::redact_text;

/// The prompt of a column; `paths` are those of the configured prompts.
pub(super) fn prompt(column: &mut Column, paths: &[String]) -> ImportedPrompt {
    let content = std::mem::take(&mut column.raw);
    let (format, system_message) = match chat(&content) {
        Some(system_message) => (PromptFormat::Chat, system_message),
        None => (PromptFormat::Text, None),
    };
    let content_hash = content_hash(format, &content, system_message.as_deref());
    let label = column.label.as_ref().and_then(text_form).unwrap_or_default();
    // A label of one line is a name, even where it stands for the text.
    let is_name = column.content_is_label && !label.contains('\n');
    let naming = naming(&label, if is_name { "" } else { &content }, paths, &content_hash);
    let metadata = prompt_metadata(column);
    ImportedPrompt { name: naming.name, title: naming.title, format, content, system_message, content_hash, metadata }
}

/// The first system message, if there is one, of a text that is a list of messages; `None` for other texts.
fn chat(content: &str) -> Option<Option<String>> {
    let messages: Vec<Map<String, Value>> = serde_json::from_str(content).ok()?;
    let is_message = |message: &Map<String, Value>| {
        message.get("role").is_some_and(Value::is_string) && message.contains_key("content")
    };
    if messages.is_empty() || !messages.iter().all(is_message) {
        return None;
    }
    let system = messages.iter().find(|message| message["role"] == "system");
    // The text was JSON within JSON: only now its escapes are characters.
    Some(system.and_then(|message| Some(message["content"].as_str()?.replace('\0', "\u{fffd}"))))
}

fn prompt_metadata(column: &mut Column) -> Map<String, Value> {
    let mut kept = Members::default();
    kept.add("label", column.label.take());
    kept.add("promptId", column.id.take());
    kept.add("display", column.display.take());
    kept.add_config("config", column.config.take());
    kept.add("function", column.function.take());
    kept.add("contentIsLabel", column.content_is_label.then_some(true));
    let mut metadata = Members::default();
    metadata.add("promptfoo", kept.into_map());
    metadata.into_map()
}

/// Who answered in a column.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Answerer {
    pub provider: Option<String>,
    pub model: Option<String>,
    pub id: Option<String>,
    pub label: Option<String>,
}

/// Who answered in the column with this name: its provider's label or else id. The id is in the rows, `row_provider`
/// is that of one of them.
pub(super) fn answerer(name: Option<&str>, row_provider: Option<&Value>, config: &Value) -> Answerer {
    let name = name.filter(|name| !name.trim().is_empty());
    let of_row = row_provider.and_then(|provider| provider.as_str().or_else(|| provider["id"].as_str()));
    let id = of_row.map(str::to_owned).or_else(|| configured(config, name?).id).or_else(|| name.map(str::to_owned));
    let Some(id) = id.filter(|id| !id.trim().is_empty()) else { return Answerer::default() };
    // Secrets go first: half an address does not look like one.
    let (id, name) = (redact_text(&id), name.map(redact_text));
    let (provider, model) = provider_and_model(&id, name.as_deref());
    // What is looked for in an index has a limit there.
    let short = |text: &str| cut(text, NAME_LIMIT);
    Answerer {
        provider: Some(short(&provider)),
        model: Some(short(&model)),
        label: name.as_deref().map(short),
        id: Some(id),
    }
}

/// What was measured in a column and has no column in the database, with the configuration of its provider.
pub(super) fn metrics(claimed: &Metrics, provider_config: Option<Value>) -> Map<String, Value> {
    let mut metrics = Members::default();
    metrics.add("evaluation_metrics", named_metrics(claimed));
    if let Some(tokens) = &claimed.token_usage {
        add_tokens(&mut metrics, tokens);
    }
    metrics.add("assertPassCount", claimed.assert_pass_count.clone());
    metrics.add("assertFailCount", claimed.assert_fail_count.clone());
    metrics.add("incurredCost", claimed.incurred_cost.clone());
    metrics.add("redteam", claimed.redteam.clone());
    metrics.add_config("config", provider_config);
    metrics.into_map()
}

fn add_tokens(metrics: &mut Members, tokens: &TokenUsage) {
    let reasoning = tokens.completion_details.as_ref().and_then(|details| details.reasoning);
    let grading = tokens.assertions.as_ref().and_then(|assertions| assertions.total);
    for (name, count) in
        [("cached_tokens", tokens.cached), ("reasoning_tokens", reasoning), ("grading_tokens", grading)]
    {
        metrics.add(name, count.map(without_fraction));
    }
}

/// The metrics by name. promptfoo gives sums; their divisors are the weights or, in older files, the counts. Metrics
/// that are derived from others have neither.
fn named_metrics(claimed: &Metrics) -> Map<String, Value> {
    let sums = claimed.named_scores.iter().flatten();
    sums.map(|(name, sum)| {
        let in_map = |map: &Option<Map<String, Value>>| map.as_ref().and_then(|map| map.get(name).cloned());
        let count = in_map(&claimed.named_scores_count);
        let weight = in_map(&claimed.named_score_weights).or_else(|| count.clone());
        (name.clone(), json!({"score_sum": sum, "weight_sum": weight, "count": count}))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt_of(raw: &str) -> ImportedPrompt {
        prompt(&mut serde_json::from_value(json!({"raw": raw, "label": "l", "id": "i"})).unwrap(), &[])
    }

    #[test]
    fn lists_of_messages_are_chats() {
        let chat = prompt_of(r#"[{"role":"user","content":"u"},{"role":"system","content":"s\u0000"}]"#);
        assert_eq!((chat.format, chat.system_message.as_deref()), (PromptFormat::Chat, Some("s\u{fffd}")));
        let without = prompt_of(r#"[{"role":"user","content":[{"type":"text"}]}]"#);
        assert_eq!((without.format, without.system_message), (PromptFormat::Chat, None));
        for raw in
            ["text", "[]", r#"["a"]"#, r#"[{"role":"user"}]"#, r#"{"role":"user","content":"u"}"#, r#"[["a","b"]]"#]
        {
            assert_eq!(prompt_of(raw).format, PromptFormat::Text, "{raw}");
        }
    }

    #[test]
    fn the_original_label_is_kept() {
        let metadata = Value::Object(prompt_of("text").metadata);
        assert_eq!(metadata, json!({"promptfoo": {"label": "l", "promptId": "i"}}));
    }

    #[test]
    fn the_id_of_the_provider_is_that_of_the_rows() {
        let config = json!({"providers": [{"id": "openai:chat:x", "label": "small"}]});
        let answerer = |name, row: Option<Value>| {
            let answerer = answerer(name, row.as_ref(), &config);
            [answerer.provider, answerer.model, answerer.id, answerer.label].map(Option::unwrap_or_default)
        };
        let row = json!({"id": "file://p.mjs", "label": ""});
        assert_eq!(answerer(Some("small"), Some(row)), ["custom", "small", "file://p.mjs", "small"]);
        assert_eq!(answerer(Some("small"), Some(json!("echo"))), ["echo", "echo", "echo", "small"]);
        assert_eq!(answerer(Some("small"), None), ["openai", "x", "openai:chat:x", "small"]);
        assert_eq!(answerer(Some("echo"), None), ["echo", "echo", "echo", "echo"]);
        assert_eq!(answerer(Some(" "), None), ["", "", "", ""]);
        let secret = json!("https://me:pw@host/ask");
        assert_eq!(answerer(None, Some(secret)), ["custom", "ask", "https://me:[redacted]@host/ask", ""]);
        let secret = json!("grpc://me:pw@host/ask");
        let stored = ["grpc", "//me:[redacted]@host/ask", "grpc://me:[redacted]@host/ask", ""];
        assert_eq!(answerer(None, Some(secret)), stored);
        let secret = "exec:TOKEN=abc python ask.py --password hunter2 -H 'X-Api-Key: abc'";
        let stored = "exec:TOKEN=[redacted] python ask.py --password [redacted] -H 'X-Api-Key: [redacted]'";
        assert_eq!(answerer(Some(secret), None), ["custom", "python", stored, stored]);
        assert_eq!(
            answerer(Some("x --api-key=b"), Some(json!("file://p.mjs")))[1..],
            ["x --api-key=[redacted]", "file://p.mjs", "x --api-key=[redacted]",]
        );
    }

    #[test]
    fn sums_keep_their_divisors() {
        let claimed: Metrics = serde_json::from_value(json!({
            "namedScores": {"a": 3, "b": 1.5, "derived": 0.5}, "namedScoresCount": {"a": 2, "b": 4},
            "namedScoreWeights": {"a": 6}, "tokenUsage": {"cached": 7}, "incurredCost": 0,
        }))
        .unwrap();
        assert_eq!(
            Value::Object(metrics(&claimed, Some(json!({"temperature": 1, "apiKey": "k"})))),
            json!({
                "evaluation_metrics": {
                    "a": {"score_sum": 3, "weight_sum": 6, "count": 2},
                    "b": {"score_sum": 1.5, "weight_sum": 4, "count": 4},
                    "derived": {"score_sum": 0.5, "weight_sum": null, "count": null},
                },
                "cached_tokens": 7, "incurredCost": 0, "config": {"temperature": 1, "apiKey": "[redacted]"},
            })
        );
    }
}
