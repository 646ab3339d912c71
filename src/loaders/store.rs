//! The questions that are answered by the database.

use std::collections::HashMap;
use std::hash::Hash;
use std::marker::PhantomData;
use std::sync::Arc;

use diesel::result::QueryResult;
use futures_util::future::{BoxFuture, try_join_all};
use uuid::Uuid;

use super::loader::{Batch, LoadError};
use crate::db::columns::ColumnSet;
use crate::db::entity::Entity;
use crate::db::page::{Direction, Positioned, Slice};
use crate::db::prompts::PromptRow;
use crate::db::runs::RunRow;
use crate::db::statistics::StatisticsRow;
use crate::db::templates::TemplateRow;
use crate::db::{Database, DbConnection, StatementCount, prompts, runs, statistics, templates};
use crate::domain::{Principal, RunSource};

/// What the loaders of one request have in common.
pub struct Store {
    /// Where the data is.
    pub database: Database,
    /// On whose behalf it is read.
    pub principal: Principal,
    /// How many statements that took.
    pub statements: StatementCount,
}

impl Store {
    async fn read<T, W>(&self, work: W) -> Result<T, LoadError>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut DbConnection, &Principal) -> BoxFuture<'c, QueryResult<T>> + Send + 'static,
    {
        let work = on_behalf_of(self.principal.clone(), work);
        Ok(self.database.read(&self.statements, work).await?)
    }
}

fn on_behalf_of<T, W>(
    principal: Principal,
    work: W,
) -> impl for<'c> FnOnce(&'c mut DbConnection) -> BoxFuture<'c, QueryResult<T>> + Send + 'static
where
    W: for<'c> FnOnce(&'c mut DbConnection, &Principal) -> BoxFuture<'c, QueryResult<T>> + Send + 'static,
{
    move |connection| work(connection, &principal)
}

/// A row, for one who needs these wide columns of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RowKey {
    /// The row's id.
    pub id: Uuid,
    /// The wide columns needed. Keys of one batch are read together, with all columns that any of them needs.
    pub columns: ColumnSet,
}

/// Rows by id.
pub struct RowById<E> {
    store: Arc<Store>,
    name: &'static str,
    entity: PhantomData<fn() -> E>,
}

impl<E> RowById<E> {
    pub(super) fn new(store: &Arc<Store>, name: &'static str) -> Self {
        Self { store: Arc::clone(store), name, entity: PhantomData }
    }
}

impl<E: Entity> Batch for RowById<E> {
    type Key = RowKey;
    type Value = Option<Arc<E::Row>>;

    fn name(&self) -> &'static str {
        self.name
    }

    async fn load(&self, keys: &[RowKey]) -> Result<Vec<Self::Value>, LoadError> {
        let columns = keys.iter().map(|key| key.columns).collect();
        let ids = distinct(keys.iter().map(|key| key.id));
        let rows = self.store.read(move |connection, principal| E::by_ids(connection, principal, ids, columns)).await?;
        let rows: HashMap<Uuid, Arc<E::Row>> = rows.into_iter().map(|row| (row.position().id, Arc::new(row))).collect();
        Ok(keys.iter().map(|key| rows.get(&key.id).cloned()).collect())
    }
}

/// A page of rows, in the order of its slice.
pub type PageRows<R> = Arc<Vec<Arc<R>>>;

/// Which page of a list: everything that its statement depends on, but for the columns.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PageArguments<F> {
    /// Which rows belong to the list.
    pub filter: F,
    /// Which of them are wanted.
    pub slice: Slice,
}

/// A page of a list that is under no parent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ListKey<F> {
    /// Which page.
    pub page: PageArguments<F>,
    /// The wide columns needed.
    pub columns: ColumnSet,
}

/// Pages of all rows.
pub struct List<E> {
    store: Arc<Store>,
    name: &'static str,
    entity: PhantomData<fn() -> E>,
}

