//! Secrets that are told by the name before them in a text: `name=value`, `--name value`, `Name: value`.

use super::REDACTED;
use super::looks::looks_random;
use super::names::{is_certain_name, is_secret_name, normalized};

const QUOTES: [char; 3] = ['"', '\'', '`'];

/// How many bytes further on the end of a quoted value is looked for; without one, the value ends with its line.
const LONGEST_QUOTED: usize = 64 * 1024;

/// The text with the values of secrets' names replaced.
pub(super) fn redact_pairs(text: &str) -> String {
    let is_name = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.');
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begin) = rest.find(is_name) {
        let (between, tail) = rest.split_at(begin);
        let (name, tail) = tail.split_at(tail.find(|letter| !is_name(letter)).unwrap_or(tail.len()));
        let before = between.chars().next_back();
        redacted.push_str(between);
        redacted.push_str(name);
        rest = tail;
        if let Some((separator, value)) = secret_after(name, before, tail) {
            redacted.push_str(separator);
            redacted.push_str(REDACTED);
            rest = &tail[separator.len() + value.len()..];
        }
    }
    redacted + rest
}

/// Whether the text is an option with the name of a secret, so that the next argument is one.
pub(super) fn is_secret_option(text: &str) -> bool {
    let name = text.trim_start_matches('-');
    name.len() < text.len() && !name.contains(['=', ':']) && !name.starts_with("no-") && is_secret_name(name)
}

/// How name and value are joined.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Join {
    /// As only commands, settings and JSON have it: `--name value`, `name=value`, `"name": value`.
    Formal,
    /// As sentences have it too: `name: value`.
    Loose,
}

/// What stands between the name and its value, and the value, if it is a secret. `before` is the character before the
/// name.
fn secret_after<'a>(name: &str, before: Option<char>, tail: &'a str) -> Option<(&'a str, &'a str)> {
    let (join, separator) = option_separator(name, tail).or_else(|| separator(before, tail))?;
    // Of `process.env.API_KEY` the last part is the name.
    let name = name.rsplit('.').next().unwrap_or(name);
    if !is_secret_name(name) {
        return None;
    }
    let after = &tail[separator..];
    let (opening, value) = value_of(name, before, after);
    let is_secret = !value.is_empty() && !is_no_secret(name, value);
    let is_meant = join == Join::Formal || is_certain_name(name) || looks_random(value, 8);
    (is_secret && is_meant).then(|| (&tail[..separator + opening], value))
}

fn option_separator(name: &str, tail: &str) -> Option<(Join, usize)> {
    let value = tail.trim_start_matches(' ');
    let is_apart = value.len() < tail.len() && !value.starts_with(['-', '=', ':']);
    (is_apart && is_secret_option(name)).then_some((Join::Formal, tail.len() - value.len()))
}

/// The length of `=` or `: ` with the quotes and blanks around it.
fn separator(before: Option<char>, tail: &str) -> Option<(Join, usize)> {
    let unquoted = tail.trim_start_matches('\\').trim_start_matches(QUOTES);
    let is_quoted = unquoted.len() < tail.len() && tail.trim_start_matches('\\').len() > unquoted.len();
    let sign = unquoted.trim_start_matches([' ', '\t']);
    let is_spaced = sign.len() < unquoted.len();
    let (is_equals, after) = match sign.strip_prefix('=') {
        // Comparisons and functions in code.
        Some(after) if after.starts_with(['=', '>', '~']) => return None,
        Some(after) => (true, after),
        None => (false, sign.strip_prefix(':').filter(|after| !after.starts_with([':', '/']))?),
    };
    let value = after.trim_start_matches([' ', '\t']);
    // `vault:secret:name` and `//host:port` are no pairs.
    if !is_equals && !is_quoted && value.len() == after.len() && matches!(before, Some(':' | '/' | '@')) {
        return None;
    }
    let is_formal = is_quoted || (is_equals && !is_spaced && value.len() == after.len());
    Some((if is_formal { Join::Formal } else { Join::Loose }, tail.len() - value.len()))
}

/// The length of the opening quote, and the value after it.
fn value_of<'a>(name: &str, before: Option<char>, text: &'a str) -> (usize, &'a str) {
    let escapes = text.len() - text.trim_start_matches('\\').len();
    match text[escapes..].chars().next() {
        Some(quote) if QUOTES.contains(&quote) => {
            let opening = escapes + quote.len_utf8();
            (opening, quoted(&text[opening..], quote, escapes))
        }
        _ => (0, unquoted(name, before, text)),
    }
}

/// The text until the quote that has as many backslashes before it as the opening one.
fn quoted(text: &str, quote: char, escapes: usize) -> &str {
    let near = &text[..text.floor_char_boundary(LONGEST_QUOTED)];
    let end = near.match_indices(quote).find_map(|(place, _)| {
        let inside = text[..place].trim_end_matches('\\');
        (place - inside.len() == escapes).then_some(inside.len())
    });
    &text[..end.unwrap_or_else(|| line(text).len())]
}

