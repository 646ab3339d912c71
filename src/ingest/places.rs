//! Which place each row of a file has among the results: found in a first pass over the file, needed in the second.
//!
//! Files list results in the order in which the calls ended. Here is kept what puts them in the order of the tests, and
//! tells repetitions and duplicates, in some tens of bytes per row.

use std::collections::{HashMap, HashSet};

use sha2::{Digest as _, Sha256};

use super::model::ImportedResult;

/// Results that one file may have.
pub(super) const RESULT_LIMIT: usize = 5_000_000;

/// Half of a SHA-256: enough to tell things apart.
type Fingerprint = [u8; 16];

/// The place of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The evaluation, as an index into those of the run.
    pub evaluation: usize,
    /// The place of the test in its suite.
    pub position: i32,
    /// Counted from 0 among the results of the evaluation with the same name and hash.
    pub repetition: i32,
    /// Counted from 0 among all results, by evaluation and position.
    pub rank: usize,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    evaluation: u32,
    position: i32,
    repetition: i32,
    rank: u32,
    case: Fingerprint,
}

/// In the place of an evaluation: the row is left out.
const LEFT_OUT: u32 = u32::MAX;
/// In the place of a repetition: it is to be counted.
const UNCOUNTED: i32 = -1;

/// Collects the rows of a file, in its order.
#[derive(Debug, Default)]
pub(super) struct PlaceCollector {
    entries: Vec<Entry>,
    ids: HashSet<Fingerprint>,
}

/// What became of a row that was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Added {
    /// It is a result.
    Result,
    /// It repeats the id of an earlier one and is left out.
    Duplicate,
    /// There are too many.
    TooMany,
}

impl PlaceCollector {
    /// How many rows were added.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Adds the next row. With `repetition` the tool says itself which repetition of its case it is.
    pub fn add(&mut self, evaluation: usize, result: &ImportedResult, repetition: Option<i32>) -> Added {
        let number = u32::try_from(evaluation).unwrap_or(LEFT_OUT);
        if self.entries.len() >= RESULT_LIMIT || number == LEFT_OUT {
            return Added::TooMany;
        }
        let is_new = self.ids.insert(fingerprint([number.to_string().as_str(), &result.external_id]));
        self.entries.push(Entry {
            evaluation: if is_new { number } else { LEFT_OUT },
            position: result.position,
            repetition: repetition.unwrap_or(UNCOUNTED),
            rank: 0,
            case: case_of(result),
        });
        if is_new { Added::Result } else { Added::Duplicate }
    }

    /// Gives the evaluations other numbers: each the one at its place.
    pub fn renumber(&mut self, numbers: &[usize]) {
        for entry in self.entries.iter_mut().filter(|entry| entry.evaluation != LEFT_OUT) {
            let number = numbers.get(entry.evaluation as usize).and_then(|&number| u32::try_from(number).ok());
            entry.evaluation = number.unwrap_or(LEFT_OUT);
        }
    }

    /// The places of all rows.
    pub fn arrange(self) -> Places {
        let Self { mut entries, ids } = self;
        drop(ids);
        let mut order: Vec<u32> = (0..).take(entries.len()).collect();
        order.sort_unstable_by_key(|&row| {
            let entry = &entries[row as usize];
            (entry.evaluation, entry.position, row)
        });
        let mut counted: HashMap<Fingerprint, i32> = HashMap::new();
        let mut evaluation = LEFT_OUT;
        for (rank, row) in (0..).zip(order) {
            let entry = &mut entries[row as usize];
            entry.rank = rank;
            if entry.evaluation != evaluation {
                counted.clear();
                evaluation = entry.evaluation;
            }
            if entry.repetition == UNCOUNTED {
                let count = counted.entry(entry.case).or_insert(0);
                entry.repetition = *count;
                *count += 1;
            }
        }
        Places { entries }
    }
}

/// The places of the rows of a file, by their order in it.
#[derive(Debug)]
pub(super) struct Places {
    entries: Vec<Entry>,
}

impl Places {
    /// How many rows there are, those included that are left out.
    pub fn rows(&self) -> usize {
        self.entries.len()
    }

