//! What is remembered, and what it depends on.
//!
//! | loader | kind | depends on |
//! |---|---|---|
//! | a prompt version by id | prompt | that row |
//! | a page of prompts, their number | list | all prompts of the one user whose they are |
//! | an evaluation by id | evaluation | that row |
//! | a page of a prompt's or run's evaluations, their number, what they come to | evaluation | all evaluations of the parent |
//! | a page of an evaluation's results, their number | evaluation | all results of the evaluation |
//! | a run by id | evaluation | that row |
//! | a template by id | template | that row |
//! | other lists: of all users' prompts, of runs, of versions; the audit log | not remembered | |
//! | API tokens and their lists | not remembered: they are seldom asked for | |
//! | statistics, the best models | statistics | nothing: they age |

use std::mem::size_of;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::cached::Cacheable;
use super::store::{ChildCount, ChildPage, List, ListCount, ModelLeaderboard, RowById, Statistics, TotalsById};
use crate::cache::{Footprint, Kind, Tag};
use crate::db::api_tokens::ApiTokens;
use crate::db::audit::AuditLog;
use crate::db::entity::Entity;
use crate::db::evaluations::{EvaluationParent, Evaluations};
use crate::db::leaderboards::RankedModel;
use crate::db::prompts::{PromptFilter, Prompts};
use crate::db::runs::Runs;
use crate::db::statistics::StatisticsRow;
use crate::db::templates::Templates;
use crate::db::test_results::{TestResultParent, TestResults};
use crate::db::totals::{PromptTotals, RunTotals};
use crate::domain::Principal;

/// A table whose rows may be remembered: what its rows and lists depend on.
pub trait Remembered: Entity<Row: Serialize + DeserializeOwned> {
    /// What its rows are.
    const ROWS: Kind;
    /// What its lists are.
    const LISTS: Kind;

    /// What a row by id depends on.
    fn row_tag(_id: Uuid) -> Option<Tag> {
        None
    }

    /// What a list under no parent depends on when `principal` asks.
    fn list_tag(_filter: &Self::Filter, _principal: &Principal) -> Option<Tag> {
        None
    }

    /// What a list under a parent depends on.
    fn child_tag(_kind: Self::Parent, _parent: Uuid) -> Option<Tag> {
        None
    }
}

impl Remembered for Prompts {
    const ROWS: Kind = Kind::Prompt;
    const LISTS: Kind = Kind::PromptList;

    fn row_tag(id: Uuid) -> Option<Tag> {
        Some(Tag::prompt(id))
    }

    fn list_tag(filter: &PromptFilter, principal: &Principal) -> Option<Tag> {
        let owner = if principal.is_admin { filter.user_id.as_deref()? } else { &principal.user_id };
        Some(Tag::prompts_of(owner))
    }
}

impl Remembered for Evaluations {
    const ROWS: Kind = Kind::Evaluation;
    const LISTS: Kind = Kind::Evaluation;

    fn row_tag(id: Uuid) -> Option<Tag> {
        Some(Tag::evaluation(id))
    }

    fn child_tag(kind: EvaluationParent, parent: Uuid) -> Option<Tag> {
        Some(match kind {
            EvaluationParent::Prompt => Tag::evaluations_of_prompt(parent),
            EvaluationParent::Run => Tag::evaluations_of_run(parent),
        })
    }
}

impl Remembered for TestResults {
    const ROWS: Kind = Kind::Evaluation;
    const LISTS: Kind = Kind::Evaluation;

    fn child_tag(_: TestResultParent, evaluation: Uuid) -> Option<Tag> {
        Some(Tag::results_of(evaluation))
    }
}

impl Remembered for Runs {
    const ROWS: Kind = Kind::Evaluation;
    const LISTS: Kind = Kind::Evaluation;

    fn row_tag(id: Uuid) -> Option<Tag> {
        Some(Tag::run(id))
    }
}

impl Remembered for Templates {
    const ROWS: Kind = Kind::Template;
    const LISTS: Kind = Kind::Template;

    fn row_tag(id: Uuid) -> Option<Tag> {
        Some(Tag::template(id))
    }
}

impl Remembered for ApiTokens {
    const ROWS: Kind = Kind::Template;
    const LISTS: Kind = Kind::Template;
}

/// The log is read from the database alone: nothing here has a tag.
impl Remembered for AuditLog {
    const ROWS: Kind = Kind::Evaluation;
    const LISTS: Kind = Kind::Evaluation;
}

macro_rules! cacheable {
    ($(for[$($entity:ident)?] $batch:ty: $kind:expr, |$this:pat_param, $key:pat_param, $principal:pat_param| $tag:expr;)*) => {$(
        impl<$($entity: Remembered)?> Cacheable for $batch {
            const KIND: Kind = $kind;

            fn tag(&self, key: &Self::Key, principal: &Principal) -> Option<Tag> {
                let ($this, $key, $principal) = (self, key, principal);
                $tag
            }
        }
    )*};
}

cacheable! {
    for[E] RowById<E>: E::ROWS, |_, key, _| E::row_tag(key.id);
    for[E] List<E>: E::LISTS, |_, key, principal| E::list_tag(&key.page.filter, principal);
    for[E] ListCount<E>: E::LISTS, |_, filter, principal| E::list_tag(filter, principal);
    for[E] ChildPage<E>: E::LISTS, |this, key, _| E::child_tag(this.parent, key.parent);
    for[E] ChildCount<E>: E::LISTS, |this, key, _| E::child_tag(this.parent, key.parent);
    for[] TotalsById<PromptTotals>: Kind::Evaluation, |_, prompt, _| Some(Tag::evaluations_of_prompt(*prompt));
    for[] TotalsById<RunTotals>: Kind::Evaluation, |_, run, _| Some(Tag::evaluations_of_run(*run));
    for[] ModelLeaderboard: Kind::Statistics, |_, _, _| Some(Tag::ageing("models"));
    for[] Statistics: Kind::Statistics, |_, _, _| Some(Tag::ageing("statistics"));
}

/// A row, or none.
impl<R> Footprint for Option<Arc<R>> {
    fn pointed_to(&self) -> usize {
        self.as_ref().map_or(0, |_| size_of::<R>())
    }
}

/// A page of rows.
impl<R> Footprint for Arc<Vec<Arc<R>>> {
    fn pointed_to(&self) -> usize {
        self.len() * (size_of::<R>() + size_of::<Arc<R>>())
    }
}

impl Footprint for Arc<Vec<RankedModel>> {
    fn pointed_to(&self) -> usize {
        self.len() * size_of::<RankedModel>()
    }
}

macro_rules! plain {
    ($($type:ty),*) => {$(
        impl Footprint for $type {
            fn pointed_to(&self) -> usize {
                size_of::<Self>()
            }
        }
    )*};
}

plain!(i64, PromptTotals, RunTotals, Arc<StatisticsRow>);
