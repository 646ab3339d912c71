//! Whom the loaders show what.

use std::sync::Arc;

use evalgraph::db::columns::ColumnSet;
use evalgraph::db::comparison::{CaseRange, CaseSlice, ComparisonCounts, EvaluationPair};
use evalgraph::db::entity::Entity;
use evalgraph::db::page::{Order, Slice};
use evalgraph::db::prompts::{PromptFilter, prompt_columns};
use evalgraph::db::statistics::StatisticsRow;
use evalgraph::domain::Principal;
use evalgraph::loaders::{
    ChildCountKey, ChildPageKey, ComparedCasesKey, ListKey, PageArguments, PageRows, PromptNameKey, RowKey,
    RunExternalIdKey, TemplateNameKey,
};
use uuid::Uuid;

use crate::Request;
use crate::common::{EvaluationBuilder, PromptBuilder, TestDatabase, on_both_databases};
use crate::tree::Tree;

const COLUMNS: ColumnSet = ColumnSet::NONE;

fn row(id: impl Into<Uuid>) -> RowKey {
    RowKey { id: id.into(), columns: COLUMNS }
}

fn whole<E: Entity>(filter: E::Filter) -> PageArguments<E> {
    PageArguments { filter, slice: Slice::first(100, Order::descending(E::OrderField::default())) }
}

fn list<E: Entity>() -> ListKey<E> {
    ListKey { page: whole(E::Filter::default()), columns: COLUMNS }
}

fn under<E: Entity>(parent: impl Into<Uuid>) -> ChildPageKey<E> {
    ChildPageKey { parent: parent.into(), page: whole(E::Filter::default()), columns: COLUMNS }
}

fn count<F: Default>(parent: impl Into<Uuid>) -> ChildCountKey<F> {
    ChildCountKey { parent: parent.into(), filter: F::default() }
}

/// All cases of a comparison.
const CASES: CaseSlice = CaseSlice { changes: None, range: CaseRange::All, limit: 100 };

fn with_itself(tree: &Tree) -> EvaluationPair {
    EvaluationPair { baseline: tree.evaluation.id, candidate: tree.evaluation.id }
}

/// How much an answer shows.
trait Shows {
    fn shows(&self) -> usize;
}

impl<R> Shows for Option<Arc<R>> {
    fn shows(&self) -> usize {
        usize::from(self.is_some())
    }
}

impl<R> Shows for PageRows<R> {
    fn shows(&self) -> usize {
        self.len()
    }
}

impl Shows for i64 {
    fn shows(&self) -> usize {
        usize::try_from(*self).unwrap()
    }
}

impl Shows for Arc<ComparisonCounts> {
    fn shows(&self) -> usize {
        self.total(|_| true).shows()
    }
}

impl Shows for Arc<StatisticsRow> {
    fn shows(&self) -> usize {
        let counts = [self.prompt_count, self.run_count, self.evaluation_count, self.test_result_count];
        counts.iter().map(Shows::shows).sum()
    }
}

macro_rules! shown {
    ($request:ident: $($loader:ident($key:expr),)*) => {
        vec![$((stringify!($loader), $request.ask(|loaders| &loaders.$loader, [$key]).await[0].shows())),*]
    };
}

/// How many rows of a tree each loader of prompts shows.
async fn prompts_shown(tree: &Tree, principal: &Principal, database: &TestDatabase) -> Vec<(&'static str, usize)> {
    let request = Request::of(principal.clone(), database);
    let name = tree.prompt.name.clone().unwrap();
    shown! { request:
        prompt_by_id(row(tree.prompt.id)),
        prompt_by_name(PromptNameKey { name, version: None, columns: COLUMNS }),
        prompts(list()),
        prompt_count(PromptFilter::default()),
        prompts_by_parent(under(tree.root.id)),
        prompt_count_by_parent(count(tree.root.id)),
        prompts_by_root(under(tree.root.id)),
        prompt_count_by_root(count(tree.root.id)),
        prompts_by_template(under(tree.template.id)),
        prompt_count_by_template(count(tree.template.id)),
    }
}

/// How many rows of a tree the other loaders show.
async fn others_shown(tree: &Tree, principal: &Principal, database: &TestDatabase) -> Vec<(&'static str, usize)> {
    let request = Request::of(principal.clone(), database);
    let external_id = tree.run.external_id.clone().unwrap();
    shown! { request:
        run_by_id(row(tree.run.id)),
        run_by_external_id(RunExternalIdKey { external_id, source: None, columns: COLUMNS }),
        runs(list()),
        run_count(Default::default()),
        evaluation_by_id(row(tree.evaluation.id)),
        evaluations(list()),
        evaluation_count(Default::default()),
        evaluations_by_prompt(under(tree.prompt.id)),
        evaluation_count_by_prompt(count(tree.prompt.id)),
        evaluations_by_run(under(tree.run.id)),
        evaluation_count_by_run(count(tree.run.id)),
        test_result_by_id(row(tree.result.id)),
        test_results_by_evaluation(under(tree.evaluation.id)),
        test_result_count_by_evaluation(count(tree.evaluation.id)),
        comparison_counts(with_itself(tree)),
        compared_cases(ComparedCasesKey { pair: with_itself(tree), slice: CASES }),
        statistics(()),
    }
}

