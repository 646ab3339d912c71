//! A Prometheus of the test's own.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::common::eventually;
use crate::{free_address, read};

/// Runs `promtool`, which must be content.
pub fn promtool(arguments: &[&str], input: Option<&str>) {
    use std::io::Write as _;
    let mut command = Command::new("promtool");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().expect("Debian's package prometheus is installed");
    process.stdin.take().unwrap().write_all(input.unwrap_or_default().as_bytes()).unwrap();
    let output = process.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    assert!(output.status.success(), "promtool {arguments:?}: {said}");
}

/// A Prometheus that scrapes one server every second, with the rules of `deploy/`, in a hurry: what they look back for five
/// minutes for, they look back for 30 seconds for, and what has to last for minutes has to last for a second.
pub struct Prometheus {
    process: Child,
    address: String,
    client: reqwest::Client,
    _directory: TempDir,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Prometheus {
    pub async fn watching(target: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let rules = read("prometheus/rules.yml").replace("[5m]", "[30s]");
        let rules: String = rules
            .lines()
            .map(|line| match line.split_once("for: ") {
                Some((indent, _)) => format!("{indent}for: 1s\n"),
                None => format!("{line}\n"),
            })
            .collect();
        std::fs::write(directory.path().join("rules.yml"), rules).unwrap();
        let configuration = format!(
            "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\nrule_files: [rules.yml]\n\
             scrape_configs: [{{ job_name: evalgraph, static_configs: [{{ targets: ['{target}'] }}] }}]\n"
        );
        let file = directory.path().join("prometheus.yml");
        std::fs::write(&file, configuration).unwrap();
        promtool(&["check", "config", file.to_str().unwrap()], None);
        let address = free_address();
        let process = start(&file, directory.path(), &address);
        let prometheus = Self { process, address, client: reqwest::Client::new(), _directory: directory };
        let ready = async || {
            let asked = prometheus.client.get(format!("http://{}/-/ready", prometheus.address)).send().await;
            asked.is_ok_and(|answer| answer.status() == 200)
        };
        eventually(Duration::from_secs(60), "Prometheus is ready", ready).await;
        prometheus
    }

    async fn ask(&self, path: &str, parameters: &[(&str, &str)]) -> Value {
        let mut url = url::Url::parse(&format!("http://{}/api/v1/{path}", self.address)).unwrap();
        url.query_pairs_mut().extend_pairs(parameters);
        let answer: Value = self.client.get(url).send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["status"], "success", "{path} {parameters:?}: {answer}");
        answer["data"].clone()
    }

    /// The values of an expression.
    pub async fn values(&self, expression: &str) -> Vec<f64> {
        let data = self.ask("query", &[("query", expression)]).await;
        let result = data["result"].as_array().unwrap();
        result.iter().map(|sample| sample["value"][1].as_str().unwrap().parse().unwrap()).collect()
    }

    /// Every rule: its kind, name, expression and, where it does not work, why.
    pub async fn rules(&self) -> Vec<(String, String, String, Option<String>)> {
        let data = self.ask("rules", &[]).await;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let rules = data["groups"].as_array().unwrap().iter().flat_map(|group| group["rules"].as_array().unwrap());
        let told = |rule: &Value| {
            let problem = (rule["health"] != "ok").then(|| format!("{} {}", rule["health"], rule["lastError"]));
            (text(&rule["type"]), text(&rule["name"]), text(&rule["query"]), problem)
        };
        rules.map(told).collect()
    }

    /// Whether an alarm is firing.
    pub async fn is_firing(&self, name: &str) -> bool {
        let data = self.ask("alerts", &[]).await;
        let alerts = data["alerts"].as_array().unwrap();
        alerts.iter().any(|alert| alert["labels"]["alertname"] == name && alert["state"] == "firing")
    }

    /// The ids of traces that are examples of a metric.
    pub async fn examples(&self, metric: &str) -> Vec<String> {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let (start, end) = ((now - 600).to_string(), (now + 10).to_string());
        let data = self.ask("query_exemplars", &[("query", metric), ("start", &start), ("end", &end)]).await;
        let examples = data.as_array().unwrap().iter().flat_map(|series| series["exemplars"].as_array().unwrap());
        examples.map(|example| example["labels"]["trace_id"].as_str().unwrap().to_owned()).collect()
    }
}

fn start(configuration: &Path, directory: &Path, address: &str) -> Child {
    let mut command = Command::new("prometheus");
    command
        .arg(format!("--config.file={}", configuration.display()))
        .arg(format!("--storage.tsdb.path={}", directory.join("data").display()))
        .arg(format!("--web.listen-address={address}"))
        .arg("--enable-feature=exemplar-storage")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().expect("Debian's package prometheus is installed")
}
