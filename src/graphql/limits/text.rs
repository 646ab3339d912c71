//! What can be said of a document without parsing it.

/// What the text of a document has. Where it cannot be parsed, too much is counted rather than too little.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct TextMeasures {
    /// Lexical tokens: names, numbers, strings, and punctuation.
    pub tokens: u64,
    /// How deeply brackets are nested.
    pub deepest: u64,
    /// The length in bytes of the longest name or number.
    pub longest_name: u64,
    /// Whether the character U+0000 occurs, as it is or escaped in a string.
    pub has_nul: bool,
    /// Whether a block string has no end: nothing is known of what follows its beginning.
    pub has_open_block: bool,
}

impl TextMeasures {
    /// Reads a document.
    pub fn of(document: &str) -> Self {
        let mut measures = Self { has_nul: document.contains('\0'), ..Self::default() };
        let (mut rest, mut depth) = (document.as_bytes(), 0_u64);
        while let [byte, after @ ..] = rest {
            rest = after;
            match byte {
                // A comma has no meaning in GraphQL.
                b' ' | b'\t' | b'\n' | b'\r' | b',' => continue,
                b'#' => {
                    rest = after_comment(after);
                    continue;
                }
                b'{' | b'[' | b'(' => {
                    depth += 1;
                    measures.deepest = measures.deepest.max(depth);
                }
                b'}' | b']' | b')' => depth = depth.saturating_sub(1),
                b'"' => match after.strip_prefix(br#""""#) {
                    Some(text) => rest = measures.skip_block_string(text),
                    None => rest = measures.skip_string(after),
                },
                b'.' => rest = after_those(after, |byte| byte == b'.'),
                _ if is_in_word(*byte) => {
                    rest = after_those(after, is_in_word);
                    let length = u64::try_from(1 + after.len() - rest.len()).unwrap_or(u64::MAX);
                    measures.longest_name = measures.longest_name.max(length);
                }
                _ => {}
            }
            measures.tokens += 1;
        }
        measures
    }

    /// What follows a string; one that is not closed ends with its line.
    fn skip_string<'a>(&mut self, mut text: &'a [u8]) -> &'a [u8] {
        loop {
            text = match text {
                [] | [b'"' | b'\n' | b'\r', ..] => return text.get(1..).unwrap_or_default(),
                [b'\\', escape @ ..] => {
                    self.has_nul |= escape.starts_with(b"u0000");
                    escape.get(1..).unwrap_or_default()
                }
                [_, after @ ..] => after,
            }
        }
    }

    /// What follows a block string.
    fn skip_block_string<'a>(&mut self, mut text: &'a [u8]) -> &'a [u8] {
        loop {
            text = match text {
                [] => {
                    self.has_open_block = true;
                    return text;
                }
                [b'"', b'"', b'"', after @ ..] => return after,
                [b'\\', b'"', b'"', b'"', after @ ..] | [_, after @ ..] => after,
            }
        }
    }
}

/// A letter of a name, or a character of a number.
const fn is_in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn after_those(text: &[u8], skipped: impl Fn(u8) -> bool) -> &[u8] {
    let end = text.iter().position(|byte| !skipped(*byte));
    end.map_or(&[], |end| &text[end..])
}

fn after_comment(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
    end.map_or(&[], |end| &text[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deepest(document: &str) -> u64 {
        TextMeasures::of(document).deepest
    }

    #[test]
    fn brackets_are_counted_outside_of_strings_and_comments() {
        assert_eq!(deepest("{ a(b: [{ c: 1 }]) { d } e }"), 4);
        assert_eq!(deepest("{ a } { b { c } }"), 2);
        assert_eq!(deepest("}}} {{"), 2);
        assert_eq!(deepest(r#"{ a(b: "[[\"[[") { c } }"#), 2);
        assert_eq!(deepest("{ # [[[\n a { b } }"), 2);
        assert_eq!(deepest(r#"{ a(b: """ [[ " [[ \""" [[ """) # [[["#), 2);
        assert_eq!(deepest(r#"{ a(b: "") { c { d "#), 3);
        // What cannot be parsed is counted rather than overlooked.
        assert_eq!(deepest("{ a(b: \"\n [[["), 5);
    }

    #[test]
    fn tokens_are_counted_as_the_grammar_has_them() {
        let tokens = |document: &str| TextMeasures::of(document).tokens;
        assert_eq!(tokens(""), 0);
        assert_eq!(tokens(" ,\t\r\n # a comment { }\n # another"), 0);
        assert_eq!(tokens("{ a, b }"), 4);
        assert_eq!(tokens("query Q($v: [ID!]! = []) @d { a: b(c: $v) ...F }"), 30);
        assert_eq!(tokens(r#"{ a(b: "x y z", c: """x " y""") }"#), 11);
        assert_eq!(tokens("{ é }"), 4);
    }

    #[test]
    fn the_longest_name_is_found() {
        let longest = |document: &str| TextMeasures::of(document).longest_name;
        assert_eq!(longest("{ }"), 0);
        assert_eq!(longest("{ abc de_fg0(h: \"much longer\") # and longer\n }"), 6);
    }

    #[test]
    fn the_character_zero_is_found_in_whatever_form() {
        let has_nul = |document: &str| TextMeasures::of(document).has_nul;
        assert!(has_nul(r#"{ a(b: "x\u0000") }"#));
        assert!(has_nul("{ a(b: \"\"\"\0\"\"\") }"));
        // A backslash and letters.
        assert!(!has_nul(r#"{ a(b: "\\u0000") }"#));
        assert!(!has_nul(r#"{ a(b: """\u0000""") # \u0000"#));
    }

    #[test]
    fn a_block_string_without_an_end_is_noticed() {
        let is_open = |document: &str| TextMeasures::of(document).has_open_block;
        assert!(is_open(r#"{ a(b: """x" [[[[ "#));
        assert!(is_open(r#"{ a(b: """ \""" "#));
        assert!(!is_open(r#"{ a(b: """ \""" """) "#));
        assert!(!is_open(r#"{ a(b: """""") } # """"#));
    }
}
