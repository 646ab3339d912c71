//! What the server talks about: identifiers, enumerations and values. No input or output.
//!
//! Types that are columns or GraphQL values carry the derives that say so; how they look there is said in `db::types` and
//! `graphql::scalars`.

mod canonical_json;
mod content_hash;
mod deed;
mod enums;
mod ids;
mod orders;
mod principal;
mod prompt_content;
mod scopes;
mod score;
mod search;
mod template_text;
mod text;
mod timestamp;
pub(crate) mod totals;
mod trend;

pub use canonical_json::{canonical, case_hash, same_json};
pub use content_hash::{content_hash, hex, sha256_hex};
pub use deed::{Client, Deed, Origin};
pub use enums::{
    AuditOrigin, EvaluationStatus, ObjectKind, ParseEnumError, PromptFormat, PromptStatus, RunSource, TestCaseChange,
    TestOutcome, TokenScope,
};
pub use ids::{ApiTokenId, AuditEntryId, EvaluationId, PromptId, RunId, TemplateId, TestResultId};
pub use orders::{
    ApiTokenOrderField, AuditOrderField, EvaluationOrderField, PromptOrderField, PromptTemplateOrderField,
    RunOrderField, TestResultOrderField,
};
pub use principal::{Credential, Principal};
pub use prompt_content::{ContentError, check_content};
pub use scopes::Scopes;
pub use score::{FiniteFloat, NotFinite, rate};
pub use search::{MAX_SEARCH_CHARACTERS, MAX_SEARCH_WORDS, SearchTerm, SearchTerms, SearchTextError};
pub use template_text::{MAX_RENDERED_BYTES, TemplateError, render_template, template_variables};
pub use text::shortened;
pub use timestamp::Timestamp;
pub use totals::{ScoreSum, Totals};
pub use trend::TrendInterval;
