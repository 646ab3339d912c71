//! How many rows PostgreSQL believes to find by the conditions of an index: it says only how many of them are left when
//! everything else has been looked at.

use std::collections::BTreeMap;

use evalgraph::db::pool::DatabaseLocation;

use crate::common::sql;

/// What PostgreSQL takes for the part of the rows that a condition of one side leaves, where it knows no value.
const OF_ONE_SIDE: f64 = 1.0 / 3.0;
/// The same of a condition of both sides.
const OF_BOTH_SIDES: f64 = 0.005;
/// How many values it takes a list for whose length it does not know.
const OF_A_LIST: f64 = 10.0;

/// What PostgreSQL knows of the tables.
pub struct Statistics {
    sizes: BTreeMap<String, f64>,
    /// By table and column.
    values: BTreeMap<(String, String), f64>,
}

impl Statistics {
    /// What it knows at present.
    pub async fn of(location: &DatabaseLocation) -> Self {
        let sizes = "SELECT relname || ' ' || reltuples AS value FROM pg_class
                     WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace";
        let sizes: BTreeMap<String, f64> = sql::texts(location, sizes).await.iter().map(|line| named(line)).collect();
        let values = "SELECT tablename || ' ' || attname || ' ' || n_distinct AS value FROM pg_stats
                      WHERE schemaname = current_schema()";
        let lines = sql::texts(location, values).await;
        let value = |line: &String| {
            let (table, rest) = line.split_once(' ').unwrap();
            let (column, number): (String, f64) = named(rest);
            // As a part of the rows, where more rows have more values.
            let number = if number < 0.0 { -number * sizes.get(table)? } else { number };
            Some(((table.to_owned(), column), number.max(1.0)))
        };
        Self { values: lines.iter().filter_map(value).collect(), sizes }
    }

    /// The rows of a table.
    pub fn size(&self, table: &str) -> f64 {
        self.sizes[table]
    }

    /// The rows of a table that a condition of an index finds.
    pub fn found(&self, table: &str, condition: &str) -> f64 {
        let mut ranges: BTreeMap<&str, usize> = BTreeMap::new();
        let mut part = 1.0;
        for term in terms(condition) {
            if term.starts_with("ROW(") {
                part *= OF_ONE_SIDE;
                continue;
            }
            let (column, rest) = term.split_once(' ').unwrap_or((term, ""));
            let values = self.values.get(&(table.to_owned(), column.to_owned())).copied().unwrap_or(1.0);
            match rest.split(' ').next().unwrap_or_default() {
                "=" if rest.starts_with("= ANY") => part *= (OF_A_LIST / values).min(1.0),
                "=" => part /= values,
                "<" | "<=" | ">" | ">=" => *ranges.entry(column).or_default() += 1,
                _ => {}
            }
        }
        let of_range = |&ends: &usize| if ends > 1 { OF_BOTH_SIDES } else { OF_ONE_SIDE };
        self.size(table) * part * ranges.values().map(of_range).product::<f64>()
    }

    /// Whether a condition of an index asks for certain values, and not only for a range of values.
    pub fn is_by_value(condition: &str) -> bool {
        let is_value = |term: &str| term.split_once(' ').is_some_and(|(_, rest)| rest.starts_with("= "));
        terms(condition).into_iter().any(is_value)
    }
}

fn named(line: &str) -> (String, f64) {
    let (name, number) = line.rsplit_once(' ').unwrap();
    (name.to_owned(), number.parse().unwrap())
}

/// The conditions that are joined by `AND`.
fn terms(condition: &str) -> Vec<&str> {
    let terms = condition.split(" AND ");
    terms.map(|term| term.trim_matches(['(', ')'])).collect()
}

#[test]
fn conditions_find_a_part_of_the_rows() {
    let sizes = BTreeMap::from([("a".to_owned(), 6_000.0)]);
    let values = [("x", 100.0), ("y", 3.0)].map(|(column, number)| (("a".to_owned(), column.to_owned()), number));
    let statistics = Statistics { sizes, values: values.into() };
    for (condition, expected) in [
        ("(x = $1)", 60.0),
        ("((x = b.id) AND (y = $1))", 20.0),
        ("(x = ANY ($1))", 600.0),
        ("(y = ANY ($1))", 6_000.0),
        ("(y > $1)", 2_000.0),
        ("((x = $2) AND (y >= $1) AND (y < $3))", 0.3),
        ("(ROW(y, id) < ROW($1, $2))", 2_000.0),
    ] {
        assert!((statistics.found("a", condition) - expected).abs() < 1e-9, "{condition}");
    }
    assert!(Statistics::is_by_value("((y > $1) AND (x = $2))"));
    assert!(!Statistics::is_by_value("((y > $1) AND (y <= $2))"));
}
