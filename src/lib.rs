//! evalgraph: a self-hosted GraphQL server over LLM prompts, the evaluations run on them and the result of every test
//! case.
//!
//! A request goes from [`http`], where [`auth`] says whose it is, to the schema in [`graphql`], whose resolvers fetch through [`loaders`], which batch
//! into the statements of [`db`] and remember what these return in the [`cache`]; what they change goes through
//! [`writes`].

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod admission;
pub mod app;
pub mod auth;
pub mod cache;
pub mod cli;
pub mod config;
pub mod db;
pub mod demo;
pub mod domain;
pub mod graphql;
pub mod http;
pub mod ingest;
pub mod loaders;
pub mod telemetry;
pub mod writes;
