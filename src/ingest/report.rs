//! What an import did.

use std::fmt;

use crate::domain::RunId;

/// What the import of one file did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportReport {
    /// The run.
    pub run_id: RunId,
    /// What the tool calls it.
    pub external_id: String,
    /// Runs that were stored: 0 or 1.
    pub new_runs: usize,
    /// Prompt lineages that were begun.
    pub new_lineages: usize,
    /// Prompt versions that were stored, the first ones of new lineages included.
    pub new_versions: usize,
    /// Evaluations that were stored.
    pub new_evaluations: usize,
    /// Test results that were stored.
    pub new_results: usize,
    /// Evaluations of the file that were there already.
    pub known_evaluations: usize,
    /// Test results of the file that were there already.
    pub known_results: usize,
    /// What the user should know about the file.
    pub warnings: Vec<String>,
    /// Whether this is only what an import would have done: then nothing was stored, and the run has no id that stays.
    pub dry_run: bool,
}

impl ImportReport {
    /// How many rows were written.
    #[must_use]
    pub fn new_rows(&self) -> usize {
        self.new_runs + self.new_versions + self.new_evaluations + self.new_results
    }
}

impl fmt::Display for ImportReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.external_id)?;
        let written = if self.dry_run { "would be written" } else { "written" };
        if self.new_rows() == 0 {
            write!(f, "nothing new, 0 rows {written}")?;
        } else {
            write!(
                f,
                "{} {written}: {}, {} ({}), {}, {}",
                Count(self.new_rows(), "row"),
                Count(self.new_runs, "run"),
                Count(self.new_versions, "prompt version"),
                Count(self.new_lineages, "new lineage"),
                Count(self.new_evaluations, "evaluation"),
                Count(self.new_results, "result"),
            )?;
        }
        if self.known_evaluations + self.known_results > 0 {
            let (evaluations, results) =
                (Count(self.known_evaluations, "evaluation"), Count(self.known_results, "result"));
            write!(f, "; already there: {evaluations}, {results}")?;
        }
        for warning in &self.warnings {
            write!(f, "\nwarning: {warning}")?;
        }
        Ok(())
    }
}

/// A number and its noun.
struct Count(usize, &'static str);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(number, noun) = self;
        let plural = if *number == 1 { "" } else { "s" };
        write!(f, "{number} {noun}{plural}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> ImportReport {
        ImportReport {
            run_id: RunId::generate(),
            external_id: "eval-1".to_owned(),
            new_runs: 1,
            new_lineages: 0,
            new_versions: 1,
            new_evaluations: 2,
            new_results: 8,
            known_evaluations: 0,
            known_results: 0,
            warnings: Vec::new(),
            dry_run: false,
        }
    }

    #[test]
    fn says_what_was_written() {
        assert_eq!(
            report().to_string(),
            "eval-1: 12 rows written: 1 run, 1 prompt version (0 new lineages), 2 evaluations, 8 results"
        );
    }

    #[test]
    fn says_what_would_be_written() {
        let report = ImportReport { dry_run: true, ..report() };
        assert!(report.to_string().starts_with("eval-1: 12 rows would be written: 1 run, "), "{report}");
    }

    #[test]
    fn says_what_was_there_and_what_is_odd() {
        let again = ImportReport {
            new_runs: 0,
            new_versions: 0,
            new_evaluations: 0,
            new_results: 0,
            known_evaluations: 2,
            known_results: 8,
            warnings: vec!["1 score is missing".to_owned()],
            ..report()
        };
        assert_eq!(
            again.to_string(),
            "eval-1: nothing new, 0 rows written; already there: 2 evaluations, 8 results\nwarning: 1 score is missing"
        );
    }
}
