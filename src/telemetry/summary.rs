//! What a SQL statement does, and to which table, in words from closed lists: for names of spans and labels of metrics.

/// What statements begin with.
const VERBS: [&str; 9] =
    ["SELECT", "INSERT", "UPDATE", "DELETE", "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE"];
/// What tables there are, with those that belong to the search of prompts.
const TABLES: &[&str] = &[
    "api_tokens",
    "audit_log",
    "audit_log_objects",
    "cache_outbox",
    "cache_state",
    "evaluations",
    "prompt_model_totals",
    "prompt_search",
    "prompt_search_numbers",
    "prompt_templates",
    "prompt_totals",
    "prompts",
    "runs",
    "test_results",
];

/// A statement in two words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// What it does, where that is known.
    pub verb: Option<&'static str>,
    /// The first of our tables that it names.
    pub table: Option<&'static str>,
}

impl Summary {
    /// Of a statement without its values.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut words =
            text.split(|character: char| character.is_ascii_whitespace() || matches!(character, '(' | ')' | ','));
        let verb = words.clone().find_map(|word| known(&VERBS, word));
        let is_before_table =
            |word: &str| ["FROM", "INTO", "UPDATE", "JOIN"].iter().any(|known| word.eq_ignore_ascii_case(known));
        let mut table = None;
        while table.is_none() && words.by_ref().any(is_before_table) {
            let name = words.clone().find(|word| !word.is_empty() && !word.eq_ignore_ascii_case("LATERAL"));
            table = name.and_then(|name| known(TABLES, name.trim_matches(['"', '`', ';'])));
        }
        Self { verb, table }
    }

    /// Whether it is about rows of tables, and not about a transaction.
    #[must_use]
    pub fn is_about_rows(self) -> bool {
        self.verb.is_some_and(|verb| ["SELECT", "INSERT", "UPDATE", "DELETE"].contains(&verb))
    }
}

fn known(list: &'static [&'static str], word: &str) -> Option<&'static str> {
    list.iter().find(|known| word.eq_ignore_ascii_case(known)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_known_by_its_verb_and_its_first_table() {
        let cases = [
            (r#"SELECT "prompts"."id" FROM "prompts" WHERE ("prompts"."id" = ?)"#, (Some("SELECT"), Some("prompts"))),
            (r#"INSERT INTO "test_results" ("id") VALUES ($1)"#, (Some("INSERT"), Some("test_results"))),
            (r#"UPDATE "runs" SET "status" = ?"#, (Some("UPDATE"), Some("runs"))),
            ("SELECT k.v FROM json_each(?) k CROSS JOIN evaluations e", (Some("SELECT"), Some("evaluations"))),
            (
                "SELECT 1 FROM unnest($1) k CROSS JOIN LATERAL (SELECT 1 FROM evaluations) e",
                (Some("SELECT"), Some("evaluations")),
            ),
            (
                "WITH gone AS (DELETE FROM cache_outbox RETURNING tag) SELECT tag FROM gone",
                (Some("DELETE"), Some("cache_outbox")),
            ),
            ("DELETE FROM `runs` WHERE 1", (Some("DELETE"), Some("runs"))),
            ("SELECT 1", (Some("SELECT"), None)),
            ("SELECT relname FROM pg_class", (Some("SELECT"), None)),
            ("BEGIN IMMEDIATE", (Some("BEGIN"), None)),
            ("", (None, None)),
        ];
        for (text, (verb, table)) in cases {
            assert_eq!(Summary::of(text), Summary { verb, table }, "{text}");
        }
    }

    #[test]
    fn every_table_of_the_schema_is_known() {
        let schema = include_str!("../db/schema.rs");
        for line in schema.lines().filter(|line| line.starts_with("    ") && line.ends_with(") {")) {
            let name = line.trim().split(' ').next().unwrap();
            assert!(TABLES.contains(&name), "{name} is missing among the tables of telemetry");
        }
    }
}
