//! Logs of Inspect.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|log: &[u8]| {
    if let Err(error) = evalgraph::ingest::inspect::read(log) {
        assert!(!error.to_string().is_empty());
    }
});
