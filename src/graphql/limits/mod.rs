//! What a request may ask for. Everything is found out before async-graphql sees the document: its own checks follow
//! every fragment wherever it is spread, so that a kilobyte of fragments that double keeps them busy for hours.
//!
//! The text is looked at first (`text`), because the parser must survive it; then one pass over the parsed document
//! (`measures`) counts with the help of what the schema says about lists (`shape`).

mod arguments;
mod fragments;
mod measures;
mod shape;
mod text;

use std::num::NonZeroU32;
use std::time::Duration;

use async_graphql::parser::types::{
    ExecutableDocument, OperationDefinition, OperationType, Selection, ServiceDocument,
};
use async_graphql::{ServerError, Variables};

use clap::ValueEnum;

use self::arguments::Arguments;
use self::measures::Measures;
use self::shape::SchemaShape;
use self::text::TextMeasures;
use super::error::{ErrorCode, nul_refused, request_error};
use super::pagination::PageLimits;
use crate::domain::Principal;

/// How deeply brackets of the text, and selection sets with the fragments that are spread in them, may be nested. The
/// parser and the execution call themselves for each, and a thread that runs out of stack takes the whole server down.
pub const MAX_NESTING: u64 = 64;

/// How long a name may be. async-graphql compares an unknown one with all that it might have been meant to be.
pub const MAX_NAME_BYTES: u64 = 128;

/// How many operations a document may have, of which one is executed.
pub const MAX_OPERATIONS: u64 = 20;

/// How many fields and fragments all operations and all fragments of a document may select together, those of fragments
/// counted wherever they are spread: what async-graphql looks at in validation.
pub const MAX_SELECTIONS: u64 = 50_000;

/// The largest number that all clients read exactly: JavaScript's `Number.MAX_SAFE_INTEGER`. Counts saturate far above.
const LARGEST_REPORTED: u64 = (1 << 53) - 1;

/// What an operation may ask for. Fragments count wherever they are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryLimits {
    /// The length of the document in bytes.
    pub max_document_bytes: u32,
    /// The number of lexical tokens of the document.
    pub max_tokens: u32,
    /// How deeply fields may be nested.
    pub max_depth: u32,
    /// The number of values, objects and leaves, that an answer could have if every page was full.
    pub max_complexity: u32,
    /// What the values of arguments may cost: the bytes of their texts, and 16 for every value, for every object that the
    /// field could have if every page was full.
    pub max_input_bytes: u32,
    /// The number of fields with an alias.
    pub max_aliases: u32,
    /// The number of fields at the root.
    pub max_root_fields: u32,
    /// The number of directives.
    pub max_directives: u32,
    /// The number of fragments that are spread, inline ones included.
    pub max_fragment_spreads: u32,
    /// The sizes of pages.
    pub pages: PageLimits,
}

impl QueryLimits {
    /// The limits where none are set.
    pub const DEFAULT: Self = Self {
        max_document_bytes: 128 * 1024,
        max_tokens: 5_000,
        max_depth: 20,
        max_complexity: 120_000,
        max_input_bytes: 4 * 1024 * 1024,
        max_aliases: 100,
        max_root_fields: 50,
        max_directives: 100,
        max_fragment_spreads: 500,
        pages: PageLimits { default: 20, maximum: 100 },
    };
}

/// All that bounds a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceLimits {
    /// What an operation may ask for.
    pub queries: QueryLimits,
    /// The length of a request's body in bytes.
    pub max_body_bytes: u32,
    /// The length of a request's body in bytes, if it changes many objects at once.
    pub max_bulk_body_bytes: u32,
    /// How many objects can be changed at once.
    pub max_bulk_items: u32,
    /// How long a request may take.
    pub request_timeout: Duration,
    /// Who may ask for the schema.
    pub introspection: Audience,
}

/// Whom something is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Audience {
    /// Everybody who may ask at all.
    Everybody,
    /// Administrators.
    Administrators,
}

impl Audience {
    /// Whether it is for this principal.
    #[must_use]
    pub fn admits(self, principal: &Principal) -> bool {
        match self {
            Self::Everybody => true,
            Self::Administrators => principal.is_admin,
        }
    }
}

impl ServiceLimits {
    /// The limits where none are set.
    pub const DEFAULT: Self = Self {
        queries: QueryLimits::DEFAULT,
        max_body_bytes: 1024 * 1024,
        max_bulk_body_bytes: 32 * 1024 * 1024,
        max_bulk_items: 10_000,
        request_timeout: Duration::from_secs(30),
        introspection: Audience::Everybody,
    };

