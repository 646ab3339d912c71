//! Filters of prompts.

use evalgraph::domain::{PromptStatus, Timestamp};

use super::{all, check_filters, quoted};
use crate::common::{PromptBuilder, TestDatabase, TestServer, on_both_databases};

/// A prompt without anything but a title, which is its label here.
fn titled(title: &str) -> PromptBuilder {
    PromptBuilder::new().title(title)
}

async fn check_prompts(database: &TestDatabase, cases: &[(&str, &[&str])]) {
    let server = TestServer::start(database).await;
    check_filters(&server, &all("Query.prompts"), "title", cases).await;
}

/// Stores a prompt under each name, with that name as its title.
async fn store_names(database: &TestDatabase, names: &[&str]) {
    for name in names {
        titled(name).name(name).insert(database).await;
    }
}

on_both_databases! {
    async fn prompts_by_user(database: TestDatabase) {
        for user in ["alice", "bob", "Bob"] {
            titled(user).user(user).insert(&database).await;
        }
        check_prompts(
            &database,
            &[
                ("", &["Bob", "alice", "bob"]),
                ("userId: null", &["Bob", "alice", "bob"]),
                ("userId: \"bob\"", &["bob"]),
                ("userId: \"carol\"", &[]),
                ("userId: \"\"", &[]),
            ],
        )
        .await;
    }

    async fn prompts_by_status(database: TestDatabase) {
        titled("draft").status(PromptStatus::Draft).insert(&database).await;
        titled("active").status(PromptStatus::Active).insert(&database).await;
        titled("archived").status(PromptStatus::Archived).insert(&database).await;
        check_prompts(
            &database,
            &[
                ("status: ACTIVE", &["active"]),
                ("status: [DRAFT]", &["draft"]),
                ("status: [ARCHIVED, DRAFT]", &["archived", "draft"]),
                ("status: [DRAFT, DRAFT]", &["draft"]),
                ("status: [DRAFT, ACTIVE, ARCHIVED]", &["active", "archived", "draft"]),
                ("status: []", &[]),
                ("status: null", &["active", "archived", "draft"]),
            ],
        )
        .await;
    }

    async fn prompts_by_name_or_folder(database: TestDatabase) {
        titled("nameless").insert(&database).await;
        store_names(&database, &["a", "a/", "a/b", "a/b/c", "a//d", "a0", "ab", "a.b", "a-b", "A/b", "b/a/b"]).await;
        check_prompts(
            &database,
            &[
                ("name: \"a\"", &["a"]),
                ("name: \"a/\"", &["a/", "a//d", "a/b", "a/b/c"]),
                ("name: \"a/b\"", &["a/b"]),
                ("name: \"a/b/\"", &["a/b/c"]),
                ("name: \"a//\"", &["a//d"]),
                ("name: \"b/a/\"", &["b/a/b"]),
                ("name: \"c/\"", &[]),
                ("name: \"/\"", &[]),
                ("name: \"\"", &[]),
            ],
        )
        .await;
    }

    async fn names_have_no_characters_with_a_meaning_but_the_slash(database: TestDatabase) {
        let names = [
            "50%", "50%/x", "a_b", "a_b/x", "axb", "axb/x", "it's", "say \"hi\"/x", "back\\slash", "größe/ß", "grösse",
            "日本/語", "🦀/\u{10ffff}", " a",
        ];
        store_names(&database, &names).await;
        let server = TestServer::start(&database).await;
        for name in names {
            let cases: [(&str, &[&str]); 1] = [(&format!("name: {}", quoted(name)), &[name])];
            check_filters(&server, &all("Query.prompts"), "title", &cases).await;
        }
        check_prompts(
            &database,
            &[
                ("name: \"50%/\"", &["50%/x"]),
                ("name: \"%\"", &[]),
                ("name: \"%/\"", &[]),
                ("name: \"a_b/\"", &["a_b/x"]),
                ("name: \"say \\\"hi\\\"/\"", &["say \"hi\"/x"]),
                ("name: \"größe/\"", &["größe/ß"]),
                ("name: \"日本/\"", &["日本/語"]),
                ("name: \"🦀/\"", &["🦀/\u{10ffff}"]),
                ("name: \"' OR 1 = 1 --\"", &[]),
            ],
        )
        .await;
    }

    async fn prompts_by_tags(database: TestDatabase) {
        titled("none").insert(&database).await;
        titled("one").tags(["x"]).insert(&database).await;
        titled("two").tags(["x", "y"]).insert(&database).await;
        titled("odd").tags(["a \"b\"", "c\\d", "50%", "größe", "[\"x\"]", "1", "null", ""]).insert(&database).await;
        check_prompts(
            &database,
            &[
                ("tags: \"x\"", &["one", "two"]),
                ("tags: [\"y\", \"x\"]", &["two"]),
                ("tags: [\"x\", \"x\"]", &["one", "two"]),
                ("tags: [\"x\", \"z\"]", &[]),
                ("tags: [\"X\"]", &[]),
                ("tags: []", &["none", "odd", "one", "two"]),
                ("tags: null", &["none", "odd", "one", "two"]),
                ("tags: [\"a \\\"b\\\"\"]", &["odd"]),
                ("tags: [\"c\\\\d\", \"50%\"]", &["odd"]),
                ("tags: [\"größe\"]", &["odd"]),
                ("tags: [\"[\\\"x\\\"]\"]", &["odd"]),
                ("tags: [\"1\", \"null\", \"\"]", &["odd"]),
                ("tags: [\"%\"]", &[]),
            ],
        )
        .await;
    }

    async fn prompts_by_time(database: TestDatabase) {
        let [before, at, after] =
            ["2026-11-22T23:59:59.999999Z", "2026-11-23T00:00:00Z", "2026-11-23T00:00:00.000001Z"];
        for time in [before, at, after] {
            titled(time).created_at(Timestamp::parse(time).unwrap()).insert(&database).await;
        }
        check_prompts(
            &database,
            &[
                ("createdAfter: \"2026-11-23T00:00:00Z\"", &[after, at]),
                ("createdBefore: \"2026-11-23T00:00:00Z\"", &[before]),
                // Another way to say the same.
                ("createdAfter: \"2026-11-23T05:30:00+05:30\"", &[after, at]),
                (
                    "createdAfter: \"2026-11-23T00:00:00Z\", createdBefore: \"2026-11-23T00:00:00.000001Z\"",
                    &[at],
                ),
                ("createdAfter: \"2026-11-23T00:00:00Z\", createdBefore: \"2026-11-23T00:00:00Z\"", &[]),
                ("createdAfter: \"0000-01-01T00:00:00Z\"", &[before, after, at]),
                ("createdBefore: \"9999-12-31T23:59:59Z\"", &[before, after, at]),
            ],
        )
        .await;
    }
}

