//! Plans of SQLite.

use std::collections::BTreeMap;

use diesel::sql_types::{Integer, Text};
use diesel::{QueryableByName, RunQueryDsl, SqliteConnection};

use crate::shape::shape;

/// Rows that may be sorted to be put into groups, or to be told apart: those of a parent.
const GROUPED: f64 = 1_000.0;

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Integer)]
    parent: i32,
    #[diesel(sql_type = Text)]
    detail: String,
}

/// How many rows each index has, then how many of them are the same in its first column, in its first two, and so on: what
/// SQLite plans by.
pub type Told = BTreeMap<String, Vec<f64>>;

/// What the migrations have told the database.
pub fn told(connection: &mut SqliteConnection) -> Told {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        idx: String,
        #[diesel(sql_type = Text)]
        stat: String,
    }
    let rows: Vec<Row> =
        RunQueryDsl::load(diesel::sql_query("SELECT idx, stat FROM sqlite_stat1"), connection).unwrap();
    let numbers = |stat: &str| stat.split(' ').map_while(|number| number.parse().ok()).collect();
    rows.into_iter().map(|row| (row.idx, numbers(&row.stat))).collect()
}

/// What is wrong with the plan of a statement.
pub fn faults(connection: &mut SqliteConnection, statement: &str, told: &Told) -> Vec<String> {
    let explain = diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}"));
    let steps: Vec<Step> =
        RunQueryDsl::load(explain, connection).unwrap_or_else(|error| panic!("{error}: {statement}"));
    let plan = Plan { statement, limit: Limit::of(statement), steps, told };
    [plan.reads(), plan.sorts(), plan.groups(), plan.not_by_given_ids()].concat()
}

/// Where a statement says how many rows it wants.
#[derive(Clone, Copy, PartialEq)]
enum Limit {
    Nowhere,
    /// In the end: of everything that it finds.
    OfAll,
    /// Of what it finds for each parent.
    OfEach,
}

impl Limit {
    fn of(statement: &str) -> Self {
        let inside = statement.trim_end().trim_end_matches(')');
        let Some((_, limit)) = inside.rsplit_once(" LIMIT ") else { return Self::Nowhere };
        let is_number = limit == "?" || (!limit.is_empty() && limit.bytes().all(|byte| byte.is_ascii_digit()));
        match is_number {
            false => Self::Nowhere,
            true if inside.len() == statement.trim_end().len() => Self::OfAll,
            true => Self::OfEach,
        }
    }
}

struct Plan<'a> {
    statement: &'a str,
    limit: Limit,
    steps: Vec<Step>,
    told: &'a Told,
}

