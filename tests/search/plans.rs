//! How the databases find words: they say so themselves.

use diesel::ExpressionMethods as _;
use diesel::pg::Pg;
use diesel::query_builder::QueryFragment as _;
use evalgraph::db::conditions::Conditions;
use evalgraph::db::page::{Order, Page, Slice};
use evalgraph::db::schema::prompts;
use evalgraph::db::search::contains;
use evalgraph::domain::{Principal, PromptOrderField};

use super::{check_found, terms};
use crate::common::plans::plan;
use crate::common::{Kind, TestDatabase, on_both_databases, sql};

/// The newest prompts of a user that have these words.
fn newest(text: &str) -> Page<prompts::table, prompts::id> {
    let mut conditions = Conditions::default();
    conditions.require(prompts::user_id.eq(Principal::LOCAL_USER));
    conditions.require(prompts::deleted_at.is_null());
    conditions.require_unforeseeable(contains(&terms(text)));
    Page::new(prompts::id, conditions, Slice::first(21, Order::descending(PromptOrderField::CreatedAt)))
}

/// PostgreSQL looks rare words up and walks the prompts for frequent ones, as long as it knows the word when it plans.
#[test]
fn postgres_plans_for_the_words_that_are_searched() {
    assert!(!newest("rare").is_safe_to_cache_prepared(&Pg).unwrap());
    let slice = Slice::first(21, Order::descending(PromptOrderField::CreatedAt));
    let all = Page::new(prompts::id, Conditions::<prompts::table>::default(), slice);
    assert!(all.is_safe_to_cache_prepared(&Pg).unwrap());
}

/// 12,000 prompts, all with the word `common`, every thousandth with the word `rare`, and statistics that know of them.
async fn fill(database: &TestDatabase) {
    let (id, time, series) = match database.kind {
        Kind::Sqlite => (
            "unhex(printf('%032x', n))",
            "1790000000000000 + n",
            "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 12000)",
        ),
        Kind::Postgres => (
            "lpad(to_hex(n), 32, '0')::uuid",
            "timestamptz '2026-11-23 00:00Z' + n * interval '1 microsecond'",
            "WITH numbers AS (SELECT generate_series(1, 12000) AS n)",
        ),
    };
    let insert = format!(
        "INSERT INTO prompts (id, user_id, title, content, content_hash, root_id, status, created_at, updated_at)
         {series}
         SELECT {id}, 'local', 'number ' || n, 'common x' || (n % 100) || CASE WHEN n % 1000 = 0 THEN ' rare' ELSE '' END,
                'none', {id}, 'active', {time}, {time}
         FROM numbers"
    );
    sql::execute(&database.location, &insert).await;
    sql::execute(&database.location, if database.kind == Kind::Sqlite { "ANALYZE" } else { "VACUUM ANALYZE prompts" })
        .await;
}

fn assert_has(plan: &str, parts: &[&str]) {
    for part in parts {
        assert!(plan.contains(part), "{part}: {plan}");
    }
}

fn assert_has_not(plan: &str, parts: &[&str]) {
    for part in parts {
        assert!(!plan.contains(part), "{part}: {plan}");
    }
}

on_both_databases! {
    async fn a_rare_word_is_looked_up_in_the_index(database: TestDatabase) {
        fill(&database).await;
        check_found(&database, &[("rare 3000", &["number 3000"])]).await;
        let index: &[&str] = match database.kind {
            Kind::Sqlite => &["SCAN prompt_search VIRTUAL TABLE INDEX", "sqlite_autoindex_prompts_1 (id=?)"],
            Kind::Postgres => &["Bitmap Index Scan on prompts_search_words"],
        };
        let plan = plan(&database, newest("rare")).await;
        assert_has(&plan, index);
        assert_has_not(&plan, &["Seq Scan", "SCAN prompts"]);
    }

    /// PostgreSQL knows how frequent words are: it walks the prompts in order, and soon has enough. SQLite does not: it
    /// looks all of them up and sorts them.
    async fn a_frequent_word_needs_no_scan_either(database: TestDatabase) {
        fill(&database).await;
        let way: &[&str] = match database.kind {
            Kind::Sqlite => &["SCAN prompt_search VIRTUAL TABLE INDEX", "sqlite_autoindex_prompts_1 (id=?)"],
            Kind::Postgres => &["Limit", "Index Scan using prompts_"],
        };
        let plan = plan(&database, newest("common")).await;
        assert_has(&plan, way);
        assert_has_not(&plan, &["Seq Scan", "SCAN prompts", "Bitmap", "Sort"]);
    }
}
