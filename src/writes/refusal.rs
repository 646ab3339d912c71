//! Why a change is not made.

use serde_json::Value;

use crate::db::transaction::Aborted;

/// Why a change is not made: at least one fault, all of the same kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// What kind of faults they are.
    pub kind: RefusalKind,
    /// The faults.
    pub faults: Vec<Fault>,
}

/// What is wrong with a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefusalKind {
    /// A value that can never be.
    Invalid,
    /// An object that does not exist, or that belongs to somebody else.
    NotFound,
    /// What is stored forbids it.
    Conflict,
    /// Whoever asks for it may not.
    Forbidden,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// Where in the argument it is: `.title`, `[3]`, `[3].tags[0]`; nothing for the argument itself.
    pub place: String,
    /// What is wrong, and what would be right.
    pub problem: String,
    /// What is stored, where the change was made for something else.
    pub current: Option<Value>,
}

impl Fault {
    /// A fault at a place.
    pub fn new(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { place: place.into(), problem: problem.into(), current: None }
    }
}

impl Refusal {
    /// A single fault.
    #[must_use]
    pub fn of(kind: RefusalKind, fault: Fault) -> Self {
        Self { kind, faults: vec![fault] }
    }

    /// The refusal with places that begin with the name of the argument, where there are several arguments.
    #[must_use]
    pub fn within(mut self, argument: &str) -> Self {
        for fault in &mut self.faults {
            fault.place.insert_str(0, argument);
        }
        self
    }

    /// The refusal of what was checked as if several arguments were the fields of one.
    #[must_use]
    pub fn of_arguments(mut self) -> Self {
        for fault in &mut self.faults {
            fault.place = fault.place.trim_start_matches('.').to_owned();
        }
        self
    }

    /// This refusal and another of the same kind.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.faults.extend(other.faults);
        self
    }
}

impl From<Refusal> for Aborted<Refusal> {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
