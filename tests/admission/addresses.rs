//! The line of a request tells whose it is, as far as that is believed.

use std::sync::Arc;

use evalgraph::domain::Principal;
use evalgraph::http::{Proxies, ProxyHeader};

use crate::common::log::{capture_log, lines_about};
use crate::common::{TestDatabase, TestServer};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_tells_where_a_request_comes_from() {
    capture_log();
    let database = TestDatabase::sqlite().await;
    for (trusted, header, expected) in [
        ("", ("x-forwarded-for", "192.0.2.1"), "127.0.0.1"),
        ("10.0.0.0/8", ("x-forwarded-for", "192.0.2.1"), "127.0.0.1"),
        ("127.0.0.1", ("x-forwarded-for", "192.0.2.1"), "192.0.2.1"),
        ("127.0.0.0/8, 10.0.0.0/8", ("x-forwarded-for", "6.6.6.6, 2001:db8::1, 10.1.1.1"), "2001:db8::1"),
        ("::ffff:127.0.0.1", ("x-forwarded-for", "::ffff:192.0.2.1"), "192.0.2.1"),
        ("127.0.0.1", ("x-forwarded-for", "nonsense"), "127.0.0.1"),
        ("127.0.0.1", ("forwarded", "for=192.0.2.1"), "127.0.0.1"),
    ] {
        let mut app = TestServer::app(database.database.clone());
        let trusted = trusted.parse().unwrap();
        app.proxies = Arc::new(Proxies { trusted, header: ProxyHeader::XForwardedFor });
        let server = TestServer::with(app, Principal::local()).await;
        let id = uuid::Uuid::now_v7().to_string();
        let request = server.client.get(server.url("/nothing")).header(header.0, header.1);
        request.header("x-request-id", &id).send().await.unwrap();
        assert_eq!(lines_about(&id)[0]["client"], expected, "{header:?}");
    }
}
