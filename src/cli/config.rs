//! `evalgraph config`.

use std::io::Write as _;

use serde_json::{Value, json};
use toml_writer::{ToTomlValue as _, TomlStringBuilder};

use crate::config::{Effective, EffectiveValue, Origin, Settings, ValueType};

/// Prints the configuration in effect, and refuses one that cannot be used.
pub fn run(settings: &Settings, effective: &Effective, as_json: bool) -> anyhow::Result<()> {
    let text = if as_json { format!("{:#}\n", in_json(effective)) } else { in_toml(effective) };
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(settings.validate()?)
}

/// A configuration file with the same effect, secrets apart. A comment at each setting says where its value comes from.
fn in_toml(effective: &Effective) -> String {
    let mut text = String::new();
    let mut heading = "";
    for value in &effective.0 {
        if value.setting.heading() != heading {
            if !heading.is_empty() {
                text.push('\n');
            }
            heading = value.setting.heading();
            text += &format!("# {heading}\n");
        }
        text += &line(value);
    }
    text
}

fn line(value: &EffectiveValue) -> String {
    let (key, origin) = (value.setting.key(), one_line(&value.origin));
    let Some(shown) = value.shown() else {
        return format!("# {key}: not valid Unicode, so it cannot be written in a file  # {origin}\n");
    };
    if shown.is_empty() {
        return format!("# {key}: not set\n");
    }
    let items: Vec<_> = shown.iter().map(|item| toml_item(value.setting.value_type(), item)).collect();
    let written = if value.setting.is_list() { format!("[{}]", items.join(", ")) } else { items.join("") };
    let masked = if value.is_masked() { ", masked" } else { "" };
    format!("{key} = {written}  # {origin}{masked}\n")
}

/// A path may contain anything; a comment ends with its line.
fn one_line(origin: &Origin) -> String {
    origin.to_string().chars().map(|character| if character.is_control() { '\u{fffd}' } else { character }).collect()
}

fn toml_item(value_type: ValueType, item: &str) -> String {
    match value_type {
        ValueType::Text => TomlStringBuilder::new(item).as_basic().to_toml_value(),
        // A plus sign and zeros at the beginning are no TOML.
        ValueType::Integer => item.parse::<i128>().map_or_else(|_| item.to_owned(), |number| number.to_string()),
        ValueType::Float => item.parse::<f64>().map_or_else(|_| item.to_owned(), |number| format!("{number:?}")),
        ValueType::Boolean => item.to_owned(),
    }
}

fn in_json(effective: &Effective) -> Value {
    effective.0.iter().map(|value| (value.setting.key().to_owned(), json_entry(value))).collect()
}

fn json_entry(value: &EffectiveValue) -> Value {
    let items: Vec<_> = value.shown().unwrap_or_default();
    let mut items: Vec<_> = items.iter().map(|item| json_item(value.setting.value_type(), item)).collect();
    let shown = if value.setting.is_list() { Value::Array(items) } else { items.pop().unwrap_or(Value::Null) };
    json!({
        "value": shown,
        "origin": value.origin.kind(),
        "from": value.origin.to_string(),
        "masked": value.is_masked(),
    })
}

fn json_item(value_type: ValueType, item: &str) -> Value {
    match value_type {
        ValueType::Text => item.into(),
        // In the same form as in TOML, where numbers and truth values are those of JSON.
        _ => serde_json::from_str(&toml_item(value_type, item)).unwrap_or_else(|_| item.into()),
    }
}
