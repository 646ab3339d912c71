//! Plans of PostgreSQL.

use std::collections::BTreeMap;

use diesel::QueryableByName;
use diesel::sql_types::Text;
use diesel_async::AsyncPgConnection;
use evalgraph::db::pool::DatabaseLocation;
use serde_json::Value;

use crate::TABLES;
use crate::common::sql;

/// Rows that may be sorted whatever is returned of them.
const FEW: f64 = 100.0;
/// Rows that are asked for.
const PAGE: f64 = 21.0;
/// Rows that may be walked past until so many are found.
const WALKED_PAST: f64 = 1_000.0;

/// How many rows each table has.
pub type Sizes = BTreeMap<String, f64>;

/// What PostgreSQL believes the tables to have.
pub async fn sizes(location: &DatabaseLocation) -> Sizes {
    let sizes = "SELECT relname || ' ' || reltuples AS value FROM pg_class
                 WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace";
    let lines = sql::texts(location, sizes).await;
    let size = |line: &String| {
        let (name, size) = line.split_once(' ').unwrap();
        (name.to_owned(), size.parse().unwrap())
    };
    lines.iter().map(size).collect()
}

#[derive(QueryableByName)]
struct Plan {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    plan: String,
}

/// The statement with a usual number of rows, which decides about the plan, in the place of each limit; and the types of
/// its parameters, as far as nothing in it tells them.
fn with_limits(statement: &str) -> (String, String) {
    let count = statement.split('$').skip(1).map(leading_number).max().unwrap_or_default();
    let mut types = vec!["unknown"; count];
    let mut parts = statement.split(" LIMIT $");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let number = leading_number(part);
        types[number - 1] = "bigint";
        text = format!("{text} LIMIT {PAGE}{}", &part[number.to_string().len()..]);
    }
    // Diesel says the type of the parents' ids, which nothing else tells here.
    (text.replace("unnest($1)", "unnest($1::uuid[])"), types.join(", "))
}

fn leading_number(text: &str) -> usize {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_default()
}

/// What is wrong with the plan of a statement, made for values that are not known.
pub async fn faults(connection: &mut AsyncPgConnection, statement: &str, sizes: &Sizes) -> Vec<String> {
    use diesel_async::{RunQueryDsl, SimpleAsyncConnection as _};
    let (text, types) = with_limits(statement);
    let in_brackets = |list: &str| if list.is_empty() { String::new() } else { format!("({list})") };
    let prepare = format!("PREPARE statement {} AS {text}", in_brackets(&types));
    connection.batch_execute(&prepare).await.unwrap_or_else(|error| panic!("{error}: {text}"));
    let values = vec!["NULL"; types.split(", ").filter(|name| !name.is_empty()).count()].join(", ");
    let explain = diesel::sql_query(format!("EXPLAIN (FORMAT JSON) EXECUTE statement{}", in_brackets(&values)));
    let plan = RunQueryDsl::get_result(explain, connection).await;
    let Plan { plan } = plan.unwrap_or_else(|error| panic!("{error}: {text}"));
    connection.batch_execute("DEALLOCATE statement").await.unwrap();
    let plan: Value = serde_json::from_str(&plan).unwrap();
    let mut faults = Vec::new();
    examine(&plan[0]["Plan"], false, sizes, &mut faults);
    faults
}

fn text<'n>(node: &'n Value, name: &str) -> &'n str {
    node[name].as_str().unwrap_or_default()
}

fn rows(node: &Value) -> f64 {
    node["Plan Rows"].as_f64().unwrap_or_default()
}

fn inner(node: &Value) -> impl Iterator<Item = &Value> {
    node["Plans"].as_array().into_iter().flatten()
}

/// Looks at a node of a plan and at those below it; `ends_early` when a limit above stops it.
fn examine(node: &Value, ends_early: bool, sizes: &Sizes, faults: &mut Vec<String>) {
    let (kind, table) = (text(node, "Node Type"), text(node, "Relation Name"));
    if kind.ends_with("Scan") && TABLES.contains(&table) {
        examine_scan(node, ends_early, sizes[table], faults);
    }
    // An incremental one stops with the limit, too.
    let sorted = inner(node).map(rows).fold(0.0, f64::max);
    if kind == "Sort" && ends_early && sorted > FEW {
        let found: Vec<_> = inner(node).map(finds).collect();
        faults.push(format!("sorts {sorted} rows that it finds: {}", found.join(", ")));
    }
    // What a sort or a sum reads is read to the end.
    let ends_early = match kind {
        "Limit" => true,
        "Sort" | "Aggregate" | "Hash" | "WindowAgg" => false,
        _ => ends_early,
    };
    inner(node).for_each(|inner| examine(inner, ends_early, sizes, faults));
}

fn examine_scan(node: &Value, ends_early: bool, size: f64, faults: &mut Vec<String>) {
    // Nearly all rows are not deleted: that alone is no condition.
    let narrows = |condition: &str| !["", "(deleted_at IS NULL)"].contains(&text(node, condition));
    if narrows("Index Cond") || narrows("Recheck Cond") {
        return;
    }
    if !ends_early || text(node, "Node Type") == "Seq Scan" {
        faults.push(format!("reads all: {}", finds(node)));
    } else if PAGE * size / rows(node).max(1.0) > WALKED_PAST {
        faults.push(format!("walks past rows: {}", finds(node)));
    }
}

/// How the tables below a node are read.
fn finds(node: &Value) -> String {
    let of = [("", "Relation Name"), (" by ", "Index Name"), (" ", "Index Cond")];
    let own = of.iter().filter(|(_, name)| node[name].is_string());
    let own: String = own.map(|(between, name)| format!("{between}{}", text(node, name))).collect();
    let own = if own.is_empty() { own } else { format!("{} on {own}", text(node, "Node Type")) };
    let below: Vec<_> = inner(node).map(finds).filter(|found| !found.is_empty()).collect();
    [own].into_iter().filter(|own| !own.is_empty()).chain(below).collect::<Vec<_>>().join(", ")
}
