//! Cursors as clients may send them. One that is read is written again as it was.
#![no_main]

use evalgraph::db::page::Direction;
use evalgraph::graphql::pagination::ListIdentity;
use libfuzzer_sys::fuzz_target;

const LIST: ListIdentity =
    ListIdentity { coordinate: "Query.prompts", parent: None, direction: Direction::Descending };

fuzz_target!(|cursor: &str| {
    if let Ok(position) = LIST.read_cursor("after", cursor) {
        assert_eq!(LIST.cursor(position), cursor);
    }
});
