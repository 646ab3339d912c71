//! How PostgreSQL would carry out statements whose values nobody has kept.

use std::sync::Arc;

use diesel::QueryableByName;
use diesel::result::QueryResult;
use diesel::sql_types::Text;
use diesel_async::{AsyncPgConnection, RunQueryDsl as _, SimpleAsyncConnection as _};

/// How long planning a statement may take. None is executed.
const LIMITS: &str = "SET statement_timeout = '2s'; SET plan_cache_mode = force_generic_plan";
/// Under this name a statement is prepared to be explained.
const NAME: &str = "evalgraph_explained";

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    line: String,
}

/// The plan of each statement, as it is for any values; of one that cannot be planned, why not. The connection is used for
/// nothing else: what is set and prepared on it ends with it.
///
/// # Errors
/// When the connection fails.
pub(super) async fn plans(
    connection: &mut AsyncPgConnection,
    statements: Vec<Arc<str>>,
) -> QueryResult<Vec<(Arc<str>, String)>> {
    connection.batch_execute(LIMITS).await?;
    let mut plans = Vec::with_capacity(statements.len());
    for statement in statements {
        let prepared = connection.batch_execute(&format!("PREPARE {NAME} AS {statement}")).await;
        let plan = match prepared {
            Ok(()) => {
                let explained = explain(connection, &statement).await;
                connection.batch_execute(&format!("DEALLOCATE {NAME}")).await?;
                explained
            }
            Err(error) => Err(error),
        };
        plans.push((statement, plan.unwrap_or_else(|error| format!("it cannot be explained: {error}"))));
    }
    Ok(plans)
}

async fn explain(connection: &mut AsyncPgConnection, statement: &str) -> QueryResult<String> {
    let values = match parameters(statement) {
        0 => String::new(),
        count => format!("({})", vec!["NULL"; count].join(", ")),
    };
    let lines: Vec<Line> = diesel::sql_query(format!("EXPLAIN EXECUTE {NAME}{values}")).load(connection).await?;
    Ok(lines.into_iter().map(|line| line.line).collect::<Vec<_>>().join("\n"))
}

/// How many parameters a statement has: the highest number behind a `$`.
fn parameters(statement: &str) -> usize {
    let numbers = statement.split('$').skip(1).filter_map(|after| {
        let digits = after.find(|character: char| !character.is_ascii_digit()).unwrap_or(after.len());
        after[..digits].parse().ok()
    });
    // No statement has as many; a text that says so was cut short or is none.
    numbers.max().unwrap_or(0).min(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_counted_by_their_numbers() {
        assert_eq!(parameters("SELECT 1"), 0);
        assert_eq!(parameters("SELECT $2, $1 WHERE $12 = '$'"), 12);
    }
}
