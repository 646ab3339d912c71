//! The whole server over HTTP: what clients ask, and what they are told.

#[path = "../common/mod.rs"]
mod common;

mod bad_input;
mod comparison;
mod deleted;
mod each_field_alone;
mod filters;
mod limits;
mod pagination;
mod scenarios;
mod story;
mod unreadable;
mod visibility;
mod world;
mod written;

use serde_json::Value;

use crate::common::global_id;

/// The texts of one field of the objects in a list.
fn texts(objects: &Value, field: &str) -> Vec<String> {
    let objects = objects.as_array().unwrap_or_else(|| panic!("no list: {objects}"));
    let text = |object: &Value| object[field].as_str().unwrap_or_else(|| panic!("no {field}: {object}")).to_owned();
    objects.iter().map(text).collect()
}
