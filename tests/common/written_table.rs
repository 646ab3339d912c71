//! Tables in the documentation that are written from definitions.

use std::path::Path;

const BEGIN: &str = "<!-- The table up to the end mark is written by a test: see the end of this page. -->\n";
const END: &str = "<!-- End of the table. -->\n";

/// Fails unless the page has this table between its marks. With `EVALGRAPH_RENEW_DOCS` it gets it by `test`, a program and a
/// test in it.
pub fn check(page: &str, table: &str, test: &str) {
    let renew = format!("EVALGRAPH_RENEW_DOCS=1 cargo test --test {test}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("the page has the mark of the beginning");
    let (_, after) = rest.split_once(END).expect("the page has the mark of the end");
    let current = format!("{before}{BEGIN}\n{table}\n{END}{after}");
    if std::env::var_os("EVALGRAPH_RENEW_DOCS").is_some() {
        std::fs::write(&path, current).unwrap();
        return;
    }
    assert!(text == current, "{page} is not current: renew it with\n  {renew}");
    assert!(after.contains(&renew), "the page says how it is renewed");
}
