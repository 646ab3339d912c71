//! The whole server over HTTP: what clients ask, and what they are told.

#[path = "../common/mod.rs"]
mod common;

mod bad_input;
mod comparison;
mod deleted;
mod filters;
mod limits;
mod pagination;
mod scenarios;
mod story;
mod unreadable;
mod visibility;
mod world;
mod written;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use uuid::Uuid;

/// The id of a row as clients see it.
fn global_id(object_type: &str, id: impl Into<Uuid>) -> String {
    STANDARD.encode(format!("{object_type}:{}", id.into()))
}

/// The texts of one field of the objects in a list.
fn texts(objects: &Value, field: &str) -> Vec<String> {
    let objects = objects.as_array().unwrap_or_else(|| panic!("no list: {objects}"));
    let text = |object: &Value| object[field].as_str().unwrap_or_else(|| panic!("no {field}: {object}")).to_owned();
    objects.iter().map(text).collect()
}
