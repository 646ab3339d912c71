//! Answers as JSON.

use async_graphql::{Response, Value};
use serde::Serialize;

/// What is known to be JSON, as a value. async-graphql has no value for that: it is a `Binary`, which nothing in the
/// schema is otherwise.
pub fn written(json: Vec<u8>) -> Value {
    Value::Binary(json.into())
}

/// The answer as it is sent: `serde_json` would write the same, but for what is written already.
#[must_use]
pub fn response_json(response: &Response) -> Vec<u8> {
    let mut out = Vec::with_capacity(256 + written_length(&response.data));
    out.push(b'{');
    if !response.errors.is_empty() {
        out.extend_from_slice(b"\"errors\":");
        write_serialized(&mut out, &response.errors);
        out.push(b',');
    }
    out.extend_from_slice(b"\"data\":");
    write_value(&mut out, &response.data);
    if !response.extensions.is_empty() {
        out.extend_from_slice(b",\"extensions\":");
        write_serialized(&mut out, &response.extensions);
    }
    out.push(b'}');
    out
}

/// Appends a value.
pub fn write_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Binary(json) => out.extend_from_slice(json),
        Value::List(values) => {
            write_separated(out, [b'[', b']'], values, write_value);
        }
        Value::Object(fields) => write_separated(out, [b'{', b'}'], fields, |out, (name, value)| {
            write_serialized(out, name);
            out.push(b':');
            write_value(out, value);
        }),
        scalar => write_serialized(out, scalar),
    }
}

fn write_separated<T>(
    out: &mut Vec<u8>,
    [open, close]: [u8; 2],
    items: impl IntoIterator<Item = T>,
    write: impl Fn(&mut Vec<u8>, T),
) {
    out.push(open);
    for (place, item) in items.into_iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(close);
}

/// Appends what `serde_json` writes. It fails of objects whose keys are no texts alone, and of writers that fail; a list of
/// bytes never does.
fn write_serialized(out: &mut Vec<u8>, value: &impl Serialize) {
    let start = out.len();
    if let Err(error) = serde_json::to_writer(&mut *out, value) {
        tracing::error!(%error, "a value could not be written");
        out.truncate(start);
        out.extend_from_slice(b"null");
    }
}

/// About how long the JSON of a value is: most of a long answer is written already.
fn written_length(value: &Value) -> usize {
    match value {
        Value::Binary(json) => json.len(),
        Value::Object(fields) => fields.values().map(written_length).sum(),
        _ => 0,
    }
}
