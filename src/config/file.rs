//! The configuration file.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::catalog::{Setting, ValueType};
use super::effective::Origin;
use super::error::SettingsError;

/// No configuration is longer; a file that was not meant may be without end. Of one with nothing but mistakes, each is
/// told, which takes the longer the more there are.
const LONGEST_FILE: u64 = 64 << 10;
/// How similar a key must be to a setting to be taken for a slip of the pen, from 0 to 1.
const SIMILAR: f64 = 0.8;

/// What the file says of one setting.
#[derive(Debug)]
pub struct Entry {
    pub key: String,
    pub value: OsString,
    pub origin: Origin,
}

/// Reads a file. Every key in it must be a setting, and every value one that the setting can have. Returns what can be
/// used and, in the order of the lines, everything that is wrong; or the first error of syntax.
pub fn read(path: &Path, settings: &[Setting]) -> (Vec<Entry>, Vec<SettingsError>) {
    let text = match read_text(path) {
        Ok(text) => text,
        Err(error) => {
            let unreadable = SettingsError::Unreadable { path: path.to_owned(), cause: error.to_string() };
            return (Vec::new(), vec![unreadable]);
        }
    };
    let table = match DeTable::parse(&text) {
        Ok(table) => table,
        Err(error) => return (Vec::new(), vec![syntax_error(path, &text, &error)]),
    };
    let mut in_order: Vec<_> = table.get_ref().iter().collect();
    in_order.sort_by_key(|(key, _)| key.span().start);
    let (mut entries, mut faults) = (Vec::new(), Vec::new());
    for (key, value) in in_order {
        let (line, _) = position(&text, key.span().start);
        let origin = Origin::File { path: path.to_owned(), line };
        match entry(key.get_ref(), value.get_ref(), origin, settings) {
            Ok(entry) => entries.push(entry),
            Err(fault) => faults.push(fault),
        }
    }
    (entries, faults)
}

fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(LONGEST_FILE + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LONGEST_FILE {
        return Err(io::Error::other(format!("it is larger than {LONGEST_FILE} bytes")));
    }
    Ok(text)
}

/// The parser's own words show the line, and with it what may be a password.
fn syntax_error(path: &Path, text: &str, error: &toml::de::Error) -> SettingsError {
    let (line, column) = position(text, error.span().map_or(0, |span| span.start));
    SettingsError::Syntax { path: path.to_owned(), line, column, cause: error.message().to_owned() }
}

/// The line and column of a place in a text, from 1.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

fn entry(key: &str, value: &DeValue<'_>, origin: Origin, settings: &[Setting]) -> Result<Entry, SettingsError> {
    let Some(setting) = settings.iter().find(|setting| setting.key() == key) else {
        let hint = match value {
            DeValue::Table(_) => ": settings stand at the top level, without tables".to_owned(),
            _ => suggestion(key, settings),
        };
        return Err(SettingsError::UnknownKey { origin, key: key.to_owned(), hint });
    };
    let Some(value) = as_after_flag(setting.value_type(), value) else {
        let (key, expected, found) = (key.to_owned(), setting.expected(), type_name(value));
        return Err(SettingsError::Type { origin, key, expected, found });
    };
    setting.check(&value, &origin)?;
    Ok(Entry { key: key.to_owned(), value, origin })
}

fn suggestion(key: &str, settings: &[Setting]) -> String {
    let similarity = |setting: &Setting| strsim::jaro(setting.key(), key);
    let similar = settings.iter().filter(|setting| similarity(setting) >= SIMILAR);
    match similar.max_by(|a, b| similarity(a).total_cmp(&similarity(b))) {
        Some(setting) => format!(": did you mean {}?", setting.key()),
        None => "; `evalgraph config` lists all".to_owned(),
    }
}

/// A value as it would be written after the flag. `None` when it is of another type.
fn as_after_flag(value_type: ValueType, value: &DeValue<'_>) -> Option<OsString> {
    let text = match (value_type, value) {
        (ValueType::Text, DeValue::String(text)) => text.to_string(),
        (ValueType::Boolean, DeValue::Boolean(value)) => value.to_string(),
        (ValueType::Integer, DeValue::Integer(number)) => match i128::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => number.to_string(),
            Err(_) => number.to_string(),
        },
        _ => return None,
    };
    Some(text.into())
}

fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