/// Looks no further than the value goes, or the time for a text with many pairs would grow with its square.
fn unquoted<'a>(name: &str, before: Option<char>, text: &'a str) -> &'a str {
    let is_bracketed = text.starts_with(['{', '[']);
    if is_whole_line(name, text) {
        let line = line(text);
        let end = line.find(QUOTES).filter(|_| !is_bracketed);
        return without_closers(&line[..end.unwrap_or(line.len())]);
    }
    let begin = if is_bracketed { bracketed(line(text)) } else { 0 };
    let end = text[begin..].find(|letter: char| match letter {
        '\n' | '\r' | ';' | '&' | '<' => true,
        // In an address.
        '#' => matches!(before, Some('?' | '&')),
        // In a connection string a password can have blanks.
        _ => QUOTES.contains(&letter) || (letter.is_whitespace() && before != Some(';')),
    });
    let value = &text[..end.map_or(text.len(), |end| begin + end)];
    &value[..begin + without_closers(&value[begin..]).len()]
}

fn line(text: &str) -> &str {
    text.split(['\n', '\r']).next().unwrap_or(text)
}

/// Headers whose values have several words.
fn is_whole_line(name: &str, text: &str) -> bool {
    const SCHEMES: [&str; 7] = ["bearer", "basic", "digest", "token", "apikey", "negotiate", "aws4-hmac-sha256"];
    let name = normalized(name);
    let first = text.split(char::is_whitespace).next().unwrap_or_default();
    name.ends_with("cookie")
        || (name.ends_with("authorization") && SCHEMES.iter().any(|scheme| first.eq_ignore_ascii_case(scheme)))
}

/// The length of the list, object or template at the beginning of the text.
fn bracketed(text: &str) -> usize {
    let mut depth = 0_usize;
    for (place, letter) in text.char_indices() {
        match letter {
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return place + letter.len_utf8();
        }
    }
    text.len()
}

/// The value without what belongs to the text around it.
fn without_closers(value: &str) -> &str {
    value.trim_end_matches(['\\', ',', ')', ']', '}', '.'])
}

/// Counts of tokens, and what is not there.
fn is_no_secret(name: &str, value: &str) -> bool {
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    (is_number && normalized(name).contains("token"))
        || ["true", "false", "null", "none", "undefined"].iter().any(|word| value.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With the square of its length, a megabyte would take minutes.
    #[test]
    fn a_text_of_many_pairs_is_read_once() {
        for pair in ["tokens=20 ", "token=\\\"\" x ", "password=`\n"] {
            redact_pairs(&pair.repeat(100_000));
        }
    }

    #[test]
    fn arguments_go() {
        for (text, expected) in [
            ("exec:python ask.py --api-key=hunter2", "exec:python ask.py --api-key=[redacted]"),
            ("ask --password hunter2 --fast", "ask --password [redacted] --fast"),
            ("ask --password 'two words' -v", "ask --password '[redacted]' -v"),
            ("exec:TOKEN=abc node x.js", "exec:TOKEN=[redacted] node x.js"),
            ("PASSWORD=\"a b\" node x.js", "PASSWORD=\"[redacted]\" node x.js"),
            ("curl -H 'X-Api-Key: abc' x", "curl -H 'X-Api-Key: [redacted]' x"),
            ("curl -H X-Auth:abc x", "curl -H X-Auth:[redacted] x"),
            ("curl -H 'Authorization: Digest a=b, c=d' x", "curl -H 'Authorization: [redacted]' x"),
            ("curl -H \"Cookie: a=b; c=d\" x", "curl -H \"Cookie: [redacted]\" x"),
            ("curl -d 'user=a&password=b&x=y'", "curl -d 'user=a&password=[redacted]&x=y'"),
            ("java -Ddb.password=x A", "java -Ddb.password=[redacted] A"),
        ] {
            assert_eq!(redact_pairs(text), expected);
        }
    }

    #[test]
    fn settings_and_json_go() {
        for (text, expected) in [
            ("Server=db;User=me;Password=two words;Port=1", "Server=db;User=me;Password=[redacted];Port=1"),
            ("Endpoint=a;AccountKey=ab+/c==;x=y", "Endpoint=a;AccountKey=[redacted];x=y"),
            ("(password: hunter2).", "(password: [redacted])."),
            ("password = hunter2\nhost = a", "password = [redacted]\nhost = a"),
            (r#"{"password":"a\"b","pin":1234,"x":1}"#, r#"{"password":"[redacted]","pin":[redacted],"x":1}"#),
            (r#"{\"token\": \"abc\", \"x\": 1}"#, r#"{\"token\": \"[redacted]\", \"x\": 1}"#),
            (r#"{"keys": ["a", ["b"]], "x": 1}"#, r#"{"keys": [redacted], "x": 1}"#),
            ("password=[redacted], token=[redacted]", "password=[redacted], token=[redacted]"),
            ("https://h/x?api_key=[redacted]#f", "https://h/x?api_key=[redacted]#f"),
            ("Übung: pässe, password: ö", "Übung: pässe, password: [redacted]"),
        ] {
            assert_eq!(redact_pairs(text), expected);
        }
    }

    #[test]
    fn ordinary_texts_stay() {
        for text in [
            "Unexpected token: < in JSON",
            "missing key: answer",
            "total_tokens: 15, tokens=20, --max-tokens 100 --tokens 5",
            "keywords: a, author: b, monkey=c, tokenUsage: d",
            "output.key === 'x' && token => key",
            "password == expected && secret => ok && cookie =~ crumbs",
            "vault:secret:name https://auth:8080 secret://a std::secret::x",
            "--no-password x --token --fast password: null",
            "passwords are never shown",
            "password:",
            "--api-key",
            "",
        ] {
            assert_eq!(redact_pairs(text), text);
        }
    }
}
