//! What lists can be ordered by.
//!
//! Objects that are equal in it are ordered by their ids, which grow in the order in which objects were stored.

use async_graphql::Enum;

/// What prompts can be ordered by.
#[derive(Enum, Debug, Default, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PromptOrderField {
    /// When it was created.
    #[default]
    CreatedAt,
    /// When it was last changed.
    UpdatedAt,
    /// The title, by code point: capitals come before small letters.
    Title,
}

/// What runs can be ordered by.
#[derive(Enum, Debug, Default, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunOrderField {
    /// When it was created.
    #[default]
    CreatedAt,
    /// The name, by code point: capitals come before small letters.
    Name,
}

/// What evaluations can be ordered by.
#[derive(Enum, Debug, Default, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EvaluationOrderField {
    /// When it was created.
    #[default]
    CreatedAt,
    /// The place in its run. Evaluations outside of runs count as less than the first.
    Position,
    /// The overall score. An evaluation without one counts as less than any: it comes last when the best come first.
    OverallScore,
    /// How long it took. An evaluation of which that is not known counts as less than any.
    ExecutionTime,
}

/// What test results can be ordered by.
#[derive(Enum, Debug, Default, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TestResultOrderField {
    /// When it was created.
    #[default]
    CreatedAt,
    /// The place of the test in its suite. Results without one count as less than the first.
    Position,
    /// The score.
    Score,
    /// How long the answer took. A result of which that is not known counts as less than any.
    Latency,
}

/// What API tokens are ordered by.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ApiTokenOrderField {
    /// When it was created.
    #[default]
    CreatedAt,
}

/// What templates can be ordered by.
#[derive(Enum, Debug, Default, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PromptTemplateOrderField {
    /// How often it was used.
    UsageCount,
    /// The name, by code point: capitals come before small letters.
    Name,
    /// When it was created.
    #[default]
    CreatedAt,
}

/// What the entries of the audit log are ordered by.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuditOrderField {
    /// When it was written.
    #[default]
    CreatedAt,
}
