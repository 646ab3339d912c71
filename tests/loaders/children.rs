//! Pages and lengths of parents' lists.

use evalgraph::db::columns::ColumnSet;
use evalgraph::db::evaluations::{EvaluationFilter, Evaluations};
use evalgraph::db::page::{Order, Position, Positioned as _, Slice};
use evalgraph::db::prompts::{NewPrompt, PromptFilter, Prompts};
use evalgraph::db::test_results::{TestResultFilter, TestResults};
use evalgraph::loaders::{Cached, ChildCount, ChildCountKey, ChildPage, ChildPageKey, PageArguments, Remembered};
use uuid::Uuid;

use crate::common::{
    EvaluationBuilder, PromptBuilder, ResultBuilder, RunBuilder, TemplateBuilder, TestDatabase, on_both_databases,
};
use crate::on_demand::{OnDemand, column_sets};
use crate::places::{expected, late, narrowed, plant, slices};
use crate::tree::Tree;
use crate::{Pick, Request};

/// A parent, and the places of its rows.
type Family = (Uuid, Vec<Position>);

fn key<E: Remembered>(
    parent: Uuid,
    filter: E::Filter,
    slice: Slice<E::OrderField>,
    columns: ColumnSet,
) -> ChildPageKey<E> {
    ChildPageKey { parent, page: PageArguments { filter, slice }, columns }
}

/// Checks the loaders of parents' lists; `narrow` matches the rows of the late time alone.
async fn check_lists<E: OnDemand>(
    database: &TestDatabase,
    pages: Pick<Cached<ChildPage<E>>>,
    counts: Pick<Cached<ChildCount<E>>>,
    mut families: Vec<Family>,
    narrow: E::Filter,
) {
    // Nobody has this parent.
    families.insert(1, (Uuid::now_v7(), Vec::new()));
    assert!(families.iter().any(|(_, places)| !places.is_empty()));
    check_pages(database, pages, &families, &narrow).await;
    check_counts(database, counts, &families, &narrow).await;
}

/// All slices of all parents' lists at once take a statement for each slice, whatever the number of parents.
async fn check_pages<E: OnDemand>(
    database: &TestDatabase,
    pages: Pick<Cached<ChildPage<E>>>,
    families: &[Family],
    narrow: &E::Filter,
) {
    let (_, longest) = families.iter().max_by_key(|(_, places)| places.len()).unwrap();
    let slices = slices(longest);
    let mut questions = Vec::new();
    for slice in &slices {
        let key = |parent, filter| key::<E>(parent, filter, slice.clone(), ColumnSet::NONE);
        for (parent, places) in families {
            questions.push((key(*parent, E::Filter::default()), expected(places, slice)));
            questions.push((key(*parent, narrow.clone()), expected(&narrowed(places), slice)));
        }
    }
    // The last question once more.
    questions.push(questions.last().unwrap().clone());

    let request = Request::new(database);
    let answers = request.ask(pages, questions.iter().map(|(key, _)| key.clone())).await;
    assert_eq!(answers.len(), questions.len());
    for (page, (key, expected)) in answers.iter().zip(questions) {
        let found: Vec<_> = page.iter().map(|row| row.position(key.page.slice.order.field)).collect();
        assert_eq!(found, expected, "{:?}", key.page.slice);
    }
    assert_eq!(request.statements.get(), 2 * slices.len() as u64);
    assert_eq!(pages(&request.loaders).usage().1.batches, 1);
}

/// All lengths at once take a statement for each filter.
async fn check_counts<E: OnDemand>(
    database: &TestDatabase,
    counts: Pick<Cached<ChildCount<E>>>,
    families: &[Family],
    narrow: &E::Filter,
) {
    let mut questions = Vec::new();
    for (parent, places) in families {
        questions.push((ChildCountKey { parent: *parent, filter: E::Filter::default() }, places.len()));
        questions.push((ChildCountKey { parent: *parent, filter: narrow.clone() }, narrowed(places).len()));
    }
    questions.extend_from_within(0..2);
    let (keys, lengths): (Vec<_>, Vec<_>) = questions.into_iter().unzip();
    let request = Request::new(database);
    let found: Vec<_> =
        request.ask(counts, keys).await.into_iter().map(|count| usize::try_from(count).unwrap()).collect();
    assert_eq!(found, lengths);
    assert_eq!(request.statements.get(), 2);
}

/// Checks that a parent's page has the columns that were asked for.
async fn check_columns<E: OnDemand>(
    database: &TestDatabase,
    loader: Pick<Cached<ChildPage<E>>>,
    parent: impl Into<Uuid>,
) {
    let (parent, slice) = (parent.into(), Slice::first(9, Order::descending(E::OrderField::default())));
    let whole = |columns| key(parent, E::Filter::default(), slice.clone(), columns);
    let row = Request::new(database).ask(loader, [whole(ColumnSet::NONE)]).await[0][0].clone();
    for columns in column_sets::<E>(&row) {
        let pages = Request::new(database).ask(loader, [whole(columns)]).await;
        pages[0].iter().for_each(|row| E::assert_read(row, columns));
    }
    // Keys that differ only in that share a statement.
    let request = Request::new(database);
    let pages = request.ask(loader, [ColumnSet::NONE, ColumnSet::single(0), ColumnSet::single(1)].map(whole)).await;
    pages.iter().flat_map(|page| page.iter()).for_each(|row| {
        E::assert_read(row, ColumnSet::single(0) | ColumnSet::single(1));
    });
    assert_eq!(request.statements.get(), 1);
}

