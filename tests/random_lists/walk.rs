//! Walking all pages of a list.

use serde_json::Value;

use crate::common::TestServer;
use crate::model::List;

/// The ids of all pages of the list with these arguments, page by page, from the beginning or from the end; and the
/// lengths that the pages claim. Between pages `meanwhile` happens, which is told the last id.
pub async fn walk(
    server: &TestServer,
    list: &List,
    arguments: &str,
    (size, backward): (usize, bool),
    mut meanwhile: impl AsyncFnMut(Option<&String>),
) -> (Vec<String>, Vec<usize>) {
    let (count, cursor_argument) = if backward { ("last", "before") } else { ("first", "after") };
    let (mut ids, mut totals): (Vec<String>, Vec<usize>) = (Vec::new(), Vec::new());
    let mut cursor = None;
    loop {
        let place = cursor.as_ref().map_or(String::new(), |cursor| format!("{cursor_argument}: {cursor:?}, "));
        let page = page(server, list, &format!("{arguments}{place}{count}: {size}")).await;
        let info = &page["pageInfo"];
        let (ahead, behind) =
            if backward { ("hasPreviousPage", "hasNextPage") } else { ("hasNextPage", "hasPreviousPage") };
        let edges = page["edges"].as_array().unwrap();
        assert_eq!(info[behind], !ids.is_empty(), "{arguments}");
        assert!(edges.len() <= size && (edges.len() == size || info[ahead] == false), "{page}");
        totals.push(usize::try_from(page["totalCount"].as_u64().unwrap()).unwrap());
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let of_page = edges.iter().map(|edge| text(&edge["node"]["id"]));
        // A page keeps the order of the list, also when it is read from the end.
        if backward {
            ids.extend(of_page.rev())
        } else {
            ids.extend(of_page)
        }
        let last = if backward { edges.first() } else { edges.last() };
        if info[ahead] == false {
            return (ids, totals);
        }
        meanwhile(ids.last()).await;
        cursor = Some(text(&last.expect("there are more")["cursor"]));
    }
}

async fn page(server: &TestServer, list: &List, arguments: &str) -> Value {
    let mut data = server.data(&list.query(arguments)).await;
    let parent = if list.parent.is_some() { &mut data["parent"] } else { &mut data };
    parent["list"].take()
}
