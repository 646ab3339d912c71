//! A search is a condition of every kind of list.

use evalgraph::db::StatementCount;
use evalgraph::db::columns::{Child, ColumnSet};
use evalgraph::db::entity::Entity as _;
use evalgraph::db::page::{Order, Slice};
use evalgraph::db::prompts::{NewPrompt, PromptFilter, PromptParent, Prompts};
use evalgraph::domain::{Principal, PromptOrderField};
use uuid::Uuid;

use super::terms;
use crate::common::{PromptBuilder, TestDatabase, on_both_databases};

/// Versions, of which the even ones have the word `refund`.
async fn lineage(database: &TestDatabase, title: &str, versions: i32) -> NewPrompt {
    let root = PromptBuilder::new().title(title).insert(database).await;
    for version in 2..=versions {
        let next = PromptBuilder::new().version_of(&root).with(|row| {
            row.version = version;
            row.content = if version % 2 == 0 { "a full refund".into() } else { "an order".into() };
        });
        next.insert(database).await;
    }
    root
}

on_both_databases! {
    async fn the_lists_of_many_parents_are_searched_at_once(database: TestDatabase) {
        let mut roots = Vec::new();
        for (title, versions) in [("long", 9), ("short", 2), ("none", 1)] {
            roots.push(Uuid::from(lineage(&database, title, versions).await.root_id));
        }
        for text in ["refund", "refu*", "\"full refund\"", "refund \"full refund\" long*"] {
            let filter = PromptFilter { search: Some(terms(text)), ..PromptFilter::default() };
            let (statements, parents, condition) = (StatementCount::default(), roots.clone(), filter.clone());
            let slice = Slice::first(3, Order::descending(PromptOrderField::CreatedAt));
            let pages = database.database.read(&statements, move |connection| {
                let parent = PromptParent::Root;
                Prompts::page_per_parent(
                    connection, &Principal::local(), parent, parents, &condition, slice, ColumnSet::ALL,
                )
            });
            let mut pages: Vec<_> =
                pages.await.unwrap().into_iter().map(|Child { place, row }| (place, -row.version.unwrap(), row.content.clone())).collect();
            pages.sort();
            let (statements, parents) = (StatementCount::default(), roots.clone());
            let counts = database.database.read(&statements, move |connection| {
                Prompts::count_per_parent(connection, &Principal::local(), PromptParent::Root, parents, &filter)
            });
            let mut counts = counts.await.unwrap();
            counts.sort();

            let found = |place, version: i32| (place, -version, Some("a full refund".to_owned()));
            let mut expected = vec![found(0, 8), found(0, 6), found(0, 4)];
            let mut expected_counts = vec![(roots[0], 4)];
            if !text.contains("long") {
                expected.push(found(1, 2));
                expected_counts.push((roots[1], 1));
            }
            assert_eq!((pages, counts), (expected, expected_counts), "{text}");
        }
    }
}
