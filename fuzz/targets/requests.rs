//! Requests from their text to their answer: the text, the parser, the limits, the variables, and, where these let it
//! pass, validation and execution on an empty store. On a thread with the stack that the server's threads have. Slow
//! requests are found too: libFuzzer reports what takes longer than `-timeout`.
#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use async_graphql::{Request, Response, Variables};
use evalgraph::db::pool::{DatabaseLocation, PoolSettings};
use evalgraph::db::{Database, migrate};
use evalgraph::domain::Principal;
use evalgraph::graphql::{Free, RequestContext, RequestScope, Schema, ServiceLimits, TimeLimit, execute};
use libfuzzer_sys::fuzz_target;
use tokio::runtime::{Builder, Runtime};

/// What parts the document from its variables.
const VARIABLES: &str = "\n#variables\n";

struct Server {
    runtime: Runtime,
    database: Database,
    schema: Schema,
    _directory: tempfile::TempDir,
}

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let directory = tempfile::tempdir().expect("a directory");
    let location = DatabaseLocation::Sqlite(directory.path().join("fuzz.db"));
    let pools = PoolSettings {
        base: 1,
        overflow: 0,
        wait: Duration::from_secs(10),
        lifetime: Duration::from_hours(1),
        statement_timeout: Duration::from_secs(60),
        lock_wait: Duration::from_secs(60),
    };
    let database = runtime.block_on(async {
        migrate::migrate(&location).await.expect("an empty store");
        Database::open(&location, &pools).await.expect("an empty store")
    });
    Server { runtime, database, schema: Schema::new(ServiceLimits::DEFAULT), _directory: directory }
});

async fn answer(request: Request) -> Response {
    let server = &*SERVER;
    let context =
        RequestContext { principal: Principal::local(), api_tokens: None, request_id: "fuzz".into(), explain: false, may_write: true };
    let scope = RequestScope::new(server.database.clone(), context);
    let whole = Duration::from_secs(30);
    let limit = TimeLimit { deadline: tokio::time::Instant::now() + whole, whole };
    execute(&server.schema, &scope, request, limit, &Free, |_| ()).await.response
}

fuzz_target!(|input: &str| {
    let (query, variables) = input.split_once(VARIABLES).unwrap_or((input, ""));
    let variables = serde_json::from_str(variables).map(Variables::from_json).unwrap_or_default();
    let request = Request::new(query).variables(variables);
    let answering = SERVER.runtime.spawn(answer(request));
    let response = SERVER.runtime.block_on(answering).expect("no panic");
    for error in response.errors {
        let code = error.extensions.as_ref().and_then(|extensions| extensions.get("code")).map(ToString::to_string);
        // On an empty store nothing but the request can be wrong.
        assert!(code.is_some_and(|code| code != "\"INTERNAL\""), "{}", error.message);
    }
});
