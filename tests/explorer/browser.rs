//! Chromium without a window, driven through ChromeDriver.

use std::io::{BufRead as _, BufReader, Lines};
use std::ops::Deref;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::extensions::query::ElementQueryable as _;
use thirtyfour::{
    By, CapabilitiesHelper as _, ChromiumLikeCapabilities as _, DesiredCapabilities, WebDriver, WebElement,
};

/// What every browser is started with.
const ARGUMENTS: [&str; 12] = [
    "--headless",
    "--window-size=1600,1000",
    "--disable-gpu",
    // Containers have little of that memory.
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-default-apps",
    // Chromium itself talks to its makers. These ask it not to, and what it wants nevertheless leads nowhere: only this
    // machine is reached without the proxy, which does not exist.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--proxy-server=127.0.0.1:9",
    // It ends when ChromeDriver does, however that ends.
    "--remote-debugging-pipe",
];

/// How long the page may take for anything.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A browser with an empty profile, which ends when it is dropped.
pub struct Browser {
    driver: WebDriver,
    _chromedriver: ChromeDriver,
    _profile: TempDir,
}

impl Browser {
    pub async fn start(arguments: &[&str]) -> Self {
        let chromedriver = ChromeDriver::start();
        let profile = tempfile::tempdir().unwrap();
        let mut capabilities = DesiredCapabilities::chrome();
        let profile_argument = format!("--user-data-dir={}", profile.path().display());
        let arguments = ARGUMENTS.iter().chain(arguments).copied().chain([profile_argument.as_str()]);
        // Chromium's sandbox refuses to be set up by root.
        for argument in arguments.chain(is_root().then_some("--no-sandbox")) {
            capabilities.add_arg(argument).unwrap();
        }
        capabilities.set("goog:loggingPrefs", json!({ "browser": "ALL", "performance": "ALL" })).unwrap();
        let driver = WebDriver::new(format!("http://127.0.0.1:{}", chromedriver.port), capabilities).await;
        let driver =
            driver.unwrap_or_else(|error| panic!("Chromium, which scripts/test installs, does not start: {error}"));
        let browser = Self { driver, _chromedriver: chromedriver, _profile: profile };
        browser.leave_first_page().await;
        browser
    }

    /// Chromium begins with a page of its own, whose requests are of no interest.
    async fn leave_first_page(&self) {
        self.driver.goto("about:blank").await.unwrap();
        self.requests().await;
        self.complaints().await;
    }

    /// Waits for the element that a selector finds.
    pub async fn find(&self, selector: &str) -> WebElement {
        let query = self.driver.query(By::Css(selector)).wait(PATIENCE, Duration::from_millis(50));
        query.first().await.unwrap_or_else(|error| panic!("{selector}: {error}"))
    }

    /// The value of a JavaScript expression.
    pub async fn evaluate(&self, expression: &str) -> Value {
        let result = self.driver.execute(format!("return {expression}"), Vec::new()).await;
        result.unwrap_or_else(|error| panic!("{expression}: {error}")).json().clone()
    }

    /// Waits until the value of a JavaScript expression is as wanted, and returns it.
    pub async fn wait_for(&self, expression: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
        let start = std::time::Instant::now();
        loop {
            let value = self.evaluate(expression).await;
            if is_wanted(&value) {
                return value;
            }
            assert!(start.elapsed() < PATIENCE, "{expression} remains {value:#}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The addresses that the page has requested since the last call, and what is known of those that failed.
    pub async fn requests(&self) -> (Vec<String>, Vec<String>) {
        let entries = self.driver.get_log("performance").await.unwrap();
        let (mut requested, mut failed) = (Vec::new(), Vec::new());
        for entry in entries {
            let entry: Value = serde_json::from_str(&entry.message).unwrap();
            let (method, details) = (&entry["message"]["method"], &entry["message"]["params"]);
            let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("no text in {details}")).to_owned();
            match method.as_str() {
                Some("Network.requestWillBeSent") => requested.push(text(&details["request"]["url"])),
                Some("Network.webSocketCreated") => requested.push(text(&details["url"])),
                Some("Network.loadingFailed") => failed.push(details.to_string()),
                _ => {}
            }
        }
        (requested, failed)
    }

    /// What was written to the console since the last call, warnings and worse.
    pub async fn complaints(&self) -> Vec<String> {
        let entries = self.driver.browser_log().await.unwrap();
        let is_complaint = |level: &str| matches!(level, "WARNING" | "SEVERE");
        entries.into_iter().filter(|entry| is_complaint(&entry.level)).map(|entry| entry.message).collect()
    }
}

impl Deref for Browser {
    type Target = WebDriver;

    fn deref(&self) -> &WebDriver {
        &self.driver
    }
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout == b"0\n"
}

struct ChromeDriver {
    process: Child,
    port: u16,
    // It could not go on writing otherwise.
    _output: Lines<BufReader<ChildStdout>>,
}

impl ChromeDriver {
    /// At a port of its own choice, which it prints.
    fn start() -> Self {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("chromedriver does not start ({error}): scripts/test installs it"));
        let mut output = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = output.by_ref().map_while(Result::ok).find_map(|line| {
            line.strip_prefix("ChromeDriver was started successfully on port ")?.strip_suffix('.')?.parse().ok()
        });
        Self { process, port: port.expect("chromedriver says on which port it is"), _output: output }
    }
}

impl Drop for ChromeDriver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
