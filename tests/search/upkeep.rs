//! The index is what the rows are, whoever wrote them and however.

use evalgraph::db::migrate::{migrate, revert};

use super::check_found;
use crate::common::{Kind, PromptBuilder, TestDatabase, on_both_databases, sql};

/// The migration that makes the index.
const MIGRATION: &str = "20261123000300";

fn prompt(title: &str, content: &str) -> PromptBuilder {
    PromptBuilder::new().title(title).with(|row| content.clone_into(&mut row.content))
}

on_both_databases! {
    async fn prompts_from_before_the_migration_are_found(database: TestDatabase) {
        prompt("old", "Classify the ticket").insert(&database).await;
        while !revert(&database.location, 1).await.unwrap().iter().any(|version| version == MIGRATION) {}
        prompt("between", "Classify the order").with(|row| row.description = Some("ticket".into())).insert(&database).await;
        migrate(&database.location).await.unwrap();
        prompt("new", "Write a ticket").insert(&database).await;
        check_found(&database, &[("ticket", &["between", "new", "old"]), ("classify", &["between", "old"])]).await;
    }

    async fn what_was_overwritten_is_no_longer_found(database: TestDatabase) {
        prompt("one", "alpha beta").insert(&database).await;
        prompt("two", "alpha gamma").with(|row| row.description = Some("delta".into())).insert(&database).await;
        check_found(&database, &[("alpha", &["one", "two"]), ("delta", &["two"])]).await;
        // Another client writes past the server.
        sql::execute(&database.location, "UPDATE prompts SET content = 'epsilon' WHERE title = 'one'").await;
        sql::execute(&database.location, "UPDATE prompts SET description = NULL WHERE title = 'two'").await;
        check_found(&database, &[("alpha", &["two"]), ("beta", &[]), ("epsilon", &["one"]), ("delta", &[])]).await;
        sql::execute(&database.location, "UPDATE prompts SET title = 'renamed' WHERE title = 'one'").await;
        check_found(&database, &[("one", &[]), ("renamed", &["renamed"]), ("epsilon", &["renamed"])]).await;
    }

    async fn what_was_removed_is_no_longer_found_and_leaves_nothing(database: TestDatabase) {
        for title in ["a", "b", "c"] {
            prompt(title, "alpha").insert(&database).await;
        }
        sql::execute(&database.location, "DELETE FROM prompts WHERE title = 'b'").await;
        prompt("d", "alpha").insert(&database).await;
        sql::execute(&database.location, "DELETE FROM prompts WHERE title = 'd'").await;
        prompt("e", "beta").insert(&database).await;
        check_found(&database, &[("alpha", &["a", "c"]), ("b", &[]), ("beta", &["e"])]).await;
        if database.kind == Kind::Sqlite {
            for table in ["prompt_search_numbers", "prompt_search"] {
                assert_eq!(database.count(table).await, 3, "{table}");
            }
        }
    }

    async fn what_was_rolled_back_is_not_found(database: TestDatabase) {
        prompt("kept", "alpha").insert(&database).await;
        let statements = "BEGIN; UPDATE prompts SET content = 'beta'; ROLLBACK";
        sql::execute(&database.location, statements).await;
        check_found(&database, &[("alpha", &["kept"]), ("beta", &[])]).await;
    }

    async fn ids_may_change(database: TestDatabase) {
        let prompt = prompt("kept", "alpha").insert(&database).await;
        let [old, new] = [prompt.id.0, uuid::Uuid::now_v7()].map(|id| database.kind.literal(id));
        let change = format!("UPDATE prompts SET id = {new}, root_id = {new} WHERE id = {old}");
        sql::execute(&database.location, &change).await;
        check_found(&database, &[("alpha", &["kept"])]).await;
    }

    /// Of a text of any length the beginning is searched, and a word of any length is found by its beginning.
    async fn texts_and_words_of_any_length_can_be_stored(database: TestDatabase) {
        let long = "é".repeat(100_000);
        prompt("long", &format!("{long}z after")).insert(&database).await;
        prompt("longest", &"é".repeat(500)).insert(&database).await;
        // As many bytes of words as there can be: each character has four of them.
        let word = |number: u32| format!("{}{}", char::from_u32(0x2_0000 + number).unwrap(), "\u{20000}".repeat(98));
        let words: Vec<_> = (1..=5_000).map(word).collect();
        let (before, after) = (words.join(" "), words[500..].join(" "));
        let heavy = prompt("heavy", &after).with(|row| row.description = Some(before));
        heavy.insert(&database).await;
        check_found(
            &database,
            &[
                ("after", &["long"]),
                (&"é".repeat(500), &["longest"]),
                (&format!("{}*", "é".repeat(250)), &["long", "longest"]),
                // The description ends with the 500th word, the content with the 2,500th.
                (&words[0], &["heavy"]),
                (&words[499], &["heavy"]),
                (&words[2_499], &["heavy"]),
                (&words[2_500], &[]),
            ],
        )
        .await;
    }
}

/// VACUUM may renumber the rows of a table that has no integer key, such as `prompts`. Present versions of SQLite do so only
/// where the table has no index either, so the rows are renumbered by hand as well.
#[tokio::test]
async fn the_index_survives_a_vacuum_and_new_row_numbers() {
    let database = TestDatabase::sqlite().await;
    for (title, content) in [("a", "alpha"), ("b", "beta"), ("c", "gamma"), ("d", "delta")] {
        prompt(title, content).insert(&database).await;
    }
    for statement in ["DELETE FROM prompts WHERE title IN ('a', 'c')", "VACUUM", "UPDATE prompts SET rowid = rowid / 2"]
    {
        sql::execute(&database.location, statement).await;
        check_found(&database, &[("gamma", &[]), ("beta", &["b"]), ("delta", &["d"])]).await;
    }
    let row_numbers = "SELECT rowid AS value FROM prompts ORDER BY title";
    assert_eq!(sql::numbers(&database.location, row_numbers).await, [1, 2]);

    sql::execute(&database.location, "UPDATE prompts SET content = 'epsilon' WHERE title = 'd'").await;
    sql::execute(&database.location, "DELETE FROM prompts WHERE title = 'b'").await;
    prompt("e", "beta").insert(&database).await;
    check_found(&database, &[("alpha", &[]), ("beta", &["e"]), ("delta", &[]), ("epsilon", &["d"])]).await;
    let faults = "SELECT integrity_check AS value FROM pragma_integrity_check";
    assert_eq!(sql::texts(&database.location, faults).await, ["ok"]);
}
