//! Filters and orders, and in files of their own what mutations are told.

mod api_token;
mod audit;
mod evaluation;
mod prompt;
mod run;
mod template;
mod test_result;
mod values;

use async_graphql::{Enum, InputObject};

use super::error::ApiError;
use crate::db::evaluations::EvaluationFilter;
use crate::db::page::{Direction, Order};
use crate::db::prompts::PromptFilter;
use crate::db::runs::RunFilter;
use crate::db::test_results::TestResultFilter;
use crate::domain::{
    EvaluationOrderField, EvaluationStatus, FiniteFloat, PromptOrderField, PromptStatus, PromptTemplateOrderField,
    RunOrderField, RunSource, SearchTerms, TestOutcome, TestResultOrderField, Timestamp,
};

pub use api_token::CreateApiTokenInput;
pub use audit::AuditLogFilterInput;
pub use evaluation::{CompleteEvaluationInput, CreateEvaluationInput, FailEvaluationInput};
pub use prompt::{CreatePromptInput, CreatePromptVersionInput, UpdatePromptInput, UpsertPromptInput};
pub use run::StartRunInput;
pub use template::{CreatePromptTemplateInput, InstantiatePromptTemplateInput, UpdatePromptTemplateInput};
pub use test_result::TestResultInput;
pub use values::{optional_text, prompt_ids};

/// Which prompts are wanted. All conditions that are given must hold.
#[derive(InputObject, Default)]
#[graphql(name = "PromptFilter")]
pub struct PromptFilterInput {
    /// Those of this user. Only administrators see those of others.
    user_id: Option<String>,
    /// Those in one of these states. An empty list matches nothing.
    status: Option<Vec<PromptStatus>>,
    /// Those of exactly this name or, when it ends in `/`, of all names in that folder.
    name: Option<String>,
    /// Those that have all of these tags.
    tags: Option<Vec<String>>,
    /// Those that have all of these words, whatever their case, in title, description or content. `refun*` stands for all
    /// words that begin so (two letters or more), and words in double quotes must follow one another. Letters and digits
    /// make words, with their diacritics; everything else separates them. At most 500 characters and 32 words; a blank
    /// text is no condition. Of a description the first 50,000 characters are searched, of a content the first 200,000.
    search: Option<String>,
    /// Only the newest version of each lineage.
    #[graphql(default_with = "Some(false)")]
    latest_version_only: Option<bool>,
    /// Those created at this time or later.
    created_after: Option<Timestamp>,
    /// Those created before this time.
    created_before: Option<Timestamp>,
    /// Deleted prompts too.
    #[graphql(default_with = "Some(false)")]
    include_deleted: Option<bool>,
}

impl TryFrom<PromptFilterInput> for PromptFilter {
    type Error = ApiError;

    fn try_from(input: PromptFilterInput) -> Result<Self, ApiError> {
        let search = input.search.as_deref().map(SearchTerms::read).transpose();
        Ok(Self {
            user_id: input.user_id,
            status: input.status,
            name: input.name,
            tags: input.tags,
            search: search.map_err(|error| ApiError::argument("filter.search", error.to_string()))?.flatten(),
            latest_version_only: input.latest_version_only.unwrap_or_default(),
            created_after: input.created_after,
            created_before: input.created_before,
            include_deleted: input.include_deleted.unwrap_or_default(),
        })
    }
}

/// Which evaluations are wanted. All conditions that are given must hold.
#[derive(InputObject, Default)]
#[graphql(name = "EvaluationFilter")]
pub struct EvaluationFilterInput {
    /// Those in one of these states. An empty list matches nothing.
    status: Option<Vec<EvaluationStatus>>,
    /// Those of exactly this provider.
    provider: Option<String>,
    /// Those of exactly this model.
    model: Option<String>,
    /// Those with this overall score or a higher one. Evaluations without a score are left out.
    min_score: Option<f64>,
    /// Those with this overall score or a lower one. Evaluations without a score are left out.
    max_score: Option<f64>,
    /// Those of this set of test cases.
    test_suite_id: Option<String>,
    /// Those created at this time or later.
    created_after: Option<Timestamp>,
    /// Those created before this time.
    created_before: Option<Timestamp>,
}

impl TryFrom<EvaluationFilterInput> for EvaluationFilter {
    type Error = ApiError;

