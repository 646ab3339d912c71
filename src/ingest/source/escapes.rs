//! Escapes that stand for no character that can be stored.

/// How far a text was made storable, and how much had to be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Repaired {
    /// The length of the beginning that is final. What follows depends on bytes that are not there yet.
    pub done: usize,
    /// Escapes that were replaced.
    pub replaced: usize,
}

/// The longest sequence that must be looked at as a whole: a pair of surrogates.
const LONGEST: usize = 12;

/// Replaces escapes that stand for no character that can be stored by `\ufffd`, in place: the character U+0000, which
/// PostgreSQL refuses, and halves of surrogate pairs, which no UTF-8 text can contain (tools write them when they cut
/// an answer in the middle of a pair). More of the text may follow unless it is `complete`.
pub(super) fn repair_escapes(json: &mut [u8], complete: bool) -> Repaired {
    let (mut index, mut replaced) = (0, 0);
    while let Some(offset) = json.get(index..).and_then(|rest| rest.iter().position(|&byte| byte == b'\\')) {
        index += offset;
        if !complete && json.len() - index < LONGEST {
            return Repaired { done: index, replaced };
        }
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
    Repaired { done: json.len(), replaced }
}

/// The UTF-16 unit that the escape `\uXXXX` at `index` stands for.
fn unit_at(json: &[u8], index: usize) -> Option<u16> {
    let digits = json.get(index..index + 6)?.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0, |unit, &digit| Some(unit * 16 + u16::try_from(char::from(digit).to_digit(16)?).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repaired(json: &str) -> (String, usize) {
        let mut bytes = json.as_bytes().to_vec();
        let result = repair_escapes(&mut bytes, true);
        assert_eq!(result.done, bytes.len());
        (String::from_utf8(bytes).unwrap(), result.replaced)
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
    fn what_may_go_on_is_left_for_later() {
        let mut text = *br#"abc\ud83d"#;
        assert_eq!(repair_escapes(&mut text, false), Repaired { done: 3, replaced: 0 });
        assert_eq!(&text, br#"abc\ud83d"#);
        let mut text = *br#"\u0000 and more\"#;
        assert_eq!(repair_escapes(&mut text, false), Repaired { done: 15, replaced: 1 });
    }
}
