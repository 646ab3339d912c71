//! Full-text search among prompts.

use evalgraph::domain::{Principal, PromptStatus};
use serde_json::json;

use super::{all, check_filters, quoted};
use crate::common::{PromptBuilder, TestDatabase, TestServer, on_both_databases};
use crate::texts;

/// A prompt with a description and a content.
fn prompt(title: &str, description: &str, content: &str) -> PromptBuilder {
    PromptBuilder::new().title(title).with(|row| {
        row.description = Some(description.to_owned());
        content.clone_into(&mut row.content);
    })
}

async fn store(database: &TestDatabase) {
    prompt("Refund policy", "For support", "Answer <b>politely</b>: {{customer_name}}.").insert(database).await;
    prompt("Tickets", "Says whether a refund is due", "Classify; use gpt-4o. It's 50% done").insert(database).await;
    prompt("Orders", "", "The policy on every refund is strict. Größe ÄNDERN: naïve λόγος 日本語")
        .insert(database)
        .await;
    PromptBuilder::new().title("Nothing").insert(database).await;
}

async fn check_searches(server: &TestServer, cases: &[(&str, &[&str])]) {
    for (text, expected) in cases {
        let cases: [(&str, &[&str]); 1] = [(&format!("search: {}", quoted(text)), expected)];
        check_filters(server, &all("Query.prompts"), "title", &cases).await;
    }
}

