//! Ids as clients see them: base64 of `Type:uuid`, opaque, unique across types.

use async_graphql::ID;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

use super::error::ApiError;
use crate::domain::{ObjectKind, shortened};

/// How much of what is no id is shown.
const LONGEST_SHOWN: usize = 64;

/// The types that have ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeType {
    /// A prompt version.
    Prompt,
    /// A run.
    Run,
    /// An evaluation.
    Evaluation,
    /// A test result.
    TestResult,
    /// A template.
    PromptTemplate,
    /// An API token.
    ApiToken,
    /// An entry of the audit log.
    AuditEntry,
}

impl NodeType {
    const ALL: [Self; 7] = [
        Self::Prompt,
        Self::Run,
        Self::Evaluation,
        Self::TestResult,
        Self::PromptTemplate,
        Self::ApiToken,
        Self::AuditEntry,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Prompt => "Prompt",
            Self::Run => "Run",
            Self::Evaluation => "Evaluation",
            Self::TestResult => "TestResult",
            Self::PromptTemplate => "PromptTemplate",
            Self::ApiToken => "ApiToken",
            Self::AuditEntry => "AuditEntry",
        }
    }

    /// The id of the row `id` of this type.
    pub fn encode(self, id: impl Into<Uuid>) -> ID {
        let mut buffer = Uuid::encode_buffer();
        let id = id.into().as_hyphenated().encode_lower(&mut buffer);
        let name = self.name();
        let mut text = String::with_capacity(name.len() + 1 + id.len());
        text.push_str(name);
        text.push(':');
        text.push_str(id);
        ID(STANDARD.encode(text))
    }

    /// The type of such an object.
    pub const fn of(kind: ObjectKind) -> Self {
        match kind {
            ObjectKind::Prompt => Self::Prompt,
            ObjectKind::Template => Self::PromptTemplate,
            ObjectKind::Run => Self::Run,
            ObjectKind::Evaluation => Self::Evaluation,
            ObjectKind::ApiToken => Self::ApiToken,
        }
    }

    /// The row that the id means, which must be of this type.
    pub fn decode(self, id: &ID, argument: &'static str) -> Result<Uuid, ApiError> {
        self.read(id).map_err(|problem| ApiError::argument(argument, problem))
    }

    /// The row that the id means, which must be of this type, or what is wrong with the id.
    pub fn read(self, id: &ID) -> Result<Uuid, String> {
        let (found, uuid) = read(id).ok_or_else(|| no_id(id))?;
        if found == self { Ok(uuid) } else { Err(format!("is the id of a {}, not of a {}", found.name(), self.name())) }
    }
}

fn no_id(id: &ID) -> String {
    format!("«{}» is not an id; take one from the field `id` of an object", shortened(id, LONGEST_SHOWN))
}

/// The type and the row that an id means.
pub fn decode(id: &ID, argument: &'static str) -> Result<(NodeType, Uuid), ApiError> {
    read(id).ok_or_else(|| ApiError::argument(argument, no_id(id)))
}

fn read(id: &ID) -> Option<(NodeType, Uuid)> {
    let bytes = STANDARD.decode(id.as_bytes()).ok()?;
    let (name, uuid) = std::str::from_utf8(&bytes).ok()?.split_once(':')?;
    let node_type = NodeType::ALL.into_iter().find(|node_type| node_type.name() == name)?;
    // Of the ways to write a UUID one is ours: an id is equal to itself in every answer.
    let is_ours = uuid.len() == 36 && !uuid.bytes().any(|byte| byte.is_ascii_uppercase());
    let uuid = is_ours.then(|| Uuid::try_parse(uuid).ok())??;
    Some((node_type, uuid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_leads_back_to_its_row() {
        let uuid = Uuid::now_v7();
        let id = NodeType::Evaluation.encode(uuid);
        assert_eq!(NodeType::Evaluation.decode(&id, "id").unwrap(), uuid);
        assert_eq!(decode(&id, "id").unwrap(), (NodeType::Evaluation, uuid));
    }

    #[test]
    fn what_is_no_id_is_refused_by_name() {
        let problem = |id: &str| NodeType::Prompt.decode(&ID::from(id), "parentId").unwrap_err().to_string();
        let run = NodeType::Run.encode(Uuid::nil());
        assert_eq!(problem(&run), "parentId: is the id of a Run, not of a Prompt");
        for bad in ["", "x", "42", "UHJvbXB0", &STANDARD.encode("Prompt:42"), &STANDARD.encode("Node:x")] {
            assert!(problem(bad).starts_with(&format!("parentId: «{bad}» is not an id")), "{bad}");
        }
        // Another way to write an id that there could be.
        let capitals = STANDARD.encode("Prompt:01A1FA01-5DAE-726E-ABF5-106249023C05");
        assert!(problem(&capitals).contains("is not an id"));
        assert!(problem(&"ü".repeat(10_000)).len() < 300);
    }
}
