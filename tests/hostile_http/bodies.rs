//! Bodies that cannot be read.

use std::time::{Duration, Instant};

use evalgraph::domain::Principal;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::common::{TestDatabase, TestServer};
use crate::{
    RawReply, VIEWER, connect, error_of, exchange, is_well, post, post_head, read_one, read_to_end, server, within,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_no_request_is_refused_by_name() {
    let server = server().await;
    let nul = "{\"query\":\"{ viewer { userId } } #\0\"}";
    let deep = format!(r#"{{"query":"{{ a }}","variables":{{"n":{}{}}}}}"#, "[".repeat(300), "]".repeat(300));
    let cases: &[(&[u8], u16, &str, &str)] = &[
        (b"", 400, "BAD_USER_INPUT", "the body is not JSON"),
        (b"query { viewer }", 400, "BAD_USER_INPUT", "the body is not JSON"),
        (b"{\"query\":\"\xff\xfe\"}", 400, "BAD_USER_INPUT", "the body is not UTF-8: the byte at 10"),
        (b"\xed\xa0\x80", 400, "BAD_USER_INPUT", "the body is not UTF-8: the byte at 0"),
        (nul.as_bytes(), 400, "BAD_USER_INPUT", "control character"),
        (b"null", 400, "BAD_USER_INPUT", "not null"),
        (b"[]", 400, "BAD_USER_INPUT", "one operation, not a list"),
        (b"{}", 400, "BAD_USER_INPUT", "has no `query`"),
        (br#"{"query":5}"#, 400, "BAD_USER_INPUT", "`query` must be a text, not a number"),
        (br#"{"query":"{ viewer { userId } }","variables":[]}"#, 400, "BAD_USER_INPUT", "`variables` must be"),
        (br#"{"query":"{ viewer { userId } }","variables":"{}"}"#, 400, "BAD_USER_INPUT", "not a text"),
        (br#"{"query":"{ viewer { userId } }","extensions":1}"#, 400, "BAD_USER_INPUT", "`extensions` must be"),
        (br#"{"query":"{ viewer { userId } }","operationName":1}"#, 400, "BAD_USER_INPUT", "`operationName` must be"),
        (br#"{"query":"{ viewer { userId } }","operationName":"A"}"#, 400, "BAD_USER_INPUT", "no operation named"),
        (br#"{"query":"{ viewer { userId } }","variables":{"n":1e999}}"#, 400, "BAD_USER_INPUT", "out of range"),
        (deep.as_bytes(), 400, "LIMIT_EXCEEDED", "nested too deeply"),
    ];
    for (body, status, code, message) in cases {
        let what = String::from_utf8_lossy(body);
        let head = post_head(&format!("content-length: {}\r\nconnection: close\r\n", body.len()));
        let reply = exchange(server.address, [head.as_bytes(), body].concat()).await;
        let (actual_code, actual_message) = error_of(&reply.json());
        assert_eq!((reply.status, actual_code.as_str()), (*status, *code), "{what}: {actual_message}");
        assert!(actual_message.contains(message), "{what}: {actual_message}");
        // Nothing of how it is made.
        assert!(!actual_message.contains("struct") && !actual_message.contains("::"), "{actual_message}");
    }
    let reply =
        exchange(server.address, post(&format!("\u{feff}{VIEWER}")).replace("host", "connection: close\r\nhost"));
    assert_eq!(reply.await.status, 200, "a byte order mark is ignored");
    is_well(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_of_another_kind_is_refused() {
    let server = server().await;
    for (name, value, message) in [
        ("content-type", "multipart/form-data; boundary=x", "not «multipart/form-data»"),
        ("content-type", "application/x-www-form-urlencoded", "not «application/x-www-form-urlencoded»"),
        ("content-type", "application/json; charset=utf-16", "the charset must be utf-8"),
        ("content-encoding", "gzip", "must not be compressed"),
        ("content-encoding", "br, identity", "must not be compressed"),
    ] {
        let request = server.client.post(server.url("/graphql")).body(VIEWER);
        let request = if name == "content-type" { request } else { request.header("content-type", "application/json") };
        let reply = crate::common::Reply::of(request.header(name, value)).await;
        let (code, text) = error_of(&reply.body);
        assert_eq!((reply.status, code.as_str()), (415, "BAD_USER_INPUT"), "{value}");
        assert!(text.contains(message), "{value}: {text}");
    }
    for content_type in [
        "application/json;charset=UTF-8",
        "application/json; charset=\"utf-8\"",
        "application/json; charset=utf8",
        "Application/JSON",
    ] {
        let request = server.client.post(server.url("/graphql")).header("content-type", content_type);
        let reply = crate::common::Reply::of(request.header("content-encoding", "identity").body(VIEWER)).await;
        assert_eq!(reply.status, 200, "{content_type}");
    }
}

const TEN_MEGABYTES: usize = 10 << 20;

/// More than any request may have.
const FORTY_MEGABYTES: usize = 40 << 20;

fn check_too_large(reply: &RawReply, limit: u32) {
    let (code, message) = error_of(&reply.json());
    assert_eq!((reply.status, code.as_str()), (413, "LIMIT_EXCEEDED"), "{message}");
    assert_eq!(message, format!("the body of the request is larger than {limit} bytes"));
    assert!(reply.head.contains("connection: close"), "{}", reply.head);
}

/// A client that sends everything before it reads anything gets the answer, not a reset.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_of_ten_megabytes_is_refused_and_the_client_can_read_why() {
    let server = server().await;
    let body = vec![b'x'; TEN_MEGABYTES];
    for _ in 0..5 {
        let mut stream = connect(server.address).await;
        let head = post_head(&format!("content-length: {TEN_MEGABYTES}\r\n"));
        within(stream.write_all(head.as_bytes())).await.unwrap();
        // Slowly enough that the server has answered long before.
        for part in body.chunks(TEN_MEGABYTES / 10) {
            within(stream.write_all(part)).await.expect("the server goes on reading");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        check_too_large(&read_to_end(&mut stream).await, 1 << 20);
    }
    is_well(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_without_a_length_is_refused_once_it_is_too_large() {
    let server = server().await;
    let mut stream = connect(server.address).await;
    within(stream.write_all(post_head("transfer-encoding: chunked\r\n").as_bytes())).await.unwrap();
    let chunk = format!("{:x}\r\n{}\r\n", 1 << 16, "x".repeat(1 << 16));
    for _ in 0..FORTY_MEGABYTES >> 16 {
        within(stream.write_all(chunk.as_bytes())).await.expect("the server goes on reading");
    }
    check_too_large(&read_to_end(&mut stream).await, 32 << 20);
    is_well(&server).await;
}

/// Such a client (curl, for one) waits to be told that it may send its body.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_asks_first_need_not_send_its_large_body() {
    let server = server().await;
    let head = post_head(&format!("content-length: {FORTY_MEGABYTES}\r\nexpect: 100-continue\r\n"));
    let mut stream = connect(server.address).await;
    within(stream.write_all(head.as_bytes())).await.unwrap();
    let reply = read_one(&mut stream).await;
    check_too_large(&reply, 32 << 20);

    let mut stream = connect(server.address).await;
    let head = post_head(&format!("content-length: {}\r\nexpect: 100-continue\r\n", VIEWER.len()));
    within(stream.write_all(head.as_bytes())).await.unwrap();
    let mut go_on = [0; 25];
    within(stream.read_exact(&mut go_on)).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    within(stream.write_all(VIEWER.as_bytes())).await.unwrap();
    assert_eq!(read_one(&mut stream).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_trickles_holds_its_connection_no_longer_than_a_request_may_take() {
    let database = TestDatabase::sqlite().await;
    let mut app = TestServer::app(database.database.clone());
    app.limits.request_timeout = Duration::from_millis(300);
    let server = TestServer::with(app, Principal::local()).await;
    let begun = Instant::now();
    let mut stream = connect(server.address).await;
    within(stream.write_all(post_head("content-length: 1000\r\n").as_bytes())).await.unwrap();
    let (mut read, mut write) = stream.split();
    let mut answer = Vec::new();
    let trickle = async {
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if write.write_all(b" ").await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        result = within(read.read_to_end(&mut answer)) => result.map(drop).unwrap(),
        () = trickle => {}
    }
    let reply = RawReply::parse(std::str::from_utf8(&answer).unwrap());
    let (code, message) = error_of(&reply.json());
    assert_eq!((reply.status, code.as_str()), (408, "TIMEOUT"), "{message}");
    assert!(reply.head.contains("connection: close"), "{}", reply.head);
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    is_well(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_whose_length_is_a_lie_is_refused() {
    let server = server().await;
    let length = VIEWER.len();
    // Shorter than it says: the client closes its side in the middle.
    let mut stream = connect(server.address).await;
    let request = format!("{}{VIEWER}", post_head(&format!("content-length: {}\r\n", length + 10)));
    within(stream.write_all(request.as_bytes())).await.unwrap();
    stream.shutdown().await.unwrap();
    let reply = read_to_end(&mut stream).await;
    assert_eq!((reply.status, error_of(&reply.json()).0.as_str()), (400, "BAD_USER_INPUT"));
    // The framing cannot be trusted: no message, and the end of the connection.
    for more in [
        format!("content-length: {length}\r\ncontent-length: {}\r\n", length + 1),
        "content-length: -1\r\n".to_owned(),
        "content-length: 0x10\r\n".to_owned(),
        "content-length: 99999999999999999999999\r\n".to_owned(),
        "transfer-encoding: gzip\r\n".to_owned(),
        "transfer-encoding: chunked, gzip\r\n".to_owned(),
    ] {
        let reply = exchange(server.address, format!("{}{VIEWER}", post_head(&more))).await;
        assert_eq!((reply.status, reply.body.as_str()), (400, ""), "{more}");
    }
    // Both: whoever is in between may have used the other one.
    let both = post_head(&format!("content-length: {length}\r\ntransfer-encoding: chunked\r\n"));
    let reply = exchange(server.address, format!("{both}5\r\nhello\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n")).await;
    assert!(reply.status == 400 && !reply.body.contains("404"), "{reply:?}");
    let bad_chunk = format!("{}zz\r\n", post_head("transfer-encoding: chunked\r\n"));
    let reply = exchange(server.address, bad_chunk).await;
    assert_eq!((reply.status, error_of(&reply.json()).0.as_str()), (400, "BAD_USER_INPUT"));
    is_well(&server).await;
}

/// Prompts of so many bytes altogether.
fn many_prompts(bytes: usize) -> String {
    let item = |number: usize| json!({ "title": format!("{number}"), "content": "x".repeat(10_000) });
    let input: Vec<_> = (0..bytes / 10_000).map(item).collect();
    let query = "mutation ($input: [UpsertPromptInput!]!) { upsertPrompts(input: $input) { affected } }";
    json!({ "query": query, "variables": { "input": input } }).to_string()
}

/// What changes many objects may be larger than what asks for some.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_objects_may_be_larger_and_take_turns() {
    let server = server().await;
    let post = |body: String| {
        let request = server.client.post(server.url("/graphql")).header("content-type", "application/json");
        crate::common::Reply::of(request.body(body))
    };
    // More at a time than there are places for.
    let replies = futures_util::future::join_all((0..8).map(|_| post(many_prompts(TEN_MEGABYTES / 2)))).await;
    for reply in replies {
        assert_eq!(reply.body["data"]["upsertPrompts"]["affected"], TEN_MEGABYTES / 2 / 10_000, "{:#}", reply.body);
    }
    // Not what only looks like it.
    let other = many_prompts(TEN_MEGABYTES / 2).replace("mutation (", "query (");
    assert_eq!(post(other).await.status, 413);
    is_well(&server).await;
}
