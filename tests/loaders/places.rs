//! Places in ordered lists, and what a slice of a list is, worked out without a database.

use evalgraph::db::page::{Bound, Direction, Order, OrderField, Position, Slice};
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
            places.push(evalgraph::db::page::Position { key: row.created_at.into(), id: row.id.into() });
        }
        places.sort();
        places
    }};
}

pub(crate) use plant;

/// The places of the rows of the late time.
pub fn narrowed(places: &[Position]) -> Vec<Position> {
    places.iter().filter(|place| place.key == late().into()).cloned().collect()
}

/// All kinds of slices in the order of creation: both directions, with and without bounds at the place of a row and
/// between rows, with and without those places themselves, bounds that leave nothing between them, small and ample
/// limits.
pub fn slices<F: OrderField>(places: &[Position]) -> Vec<Slice<F>> {
    let between = Position { key: late().into(), id: Uuid::nil() };
    let bounds: Vec<_> = [&places[1], &between]
        .into_iter()
        .flat_map(|position| [false, true].map(|inclusive| Some(Bound { position: position.clone(), inclusive })))
        .chain([None])
        .collect();
    let mut slices = Vec::new();
    for order in [Order::ascending(F::default()), Order::descending(F::default())] {
        for after in &bounds {
            for before in &bounds {
                slices.extend([2, 100].map(|limit| Slice {
                    order,
                    after: after.clone(),
                    before: before.clone(),
                    limit,
                }));
            }
        }
    }
    slices
}

/// The places in a slice of a list.
pub fn expected<F>(places: &[Position], slice: &Slice<F>) -> Vec<Position> {
    let mut places = places.to_vec();
    places.sort();
    let (mut lower, mut upper) = (&slice.after, &slice.before);
    if slice.order.direction == Direction::Descending {
        places.reverse();
        (lower, upper) = (upper, lower);
    }
    let above =
        |place: &Position, bound: &Bound| *place > bound.position || bound.inclusive && *place == bound.position;
    let below =
        |place: &Position, bound: &Bound| *place < bound.position || bound.inclusive && *place == bound.position;
    places.retain(|place| {
        lower.as_ref().is_none_or(|bound| above(place, bound)) && upper.as_ref().is_none_or(|bound| below(place, bound))
    });
    places.truncate(usize::try_from(slice.limit).unwrap());
    places
}
