//! Requests up to the point where they may be executed: the text, the parser, the limits, the variables. Slow inputs are
//! found too: libFuzzer reports what takes longer than `-timeout`.
#![no_main]

use std::sync::LazyLock;

use async_graphql::{Request, Variables};
use evalgraph::graphql::{Schema, ServiceLimits};
use libfuzzer_sys::fuzz_target;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::new(ServiceLimits::DEFAULT));

/// What parts the document from its variables.
const VARIABLES: &str = "\n#variables\n";

fuzz_target!(|input: &str| {
    let (query, variables) = input.split_once(VARIABLES).unwrap_or((input, ""));
    let variables = serde_json::from_str(variables).map(Variables::from_json).unwrap_or_default();
    let request = Request::new(query).variables(variables);
    if let Err(errors) = SCHEMA.prepare(&request) {
        assert!(!errors.is_empty());
        for error in errors {
            assert!(error.extensions.is_some_and(|extensions| extensions.get("code").is_some()), "{}", error.message);
        }
    }
});
