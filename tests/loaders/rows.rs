//! Rows by id.

use evalgraph::db::columns::ColumnSet;
use evalgraph::db::page::Positioned as _;
use evalgraph::loaders::{Cached, LoaderUsage, RowById, RowKey};
use uuid::Uuid;

use crate::common::{TestDatabase, on_both_databases};
use crate::on_demand::{OnDemand, column_sets};
use crate::tree::Tree;
use crate::{Pick, Request};

fn key(id: Uuid, columns: ColumnSet) -> RowKey {
    RowKey { id, columns }
}

/// Checks a loader of rows, of which two are stored.
async fn check_rows<E: OnDemand>(database: &TestDatabase, loader: Pick<Cached<RowById<E>>>, [one, other]: [Uuid; 2]) {
    check_answers(database, loader, [one, other]).await;
    check_columns(database, loader, [one, other]).await;
}

/// Hits, misses and repeated keys have the answers of their own places, all from one statement.
async fn check_answers<E: OnDemand>(
    database: &TestDatabase,
    loader: Pick<Cached<RowById<E>>>,
    [one, other]: [Uuid; 2],
) {
    let request = Request::new(database);
    let asked = [other, Uuid::now_v7(), one, other, Uuid::nil()];
    let rows = request.ask(loader, asked.map(|id| key(id, ColumnSet::NONE))).await;
    let found: Vec<_> = rows.iter().map(|row| row.as_ref().map(|row| row.id())).collect();
    assert_eq!(found, [Some(other), None, Some(one), Some(other), None]);
    assert_eq!(request.statements.get(), 1);

    // What was loaded once, a miss too, is not asked for again.
    request.ask(loader, [one, asked[1]].map(|id| key(id, ColumnSet::NONE))).await;
    assert_eq!(request.statements.get(), 1);
    assert_eq!(
        loader(&request.loaders).usage().1,
        LoaderUsage { batches: 1, keys: 4, hits: 3, ..LoaderUsage::default() }
    );

    assert!(Request::new(database).ask(loader, [key(Uuid::now_v7(), ColumnSet::ALL)]).await[0].is_none());
}

/// OnDemand columns are read when they are asked for, and not otherwise.
async fn check_columns<E: OnDemand>(
    database: &TestDatabase,
    loader: Pick<Cached<RowById<E>>>,
    [one, other]: [Uuid; 2],
) {
    let row = Request::new(database).ask(loader, [key(one, ColumnSet::NONE)]).await.remove(0).unwrap();
    for columns in column_sets::<E>(&row) {
        let rows = Request::new(database).ask(loader, [key(one, columns)]).await;
        E::assert_read(rows[0].as_ref().unwrap(), columns);
    }
    // Keys that differ only in that share a statement, which reads what any of them needs.
    let request = Request::new(database);
    let keys = [(one, ColumnSet::single(0)), (one, ColumnSet::single(1)), (other, ColumnSet::NONE)];
    for row in request.ask(loader, keys.map(|(id, columns)| key(id, columns))).await {
        E::assert_read(&row.unwrap(), ColumnSet::single(0) | ColumnSet::single(1));
    }
    assert_eq!(request.statements.get(), 1);
}

on_both_databases! {
    async fn a_row_of_every_table_is_found_by_its_id(database: TestDatabase) {
        let alices = Tree::plant("alice", &database).await;
        let bobs = Tree::plant("bob", &database).await;
        let pair = |id: fn(&Tree) -> Uuid| [id(&alices), id(&bobs)];
        check_rows(&database, |loaders| &loaders.prompt_by_id, pair(|tree| tree.prompt.id.0)).await;
        check_rows(&database, |loaders| &loaders.run_by_id, pair(|tree| tree.run.id.0)).await;
        check_rows(&database, |loaders| &loaders.evaluation_by_id, pair(|tree| tree.evaluation.id.0)).await;
        check_rows(&database, |loaders| &loaders.test_result_by_id, pair(|tree| tree.result.id.0)).await;
        check_rows(&database, |loaders| &loaders.template_by_id, pair(|tree| tree.template.id.0)).await;
    }

    async fn thousands_of_rows_come_in_one_statement(database: TestDatabase) {
        let tree = Tree::plant("alice", &database).await;
        let request = Request::new(&database);
        let mut ids: Vec<_> = (0..5_000).map(|_| Uuid::now_v7()).collect();
        ids[4_000] = tree.prompt.id.0;
        let keys = ids.iter().map(|&id| key(id, ColumnSet::NONE));
        let rows = request.ask(|loaders| &loaders.prompt_by_id, keys).await;
        assert_eq!(rows.iter().position(Option::is_some), Some(4_000));
        assert_eq!(rows.iter().flatten().count(), 1);
        assert_eq!(request.statements.get(), 1);
    }
}
