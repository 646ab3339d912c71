//! What entries depend on.
//!
//! Every entry depends on exactly one tag, and every change of a row is recorded, by triggers of the database, as the tags
//! of all entries that could show it. The texts here and in the migrations (`create_cache_outbox`) are the same.

use std::fmt;

use uuid::Uuid;

/// What an entry depends on: when it changes, the entry is no longer believed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tag(String);

impl Tag {
    /// A prompt version.
    #[must_use]
    pub fn prompt(id: Uuid) -> Self {
        Self::of_row("p", id)
    }

    /// All prompts of a user.
    #[must_use]
    pub fn prompts_of(user_id: &str) -> Self {
        Self(format!("P:{user_id}"))
    }

    /// An evaluation.
    #[must_use]
    pub fn evaluation(id: Uuid) -> Self {
        Self::of_row("e", id)
    }

    /// All evaluations of a prompt version.
    #[must_use]
    pub fn evaluations_of_prompt(id: Uuid) -> Self {
        Self::of_row("pe", id)
    }

    /// All evaluations of a run.
    #[must_use]
    pub fn evaluations_of_run(id: Uuid) -> Self {
        Self::of_row("re", id)
    }

    /// All results of an evaluation.
    #[must_use]
    pub fn results_of(evaluation: Uuid) -> Self {
        Self::of_row("er", evaluation)
    }

    /// A run.
    #[must_use]
    pub fn run(id: Uuid) -> Self {
        Self::of_row("r", id)
    }

    /// A template.
    #[must_use]
    pub fn template(id: Uuid) -> Self {
        Self::of_row("t", id)
    }

    /// Nothing that is ever invalidated: the entry under this name only ages.
    #[must_use]
    pub fn ageing(name: &str) -> Self {
        Self(format!("s:{name}"))
    }

    fn of_row(kind: &str, id: Uuid) -> Self {
        Self(format!("{kind}:{}", id.simple()))
    }

    /// The tag as it stands in the outbox.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
