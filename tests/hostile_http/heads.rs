//! Addresses, methods and header fields that cannot be served.

use std::time::Duration;

use tokio::io::AsyncWriteExt as _;

use crate::common::Reply;
use crate::{VIEWER, connect, error_of, exchange, is_well, post, read_one, read_to_end, server, within};

/// What says that a query in an address is meant.
const MARK: &str = "x-evalgraph-request: 1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_is_not_there_and_a_method_that_is_not_known_are_told() {
    let server = server().await;
    for path in ["/nothing", "/graphql/", "/health", "//graphql", "/%00", "/../etc/passwd"] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n{MARK}\r\n\r\n");
        let reply = exchange(server.address, request).await;
        let (code, message) = error_of(&reply.json());
        assert_eq!((reply.status, code.as_str()), (404, "NOT_FOUND"), "{path}");
        assert_eq!(message, "there is nothing at this address: GraphQL is at /graphql");
    }
    for (method, path, allowed) in [
        ("PUT", "/graphql", "GET,HEAD,POST"),
        ("DELETE", "/graphql", "GET,HEAD,POST"),
        ("OPTIONS", "/graphql", "GET,HEAD,POST"),
        ("BREW", "/graphql", "GET,HEAD,POST"),
        ("POST", "/health/live", "GET,HEAD"),
    ] {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let reply = Reply::of(server.client.request(method.clone(), server.url(path))).await;
        assert_eq!((reply.status, error_of(&reply.body).0.as_str()), (405, "BAD_USER_INPUT"), "{method} {path}");
        assert_eq!(reply.headers["allow"], allowed, "{method} {path}");
        assert!(reply.headers.contains_key("x-request-id"));
    }
    let head = server.client.head(server.url("/graphql?query=%7B%20viewer%20%7B%20userId%20%7D%20%7D"));
    let reply = head.header("x-evalgraph-request", "1").send().await.unwrap();
    assert_eq!(reply.status(), 200);
    assert_eq!(reply.text().await.unwrap(), "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_cannot_be_read_is_refused() {
    let server = server().await;
    for (query, message) in [
        ("query=%", "a % without two hexadecimal digits"),
        ("query=%ff", "the address is not UTF-8"),
        ("query=%7Ba%7D&query=%7Bb%7D", "`query` is given twice"),
        ("query=%7Ba%7D&variables=%7B", "the parameter `variables` is not JSON"),
        ("query=%7Ba%7D&variables=[]", "`variables` must be a JSON object"),
        ("query=%7Ba%7D&operationName=A", "no operation named «A»"),
        ("variables=%7B%7D", "has no `query`"),
    ] {
        let request =
            format!("GET /graphql?{query} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n{MARK}\r\n\r\n");
        let reply = exchange(server.address, request).await;
        let (code, text) = error_of(&reply.json());
        assert_eq!((reply.status, code.as_str()), (400, "BAD_USER_INPUT"), "{query}: {text}");
        assert!(text.contains(message), "{query}: {text}");
    }
    // The name of the operation is read from the address too.
    let two = "query+A+%7B+viewer+%7B+userId+%7D+%7D+query+B+%7B+viewer+%7B+isAdmin+%7D+%7D&operationName=B";
    let request = server.client.get(server.url(&format!("/graphql?query={two}")));
    let reply = Reply::of(request.header("x-evalgraph-request", "1")).await;
    assert_eq!(reply.body["data"], serde_json::json!({ "viewer": { "isAdmin": true } }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_header_fields_is_refused_and_the_client_can_read_it() {
    let server = server().await;
    let many: String = (0..1_000).map(|number| format!("x-{number}: y\r\n")).collect();
    let large = |bytes| format!("x-large: {}\r\n", "y".repeat(bytes));
    for (what, field, status) in [("many", many, 431), ("large", large(129 << 10), 431), ("huge", large(4 << 20), 431)]
    {
        let reply = exchange(server.address, format!("GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n{field}\r\n")).await;
        assert_eq!((reply.status, reply.body.as_str()), (status, ""), "{what}");
    }
    for (length, status) in [(70 << 10, 414), (4 << 20, 431)] {
        let reply =
            exchange(server.address, format!("GET /{} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n", "y".repeat(length))).await;
        assert_eq!((reply.status, reply.body.as_str()), (status, ""), "{length}");
    }
    is_well(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_http_is_refused() {
    let server = server().await;
    let not_http: [&[u8]; 6] = [
        b"\0\0\0\0\0\0\0\0\r\n\r\n",
        b"hello\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS greeting\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nbad: \x00\r\n\r\n",
    ];
    for bytes in not_http {
        let reply = exchange(server.address, bytes).await;
        assert_eq!((reply.status, reply.body.as_str()), (400, ""), "{}", String::from_utf8_lossy(bytes));
    }
    // The answer is not lost to a reset when there is more to come.
    let mut stream = connect(server.address).await;
    within(stream.write_all(b"hello\r\n\r\n")).await.unwrap();
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        within(stream.write_all(b"more")).await.expect("the server goes on reading");
    }
    assert_eq!(read_to_end(&mut stream).await.status, 400);
    // Bytes that are no UTF-8 are allowed in header fields, and mean nothing here.
    let mut stream = connect(server.address).await;
    let request =
        post(VIEWER).replace("host: 127.0.0.1", "host: 127.0.0.1\r\nx-request-id: ?\r\naccept: */*\r\nx-odd: ?");
    let bytes: Vec<u8> = request.bytes().map(|byte| if byte == b'?' { 0xff } else { byte }).collect();
    within(stream.write_all(&bytes)).await.unwrap();
    assert_eq!(read_one(&mut stream).await.status, 200);
    is_well(&server).await;
}
