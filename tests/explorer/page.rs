//! The page in a browser: what people do there, and that all of it stays on this server.

use std::path::Path;

use serde_json::{Value, json};
use thirtyfour::prelude::*;

use crate::browser::{Browser, PATIENCE};
use crate::common::eventually;
use crate::watched::WatchedServer;

/// Where the editors are.
const QUERY: &str = ".graphiql-query-editor";
const HEADERS: &str = ".graphiql-editor-tool .graphiql-editor:not(.hidden)";

const NOTHING: [String; 0] = [];

/// The text of the editor for this file, as Monaco has it: the document has only the lines that are in view.
fn text_of(file: &str) -> String {
    format!("globalThis.__MONACO?.editor.getModels().find((model) => model.uri.path.endsWith('{file}'))?.getValue()")
}

/// The texts of all elements that a selector finds.
fn texts_of(selector: &str) -> String {
    format!("[...document.querySelectorAll('{selector}')].map((element) => element.textContent)")
}

async fn click(browser: &Browser, selector: &str) {
    let element = browser.find(selector).await;
    element.wait_until().clickable().await.unwrap();
    element.click().await.unwrap();
}

/// Waits for the page to be ready for a query: the editor is there and the schema has arrived.
async fn open(browser: &Browser, server: &WatchedServer) {
    browser.goto(server.url("/")).await.unwrap();
    browser.find(&format!("{QUERY} .view-line")).await;
    browser.wait_for(&texts_of(".graphiql-spinner"), |spinners| *spinners == json!([])).await;
}

/// Types into an editor, which is found by the class of its place.
async fn type_into(browser: &Browser, place: &str, keys: impl Into<TypingData>) {
    let input = browser.find(&format!("{place} textarea")).await;
    input.send_keys(keys).await.unwrap();
}

/// Pastes a text in the place of what an editor has. Typed key by key, the editor would close brackets by itself.
async fn replace_text(browser: &Browser, place: &str, text: &str) {
    type_into(browser, place, Key::Control + "a").await;
    let clipboard = format!("const data = new DataTransfer(); data.setData('text/plain', {});", json!(text));
    let paste = "new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })";
    browser.execute(format!("{clipboard} document.activeElement.dispatchEvent({paste})"), Vec::new()).await.unwrap();
}

async fn run_query(browser: &Browser) {
    type_into(browser, QUERY, Key::Control + Key::Enter).await;
}

/// The answer in the editor for it, when there is one that is as wanted.
async fn answer(browser: &Browser, is_wanted: impl Fn(&Value) -> bool) -> Value {
    let parse = |text: &Value| serde_json::from_str::<Value>(text.as_str()?).ok();
    let is_wanted = |text: &Value| parse(text).is_some_and(|answer| is_wanted(&answer));
    parse(&browser.wait_for(&text_of("response.json"), is_wanted).await).unwrap()
}

/// Nothing was asked elsewhere and nothing was blocked since this was last asked.
async fn assert_alone(browser: &Browser, server: &WatchedServer) {
    let (requested, failed) = browser.requests().await;
    assert!(requested.contains(&server.url("/graphql")), "{requested:#?}");
    // Some pictures are in the style sheets themselves.
    let is_here = |url: &&String| url.starts_with(&server.url("/")) || url.starts_with("data:image/");
    let elsewhere: Vec<_> = requested.iter().filter(|url| !is_here(url)).collect();
    assert!(elsewhere.is_empty(), "{elsewhere:#?}");
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!(server.blocked(), NOTHING);
}

