//! What somebody searches for, read from the text that was typed.

mod separators;
#[cfg(test)]
mod tests;

use thiserror::Error;

use separators::is_word_character;

/// The most characters that a search text may have. The databases cut words that are longer.
pub const MAX_SEARCH_CHARACTERS: usize = 500;
/// The most words that a search text may have, those of phrases included.
pub const MAX_SEARCH_WORDS: usize = 32;
/// A shorter beginning of words would stand for a good part of all.
const SHORTEST_PREFIX: usize = 2;

/// The terms of a search: all of them must occur. There is at least one. They consist of letters, marks and digits as
/// they were typed; the databases compare them in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SearchTerms(Vec<SearchTerm>);

/// What must occur in one of the texts that are searched.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SearchTerm {
    /// A word.
    Word(String),
    /// A word that begins so.
    Prefix(String),
    /// Two words or more that follow one another.
    Phrase(Vec<String>),
}

/// Why a text cannot be searched for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SearchTextError {
    /// It is too long.
    #[error("must have at most {MAX_SEARCH_CHARACTERS} characters, not {0}")]
    TooLong(usize),
    /// It has too many words.
    #[error("must have at most {MAX_SEARCH_WORDS} words, not {0}")]
    TooManyWords(usize),
    /// It has none.
    #[error("must contain a word: a word consists of letters and digits")]
    NoWord,
}

impl SearchTerms {
    /// Reads what was typed; a blank text asks for nothing.
    ///
    /// Characters other than letters, marks and digits separate words. Only two of them mean something: `*` right after
    /// a word of several letters makes it the beginning of a word, and what stands between two `"` is a phrase. Where
    /// they stand otherwise they separate words like all others, so every text can be read.
    ///
    /// # Errors
    /// When the text is too long or, not being blank, has no word or too many.
    pub fn read(text: &str) -> Result<Option<Self>, SearchTextError> {
        let characters = text.chars().count();
        if characters > MAX_SEARCH_CHARACTERS {
            return Err(SearchTextError::TooLong(characters));
        }
        if text.trim().is_empty() {
            return Ok(None);
        }
        let mut terms = terms_of(text);
        let words = terms.iter().map(SearchTerm::words).sum();
        if words > MAX_SEARCH_WORDS {
            return Err(SearchTextError::TooManyWords(words));
        }
        // Equal ones say nothing more. Few as they are, each may be compared with all before it.
        let mut distinct = Vec::with_capacity(terms.len());
        for term in terms.drain(..) {
            if !distinct.contains(&term) {
                distinct.push(term);
            }
        }
        if distinct.is_empty() { Err(SearchTextError::NoWord) } else { Ok(Some(Self(distinct))) }
    }

    /// The terms, in the order in which they were typed.
    pub fn iter(&self) -> impl Iterator<Item = &SearchTerm> {
        self.0.iter()
    }
}

impl SearchTerm {
    /// A phrase, which with one word is a word and without any nothing.
    fn phrase(text: &str) -> Option<Self> {
        let mut words: Vec<_> = words_of(text).map(str::to_owned).collect();
        match words.len() {
            0 | 1 => words.pop().map(Self::Word),
            _ => Some(Self::Phrase(words)),
        }
    }

    fn words(&self) -> usize {
        match self {
            Self::Word(_) | Self::Prefix(_) => 1,
            Self::Phrase(words) => words.len(),
        }
    }
}

fn words_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character| !is_word_character(character)).filter(|word| !word.is_empty())
}

fn terms_of(mut text: &str) -> Vec<SearchTerm> {
    let mut terms = Vec::new();
    while let Some(start) = text.find(|character| character == '"' || is_word_character(character)) {
        text = text.split_at(start).1;
        if let Some(after_quote) = text.strip_prefix('"') {
            text = after_quote;
            // A quote without its partner separates words.
            if let Some((quoted, after)) = after_quote.split_once('"') {
                terms.extend(SearchTerm::phrase(quoted));
                text = after;
            }
        } else {
            let end = text.find(|character| !is_word_character(character)).unwrap_or(text.len());
            let (word, after) = text.split_at(end);
            let is_prefix = ends_prefix(after) && word.chars().count() >= SHORTEST_PREFIX;
            terms.push(if is_prefix { SearchTerm::Prefix(word.to_owned()) } else { SearchTerm::Word(word.to_owned()) });
            text = after;
        }
    }
    terms
}

/// Whether a word that this follows is the beginning of words.
fn ends_prefix(after: &str) -> bool {
    after.strip_prefix('*').is_some_and(|after_star| !after_star.starts_with(is_word_character))
}
