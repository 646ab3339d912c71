//! `src/db/schema.rs` is what both migrated databases are.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{Kind, TestLocation, sql};
use evalgraph::db::migrate::{migrate, revert};
use evalgraph::db::pool::DatabaseLocation;

const JOURNAL: &str = "__diesel_schema_migrations";

/// The columns of each table in order: name, type, and whether null is allowed.
type Tables = BTreeMap<String, Vec<String>>;

fn column(name: &str, sql_type: &str, nullable: bool) -> String {
    format!("{name} {sql_type}{}", if nullable { "" } else { " not null" })
}

/// What `schema.rs` says, in the words of a database.
fn declared(kind: Kind) -> Tables {
    let mut tables = Tables::new();
    let mut table = None;
    for line in include_str!("../src/db/schema.rs").lines().map(str::trim) {
        if let Some((name, rest)) = line.split_once(" (")
            && rest.ends_with(") {")
        {
            table = Some(name);
            tables.insert(name.to_owned(), Vec::new());
        } else if let Some((name, declared_type)) = line.split_once(" -> ")
            && let Some(declared_type) = declared_type.strip_suffix(',')
        {
            let inner = declared_type.strip_prefix("Nullable<").and_then(|inner| inner.strip_suffix('>'));
            let (postgres, sqlite) = match inner.unwrap_or(declared_type) {
                "Uuid" => ("uuid", "BLOB"),
                "Timestamptz" => ("timestamptz", "INTEGER"),
                "Jsonb" => ("jsonb", "TEXT"),
                "Text" => ("text", "TEXT"),
                "Int4" => ("int4", "INTEGER"),
                "Int8" => ("int8", "INTEGER"),
                "Float8" => ("float8", "REAL"),
                "Bool" => ("bool", "INTEGER"),
                other => panic!("this test does not know the type {other}"),
            };
            let sql_type = if kind == Kind::Postgres { postgres } else { sqlite };
            let columns = tables.get_mut(table.expect("columns follow their table")).unwrap();
            columns.push(column(name, sql_type, inner.is_some()));
        }
    }
    tables
}

/// What full-text search has in one database alone, and `schema.rs` does not: a column of `prompts` in PostgreSQL, tables
/// in SQLite.
const SEARCH_COLUMN: &str = "search_words tsvector";
const SEARCH_TABLES: &str = "prompt_search";

/// Indexes of a kind that only PostgreSQL has.
const GIN_INDEXES: [&str; 2] = ["prompts prompts_search_words search_words", "prompts prompts_tags tags"];

/// What the database says.
async fn existing(kind: Kind, location: &DatabaseLocation) -> Tables {
    let catalog = match kind {
        Kind::Postgres => {
            "SELECT concat_ws(' ', table_name, column_name, udt_name, is_nullable) AS value
             FROM information_schema.columns WHERE table_schema = current_schema()
             ORDER BY table_name, ordinal_position"
        }
        Kind::Sqlite => {
            "SELECT concat_ws(' ', t.name, c.name, c.type, iif(c.\"notnull\", 'NO', 'YES')) AS value
             FROM sqlite_schema AS t CROSS JOIN pragma_table_info(t.name) AS c
             WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite!_%' ESCAPE '!'
             ORDER BY t.name, c.cid"
        }
    };
    let mut tables = Tables::new();
    for line in sql::texts(location, catalog).await {
        let words: Vec<_> = line.split(' ').collect();
        let [table, name, sql_type, nullable] = words[..] else { panic!("{line}") };
        tables.entry(table.to_owned()).or_default().push(column(name, sql_type, nullable == "YES"));
    }
    tables.remove(JOURNAL).expect("Diesel notes what was applied");
    tables
}

/// Every index with its table, columns and nature. Those that serve a constraint have a name of the database's choice.
async fn indexes(kind: Kind, location: &DatabaseLocation) -> BTreeSet<String> {
    let catalog = match kind {
        Kind::Postgres => {
            "SELECT concat_ws(' ', t.relname, CASE WHEN k.oid IS NULL THEN n.relname END,
                      CASE WHEN i.indisunique THEN 'unique' END, CASE WHEN i.indpred IS NOT NULL THEN 'partial' END,
                      (SELECT string_agg(a.attname || CASE WHEN i.indoption[place - 1] & 1 = 1 THEN ' desc' ELSE '' END,
                                         ', ' ORDER BY place)
                       FROM unnest(i.indkey) WITH ORDINALITY AS keys (number, place)
                       JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = number)) AS value
             FROM pg_index AS i JOIN pg_class AS t ON t.oid = i.indrelid JOIN pg_class AS n ON n.oid = i.indexrelid
             LEFT JOIN pg_constraint AS k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u')
             WHERE t.relnamespace = current_schema()::regnamespace"
        }
        Kind::Sqlite => {
            "SELECT concat_ws(' ', t.name, iif(i.origin = 'c', i.name, NULL), iif(i.\"unique\", 'unique', NULL),
                      iif(i.partial, 'partial', NULL),
                      (SELECT group_concat(name || iif(desc, ' desc', ''), ', ' ORDER BY seqno)
                       FROM pragma_index_xinfo(i.name) WHERE key)) AS value
             FROM sqlite_schema AS t CROSS JOIN pragma_index_list(t.name) AS i WHERE t.type = 'table'"
        }
    };
    let mut indexes: BTreeSet<_> = sql::texts(location, catalog).await.into_iter().collect();
    indexes.retain(|index| !index.starts_with(JOURNAL));
    indexes
}

