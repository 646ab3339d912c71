//! Cursors as clients may send them. One that is read is written again as it was.
#![no_main]

use evalgraph::db::page::{Order, OrderField};
use evalgraph::domain::{EvaluationOrderField, PromptOrderField};
use evalgraph::graphql::pagination::ListIdentity;
use libfuzzer_sys::fuzz_target;

fn check<F: OrderField>(field: F, cursor: &str) {
    let list = ListIdentity { coordinate: "Query.list", parent: None, order: Order::descending(field) };
    if let Ok(position) = list.read_cursor("after", cursor) {
        assert_eq!(list.cursor(&position), cursor);
    }
}

fuzz_target!(|cursor: &str| {
    check(PromptOrderField::CreatedAt, cursor);
    check(PromptOrderField::Title, cursor);
    check(EvaluationOrderField::Position, cursor);
    check(EvaluationOrderField::OverallScore, cursor);
});
