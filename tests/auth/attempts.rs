//! So many wrong credentials are looked at from one address, and no more for a while.

use std::num::NonZeroU32;
use std::sync::Arc;

use evalgraph::admission::{Admission, AdmissionSettings};
use evalgraph::auth::{AuthSettings, Authenticator};
use evalgraph::http::{Proxies, ProxyHeader};
use serde_json::json;

use crate::common::{Reply, TestDatabase, TestServer};
use crate::signer::{Signer, claims};
use crate::{JWT_SECRET, check_refused, code, jwt_settings};

const WHO: &str = "{ viewer { userId } }";
const MOST: u32 = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_sends_wrong_credentials_again_and_again_is_turned_away() {
    let database = TestDatabase::sqlite().await;
    let mut jwt = jwt_settings("");
    jwt.issuers.clear();
    jwt.rules.scopes = None;
    let settings = AuthSettings { jwt: Some(jwt), token_secret: None };
    let authenticator = Arc::new(Authenticator::start(&settings, &database.database).await.unwrap());
    let limits = AdmissionSettings { failed_attempts_per_minute: NonZeroU32::new(MOST), ..AdmissionSettings::NONE };
    let mut app = TestServer::app(database.database.clone())
        .with_authenticator(authenticator)
        .with_admission(Admission::new(&limits, None));
    app.proxies = Arc::new(Proxies { trusted: "127.0.0.1".parse().unwrap(), header: ProxyHeader::XForwardedFor });
    let admission = Arc::clone(&app.admission);
    let server = TestServer::authenticating(app, TestServer::connections()).await;
    let ask = async |address: &str, token: Option<&str>| {
        let mut request = server.client.post(server.url("/graphql")).header("x-forwarded-for", address);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        Reply::of(request.json(&json!({ "query": WHO }))).await
    };
    let right = Signer::secret(JWT_SECRET).token(&claims("ada"));
    let wrong = Signer::secret("a secret of somebody else, of thirty-two bytes").token(&claims("ada"));

    assert_eq!(ask("192.0.2.1", Some(&right)).await.status, 200);
    // The one that is too many is still looked at.
    for _ in 0..=MOST {
        check_refused(&ask("192.0.2.1", Some(&wrong)).await, "a wrong credential");
    }
    // From here on nobody learns from that address whether a credential is right.
    for token in [&wrong, &right] {
        let reply = ask("192.0.2.1", Some(token)).await;
        assert_eq!((reply.status, code(&reply)), (429, "RATE_LIMITED"), "{reply:#?}");
        let wait: u64 = reply.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=20).contains(&wait), "{wait}");
        assert!(reply.body.get("data").is_none());
    }
    assert_eq!(admission.attempts.turned_away(), 2);
    // Nobody else is concerned, nor is who sends none.
    assert_eq!(ask("192.0.2.2", Some(&right)).await.status, 200);
    check_refused(&ask("192.0.2.1", None).await, "no credential");
}
