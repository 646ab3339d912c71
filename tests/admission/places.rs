//! So many requests are worked on at a time.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use evalgraph::admission::{Admission, AdmissionSettings, InFlightCounts, Patience};
use evalgraph::domain::{Credential, Principal, Scopes};
use serde_json::json;

use crate::common::sql::WriteLock;
use crate::common::{Reply, TestDatabase, TestServer, eventually, on_both_databases};
use crate::{VIEWER, code, header};

/// Waits for whoever has locked the table of runs.
const CHANGE: &str = "mutation { startRun(input: { name: \"x\" }) { run { id } } }";

/// Nobody is waited for.
fn places(in_flight: u32, per_principal: u32) -> AdmissionSettings {
    AdmissionSettings {
        in_flight: NonZeroU32::new(in_flight),
        in_flight_per_principal: NonZeroU32::new(per_principal),
        patience: Patience { usual: Duration::ZERO, hurried: Duration::ZERO, ..Patience::USUAL },
        ..AdmissionSettings::NONE
    }
}

struct Crowded {
    server: TestServer,
    admission: Arc<Admission>,
}

impl Crowded {
    async fn serve(database: &TestDatabase, settings: &AdmissionSettings, principal: Principal) -> Self {
        let app = TestServer::app(database.database.clone()).with_admission(Admission::new(settings, None));
        let admission = Arc::clone(&app.admission);
        Self { server: TestServer::with(app, principal).await, admission }
    }

    fn counts(&self) -> &InFlightCounts {
        self.admission.in_flight.counts()
    }

    async fn has_in_flight(&self, requests: u64) {
        let is_so = async || self.counts().in_flight.load(Ordering::Relaxed) == requests;
        eventually(Duration::from_secs(10), "so many requests are in flight", is_so).await;
    }

    /// A request that is worked on until the lock is gone.
    fn begin_change(&self) -> tokio::task::JoinHandle<Reply> {
        let request = self.server.client.post(self.server.url("/graphql")).json(&json!({ "query": CHANGE }));
        tokio::spawn(Reply::of(request))
    }
}

on_both_databases! {
    async fn who_finds_no_place_is_told_to_come_again(database: TestDatabase) {
        let crowded = Crowded::serve(&database, &places(1, 0), Principal::local()).await;
        let lock = WriteLock::take(&database.location).await;
        let change = crowded.begin_change();
        crowded.has_in_flight(1).await;
        for _ in 0..3 {
            let refused = crowded.server.send(VIEWER, json!({})).await;
            assert_eq!((refused.status, code(&refused), header(&refused, "retry-after")), (503, "UNAVAILABLE", Some("1")));
        }
        // Those who ask how it is are answered.
        for path in ["/health/live", "/health/ready"] {
            assert_eq!(reqwest::get(crowded.server.url(path)).await.unwrap().status(), 200, "{path}");
        }
        drop(lock);
        let changed = change.await.unwrap();
        assert!(changed.status == 200 && changed.body.get("errors").is_none(), "{:#}", changed.body);
        crowded.has_in_flight(0).await;
        crowded.server.data(VIEWER).await;
        assert_eq!(crowded.counts().refused_server.load(Ordering::Relaxed), 3);
    }

    async fn who_leaves_makes_room(database: TestDatabase) {
        let crowded = Crowded::serve(&database, &places(1, 0), Principal::local()).await;
        let _lock = WriteLock::take(&database.location).await;
        let change = crowded.begin_change();
        crowded.has_in_flight(1).await;
        change.abort();
        crowded.has_in_flight(0).await;
        crowded.server.data(VIEWER).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_user_has_only_so_many_places() {
    let database = TestDatabase::sqlite().await;
    let ada = Principal::user("ada").with(Scopes::OWN, Credential::Jwt);
    let crowded = Crowded::serve(&database, &places(10, 1), ada).await;
    let lock = WriteLock::take(&database.location).await;
    let change = crowded.begin_change();
    crowded.has_in_flight(1).await;
    let refused = crowded.server.send(VIEWER, json!({})).await;
    assert_eq!((refused.status, code(&refused), header(&refused, "retry-after")), (429, "RATE_LIMITED", Some("1")));
    assert_eq!(crowded.counts().refused_principal.load(Ordering::Relaxed), 1);
    drop(lock);
    assert_eq!(change.await.unwrap().status, 200);
    crowded.has_in_flight(0).await;
    crowded.server.data(VIEWER).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nobody_is_known_nobody_is_told_from_others() {
    let database = TestDatabase::sqlite().await;
    let crowded = Crowded::serve(&database, &places(2, 1), Principal::local()).await;
    let _lock = WriteLock::take(&database.location).await;
    let _change = crowded.begin_change();
    crowded.has_in_flight(1).await;
    crowded.server.data(VIEWER).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_that_comes_once_is_served() {
    let database = TestDatabase::sqlite().await;
    let patience = Patience { usual: Duration::from_secs(60), ..Patience::USUAL };
    let settings = AdmissionSettings { patience, ..places(2, 0) };
    let crowded = Crowded::serve(&database, &settings, Principal::local()).await;
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let request = crowded.server.client.post(crowded.server.url("/graphql")).json(&json!({ "query": VIEWER }));
        let admission = Arc::clone(&crowded.admission);
        requests.spawn(async move {
            let reply = Reply::of(request).await;
            (reply.status, admission.in_flight.counts().in_flight.load(Ordering::Relaxed))
        });
    }
    for (status, in_flight) in requests.join_all().await {
        assert_eq!(status, 200);
        assert!(in_flight <= 2, "{in_flight}");
    }
    crowded.has_in_flight(0).await;
    assert_eq!(crowded.counts().waiting.load(Ordering::Relaxed), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_does_not_arrive_takes_no_place() {
    use tokio::io::AsyncWriteExt as _;
    let database = TestDatabase::sqlite().await;
    let crowded = Crowded::serve(&database, &places(1, 0), Principal::local()).await;
    let mut slow = Vec::new();
    for _ in 0..3 {
        let mut stream = tokio::net::TcpStream::connect(crowded.server.address).await.unwrap();
        let head = "POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
        stream.write_all(head.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    for _ in 0..5 {
        crowded.server.data(VIEWER).await;
    }
}
