//! Comparing totals as they are stored with totals as they should be.

use std::collections::BTreeMap;
use std::fmt;

use uuid::Uuid;

/// By how much sums of floating-point numbers may differ, relative to the sum of what was added without its signs: the
/// order in which numbers are added makes a difference.
const TOLERANCE: f64 = 1e-9;

/// A total that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The evaluation or the prompt.
    pub id: Uuid,
    /// Whose total it is.
    pub subject: String,
    /// The column; none where a whole row is missing or too many.
    pub column: &'static str,
    /// What is stored.
    pub stored: String,
    /// What it should be.
    pub computed: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} is {} and should be {}", self.subject, self.column, self.stored, self.computed)
    }
}

/// Totals as they are stored, or as they should be.
pub(super) trait Line {
    /// What tells it from others.
    type Key: Ord;
    /// Its key.
    fn key(&self) -> Self::Key;
    /// Which of the two they are.
    fn is_stored(&self) -> bool;
    /// The evaluation or the prompt.
    fn id(&self) -> Uuid;
    /// What they are the totals of, in words.
    fn subject(&self) -> String;
    /// The columns with their values.
    fn figures(&self) -> Vec<(&'static str, Figure)>;
    /// Whether nothing needs to be stored.
    fn is_empty(&self) -> bool;
}

/// A column's value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Figure {
    Text(String),
    Count(Option<i64>),
    /// Or a mean. With the same of what was added without its signs, where it was computed.
    Sum(Option<f64>, Option<f64>),
}

impl Figure {
    fn equals(&self, computed: &Self) -> bool {
        match (self, computed) {
            (Self::Sum(Some(stored), _), Self::Sum(Some(computed), scale)) => {
                let scale = scale.unwrap_or_default().max(stored.abs()).max(computed.abs());
                (stored - computed).abs() <= TOLERANCE * scale
            }
            (Self::Sum(stored, _), Self::Sum(computed, _)) => stored == computed,
            _ => self == computed,
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "«{text}»"),
            Self::Count(Some(count)) => count.fmt(f),
            Self::Sum(Some(sum), _) => sum.fmt(f),
            Self::Count(None) | Self::Sum(None, _) => f.write_str("null"),
        }
    }
}

/// Where stored and computed totals differ.
pub(super) fn differences<L: Line>(lines: Vec<L>) -> Vec<Difference> {
    let mut pairs: BTreeMap<L::Key, (Option<L>, Option<L>)> = BTreeMap::new();
    for line in lines {
        let pair = pairs.entry(line.key()).or_default();
        let place = if line.is_stored() { &mut pair.0 } else { &mut pair.1 };
        *place = Some(line);
    }
    pairs.into_values().flat_map(|(stored, computed)| differences_of(stored.as_ref(), computed.as_ref())).collect()
}

fn differences_of<L: Line>(stored: Option<&L>, computed: Option<&L>) -> Vec<Difference> {
    let difference = |line: &L, column, stored: String, computed: String| Difference {
        id: line.id(),
        subject: line.subject(),
        column,
        stored,
        computed,
    };
    match (stored, computed) {
        (Some(stored), Some(computed)) => {
            let figures = stored.figures().into_iter().zip(computed.figures());
            let unequal = figures.filter(|((_, stored), (_, computed))| !stored.equals(computed));
            unequal
                .map(|((column, one), (_, other))| difference(stored, column, one.to_string(), other.to_string()))
                .collect()
        }
        (None, Some(line)) if !line.is_empty() => {
            vec![difference(line, "the row", "missing".to_owned(), "there".to_owned())]
        }
        (Some(line), None) => vec![difference(line, "the row", "there".to_owned(), "missing".to_owned())],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::Figure;

    #[test]
    fn sums_are_equal_within_a_billionth_of_what_was_added() {
        let equal = |stored, computed, scale| Figure::Sum(stored, None).equals(&Figure::Sum(computed, scale));
        assert!(equal(Some(1.0), Some(1.0 + 5e-10), Some(1.0)));
        assert!(!equal(Some(1.0), Some(1.0 + 5e-9), Some(1.0)));
        // What is left of 0.1 + 0.2 − 0.3 depends on the order.
        assert!(equal(Some(5.5e-17), Some(0.0), Some(0.6)));
        assert!(!equal(Some(5.5e-17), Some(0.0), Some(0.0)));
        assert!(equal(None, None, None));
        assert!(!equal(Some(0.0), None, None));
        assert!(!equal(None, Some(0.0), Some(0.0)));
    }
}
