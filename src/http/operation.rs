//! From what a client sent to the operation that it means.

use std::borrow::Cow;

use async_graphql::{Request, ServerError, Value, Variables};

use super::json;
use crate::graphql::{ErrorCode, request_error};

/// Reads the body of a POST request.
pub fn from_body(body: &[u8]) -> Result<Request, ServerError> {
    let text = std::str::from_utf8(body).map_err(|error| {
        bad(format!("the body is not UTF-8: the byte at {} cannot be part of a text", error.valid_up_to()))
    })?;
    // A mark that some tools put in front of every text, and that is allowed to be ignored (RFC 8259, section 8.1).
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut fields = match json::parse(text).map_err(|problem| unreadable("the body", &problem))? {
        Value::Object(fields) => fields,
        Value::List(_) => return Err(bad("a request must be one operation, not a list of them")),
        other => {
            return Err(bad(format!("the body must be a JSON object with the text `query`, not {}", kind(&other))));
        }
    };
    let mut parts = Parts::default();
    for (name, part) in [("query", &mut parts.query), ("operationName", &mut parts.operation_name)] {
        *part = match fields.swap_remove(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text),
            Some(other) => return Err(bad(format!("`{name}` must be a text, not {}", kind(&other)))),
        };
    }
    parts.variables = fields.swap_remove("variables");
    parts.extensions = fields.swap_remove("extensions");
    parts.into_request()
}

/// Reads the parameters in the address of a GET request.
pub fn from_address(query: &str) -> Result<Request, ServerError> {
    let mut parts = Parts::default();
    let (mut variables, mut extensions) = (None, None);
    for parameter in query.split('&') {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let part = match &*unescape(name)? {
            "query" => &mut parts.query,
            "operationName" => &mut parts.operation_name,
            "variables" => &mut variables,
            "extensions" => &mut extensions,
            // Caches and trackers add parameters of their own.
            _ => continue,
        };
        if part.replace(unescape(value)?.into_owned()).is_some() {
            return Err(bad(format!("the parameter `{name}` is given twice")));
        }
    }
    for (name, text, part) in
        [("variables", variables, &mut parts.variables), ("extensions", extensions, &mut parts.extensions)]
    {
        // A form sends fields that were left empty as well.
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            let what = format!("the parameter `{name}`");
            *part = Some(json::parse(&text).map_err(|problem| unreadable(&what, &problem))?);
        }
    }
    parts.operation_name = parts.operation_name.filter(|name| !name.is_empty());
    parts.into_request()
}

#[derive(Default)]
struct Parts {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<Value>,
    extensions: Option<Value>,
}

impl Parts {
    fn into_request(self) -> Result<Request, ServerError> {
        let Some(query) = self.query.filter(|query| !query.trim().is_empty()) else {
            return Err(bad("the request has no `query`, or an empty one"));
        };
        let mut request = Request::new(query);
        request.operation_name = self.operation_name;
        request.variables = Variables::from_value(object("variables", self.variables)?);
        if let Value::Object(extensions) = object("extensions", self.extensions)? {
            request.extensions.extend(extensions.into_iter().map(|(name, value)| (name.to_string(), value)));
        }
        Ok(request)
    }
}

fn object(name: &str, value: Option<Value>) -> Result<Value, ServerError> {
    match value {
        None | Some(Value::Null) => Ok(Value::Object(Default::default())),
        Some(object @ Value::Object(_)) => Ok(object),
        Some(other) => Err(bad(format!("`{name}` must be a JSON object, not {}", kind(&other)))),
    }
}

/// A part of an address with its percent escapes resolved.
fn unescape(text: &str) -> Result<Cow<'_, str>, ServerError> {
    if !text.contains(['%', '+']) {
        return Ok(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = after;
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let escaped = after.split_at_checked(2).and_then(|(digits, after)| Some((hex(digits)?, after)));
                let Some((byte, after)) = escaped else {
                    return Err(bad("the address has a % without two hexadecimal digits: write %25 for the sign"));
                };
                bytes.push(byte);
                rest = after;
            }
            byte => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).map(Cow::Owned).map_err(|_| bad("the address is not UTF-8 when its escapes are resolved"))
}

fn hex(digits: &[u8]) -> Option<u8> {
    // `from_str_radix` takes a sign as well.
    let digits = std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    u8::from_str_radix(digits, 16).ok()
}

fn unreadable(what: &str, problem: &json::Problem) -> ServerError {
    match problem {
        json::Problem::TooDeep => {
            request_error(ErrorCode::LimitExceeded, format!("{what} has lists or objects nested too deeply"))
        }
        json::Problem::NotJson(cause) => bad(format!("{what} is not JSON that can be read: {cause}")),
    }
}