async fn check_tables(kind: Kind) {
    let database = TestLocation::migrated(kind).await;
    let (declared, mut existing) = (declared(kind), existing(kind, &database.location).await);
    existing.retain(|table, _| !table.starts_with(SEARCH_TABLES));
    if let Some(prompts) = existing.get_mut("prompts") {
        prompts.retain(|column| column != SEARCH_COLUMN);
    }
    assert!(declared.contains_key("prompts"), "schema.rs could not be read");
    assert_eq!(declared.keys().collect::<Vec<_>>(), existing.keys().collect::<Vec<_>>(), "the tables on {kind:?}");
    for (table, columns) in declared {
        assert_eq!(columns, existing[&table], "schema.rs and the columns of {table} on {kind:?}");
    }
}

#[tokio::test]
async fn postgres_has_the_declared_tables() {
    check_tables(Kind::Postgres).await;
}

#[tokio::test]
async fn sqlite_has_the_declared_tables() {
    check_tables(Kind::Sqlite).await;
}

#[tokio::test]
async fn both_databases_have_the_same_indexes() {
    let postgres = TestLocation::migrated(Kind::Postgres).await;
    let sqlite = TestLocation::migrated(Kind::Sqlite).await;
    let postgres = indexes(Kind::Postgres, &postgres.location).await;
    let sqlite = indexes(Kind::Sqlite, &sqlite.location).await;
    assert!(
        postgres.contains("prompts prompts_user_recent user_id, created_at desc, id desc, deleted_at"),
        "{postgres:#?}"
    );
    // Whose change a row of the outbox is, the databases tell in different ways.
    let is_special = |index: &String| {
        GIN_INDEXES.contains(&index.as_str()) || [SEARCH_TABLES, "cache_"].iter().any(|table| index.starts_with(table))
    };
    let only = |one: &BTreeSet<String>, other: &BTreeSet<String>| {
        one.difference(other).filter(|index| !is_special(index)).cloned().collect::<Vec<_>>()
    };
    assert_eq!(
        (only(&postgres, &sqlite), only(&sqlite, &postgres)),
        (vec![], vec![]),
        "indexes that only PostgreSQL has, and that only SQLite has"
    );
}

/// Without, whoever deletes a row has all rows searched for those that refer to it, and no plan tells.
#[tokio::test]
async fn every_foreign_key_has_an_index() {
    let database = TestLocation::migrated(Kind::Sqlite).await;
    let without = "SELECT t.name || ' ' || f.\"from\" AS value
         FROM sqlite_schema AS t CROSS JOIN pragma_foreign_key_list(t.name) AS f
         WHERE t.type = 'table' AND NOT EXISTS (
           SELECT 1 FROM pragma_index_list(t.name) AS i CROSS JOIN pragma_index_info(i.name) AS c
           WHERE c.seqno = 0 AND c.name = f.\"from\" AND NOT i.partial)";
    assert_eq!(sql::texts(&database.location, without).await, Vec::<String>::new());
    let keys = "SELECT count(*) AS value FROM sqlite_schema AS t CROSS JOIN pragma_foreign_key_list(t.name) AS f";
    assert!(sql::numbers(&database.location, keys).await[0] >= 8);
}

async fn check_way_back(kind: Kind) {
    let database = TestLocation::migrated(kind).await;
    let location = &database.location;
    let (tables, before) = (existing(kind, location).await, indexes(kind, location).await);

    let reverted = revert(location, usize::MAX).await.unwrap();
    assert!(!reverted.is_empty());
    assert_eq!(existing(kind, location).await, Tables::new());

    let mut applied = migrate(location).await.unwrap();
    applied.reverse();
    assert_eq!(applied, reverted);
    assert_eq!(existing(kind, location).await, tables);
    assert_eq!(indexes(kind, location).await, before);
}

#[tokio::test]
async fn postgres_can_be_reverted_and_migrated_again() {
    check_way_back(Kind::Postgres).await;
}

#[tokio::test]
async fn sqlite_can_be_reverted_and_migrated_again() {
    check_way_back(Kind::Sqlite).await;
}
