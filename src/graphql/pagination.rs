//! Pages: arguments, cursors, and what a page knows about its neighbours.

use async_graphql::Context;
use uuid::Uuid;

use super::error::ApiError;
use crate::db::page::{Bound, Order, OrderField, Position, Slice};

/// How large pages are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLimits {
    /// When the client does not say.
    pub default: u32,
    /// At most.
    pub maximum: u32,
}

/// The four arguments of every connection.
#[derive(Debug, Default)]
pub struct PageParams {
    /// So many from the beginning, or after `after`.
    pub first: Option<i32>,
    /// The cursor that the page follows.
    pub after: Option<String>,
    /// So many from the end, or before `before`.
    pub last: Option<i32>,
    /// The cursor that the page precedes.
    pub before: Option<String>,
}

/// Which list, in which order: what a cursor is bound to.
#[derive(Debug, Clone, Copy)]
pub struct ListIdentity<F> {
    /// The field, such as `Prompt.evaluations`.
    pub coordinate: &'static str,
    /// The parent whose list it is, if it has one.
    pub parent: Option<Uuid>,
    /// The order of the list.
    pub order: Order<F>,
}

/// A page as the client asked for it.
#[derive(Debug, Clone)]
pub struct Window<F> {
    /// The order of the list.
    pub order: Order<F>,
    /// The rows at the end of the range are wanted, not those at its beginning.
    pub backward: bool,
    /// How many rows.
    pub size: usize,
    /// The place that the page follows.
    pub after: Option<Position>,
    /// The place that the page precedes.
    pub before: Option<Position>,
}

impl<F: OrderField> Window<F> {
    /// Checks the arguments.
    pub fn new(context: &Context<'_>, list: ListIdentity<F>, params: &PageParams) -> Result<Self, ApiError> {
        let limits = *context.data_unchecked::<PageLimits>();
        if params.first.is_some() && params.last.is_some() {
            return Err(ApiError::argument("last", "cannot be combined with `first`: ask for one end of the list"));
        }
        let size = match (params.first, params.last) {
            (Some(first), _) => length("first", first, limits.maximum)?,
            (None, Some(last)) => length("last", last, limits.maximum)?,
            (None, None) => limits.default,
        };
        let place = |argument, cursor: &Option<String>| {
            cursor.as_deref().map(|cursor| list.read_cursor(argument, cursor)).transpose()
        };
        Ok(Self {
            order: list.order,
            backward: params.last.is_some(),
            size: size as usize,
            after: place("after", &params.after)?,
            before: place("before", &params.before)?,
        })
    }

    /// The rows to read: those of the page, and one more that tells whether there are others beyond.
    pub fn slice(&self) -> Slice<F> {
        let exclusive = |position: &Position| Bound { position: position.clone(), inclusive: false };
        let (after, before) = (self.after.as_ref().map(exclusive), self.before.as_ref().map(exclusive));
        // Sizes are bounded by the limits, far below the range of the number.
        let limit = i64::try_from(self.size).unwrap_or(i64::MAX - 1) + 1;
        if self.backward {
            Slice { order: self.order.reversed(), after: before, before: after, limit }
        } else {
            Slice { order: self.order, after, before, limit }
        }
    }

    /// One row at or before the place that the page follows: whether the list goes on there.
    pub fn probe_before(&self) -> Option<Slice<F>> {
        self.after.as_ref().map(|position| probe(position, self.order.reversed()))
    }

    /// One row at or after the place that the page precedes.
    pub fn probe_after(&self) -> Option<Slice<F>> {
        self.before.as_ref().map(|position| probe(position, self.order))
    }
}

fn probe<F>(position: &Position, order: Order<F>) -> Slice<F> {
    let bound = Bound { position: position.clone(), inclusive: true };
    Slice { order, after: Some(bound), before: None, limit: 1 }
}

/// The length of a page, or of a list without pages, as an argument says it.
pub fn length(argument: &'static str, length: i32, maximum: u32) -> Result<u32, ApiError> {
    u32::try_from(length)
        .ok()
        .filter(|&length| length <= maximum)
        .ok_or_else(|| ApiError::argument(argument, format!("must be from 0 to {maximum}, not {length}")))
}
