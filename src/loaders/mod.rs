//! Batching: what the resolvers of one request ask for is collected and fetched together.

mod cacheable;
mod cached;
mod dispatch;
mod loader;
mod store;

use std::sync::Arc;

pub use cacheable::Remembered;
pub use cached::{CacheUsage, Cached};
pub use dispatch::{Dispatcher, Drive};
pub use loader::{Batch, Load, LoadError, Loader, LoaderUsage};
pub use store::{
    ChildCount, ChildCountKey, ChildPage, ChildPageKey, ComparedCases, ComparedCasesKey, ComparisonCounts, List,
    ListCount, ListKey, Lookup, ModelLeaderboard, PageArguments, PageRows, PromptLeaderboard, PromptLeaderboardKey,
    PromptNameKey, Question, RowById, RowKey, RunExternalIdKey, ScoreTrends, Statistics, Store, TemplateNameKey,
    Totals, TotalsById, TrendKey,
};

use crate::db::api_tokens::ApiTokens;
use crate::db::audit::AuditLog;
use crate::db::evaluations::{EvaluationParent, Evaluations};
use crate::db::prompts::{PromptParent, Prompts};
use crate::db::runs::Runs;
use crate::db::templates::Templates;
use crate::db::test_results::{TestResultParent, TestResults};
use crate::db::totals::{PromptTotals, RunTotals};

