//! The numbers that Python writes into JSON although JSON has none of them.

/// Rewrites `NaN`, `Infinity` and `-Infinity` as null, wherever they stand outside of texts.
#[derive(Debug, Default)]
pub(super) struct Constants {
    state: State,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Outside,
    Text,
    /// After a backslash in a text.
    Escape,
}

/// What is no number, longer before shorter.
const NAMES: [&[u8]; 3] = [b"-Infinity", b"Infinity", b"NaN"];

impl Constants {
    /// Appends the text to `out`, rewritten, and returns how much of it was taken: less than all of it when it ends
    /// within what may become one of the names. More of the text may follow unless it is `complete`.
    pub fn rewrite(&mut self, text: &[u8], complete: bool, out: &mut Vec<u8>) -> usize {
        let (mut index, mut copied) = (0, 0);
        while index < text.len() {
            let byte = text[index];
            match (self.state, byte) {
                (State::Outside, b'"') => self.state = State::Text,
                (State::Outside, b'-' | b'I' | b'N') => {
                    let rest = &text[index..];
                    if let Some(name) = NAMES.iter().find(|name| rest.starts_with(name)) {
                        out.extend_from_slice(&text[copied..index]);
                        out.extend_from_slice(b"null");
                        index += name.len();
                        copied = index;
                        continue;
                    }
                    if !complete && NAMES.iter().any(|name| name.starts_with(rest)) {
                        break;
                    }
                }
                (State::Text, b'"') => self.state = State::Outside,
                (State::Text, b'\\') => self.state = State::Escape,
                (State::Escape, _) => self.state = State::Text,
                (State::Outside | State::Text, _) => {}
            }
            index += 1;
        }
        out.extend_from_slice(&text[copied..index]);
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text, rewritten in pieces of this size.
    fn rewritten(text: &str, size: usize) -> String {
        let (mut constants, mut out, mut waiting) = (Constants::default(), Vec::new(), Vec::new());
        for piece in text.as_bytes().chunks(size) {
            waiting.extend_from_slice(piece);
            let taken = constants.rewrite(&waiting, false, &mut out);
            waiting.drain(..taken);
        }
        assert_eq!(constants.rewrite(&waiting, true, &mut out), waiting.len());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_no_number_becomes_null() {
        let text = r#"{"a": NaN, "NaN": [-Infinity,Infinity,-1], "b": "NaN \" NaN \\", "c": NaN}"#;
        let expected = r#"{"a": null, "NaN": [null,null,-1], "b": "NaN \" NaN \\", "c": null}"#;
        for size in 1..12 {
            assert_eq!(rewritten(text, size), expected, "in pieces of {size}");
        }
        assert_eq!(rewritten("[-", 8), "[-");
    }
}
