//! What is looked at before a document is parsed: what the parser and the databases cannot bear.

use async_graphql::{ServerError, Value, Variables};

use super::error::{ErrorCode, request_error};

/// How deeply brackets may be nested. The parser calls itself for each of them, and a thread that runs out of stack
/// takes the whole server down. Selections alone are limited to less; this leaves room for values.
const DEEPEST_NESTING: usize = 64;

/// Refuses documents that are nested too deeply to be parsed, and texts with the character U+0000, which PostgreSQL
/// cannot store and so cannot search for either.
pub fn check(document: &str, variables: &Variables) -> Result<(), ServerError> {
    let scan = Scan::of(document);
    if scan.deepest > DEEPEST_NESTING {
        let message = format!("brackets are nested more than {DEEPEST_NESTING} deep");
        return Err(request_error(ErrorCode::LimitExceeded, message));
    }
    if scan.has_nul || variables.values().any(has_nul) {
        return Err(request_error(ErrorCode::BadUserInput, "texts must not contain the character U+0000"));
    }
    Ok(())
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::List(values) => values.iter().any(has_nul),
        Value::Object(fields) => fields.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
        _ => false,
    }
}

/// What can be said of a document without parsing it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Scan {
    deepest: usize,
    has_nul: bool,
}

impl Scan {
    fn of(document: &str) -> Self {
        let mut scan = Self { deepest: 0, has_nul: document.contains('\0') };
        let (mut rest, mut depth) = (document.as_bytes(), 0_usize);
        while let [byte, after @ ..] = rest {
            rest = after;
            match byte {
                b'{' | b'[' | b'(' => {
                    depth += 1;
                    scan.deepest = scan.deepest.max(depth);
                }
                b'}' | b']' | b')' => depth = depth.saturating_sub(1),
                b'#' => rest = after_comment(after),
                b'"' => match after.strip_prefix(br#""""#) {
                    Some(text) => rest = after_block_string(text),
                    None => rest = scan.skip_string(after),
                },
                _ => {}
            }
        }
        scan
    }

    /// What follows a string; one that is not closed ends with its line.
    fn skip_string<'a>(&mut self, mut rest: &'a [u8]) -> &'a [u8] {
        loop {
            rest = match rest {
                [] | [b'"' | b'\n' | b'\r', ..] => return rest.get(1..).unwrap_or_default(),
                [b'\\', escape @ ..] => {
                    self.has_nul |= escape.starts_with(b"u0000");
                    escape.get(1..).unwrap_or_default()
                }
                [_, after @ ..] => after,
            }
        }
    }
}

fn after_comment(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
    end.map_or(&[], |end| &text[end..])
}

fn after_block_string(mut text: &[u8]) -> &[u8] {
    loop {
        text = match text {
            [] => return text,
            [b'"', b'"', b'"', after @ ..] => return after,
            [b'\\', b'"', b'"', b'"', after @ ..] | [_, after @ ..] => after,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deepest(document: &str) -> usize {
        Scan::of(document).deepest
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
    fn the_character_zero_is_found_in_whatever_form() {
        let has_nul = |document: &str| Scan::of(document).has_nul;
        assert!(has_nul(r#"{ a(b: "x\u0000") }"#));
        assert!(has_nul("{ a(b: \"\"\"\0\"\"\") }"));
        // A backslash and letters.
        assert!(!has_nul(r#"{ a(b: "\\u0000") }"#));
        assert!(!has_nul(r#"{ a(b: """\u0000""") # \u0000"#));

        let refused = |variables| {
            let error = check("{ a }", &Variables::from_json(variables)).unwrap_err();
            error.message
        };
        for variables in [
            serde_json::json!({ "a": "x\0" }),
            serde_json::json!({ "a": [{ "b": ["\0"] }] }),
            serde_json::json!({ "a": { "\0": 1 } }),
        ] {
            assert_eq!(refused(variables), "texts must not contain the character U+0000");
        }
    }
}
