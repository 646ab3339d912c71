//! What traces have of a request: which spans there are below which, what is never in them, and where they go.

#[path = "../common/mod.rs"]
mod common;

mod afterwards;
mod all_resolvers;
mod background;
mod exporting;
mod receivers;
mod recorded;
mod trees;
