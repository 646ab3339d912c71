//! evalgraph
#![forbid(unsafe_code)]
#![warn(missing_docs)]
pub mod db;
pub mod domain;
pub mod loaders;
