//! Full-text search over prompts.
//!
//! Both databases keep an index of the words of title, description and content, up to date with every write
//! (`migrations/*/20261123000300_create_prompt_search`), and agree about what a word is. PostgreSQL's index knows no
//! places: it finds the prompts that have all words of a phrase, and their texts are looked at.

use diesel::expression::{AppearsOnTable, Expression};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::result::QueryResult;
use diesel::sql_types::{Bool, Text};
use diesel::sqlite::Sqlite;

use super::schema::prompts;
use crate::domain::{SearchTerm, SearchTerms};

/// A prompt has all terms.
#[derive(Debug, Clone)]
pub struct Contains {
    /// For PostgreSQL, a `tsquery`: all words.
    words: String,
    /// For PostgreSQL: each phrase as it stands in a text of which nothing but words and spaces is left.
    phrases: Vec<String>,
    /// For SQLite, an FTS5 query.
    fts5: String,
}

/// The condition that a prompt has every one of the terms in its title, its description or its content.
pub fn contains(terms: &SearchTerms) -> Contains {
    let phrases = terms.iter().filter_map(|term| match term {
        SearchTerm::Phrase(words) => Some(format!(" {} ", words.join(" "))),
        SearchTerm::Word(_) | SearchTerm::Prefix(_) => None,
    });
    Contains {
        words: joined(terms.iter().map(tsquery), " & "),
        phrases: phrases.collect(),
        fts5: joined(terms.iter().map(fts5), " AND "),
    }
}

// Words consist of letters, marks and digits: none has a character that would have to be escaped.

fn tsquery(term: &SearchTerm) -> String {
    match term {
        SearchTerm::Word(word) => format!("'{word}'"),
        SearchTerm::Prefix(prefix) => format!("'{prefix}':*"),
        SearchTerm::Phrase(words) => joined(words.iter().map(|word| format!("'{word}'")), " & "),
    }
}

fn fts5(term: &SearchTerm) -> String {
    match term {
        SearchTerm::Word(word) => format!("\"{word}\""),
        SearchTerm::Prefix(prefix) => format!("\"{prefix}\" *"),
        SearchTerm::Phrase(words) => format!("\"{}\"", words.join(" ")),
    }
}

fn joined(parts: impl Iterator<Item = String>, operator: &str) -> String {
    parts.collect::<Vec<_>>().join(operator)
}

impl Expression for Contains {
    type SqlType = Bool;
}

impl AppearsOnTable<prompts::table> for Contains {}

impl QueryFragment<Pg> for Contains {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("prompts.search_words @@ search_fold(");
        out.push_bind_param::<Text, _>(&self.words)?;
        out.push_sql(")::tsquery");
        for phrase in &self.phrases {
            out.push_sql(" AND position(search_fold(");
            out.push_bind_param::<Text, _>(phrase)?;
            out.push_sql(") IN search_text(prompts.title, prompts.description, prompts.content)) > 0");
        }
        Ok(())
    }
}

/// The index is asked first, and the prompts are looked up by what it finds: SQLite cannot know whether that is much or
/// little, and the other way round, walking all prompts in order, is slow for a word that few of them have.
impl QueryFragment<Sqlite> for Contains {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(
            "prompts.id IN (SELECT numbers.prompt_id FROM prompt_search CROSS JOIN prompt_search_numbers AS numbers \
             ON numbers.number = prompt_search.rowid WHERE prompt_search MATCH ",
        );
        out.push_bind_param::<Text, _>(&self.fts5)?;
        out.push_sql(")");
        Ok(())
    }
}
