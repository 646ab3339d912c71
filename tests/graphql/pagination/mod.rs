//! Pages of lists.

mod changes;
mod page_info;
mod sizes;
mod walking;
