//! Makes the rows of the demo data.

mod cases;
mod evaluations;
mod outcomes;
mod prompts;
mod runs;
mod templates;

use super::DemoData;
use super::random::{Calendar, Random};
use crate::domain::Timestamp;

/// The demo data as it looks at `now`. The same `now` gives the same data; another one moves the times, and with
/// them the ids.
#[must_use]
pub fn generate(now: Timestamp) -> DemoData {
    let mut random = Random::new();
    let calendar = Calendar::new(now);
    let suites = cases::suites(&mut random);
    let mut templates = templates::templates(&mut random, calendar);
    let prompts = prompts::prompts(&mut random, calendar, &suites, &templates);
    templates::count_uses(&mut templates, &prompts);

    let mut data = DemoData { templates, ..DemoData::default() };
    for plan in runs::plans() {
        runs::perform(&plan, &mut random, calendar, &suites, &prompts, &mut data);
    }
    data.prompts = prompts.into_iter().map(|prompt| prompt.row).collect();
    data
}
