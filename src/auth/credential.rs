//! What a request has with it.

use std::borrow::Cow;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::AuthError;

/// The longest token that is looked at: those of issuers that put many groups into them come to some kilobytes.
const LONGEST: usize = 8 * 1024;

/// The token in the headers of a request: that of `Bearer`, or the password of `Basic`, for programs that know nothing else.
pub fn token(headers: &HeaderMap) -> Result<Cow<'_, str>, AuthError> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let value = given.next().ok_or(AuthError::Missing)?;
    if given.next().is_some() {
        return Err(AuthError::Refused("the request has several headers `Authorization`: send one"));
    }
    if value.len() > LONGEST * 2 {
        return Err(TOO_LONG);
    }
    let (scheme, rest) = value.to_str().ok().and_then(|value| value.trim().split_once(' ')).ok_or(UNREADABLE)?;
    let token = if scheme.eq_ignore_ascii_case("bearer") {
        Cow::Borrowed(rest.trim_start())
    } else if scheme.eq_ignore_ascii_case("basic") {
        let decoded = STANDARD.decode(rest.trim_start()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let password =
            decoded.as_deref().and_then(|pair| pair.split_once(':')).map(|(_, password)| password.to_owned());
        Cow::Owned(password.ok_or(UNREADABLE)?)
    } else {
        return Err(UNREADABLE);
    };
    match token.len() {
        0 => Err(AuthError::Missing),
        1..=LONGEST => Ok(token),
        _ => Err(TOO_LONG),
    }
}

const UNREADABLE: AuthError = AuthError::Refused(
    "the header `Authorization` must be «Bearer TOKEN», or «Basic …» with the token as the password",
);
const TOO_LONG: AuthError = AuthError::Refused("the token is longer than any that this server accepts");

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn found(values: &[&str]) -> Result<String, AuthError> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        token(&headers).map(Cow::into_owned)
    }

    #[test]
    fn the_token_is_that_of_bearer_or_the_password_of_basic() {
        assert_eq!(found(&["Bearer abc"]).unwrap(), "abc");
        assert_eq!(found(&["bearer   abc "]).unwrap(), "abc");
        assert_eq!(found(&[&format!("Basic {}", STANDARD.encode("me:a:b"))]).unwrap(), "a:b");
        assert_eq!(found(&[&format!("BASIC {}", STANDARD.encode(":abc"))]).unwrap(), "abc");
        assert_eq!(found(&[&format!("Bearer {}", "x".repeat(LONGEST))]).unwrap().len(), LONGEST);
    }

    #[test]
    fn everything_else_is_none() {
        assert_eq!(found(&[]), Err(AuthError::Missing));
        assert_eq!(found(&[&format!("Basic {}", STANDARD.encode("me:"))]), Err(AuthError::Missing));
        let twice = found(&["Bearer a", "Bearer a"]).unwrap_err();
        assert!(twice.to_string().contains("several"), "{twice}");
        for bad in [
            "Bearer",
            "abc",
            "",
            "Digest abc",
            "Basic abc",
            "Basic !",
            "Bearer ü",
            &format!("Basic {}", STANDARD.encode(b"me:\xff")),
        ] {
            assert_eq!(found(&[bad]), Err(UNREADABLE), "{bad}");
        }
        for long in [LONGEST + 1, LONGEST * 3] {
            assert_eq!(found(&[&format!("Bearer {}", "x".repeat(long))]), Err(TOO_LONG));
        }
    }
}
