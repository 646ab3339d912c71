//! From what a token says to whom it is of.

use serde_json::{Map, Value};

use crate::auth::AuthError;
use crate::domain::{Credential, Principal, Scopes, TokenScope};

/// The claims of a token.
pub type Claims = Map<String, Value>;

/// How long the id of a user may be.
const LONGEST_USER: usize = 255;

/// Which claims say what. A name is that of a claim, or leads into objects with dots: `realm_access.roles`.
#[derive(Debug, Clone)]
pub struct ClaimRules {
    /// The claim that is the user's id.
    pub user: String,
    /// The claim that marks administrators, and the value that it has then, or that is among its values.
    pub admin: Option<(String, String)>,
    /// The claim that lists scopes. Without it, a token is for everything that its owner may do.
    pub scopes: Option<String>,
}

impl ClaimRules {
    /// Whom a token with these claims is of.
    pub fn principal(&self, claims: &Claims) -> Result<Principal, AuthError> {
        let user = find(claims, &self.user).and_then(Value::as_str).filter(|user| is_user(user));
        let user =
            user.ok_or(AuthError::Refused("the token does not say whose it is in the claim that is meant for it"))?;
        let is_admin =
            self.admin.as_ref().is_some_and(|(name, value)| find(claims, name).is_some_and(|it| has(it, value)));
        let usual = if is_admin { Scopes::ALL } else { Scopes::OWN };
        let scopes = self.scopes.as_ref().map_or(usual, |name| find(claims, name).map_or(Scopes::NONE, scopes));
        Ok(Principal { is_admin, ..Principal::user(user) }.with(scopes, Credential::Jwt))
    }
}

fn is_user(user: &str) -> bool {
    !user.trim().is_empty() && user.chars().nth(LONGEST_USER).is_none() && !user.contains('\0')
}

/// The claim of this name, or what is inside one.
fn find<'a>(claims: &'a Claims, name: &str) -> Option<&'a Value> {
    claims.get(name).or_else(|| {
        let (outer, inner) = name.split_once('.')?;
        find(claims.get(outer)?.as_object()?, inner)
    })
}

/// Whether a claim has this value, or a list with it.
fn has(claim: &Value, wanted: &str) -> bool {
    match claim {
        Value::String(text) => text == wanted,
        Value::Bool(flag) => wanted == if *flag { "true" } else { "false" },
        Value::Number(number) => number.to_string() == wanted,
        Value::Array(values) => values.iter().any(|value| !value.is_array() && has(value, wanted)),
        Value::Null | Value::Object(_) => false,
    }
}

/// The scopes that a claim lists, as a text with spaces (RFC 8693, section 4.2) or as a list. Others belong to others.
fn scopes(claim: &Value) -> Scopes {
    let words: Vec<&str> = match claim {
        Value::String(text) => text.split_ascii_whitespace().collect(),
        Value::Array(values) => values.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    Scopes::of(words.into_iter().filter_map(|word| word.parse::<TokenScope>().ok()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rules() -> ClaimRules {
        ClaimRules {
            user: "sub".to_owned(),
            admin: Some(("realm_access.roles".to_owned(), "boss".to_owned())),
            scopes: None,
        }
    }

    fn principal(rules: &ClaimRules, claims: &Value) -> Result<Principal, AuthError> {
        rules.principal(claims.as_object().unwrap())
    }

    #[test]
    fn the_owner_is_in_the_claim_that_is_meant_for_it() {
        let ada = principal(&rules(), &json!({ "sub": "ada", "email": "ada@example.org" })).unwrap();
        assert_eq!((&*ada.user_id, ada.is_admin, ada.scopes), ("ada", false, Scopes::OWN));
        assert_eq!(ada.credential, Credential::Jwt);
        let by_mail = ClaimRules { user: "email".to_owned(), ..rules() };
        assert_eq!(
            &*principal(&by_mail, &json!({ "sub": "1", "email": "ada@example.org" })).unwrap().user_id,
            "ada@example.org"
        );
        for bad in [
            json!({}),
            json!({ "sub": null }),
            json!({ "sub": 7 }),
            json!({ "sub": " " }),
            json!({ "sub": "a\0" }),
            json!({ "sub": "x".repeat(256) }),
        ] {
            assert!(principal(&rules(), &bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn administrators_are_marked_by_a_value() {
        for (claims, is_admin) in [
            (json!({ "realm_access": { "roles": ["x", "boss"] } }), true),
            (json!({ "realm_access": { "roles": "boss" } }), true),
            (json!({ "realm_access.roles": ["boss"] }), true),
            (json!({ "realm_access": { "roles": "boss x" } }), false),
            (json!({ "realm_access": { "roles": [["boss"]] } }), false),
            (json!({ "realm_access": ["boss"] }), false),
            (json!({ "roles": ["boss"] }), false),
        ] {
            let mut claims = claims;
            claims["sub"] = "ada".into();
            let ada = principal(&rules(), &claims).unwrap();
            assert_eq!((ada.is_admin, ada.scopes.contains(TokenScope::Admin)), (is_admin, is_admin), "{claims}");
        }
        let flagged = ClaimRules { admin: Some(("admin".to_owned(), "true".to_owned())), ..rules() };
        assert!(principal(&flagged, &json!({ "sub": "ada", "admin": true })).unwrap().is_admin);
        assert!(!principal(&flagged, &json!({ "sub": "ada", "admin": false })).unwrap().is_admin);
    }

    #[test]
    fn scopes_are_those_of_the_claim_where_one_is_meant_for_them() {
        let limited = ClaimRules { scopes: Some("scope".to_owned()), ..rules() };
        for (scope, expected) in [
            (json!("openid read ingest"), "read ingest"),
            (json!(["write", "email"]), "write"),
            (json!("openid"), ""),
            (json!(7), ""),
        ] {
            let ada = principal(&limited, &json!({ "sub": "ada", "scope": scope })).unwrap();
            assert_eq!(ada.scopes.to_string(), expected, "{scope}");
        }
        assert!(principal(&limited, &json!({ "sub": "ada" })).unwrap().scopes.is_empty());
        // An administrator sees everything with a credential for reading, and changes nothing.
        let reader =
            principal(&limited, &json!({ "sub": "ada", "scope": "read", "realm_access": { "roles": ["boss"] } }));
        let reader = reader.unwrap();
        assert!(reader.is_admin && reader.scopes == Scopes::of([TokenScope::Read]));
        assert!(principal(&limited, &json!({ "sub": "ada", "scope": "admin" })).unwrap().is_admin);
    }
}
