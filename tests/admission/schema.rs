//! The schema and the explorer may be for administrators alone.

use evalgraph::app::App;
use evalgraph::domain::Principal;
use evalgraph::graphql::{Audience, ServiceLimits};
use serde_json::json;

use crate::code;
use crate::common::{TestDatabase, TestServer};

async fn serve(database: &TestDatabase, principal: Principal) -> TestServer {
    let limits = ServiceLimits { introspection: Audience::Administrators, ..ServiceLimits::DEFAULT };
    let mut app = App::with_limits(database.database.clone(), limits);
    app.explorer_access = Audience::Administrators;
    TestServer::with(app, principal).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_administrators_may_ask_for_the_schema() {
    let database = TestDatabase::sqlite().await;
    let user = serve(&database, Principal::user("ada")).await;
    let administrator = serve(&database, Principal::local()).await;
    for query in [
        "{ __schema { queryType { name } } }",
        "{ __type(name: \"Prompt\") { name } }",
        "{ viewer { userId } harmless: __schema { queryType { name } } }",
        "{ ...Hidden } fragment Hidden on Query { ... on Query { __type(name: \"Prompt\") { name } } }",
        "query A { viewer { userId } } query B { __schema { queryType { name } } }",
    ] {
        let body = json!({ "query": query, "operationName": query.starts_with("query A").then_some("B") });
        let ask =
            async |server: &TestServer| crate::Reply::of(server.client.post(server.url("/graphql")).json(&body)).await;
        let refused = ask(&user).await;
        assert_eq!((refused.status, code(&refused)), (403, "FORBIDDEN"), "{query}");
        assert_eq!(ask(&administrator).await.status, 200, "{query}");
    }
    let names = user.data("{ __typename viewer { __typename userId } }").await;
    assert_eq!(names, json!({ "__typename": "Query", "viewer": { "__typename": "Viewer", "userId": "ada" } }));
    // A name in a text asks for nothing.
    user.data("query __schema { promptByName(name: \"__schema\") { __type: id } }").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_administrators_may_open_the_explorer() {
    let database = TestDatabase::sqlite().await;
    let user = serve(&database, Principal::user("ada")).await;
    let administrator = serve(&database, Principal::local()).await;
    for path in ["/", "/licenses.txt", "/assets/nothing.js"] {
        let status = async |server: &TestServer| reqwest::get(server.url(path)).await.unwrap().status().as_u16();
        assert_eq!(status(&user).await, 403, "{path}");
        assert_ne!(status(&administrator).await, 403, "{path}");
    }
    // What is not the explorer is not concerned.
    user.data("{ viewer { userId } }").await;
    assert_eq!(reqwest::get(user.url("/health/live")).await.unwrap().status(), 200);
}
