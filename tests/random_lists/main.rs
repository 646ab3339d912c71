//! Lists with filters, orders and page sizes drawn at random: walking all their pages, forward and backward, shows
//! exactly the rows, in exactly the order, that a plain evaluation of the same filter and order shows.

#[path = "../common/mod.rs"]
mod common;

mod lists;
mod model;
mod walk;

use rand::RngExt as _;
use rand::seq::IteratorRandom as _;
use rand_chacha::ChaCha8Rng;

use crate::common::{TestDatabase, TestServer, fixed_draws, global_id, on_both_databases, seeded};
use crate::lists::{fill, prompt, row_of_prompt};
use crate::model::{List, Row};
use crate::walk::walk;

/// Filters, orders and page sizes drawn for each list.
const DRAWS: usize = 12;

/// An order, and the arguments that say so.
struct Order {
    key: usize,
    descending: bool,
    arguments: String,
}

impl Order {
    fn draw(list: &List, random: &mut ChaCha8Rng) -> Self {
        let Some(key) = (0..=list.orders.len()).choose(random).filter(|&key| key < list.orders.len()) else {
            return Self { key: 0, descending: list.descending, arguments: String::new() };
        };
        let descending = random.random_bool(0.5);
        let direction = if descending { "DESC" } else { "ASC" };
        Self {
            key,
            descending,
            arguments: format!("orderBy: {{field: {}, direction: {direction}}}, ", list.orders[key]),
        }
    }

    fn sort(&self, rows: &mut [&Row]) {
        rows.sort_by(|one, other| one.compare(other, self.key));
        if self.descending {
            rows.reverse();
        }
    }
}

/// Conditions on fields of their own, as an argument, and the rows that meet them.
fn draw_filter<'a>(list: &'a List, random: &mut ChaCha8Rng) -> (String, Vec<&'a Row>) {
    let mut rows: Vec<_> = list.rows.iter().collect();
    let mut chosen: Vec<(&str, &str)> = Vec::new();
    for (number, condition) in list.conditions.iter().enumerate() {
        if random.random_ratio(1, 3) && chosen.iter().all(|(field, _)| *field != condition.0) {
            chosen.push(*condition);
            rows.retain(|row| row.meets[number]);
        }
    }
    let conditions: Vec<_> = chosen.into_iter().map(|(_, condition)| condition).collect();
    let argument =
        if conditions.is_empty() { String::new() } else { format!("filter: {{{}}}, ", conditions.join(", ")) };
    (argument, rows)
}

fn ids(rows: &[&Row]) -> Vec<String> {
    rows.iter().map(|row| row.id.clone()).collect()
}

/// Walks each list a few times, with whatever is drawn.
async fn walk_lists(database: &TestDatabase, mut random: ChaCha8Rng) {
    let lists = fill(database, &mut random).await;
    let server = TestServer::start(database).await;
    for list in &lists {
        for _ in 0..DRAWS {
            let (filter, mut rows) = draw_filter(list, &mut random);
            let order = Order::draw(list, &mut random);
            order.sort(&mut rows);
            let size = random.random_range(1..=rows.len() + 2);
            let arguments = format!("{filter}{}", order.arguments);
            for backward in [false, true] {
                let (mut found, totals) = walk(&server, list, &arguments, (size, backward), async |_| ()).await;
                if backward {
                    found.reverse();
                }
                assert_eq!(found, ids(&rows), "{}({arguments}) by {size}, backward: {backward}", list.coordinate);
                assert!(totals.iter().all(|&total| total == rows.len()), "{totals:?} of {}", rows.len());
            }
        }
    }
}

on_both_databases! {
    async fn walking_all_pages_shows_all_rows_in_order(database: TestDatabase) {
        walk_lists(&database, seeded()).await;
    }

    /// Their statements are recorded, so that `tests/statement_plans` looks at the same ones every time.
    async fn walking_the_lists_of_every_run_shows_all_rows_in_order(database: TestDatabase) {
        walk_lists(&database, fixed_draws()).await;
    }

    async fn rows_that_come_meanwhile_hide_and_repeat_no_other(database: TestDatabase) {
        let mut random = seeded();
        let list = fill(&database, &mut random).await.swap_remove(0);
        let server = TestServer::start(&database).await;
        let mut rows = list.rows.clone();
        for _ in 0..DRAWS {
            let order = Order::draw(&list, &mut random);
            let (size, backward) = (random.random_range(3..=10), random.random_bool(0.5));
            // Where the walk was when each row came: those that lie ahead of it will be met.
            let mut ahead = rows.clone();
            let (found, _) = walk(&server, &list, &order.arguments, (size, backward), async |last: Option<&String>| {
                let row = row_of_prompt(&prompt(&mut random).insert(&database).await);
                let last = rows.iter().find(|row| Some(&row.id) == last).expect("a row that is known");
                let is_later = row.compare(last, order.key).is_gt();
                if is_later == (order.descending == backward) {
                    ahead.push(row.clone());
                }
                rows.push(row);
            })
            .await;
            let mut all: Vec<_> = rows.iter().filter(|row| found.contains(&row.id)).collect();
            order.sort(&mut all);
            let mut expected = ids(&all);
            if backward {
                expected.reverse();
            }
            assert_eq!(found, expected, "in order, and none twice");
            let missing: Vec<_> = ahead.iter().filter(|row| !found.contains(&row.id)).collect();
            assert!(missing.is_empty(), "{missing:#?}");
        }
    }
}
