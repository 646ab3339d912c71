//! What a file claims beside what was found in it.

use std::fmt::Write as _;

use super::warnings::Warnings;

/// How the number of results differs from the one that is declared.
pub(super) fn number_differs(declared: f64, found: f64) -> String {
    let number = (declared - found).abs();
    let (noun, verb) = if number == 1.0 { ("result", "is") } else { ("results", "are") };
    let state = if declared > found { "missing" } else { "more than expected" };
    format!("{number} {noun} {verb} {state}: declared {declared}")
}

/// What is declared and does not agree with what was found.
#[derive(Default)]
pub(super) struct Differences {
    declared: String,
    found: String,
}

impl Differences {
    /// Compares a count.
    pub fn count(&mut self, name: &str, declared: Option<f64>, found: i64) {
        if declared.is_some_and(|declared| declared != found as f64) {
            self.add(name, declared.unwrap_or_default(), found as f64);
        }
    }

    /// Compares a sum of floating-point numbers.
    pub fn measure(&mut self, name: &str, declared: Option<f64>, found: f64) {
        let Some(declared) = declared else { return };
        let tolerance = 1e-9 + 1e-6 * declared.abs().max(found.abs());
        if (declared - found).abs() > tolerance {
            self.add(name, declared, found);
        }
    }

    fn add(&mut self, name: &str, declared: f64, found: f64) {
        for (list, number) in [(&mut self.declared, declared), (&mut self.found, found)] {
            let comma = if list.is_empty() { "" } else { ", " };
            // Writing to a string cannot fail.
            let _ = write!(list, "{comma}{name} {number}");
        }
    }

    /// Warns of the differences at this place, if there are any.
    pub fn warn(self, place: &str, warnings: &mut Warnings) {
        if !self.declared.is_empty() {
            warnings.add(format!("{place} declares {}; the results have {}", self.declared, self.found));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_results_are_counted() {
        assert_eq!(number_differs(8.0, 6.0), "2 results are missing: declared 8");
        assert_eq!(number_differs(8.0, 7.0), "1 result is missing: declared 8");
        assert_eq!(number_differs(4.0, 6.0), "2 results are more than expected: declared 4");
    }

    #[test]
    fn differences_are_listed() {
        let mut warnings = Warnings::default();
        let mut differences = Differences::default();
        differences.count("passed", Some(3.0), 2);
        differences.count("failed", None, 2);
        differences.measure("score", Some(1.0), 1.0 + 1e-12);
        differences.measure("cost", Some(0.0002), 0.0001);
        differences.warn("here", &mut warnings);
        Differences::default().warn("nowhere", &mut warnings);
        assert_eq!(
            warnings.into_texts(),
            ["here declares passed 3, cost 0.0002; the results have passed 2, cost 0.0001"]
        );
    }
}
