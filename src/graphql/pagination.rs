//! Pages: arguments, cursors, and what a page knows about its neighbours.

use async_graphql::Context;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::error::ApiError;
use crate::db::page::{Bound, Direction, Position, Slice};
use crate::domain::Timestamp;

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
pub struct ListIdentity {
    /// The field, such as `Prompt.evaluations`.
    pub coordinate: &'static str,
    /// The parent whose list it is, if it has one.
    pub parent: Option<Uuid>,
    /// The order of the list.
    pub direction: Direction,
}

/// A page as the client asked for it.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// The order of the list.
    pub direction: Direction,
    /// The rows at the end of the range are wanted, not those at its beginning.
    pub backward: bool,
    /// How many rows.
    pub size: usize,
    /// The place that the page follows.
    pub after: Option<Position>,
    /// The place that the page precedes.
    pub before: Option<Position>,
}

impl Window {
    /// Checks the arguments.
    pub fn new(context: &Context<'_>, list: ListIdentity, params: &PageParams) -> Result<Self, ApiError> {
        let limits = *context.data_unchecked::<PageLimits>();
        if params.first.is_some() && params.last.is_some() {
            return Err(ApiError::argument("last", "cannot be combined with `first`: ask for one end of the list"));
        }
        let size = match (params.first, params.last) {
            (Some(first), _) => page_size("first", first, limits)?,
            (None, Some(last)) => page_size("last", last, limits)?,
            (None, None) => limits.default,
        };
        let place = |argument, cursor: &Option<String>| {
            cursor.as_deref().map(|cursor| list.read_cursor(argument, cursor)).transpose()
        };
        Ok(Self {
            direction: list.direction,
            backward: params.last.is_some(),
            size: size as usize,
            after: place("after", &params.after)?,
            before: place("before", &params.before)?,
        })
    }

    /// The rows to read: those of the page, and one more that tells whether there are others beyond.
    pub fn slice(&self) -> Slice {
        let exclusive = |position| Bound { position, inclusive: false };
        let (after, before) = (self.after.map(exclusive), self.before.map(exclusive));
        // Sizes are bounded by the limits, far below the range of the number.
        let limit = i64::try_from(self.size).unwrap_or(i64::MAX - 1) + 1;
        if self.backward {
            Slice { direction: self.direction.reversed(), after: before, before: after, limit }
        } else {
            Slice { direction: self.direction, after, before, limit }
        }
    }

    /// One row at or before the place that the page follows: whether the list goes on there.
    pub fn probe_before(&self) -> Option<Slice> {
        self.after.map(|position| probe(position, self.direction.reversed()))
    }

    /// One row at or after the place that the page precedes.
    pub fn probe_after(&self) -> Option<Slice> {
        self.before.map(|position| probe(position, self.direction))
    }
}

fn probe(position: Position, direction: Direction) -> Slice {
    Slice { direction, after: Some(Bound { position, inclusive: true }), before: None, limit: 1 }
}

fn page_size(argument: &'static str, size: i32, limits: PageLimits) -> Result<u32, ApiError> {
    u32::try_from(size).ok().filter(|&size| size <= limits.maximum).ok_or_else(|| {
        let problem = format!("must be from 0 to {}, not {size}", limits.maximum);
        ApiError::argument(argument, problem)
    })
}

/// The layout of a cursor: this version, four bytes that stand for the list and its order, the place.
const CURSOR_VERSION: u8 = 1;

impl ListIdentity {
    /// The cursor of the row at `position`.
    pub fn cursor(&self, position: Position) -> String {
        let mut bytes = [0; 29];
        bytes[0] = CURSOR_VERSION;
        bytes[1..5].copy_from_slice(&self.fingerprint());
        bytes[5..13].copy_from_slice(&position.created_at.micros().to_be_bytes());
        bytes[13..].copy_from_slice(position.id.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The place that a cursor stands for.
    ///
    /// # Errors
    /// When it is not a cursor, or one of another list.
    pub fn read_cursor(&self, argument: &'static str, cursor: &str) -> Result<Position, ApiError> {
        let unreadable = || ApiError::argument(argument, "is not a cursor; take one from `pageInfo` or `edges`");
        let bytes: [u8; 29] = URL_SAFE_NO_PAD
            .decode(cursor)
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .filter(|bytes: &[u8; 29]| bytes[0] == CURSOR_VERSION)
            .ok_or_else(unreadable)?;
        let (list, created_at, id) = (&bytes[1..5], &bytes[5..13], &bytes[13..]);
        if list != self.fingerprint() {
            let problem = format!("is a cursor of another list or another order than this of {}", self.coordinate);
            return Err(ApiError::argument(argument, problem));
        }
        let micros = created_at.try_into().map(i64::from_be_bytes).map_err(|_| unreadable())?;
        let created_at = Timestamp::from_micros(micros).ok_or_else(unreadable)?;
        let id = Uuid::from_slice(id).map_err(|_| unreadable())?;
        Ok(Position { created_at, id })
    }

    fn fingerprint(&self) -> [u8; 4] {
        let mut hash = Sha256::new();
        hash.update(self.coordinate);
        hash.update(match self.direction {
            Direction::Ascending => b"+",
            Direction::Descending => b"-",
        });
        hash.update(self.parent.unwrap_or_default());
        let hash = hash.finalize();
        [hash[0], hash[1], hash[2], hash[3]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: ListIdentity =
        ListIdentity { coordinate: "Prompt.evaluations", parent: Some(Uuid::max()), direction: Direction::Descending };

    fn position() -> Position {
        Position { created_at: Timestamp::now(), id: Uuid::now_v7() }
    }

    #[test]
    fn a_cursor_leads_back_to_its_place() {
        let position = position();
        assert_eq!(LIST.read_cursor("after", &LIST.cursor(position)).unwrap(), position);
    }

    #[test]
    fn a_cursor_is_bound_to_its_list_and_order() {
        let cursor = LIST.cursor(position());
        for other in [
            ListIdentity { coordinate: "Run.evaluations", ..LIST },
            ListIdentity { parent: None, ..LIST },
            ListIdentity { direction: Direction::Ascending, ..LIST },
        ] {
            let error = other.read_cursor("before", &cursor).unwrap_err().to_string();
            assert!(error.starts_with("before: is a cursor of another list"), "{error}");
        }
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for bad in ["", "x", "AAAA", "ü", &LIST.cursor(position())[1..], &format!("{}A", LIST.cursor(position()))] {
            let error = LIST.read_cursor("after", bad).unwrap_err().to_string();
            assert_eq!(error, "after: is not a cursor; take one from `pageInfo` or `edges`", "{bad}");
        }
    }
}
