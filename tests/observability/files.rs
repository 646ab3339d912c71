//! What can be said of the files without running what they are for.

use std::collections::BTreeSet;
use std::path::Path;

use evalgraph::telemetry::metrics::{ALL, Kind};

use crate::{deployed, expressions_of_the_dashboard, read};

/// The names in an expression that are of metrics, and not of functions, labels or rules.
fn metrics_of(expression: &str) -> BTreeSet<String> {
    let words =
        expression.split(|character: char| !character.is_ascii_alphanumeric() && !matches!(character, '_' | ':'));
    let prefixes = ["graphql_server_", "evalgraph_", "db_", "http_server_", "process_", "tokio_"];
    words.filter(|word| prefixes.iter().any(|prefix| word.starts_with(prefix))).map(str::to_owned).collect()
}

fn known() -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    for metric in ALL {
        let family = metric.family();
        match metric.kind {
            Kind::Counter => known.extend([format!("{family}_total")]),
            Kind::UpDownCounter | Kind::Gauge => known.extend([family]),
            Kind::Histogram => known.extend(["_bucket", "_sum", "_count"].map(|suffix| format!("{family}{suffix}"))),
        }
    }
    known
}

#[test]
fn dashboard_and_rules_name_metrics_that_exist() {
    let known = known();
    let mut expressions = expressions_of_the_dashboard();
    expressions.push(read("prometheus/rules.yml"));
    for expression in expressions {
        let unknown: Vec<_> = metrics_of(&expression).into_iter().filter(|name| !known.contains(name)).collect();
        assert!(unknown.is_empty(), "{unknown:?} in {expression}");
    }
}

#[test]
fn the_dashboard_shows_what_was_asked_for() {
    let dashboard: serde_json::Value = serde_json::from_str(&read("grafana/dashboards/evalgraph.json")).unwrap();
    let ids: Vec<_> = dashboard["panels"].as_array().unwrap().iter().map(|panel| panel["id"].as_u64()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    let expressions = expressions_of_the_dashboard().join("\n");
    assert!(!expressions.contains('$'), "a choice is not known to the tests");
    for metric in [
        "_request_duration_seconds",
        "graphql_errors",
        "pool_in_use",
        "slow_statements",
        "cache_hits",
        "batch_size",
        "request_statements",
    ] {
        assert!(expressions.contains(metric), "{metric}");
    }
}

#[test]
fn what_the_compose_file_mounts_is_there() {
    let compose = read("compose.yaml");
    let mounted = compose.lines().filter_map(|line| {
        let (_, after) = line.split_once("./")?;
        after.split_once(':').map(|(path, _)| path)
    });
    let mounted: Vec<&str> = mounted.collect();
    assert!(mounted.len() >= 5, "{mounted:?}");
    for path in mounted {
        assert!(deployed(path).exists(), "{path}");
    }
    for target in
        ["evalgraph-1:", "evalgraph-2:", "postgres:", "redis:", "collector:", "jaeger:", "prometheus:", "grafana:"]
    {
        assert!(compose.contains(&format!("\n  {target}")), "{target}");
    }
    assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(".dockerignore").exists());
}
