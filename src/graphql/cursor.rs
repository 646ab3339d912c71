//! Cursors: opaque texts that stand for a row's place in one list and its order.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::error::ApiError;
use super::pagination::ListIdentity;
use crate::db::page::{Direction, OrderField, Position, SortKey, SortKind};
use crate::domain::{FiniteFloat, Timestamp};

/// The layout of a cursor: this version, four bytes that stand for the list and its order, the place. In a list of rows
/// that is the row's id, and its key.
const CURSOR_VERSION: u8 = 2;
/// The bytes before the key.
const HEAD: usize = 21;
/// The longest text that a list is ordered by: 255 characters.
const TEXT_LIMIT: usize = 255 * 4;

/// What a cursor is bound to: a field, and whatever else tells its list and order from others.
pub(super) struct CursorScope<'a> {
    /// The field, such as `Prompt.evaluations`.
    pub coordinate: &'static str,
    /// The rest.
    pub parts: &'a [&'a [u8]],
}

impl CursorScope<'_> {
    /// The cursor of a place.
    pub fn write(&self, place: impl IntoIterator<Item = u8>) -> String {
        let mut bytes = Vec::with_capacity(HEAD + 8);
        bytes.push(CURSOR_VERSION);
        bytes.extend(self.fingerprint());
        bytes.extend(place);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// What `read` makes of the place that a cursor stands for.
    pub fn read<P>(
        &self,
        argument: &'static str,
        cursor: &str,
        read: impl FnOnce(&[u8]) -> Option<P>,
    ) -> Result<P, ApiError> {
        let unreadable = || ApiError::argument(argument, "is not a cursor; take one from `pageInfo` or `edges`");
        // Nothing longer is decoded.
        let bytes = Some(cursor).filter(|cursor| cursor.len() <= (HEAD + TEXT_LIMIT) * 4 / 3 + 4);
        let bytes = bytes.and_then(|cursor| URL_SAFE_NO_PAD.decode(cursor).ok()).ok_or_else(unreadable)?;
        let (&[version, ref list @ ..], place) = bytes.split_first_chunk::<5>().ok_or_else(unreadable)?;
        if version != CURSOR_VERSION {
            return Err(unreadable());
        }
        if *list != self.fingerprint() {
            let problem = format!("is a cursor of another list or another order than this of {}", self.coordinate);
            return Err(ApiError::argument(argument, problem));
        }
        read(place).ok_or_else(unreadable)
    }

    fn fingerprint(&self) -> [u8; 4] {
        let mut hash = Sha256::new();
        hash.update(self.coordinate);
        self.parts.iter().for_each(|part| hash.update(part));
        let hash = hash.finalize();
        [hash[0], hash[1], hash[2], hash[3]]
    }
}

impl<F: OrderField> ListIdentity<F> {
    /// The cursor of the row at `position`.
    pub fn cursor(&self, position: &Position) -> String {
        let mut place = position.id.as_bytes().to_vec();
        match &position.key {
            SortKey::Time(time) => place.extend(time.micros().to_be_bytes()),
            SortKey::Text(text) => place.extend(text.as_bytes()),
            SortKey::Count(count) => place.extend(count.to_be_bytes()),
            SortKey::Score(score) => place.extend(score.get().to_be_bytes()),
        }
        self.within(|scope| scope.write(place))
    }

    /// The place that a cursor stands for.
    ///
    /// # Errors
    /// When it is not a cursor, or one of another list.
    pub fn read_cursor(&self, argument: &'static str, cursor: &str) -> Result<Position, ApiError> {
        let kind = self.order.field.column().kind;
        let read = |place: &[u8]| {
            let (&id, key) = place.split_first_chunk()?;
            Some(Position { key: read_key(kind, key)?, id: Uuid::from_bytes(id) })
        };
        self.within(|scope| scope.read(argument, cursor, read))
    }

