//! Rows that come and go while a list is being walked.

use evalgraph::db::runs::NewRun;
use evalgraph::domain::Timestamp;

use crate::common::{RunBuilder, TestDatabase, TestServer, on_both_databases};
use crate::global_id;
use crate::world::List;

fn time(millis: i64) -> Timestamp {
    Timestamp::parse("2026-11-23T10:00:00Z").unwrap().plus_millis(millis)
}

async fn run(database: &TestDatabase, millis: i64) -> NewRun {
    RunBuilder::new().created_at(time(millis)).insert(database).await
}

async fn delete(database: &TestDatabase, run: &NewRun) {
    database.execute(&format!("DELETE FROM runs WHERE id = {}", database.kind.literal(run.id))).await;
}

fn ids<'a>(runs: impl IntoIterator<Item = &'a NewRun>) -> Vec<String> {
    runs.into_iter().map(|run| global_id("Run", run.id)).collect()
}

on_both_databases! {
    async fn a_walk_goes_on_where_it_was_whatever_came_and_went(database: TestDatabase) {
        let mut runs = Vec::new();
        for number in 0..9 {
            runs.push(run(&database, number * 10).await);
        }
        let server = TestServer::start(&database).await;
        let list = List { coordinate: "Query.runs", parent: None, ids: vec![] };

        let page = list.page(&server, "first: 3").await;
        assert_eq!(page.ids, ids([&runs[8], &runs[7], &runs[6]]));
        // Where the walk has been: one comes first, one between; the cursor's own row goes, and another.
        run(&database, 90).await;
        run(&database, 75).await;
        delete(&database, &runs[6]).await;
        delete(&database, &runs[8]).await;
        // Where it has yet to go: one comes, one goes.
        let inserted = run(&database, 35).await;
        delete(&database, &runs[4]).await;

        let page = list.page(&server, &format!("first: 3, after: {:?}", page.cursors[2])).await;
        assert_eq!(page.ids, ids([&runs[5], &inserted, &runs[3]]));
        assert_eq!((page.has_previous, page.has_next), (true, true));
        let page = list.page(&server, &format!("first: 3, after: {:?}", page.cursors[2])).await;
        assert_eq!(page.ids, ids([&runs[2], &runs[1], &runs[0]]));
        assert!(!page.has_next);
    }

    async fn a_walk_from_the_end_goes_on_where_it_was_too(database: TestDatabase) {
        let mut runs = Vec::new();
        for number in 0..6 {
            runs.push(run(&database, number * 10).await);
        }
        let server = TestServer::start(&database).await;
        let list = List { coordinate: "Query.runs", parent: None, ids: vec![] };
        let page = list.page(&server, "last: 2").await;
        assert_eq!(page.ids, ids([&runs[1], &runs[0]]));
        run(&database, -10).await;
        delete(&database, &runs[1]).await;
        let inserted = run(&database, 15).await;
        let page = list.page(&server, &format!("last: 2, before: {:?}", page.cursors[0])).await;
        assert_eq!(page.ids, ids([&runs[2], &inserted]));
        assert_eq!((page.has_previous, page.has_next), (true, true));
    }

    async fn a_row_of_the_cursors_own_microsecond_has_its_place_by_its_id(database: TestDatabase) {
        let first = RunBuilder::new();
        let second = RunBuilder::new();
        let third = RunBuilder::new();
        let second = second.created_at(time(0)).insert(&database).await;
        let server = TestServer::start(&database).await;
        let list = List { coordinate: "Query.runs", parent: None, ids: vec![] };
        let cursor = list.page(&server, "").await.cursors.remove(0);
        let third = third.created_at(time(0)).insert(&database).await;
        let first = first.created_at(time(0)).insert(&database).await;
        assert_eq!(list.page(&server, "").await.ids, ids([&third, &second, &first]));
        let older = list.page(&server, &format!("after: {cursor:?}")).await;
        let newer = list.page(&server, &format!("last: 9, before: {cursor:?}")).await;
        assert_eq!((older.ids, newer.ids), (ids([&first]), ids([&third])));
    }
}
