use super::*;

fn word(text: &str) -> SearchTerm {
    SearchTerm::Word(text.to_owned())
}

fn prefix(text: &str) -> SearchTerm {
    SearchTerm::Prefix(text.to_owned())
}

fn phrase<const N: usize>(words: [&str; N]) -> SearchTerm {
    SearchTerm::Phrase(words.map(str::to_owned).to_vec())
}

fn check(cases: &[(&str, &[SearchTerm])]) {
    for (text, expected) in cases {
        let terms = SearchTerms::read(text).map(|terms| terms.map(|terms| terms.0));
        assert_eq!(terms, Ok(Some(expected.to_vec())), "{text}");
    }
}

#[test]
fn whatever_is_no_letter_or_digit_separates_words() {
    check(&[
        ("refund", &[word("refund")]),
        (" refund\tpolicy\n", &[word("refund"), word("policy")]),
        ("gpt-4o", &[word("gpt"), word("4o")]),
        ("user_name:x", &[word("user"), word("name"), word("x")]),
        ("{{größe}} <b>日本</b>", &[word("größe"), word("b"), word("日本")]),
        ("हिन्दी 😀 «ça»", &[word("हिन्दी"), word("ça")]),
        ("a AND NOT b OR NEAR(c)", &["a", "AND", "NOT", "b", "OR", "NEAR", "c"].map(word)),
        ("50% x\0y", &[word("50"), word("x"), word("y")]),
    ]);
}

#[test]
fn a_star_after_several_letters_makes_a_prefix() {
    check(&[
        ("refun*", &[prefix("refun")]),
        ("re* fund*.", &[prefix("re"), prefix("fund")]),
        ("ré**", &[prefix("ré")]),
        ("re*\"a b\"", &[prefix("re"), phrase(["a", "b"])]),
        ("r*", &[word("r")]),
        ("re*fund", &[word("re"), word("fund")]),
        ("re *fund * ", &[word("re"), word("fund")]),
    ]);
}

#[test]
fn what_is_quoted_is_a_phrase() {
    check(&[
        ("\"refund policy\"", &[phrase(["refund", "policy"])]),
        ("a\"b-c\"d", &[word("a"), phrase(["b", "c"]), word("d")]),
        ("\"word\" \"\" \"- *\"", &[word("word")]),
        ("\"refun* policy*\"", &[phrase(["refun", "policy"])]),
        ("“no quotes”", &[word("no"), word("quotes")]),
    ]);
}

#[test]
fn a_quote_without_its_partner_separates_words() {
    check(&[
        ("\"a b", &[word("a"), word("b")]),
        ("a\"", &[word("a")]),
        ("\"a b\" c\"d e", &[phrase(["a", "b"]), word("c"), word("d"), word("e")]),
    ]);
}

#[test]
fn equal_terms_count_once() {
    check(&[("a a \"a\" aa* aa \"a b\" \"a-b\"", &[word("a"), prefix("aa"), word("aa"), phrase(["a", "b"])])]);
}

#[test]
fn a_blank_text_asks_for_nothing() {
    for text in ["", " ", "\t\u{a0}\n"] {
        assert_eq!(SearchTerms::read(text), Ok(None), "{text:?}");
    }
}

#[test]
fn a_text_without_words_is_an_error() {
    for text in ["\"", "\"\"", "*", "-", "%", "\0", "()", "😀"] {
        assert_eq!(SearchTerms::read(text), Err(SearchTextError::NoWord), "{text:?}");
    }
}

#[test]
fn characters_and_words_are_limited() {
    assert!(SearchTerms::read(&"ü".repeat(MAX_SEARCH_CHARACTERS)).is_ok());
    let long = "ü".repeat(MAX_SEARCH_CHARACTERS + 1);
    assert_eq!(SearchTerms::read(&long), Err(SearchTextError::TooLong(MAX_SEARCH_CHARACTERS + 1)));
    assert!(SearchTerms::read(&"a ".repeat(MAX_SEARCH_WORDS)).is_ok());
    let many = format!("b \"{}\"", "a ".repeat(MAX_SEARCH_WORDS));
    assert_eq!(SearchTerms::read(&many), Err(SearchTextError::TooManyWords(MAX_SEARCH_WORDS + 1)));
    assert_eq!(SearchTerms::read(&"\"".repeat(100_000)), Err(SearchTextError::TooLong(100_000)));
}
