//! Operations take what they cost from buckets that fill up.

use std::time::Duration;

use evalgraph::admission::AdmissionSettings;
use evalgraph::config::Settings;
use evalgraph::domain::Principal;
use evalgraph::http::{Networks, Proxies, ProxyHeader};
use serde_json::json;

use crate::common::{Reply, TestDatabase, TestServer};
use crate::{VIEWER, VIEWER_COST, code, header, rate, serve, until_poor, until_refused};

fn per_principal(per_second: u32, burst: u32) -> AdmissionSettings {
    AdmissionSettings { principal_rate: rate(per_second, burst), ..AdmissionSettings::NONE }
}

/// What is left in the only bucket.
fn remaining(reply: &Reply) -> u32 {
    let told = header(reply, "ratelimit").unwrap_or_else(|| panic!("{:?}", reply.headers));
    let remaining = told.split(";r=").nth(1).and_then(|rest| rest.split(';').next());
    remaining.unwrap_or_else(|| panic!("{told}")).parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_spent_everything_is_told_when_to_come_again_and_is_served_then() {
    let (server, _database) = serve(&per_principal(20, 250)).await;
    let first = server.send(VIEWER, json!({})).await;
    assert_eq!(first.status, 200);
    let policy = "\"principal\";q=250;qu=\"points\";w=13";
    assert_eq!(header(&first, "ratelimit-policy"), Some(policy));
    assert!(remaining(&first) <= 250 - VIEWER_COST, "{:?}", first.headers);
    assert_eq!(header(&first, "retry-after"), None);

    let (refused, _) = until_poor(&server).await;
    assert_eq!((refused.status, code(&refused)), (429, "RATE_LIMITED"), "{:#}", refused.body);
    assert_eq!(header(&refused, "ratelimit-policy"), Some(policy));
    assert!(remaining(&refused) < VIEWER_COST, "{:?}", refused.headers);
    let error = &refused.body["errors"][0];
    let wait: u64 = header(&refused, "retry-after").unwrap().parse().unwrap();
    assert_eq!(error["extensions"]["retryAfter"], wait);
    assert_eq!(
        (&error["extensions"]["limitName"], &error["extensions"]["cost"]),
        (&json!("principal"), &json!(VIEWER_COST))
    );
    assert!(error["message"].as_str().unwrap().contains(&format!("try again in {wait} s")), "{error}");
    // Older clients are told by the status, too: what was not looked at is not a well-formed request.
    let older = server.client.post(server.url("/graphql")).header("accept", "application/json");
    assert_eq!(Reply::of(older.json(&json!({ "query": VIEWER }))).await.status, 429);

    tokio::time::sleep(Duration::from_secs(wait)).await;
    assert_eq!(server.send(VIEWER, json!({})).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_counts_is_what_operations_cost() {
    let (server, _database) = serve(&per_principal(1, 1_000_000)).await;
    let mut before = 1_000_000;
    for (query, variables, cost) in [
        (VIEWER, json!({}), VIEWER_COST),
        // A connection, fifty objects with two values each, and an argument.
        ("{ prompts(first: 50) { nodes { id title } } }", json!({}), 100 + 2 + 50 * 3 + 1),
        ("{ nope }", json!({}), 101),
        ("{ viewer {", json!({}), 100),
        ("{ a b }", json!({ "unused": 1 }), 102),
        // A text of 16,000 bytes, which is a value where it is given and where it is used.
        ("query ($n: String!) { promptByName(name: $n) { id } }", json!({ "n": "x".repeat(16_000) }), 100 + 2 + 1_002),
    ] {
        let after = remaining(&server.send(query, variables).await);
        let spent = before - after;
        // While the test runs, some points come in.
        assert!(spent <= cost && spent + 60 >= cost, "{query}: {spent}, not {cost}");
        before = after;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_for_other_reasons_costs_something_too() {
    for body in ["{ nope", "not json"] {
        let (server, _database) = serve(&per_principal(1, 1_000)).await;
        let request = || server.client.post(server.url("/graphql")).header("content-type", "application/json");
        let mut statuses = Vec::new();
        while statuses.last() != Some(&429) && statuses.len() < 100 {
            let body = if body == "not json" { body.to_owned() } else { json!({ "query": body }).to_string() };
            statuses.push(Reply::of(request().body(body)).await.status);
        }
        let (last, others) = statuses.split_last().unwrap();
        assert!(*last == 429 && others.len() >= 10 && others.iter().all(|status| *status == 400), "{statuses:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_costs_more_than_may_ever_be_had_is_refused_for_good() {
    let (server, _database) = serve(&per_principal(1, 200)).await;
    let reply = server.send("{ prompts(first: 50) { nodes { id title } } }", json!({})).await;
    assert_eq!((reply.status, code(&reply)), (400, "LIMIT_EXCEEDED"));
    assert_eq!(header(&reply, "retry-after"), None);
    let error = &reply.body["errors"][0];
    assert!(error["message"].as_str().unwrap().contains("can never be executed"), "{error}");
    assert_eq!((&error["extensions"]["limit"], &error["extensions"]["value"]), (&json!(200), &json!(253)));
    assert_eq!(server.send(VIEWER, json!({})).await.status, 200, "nothing was taken for it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_address_has_its_own_points() {
    let database = TestDatabase::sqlite().await;
    let settings = AdmissionSettings { address_rate: rate(1, 1_000), ..AdmissionSettings::NONE };
    let mut app = TestServer::app(database.database.clone())
        .with_admission(evalgraph::admission::Admission::new(&settings, None));
    let trusted: Networks = "127.0.0.1".parse().unwrap();
    app.proxies = std::sync::Arc::new(Proxies { trusted, header: ProxyHeader::XForwardedFor });
    let server = TestServer::with(app, Principal::local()).await;
    let from = async |address: &str| {
        let request = server.client.post(server.url("/graphql")).header("x-forwarded-for", address);
        Reply::of(request.json(&json!({ "query": VIEWER }))).await
    };
    let (refused, executed) = until_poor(&server).await;
    assert_eq!((refused.status, code(&refused), executed), (429, "RATE_LIMITED", 9));
    assert!(header(&refused, "ratelimit").unwrap().starts_with("\"address\";r="));
    assert_eq!(from("192.0.2.1").await.status, 200);
    assert_eq!(from("2001:db8::1").await.status, 200);
    // What clients write themselves is to the left of what the proxy writes.
    assert_eq!(from("192.0.2.9, 127.0.0.1").await.status, 200);
    for _ in 0..8 {
        assert_eq!(from("198.51.100.7, 192.0.2.1").await.status, 200);
    }
    assert_eq!(from("203.0.113.5, 192.0.2.1").await.status, 429);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_usual_limits_honest_clients_meet_none() {
    let usual = AdmissionSettings { in_flight: None, in_flight_per_principal: None, ..Settings::default().admission() };
    let (server, _database) = serve(&usual).await;
    let nested = "{ prompts(first: 100) { nodes { id title evaluations(first: 10) { nodes { id model passRate \
                  testResults(first: 10) { nodes { id score outcome } } } } } } }";
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let request = server.client.post(server.url("/graphql")).json(&json!({ "query": nested }));
        requests.spawn(async move { Reply::of(request).await });
    }
    for reply in requests.join_all().await {
        assert_eq!(reply.status, 200, "{:#}", reply.body);
        let policies = "\"principal\";q=50000000;qu=\"points\";w=10, \"address\";q=100000000;qu=\"points\";w=10";
        assert_eq!(header(&reply, "ratelimit-policy"), Some(policies));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_limits_there_are_no_headers() {
    let (server, _database) = serve(&AdmissionSettings::NONE).await;
    let reply = server.send(VIEWER, json!({})).await;
    assert_eq!((header(&reply, "ratelimit"), header(&reply, "ratelimit-policy")), (None, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_get_no_more_than_one_after_the_other() {
    let (server, _database) = serve(&per_principal(1, 10 * VIEWER_COST + 1)).await;
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let request = server.client.post(server.url("/graphql")).json(&json!({ "query": VIEWER }));
        requests.spawn(async move { Reply::of(request).await.status });
    }
    let statuses = requests.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 10, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 40, "{statuses:?}");
    assert_eq!(until_refused(&server, VIEWER, json!({})).await.1, 0);
}