on_both_databases! {
    async fn prompts_by_words(database: TestDatabase) {
        store(&database).await;
        let server = TestServer::start(&database).await;
        check_searches(
            &server,
            &[
                ("refund", &["Orders", "Refund policy", "Tickets"]),
                ("REFUND", &["Orders", "Refund policy", "Tickets"]),
                ("refunds", &[]),
                ("refun", &[]),
                // Each word anywhere.
                ("policy refund", &["Orders", "Refund policy"]),
                ("refund classify", &["Tickets"]),
                ("tickets due gpt", &["Tickets"]),
                ("refund nothing", &[]),
                ("größe ändern", &["Orders"]),
                ("ΛΌΓΟΣ", &["Orders"]),
                ("naive", &[]),
                ("日本語", &["Orders"]),
                ("日本", &[]),
                // Not searched.
                ("active", &[]),
                ("local", &[]),
            ],
        )
        .await;
    }

    async fn prompts_by_the_beginning_of_words(database: TestDatabase) {
        store(&database).await;
        let server = TestServer::start(&database).await;
        check_searches(
            &server,
            &[
                ("poli*", &["Orders", "Refund policy"]),
                ("POLITE*", &["Refund policy"]),
                ("re* cl*", &["Tickets"]),
                ("refund*", &["Orders", "Refund policy", "Tickets"]),
                ("日本*", &["Orders"]),
                ("olicy*", &[]),
                ("*olicy", &[]),
                ("p*", &[]),
            ],
        )
        .await;
    }

    async fn prompts_by_phrases(database: TestDatabase) {
        store(&database).await;
        let server = TestServer::start(&database).await;
        check_searches(
            &server,
            &[
                ("\"refund policy\"", &["Refund policy"]),
                ("\"policy refund\"", &[]),
                ("\"REFUND - Policy\"", &["Refund policy"]),
                ("\"every refund\" \"the policy\"", &["Orders"]),
                ("\"every refund\" classify", &[]),
                ("\"gpt-4o\"", &["Tickets"]),
                ("\"customer_name\"", &["Refund policy"]),
                // From the end of one text to the beginning of the next, and inside of words.
                ("\"policy for\"", &[]),
                ("\"support answer\"", &[]),
                ("\"efund polic\"", &[]),
                ("\"refund poli*\"", &[]),
            ],
        )
        .await;
    }

    async fn what_else_is_typed_separates_words(database: TestDatabase) {
        store(&database).await;
        let server = TestServer::start(&database).await;
        check_searches(
            &server,
            &[
                ("-refund", &["Orders", "Refund policy", "Tickets"]),
                ("title:refund", &[]),
                ("refund AND policy", &[]),
                ("refund OR nothing", &[]),
                ("NEAR(refund, 3)", &[]),
                ("(classify", &["Tickets"]),
                ("classify)) & | ! <-> :*", &["Tickets"]),
                ("\"classify", &["Tickets"]),
                ("it's 50%", &["Tickets"]),
                ("' OR 1 = 1 --", &[]),
                ("classify \\' \\", &["Tickets"]),
                ("😀 classify", &["Tickets"]),
                ("{{customer_name}}", &["Refund policy"]),
                ("$1 ? :name", &[]),
                ("classify^2 + gpt", &[]),
            ],
        )
        .await;
    }

    async fn a_blank_search_is_none(database: TestDatabase) {
        store(&database).await;
        let every: &[&str] = &["Nothing", "Orders", "Refund policy", "Tickets"];
        let server = TestServer::start(&database).await;
        check_searches(&server, &[("", every), (" \n", every)]).await;
        check_filters(&server, &all("Query.prompts"), "title", &[("search: null", every)]).await;
    }

    async fn a_search_that_cannot_be_made_is_refused(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let query = "query ($text: String) { prompts(filter: { search: $text }) { totalCount } }";
        for (text, problem) in [
            ("?!".to_owned(), "must contain a word: a word consists of letters and digits"),
            ("\"\"".to_owned(), "must contain a word: a word consists of letters and digits"),
            ("ü".repeat(501), "must have at most 500 characters, not 501"),
            ("x".repeat(100_000), "must have at most 500 characters, not 100000"),
            ("a ".repeat(33), "must have at most 32 words, not 33"),
        ] {
            let reply = server.send(query, json!({ "text": text })).await;
            let error = &reply.body["errors"][0];
            assert_eq!(error["message"], format!("filter.search: {problem}"));
            assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT");
            assert_eq!(error["extensions"]["argument"], "filter.search");
        }
        let longest = [&"ü".repeat(500), &"a ".repeat(32), &"ab* ".repeat(32), &"\"a b\" ".repeat(16)];
        for text in longest {
            assert_eq!(server.ask(query, json!({ "text": text })).await["prompts"]["totalCount"], 0, "{text}");
        }
    }

    async fn a_search_is_one_condition_of_several(database: TestDatabase) {
        store(&database).await;
        prompt("Refund draft", "", "").status(PromptStatus::Draft).tags(["x"]).name("a/b").insert(&database).await;
        prompt("Refund gone", "", "").deleted().insert(&database).await;
        let first = prompt("Refund lineage", "", "refund alpha").insert(&database).await;
        PromptBuilder::new().version_of(&first).with(|row| row.content = "refund beta".into()).insert(&database).await;
        let server = TestServer::start(&database).await;
        check_filters(
            &server,
            &all("Query.prompts"),
            "title",
            &[
                ("search: \"refund\", status: [DRAFT]", &["Refund draft"]),
                ("search: \"refund\", tags: \"x\", name: \"a/\"", &["Refund draft"]),
                ("search: \"policy\", status: [DRAFT]", &[]),
                ("search: \"gone\"", &[]),
                ("search: \"gone\", includeDeleted: true", &["Refund gone"]),
                ("search: \"lineage refund\", latestVersionOnly: true", &["Refund lineage"]),
                ("search: \"alpha\"", &["Refund lineage"]),
                // The newest version does not have it.
                ("search: \"alpha\", latestVersionOnly: true", &[]),
                ("search: \"refund\", createdAfter: \"2100-01-01T00:00:00Z\"", &[]),
            ],
        )
        .await;
    }

    async fn the_order_and_the_cursors_are_those_of_the_list(database: TestDatabase) {
        for title in ["c", "a", "x", "b"] {
            prompt(title, "", if title == "x" { "other" } else { "refund refund" }).insert(&database).await;
        }
        let server = TestServer::start(&database).await;
        let list = all("Query.prompts");
        for (arguments, expected) in [
            ("", ["b", "a", "c"]),
            ("orderBy: { field: TITLE, direction: ASC },", ["a", "b", "c"]),
            ("orderBy: { field: TITLE },", ["c", "b", "a"]),
        ] {
            let filtered = format!("{arguments} filter: {{ search: \"refund\" }}");
            let found = list.select(&server, &filtered, "totalCount nodes { title } edges { cursor }").await;
            assert_eq!(texts(&found["nodes"], "title"), expected);
            assert_eq!(found["totalCount"], 3);
            let rest = format!("{filtered}, first: 1, after: {}", found["edges"][0]["cursor"]);
            let rest = list.select(&server, &rest, "nodes { title } pageInfo { hasNextPage hasPreviousPage }").await;
            assert_eq!(texts(&rest["nodes"], "title"), expected[1..2]);
            assert_eq!(rest["pageInfo"], json!({ "hasNextPage": true, "hasPreviousPage": true }));
        }
    }

    async fn what_belongs_to_others_is_neither_found_nor_counted(database: TestDatabase) {
        for user in ["alice", "bob"] {
            prompt(user, "", "refund").user(user).insert(&database).await;
        }
        for (principal, expected) in [
            (Principal::user("alice"), vec!["alice"]),
            (Principal::user("carol"), vec![]),
            (Principal::local(), vec!["alice", "bob"]),
        ] {
            let server = TestServer::for_principal(&database, principal).await;
            check_searches(&server, &[("refund", &expected), ("refu*", &expected), ("\"x y\"", &[])]).await;
        }
        let server = TestServer::for_principal(&database, Principal::user("alice")).await;
        check_filters(&server, &all("Query.prompts"), "title", &[("search: \"refund\", userId: \"bob\"", &[])]).await;
    }

    async fn a_text_is_found_as_it_is_now(database: TestDatabase) {
        prompt("one", "", "alpha").insert(&database).await;
        let server = TestServer::start(&database).await;
        check_searches(&server, &[("alpha", &["one"]), ("beta", &[])]).await;
        database.execute("UPDATE prompts SET content = 'beta'").await;
        check_searches(&server, &[("alpha", &[]), ("beta", &["one"])]).await;
        database.execute("UPDATE prompts SET deleted_at = updated_at").await;
        check_searches(&server, &[("beta", &[])]).await;
    }
}
