//! Lists: the orders they have, and the statements that all tables share.

mod order;
mod statements;

pub use order::{Bound, Direction, Order, OrderField, Position, Positioned, Slice, SortColumn, SortKey, SortKind};
pub use statements::{Count, CountPerParent, Listed, Page, PagePerParent, Rows};
