//! Full-text search over prompts, below the API: both databases find the same, whatever happens to the rows.

#[path = "../common/mod.rs"]
mod common;

mod agreement;
mod lists;
mod plans;
mod upkeep;

use common::TestDatabase;
use evalgraph::db::columns::ColumnSet;
use evalgraph::db::entity::Entity as _;
use evalgraph::db::page::{Order, Slice};
use evalgraph::db::prompts::{PromptFilter, Prompts};
use evalgraph::db::{Database, StatementCount};
use evalgraph::domain::{Principal, PromptOrderField, SearchTerms};

fn terms(text: &str) -> SearchTerms {
    SearchTerms::read(text).unwrap().expect("there is a word")
}

/// The titles of the prompts that are found, in alphabetical order.
async fn titles(database: &Database, text: &str) -> Vec<String> {
    let filter = PromptFilter { search: Some(terms(text)), ..PromptFilter::default() };
    let slice = Slice::first(1_000, Order::ascending(PromptOrderField::Title));
    let count = StatementCount::default();
    let page = database.read(&count, move |connection| {
        Prompts::page(connection, &Principal::local(), &filter, slice, ColumnSet::NONE)
    });
    page.await.unwrap_or_else(|error| panic!("{text}: {error}")).into_iter().map(|row| row.title.clone()).collect()
}

async fn check_found(database: &TestDatabase, cases: &[(&str, &[&str])]) {
    for (text, expected) in cases {
        assert_eq!(titles(&database.database, text).await, *expected, "{text} on {:?}", database.kind);
    }
}