    fn within<T>(&self, work: impl FnOnce(&CursorScope<'_>) -> T) -> T {
        let direction = match self.order.direction {
            Direction::Ascending => b"+",
            Direction::Descending => b"-",
        };
        let parent = self.parent.unwrap_or_default();
        let parts = &[direction, self.order.field.column().name.as_bytes(), parent.as_bytes()];
        work(&CursorScope { coordinate: self.coordinate, parts })
    }
}

/// A key that a row may have.
fn read_key(kind: SortKind, bytes: &[u8]) -> Option<SortKey> {
    match kind {
        SortKind::Time => Timestamp::from_micros(i64::from_be_bytes(bytes.try_into().ok()?)).map(SortKey::Time),
        SortKind::Text => {
            let text = std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))?;
            Some(SortKey::Text(text.to_owned()))
        }
        SortKind::Count | SortKind::OptionalCount => {
            bytes.try_into().ok().map(|bytes| SortKey::Count(i32::from_be_bytes(bytes)))
        }
        SortKind::Score | SortKind::OptionalScore => {
            let score = FiniteFloat::try_from(f64::from_be_bytes(bytes.try_into().ok()?)).ok()?;
            // A negative zero is written as a positive one: no cursor has it.
            Some(SortKey::Score(score)).filter(|_| score.get().to_be_bytes() == bytes)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::page::Order;
    use crate::domain::EvaluationOrderField::{self, CreatedAt, OverallScore, Position as PositionField};
    use crate::domain::PromptOrderField;

    const LIST: ListIdentity<EvaluationOrderField> = ListIdentity {
        coordinate: "Prompt.evaluations",
        parent: Some(Uuid::max()),
        order: Order::descending(CreatedAt),
    };

    fn position() -> Position {
        Position { key: Timestamp::now().into(), id: Uuid::now_v7() }
    }

    #[test]
    fn a_cursor_leads_back_to_its_place() {
        for (field, key) in [
            (CreatedAt, SortKey::from(Timestamp::now())),
            (PositionField, Some(7).into()),
            (PositionField, None::<i32>.into()),
            (OverallScore, Some(-2.5).into()),
            (OverallScore, None::<f64>.into()),
        ] {
            let list = ListIdentity { order: Order::ascending(field), ..LIST };
            let position = Position { key, id: Uuid::now_v7() };
            assert_eq!(list.read_cursor("after", &list.cursor(&position)).unwrap(), position);
        }
        let (coordinate, order) = ("Query.prompts", Order::ascending(PromptOrderField::Title));
        let list = ListIdentity { coordinate, parent: None, order };
        for title in [String::new(), "Größe".to_owned(), "\u{10ffff}".repeat(255)] {
            let position = Position { key: title.into(), id: Uuid::now_v7() };
            assert_eq!(list.read_cursor("after", &list.cursor(&position)).unwrap(), position);
        }
    }

    #[test]
    fn a_cursor_is_bound_to_its_list_and_order() {
        let cursor = LIST.cursor(&position());
        for other in [
            ListIdentity { coordinate: "Run.evaluations", ..LIST },
            ListIdentity { parent: None, ..LIST },
            ListIdentity { order: LIST.order.reversed(), ..LIST },
            ListIdentity { order: Order::descending(OverallScore), ..LIST },
        ] {
            let error = other.read_cursor("before", &cursor).unwrap_err().to_string();
            assert!(error.starts_with("before: is a cursor of another list"), "{error}");
        }
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        let cursor = LIST.cursor(&position());
        let keyed = |key: &[u8]| LIST.within(|scope| scope.write([Uuid::now_v7().as_bytes(), key].concat()));
        for bad in ["", "x", "AAAA", "ü", &cursor[1..], &format!("{cursor}A"), &keyed(b"short"), &keyed(&[0x7F; 8])] {
            let error = LIST.read_cursor("after", bad).unwrap_err().to_string();
            assert_eq!(error, "after: is not a cursor; take one from `pageInfo` or `edges`", "{bad}");
        }
    }

    #[test]
    fn keys_that_no_row_has_are_refused() {
        for (kind, bytes) in [
            (SortKind::Time, &i64::MAX.to_be_bytes()[..]),
            (SortKind::Text, b"a\0b"),
            (SortKind::Text, b"\xFF"),
            (SortKind::Count, &[0; 8]),
            (SortKind::OptionalScore, &f64::NAN.to_be_bytes()),
            (SortKind::Score, &f64::INFINITY.to_be_bytes()),
            (SortKind::Score, &(-0.0_f64).to_be_bytes()),
        ] {
            assert_eq!(read_key(kind, bytes), None, "{kind:?} {bytes:?}");
        }
    }
}
