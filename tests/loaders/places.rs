//! Places in ordered lists, and what a slice of a list is, worked out without a database.

use evalgraph::db::page::{Bound, Direction, Position, Slice};
use evalgraph::domain::Timestamp;
use uuid::Uuid;

/// When the rows of a list were created: the first three in the same microsecond, so that their ids decide.
pub fn times() -> [Timestamp; 4] {
    let time = Timestamp::parse("2026-11-23T10:00:00Z").unwrap();
    [time, time, time, late()]
}

/// When the last row was created. Some filters of the tests match this time alone.
pub fn late() -> Timestamp {
    Timestamp::parse("2026-11-23T10:00:00.001Z").unwrap()
}

/// Stores a row for each of the `times`, the greatest id first, and returns their places in order.
macro_rules! plant {
    ($database:expr, $builder:expr) => {{
        let mut places = Vec::new();
        for builder in crate::places::times().map($builder).into_iter().rev() {
            let row = builder.insert($database).await;
            places.push(evalgraph::db::page::Position { created_at: row.created_at, id: row.id.into() });
        }
        places.sort();
        places
    }};
}

pub(crate) use plant;

/// All kinds of slices: both directions, with and without bounds at the place of a row and between rows, with and
/// without those places themselves, bounds that leave nothing between them, small and ample limits.
pub fn slices(places: &[Position]) -> Vec<Slice> {
    let between = Position { created_at: late(), id: Uuid::nil() };
    let bounds = [places[1], between]
        .into_iter()
        .flat_map(|position| [Some(Bound { position, inclusive: false }), Some(Bound { position, inclusive: true })]);
    let bounds: Vec<_> = bounds.chain([None]).collect();
    let mut slices = Vec::new();
    for direction in [Direction::Ascending, Direction::Descending] {
        for &after in &bounds {
            for &before in &bounds {
                slices.extend([2, 100].map(|limit| Slice { direction, after, before, limit }));
            }
        }
    }
    slices
}

/// The places in a slice of a list.
pub fn expected(places: &[Position], slice: Slice) -> Vec<Position> {
    let mut places = places.to_vec();
    places.sort();
    let (mut lower, mut upper) = (slice.after, slice.before);
    if slice.direction == Direction::Descending {
        places.reverse();
        (lower, upper) = (upper, lower);
    }
    let above = |place: Position, bound: Bound| place > bound.position || bound.inclusive && place == bound.position;
    let below = |place: Position, bound: Bound| place < bound.position || bound.inclusive && place == bound.position;
    places.retain(|&place| {
        lower.is_none_or(|bound| above(place, bound)) && upper.is_none_or(|bound| below(place, bound))
    });
    places.truncate(usize::try_from(slice.limit).unwrap());
    places
}