macro_rules! loaders {
    ($($(#[$doc:meta])* $name:ident: $batch:ty = |$store:ident| $new:expr;)*) => {
        /// The loaders of one request, one for each question.
        pub struct Loaders {
            $($(#[$doc])* pub $name: Loader<$batch>,)*
        }

        impl Loaders {
            /// Loaders that read from `store` and whose batches `dispatcher` sends.
            #[must_use]
            pub fn new(store: &Arc<Store>, dispatcher: &Arc<Dispatcher>) -> Self {
                Self {
                    $($name: {
                        let $store = store;
                        Loader::new($new, Arc::clone(dispatcher))
                    },)*
                }
            }

            /// Forgets everything that was loaded.
            pub fn forget(&self) {
                $(self.$name.forget();)*
            }

            /// What each loader did so far; those that nobody asked are left out.
            pub fn usage(&self) -> impl Iterator<Item = (&'static str, LoaderUsage)> {
                [$(self.$name.usage(),)*].into_iter().filter(|(_, usage)| *usage != LoaderUsage::default())
            }
        }
    };
}

loaders! {
    /// A prompt, unless it was deleted.
    prompt_by_id: Cached<RowById<Prompts>> = |store| Cached::new(store, RowById::new(store, "promptById"));
    /// A version of a named prompt.
    prompt_by_name: Lookup<PromptNameKey> = |store| Lookup::new(store);
    /// A page of all prompts.
    prompts: Cached<List<Prompts>> = |store| Cached::new(store, List::new(store, "prompts"));
    /// The number of all prompts.
    prompt_count: Cached<ListCount<Prompts>> = |store| Cached::new(store, ListCount::new(store, "promptCount"));
    /// A page of the versions made from a version.
    prompts_by_parent: Cached<ChildPage<Prompts>> = |store| Cached::new(store, ChildPage::new(store, "promptsByParent", PromptParent::Parent));
    /// Their number.
    prompt_count_by_parent: Cached<ChildCount<Prompts>> = |store| Cached::new(store, ChildCount::new(store, "promptCountByParent", PromptParent::Parent));
    /// A page of the versions of a lineage.
    prompts_by_root: Cached<ChildPage<Prompts>> = |store| Cached::new(store, ChildPage::new(store, "promptsByRoot", PromptParent::Root));
    /// Their number.
    prompt_count_by_root: Cached<ChildCount<Prompts>> = |store| Cached::new(store, ChildCount::new(store, "promptCountByRoot", PromptParent::Root));
    /// A page of the prompts made from a template.
    prompts_by_template: Cached<ChildPage<Prompts>> = |store| Cached::new(store, ChildPage::new(store, "promptsByTemplate", PromptParent::Template));
    /// Their number.
    prompt_count_by_template: Cached<ChildCount<Prompts>> = |store| Cached::new(store, ChildCount::new(store, "promptCountByTemplate", PromptParent::Template));
    /// A run.
    run_by_id: Cached<RowById<Runs>> = |store| Cached::new(store, RowById::new(store, "runById"));
    /// A run under its tool's id.
    run_by_external_id: Lookup<RunExternalIdKey> = |store| Lookup::new(store);
    /// A page of all runs.
    runs: Cached<List<Runs>> = |store| Cached::new(store, List::new(store, "runs"));
    /// The number of all runs.
    run_count: Cached<ListCount<Runs>> = |store| Cached::new(store, ListCount::new(store, "runCount"));
    /// An evaluation.
    evaluation_by_id: Cached<RowById<Evaluations>> = |store| Cached::new(store, RowById::new(store, "evaluationById"));
    /// A page of all evaluations.
    evaluations: Cached<List<Evaluations>> = |store| Cached::new(store, List::new(store, "evaluations"));
    /// The number of all evaluations.
    evaluation_count: Cached<ListCount<Evaluations>> = |store| Cached::new(store, ListCount::new(store, "evaluationCount"));
    /// A page of a prompt's evaluations.
    evaluations_by_prompt: Cached<ChildPage<Evaluations>> = |store| Cached::new(store, ChildPage::new(store, "evaluationsByPrompt", EvaluationParent::Prompt));
    /// Their number.
    evaluation_count_by_prompt: Cached<ChildCount<Evaluations>> = |store| Cached::new(store, ChildCount::new(store, "evaluationCountByPrompt", EvaluationParent::Prompt));
    /// A page of a run's evaluations.
    evaluations_by_run: Cached<ChildPage<Evaluations>> = |store| Cached::new(store, ChildPage::new(store, "evaluationsByRun", EvaluationParent::Run));
    /// Their number.
    evaluation_count_by_run: Cached<ChildCount<Evaluations>> = |store| Cached::new(store, ChildCount::new(store, "evaluationCountByRun", EvaluationParent::Run));
    /// A test result.
    test_result_by_id: Cached<RowById<TestResults>> = |store| Cached::new(store, RowById::new(store, "testResultById"));
    /// A page of an evaluation's results.
    test_results_by_evaluation: Cached<ChildPage<TestResults>> = |store| Cached::new(store, ChildPage::new(store, "testResultsByEvaluation", TestResultParent::Evaluation));
    /// Their number.
    test_result_count_by_evaluation: Cached<ChildCount<TestResults>> = |store| Cached::new(store, ChildCount::new(store, "testResultCountByEvaluation", TestResultParent::Evaluation));
    /// How many test cases of two evaluations have which change.
    comparison_counts: ComparisonCounts = |store| ComparisonCounts(Arc::clone(store));
    /// Some test cases of two evaluations.
    compared_cases: ComparedCases = |store| ComparedCases(Arc::clone(store));
    /// A template.
    template_by_id: Cached<RowById<Templates>> = |store| Cached::new(store, RowById::new(store, "promptTemplateById"));
    /// A template under its name.
    template_by_name: Lookup<TemplateNameKey> = |store| Lookup::new(store);
    /// A page of all templates.
    templates: Cached<List<Templates>> = |store| Cached::new(store, List::new(store, "promptTemplates"));
    /// The number of all templates.
    template_count: Cached<ListCount<Templates>> = |store| Cached::new(store, ListCount::new(store, "promptTemplateCount"));
    /// An API token.
    api_token_by_id: Cached<RowById<ApiTokens>> = |store| Cached::new(store, RowById::new(store, "apiTokenById"));
    /// A page of a user's API tokens.
    api_tokens: Cached<List<ApiTokens>> = |store| Cached::new(store, List::new(store, "apiTokens"));
    /// Their number.
    api_token_count: Cached<ListCount<ApiTokens>> = |store| Cached::new(store, ListCount::new(store, "apiTokenCount"));
    /// An entry of the audit log.
    audit_entry_by_id: Cached<RowById<AuditLog>> = |store| Cached::new(store, RowById::new(store, "auditEntryById"));
    /// A page of the audit log.
    audit_log: Cached<List<AuditLog>> = |store| Cached::new(store, List::new(store, "auditLog"));
    /// Its length.
    audit_count: Cached<ListCount<AuditLog>> = |store| Cached::new(store, ListCount::new(store, "auditCount"));
    /// Figures about everything.
    statistics: Cached<Statistics> = |store| Cached::new(store, Statistics(Arc::clone(store)));
    /// What a prompt comes to.
    prompt_totals: Cached<TotalsById<PromptTotals>> = |store| Cached::new(store, TotalsById::new(store));
    /// What a run comes to.
    run_totals: Cached<TotalsById<RunTotals>> = |store| Cached::new(store, TotalsById::new(store));
    /// The course of a prompt's scores.
    score_trends: ScoreTrends = |store| ScoreTrends(Arc::clone(store));
    /// The best prompts.
    prompt_leaderboard: PromptLeaderboard = |store| PromptLeaderboard(Arc::clone(store));
    /// The best models.
    model_leaderboard: Cached<ModelLeaderboard> = |store| Cached::new(store, ModelLeaderboard(Arc::clone(store)));
}