/// Writes a picture where `EVALGRAPH_SCREENSHOTS` names a folder.
async fn screenshot(browser: &Browser, name: &str) {
    if let Ok(folder) = std::env::var("EVALGRAPH_SCREENSHOTS") {
        browser.screenshot(&Path::new(&folder).join(name)).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_is_run_and_documentation_read_without_leaving_the_server() {
    let server = WatchedServer::start().await;
    let browser = Browser::start(&[]).await;
    open(&browser, &server).await;
    let tabs = browser.evaluate(&texts_of(".graphiql-tab-button")).await;
    assert_eq!(tabs, json!(["FailedCases", "Versions", "RunAsMatrix", "Folder"]));

    run_query(&browser).await;
    let first = answer(&browser, |answer| answer.get("data").is_some()).await;
    let prompts = first["data"]["prompts"]["nodes"].as_array().unwrap();
    let failures = |prompt: &Value| prompt["latestEvaluation"]["testResults"]["nodes"].as_array().map_or(0, Vec::len);
    assert!(prompts.len() == 5 && prompts.iter().any(|prompt| failures(prompt) > 0), "{first:#}");
    // The header below the query was sent with it.
    assert!(first["extensions"]["evalgraph"]["statements"].as_u64().is_some(), "{first:#}");
    // What the editor has is on the screen too.
    let shown = browser.evaluate("document.querySelector('.result-window .view-lines').textContent").await;
    assert!(shown.as_str().unwrap().contains("\"totalCount\":"), "{shown}");

    click(&browser, "[aria-label='Show Documentation Explorer']").await;
    click(&browser, ".graphiql-doc-explorer a").await;
    let documented = |text: &Value| text.as_str().is_some_and(|text| text.contains("Prompt versions."));
    browser.wait_for("document.querySelector('.graphiql-doc-explorer').textContent", documented).await;
    screenshot(&browser, "explorer.png").await;

    assert_alone(&browser, &server).await;
    assert_eq!(browser.complaints().await, NOTHING);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn variables_go_with_the_tab_that_has_them() {
    let server = WatchedServer::start().await;
    let browser = Browser::start(&[]).await;
    open(&browser, &server).await;
    click(&browser, ".graphiql-tab:nth-child(4) .graphiql-tab-button").await;
    browser
        .wait_for(&text_of("variables.json"), |text| text.as_str().is_some_and(|text| text.contains("support/")))
        .await;
    run_query(&browser).await;
    let answer = answer(&browser, |answer| answer.get("data").is_some()).await;
    let names = answer["data"]["prompts"]["nodes"].as_array().unwrap().iter().map(|prompt| prompt["name"].as_str());
    assert_eq!(names.filter(|name| name.unwrap().starts_with("support/")).count(), 5);
    assert_alone(&browser, &server).await;
    assert_eq!(browser.complaints().await, NOTHING);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_query_is_underlined_and_its_error_shown() {
    let server = WatchedServer::start().await;
    let browser = Browser::start(&[]).await;
    open(&browser, &server).await;
    replace_text(&browser, QUERY, "{ nonsense }").await;
    // The editor's workers know the schema.
    browser.find(&format!("{QUERY} .squiggly-error")).await;
    run_query(&browser).await;
    let answer = answer(&browser, |answer| answer.get("errors").is_some()).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED", "{answer:#}");
    screenshot(&browser, "error.png").await;
    assert_alone(&browser, &server).await;
    let complaints = browser.complaints().await;
    assert!(complaints.iter().all(|complaint| complaint.contains("400 (Bad Request)")), "{complaints:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queries_are_kept_in_the_browser_and_headers_are_not() {
    let server = WatchedServer::start().await;
    let browser = Browser::start(&[]).await;
    open(&browser, &server).await;
    replace_text(&browser, QUERY, "query Kept { viewer { userId } }").await;
    replace_text(&browser, HEADERS, r#"{ "authorization": "Bearer hunter2" }"#).await;
    run_query(&browser).await;
    answer(&browser, |answer| answer["data"]["viewer"]["userId"] == "local").await;
    let is_kept = |kept: &Value| {
        ["graphiql:tabState", "graphiql:queries"]
            .iter()
            .all(|key| kept[key].as_str().is_some_and(|value| value.contains("Kept")))
    };
    let kept = browser.wait_for("{ ...localStorage }", is_kept).await;
    assert!(!kept.to_string().contains("hunter2"), "{kept:#}");
    assert_eq!(browser.evaluate("{ ...sessionStorage }").await, json!({}));
    assert_eq!(browser.evaluate("document.cookie").await, json!(""));

    open(&browser, &server).await;
    browser
        .wait_for(&text_of("operation.graphql"), |text| text.as_str().is_some_and(|text| text.contains("Kept")))
        .await;
    let tabs = browser.evaluate(&texts_of(".graphiql-tab-button")).await;
    assert_eq!(tabs, json!(["Kept", "Versions", "RunAsMatrix", "Folder"]));
    assert_alone(&browser, &server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_somebody_is_asked_for_a_token_goes_into_the_headers() {
    let (server, token) = WatchedServer::asking().await;
    let browser = Browser::start(&[]).await;
    open(&browser, &server).await;
    // The page is for everybody, and says why it has no schema.
    run_query(&browser).await;
    let refused = answer(&browser, |answer| answer.get("errors").is_some()).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{refused:#}");
    screenshot(&browser, "unauthenticated.png").await;
    // The browser has no window of its own that asks for a password.
    assert!(browser.get_alert_text().await.is_err());

    replace_text(&browser, HEADERS, &json!({ "authorization": format!("Bearer {token}") }).to_string()).await;
    click(&browser, "[aria-label^='Re-fetch GraphQL schema']").await;
    replace_text(&browser, QUERY, "{ nonsense }").await;
    browser.find(&format!("{QUERY} .squiggly-error")).await;
    replace_text(&browser, QUERY, "{ viewer { userId } prompts(first: 1) { totalCount } }").await;
    run_query(&browser).await;
    let answer = answer(&browser, |answer| answer.get("data").is_some()).await;
    assert_eq!(answer["data"]["viewer"]["userId"], "local");
    assert_ne!(answer["data"]["prompts"]["totalCount"], 0);
    screenshot(&browser, "authenticated.png").await;
    assert_alone(&browser, &server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_theme_follows_the_system() {
    let server = WatchedServer::start().await;
    for (scheme, theme, name) in [("0", "vs-dark", "dark.png"), ("1", "vs", "light.png")] {
        let browser = Browser::start(&[&format!("--blink-settings=preferredColorScheme={scheme}")]).await;
        open(&browser, &server).await;
        run_query(&browser).await;
        answer(&browser, |answer| answer.get("data").is_some()).await;
        screenshot(&browser, name).await;
        let editor = browser.find(&format!("{QUERY} .monaco-editor")).await;
        let classes = editor.class_name().await.unwrap().unwrap();
        assert!(classes.split(' ').any(|class| class == theme), "{classes}");
    }
}

/// The other tests could not fail otherwise. What workers ask is not in the list of requests; but they are under the
/// policy too, and what it blocks is reported.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_page_asks_elsewhere_is_noticed() {
    let server = WatchedServer::start().await;
    let browser = Browser::start(&[]).await;
    let (page, worker) = ("http://page.example/", "http://worker.example/");

    browser.goto(server.url("/indiscreet/free/")).await.unwrap();
    let is_requested = async || browser.requests().await.0.iter().any(|url| url == page);
    eventually(PATIENCE, "the request is in the list", is_requested).await;
    assert_eq!(server.blocked(), NOTHING);

    browser.goto(server.url("/indiscreet/strict/")).await.unwrap();
    let is_reported = |host: &str| server.blocked().iter().any(|report| report.contains(host));
    eventually(PATIENCE, "both are reported", async || is_reported(page) && is_reported(worker)).await;
    assert!(!browser.complaints().await.is_empty());
}
