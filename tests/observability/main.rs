//! What `deploy/` has for operators, against a real Prometheus (Debian's package `prometheus`, which `scripts/test-long` installs).

#[path = "../common/mod.rs"]
mod common;

mod files;
mod load;
mod prometheus;
mod watched;

use std::path::PathBuf;

/// A file of `deploy/`.
fn deployed(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("deploy").join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(deployed(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// An address that nobody serves on.
fn free_address() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// The expressions of the dashboard, with what stands for the choices of whoever looks at it.
fn expressions_of_the_dashboard() -> Vec<String> {
    let dashboard: serde_json::Value = serde_json::from_str(&read("grafana/dashboards/evalgraph.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let expressions = targets.map(|target| target["expr"].as_str().unwrap());
    let chosen = |expression: &str| {
        expression
            .replace("$__rate_interval", "30s")
            .replace("$job", "evalgraph")
            .replace("$instance", ".*")
            .replace("$operation", ".*")
    };
    expressions.map(chosen).collect()
}
