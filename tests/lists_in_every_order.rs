//! Every list in every order, by itself and under each parent, for those who see everything and for those who see their
//! own: sorted, whatever the statement, and sent once so that its plan is looked at (`tests/statement_plans`).

mod common;

use std::sync::Arc;

use common::{
    EvaluationBuilder, PromptBuilder, ResultBuilder, RunBuilder, TemplateBuilder, TestDatabase, on_both_databases,
};
use evalgraph::db::StatementCount;
use evalgraph::db::columns::ColumnSet;
use evalgraph::db::entity::Entity;
use evalgraph::db::evaluations::{EvaluationFilter, EvaluationParent, Evaluations};
use evalgraph::db::page::{Bound, Order, Positioned as _, Slice};
use evalgraph::db::prompts::{PromptFilter, PromptParent, Prompts};
use evalgraph::db::runs::{RunFilter, Runs};
use evalgraph::db::templates::{TemplateFilter, Templates};
use evalgraph::db::test_results::{TestResultFilter, TestResultParent, TestResults};
use evalgraph::domain::{
    EvaluationOrderField, EvaluationStatus, FiniteFloat, Principal, PromptOrderField, PromptStatus,
    PromptTemplateOrderField, RunOrderField, RunSource, SearchTerms, TestOutcome, TestResultOrderField, Timestamp,
};
use uuid::Uuid;

/// Rows that are read at a time.
const PAGE: usize = 2;

/// A list of a parent's rows.
type Under<E> = (<E as Entity>::Parent, Uuid);

/// One page of a list.
async fn page<E: Entity>(
    database: &TestDatabase,
    principal: &Principal,
    under: Option<Under<E>>,
    filter: &E::Filter,
    slice: Slice<E::OrderField>,
) -> Vec<Arc<E::Row>> {
    let (principal, filter, count) = (principal.clone(), filter.clone(), StatementCount::default());
    let page = database.database.read(&count, move |connection| {
        Box::pin(async move {
            let Some((parent, id)) = under else {
                return E::page(connection, &principal, &filter, slice, ColumnSet::NONE).await;
            };
            let ids = vec![id];
            let pages = E::page_per_parent(connection, &principal, parent, ids, &filter, slice, ColumnSet::NONE);
            Ok(pages.await?.into_iter().map(|child| child.row).collect())
        })
    });
    page.await.unwrap()
}

/// The pages of a list, one after the other, to its end.
async fn walk<E: Entity>(
    database: &TestDatabase,
    principal: &Principal,
    under: Option<Under<E>>,
    order: Order<E::OrderField>,
) -> Vec<Arc<E::Row>> {
    let mut rows: Vec<Arc<E::Row>> = Vec::new();
    loop {
        let after = rows.last().map(|row| Bound { position: row.position(order.field), inclusive: false });
        let slice = Slice { order, after, before: None, limit: PAGE as i64 };
        let mut page = page::<E>(database, principal, under, &E::Filter::default(), slice).await;
        // Under parents, the order of rows is not promised.
        if under.is_some() {
            page.sort_by_key(|row| row.position(order.field));
            if order == Order::descending(order.field) {
                page.reverse();
            }
        }
        let is_last = page.len() < PAGE;
        rows.extend(page);
        if is_last {
            return rows;
        }
    }
}

/// Looks at lists in the orders by these fields, up and down; each has five rows, and none that meets a filter.
async fn check_lists<E: Entity>(
    database: &TestDatabase,
    fields: &[E::OrderField],
    lists: &[Option<Under<E>>],
    filters: &[E::Filter],
) {
    for principal in [Principal::local(), Principal::user(Principal::LOCAL_USER)] {
        for &field in fields {
            for &under in lists {
                let up = walk::<E>(database, &principal, under, Order::ascending(field)).await;
                let positions: Vec<_> = up.iter().map(|row| row.position(field)).collect();
                assert_eq!(positions.len(), 5, "{field:?} {principal:?}");
                assert!(positions.is_sorted(), "{field:?}: {positions:?}");
                let down = walk::<E>(database, &principal, under, Order::descending(field)).await;
                assert!(down.iter().rev().map(|row| row.position(field)).eq(positions), "{field:?}");
                for filter in filters {
                    let slice = Slice::first(PAGE as i64, Order::ascending(field));
                    let rows = page::<E>(database, &principal, under, filter, slice).await;
                    assert!(rows.is_empty(), "{filter:?}");
                }
            }
        }
    }
}

/// When nothing has been created yet.
fn later() -> Timestamp {
    Timestamp::now().plus_millis(3_600_000)
}

/// Each filter by itself, and what few plans have an index for.
fn prompt_filters() -> Vec<PromptFilter> {
    let none = || Some("none".to_owned());
    let filter = PromptFilter::default;
    vec![
        PromptFilter { user_id: none(), ..filter() },
        PromptFilter { user_id: none(), status: Some(vec![PromptStatus::Draft]), ..filter() },
        PromptFilter { status: Some(vec![PromptStatus::Draft]), ..filter() },
        PromptFilter { status: Some(vec![PromptStatus::Draft, PromptStatus::Archived]), ..filter() },
        PromptFilter { name: none(), ..filter() },
        PromptFilter { name: none(), latest_version_only: true, ..filter() },
        PromptFilter { name: Some("none/".to_owned()), ..filter() },
        PromptFilter { tags: Some(vec!["none".to_owned()]), ..filter() },
        PromptFilter { search: Some(SearchTerms::read("none").unwrap().unwrap()), ..filter() },
        PromptFilter { latest_version_only: true, created_after: Some(later()), ..filter() },
        PromptFilter { created_after: Some(later()), ..filter() },
        PromptFilter { created_after: Some(later()), created_before: Some(later()), ..filter() },
        PromptFilter { include_deleted: true, created_before: Some(Timestamp::MIN), ..filter() },
    ]
}

