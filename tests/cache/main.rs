//! The cache: what is remembered, that nothing stale is served, and what its failures cost.

#[path = "../common/mod.rs"]
mod common;

mod cluster;
mod consistency;
mod instance;
mod outages;
mod outbox;
mod process;
mod sentinel;
mod shared;
mod tls;
