//! Plans of SQLite.

use diesel::sql_types::{Integer, Text};
use diesel::{QueryableByName, RunQueryDsl, SqliteConnection};

use crate::shape::shape;

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Integer)]
    parent: i32,
    #[diesel(sql_type = Text)]
    detail: String,
}

/// What is wrong with the plan of a statement.
pub fn faults(connection: &mut SqliteConnection, statement: &str) -> Vec<String> {
    let explain = diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}"));
    let plan: Vec<Step> = RunQueryDsl::load(explain, connection).unwrap_or_else(|error| panic!("{error}: {statement}"));
    let mut faults = scans(&plan, statement);
    // Whatever is returned of a sort, all of it is made.
    if is_limited(statement) {
        faults.extend(plan.iter().filter(|step| is_sort(step)).map(|sort| {
            let found = plan.iter().filter(|step| step.parent == sort.parent && finds(step).is_some());
            let found: Vec<_> = found.map(|step| step.detail.as_str()).collect();
            format!("sorts what it finds: {}", found.join(", "))
        }));
    }
    faults.extend(not_by_given_ids(&plan, statement));
    faults
}

/// Whether a part is returned of what the statement finds, or of what it finds for each parent.
fn is_limited(statement: &str) -> bool {
    statement.trim_end_matches(')').ends_with(" LIMIT ?")
}

/// Not one of the last terms alone, by which few rows are left to be sorted.
fn is_sort(step: &Step) -> bool {
    step.detail == "USE TEMP B-TREE FOR ORDER BY"
}

/// The table that a step looks rows up in or walks along. Tables go by their other names, where they have some.
fn finds(step: &Step) -> Option<&str> {
    let rest = step.detail.strip_prefix("SEARCH ").or_else(|| step.detail.strip_prefix("SCAN "))?;
    rest.split(' ').next().filter(|_| !rest.contains("VIRTUAL TABLE"))
}

/// Tables that are read from end to end, or until enough of their rows meet the conditions.
fn scans(plan: &[Step], statement: &str) -> Vec<String> {
    // What other parts of the statement have found is no table.
    let found: Vec<_> = plan
        .iter()
        .filter_map(|step| step.detail.strip_prefix("CO-ROUTINE ").or_else(|| step.detail.strip_prefix("MATERIALIZE ")))
        .collect();
    let fault = |step: &Step| {
        let detail = &step.detail;
        // An index made for one statement, or one that is walked once for each value of its first column.
        if detail.contains("AUTOMATIC") || detail.contains("(ANY(") {
            return Some(detail.clone());
        }
        let name = finds(step).filter(|name| detail.starts_with("SCAN ") && !found.contains(name))?;
        if name == "CONSTANT" {
            return None;
        }
        let is_sorted = plan.iter().any(|other| other.parent == step.parent && is_sort(other));
        let ends_early = detail.contains(" USING ") && is_limited(statement) && !is_sorted;
        match ends_early {
            true if nearly_all_rows_meet(&conditions(statement)) => None,
            true => Some(format!("walks past rows: {detail}")),
            false => Some(format!("reads all: {detail}")),
        }
    };
    plan.iter().filter_map(fault).collect()
}

/// What is between `WHERE` and `ORDER BY` of a list.
fn conditions(statement: &str) -> String {
    let shape = shape(statement);
    let after = shape.split_once(" WHERE ").map_or("", |(_, after)| after);
    after.rsplit_once(" ORDER BY ").map_or(after, |(before, _)| before).to_owned()
}

/// Whether there is no condition but where the page begins and ends, and that prompts are not deleted.
fn nearly_all_rows_meet(conditions: &str) -> bool {
    conditions.split(" AND ").all(|condition| {
        let condition = condition.trim_start_matches('(');
        let is_bound = condition.ends_with("(?, ?))") && condition.contains(".id)");
        is_bound || condition == "TRUE" || condition == "prompts.deleted_at IS NULL))" || condition == "id > ?"
    })
}

/// Rows of given parents, or with given ids, that are looked for by something else.
fn not_by_given_ids(plan: &[Step], statement: &str) -> Vec<String> {
    let shape = shape(statement);
    let mut given: Vec<&str> = Vec::new();
    for end in [" = unhex(parent.value)", " IN (SELECT unhex(value) FROM json_each("] {
        let mut parts: Vec<_> = shape.split(end).collect();
        parts.pop();
        given.extend(parts.iter().filter_map(|part| part.rsplit([' ', '(']).next()));
    }
    let is_used = |column: &str| {
        let (table, column) = column.split_once('.').unwrap_or(("", column));
        plan.iter().any(|step| {
            finds(step).is_some_and(|name| table.is_empty() || name == table)
                && [format!("({column}=?"), format!(" {column}=?")].iter().any(|by| step.detail.contains(by))
        })
    };
    given.into_iter().filter(|column| !is_used(column)).map(|column| format!("does not look for {column}")).collect()
}
