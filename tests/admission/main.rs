//! Who is let in: how much and how many at a time, from where, and what browsers may be made to send.

#[path = "../common/mod.rs"]
mod common;

mod addresses;
mod browsers;
mod pages_elsewhere;
mod places;
mod rates;
mod schema;
mod shared;

use std::num::NonZeroU32;

use evalgraph::admission::{Admission, AdmissionSettings, Rate};
use evalgraph::domain::Principal;
use serde_json::{Value, json};

use common::{Reply, TestDatabase, TestServer};

/// Costs a hundred points, and two for its values.
const VIEWER: &str = "{ viewer { userId } }";
const VIEWER_COST: u32 = 102;

/// A bucket.
fn rate(per_second: u32, burst: u32) -> Option<Rate> {
    Some(Rate { per_second: NonZeroU32::new(per_second)?, burst: NonZeroU32::new(burst)? })
}

/// A server for the administrator `local`, and its database, which stays as long.
async fn serve(settings: &AdmissionSettings) -> (TestServer, TestDatabase) {
    let database = TestDatabase::sqlite().await;
    let server = serve_over(&database, settings, Principal::local()).await;
    (server, database)
}

/// A server over this database for this principal.
async fn serve_over(database: &TestDatabase, settings: &AdmissionSettings, principal: Principal) -> TestServer {
    let admission = Admission::new(settings, None);
    TestServer::with(TestServer::app(database.database.clone()).with_admission(admission), principal).await
}

/// The code of the only error, of an answer without data.
fn code(reply: &Reply) -> &str {
    assert_eq!(reply.body.get("data"), None, "{:#}", reply.body);
    let errors = reply.body["errors"].as_array().unwrap_or_else(|| panic!("{:#}", reply.body));
    assert_eq!(errors.len(), 1, "{errors:#?}");
    errors[0]["extensions"]["code"].as_str().unwrap()
}

/// A header of an answer, if it has that.
fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    reply.headers.get(name).map(|value| value.to_str().unwrap())
}

/// Sends an operation until it is not executed; what was answered then, and how often it was executed before.
async fn until_refused(server: &TestServer, query: &str, variables: Value) -> (Reply, usize) {
    for executed in 0..200 {
        let reply = server.send(query, variables.clone()).await;
        if reply.status != 200 {
            return (reply, executed);
        }
    }
    panic!("everything is executed")
}

/// Sends the operation that costs little until it is not executed.
async fn until_poor(server: &TestServer) -> (Reply, usize) {
    until_refused(server, VIEWER, json!({})).await
}
