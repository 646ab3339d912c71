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
/// What follows from another setting is itself a comment, so that it goes on following when that is changed.
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
    if !value.is_set() {
        return format!("# {key}: not set\n");
    }
    let Some(shown) = value.shown() else {
        return format!("# {key}: not valid Unicode, so it cannot be written in a file  # {origin}\n");
    };
    let written = toml_value(value.setting.value_type(), &shown);
    let comment = if matches!(value.origin, Origin::Derived(_)) { "# " } else { "" };
    let masked = if value.is_masked() { ", masked" } else { "" };
    format!("{comment}{key} = {written}  # {origin}{masked}\n")
}

/// A path may contain anything; a comment ends with its line.
fn one_line(origin: &Origin) -> String {
    origin.to_string().chars().map(|character| if character.is_control() { '\u{fffd}' } else { character }).collect()
}

fn toml_value(value_type: ValueType, value: &str) -> String {
    match value_type {
        ValueType::Text => TomlStringBuilder::new(value).as_basic().to_toml_value(),
        // A plus sign and zeros at the beginning are no TOML.
        ValueType::Integer => value.parse::<i64>().map_or_else(|_| value.to_owned(), |number| number.to_string()),
        ValueType::Boolean => value.to_owned(),
    }
}

fn in_json(effective: &Effective) -> Value {
    effective.0.iter().map(|value| (value.setting.key().to_owned(), json_entry(value))).collect()
}

fn json_entry(value: &EffectiveValue) -> Value {
    json!({
        "value": value.shown().map(|shown| json_value(value.setting.value_type(), &shown)),
        "origin": value.origin.kind(),
        "from": value.origin.to_string(),
        "masked": value.is_masked(),
    })
}

fn json_value(value_type: ValueType, value: &str) -> Value {
    match value_type {
        ValueType::Text => value.into(),
        // In the same form as in TOML, where numbers and truth values are those of JSON.
        _ => serde_json::from_str(&toml_value(value_type, value)).unwrap_or_else(|_| value.into()),
    }
}
