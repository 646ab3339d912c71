//! The explorer: what is served, and what a browser makes of it.

#[path = "../common/mod.rs"]
mod common;

mod browser;
mod page;
mod served;
mod starter_tabs;
mod watched;
