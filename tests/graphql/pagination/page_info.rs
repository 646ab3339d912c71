//! What a page knows about its neighbours, compared with what follows from the whole list.

use crate::common::{RunBuilder, TestServer, on_both_databases};
use crate::world::{List, Page, fill};

/// How a page is asked for: its size, counted from one end.
#[derive(Debug, Clone, Copy)]
enum Size {
    First(usize),
    Last(usize),
    Default,
}

const SIZES: [Size; 7] =
    [Size::First(0), Size::First(2), Size::First(50), Size::Last(0), Size::Last(2), Size::Last(50), Size::Default];

impl Size {
    fn argument(self) -> String {
        match self {
            Self::First(size) => format!("first: {size} "),
            Self::Last(size) => format!("last: {size} "),
            Self::Default => String::new(),
        }
    }

    /// How many places remain when those at the far end are cut off.
    fn cut(self, places: &[usize]) -> &[usize] {
        match self {
            Self::First(size) => &places[..size.min(places.len())],
            Self::Last(size) => &places[places.len() - size.min(places.len())..],
            Self::Default => places,
        }
    }
}

/// Checks every page of a list between any two cursors. `cursors` belong to places of which those `left` have rows.
async fn check_pages(server: &TestServer, list: &List, cursors: &[String], left: &[usize]) {
    let bounds: Vec<_> = (0..cursors.len()).map(Some).chain([None]).collect();
    for &after in &bounds {
        for &before in &bounds {
            for size in SIZES {
                let argument = |name, bound: Option<usize>| {
                    bound.map_or(String::new(), |place| format!("{name}: {:?} ", cursors[place]))
                };
                let arguments = size.argument() + &argument("after", after) + &argument("before", before);
                let page = list.page(server, &arguments).await;
                let ids = list.ids_in_default_order();
                let expected = expected_page(&ids, left, after, before, size);
                let question = format!("{} {size:?} after {after:?} before {before:?} of {left:?}", list.coordinate);
                assert_eq!(
                    (page.ids, page.has_previous, page.has_next, page.total),
                    (expected.ids, expected.has_previous, expected.has_next, left.len()),
                    "{question}"
                );
            }
        }
    }
}

/// The page that the Relay specification describes: `first` and `last` tell whether there is more between the cursors,
/// the cursors themselves whether there is anything beyond them.
fn expected_page(ids: &[String], left: &[usize], after: Option<usize>, before: Option<usize>, size: Size) -> Page {
    let follows = |place: usize| after.is_none_or(|after| place > after);
    let precedes = |place: usize| before.is_none_or(|before| place < before);
    let range: Vec<_> = left.iter().copied().filter(|&place| follows(place) && precedes(place)).collect();
    let page = size.cut(&range);
    let is_cut = page.len() < range.len();
    let (has_previous, has_next) = match size {
        Size::First(_) | Size::Default => (left.iter().any(|&place| !follows(place)), is_cut),
        Size::Last(_) => (is_cut, left.iter().any(|&place| !precedes(place))),
    };
    let ids = page.iter().map(|&place| ids[place].clone()).collect();
    Page { ids, cursors: vec![], has_next, has_previous, total: left.len() }
}

async fn cursors(server: &TestServer, list: &List) -> Vec<String> {
    list.page(server, "").await.cursors
}

on_both_databases! {
    async fn a_page_of_a_list_knows_its_neighbours(database: TestDatabase) {
        let lists = fill(&database).await;
        let server = TestServer::start(&database).await;
        let list = lists.iter().find(|list| list.coordinate == "Query.runs").unwrap();
        check_pages(&server, list, &cursors(&server, list).await, &[0, 1, 2, 3, 4, 5, 6]).await;
    }

    async fn a_page_under_a_parent_knows_its_neighbours(database: TestDatabase) {
        let lists = fill(&database).await;
        let server = TestServer::start(&database).await;
        let list = lists.iter().find(|list| list.coordinate == "Evaluation.testResults").unwrap();
        check_pages(&server, list, &cursors(&server, list).await, &[0, 1, 2, 3, 4, 5, 6]).await;
    }

    async fn a_cursor_outlives_its_row(database: TestDatabase) {
        let mut runs = Vec::new();
        for _ in 0..5 {
            runs.push(RunBuilder::new().insert(&database).await);
        }
        let server = TestServer::start(&database).await;
        let ids = runs.iter().map(|run| crate::global_id("Run", run.id)).collect();
        let list = List { coordinate: "Query.runs", parent: None, ids };
        let cursors = cursors(&server, &list).await;
        // One in the middle, the newest and the oldest, then all.
        for (deleted, left) in [(2, &[0, 1, 3, 4][..]), (0, &[1, 3, 4]), (4, &[1, 3]), (1, &[3]), (3, &[])] {
            let id = database.kind.literal(runs[4 - deleted].id);
            database.execute(&format!("DELETE FROM runs WHERE id = {id}")).await;
            check_pages(&server, &list, &cursors, left).await;
        }
    }

    async fn an_empty_list_has_an_empty_page(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        for coordinate in ["Query.prompts", "Query.runs", "Query.evaluations", "Query.promptTemplates"] {
            let list = List { coordinate, parent: None, ids: vec![] };
            check_pages(&server, &list, &[], &[]).await;
        }
    }

    async fn half_a_question_has_the_same_answer(database: TestDatabase) {
        let lists = fill(&database).await;
        let server = TestServer::start(&database).await;
        for list in &lists {
            let middle = list.page(&server, "first: 3").await.cursors.pop().unwrap();
            for (arguments, field, answer) in [
                (format!("first: 1, after: {middle:?}"), "hasPreviousPage", true),
                (format!("first: 1, after: {middle:?}"), "hasNextPage", true),
                (format!("last: 1, before: {middle:?}"), "hasNextPage", true),
                (format!("last: 2, before: {middle:?}"), "hasPreviousPage", false),
            ] {
                let page = list.select(&server, &arguments, &format!("pageInfo {{ {field} }}")).await;
                assert_eq!(page["pageInfo"][field], answer, "{} {arguments}", list.coordinate);
                // In two pieces, which are put together.
                let pieces =
                    format!("pageInfo {{ startCursor }} pageInfo {{ ...Half }} ... {{ pageInfo {{ {field} }} }}");
                let query = list.query(&arguments, &pieces) + " fragment Half on PageInfo { endCursor }";
                let data = server.data(&query).await;
                assert_eq!(list.in_answer(&data)["pageInfo"][field], answer, "{} {arguments}", list.coordinate);
            }
        }
    }
}
