//! Values that cannot be stored.

/// A value that cannot be stored: where it is, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    /// The path of the value in the document.
    pub place: String,
    /// What was found and what was expected.
    pub problem: String,
}

impl Problem {
    /// A problem at this place.
    pub fn new(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { place: place.into(), problem: problem.into() }
    }
}
