//! The audit log: what is written into it, who may read it, and when it is forgotten.

#[path = "../common/mod.rs"]
mod common;

mod commands;
mod every_mutation;
mod reading;
mod retention;
mod support;
mod transactions;
