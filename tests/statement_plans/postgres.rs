//! Plans of PostgreSQL.

use diesel::QueryableByName;
use diesel::sql_types::Text;
use diesel_async::AsyncPgConnection;
use serde_json::Value;

use crate::TABLES;
use crate::statistics::Statistics;

/// Rows that may be sorted whatever is returned of them.
const FEW: f64 = 100.0;
/// Rows that are asked for.
const PAGE: f64 = 21.0;
/// Rows that may be walked past until so many are found.
const WALKED_PAST: f64 = 1_000.0;
/// Rows that may be sorted to be put into groups, or found and not used: those of ten parents, as many as PostgreSQL takes
/// a list for.
const OF_PARENTS: f64 = 4_000.0;

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
pub async fn faults(connection: &mut AsyncPgConnection, statement: &str, statistics: &Statistics) -> Vec<String> {
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
    examine(&plan[0]["Plan"], Use::All, statistics, &mut faults);
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

/// What becomes of the rows of a node.
#[derive(Clone, Copy, PartialEq)]
enum Use {
    /// All of them are returned, or changed.
    All,
    /// They are returned until there are enough.
    UntilEnough,
    /// Something else is made of all of them.
    Consumed,
}

/// Looks at a node of a plan and at those below it.
fn examine(node: &Value, used: Use, statistics: &Statistics, faults: &mut Vec<String>) {
    let (kind, table) = (text(node, "Node Type"), text(node, "Relation Name"));
    if kind.ends_with("Scan") && TABLES.contains(&table) {
        faults.extend(fault_of_scan(node, used, statistics));
    }
    // An incremental one stops with the limit, too.
    let sorted = inner(node).map(rows).fold(0.0, f64::max);
    if kind == "Sort" && used == Use::UntilEnough && sorted > FEW {
        faults.push(format!("sorts {sorted} rows that it finds: {}", found_below(node)));
    }
    if kind == "Sort" && used == Use::Consumed && sorted > OF_PARENTS {
        faults.push(format!("sorts {sorted} rows to group them: {}", found_below(node)));
    }
    let used = match kind {
        "Limit" => Use::UntilEnough,
        "LockRows" | "ModifyTable" | "Result" | "Subquery Scan" | "Append" => used,
        // Of what is joined, only the outer rows stop with a limit, and of what is hashed none.
        "Nested Loop" | "Memoize" | "Incremental Sort" if used == Use::UntilEnough => used,
        _ => Use::Consumed,
    };
    inner(node).for_each(|inner| examine(inner, used, statistics, faults));
}

fn fault_of_scan(node: &Value, used: Use, statistics: &Statistics) -> Option<String> {
    let table = text(node, "Relation Name");
    let conditions: Vec<&str> = ["Index Cond", "Recheck Cond"].map(|name| text(node, name)).into();
    // Nearly all rows are not deleted: that alone is no condition.
    let condition = conditions.into_iter().find(|condition| !["", "(deleted_at IS NULL)"].contains(condition));
    let found = match condition {
        None => statistics.size(table),
        Some(condition) => found_by_bitmap(node).unwrap_or_else(|| statistics.found(table, condition)),
    };
    if used == Use::UntilEnough && (text(node, "Node Type").starts_with("Index") || !node["Filter"].is_string()) {
        let walked = found.min(PAGE * found / rows(node).max(1.0));
        return (walked > WALKED_PAST).then(|| format!("walks past rows: {}", finds(node)));
    }
    match condition {
        None => Some(format!("reads all: {}", finds(node))),
        Some(condition) if !Statistics::is_by_value(condition) && found_by_bitmap(node).is_none() => {
            (found > WALKED_PAST).then(|| format!("reads a range: {}", finds(node)))
        }
        Some(_) => (found - rows(node) > OF_PARENTS).then(|| format!("discards what it finds: {}", finds(node))),
    }
}

/// The rows that the bitmaps below a node have, if it reads by bitmaps.
fn found_by_bitmap(node: &Value) -> Option<f64> {
    inner(node).find(|inner| text(inner, "Node Type").starts_with("Bitmap")).map(rows)
}

fn found_below(node: &Value) -> String {
    inner(node).map(finds).collect::<Vec<_>>().join(", ")
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
