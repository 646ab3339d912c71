//! Ids as clients may send them. One that is read is written again as it was.
#![no_main]

use async_graphql::ID;
use evalgraph::graphql::global_id::decode;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|id: &str| {
    let id = ID::from(id);
    if let Ok((node_type, row)) = decode(&id, "id") {
        assert_eq!(node_type.encode(row), id);
    }
});
