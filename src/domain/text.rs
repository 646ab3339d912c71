//! Texts of any length as people are shown them.

use std::borrow::Cow;

/// The text; of a longer one than `longest` characters that many of them, and `…`.
#[must_use]
pub fn shortened(text: &str, longest: usize) -> Cow<'_, str> {
    // Most texts: of no more bytes, and so of no more characters.
    if text.len() <= longest {
        return text.into();
    }
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_cut_between_characters() {
        for (text, shown) in [("", ""), ("üöä", "üöä"), ("üöäü", "üöä…"), ("abc\u{1f600}", "abc…")] {
            assert_eq!(shortened(text, 3), shown);
        }
    }
}
