//! The files and their headers, and what becomes of them when the explorer is off.

use std::io::Read as _;
use std::path::Path;

use evalgraph::domain::Principal;
use flate2::read::GzDecoder;
use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder, StatusCode};

use crate::common::{TestDatabase, TestServer};

struct File {
    status: StatusCode,
    headers: HeaderMap,
    bytes: Vec<u8>,
}

impl File {
    async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Self { status, headers, bytes: response.bytes().await.unwrap().to_vec() }
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap()
    }
}

async fn explorer() -> TestServer {
    TestServer::start(&TestDatabase::sqlite().await).await
}

async fn without_explorer() -> TestServer {
    let mut app = TestServer::app(TestDatabase::sqlite().await.database.clone());
    app.explorer = false;
    TestServer::with(app, Principal::local()).await
}

async fn get(server: &TestServer, path: &str) -> File {
    File::of(server.client.get(server.url(path))).await
}

/// The paths in the page's `href` and `src`, which are relative.
fn addresses(page: &str) -> Vec<String> {
    let after = |attribute: &str| page.split(attribute).skip(1).collect::<Vec<_>>();
    let values = [after("href=\""), after("src=\"")].concat();
    values.into_iter().map(|rest| rest.split('"').next().unwrap().strip_prefix('.').unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_page_admits_only_what_is_on_this_server() {
    let page = get(&explorer().await, "/").await;
    assert_eq!((page.status, page.header("content-type")), (StatusCode::OK, "text/html; charset=utf-8"));
    let directives: Vec<_> = page.header("content-security-policy").split("; ").collect();
    assert_eq!(
        directives,
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "worker-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ],
    );
    assert_eq!((page.header("x-content-type-options"), page.header("referrer-policy")), ("nosniff", "no-referrer"));
    assert_eq!(page.header("cross-origin-opener-policy"), "same-origin");
}

/// The paths of all built files.
fn paths() -> Vec<String> {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/graphiql/dist/assets");
    let names = std::fs::read_dir(built).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let assets = names.map(|name| format!("/assets/{}", name.trim_end_matches(".gz")));
    assets.chain(["/".to_owned(), "/licenses.txt".to_owned()]).collect()
}

#[tokio::test]
async fn every_file_has_a_type_a_lifetime_and_the_policy() {
    let server = explorer().await;
    let page = get(&server, "/").await;
    let paths = paths();
    assert!(paths.len() > 20 && addresses(page.text()).iter().all(|path| paths.contains(path)), "{paths:#?}");
    for path in paths {
        let file = get(&server, &path).await;
        assert_eq!(file.status, StatusCode::OK, "{path}");
        assert!(!file.bytes.is_empty() && file.header("content-type") != "application/octet-stream", "{path}");
        // Workers, which are among them, have the policy of their own file and not that of the page.
        assert_eq!(file.header("content-security-policy"), page.header("content-security-policy"), "{path}");
        let is_named_by_content = path.starts_with("/assets/");
        let lifetime = if is_named_by_content { "public, max-age=31536000, immutable" } else { "no-cache" };
        assert_eq!(file.header("cache-control"), lifetime, "{path}");
    }
}

#[tokio::test]
async fn there_are_no_other_files() {
    let server = explorer().await;
    for path in ["/assets/none.js", "/assets/", "/assets/..%2findex.html", "/index.html", "/licenses.txt.gz"] {
        assert_eq!(get(&server, path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn files_are_compressed_for_those_who_accept_it() {
    let server = explorer().await;
    let request = |accept| File::of(server.client.get(server.url("/licenses.txt")).header("accept-encoding", accept));
    let plain = get(&server, "/licenses.txt").await;
    assert_eq!((plain.header("content-encoding"), plain.header("vary")), ("", "accept-encoding"));
    assert!(plain.text().contains("graphiql 5."));
    let compressed = request("gzip, deflate, br").await;
    assert_eq!((compressed.header("content-encoding"), compressed.header("vary")), ("gzip", "accept-encoding"));
    assert_eq!(compressed.header("content-type"), "text/plain; charset=utf-8");
    let mut decompressed = String::new();
    GzDecoder::new(&*compressed.bytes).read_to_string(&mut decompressed).unwrap();
    assert!(decompressed == plain.text());
    assert!(request("gzip;q=0, br").await.bytes == plain.bytes);
}

#[tokio::test]
async fn a_page_that_is_known_is_not_sent_again() {
    let server = explorer().await;
    for path in ["/", "/licenses.txt"] {
        let first = get(&server, path).await;
        let etag = first.header("etag").to_owned();
        let again = |known: String| File::of(server.client.get(server.url(path)).header("if-none-match", known));
        for known in [etag.clone(), format!("\"other\", {etag}"), "*".to_owned()] {
            let file = again(known).await;
            assert_eq!((file.status, file.bytes.len()), (StatusCode::NOT_MODIFIED, 0));
            assert_eq!(file.header("etag"), etag);
        }
        assert_eq!(again("W/\"other\"".to_owned()).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn who_opens_graphql_in_a_browser_is_sent_to_the_page() {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let status = async |server: &TestServer, method: Method, path: &str, accept: &str| {
        let request =
            client.request(method, server.url(path)).header("accept", accept).header("sec-fetch-site", "none");
        let file = File::of(request).await;
        (file.status.as_u16(), file.header("location").to_owned())
    };
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";
    let server = explorer().await;
    assert_eq!(status(&server, Method::GET, "/graphql", browser).await, (303, "./".to_owned()));
    // An operation is an operation, whoever sends it.
    assert_eq!(status(&server, Method::GET, "/graphql?query={viewer{userId}}", browser).await.0, 200);
    assert_eq!(status(&server, Method::POST, "/graphql", browser).await.0, 415);
    assert_eq!(status(&server, Method::GET, "/graphql", "application/json").await.0, 400);
    assert_eq!(status(&server, Method::GET, "/graphql", "*/*").await.0, 400);
    assert_eq!(status(&without_explorer().await, Method::GET, "/graphql", browser).await.0, 400);
}

#[tokio::test]
async fn without_the_explorer_there_is_a_line_of_text_and_no_file() {
    let server = without_explorer().await;
    let welcome = get(&server, "/").await;
    assert_eq!((welcome.status, welcome.text()), (StatusCode::OK, "evalgraph: send GraphQL requests to /graphql\n"));
    for path in paths().iter().filter(|path| *path != "/") {
        assert_eq!(get(&server, path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(server.data("{ viewer { userId } }").await["viewer"]["userId"], "local");
}