/// How many rows of a tree each loader shows; templates, which belong to everybody, are left out.
async fn shown(tree: &Tree, principal: &Principal, database: &TestDatabase) -> Vec<(&'static str, usize)> {
    let mut shown = prompts_shown(tree, principal, database).await;
    shown.extend(others_shown(tree, principal, database).await);
    shown
}

fn nothing(shown: &[(&str, usize)]) -> bool {
    shown.iter().all(|(_, rows)| *rows == 0)
}

fn everything(shown: &[(&str, usize)]) -> bool {
    shown.iter().all(|(_, rows)| *rows > 0)
}

on_both_databases! {
    async fn no_loader_shows_what_belongs_to_others(database: TestDatabase) {
        let (alice, bob) = (Principal::user("alice"), Principal::user("bob"));
        let bobs = Tree::plant("bob", &database).await;
        let to_alice = shown(&bobs, &alice, &database).await;
        assert!(nothing(&to_alice), "{to_alice:?}");
        for principal in [bob, Principal::local()] {
            let to_others = shown(&bobs, &principal, &database).await;
            assert!(everything(&to_others), "{principal:?}: {to_others:?}");
        }
    }

    async fn what_belongs_to_others_adds_nothing_to_the_own(database: TestDatabase) {
        let alice = Principal::user("alice");
        let alices = Tree::plant("alice", &database).await;
        let before = shown(&alices, &alice, &database).await;
        assert!(everything(&before), "{before:?}");
        // Bob's prompts, evaluations and results, also where they meet with what is Alice's.
        Tree::plant("bob", &database).await;
        let intruder = PromptBuilder::new()
            .version_of(&alices.root)
            .user("bob")
            .name("another name")
            .with(|row| row.version = 7)
            .template(&alices.template)
            .insert(&database)
            .await;
        EvaluationBuilder::of(&intruder).run(&alices.run, 7).insert(&database).await;
        assert_eq!(shown(&alices, &alice, &database).await, before);
    }

    async fn templates_are_shown_to_everybody(database: TestDatabase) {
        let template = Tree::plant("bob", &database).await.template;
        let request = Request::of(Principal::user("alice"), &database);
        let name = template.name.clone();
        let shown = shown! { request:
            template_by_id(row(template.id)),
            template_by_name(TemplateNameKey { name, columns: COLUMNS }),
            templates(list()),
            template_count(Default::default()),
        };
        assert!(everything(&shown), "{shown:?}");
    }

    async fn deleted_prompts_are_not_shown_but_what_hangs_on_them_is(database: TestDatabase) {
        let tree = Tree::plant("alice", &database).await;
        database.execute("UPDATE prompts SET deleted_at = created_at").await;
        for principal in [Principal::user("alice"), Principal::local()] {
            let prompts = prompts_shown(&tree, &principal, &database).await;
            assert!(nothing(&prompts), "{principal:?}: {prompts:?}");
            let others = others_shown(&tree, &principal, &database).await;
            assert!(everything(&others), "{principal:?}: {others:?}");
            let figures = Request::of(principal, &database).ask(|loaders| &loaders.statistics, [()]).await.remove(0);
            assert_eq!((figures.prompt_count, figures.evaluation_count, figures.test_result_count), (0, 0, 0));
        }
    }

    async fn lists_show_deleted_prompts_to_their_owner_on_demand(database: TestDatabase) {
        let deleted = PromptBuilder::new().user("alice").deleted().insert(&database).await;
        PromptBuilder::new().user("alice").insert(&database).await;
        let filter = PromptFilter { include_deleted: true, ..PromptFilter::default() };
        for (principal, expected) in
            [(Principal::user("alice"), 2), (Principal::local(), 2), (Principal::user("bob"), 0)]
        {
            let request = Request::of(principal, &database);
            let page = whole(filter.clone());
            let pages = request.ask(|loaders| &loaders.prompts, [ListKey { page, columns: prompt_columns::DELETED_AT }]).await;
            assert_eq!(pages[0].len(), expected);
            assert_eq!(pages[0].iter().any(|row| row.id == deleted.id && row.deleted_at.is_some()), expected > 0);
            assert_eq!(request.ask(|loaders| &loaders.prompt_count, [filter.clone()]).await, [expected as i64]);
        }
    }
}
