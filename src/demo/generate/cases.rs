//! The test cases of each suite, with their variants.

use serde_json::json;

use crate::db::types::Json;
use crate::demo::catalog::{Case, DOMAINS, Domain, Suite};
use crate::demo::random::Random;
use crate::domain::sha256_hex;

/// A suite with its cases as they are run.
pub(super) struct PreparedSuite {
    /// The domain it belongs to, as an index.
    pub domain_index: usize,
    /// The domain it belongs to.
    pub domain: &'static Domain,
    /// Its texts.
    pub suite: &'static Suite,
    /// Its cases: the plain ones first, then the disturbed ones, as teams add them.
    pub cases: Vec<PreparedCase>,
}

/// A test case, plain or disturbed.
pub(super) struct PreparedCase {
    /// The case in the catalogue.
    pub case: &'static Case,
    /// Its name, with that of the variant.
    pub name: String,
    /// The value of the input variable.
    pub input: String,
    /// The input as JSON.
    pub input_data: Json,
    /// SHA-256 of that.
    pub hash: String,
    /// What it adds to the chance of passing, mostly negative.
    pub ease: f64,
}

/// All suites, in the order of the catalogue.
pub(super) fn suites(random: &mut Random) -> Vec<PreparedSuite> {
    let mut suites = Vec::new();
    for (domain_index, domain) in DOMAINS.into_iter().enumerate() {
        for suite in domain.suites {
            let mut cases: Vec<_> =
                suite.cases.iter().map(|case| prepare(suite, case, "", "", "", random.between(-0.1, 0.1))).collect();
            for variant in suite.variants {
                for case in suite.cases {
                    let ease = random.between(-0.15, 0.05);
                    cases.push(prepare(suite, case, variant.label, variant.before, variant.after, ease));
                }
            }
            suites.push(PreparedSuite { domain_index, domain, suite, cases });
        }
    }
    suites
}

fn prepare(suite: &Suite, case: &'static Case, label: &str, before: &str, after: &str, ease: f64) -> PreparedCase {
    let name = if label.is_empty() { case.name.to_owned() } else { format!("{} ({label})", case.name) };
    let input = format!("{before}{}{after}", case.input);
    let variables = json!({ suite.input: input });
    let hash = sha256_hex(variables.to_string().as_bytes());
    PreparedCase { case, name, input, input_data: Json::from(variables), hash, ease }
}
