//! Which result is which in format 2.
//!
//! Its results come in the order in which the calls ended and do not say where they belong. The table does: its columns
//! are the prompts with their providers, its rows the tests. A result belongs to the column with its label and provider,
//! and there to the test with its variables and its prompt; among equal ones, to the next that is free.

use std::collections::{HashMap, VecDeque};

use serde_json::Value;

use super::file::{Column, Row, TableRow};
use super::results::RowPlace;
use crate::domain::sha256_hex;
use crate::ingest::json::{case_hash, text_form};
use crate::ingest::numbers::index;
use crate::ingest::problem::Problem;

/// The tests and what is needed to find them.
pub(super) struct Table {
    columns: Vec<TableColumn>,
    tests: usize,
}

#[derive(Default)]
struct TableColumn {
    label: String,
    provider: String,
    by_case_and_prompt: HashMap<(Option<String>, Option<String>), VecDeque<usize>>,
    by_case: HashMap<Option<String>, VecDeque<usize>>,
    is_taken: Vec<bool>,
    /// All tests before this one are taken.
    free_from: usize,
}

impl Table {
    /// The table with these columns and rows.
    pub fn new(columns: &[Column], rows: &[TableRow]) -> Self {
        let hashes: Vec<_> = rows.iter().map(hash_of_test).collect();
        let column = |(number, column): (usize, &Column)| {
            let mut table = TableColumn {
                label: column.label.as_ref().and_then(text_form).unwrap_or_default(),
                provider: column.provider.clone().unwrap_or_default(),
                is_taken: vec![false; rows.len()],
                ..TableColumn::default()
            };
            for (test, (row, hash)) in rows.iter().zip(&hashes).enumerate() {
                let cell = row.outputs.as_ref().and_then(|cells| cells.get(number));
                let prompt = cell.and_then(|cell| cell.prompt.clone());
                table.by_case_and_prompt.entry((hash.clone(), prompt)).or_default().push_back(test);
                table.by_case.entry(hash.clone()).or_default().push_back(test);
            }
            table
        };
        Self { columns: columns.iter().enumerate().map(column).collect(), tests: rows.len() }
    }

    /// The column and the test of a result.
    pub fn place(&mut self, row: &Row, place: RowPlace) -> Result<(usize, i32), Problem> {
        let label = row.prompt.as_ref().and_then(|prompt| text_form(prompt.label.as_ref()?)).unwrap_or_default();
        let providers = provider_names(row.provider.as_ref());
        let is_own = |column: &TableColumn| column.label == label && providers.contains(&column.provider.as_str());
        let own = self.columns.iter().enumerate().filter(|(_, column)| is_own(column));
        // Where several are alike, the first takes what the file has of them first.
        let mut own = own.map(|(number, column)| (number, column.free_from < self.tests));
        let first = own.clone().next();
        let chosen = own.find(|&(_, has_room)| has_room).or(first);
        let Some((number, _)) = chosen else {
            let problem = "no column of `results.table` has its label and its provider";
            return Err(Problem::new(place.member("prompt"), problem));
        };
        let hash = row.vars.as_ref().and_then(case_hash);
        let prompt = row.prompt.as_ref().and_then(|prompt| Some(sha256_hex(prompt.raw.as_ref()?.as_bytes())));
        let test = self.columns.get_mut(number).map_or(0, |column| column.take(hash, prompt));
        Ok((number, index(test as f64, || place.member("vars"))?))
    }
}

impl TableColumn {
    fn take(&mut self, hash: Option<String>, prompt: Option<String>) -> usize {
        let by_case = self.by_case.entry(hash.clone()).or_default();
        let by_both = self.by_case_and_prompt.entry((hash, prompt)).or_default();
        let is_free = |test: &usize| self.is_taken.get(*test) == Some(&false);
        let next = |queue: &mut VecDeque<usize>| std::iter::from_fn(|| queue.pop_front()).find(is_free);
        let test = next(by_both).or_else(|| next(by_case)).unwrap_or(self.free_from);
        match self.is_taken.get_mut(test) {
            Some(is_taken) => *is_taken = true,
            // There are more results than tests.
            None => self.is_taken.resize(test + 1, true),
        }
        while self.is_taken.get(self.free_from) == Some(&true) {
            self.free_from += 1;
        }
        test
    }
}

fn hash_of_test(row: &TableRow) -> Option<String> {
    case_hash(row.test.as_ref()?.vars.as_ref()?)
}

fn provider_names(provider: Option<&Value>) -> [&str; 2] {
    let Some(provider) = provider else { return ["", ""] };
    match provider.as_str() {
        Some(id) => [id, id],
        None => {
            let id = provider["id"].as_str().unwrap_or_default();
            [provider["label"].as_str().filter(|label| !label.is_empty()).unwrap_or(id), id]
        }
    }
}

/// Gives the row of a result the test that the table has for it.
pub(super) fn complete(row: &mut Row, tests: &[TableRow], position: i32) {
    let Some(test) = usize::try_from(position).ok().and_then(|position| tests.get(position)) else { return };
    row.description.clone_from(&test.description);
    row.test_case.clone_from(&test.test);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ingest::promptfoo::read;

    #[test]
    fn results_with_equal_variables_are_told_by_their_prompts() {
        let test = |prompt: &str| json!({"outputs": [{"prompt": prompt}], "test": {"vars": {"x": 1}}});
        let row = |prompt: &str| {
            json!({"prompt": {"raw": prompt, "label": "l"}, "provider": {"id": "echo"}, "vars": {"x": 1},
                "success": true, "score": 1})
        };
        let head = json!({"prompts": [{"raw": "f", "label": "l", "provider": "echo"}]});
        let table = json!({"head": head, "body": [test("one"), test("two"), test("three")]});
        let file = json!({"results": {"version": 2, "timestamp": "2026-11-23T06:13:02Z", "table": table,
            "results": [row("three"), row("one"), row("two")]}});
        let results = &read(file.to_string().as_bytes()).unwrap().results[0];
        let prompts: Vec<_> = results.iter().filter_map(|result| result.rendered_prompt.as_deref()).collect();
        assert_eq!(prompts, ["one", "two", "three"]);
    }
}
