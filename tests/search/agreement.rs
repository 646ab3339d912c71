//! Both databases, and the reader of search texts, agree about words.

use evalgraph::domain::{MAX_SEARCH_CHARACTERS, SearchTerms};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};

use super::titles;
use crate::common::{PromptBuilder, TestDatabase, sql};

/// Every character that is assigned, and some that are not: the planes between have none.
fn characters() -> impl Iterator<Item = char> {
    ('\u{1}'..='\u{2_ffff}').chain('\u{e_0000}'..='\u{e_0fff}')
}

fn numbers(characters: impl Iterator<Item = char>) -> Vec<i64> {
    characters.map(|character| i64::from(u32::from(character))).collect()
}

/// The numbers of the characters, as a table `characters (c)` of a statement.
const CHARACTERS: &str = "WITH RECURSIVE characters (c) AS
    (SELECT 1 UNION ALL SELECT CASE c WHEN 196607 THEN 917504 WHEN 55295 THEN 57344 ELSE c + 1 END
     FROM characters WHERE c < 921599)";

/// A table with the tokenizer of the index, in which row n is the character n between two letters.
async fn tokenized(database: &TestDatabase) {
    let definition = "SELECT sql AS value FROM sqlite_schema WHERE name = 'prompt_search'";
    let definition = sql::texts(&database.location, definition).await.remove(0);
    let tokenizer = definition.lines().find(|line| line.contains("tokenize")).unwrap();
    let statements = format!(
        "CREATE VIRTUAL TABLE probe USING fts5 (text, {tokenizer});
         CREATE VIRTUAL TABLE probe_words USING fts5vocab (probe, 'instance');
         INSERT INTO probe (rowid, text) {CHARACTERS} SELECT c, 'x' || char(c) || 'x' FROM characters"
    );
    sql::execute(&database.location, &statements).await;
}

#[tokio::test]
async fn the_same_characters_separate_words() {
    let (sqlite, postgres) = (TestDatabase::sqlite().await, TestDatabase::postgres().await);
    let separates = |character| match SearchTerms::read(&format!("x{character}y")).unwrap() {
        Some(terms) => terms.iter().count() == 2,
        None => panic!("{character:?} hides letters"),
    };
    let read = numbers(characters().filter(|&character| separates(character)));
    assert!(read.len() > 5_000, "{}", read.len());

    tokenized(&sqlite).await;
    let by_sqlite = "SELECT rowid AS value FROM probe WHERE probe MATCH '\"x x\"' ORDER BY rowid";
    assert!(sql::numbers(&sqlite.location, by_sqlite).await == read, "SQLite");
    let by_postgres = format!(
        "{CHARACTERS} SELECT c::bigint AS value FROM characters WHERE search_spaced('x' || chr(c) || 'x') = ' x x ' ORDER BY c"
    );
    assert!(sql::numbers(&postgres.location, &by_postgres).await == read, "PostgreSQL");
}

/// In the scripts that have cases, but for what is named here. PostgreSQL knows those of its locale; that of the tests is
/// `C.UTF-8`.
#[tokio::test]
async fn the_same_characters_are_equal_in_lower_case() {
    let (sqlite, postgres) = (TestDatabase::sqlite().await, TestDatabase::postgres().await);
    tokenized(&sqlite).await;
    // Latin, Greek, Cyrillic, Armenian. 304 is the capital I with a dot, of which SQLite knows no small letter.
    let condition =
        "(c BETWEEN 48 AND 591 OR c BETWEEN 902 AND 974 OR c BETWEEN 1024 AND 1319 OR c BETWEEN 1329 AND 1415
                      OR c BETWEEN 7680 AND 7829 OR c BETWEEN 7840 AND 7935) AND c <> 304";
    let by_sqlite = format!(
        "SELECT term AS value FROM probe_words JOIN (SELECT doc AS c FROM probe_words GROUP BY doc HAVING count(*) = 1)
         ON c = doc WHERE {condition} ORDER BY doc"
    );
    let by_postgres = format!(
        "{CHARACTERS} SELECT search_fold('x' || chr(c) || 'x') AS value FROM characters
         WHERE search_spaced('x' || chr(c) || 'x') <> ' x x ' AND {condition} ORDER BY c"
    );
    let by_sqlite = sql::texts(&sqlite.location, &by_sqlite).await;
    assert!(by_sqlite.len() > 1_000, "{}", by_sqlite.len());
    assert_eq!(by_sqlite, sql::texts(&postgres.location, &by_postgres).await);
}

