//! Everything that changes something, over HTTP: what is stored, what is refused, and what others see of it.

#[path = "../common/mod.rs"]
mod common;

mod create_prompt;
mod create_prompt_version;
mod deletion;
mod evaluations;
mod leaving;
mod model;
mod recording;
mod results;
mod runs;
mod statement_counts;
mod statuses;
mod support;
mod table;
mod templates;
mod update_prompt;
mod upsert_prompts;