    /// The place of a row; `None` when it is left out.
    pub fn of(&self, row: usize) -> Option<Place> {
        let entry = self.entries.get(row).filter(|entry| entry.evaluation != LEFT_OUT)?;
        Some(Place {
            evaluation: entry.evaluation as usize,
            position: entry.position,
            repetition: entry.repetition,
            rank: entry.rank as usize,
        })
    }

    /// Whether the row was the same test case when it was read first.
    pub fn is_same_case(&self, row: usize, result: &ImportedResult) -> bool {
        self.entries.get(row).is_some_and(|entry| entry.case == case_of(result))
    }
}

fn case_of(result: &ImportedResult) -> Fingerprint {
    fingerprint([result.test_case_name.as_str(), result.case_hash.as_deref().unwrap_or_default()])
}

fn fingerprint(parts: [&str; 2]) -> Fingerprint {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let mut fingerprint = Fingerprint::default();
    fingerprint.iter_mut().zip(hasher.finalize()).for_each(|(to, from)| *to = from);
    fingerprint
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(id: &str, position: i32, name: &str, hash: Option<&str>) -> ImportedResult {
        ImportedResult {
            external_id: id.to_owned(),
            position,
            test_case_name: name.to_owned(),
            case_hash: hash.map(str::to_owned),
            ..ImportedResult::example()
        }
    }

    #[test]
    fn rows_are_ranked_by_evaluation_and_position() {
        let mut collector = PlaceCollector::default();
        for (evaluation, id, position) in [(1, "a", 0), (0, "b", 2), (0, "c", 1), (0, "d", 2)] {
            assert_eq!(collector.add(evaluation, &result(id, position, id, None), None), Added::Result);
        }
        let places = collector.arrange();
        let ranks: Vec<_> = (0..4).map(|row| places.of(row).unwrap().rank).collect();
        assert_eq!(ranks, [3, 1, 0, 2]);
        assert_eq!(places.of(4), None);
    }

    #[test]
    fn equal_cases_are_repetitions_in_the_order_of_the_tests() {
        let mut collector = PlaceCollector::default();
        let rows = [
            (0, "a", 2, Some("1")),
            (0, "b", 0, Some("1")),
            (0, "c", 1, Some("2")),
            (0, "d", 3, None),
            (1, "a", 0, Some("1")),
        ];
        for (evaluation, id, position, hash) in rows {
            assert_eq!(collector.add(evaluation, &result(id, position, "x", hash), None), Added::Result);
        }
        collector.add(1, &result("z", 1, "x", Some("1")), Some(7));
        let places = collector.arrange();
        let repetitions: Vec<_> = (0..6).map(|row| places.of(row).unwrap().repetition).collect();
        assert_eq!(repetitions, [1, 0, 0, 0, 0, 7]);
        assert!(places.is_same_case(0, &result("other", 9, "x", Some("1"))));
        assert!(!places.is_same_case(0, &result("a", 2, "x", Some("2"))));
    }

    #[test]
    fn a_repeated_id_is_left_out() {
        let mut collector = PlaceCollector::default();
        assert_eq!(collector.add(0, &result("a", 1, "x", None), None), Added::Result);
        assert_eq!(collector.add(0, &result("a", 0, "x", None), None), Added::Duplicate);
        assert_eq!(collector.add(1, &result("a", 0, "x", None), None), Added::Result);
        let places = collector.arrange();
        assert_eq!((places.rows(), places.of(1)), (3, None));
        assert_eq!(places.of(0).unwrap().repetition, 0);
    }

    #[test]
    fn no_more_results_are_taken_than_the_limit() {
        let mut collector = PlaceCollector::default();
        collector.add(0, &result("a", 0, "x", None), None);
        collector.entries.resize(RESULT_LIMIT - 1, collector.entries[0]);
        assert_eq!(collector.add(0, &result("b", 0, "x", None), None), Added::Result);
        assert_eq!(collector.add(0, &result("c", 0, "x", None), None), Added::TooMany);
    }
}