    /// What the lists of objects to be changed may cost in one request. A short text counts for more than it takes in the
    /// body, and a variable may be used twice.
    #[must_use]
    pub fn max_bulk_input_bytes(&self) -> u64 {
        u64::from(self.max_bulk_body_bytes).saturating_mul(4)
    }
}

/// What a request costs that asks for nothing that can be counted, as reading it and refusing it does.
pub const REQUEST_COST: NonZeroU32 = NonZeroU32::new(100).expect("it is not zero");

/// How many bytes of arguments cost as much as a value of the answer.
const BYTES_PER_POINT: u64 = 16;

/// What is known of a document that is within the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passed {
    /// What it costs in points: some microseconds of a processor each, if every page is full.
    pub cost: NonZeroU32,
    /// Whether it asks for the schema.
    pub introspects: bool,
    /// How many values the answer could have.
    pub complexity: u64,
}

impl Passed {
    fn with(measures: &Measures) -> Self {
        let input_bytes = measures.volume.input_bytes.saturating_add(measures.bulk_input_bytes);
        let points = measures.volume.values.saturating_add(input_bytes / BYTES_PER_POINT);
        let points = u32::try_from(points).unwrap_or(u32::MAX);
        Self {
            cost: REQUEST_COST.saturating_add(points),
            introspects: measures.introspects,
            complexity: measures.volume.values,
        }
    }
}

/// Something of which a request may have only so much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantity {
    DocumentBytes,
    Tokens,
    NameBytes,
    Nesting,
    Depth,
    Operations,
    Selections,
    Complexity,
    InputBytes,
    BulkInputBytes,
    Aliases,
    RootFields,
    Directives,
    FragmentSpreads,
}

impl Quantity {
    /// The name of the limit: that of the field of `ServiceConfig`, where there is one.
    const fn limit_name(self) -> &'static str {
        match self {
            Self::DocumentBytes => "maxDocumentBytes",
            Self::Tokens => "maxTokens",
            Self::NameBytes => "maxNameBytes",
            Self::Nesting => "maxNesting",
            Self::Depth => "maxDepth",
            Self::Operations => "maxOperations",
            Self::Selections => "maxSelections",
            Self::Complexity => "maxComplexity",
            Self::InputBytes => "maxInputBytes",
            Self::BulkInputBytes => "maxBulkInputBytes",
            Self::Aliases => "maxAliases",
            Self::RootFields => "maxRootFields",
            Self::Directives => "maxDirectives",
            Self::FragmentSpreads => "maxFragmentSpreads",
        }
    }

    /// What a request with so much of it does, and what its author can do about it.
    fn excess(self, value: u64) -> String {
        match self {
            Self::DocumentBytes => format!("the document has {value} bytes; send long texts as variables"),
            Self::Tokens => format!("the document has {value} tokens; send values as variables"),
            Self::NameBytes => format!("a name or a number has {value} bytes"),
            Self::Nesting => format!("brackets or fragments are nested {value} deep; ask in several steps"),
            Self::Depth => format!("fields are nested {value} deep; ask in several steps"),
            Self::Operations => format!("the document has {value} operations; send the one that is meant"),
            Self::Selections => format!("{value} fields and fragments are selected; ask in several steps"),
            Self::InputBytes => {
                format!("the values of arguments come to {value} bytes; use fewer, or in fewer places")
            }
            Self::BulkInputBytes => format!("the objects to be changed come to {value} bytes; send several requests"),
            Self::Complexity => {
                format!("the answer could have {value} values; ask for smaller pages or fewer fields")
            }
            Self::Aliases => format!("{value} fields have an alias; ask for several objects with `nodes(ids:)`"),
            Self::RootFields => format!("the operation has {value} fields at its root; send several operations"),
            Self::Directives => format!("{value} directives are used; leave out what is not wanted"),
            Self::FragmentSpreads => format!("{value} fragments are spread; select their fields instead"),
        }
    }

    /// Nothing, if the value is within the limit.
    fn check(self, value: u64, limit: impl Into<u64>) -> Result<(), ServerError> {
        let limit = limit.into();
        if value <= limit {
            return Ok(());
        }
        let value = value.min(LARGEST_REPORTED);
        let name = self.limit_name();
        let message = format!("{}: {name} is {limit}", self.excess(value));
        let mut error = request_error(ErrorCode::LimitExceeded, message);
        let extensions = error.extensions.get_or_insert_default();
        extensions.set("limitName", name);
        extensions.set("limit", limit);
        extensions.set("value", value);
        Err(error)
    }
}

