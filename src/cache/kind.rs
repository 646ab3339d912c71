//! What is cached, and for how long.

use std::time::Duration;

/// What an entry holds. Which loader caches what, under which key and tag, is said in `loaders::cacheable`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A prompt version, or that there is none.
    Prompt,
    /// A page of one user's prompts, or their number.
    PromptList,
    /// An evaluation or a run, a page of a prompt's or run's evaluations or of an evaluation's results, their number, and
    /// what they come to.
    Evaluation,
    /// A template.
    Template,
    /// Figures about everything, and the best models: the one kind that is not invalidated but ages.
    Statistics,
}

/// How long entries live. What they are about may change at any time without harm, for all but statistics: then they are
/// invalidated. So these bounds are about memory, and about rows that were changed without the triggers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    /// Of prompt versions.
    pub prompts: Duration,
    /// Of pages of a user's prompts.
    pub lists: Duration,
    /// Of evaluations, runs, their pages and figures.
    pub evaluations: Duration,
    /// Of templates.
    pub templates: Duration,
    /// Of statistics: so old may they be.
    pub statistics: Duration,
}

impl Lifetimes {
    /// What experience with the original service showed to be worth the memory.
    pub const DEFAULT: Self = Self {
        prompts: Duration::from_secs(10 * 60),
        lists: Duration::from_secs(5 * 60),
        evaluations: Duration::from_secs(60 * 60),
        templates: Duration::from_secs(60 * 60),
        statistics: Duration::from_secs(30 * 60),
    };

    /// How long an entry of this kind lives at most.
    #[must_use]
    pub const fn of(&self, kind: Kind) -> Duration {
        match kind {
            Kind::Prompt => self.prompts,
            Kind::PromptList => self.lists,
            Kind::Evaluation => self.evaluations,
            Kind::Template => self.templates,
            Kind::Statistics => self.statistics,
        }
    }
}
