//! What the server allows.

use async_graphql::SimpleObject;

use crate::graphql::ServiceLimits;
use crate::graphql::limits::{MAX_NAME_BYTES, MAX_NESTING, MAX_OPERATIONS, MAX_SELECTIONS};

/// What a request may ask for at most. One that asks for more is refused as a whole, with the code `LIMIT_EXCEEDED`, the
/// name of the limit (`limitName`), the limit and the value that exceeds it. Three are told otherwise: a page that is too
/// large and several operations in one request with `BAD_USER_INPUT`, a request that takes too long with `TIMEOUT`.
#[derive(SimpleObject)]
pub struct ServiceConfig {
    /// How deeply fields may be nested; `{ viewer { userId } }` nests two.
    max_depth: i32,
    /// How many values, objects and leaves, an answer could have if every page was full. A field costs one, what is in a
    /// list that many times; a page has as many objects as `first` or `last` say, else `defaultPageSize`.
    max_complexity: i32,
    /// What the values of arguments may cost: the bytes of their texts, and 16 for every value, for every object that the
    /// field could have if every page was full.
    max_input_bytes: i32,
    /// How many objects a page may have.
    max_page_size: i32,
    /// How many objects a page has when neither `first` nor `last` is given.
    default_page_size: i32,
    /// How many fields may have an alias, those of fragments counted wherever they are spread.
    max_aliases: i32,
    /// How many fields an operation may have at its root.
    max_root_fields: i32,
    /// How many directives may be used, those in fragments counted wherever they are spread.
    max_directives: i32,
    /// How many fragments may be spread, inline ones included, those in fragments counted wherever they are spread.
    max_fragment_spreads: i32,
    /// How many fields and fragments all operations and all fragments of a document may select together, those of
    /// fragments counted wherever they are spread.
    max_selections: i32,
    /// How many operations a document may have.
    max_operations: i32,
    /// How deeply brackets, and selection sets with the fragments in them, may be nested.
    max_nesting: i32,
    /// How many bytes a name in a document may have.
    max_name_bytes: i32,
    /// How many lexical tokens a document may have: names, numbers, strings and punctuation.
    max_tokens: i32,
    /// How many bytes a document may have.
    max_document_bytes: i32,
    /// How many bytes the body of a request may have.
    max_body_bytes: i32,
    /// How many bytes the body of a request may have that changes many objects at once: a mutation with a field at its root,
    /// and not in a fragment there, that takes a list of them.
    max_bulk_body_bytes: i32,
    /// How many objects a field may change at once.
    max_bulk_items: i32,
    /// What the lists of objects to be changed may cost in one request: the bytes of their texts, and 16 for every value.
    max_bulk_input_bytes: i32,
    /// How many operations may be sent in one request.
    max_batch_operations: i32,
    /// How many milliseconds a request may take.
    request_timeout_ms: i32,
}

impl From<ServiceLimits> for ServiceConfig {
    fn from(limits: ServiceLimits) -> Self {
        let ServiceLimits {
            queries,
            max_body_bytes,
            max_bulk_body_bytes,
            max_bulk_items,
            request_timeout,
            // No bound, but a question of who asks.
            introspection: _,
        } = limits;
        let saturated = |limit: u64| i32::try_from(limit).unwrap_or(i32::MAX);
        let int = |limit: u32| saturated(limit.into());
        Self {
            max_depth: int(queries.max_depth),
            max_complexity: int(queries.max_complexity),
            max_input_bytes: int(queries.max_input_bytes),
            max_page_size: int(queries.pages.maximum),
            default_page_size: int(queries.pages.default),
            max_aliases: int(queries.max_aliases),
            max_root_fields: int(queries.max_root_fields),
            max_directives: int(queries.max_directives),
            max_fragment_spreads: int(queries.max_fragment_spreads),
            max_selections: saturated(MAX_SELECTIONS),
            max_operations: saturated(MAX_OPERATIONS),
            max_nesting: saturated(MAX_NESTING),
            max_name_bytes: saturated(MAX_NAME_BYTES),
            max_tokens: int(queries.max_tokens),
            max_document_bytes: int(queries.max_document_bytes),
            max_body_bytes: int(max_body_bytes),
            max_bulk_body_bytes: int(max_bulk_body_bytes),
            max_bulk_items: int(max_bulk_items),
            max_bulk_input_bytes: saturated(limits.max_bulk_input_bytes()),
            max_batch_operations: 1,
            request_timeout_ms: request_timeout.as_millis().try_into().unwrap_or(i32::MAX),
        }
    }
}