impl<E> List<E> {
    pub(super) fn new(store: &Arc<Store>, name: &'static str) -> Self {
        Self { store: Arc::clone(store), name, entity: PhantomData }
    }
}

impl<E: Entity> Batch for List<E> {
    type Key = ListKey<E::Filter>;
    type Value = PageRows<E::Row>;

    fn name(&self) -> &'static str {
        self.name
    }

    async fn load(&self, keys: &[Self::Key]) -> Result<Vec<Self::Value>, LoadError> {
        let groups = Groups::of(keys, |key| &key.page);
        let pages = try_join_all(groups.iter().map(|(arguments, members)| {
            let arguments = arguments.clone();
            let columns = members.iter().map(|&member| keys[member].columns).collect();
            self.store.read(move |connection, principal| {
                E::page(connection, principal, &arguments.filter, arguments.slice, columns)
            })
        }))
        .await?;
        let pages: Vec<PageRows<E::Row>> =
            pages.into_iter().map(|rows| Arc::new(rows.into_iter().map(Arc::new).collect())).collect();
        Ok(groups.spread(|group| Arc::clone(&pages[group])))
    }
}

/// The length of a list that is under no parent.
pub struct ListCount<E> {
    store: Arc<Store>,
    name: &'static str,
    entity: PhantomData<fn() -> E>,
}

impl<E> ListCount<E> {
    pub(super) fn new(store: &Arc<Store>, name: &'static str) -> Self {
        Self { store: Arc::clone(store), name, entity: PhantomData }
    }
}

impl<E: Entity> Batch for ListCount<E> {
    type Key = E::Filter;
    type Value = i64;

    fn name(&self) -> &'static str {
        self.name
    }

    async fn load(&self, keys: &[E::Filter]) -> Result<Vec<i64>, LoadError> {
        try_join_all(keys.iter().map(|filter| {
            let filter = filter.clone();
            self.store.read(move |connection, principal| E::count(connection, principal, &filter))
        }))
        .await
    }
}

/// A page of one parent's list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ChildPageKey<F> {
    /// The parent's id.
    pub parent: Uuid,
    /// Which page.
    pub page: PageArguments<F>,
    /// The wide columns needed.
    pub columns: ColumnSet,
}

/// Pages of parents' lists: one statement for each page arguments, whatever the number of parents.
pub struct ChildPage<E: Entity> {
    store: Arc<Store>,
    name: &'static str,
    parent: E::Parent,
}

impl<E: Entity> ChildPage<E> {
    pub(super) fn new(store: &Arc<Store>, name: &'static str, parent: E::Parent) -> Self {
        Self { store: Arc::clone(store), name, parent }
    }

    /// The pages of `parents`, in their order.
    async fn load_group(
        &self,
        parents: Vec<Uuid>,
        arguments: PageArguments<E::Filter>,
        columns: ColumnSet,
    ) -> Result<Vec<PageRows<E::Row>>, LoadError> {
        let (parent, count, direction) = (self.parent, parents.len(), arguments.slice.direction);
        let rows = self
            .store
            .read(move |connection, principal| {
                E::page_per_parent(connection, principal, parent, parents, &arguments.filter, arguments.slice, columns)
            })
            .await?;
        let mut pages: Vec<Vec<Arc<E::Row>>> = vec![Vec::new(); count];
        for (place, row) in rows {
            if let Some(page) = usize::try_from(place).ok().and_then(|place| pages.get_mut(place)) {
                page.push(Arc::new(row));
            }
        }
        Ok(pages.into_iter().map(|page| Arc::new(in_order(page, direction))).collect())
    }
}

impl<E: Entity> Batch for ChildPage<E> {
    type Key = ChildPageKey<E::Filter>;
    type Value = PageRows<E::Row>;

