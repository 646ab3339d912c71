//! What the scorers said, as numbers.

use serde_json::{Map, Value, json};

use crate::ingest::redact::{redact_config, redact_data};

/// Which score is that of a sample.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Headline {
    /// The scorer; without one, the first of those that scored the sample.
    pub scorer: Option<String>,
    /// The member of its value, where that has members.
    pub member: Option<String>,
}

/// What became of a sample.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Graded {
    /// Of the headline; `None` when it is no number.
    pub score: Option<f64>,
    /// The headline scorer's words.
    pub reason: Option<Value>,
    /// What it took for the answer.
    pub answer: Option<Value>,
    /// By scorer, or by scorer and member.
    pub named: Map<String, Value>,
    /// One per scorer.
    pub assertions: Vec<Value>,
}

/// What counts as passed: full marks.
pub(super) fn is_passed(score: f64) -> bool {
    score >= 1.0
}

/// Takes the scores of a sample, by scorer.
pub(super) fn graded(scores: &Map<String, Value>, headline: &Headline) -> Graded {
    let first = scores.keys().next().map(String::as_str);
    let chosen = headline.scorer.as_deref().filter(|name| scores.contains_key(*name)).or(first);
    let mut graded = Graded::default();
    for (ordinal, (name, score)) in scores.iter().enumerate() {
        let value = &score["value"];
        let number = number_of(value, headline.member.as_deref());
        if chosen == Some(name) {
            graded.score = number;
            graded.reason = Some(score["explanation"].clone()).filter(|reason| !reason.is_null());
            graded.answer = Some(score["answer"].clone()).filter(|answer| !answer.is_null());
        }
        add_named(&mut graded.named, name, value, number);
        graded.assertions.push(assertion(ordinal, name, score, number));
    }
    graded
}

/// The number that a value stands for: Inspect's own letters, numbers as they are, the mean of several.
fn number_of(value: &Value, member: Option<&str>) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::Bool(yes) => Some(f64::from(u8::from(*yes))),
        Value::String(text) => number_of_text(text),
        Value::Array(values) => mean(values.iter()),
        Value::Object(members) => match member.and_then(|member| members.get(member)) {
            Some(value) => number_of(value, None),
            None => mean(members.values()),
        },
        Value::Null => None,
    }
}

fn number_of_text(text: &str) -> Option<f64> {
    match text.trim() {
        "C" => Some(1.0),
        "P" => Some(0.5),
        "I" | "N" => Some(0.0),
        text => match text.to_ascii_lowercase().as_str() {
            "yes" | "true" => Some(1.0),
            "no" | "false" => Some(0.0),
            text => text.parse().ok().filter(|number: &f64| number.is_finite()),
        },
    }
}

fn mean<'a>(values: impl Iterator<Item = &'a Value>) -> Option<f64> {
    let numbers: Vec<_> = values.filter(|value| !value.is_object() && !value.is_array()).collect();
    let numbers: Vec<_> = numbers.into_iter().filter_map(|value| number_of(value, None)).collect();
    let sum: f64 = numbers.iter().sum();
    (!numbers.is_empty()).then(|| sum / numbers.len() as f64).filter(|mean| mean.is_finite())
}

fn add_named(named: &mut Map<String, Value>, scorer: &str, value: &Value, number: Option<f64>) {
    named.extend(number.map(|number| (scorer.to_owned(), json!(number))));
    for (member, value) in value.as_object().into_iter().flatten() {
        named.extend(number_of(value, None).map(|number| (format!("{scorer}/{member}"), json!(number))));
    }
}

fn assertion(ordinal: usize, scorer: &str, score: &Value, number: Option<f64>) -> Value {
    let mut value = score["value"].clone();
    redact_data(&mut value);
    let mut reason = score["explanation"].clone();
    redact_config(&mut reason);
    let fields = [
        ("ordinal", json!(ordinal)),
        ("type", json!("scorer")),
        ("metric", json!(scorer)),
        ("passed", json!(number.map(is_passed))),
        ("score", json!(number)),
        ("value", value),
        ("reason", reason),
    ];
    let present = fields.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(present.map(|(name, value)| (name.to_owned(), value)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_numbers() {
        for (value, expected) in [
            (json!("C"), Some(1.0)),
            (json!("P"), Some(0.5)),
            (json!("I"), Some(0.0)),
            (json!("N"), Some(0.0)),
            (json!(-2.5), Some(-2.5)),
            (json!(true), Some(1.0)),
            (json!("no"), Some(0.0)),
            (json!("0.25"), Some(0.25)),
            (json!("NaN"), None),
            (json!("excellent"), None),
            (json!(null), None),
            (json!([1, "I", null]), Some(0.5)),
            (json!([]), None),
            (json!({"a": 1, "b": 0.5}), Some(0.75)),
            (json!({"style": 4, "b": 0.5}), Some(4.0)),
        ] {
            assert_eq!(number_of(&value, Some("style")), expected, "{value}");
        }
    }

    #[test]
    fn the_headline_decides_and_all_are_kept() {
        let scores = json!({
            "includes": {"value": "C", "explanation": "found", "answer": "a"},
            "model": {"value": {"style": 3, "tone": "P"}, "explanation": "key sk-1234567890abcdefghijklmn"},
        });
        let scores = scores.as_object().unwrap();
        let headline = Headline { scorer: Some("model".to_owned()), member: Some("style".to_owned()) };
        let graded = graded(scores, &headline);
        assert_eq!(graded.score, Some(3.0));
        assert_eq!(
            Value::Object(graded.named),
            json!({"includes": 1.0, "model": 3.0, "model/style": 3.0, "model/tone": 0.5})
        );
        assert_eq!(
            graded.assertions[0],
            json!({"ordinal": 0, "type": "scorer", "metric": "includes", "passed": true, "score": 1.0, "value": "C",
                "reason": "found"})
        );
        assert!(!graded.assertions[1]["reason"].to_string().contains("1234567890"), "{}", graded.assertions[1]);
        let first = super::graded(scores, &Headline::default());
        assert_eq!((first.score, first.answer), (Some(1.0), Some(json!("a"))));
        assert_eq!(super::graded(&Map::new(), &headline), Graded::default());
    }
}