/// Words with more or less common beginnings, in more or less lower case.
fn word() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "refund",
        "Refunds",
        "REFUNDED",
        "policy",
        "Police",
        "gpt",
        "4o",
        "größe",
        "GRÖẞE",
        "GRÖSSE",
        "λόγος",
        "ΛΌΓΟΣ",
        "日本語",
        "日本",
        "हिन्दी",
        "naïve",
        "naive",
        "AND",
        "or",
        "Near",
        "tag",
        "a",
        "🦀",
    ])
    .prop_map(str::to_owned)
}

/// What stands between words, in texts and in what is typed.
fn separator() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        " ", " ", " ", "\n", "-", "_", "/", ".", "@", ":", "'", "''", "\\", "%", " & ", " | ", "!", "<->", "<b>",
        "</b>", "(", ")", "*", "* ", "\"", " \"", "\" ", "{{", "}}", "^", "+", "😀", "\u{200d}", ";--", "$1", "?", "[",
        "]", "NEAR(", "title:",
    ])
    .prop_map(str::to_owned)
}

fn text(longest: usize) -> impl Strategy<Value = String> {
    vec((word(), separator()), 0..longest)
        .prop_map(|parts| parts.into_iter().map(|(word, separator)| word + &separator).collect())
}

/// What is typed: words with what may come between, or anything.
fn typed() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => text(5),
        1 => text(3).prop_map(|text| format!("\"{text}\"")),
        1 => vec(any::<char>(), 0..40).prop_map(String::from_iter),
        1 => vec(prop_oneof![separator(), word()], 0..20).prop_map(|parts| parts.concat()),
    ]
}

/// Stores the same prompts in both.
async fn fill(databases: [&TestDatabase; 2]) {
    let mut runner = TestRunner::deterministic();
    for number in 0..150 {
        let mut some = |longest| text(longest).new_tree(&mut runner).unwrap().current();
        let (title, description, content) = (some(3), some(6), some(25));
        for database in databases {
            let prompt = PromptBuilder::new().title(&format!("{number} {title}")).with(|row| {
                row.description = (number % 3 > 0).then(|| description.clone());
                row.content.clone_from(&content);
            });
            prompt.insert(database).await;
        }
    }
}

#[test]
fn both_find_the_same_and_neither_fails() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (sqlite, postgres) = runtime.block_on(async {
        let (sqlite, postgres) = (TestDatabase::sqlite().await, TestDatabase::postgres().await);
        fill([&sqlite, &postgres]).await;
        (sqlite, postgres)
    });
    let (mut found, mut missed) = (0, 0);
    let mut runner = TestRunner::new(Config { cases: 400, failure_persistence: None, ..Config::default() });
    let result = runner.run(&typed(), |text| {
        prop_assume!(matches!(SearchTerms::read(&text), Ok(Some(_))));
        let (one, other) = runtime
            .block_on(async { (titles(&sqlite.database, &text).await, titles(&postgres.database, &text).await) });
        prop_assert_eq!(one, other);
        Ok(())
    });
    result.unwrap();
    // That they agree means something only where something is found, and not always everything.
    let mut runner = TestRunner::deterministic();
    for _ in 0..50 {
        let text = format!("{} {}", word().new_tree(&mut runner).unwrap().current(), "a");
        let number = runtime.block_on(titles(&sqlite.database, &text)).len();
        if number > 0 { found += 1 } else { missed += 1 }
    }
    assert!(found > 10, "{found} found something, {missed} nothing");
    runtime.block_on(async { drop((sqlite, postgres)) });
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in vec(any::<char>(), 0..MAX_SEARCH_CHARACTERS * 2)) {
        let text = String::from_iter(text);
        if let Ok(Some(terms)) = SearchTerms::read(&text) {
            prop_assert!(terms.iter().count() > 0);
        }
    }
}
