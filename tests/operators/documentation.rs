//! The table of metrics in `docs/operations.md` says what their definitions say.

use std::fmt::Write as _;
use std::path::Path;

use evalgraph::telemetry::metrics::{ALL, Kind};

const BEGIN: &str = "<!-- The table up to the end mark is written by a test. -->\n";
const END: &str = "<!-- End of the table. -->\n";
const RENEW: &str = "EVALGRAPH_RENEW_DOCS=1 cargo test --test operators documentation";

#[test]
fn the_table_of_metrics_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operations.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the page has the mark of the beginning");
    let (_, after) = rest.split_once(END).expect("the page has the mark of the end");
    let current = format!("{before}{BEGIN}\n{}\n{END}{after}", table());
    if std::env::var_os("EVALGRAPH_RENEW_DOCS").is_some() {
        std::fs::write(&path, current).unwrap();
        return;
    }
    assert!(page == current, "docs/operations.md is not current: renew it with\n  {RENEW}");
    assert!(after.contains(RENEW), "the page says how it is renewed");
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