fn bad(message: impl Into<String>) -> ServerError {
    request_error(ErrorCode::BadUserInput, message)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Number(_) => "a number",
        Value::String(_) | Value::Enum(_) | Value::Binary(_) => "a text",
        Value::Boolean(_) => "a boolean",
        Value::List(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(result: Result<Request, ServerError>) -> String {
        result.expect_err("it is refused").message
    }

    #[test]
    fn a_body_is_an_object_with_a_query() {
        let request = from_body(
            "\u{feff}{\"query\":\"{ a }\",\"operationName\":\"A\",\"variables\":{\"n\":[1,\"x\"]},\"extensions\":{\"e\":1},\"id\":7}"
                .as_bytes(),
        )
        .unwrap();
        assert_eq!((request.query.as_str(), request.operation_name.as_deref()), ("{ a }", Some("A")));
        assert_eq!(serde_json::to_value(&request.variables).unwrap(), serde_json::json!({ "n": [1, "x"] }));
        assert_eq!(request.extensions.get("e"), Some(&Value::from(1)));
        let nulls = br#"{"query":"{ a }","operationName":null,"variables":null,"extensions":null}"#;
        assert_eq!(from_body(nulls).unwrap().operation_name, None);
    }

    #[test]
    fn what_is_no_request_is_refused_by_name() {
        for (body, expected) in [
            ("", "the body is not JSON that can be read: EOF while parsing a value at line 1 column 0"),
            ("query=x", "is not JSON that can be read: expected value at line 1 column 1"),
            ("null", "the body must be a JSON object with the text `query`, not null"),
            ("7", "not a number"),
            ("\"{ a }\"", "not a text"),
            ("[]", "a request must be one operation, not a list of them"),
            ("{}", "the request has no `query`, or an empty one"),
            (r#"{"query":null}"#, "the request has no `query`, or an empty one"),
            (r#"{"query":5}"#, "`query` must be a text, not a number"),
            (r#"{"query":"{ a }","operationName":["A"]}"#, "`operationName` must be a text, not a list"),
            (r#"{"query":"{ a }","variables":[]}"#, "`variables` must be a JSON object, not a list"),
            (r#"{"query":"{ a }","variables":"{}"}"#, "`variables` must be a JSON object, not a text"),
            (r#"{"query":"{ a }","extensions":true}"#, "`extensions` must be a JSON object, not a boolean"),
            (r#"{"query":"{ a }","query":"{ b }"}"#, "the name `query` appears twice in an object at line 1"),
            (r#"{"query":"{ a }","variables":{"n":1,"n":2}}"#, "the name `n` appears twice in an object"),
            (r#"{"query":"{ a }","variables":{"n":1e999}}"#, "number out of range"),
            (r#"{"query":"{ a }"} {}"#, "trailing characters"),
        ] {
            let message = message(from_body(body.as_bytes()));
            assert!(message.contains(expected), "{body}: {message}");
        }
        assert_eq!(
            message(from_body(b"{\"query\":\"\xff\"}")),
            "the body is not UTF-8: the byte at 10 cannot be part of a text",
        );
        let deep = format!(r#"{{"query":"{{ a }}","variables":{{"n":{}{}}}}}"#, "[".repeat(500), "]".repeat(500));
        assert_eq!(message(from_body(deep.as_bytes())), "the body has lists or objects nested too deeply");
    }

    #[test]
    fn an_address_has_the_same_parts() {
        let request =
            from_address("query=%7B+%C3%BC+%7D&operationName=A&variables=%7B%22n%22%3A1%7D&extensions=&utm=1");
        let request = request.unwrap();
        assert_eq!((request.query.as_str(), request.operation_name.as_deref()), ("{ ü }", Some("A")));
        assert_eq!(serde_json::to_value(&request.variables).unwrap(), serde_json::json!({ "n": 1 }));
        assert_eq!(from_address("query=a&operationName=").unwrap().operation_name, None);
        for (query, expected) in [
            ("", "has no `query`"),
            ("question=1", "has no `query`"),
            ("query=a&query=b", "the parameter `query` is given twice"),
            ("query=%7", "a % without two hexadecimal digits"),
            ("query=%+7", "a % without two hexadecimal digits"),
            ("query=%zz", "a % without two hexadecimal digits"),
            ("query=%ff", "the address is not UTF-8"),
            ("query=a&variables=%7B", "the parameter `variables` is not JSON that can be read: EOF"),
            ("query=a&variables=7", "`variables` must be a JSON object, not a number"),
        ] {
            let message = message(from_address(query));
            assert!(message.contains(expected), "{query}: {message}");
        }
    }
}