/// A first version that was created before all others, and versions made from it.
async fn lineage(database: &TestDatabase) -> (NewPrompt, Vec<Position>) {
    let root = PromptBuilder::new().created_at(late().plus_millis(-10)).insert(database).await;
    let mut version = 1;
    let children = plant!(database, |time| {
        version += 1;
        PromptBuilder::new().version_of(&root).with(|row| row.version = version).created_at(time)
    });
    (root, children)
}

fn late_prompts() -> PromptFilter {
    PromptFilter { created_after: Some(late()), ..PromptFilter::default() }
}

fn late_evaluations() -> EvaluationFilter {
    EvaluationFilter { created_after: Some(late()), ..EvaluationFilter::default() }
}

on_both_databases! {
    async fn pages_of_the_versions_made_from_a_version(database: TestDatabase) {
        let ((one, of_one), (other, of_other)) = (lineage(&database).await, lineage(&database).await);
        let childless = of_one[0].id;
        let families = vec![(other.id.0, of_other), (one.id.0, of_one), (childless, vec![])];
        check_lists::<Prompts>(
            &database,
            |loaders| &loaders.prompts_by_parent,
            |loaders| &loaders.prompt_count_by_parent,
            families,
            late_prompts(),
        )
        .await;
    }

    async fn pages_of_the_versions_of_a_lineage(database: TestDatabase) {
        let mut families = Vec::new();
        for _ in 0..2 {
            let (root, mut versions) = lineage(&database).await;
            // Only the first version stands for the lineage.
            families.push((versions[0].id, vec![]));
            versions.insert(0, Position { key: root.created_at.into(), id: root.id.into() });
            families.push((root.id.0, versions));
        }
        check_lists::<Prompts>(
            &database,
            |loaders| &loaders.prompts_by_root,
            |loaders| &loaders.prompt_count_by_root,
            families,
            late_prompts(),
        )
        .await;
    }

    async fn pages_of_the_prompts_made_from_a_template(database: TestDatabase) {
        let mut families = Vec::new();
        for _ in 0..2 {
            let template = TemplateBuilder::new().insert(&database).await;
            let prompts = plant!(&database, |time| PromptBuilder::new().template(&template).created_at(time));
            families.push((template.id.0, prompts));
        }
        families.push((TemplateBuilder::new().insert(&database).await.id.0, vec![]));
        check_lists::<Prompts>(
            &database,
            |loaders| &loaders.prompts_by_template,
            |loaders| &loaders.prompt_count_by_template,
            families,
            late_prompts(),
        )
        .await;
    }

    async fn pages_of_the_evaluations_of_a_prompt(database: TestDatabase) {
        let mut families = Vec::new();
        for _ in 0..2 {
            let prompt = PromptBuilder::new().insert(&database).await;
            let evaluations = plant!(&database, |time| EvaluationBuilder::of(&prompt).created_at(time));
            families.push((prompt.id.0, evaluations));
        }
        families.push((PromptBuilder::new().insert(&database).await.id.0, vec![]));
        check_lists::<Evaluations>(
            &database,
            |loaders| &loaders.evaluations_by_prompt,
            |loaders| &loaders.evaluation_count_by_prompt,
            families,
            late_evaluations(),
        )
        .await;
    }

    async fn pages_of_the_evaluations_of_a_run(database: TestDatabase) {
        let prompt = PromptBuilder::new().insert(&database).await;
        let mut families = Vec::new();
        for _ in 0..2 {
            let run = RunBuilder::new().insert(&database).await;
            let mut position = 0;
            let evaluations = plant!(&database, |time| {
                position += 1;
                EvaluationBuilder::of(&prompt).run(&run, position).created_at(time)
            });
            families.push((run.id.0, evaluations));
        }
        families.push((RunBuilder::new().insert(&database).await.id.0, vec![]));
        check_lists::<Evaluations>(
            &database,
            |loaders| &loaders.evaluations_by_run,
            |loaders| &loaders.evaluation_count_by_run,
            families,
            late_evaluations(),
        )
        .await;
    }

    async fn pages_of_the_results_of_an_evaluation(database: TestDatabase) {
        let prompt = PromptBuilder::new().insert(&database).await;
        let mut families = Vec::new();
        for _ in 0..2 {
            let evaluation = EvaluationBuilder::of(&prompt).insert(&database).await;
            let named_by_time = |time| ResultBuilder::of(&evaluation).created_at(time).name(&time.to_string());
            families.push((evaluation.id.0, plant!(&database, named_by_time)));
        }
        families.push((EvaluationBuilder::of(&prompt).insert(&database).await.id.0, vec![]));
        let narrow = TestResultFilter { test_case_name: Some(late().to_string()), ..TestResultFilter::default() };
        check_lists::<TestResults>(
            &database,
            |loaders| &loaders.test_results_by_evaluation,
            |loaders| &loaders.test_result_count_by_evaluation,
            families,
            narrow,
        )
        .await;
    }

    async fn pages_have_the_columns_that_were_asked_for(database: TestDatabase) {
        let tree = Tree::plant("alice", &database).await;
        check_columns::<Prompts>(&database, |loaders| &loaders.prompts_by_parent, tree.root.id).await;
        check_columns::<Prompts>(&database, |loaders| &loaders.prompts_by_root, tree.root.id).await;
        check_columns::<Prompts>(&database, |loaders| &loaders.prompts_by_template, tree.template.id).await;
        check_columns::<Evaluations>(&database, |loaders| &loaders.evaluations_by_prompt, tree.prompt.id).await;
        check_columns::<Evaluations>(&database, |loaders| &loaders.evaluations_by_run, tree.run.id).await;
        let evaluation = tree.evaluation.id;
        check_columns::<TestResults>(&database, |loaders| &loaders.test_results_by_evaluation, evaluation).await;
    }
}