/// A lineage of three versions, the newest of them deleted, one that is deleted as a whole, and one of one version.
async fn store_lineages(database: &TestDatabase) {
    let first = titled("v1").name("long").insert(database).await;
    let second = PromptBuilder::new().version_of(&first).title("v2").insert(database).await;
    PromptBuilder::new().version_of(&second).title("v3 deleted").deleted().insert(database).await;
    let gone = titled("gone v1").deleted().insert(database).await;
    PromptBuilder::new().version_of(&gone).title("gone v2").deleted().insert(database).await;
    titled("only").status(PromptStatus::Draft).insert(database).await;
}

on_both_databases! {
    async fn the_latest_version_is_the_newest_that_is_left(database: TestDatabase) {
        store_lineages(&database).await;
        check_prompts(
            &database,
            &[
                ("", &["only", "v1", "v2"]),
                ("latestVersionOnly: false", &["only", "v1", "v2"]),
                ("latestVersionOnly: true", &["only", "v2"]),
                ("latestVersionOnly: null", &["only", "v1", "v2"]),
            ],
        )
        .await;
    }

    async fn deleted_prompts_are_listed_on_demand(database: TestDatabase) {
        store_lineages(&database).await;
        check_prompts(
            &database,
            &[
                ("includeDeleted: true", &["gone v1", "gone v2", "only", "v1", "v2", "v3 deleted"]),
                ("includeDeleted: false", &["only", "v1", "v2"]),
                ("includeDeleted: null", &["only", "v1", "v2"]),
                // A lineage has one latest version then too.
                ("includeDeleted: true, latestVersionOnly: true", &["gone v2", "only", "v3 deleted"]),
            ],
        )
        .await;
    }

    async fn all_conditions_on_prompts_must_hold(database: TestDatabase) {
        store_lineages(&database).await;
        titled("tagged").tags(["x"]).user("bob").name("long").insert(&database).await;
        check_prompts(
            &database,
            &[
                ("name: \"long\"", &["tagged", "v1", "v2"]),
                ("name: \"long\", latestVersionOnly: true", &["tagged", "v2"]),
                ("name: \"long\", latestVersionOnly: true, userId: \"bob\"", &["tagged"]),
                ("name: \"long\", tags: [\"x\"], status: [ACTIVE, DRAFT]", &["tagged"]),
                ("name: \"long\", tags: [\"x\"], status: [DRAFT]", &[]),
                ("status: [DRAFT], latestVersionOnly: true", &["only"]),
                ("name: \"long\", includeDeleted: true, createdAfter: \"2100-01-01T00:00:00Z\"", &[]),
            ],
        )
        .await;
    }
}
