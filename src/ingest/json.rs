//! JSON texts: making them storable, comparable and short.

use serde_json::Value;

/// Replaces escapes that stand for no character that can be stored by `\ufffd`, in place, and returns how many: the
/// character U+0000, which PostgreSQL refuses, and halves of surrogate pairs, which no UTF-8 text can contain (tools
/// write them when they cut an answer in the middle of a pair).
pub(super) fn repair_escapes(json: &mut [u8]) -> usize {
    let (mut index, mut replaced) = (0, 0);
    while let Some(offset) = json.get(index..).and_then(|rest| rest.iter().position(|&byte| byte == b'\\')) {
        index += offset;
        index += match unit_at(json, index) {
            // An escape of one letter, a backslash among them: the byte after it begins nothing new.
            None => 2,
            Some(0xD800..0xDC00) if matches!(unit_at(json, index + 6), Some(0xDC00..0xE000)) => 12,
            Some(0 | 0xD800..0xE000) => {
                json[index..index + 6].copy_from_slice(b"\\ufffd");
                replaced += 1;
                6
            }
            Some(_) => 6,
        };
    }
    replaced
}

/// The UTF-16 unit that the escape `\uXXXX` at `index` stands for.
fn unit_at(json: &[u8], index: usize) -> Option<u16> {
    let digits = json.get(index..index + 6)?.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0, |unit, &digit| Some(unit * 16 + u16::try_from(char::from(digit).to_digit(16)?).ok()?))
}

/// The value as compact JSON with the keys of every object in order: equal values have equal texts.
pub(super) fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write_canonical(value, &mut text);
    text
}

fn write_canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(object) => {
            let mut members: Vec<_> = object.iter().collect();
            members.sort_unstable_by_key(|&(key, _)| key);
            text.push('{');
            for (index, (key, member)) in members.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                write_canonical(member, text);
            }
            text.push('}');
        }
        Value::Array(elements) => {
            text.push('[');
            for (index, element) in elements.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_canonical(element, text);
            }
            text.push(']');
        }
        scalar => text.push_str(&scalar.to_string()),
    }
}

/// A text as it is, anything else as JSON; null is no text.
pub(super) fn text_form(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(canonical(other)),
    }
}

/// The text, cut to at most `limit` characters; what is cut off is replaced by `…`.
pub(super) fn cut(text: &str, limit: usize) -> String {
    if text.chars().nth(limit).is_none() {
        return text.to_owned();
    }
    text.chars().take(limit.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn repaired(json: &str) -> (String, usize) {
        let mut bytes = json.as_bytes().to_vec();
        let count = repair_escapes(&mut bytes);
        (String::from_utf8(bytes).unwrap(), count)
    }

    #[test]
    fn unstorable_characters_are_replaced() {
        assert_eq!(repaired(r#""a\u0000b""#), (r#""a\ufffdb""#.to_owned(), 1));
        assert_eq!(repaired(r#""\ud83d!""#), (r#""\ufffd!""#.to_owned(), 1));
        assert_eq!(repaired(r#""\ud83d\ud83d\ude00\ude00""#), (r#""\ufffd\ud83d\ude00\ufffd""#.to_owned(), 2));
    }

    #[test]
    fn other_escapes_stay() {
        for json in [r#""\\u0000""#, r#""\ud83d\ude00 \u00e4 \n \\""#, r#""\u00"#, r#""\"#] {
            assert_eq!(repaired(json), (json.to_owned(), 0));
        }
    }

    #[test]
    fn canonical_json_sorts_keys_at_every_depth() {
        let value = json!({"b": [{"z": 1, "a": "\"\n"}], "a": null});
        assert_eq!(canonical(&value), r#"{"a":null,"b":[{"a":"\"\n","z":1}]}"#);
    }

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöüß", 3), "äö…");
    }
}