    fn try_from(input: EvaluationFilterInput) -> Result<Self, ApiError> {
        Ok(Self {
            status: input.status,
            provider: input.provider,
            model: input.model,
            min_score: finite("filter.minScore", input.min_score)?,
            max_score: finite("filter.maxScore", input.max_score)?,
            test_suite_id: input.test_suite_id,
            created_after: input.created_after,
            created_before: input.created_before,
        })
    }
}

/// Which runs are wanted. All conditions that are given must hold.
#[derive(InputObject, Default)]
#[graphql(name = "RunFilter")]
pub struct RunFilterInput {
    /// Those that came from one of these. An empty list matches nothing.
    source: Option<Vec<RunSource>>,
    /// Those of exactly this name.
    name: Option<String>,
    /// Those in one of these states. An empty list matches nothing.
    status: Option<Vec<EvaluationStatus>>,
    /// Only baselines, or only others.
    is_baseline: Option<bool>,
    /// Those created at this time or later.
    created_after: Option<Timestamp>,
    /// Those created before this time.
    created_before: Option<Timestamp>,
}

impl From<RunFilterInput> for RunFilter {
    fn from(input: RunFilterInput) -> Self {
        Self {
            source: input.source,
            name: input.name,
            status: input.status,
            is_baseline: input.is_baseline,
            created_after: input.created_after,
            created_before: input.created_before,
        }
    }
}

/// Which test results are wanted. All conditions that are given must hold.
#[derive(InputObject, Default)]
#[graphql(name = "TestResultFilter")]
pub struct TestResultFilterInput {
    /// True: those that passed. False: all others, be they failed, errored or skipped.
    passed: Option<bool>,
    /// Those with one of these outcomes. An empty list matches nothing.
    outcome: Option<Vec<TestOutcome>>,
    /// Those with this score or a higher one.
    min_score: Option<f64>,
    /// Those with this score or a lower one.
    max_score: Option<f64>,
    /// Those of the test case of exactly this name.
    test_case_name: Option<String>,
}

impl TryFrom<TestResultFilterInput> for TestResultFilter {
    type Error = ApiError;

    fn try_from(input: TestResultFilterInput) -> Result<Self, ApiError> {
        Ok(Self {
            passed: input.passed,
            outcome: input.outcome,
            min_score: finite("filter.minScore", input.min_score)?,
            max_score: finite("filter.maxScore", input.max_score)?,
            test_case_name: input.test_case_name,
        })
    }
}

fn finite(argument: &'static str, number: Option<f64>) -> Result<Option<FiniteFloat>, ApiError> {
    number.map(FiniteFloat::try_from).transpose().map_err(|error| ApiError::argument(argument, error.to_string()))
}

/// The direction of an order.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderDirection {
    /// Smallest, or oldest, first.
    Asc,
    /// Greatest, or newest, first.
    Desc,
}

impl From<OrderDirection> for Direction {
    fn from(direction: OrderDirection) -> Self {
        match direction {
            OrderDirection::Asc => Self::Ascending,
            OrderDirection::Desc => Self::Descending,
        }
    }
}

macro_rules! orders {
    ($($(#[$doc:meta])* $input:ident by $field:ident, $default:ident = $text:literal;)*) => {$(
        $(#[$doc])*
        #[derive(InputObject)]
        pub struct $input {
            /// What is compared. Objects that are equal in it come in the order in which they were stored, or its reverse.
            field: $field,
            /// The direction.
            #[graphql(default_with = $text)]
            direction: OrderDirection,
        }

        impl $input {
            /// The order of a list of which this is said, or nothing.
            pub fn order(input: Option<Self>) -> Order<$field> {
                let (field, direction) = input
                    .map_or(($field::default(), OrderDirection::$default), |input| (input.field, input.direction));
                Order { field, direction: direction.into() }
            }
        }
    )*};
}

orders! {
    /// The order of prompts; without one, the newest come first.
    PromptOrder by PromptOrderField, Desc = "OrderDirection::Desc";
    /// The order of runs; without one, the newest come first.
    RunOrder by RunOrderField, Desc = "OrderDirection::Desc";
    /// The order of evaluations; without one, the newest come first.
    EvaluationOrder by EvaluationOrderField, Desc = "OrderDirection::Desc";
    /// The order of test results; without one, they come in the order in which they were recorded.
    TestResultOrder by TestResultOrderField, Asc = "OrderDirection::Asc";
    /// The order of templates; without one, the newest come first.
    PromptTemplateOrder by PromptTemplateOrderField, Desc = "OrderDirection::Desc";
}
