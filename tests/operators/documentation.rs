//! The table of metrics in `docs/operations.md` says what their definitions say.

use std::fmt::Write as _;

use evalgraph::telemetry::metrics::{ALL, Kind};

use crate::common::written_table;

#[test]
fn the_table_of_metrics_is_current() {
    written_table::check("docs/operations.md", &table(), "operators documentation");
}

fn table() -> String {
    let mut text = "| at `/metrics` | over OTLP | kind | labels | meaning |\n|---|---|---|---|---|\n".to_owned();
    for metric in ALL {
        let (kind, suffix) = match metric.kind {
            Kind::Counter => ("counter", "_total"),
            Kind::UpDownCounter => ("gauge (up-down counter)", ""),
            Kind::Gauge => ("gauge", ""),
            Kind::Histogram => ("histogram", ""),
        };
        let labels: Vec<_> = metric.labels.iter().map(|label| format!("`{}`", label.replace('.', "_"))).collect();
        let (family, name, labels, meaning) = (metric.family(), metric.name, labels.join(", "), metric.meaning);
        writeln!(text, "| `{family}{suffix}` | `{name}` | {kind} | {labels} | {meaning} |").unwrap();
    }
    text
}