    fn name(&self) -> &'static str {
        self.name
    }

    async fn load(&self, keys: &[Self::Key]) -> Result<Vec<Self::Value>, LoadError> {
        let groups = Groups::of(keys, |key| &key.page);
        let pages = try_join_all(groups.iter().map(|(arguments, members)| {
            let parents = distinct(members.iter().map(|&member| keys[member].parent));
            let columns = members.iter().map(|&member| keys[member].columns).collect();
            async move {
                let pages = self.load_group(parents.clone(), arguments.clone(), columns).await?;
                Ok::<HashMap<Uuid, PageRows<E::Row>>, LoadError>(parents.into_iter().zip(pages).collect())
            }
        }))
        .await?;
        let empty = PageRows::default();
        let mut key = keys.iter();
        Ok(groups.spread(|group| key.next().and_then(|key| pages[group].get(&key.parent)).unwrap_or(&empty).clone()))
    }
}

/// The length of one parent's list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ChildCountKey<F> {
    /// The parent's id.
    pub parent: Uuid,
    /// Which rows belong to the list.
    pub filter: F,
}

/// The lengths of parents' lists: one statement for each filter, whatever the number of parents.
pub struct ChildCount<E: Entity> {
    store: Arc<Store>,
    name: &'static str,
    parent: E::Parent,
}

impl<E: Entity> ChildCount<E> {
    pub(super) fn new(store: &Arc<Store>, name: &'static str, parent: E::Parent) -> Self {
        Self { store: Arc::clone(store), name, parent }
    }
}

impl<E: Entity> Batch for ChildCount<E> {
    type Key = ChildCountKey<E::Filter>;
    type Value = i64;

    fn name(&self) -> &'static str {
        self.name
    }

    async fn load(&self, keys: &[Self::Key]) -> Result<Vec<i64>, LoadError> {
        let groups = Groups::of(keys, |key| &key.filter);
        let counts = try_join_all(groups.iter().map(|(filter, members)| {
            let (filter, parent) = (filter.clone(), self.parent);
            let parents = members.iter().map(|&member| keys[member].parent).collect();
            self.store
                .read(move |connection, principal| E::count_per_parent(connection, principal, parent, parents, &filter))
        }))
        .await?;
        let counts: Vec<HashMap<Uuid, i64>> = counts.into_iter().map(|pairs| pairs.into_iter().collect()).collect();
        let mut key = keys.iter();
        Ok(groups.spread(|group| key.next().and_then(|key| counts[group].get(&key.parent)).copied().unwrap_or(0)))
    }
}

/// A version of a named lineage.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PromptNameKey {
    /// The lineage's name.
    pub name: String,
    /// The version; the newest when there is none.
    pub version: Option<i32>,
    /// The wide columns needed.
    pub columns: ColumnSet,
}

/// Prompts by name: one statement per name, as only fields of the root ask.
pub struct PromptByName(pub(super) Arc<Store>);

impl Batch for PromptByName {
    type Key = PromptNameKey;
    type Value = Option<Arc<PromptRow>>;

    fn name(&self) -> &'static str {
        "promptByName"
    }

    async fn load(&self, keys: &[PromptNameKey]) -> Result<Vec<Self::Value>, LoadError> {
        try_join_all(keys.iter().cloned().map(|key| async move {
            let row = self.0.read(move |connection, principal| {
                let principal = principal.clone();
                Box::pin(
                    async move { prompts::by_name(connection, &principal, &key.name, key.version, key.columns).await },
                )
            });
            Ok(row.await?.map(Arc::new))
        }))
        .await
    }
}

/// A run under the id that its tool gave it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RunExternalIdKey {
    /// The tool's id.
    pub external_id: String,
    /// The tool, if only its runs are meant.
    pub source: Option<RunSource>,
    /// The wide columns needed.
    pub columns: ColumnSet,
}

/// Runs by the id of their tool: one statement per id, as only fields of the root ask.
pub struct RunByExternalId(pub(super) Arc<Store>);

impl Batch for RunByExternalId {
    type Key = RunExternalIdKey;
    type Value = Option<Arc<RunRow>>;

