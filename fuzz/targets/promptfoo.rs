//! Result files of promptfoo, in all formats.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    if let Err(error) = evalgraph::ingest::promptfoo::read(file) {
        assert!(!error.to_string().is_empty());
    }
});
