//! Connections that are kept without use, closed by half, or too many.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::common::PromptBuilder;
use crate::{Served, VIEWER, connect, exchange, is_well, limited, post, read_one, read_to_end, server, within};

/// Waits for the server to close the connection; how long that took.
async fn closed(stream: &mut TcpStream) -> Duration {
    let begun = Instant::now();
    let mut rest = Vec::new();
    // A reset is an end, too.
    let _ = within(stream.read_to_end(&mut rest)).await;
    begun.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_does_not_arrive_in_time_costs_the_connection() {
    let server = limited(|limits| limits.header_timeout = Duration::from_millis(200)).await;
    let mut silent = connect(server.address).await;
    let mut half = connect(server.address).await;
    within(half.write_all(b"GET / HT")).await.unwrap();
    let mut preface = connect(server.address).await;
    within(preface.write_all(b"PRI * HT")).await.unwrap();
    let mut later = connect(server.address).await;
    within(later.write_all(post(VIEWER).as_bytes())).await.unwrap();
    assert_eq!(read_one(&mut later).await.status, 200);
    within(later.write_all(b"GET / HTTP/1.1\r\nhost:")).await.unwrap();
    let mut trickling = connect(server.address).await;
    for stream in [&mut silent, &mut half, &mut preface, &mut later] {
        let waited = closed(stream).await;
        assert!(waited < Duration::from_secs(3), "{waited:?}");
    }
    trickle(&mut trickling).await;
    // As HTTP/2 begins, and yet a method of HTTP/1.
    let mut like_preface = connect(server.address).await;
    within(like_preface.write_all(b"PRIV / HTTP/1.1\r\nx: ")).await.unwrap();
    trickle(&mut like_preface).await;
    is_well(&server).await;
}

/// Sends byte after byte of a head, until the server has had enough.
async fn trickle(stream: &mut TcpStream) {
    let begun = Instant::now();
    while stream.write_all(b"x").await.is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(5), "a head that trickles is not waited for");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The first bytes of HTTP/2, and a SETTINGS frame without settings.
const HTTP2_BEGINNING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preface_that_comes_in_parts_is_one_of_http2() {
    let server = limited(|limits| limits.header_timeout = Duration::from_millis(500)).await;
    let mut stream = connect(server.address).await;
    for part in [&HTTP2_BEGINNING[..1], &HTTP2_BEGINNING[1..2], &HTTP2_BEGINNING[2..20], &HTTP2_BEGINNING[20..]] {
        within(stream.write_all(part)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    // Nothing is asked for, and it is kept for as long as any that is idle.
    let early = tokio::time::timeout(Duration::from_secs(2), closed(&mut stream)).await;
    assert!(early.is_err(), "only a head has to arrive in time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_of_http2_are_told_how_much_they_may_send() {
    let server = server().await;
    let mut stream = connect(server.address).await;
    within(stream.write_all(HTTP2_BEGINNING)).await.unwrap();
    let mut head = [0; 9];
    within(stream.read_exact(&mut head)).await.unwrap();
    assert_eq!((head[0], head[1], head[3]), (0, 0, 4), "a short SETTINGS frame comes first: {head:?}");
    let mut settings = vec![0; head[2].into()];
    within(stream.read_exact(&mut settings)).await.unwrap();
    // MAX_CONCURRENT_STREAMS and MAX_HEADER_LIST_SIZE (RFC 9113, section 6.5.2).
    for setting in [[0, 3, 0, 0, 0, 200], [0, 6, 0, 1, 0, 0]] {
        assert!(settings.chunks(6).any(|told| told == setting), "{setting:?} of {settings:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_without_requests_is_closed_after_a_while() {
    let server = limited(|limits| limits.idle_timeout = Duration::from_millis(300)).await;
    let mut stream = connect(server.address).await;
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        within(stream.write_all(post(VIEWER).as_bytes())).await.unwrap();
        assert_eq!(read_one(&mut stream).await.status, 200);
    }
    let waited = closed(&mut stream).await;
    assert!(waited > Duration::from_millis(150), "it is kept for a while: {waited:?}");
    assert!(waited < Duration::from_secs(12), "{waited:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_of_http2_is_not_kept_by_pings() {
    let server = limited(|limits| {
        limits.idle_timeout = Duration::from_millis(300);
        // How often it is looked at, too.
        limits.header_timeout = Duration::from_millis(300);
    })
    .await;
    let mut stream = connect(server.address).await;
    within(stream.write_all(HTTP2_BEGINNING)).await.unwrap();
    let begun = Instant::now();
    while stream.write_all(b"\0\0\x08\x06\0\0\0\0\0 a ping ").await.is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(5), "it is of no use");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(begun.elapsed() > Duration::from_millis(250), "it is kept for a while");
}

/// The answer is larger than what the system keeps for a client that does not read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_its_answer_is_given_up() {
    let server = limited(|limits| {
        limits.idle_timeout = Duration::from_millis(300);
        limits.header_timeout = Duration::from_millis(300);
        limits.most = 1;
    })
    .await;
    let request = request_for_much(&server).await;
    let closing = request.replace("host", "connection: close\r\nhost");
    let whole = exchange(server.address, closing).await.body.len();
    assert!(whole > MUCH, "{whole}");
    let mut stream = connect(server.address).await;
    within(stream.write_all(request.as_bytes())).await.unwrap();
    // There is one slot: this is answered when the other has lost it.
    is_well(&server).await;
    let mut rest = Vec::new();
    // What the system had kept can be read, or is lost to a reset.
    let _ = within(stream.read_to_end(&mut rest)).await;
    assert!(rest.len() < whole, "the answer was sent to its end");
}

/// More bytes than the system keeps for a client that does not read.
const MUCH: usize = 40 << 20;

/// A request whose answer is larger than that.
async fn request_for_much(server: &Served) -> String {
    PromptBuilder::new().insert(&server.database).await;
    let fill = "PRAGMA ignore_check_constraints = ON; UPDATE prompts SET content = printf('%.*c', 1048576, 'x')";
    server.database.execute(fill).await;
    let fields: String = (0..=MUCH >> 20).map(|number| format!("c{number}: content ")).collect();
    post(&serde_json::json!({ "query": format!("{{ prompts {{ nodes {{ {fields} }} }} }}") }).to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_closes_its_side_gets_all_of_a_large_answer_however_slowly_it_reads() {
    let server = server().await;
    let request = request_for_much(&server).await;
    let mut stream = connect(server.address).await;
    within(stream.write_all(request.as_bytes())).await.unwrap();
    stream.shutdown().await.unwrap();
    // Longer than the patience with the request.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let reply = read_to_end(&mut stream).await;
    assert_eq!(reply.status, 200);
    assert!(reply.body.len() > MUCH, "{}", reply.body.len());
    assert!(reply.body.ends_with('}'), "it is whole");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_closes_its_side_gets_its_answer() {
    // The usual patience may not be enough for a test machine that is busy.
    let server = limited(|limits| limits.half_close_patience = Duration::from_secs(60)).await;
    for _ in 0..20 {
        let mut stream = connect(server.address).await;
        // It takes a statement, so that the server sees the client's side closed before it has the answer.
        within(stream.write_all(post(r#"{"query":"{ prompts { totalCount } }"}"#).as_bytes())).await.unwrap();
        stream.shutdown().await.unwrap();
        // With the end of the connection, and before the patience has an end.
        let reply = read_to_end(&mut stream).await;
        assert_eq!((reply.status, &reply.json()["data"]["prompts"]["totalCount"]), (200, &0.into()));
    }
    // Without a request there is nothing to wait for.
    let mut stream = connect(server.address).await;
    stream.shutdown().await.unwrap();
    assert!(closed(&mut stream).await < Duration::from_secs(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_connections_than_there_may_be_wait_for_their_turn() {
    let server = limited(|limits| limits.most = 2).await;
    let first = connect(server.address).await;
    let mut second = connect(server.address).await;
    within(second.write_all(post(VIEWER).as_bytes())).await.unwrap();
    assert_eq!(read_one(&mut second).await.status, 200);

    let mut third = connect(server.address).await;
    within(third.write_all(post(VIEWER).as_bytes())).await.unwrap();
    let mut byte = [0];
    let early = tokio::time::timeout(Duration::from_millis(200), third.peek(&mut byte)).await;
    assert!(early.is_err(), "there is no slot for it yet");
    drop(first);
    assert_eq!(read_one(&mut third).await.status, 200);
}

/// What clients leave behind is given back: no connection, and so no file, stays open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_left_of_clients_that_went_away() {
    // As many as there are slots, so that one that is not given back is missed.
    let server = limited(|limits| limits.most = 20).await;
    for round in 0..100_usize {
        let mut stream = connect(server.address).await;
        let request = post(VIEWER);
        let sent = &request.as_bytes()[..request.len() * (round % 10) / 9];
        within(stream.write_all(sent)).await.unwrap();
    }
    let mut streams = Vec::new();
    for _ in 0..20 {
        let mut stream = connect(server.address).await;
        within(stream.write_all(post(VIEWER).as_bytes())).await.unwrap();
        assert_eq!(read_one(&mut stream).await.status, 200);
        streams.push(stream);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_follow_one_another_on_a_connection_are_all_answered() {
    let server = server().await;
    let mut stream = connect(server.address).await;
    let last = post(VIEWER).replace("host", "connection: close\r\nhost");
    within(stream.write_all([post(VIEWER), post("nonsense"), last].concat().as_bytes())).await.unwrap();
    let mut answers = String::new();
    within(stream.read_to_string(&mut answers)).await.unwrap();
    let statuses: Vec<_> = answers.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect();
    assert_eq!(statuses, ["200", "400", "200"]);
}
