//! Which names of operations are labels.
//!
//! Clients choose them, and each makes series of its own: so many are let in and no more.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use opentelemetry::StringValue;

/// What all other names have in common.
const OTHER: &str = "other";
/// Longer names are for nobody to read.
const LONGEST: usize = 64;

/// The names that are labels: those that were configured, and those that were seen first.
#[derive(Debug)]
pub struct OperationNames {
    known: RwLock<HashMap<Box<str>, StringValue>>,
    most: usize,
}

impl OperationNames {
    /// The configured names, and so many more.
    #[must_use]
    pub fn new(configured: impl IntoIterator<Item = String>, more: usize) -> Self {
        let known: HashMap<Box<str>, StringValue> =
            configured.into_iter().map(|name| (name.as_str().into(), value(&name))).collect();
        let most = known.len() + more;
        Self { known: RwLock::new(known), most }
    }

    /// The label of a name. `may_be_new` is for names of operations that make sense: nobody who sends nonsense takes the
    /// places of others.
    pub fn label(&self, name: &str, may_be_new: bool) -> StringValue {
        if let Some(known) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return known.clone();
        }
        if !may_be_new || name.len() > LONGEST {
            return StringValue::from(OTHER);
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= self.most && !known.contains_key(name) {
            return StringValue::from(OTHER);
        }
        known.entry(name.into()).or_insert_with(|| value(name)).clone()
    }
}

/// Cheap to clone.
fn value(name: &str) -> StringValue {
    StringValue::from(Arc::<str>::from(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_names_are_let_in_and_no_more() {
        let names = OperationNames::new(["Configured".to_owned()], 2);
        let label = |name: &str, may_be_new| names.label(name, may_be_new).as_str().to_owned();
        assert_eq!(label("Nonsense", false), "other");
        assert_eq!(label(&"x".repeat(65), true), "other");
        assert_eq!([label("First", true), label("Second", true)], ["First", "Second"]);
        assert_eq!(label("Third", true), "other");
        assert_eq!([label("Configured", true), label("First", false)], ["Configured", "First"]);
    }
}