    fn name(&self) -> &'static str {
        "runByExternalId"
    }

    async fn load(&self, keys: &[RunExternalIdKey]) -> Result<Vec<Self::Value>, LoadError> {
        try_join_all(keys.iter().cloned().map(|key| async move {
            let row = self.0.read(move |connection, principal| {
                let principal = principal.clone();
                Box::pin(async move {
                    runs::by_external_id(connection, &principal, &key.external_id, key.source, key.columns).await
                })
            });
            Ok(row.await?.map(Arc::new))
        }))
        .await
    }
}

/// A template under its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TemplateNameKey {
    /// The name.
    pub name: String,
    /// The wide columns needed.
    pub columns: ColumnSet,
}

/// Templates by name: one statement per name, as only fields of the root ask.
pub struct TemplateByName(pub(super) Arc<Store>);

impl Batch for TemplateByName {
    type Key = TemplateNameKey;
    type Value = Option<Arc<TemplateRow>>;

    fn name(&self) -> &'static str {
        "promptTemplateByName"
    }

    async fn load(&self, keys: &[TemplateNameKey]) -> Result<Vec<Self::Value>, LoadError> {
        try_join_all(keys.iter().cloned().map(|key| async move {
            let row = self.0.read(move |connection, _| {
                Box::pin(async move { templates::by_name(connection, &key.name, key.columns).await })
            });
            Ok(row.await?.map(Arc::new))
        }))
        .await
    }
}

/// Figures about everything that the principal may see.
pub struct Statistics(pub(super) Arc<Store>);

impl Batch for Statistics {
    type Key = ();
    type Value = Arc<StatisticsRow>;

    fn name(&self) -> &'static str {
        "statistics"
    }

    async fn load(&self, keys: &[()]) -> Result<Vec<Self::Value>, LoadError> {
        let row = self
            .0
            .read(|connection, principal| {
                let principal = principal.clone();
                Box::pin(async move { statistics::compute(connection, &principal).await })
            })
            .await?;
        let row = Arc::new(row);
        Ok(keys.iter().map(|()| Arc::clone(&row)).collect())
    }
}

/// The keys of a batch, grouped by what one statement can serve.
struct Groups<'a, A> {
    groups: Vec<(&'a A, Vec<usize>)>,
    /// The group of each key.
    group_of: Vec<usize>,
}

impl<'a, A: Eq + Hash> Groups<'a, A> {
    fn of<K>(keys: &'a [K], arguments: impl Fn(&'a K) -> &'a A) -> Self {
        let mut groups: Vec<(&A, Vec<usize>)> = Vec::new();
        let mut places = HashMap::new();
        let group_of = keys
            .iter()
            .enumerate()
            .map(|(member, key)| {
                let arguments = arguments(key);
                let group = *places.entry(arguments).or_insert_with(|| {
                    groups.push((arguments, Vec::new()));
                    groups.len() - 1
                });
                groups[group].1.push(member);
                group
            })
            .collect();
        Self { groups, group_of }
    }

    fn iter(&self) -> impl Iterator<Item = (&'a A, &Vec<usize>)> {
        self.groups.iter().map(|(arguments, members)| (*arguments, members))
    }

    /// What `answer` says of each key's group, in the order of the keys.
    fn spread<V>(&self, answer: impl FnMut(usize) -> V) -> Vec<V> {
        self.group_of.iter().copied().map(answer).collect()
    }
}

fn distinct(ids: impl Iterator<Item = Uuid>) -> Vec<Uuid> {
    let mut seen = std::collections::HashSet::new();
    ids.filter(|id| seen.insert(*id)).collect()
}

/// The statement returns each parent's rows in order as a rule, but does not promise to; sorting what is sorted is cheap.
fn in_order<R: Positioned>(mut rows: Vec<Arc<R>>, direction: Direction) -> Vec<Arc<R>> {
    match direction {
        Direction::Ascending => rows.sort_by_key(|row| row.position()),
        Direction::Descending => rows.sort_by_key(|row| std::cmp::Reverse(row.position())),
    }
    rows
}