impl Plan<'_> {
    /// Tables of which more is read than rows with certain values: all, or a range, or until enough rows meet the conditions.
    fn reads(&self) -> Vec<String> {
        // What other parts of the statement have found is no table.
        let names = |step: &Step| {
            let name = step.detail.strip_prefix("CO-ROUTINE ").or_else(|| step.detail.strip_prefix("MATERIALIZE "));
            name.map(str::to_owned)
        };
        let found: Vec<_> = self.steps.iter().filter_map(names).collect();
        let is_table =
            |step: &Step| step.table().is_some_and(|name| name != "CONSTANT" && !found.iter().any(|f| f == name));
        self.steps.iter().filter(|step| is_table(step)).filter_map(|step| self.read(step)).collect()
    }

    fn read(&self, step: &Step) -> Option<String> {
        let detail = &step.detail;
        // An index made for one statement, or one that is walked once for each value of its first column.
        if detail.contains("AUTOMATIC") || detail.contains("(ANY(") {
            return Some(detail.clone());
        }
        if step.is_by_value() {
            return None;
        }
        let is_sorted = self.beside(step).any(Step::is_sort);
        if self.is_limited(step) && is_sorted && !step.is_scan() {
            // The sort is the fault.
            return None;
        }
        if detail.contains(" USING ") && self.is_limited(step) && !is_sorted {
            let conditions = conditions(self.statement);
            let are_met = conditions.split(" AND ").all(|condition| step.meets(condition));
            return (!are_met).then(|| format!("walks past rows: {detail}"));
        }
        Some(format!("{}: {detail}", if step.is_scan() { "reads all" } else { "reads a range" }))
    }

    /// Rows that are sorted to return a part of them: whatever is returned of a sort, all of it is made.
    fn sorts(&self) -> Vec<String> {
        let sorts = self.steps.iter().filter(|step| self.limit != Limit::Nowhere && self.is_limited(step));
        let fault = |step: &Step| {
            let what = match step {
                _ if step.is_sort() => "sorts what it finds",
                _ if step.is_sort_of_last_terms() => "sorts the last terms of what it finds",
                _ => return None,
            };
            Some(format!("{what}: {}", self.found_beside(step)))
        };
        sorts.filter_map(fault).collect()
    }

    /// Rows that are sorted to be put into groups, unless they are few.
    fn groups(&self) -> Vec<String> {
        let groups = self.steps.iter().filter(|step| {
            ["USE TEMP B-TREE FOR GROUP BY", "USE TEMP B-TREE FOR DISTINCT"].contains(&step.detail.as_str())
        });
        let are_many = |step: &&Step| {
            self.beside(step).filter(|step| step.table().is_some()).any(|step| self.rows(step) > GROUPED)
        };
        groups.filter(are_many).map(|step| format!("sorts to group: {}", self.found_beside(step))).collect()
    }

    /// How many rows a step finds each time, as SQLite is told.
    fn rows(&self, step: &Step) -> f64 {
        if step.detail.contains("INTEGER PRIMARY KEY (rowid=?)") {
            return 1.0;
        }
        let index = step.detail.split_once(" INDEX ").and_then(|(_, after)| after.split(' ').next());
        let numbers = index.and_then(|index| self.told.get(index));
        let values = step.terms().into_iter().take_while(|term| is_value(term)).count();
        numbers.and_then(|numbers| numbers.get(values)).copied().unwrap_or(f64::INFINITY)
    }

    /// The steps of the same part of the statement.
    fn beside<'s>(&'s self, step: &'s Step) -> impl Iterator<Item = &'s Step> {
        self.steps.iter().filter(|other| other.parent == step.parent)
    }

    fn found_beside(&self, step: &Step) -> String {
        let found = self.beside(step).filter(|step| step.table().is_some());
        found.map(|step| step.detail.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// Whether the part of the statement that a step belongs to says how many rows it wants.
    fn is_limited(&self, step: &Step) -> bool {
        match self.limit {
            Limit::Nowhere => false,
            Limit::OfAll => step.parent == 0,
            Limit::OfEach => step.parent != 0,
        }
    }

    /// Rows of given parents, or with given ids, that are looked for by something else.
    fn not_by_given_ids(&self) -> Vec<String> {
        let shape = shape(self.statement);
        let mut given: Vec<&str> = Vec::new();
        for end in [" = parent.id", " IN (SELECT unhex(value) FROM json_each("] {
            let mut parts: Vec<_> = shape.split(end).collect();
            parts.pop();
            given.extend(parts.iter().filter_map(|part| part.rsplit([' ', '(']).next()));
        }
        let is_used = |column: &str| {
            let (table, column) = column.split_once('.').unwrap_or(("", column));
            let value = format!("{column}=?");
            self.steps.iter().any(|step| {
                step.table().is_some_and(|name| table.is_empty() || name == table)
                    && step.terms().contains(&value.as_str())
            })
        };
        given
            .into_iter()
            .filter(|column| !is_used(column))
            .map(|column| format!("does not look for {column}"))
            .collect()
    }
}

impl Step {
    /// The table that it looks rows up in or walks along. Tables go by their other names, where they have some.
    fn table(&self) -> Option<&str> {
        let rest = self.detail.strip_prefix("SEARCH ").or_else(|| self.detail.strip_prefix("SCAN "))?;
        rest.split(' ').next().filter(|_| !rest.contains("VIRTUAL TABLE"))
    }

    fn is_scan(&self) -> bool {
        self.detail.starts_with("SCAN ")
    }

    /// What it looks rows up by: `user_id=?`, `created_at>?`.
    fn terms(&self) -> Vec<&str> {
        let terms = self.detail.split_once(" (").and_then(|(_, after)| after.rsplit_once(')'));
        terms.map(|(terms, _)| terms.split(" AND ").collect()).unwrap_or_default()
    }

    /// Whether it looks rows up that have a certain value, and not only a range of values.
    fn is_by_value(&self) -> bool {
        self.terms().first().is_some_and(|term| is_value(term))
    }

    /// Whether the rows that it walks along meet a condition, or nearly all of them do: because it says where the range of the
    /// index begins or ends, or that prompts are not deleted.
    fn meets(&self, condition: &str) -> bool {
        let condition = condition.trim_matches(['(', ')']);
        if ["", "TRUE", "prompts.deleted_at IS NULL"].contains(&condition) {
            return true;
        }
        let Some((place, sign)) = ["<", ">"].iter().find_map(|sign| Some((condition.find(&format!(" {sign}"))?, sign)))
        else {
            return false;
        };
        let place = condition[..place].trim_end_matches(')');
        let name = |column: &str| column.rsplit('.').next().unwrap_or_default().to_owned();
        let term = match place.rsplit_once(", ") {
            Some((_, missing)) if missing.parse::<f64>().is_ok() => format!("<expr>{sign}?"),
            // SQLite finds where values begin or end, and walks past those that are the same: see docs/decisions.md.
            Some((column, _))
                if column.starts_with("coalesce(") && self.terms().contains(&&*format!("<expr>{sign}?")) =>
            {
                return true;
            }
            Some((column, id)) if column.starts_with("coalesce(") => format!("(<expr>,{}){sign}(?,?)", name(id)),
            Some((column, id)) => format!("({},{}){sign}(?,?)", name(column), name(id)),
            None => format!("{}{sign}?", name(place)),
        };
        self.terms().contains(&term.as_str())
    }

    fn is_sort(&self) -> bool {
        self.detail == "USE TEMP B-TREE FOR ORDER BY"
    }

    /// The rows that are the same in the first terms are sorted by the others.
    fn is_sort_of_last_terms(&self) -> bool {
        !self.is_sort() && self.detail.starts_with("USE TEMP B-TREE FOR ") && self.detail.ends_with("ORDER BY")
    }
}

fn is_value(term: &str) -> bool {
    term.ends_with("=?")
}

/// What is between `WHERE` and `ORDER BY` of a list.
fn conditions(statement: &str) -> String {
    let shape = shape(statement);
    let after = shape.split_once(" WHERE ").map_or("", |(_, after)| after);
    after.rsplit_once(" ORDER BY ").map_or(after, |(before, _)| before).to_owned()
}

#[test]
fn a_limit_is_one_of_all_rows_or_of_those_of_each_parent() {
    for limit in ["SELECT 1 FROM a LIMIT ?", "SELECT 1 FROM a LIMIT 10"] {
        assert!(Limit::of(limit) == Limit::OfAll, "{limit}");
        assert!(Limit::of(&format!("SELECT 1 FROM b WHERE rowid IN ({limit})")) == Limit::OfEach, "{limit}");
        assert!(Limit::of(&format!("SELECT 1 FROM b WHERE ({limit}) = 1")) == Limit::Nowhere, "{limit}");
    }
}