/// Refuses requests that ask for too much.
#[derive(Debug)]
pub struct Limiter {
    limits: QueryLimits,
    max_bulk_input_bytes: u64,
    shape: SchemaShape,
}

impl Limiter {
    /// For this schema.
    pub fn new(schema: &ServiceDocument, limits: ServiceLimits) -> Self {
        let max_bulk_input_bytes = limits.max_bulk_input_bytes();
        Self { limits: limits.queries, max_bulk_input_bytes, shape: SchemaShape::new(schema) }
    }

    /// Whether an operation changes lists of objects at once, which a field at its root says.
    pub fn is_bulk(&self, operation: &OperationDefinition) -> bool {
        let mut selections = operation.selection_set.node.items.iter();
        operation.ty == OperationType::Mutation
            && selections.any(|selection| match &selection.node {
                Selection::Field(field) => self.shape.is_bulk(&field.node.name.node),
                Selection::FragmentSpread(_) | Selection::InlineFragment(_) => false,
            })
    }

    /// Refuses texts that the parser had better not see, and those with the character U+0000, which PostgreSQL cannot
    /// store and so cannot search for either.
    ///
    /// # Errors
    /// With the limit and what the text has of it, or with what must not be in it.
    pub fn check_text(&self, document: &str) -> Result<(), ServerError> {
        let bytes = u64::try_from(document.len()).unwrap_or(u64::MAX);
        Quantity::DocumentBytes.check(bytes, self.limits.max_document_bytes)?;
        let TextMeasures { tokens, deepest, longest_name, has_nul, has_open_block } = TextMeasures::of(document);
        // The parser takes its beginning for other strings, and looks for its end again from every quote.
        if has_open_block {
            return Err(request_error(ErrorCode::GraphqlParseFailed, "a block string (\"\"\") is not closed"));
        }
        Quantity::Tokens.check(tokens, self.limits.max_tokens)?;
        Quantity::Nesting.check(deepest, MAX_NESTING)?;
        Quantity::NameBytes.check(longest_name, MAX_NAME_BYTES)?;
        if has_nul { Err(nul_refused()) } else { Ok(()) }
    }

    /// Refuses documents that ask for too much, or whose fragments contain themselves. Every operation must be within
    /// the limits, whichever is meant, and so must every fragment by itself: async-graphql validates them all.
    ///
    /// # Errors
    /// All limits that are exceeded.
    pub fn check(&self, document: &ExecutableDocument, variables: &Variables) -> Result<Passed, Vec<ServerError>> {
        // async-graphql validates each with everything that it spreads.
        let operations = u64::try_from(document.operations.iter().len()).unwrap_or(u64::MAX);
        Quantity::Operations.check(operations, MAX_OPERATIONS).map_err(|error| vec![error])?;
        let arguments = Arguments::new(document, variables, self.limits.pages.default);
        let measures = measures::of_document(document, &self.shape, &arguments).map_err(|cycle| vec![cycle.into()])?;
        let errors: Vec<_> = self.exceeded(&measures).collect();
        if errors.is_empty() { Ok(Passed::with(&measures)) } else { Err(errors) }
    }

    fn exceeded(&self, measures: &Measures) -> impl Iterator<Item = ServerError> {
        let limits = &self.limits;
        let checks = [
            (Quantity::Nesting, measures.nesting, MAX_NESTING),
            (Quantity::Depth, measures.depth, limits.max_depth.into()),
            (Quantity::Aliases, measures.aliases, limits.max_aliases.into()),
            (Quantity::RootFields, measures.root_fields, limits.max_root_fields.into()),
            (Quantity::Directives, measures.directives, limits.max_directives.into()),
            (Quantity::FragmentSpreads, measures.fragment_spreads, limits.max_fragment_spreads.into()),
            (Quantity::Selections, measures.selections, MAX_SELECTIONS),
            (Quantity::Complexity, measures.volume.values, limits.max_complexity.into()),
            (Quantity::InputBytes, measures.volume.input_bytes, limits.max_input_bytes.into()),
            (Quantity::BulkInputBytes, measures.bulk_input_bytes, self.max_bulk_input_bytes),
        ];
        checks.into_iter().filter_map(|(quantity, value, limit)| quantity.check(value, limit).err())
    }
}
