//! Pages and lengths of lists that are under no parent.

use evalgraph::db::columns::ColumnSet;
use evalgraph::db::evaluations::{EvaluationFilter, Evaluations};
use evalgraph::db::page::{Order, Position, Positioned as _, Slice};
use evalgraph::db::prompts::{PromptFilter, Prompts};
use evalgraph::db::runs::{RunFilter, Runs};
use evalgraph::db::templates::{TemplateFilter, Templates};
use evalgraph::loaders::{Cached, List, ListCount, ListKey, PageArguments, Remembered};

use crate::common::{EvaluationBuilder, PromptBuilder, RunBuilder, TemplateBuilder, TestDatabase, on_both_databases};
use crate::on_demand::{OnDemand, column_sets};
use crate::places::{expected, late, narrowed, plant, slices, times};
use crate::tree::Tree;
use crate::{Pick, Request};

fn key<E: Remembered>(filter: E::Filter, slice: Slice<E::OrderField>, columns: ColumnSet) -> ListKey<E> {
    ListKey { page: PageArguments { filter, slice }, columns }
}

/// Checks the loaders of a list that has these places; `narrow` matches the rows of the late time alone.
async fn check_list<E: OnDemand>(
    database: &TestDatabase,
    pages: Pick<Cached<List<E>>>,
    counts: Pick<Cached<ListCount<E>>>,
    places: &[Position],
    narrow: E::Filter,
) {
    let narrowed = narrowed(places);
    let lists = [(E::Filter::default(), places), (narrow, &narrowed)];

    // Every slice of every list at once: a statement for each of these arguments, though all are asked for twice.
    let request = Request::new(database);
    let slices = slices(places);
    let asked: Vec<_> = lists.iter().flat_map(|list| slices.iter().map(move |slice| (list, slice))).collect();
    let questions = asked.iter().chain(&asked);
    let keys = questions.map(|((filter, _), slice)| key(filter.clone(), (*slice).clone(), ColumnSet::NONE));
    let answers = request.ask(pages, keys).await;
    assert_eq!(answers.len(), 2 * asked.len());
    for (page, ((_, places), slice)) in answers.iter().zip(asked.iter().chain(&asked)) {
        let found: Vec<_> = page.iter().map(|row| row.position(slice.order.field)).collect();
        assert_eq!(found, expected(places, slice), "{slice:?}");
    }
    assert_eq!(request.statements.get(), asked.len() as u64);

    let request = Request::new(database);
    let filters = [0, 1, 0].map(|list: usize| lists[list].0.clone());
    let lengths = [places.len(), narrowed.len(), places.len()].map(|length| i64::try_from(length).unwrap());
    assert_eq!(request.ask(counts, filters).await, lengths);
    assert_eq!(request.statements.get(), 2);
}

/// Checks that a page has the columns that were asked for.
async fn check_columns<E: OnDemand>(database: &TestDatabase, loader: Pick<Cached<List<E>>>) {
    let slice = Slice::first(1_000, Order::ascending(E::OrderField::default()));
    let whole = |columns| key(E::Filter::default(), slice.clone(), columns);
    let row = Request::new(database).ask(loader, [whole(ColumnSet::NONE)]).await[0][0].clone();
    for columns in column_sets::<E>(&row) {
        let pages = Request::new(database).ask(loader, [whole(columns)]).await;
        pages[0].iter().for_each(|row| E::assert_read(row, columns));
    }
    // Keys that differ only in that share a statement.
    let request = Request::new(database);
    let pages = request.ask(loader, [ColumnSet::NONE, ColumnSet::single(1), ColumnSet::single(0)].map(whole)).await;
    assert_eq!(pages.len(), 3);
    pages.iter().flat_map(|page| page.iter()).for_each(|row| {
        E::assert_read(row, ColumnSet::single(0) | ColumnSet::single(1));
    });
    assert_eq!(request.statements.get(), 1);
}

on_both_databases! {
    async fn pages_of_all_prompts(database: TestDatabase) {
        let places = plant!(&database, |time| PromptBuilder::new().created_at(time));
        let narrow = PromptFilter { created_after: Some(late()), ..PromptFilter::default() };
        check_list::<Prompts>(
            &database,
            |loaders| &loaders.prompts,
            |loaders| &loaders.prompt_count,
            &places,
            narrow,
        )
        .await;
    }

    async fn pages_of_all_runs(database: TestDatabase) {
        let places = plant!(&database, |time| RunBuilder::new().created_at(time));
        let narrow = RunFilter { created_after: Some(late()), ..RunFilter::default() };
        check_list::<Runs>(&database, |loaders| &loaders.runs, |loaders| &loaders.run_count, &places, narrow).await;
    }

    async fn pages_of_all_evaluations(database: TestDatabase) {
        let prompt = PromptBuilder::new().insert(&database).await;
        let places = plant!(&database, |time| EvaluationBuilder::of(&prompt).created_at(time));
        let narrow = EvaluationFilter { created_after: Some(late()), ..EvaluationFilter::default() };
        check_list::<Evaluations>(
            &database,
            |loaders| &loaders.evaluations,
            |loaders| &loaders.evaluation_count,
            &places,
            narrow,
        )
        .await;
    }

    async fn pages_of_all_templates(database: TestDatabase) {
        let places = plant!(&database, |time| TemplateBuilder::new().created_at(time).category(&time.to_string()));
        let narrow = TemplateFilter { category: Some(times()[3].to_string()) };
        check_list::<Templates>(
            &database,
            |loaders| &loaders.templates,
            |loaders| &loaders.template_count,
            &places,
            narrow,
        )
        .await;
    }

    async fn pages_have_the_columns_that_were_asked_for(database: TestDatabase) {
        Tree::plant("alice", &database).await;
        check_columns::<Prompts>(&database, |loaders| &loaders.prompts).await;
        check_columns::<Runs>(&database, |loaders| &loaders.runs).await;
        check_columns::<Evaluations>(&database, |loaders| &loaders.evaluations).await;
        check_columns::<Templates>(&database, |loaders| &loaders.templates).await;
    }
}