fn run_filters() -> Vec<RunFilter> {
    let filter = RunFilter::default;
    vec![
        RunFilter { source: Some(vec![RunSource::Inspect]), ..filter() },
        RunFilter { name: Some("none".to_owned()), ..filter() },
        RunFilter { status: Some(vec![EvaluationStatus::Failed]), ..filter() },
        RunFilter { is_baseline: Some(true), ..filter() },
        RunFilter { created_after: Some(later()), ..filter() },
    ]
}

fn evaluation_filters() -> Vec<EvaluationFilter> {
    let none = || Some("none".to_owned());
    let (high, low) = (FiniteFloat::try_from(9.0).ok(), FiniteFloat::try_from(-9.0).ok());
    let filter = EvaluationFilter::default;
    vec![
        EvaluationFilter { status: Some(vec![EvaluationStatus::Failed]), ..filter() },
        EvaluationFilter { provider: none(), ..filter() },
        EvaluationFilter { model: none(), ..filter() },
        EvaluationFilter { provider: none(), model: none(), ..filter() },
        EvaluationFilter { test_suite_id: none(), ..filter() },
        EvaluationFilter { min_score: high, ..filter() },
        EvaluationFilter { max_score: low, ..filter() },
        EvaluationFilter { min_score: high, max_score: low, ..filter() },
        EvaluationFilter { created_after: Some(later()), ..filter() },
    ]
}

fn result_filters() -> Vec<TestResultFilter> {
    let (high, low) = (FiniteFloat::try_from(9.0).ok(), FiniteFloat::try_from(-9.0).ok());
    let filter = TestResultFilter::default;
    vec![
        TestResultFilter { passed: Some(false), ..filter() },
        TestResultFilter { passed: Some(false), min_score: high, ..filter() },
        TestResultFilter { outcome: Some(vec![TestOutcome::Errored]), ..filter() },
        TestResultFilter { min_score: high, ..filter() },
        TestResultFilter { max_score: low, ..filter() },
        TestResultFilter { test_case_name: Some("none".to_owned()), ..filter() },
    ]
}

on_both_databases! {
    async fn every_list_is_sorted_in_every_order(database: TestDatabase) {
        let run = RunBuilder::new().name("b").insert(&database).await;
        for name in ["c", "a", "d", "a"] {
            RunBuilder::new().name(name).insert(&database).await;
        }
        let template = TemplateBuilder::new().usage_count(2).insert(&database).await;
        for count in [3, 1, 2, 0] {
            TemplateBuilder::new().usage_count(count).insert(&database).await;
        }
        let prompt = PromptBuilder::new().template(&template).title("b").insert(&database).await;
        for (version, title) in [(2, "c"), (3, "a"), (4, "d"), (5, "a")] {
            let prompt = PromptBuilder::new().version_of(&prompt).template(&template).title(title);
            prompt.with(|row| row.version = version).insert(&database).await;
        }
        let mut evaluations = Vec::new();
        for (position, score) in [(3, None), (1, Some(0.5)), (2, Some(-1.0)), (0, Some(0.5)), (4, None)] {
            let evaluation = EvaluationBuilder::of(&prompt).run(&run, position);
            let evaluation = evaluation.with(|row| (row.overall_score, row.execution_time_ms) = (score, Some(position % 3)));
            evaluations.push(evaluation.insert(&database).await);
        }
        for (score, latency) in [(1.0, None), (0.0, Some(7)), (0.5, Some(3)), (0.5, None), (-2.0, Some(7))] {
            let result = ResultBuilder::of(&evaluations[0]).score(score);
            result.with(|row| (row.latency_ms, row.position) = (latency, latency)).insert(&database).await;
        }

        let by = [PromptOrderField::CreatedAt, PromptOrderField::UpdatedAt, PromptOrderField::Title];
        let lineage = Some((PromptParent::Root, prompt.id.into()));
        let of_template = Some((PromptParent::Template, template.id.into()));
        check_lists::<Prompts>(&database, &by, &[None, lineage, of_template], &prompt_filters()).await;
        check_lists::<Runs>(&database, &[RunOrderField::CreatedAt, RunOrderField::Name], &[None], &run_filters()).await;
        let by = [
            EvaluationOrderField::CreatedAt,
            EvaluationOrderField::Position,
            EvaluationOrderField::OverallScore,
            EvaluationOrderField::ExecutionTime,
        ];
        let of_prompt = Some((EvaluationParent::Prompt, prompt.id.into()));
        let of_run = Some((EvaluationParent::Run, run.id.into()));
        check_lists::<Evaluations>(&database, &by, &[None, of_prompt, of_run], &evaluation_filters()).await;
        let by = [
            TestResultOrderField::CreatedAt,
            TestResultOrderField::Position,
            TestResultOrderField::Score,
            TestResultOrderField::Latency,
        ];
        let of_evaluation = Some((TestResultParent::Evaluation, evaluations[0].id.into()));
        check_lists::<TestResults>(&database, &by, &[of_evaluation], &result_filters()).await;
        let by = [
            PromptTemplateOrderField::UsageCount,
            PromptTemplateOrderField::Name,
            PromptTemplateOrderField::CreatedAt,
        ];
        let filters = [TemplateFilter { category: Some("none".to_owned()) }];
        check_lists::<Templates>(&database, &by, &[None], &filters).await;
    }
}
