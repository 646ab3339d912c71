//! What the demo data talks about: prompts that a team might write, the cases they are tested with, and the answers.
//!
//! Everything here is text; the numbers and times come from [`super::generate`].

mod agents;
mod code;
mod data;
mod extract;
mod legal;
mod marketing;
mod medical;
mod models;
mod moderation;
mod rag;
mod sql;
mod summarise;
mod support;
mod templates;
mod translate;

pub(super) use models::{MODELS, Model};
pub(super) use templates::TEMPLATES;

/// A field of work with its team.
#[derive(Debug)]
pub(super) struct Domain {
    /// What people call it.
    pub title: &'static str,
    /// Who owns its prompts.
    pub team: &'static str,
    /// What the keys of its tickets begin with.
    pub ticket_prefix: &'static str,
    /// Its tasks.
    pub suites: &'static [&'static Suite],
}

/// The shape of the answers, which decides how they can be malformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// A JSON object.
    Json,
    /// Words.
    Text,
}

/// One task: the test cases for it, and the lineages of prompts that do it.
#[derive(Debug)]
pub(super) struct Suite {
    /// The id of the set of test cases.
    pub name: &'static str,
    /// The shape of the answers.
    pub style: Style,
    /// The variable of the prompts that differs from case to case.
    pub input: &'static str,
    /// The variables that are the same for all cases, with their values.
    pub context: &'static [(&'static str, &'static str)],
    /// Disturbances under which all cases are repeated.
    pub variants: &'static [Variant],
    /// The cases.
    pub cases: &'static [Case],
    /// What the team learnt: each later version of a prompt takes up one of these.
    pub refinements: &'static [Refinement],
    /// The prompts.
    pub lineages: &'static [Lineage],
}

/// Text around the input of a case that must not change the answer.
#[derive(Debug)]
pub(super) struct Variant {
    /// What it is called in the name of the case.
    pub label: &'static str,
    /// Goes before the input.
    pub before: &'static str,
    /// Goes after the input.
    pub after: &'static str,
}

/// One test case.
#[derive(Debug)]
pub(super) struct Case {
    /// Its name.
    pub name: &'static str,
    /// The value of the suite's input variable.
    pub input: &'static str,
    /// The right answer, or what a grader looks for in it.
    pub expected: &'static str,
    /// A right answer where that differs from `expected`.
    pub answer: Option<&'static str>,
    /// A wrong answer.
    pub wrong: &'static str,
    /// What the grader says about the wrong answer.
    pub reason: &'static str,
}

impl Case {
    /// A right answer.
    pub(super) fn right(&self) -> &'static str {
        self.answer.unwrap_or(self.expected)
    }
}

/// A rule that a later version of a prompt adds.
#[derive(Debug)]
pub(super) struct Refinement {
    /// The change in a few words.
    pub note: &'static str,
    /// The rule.
    pub text: &'static str,
}

/// A sentence that a later version of a prompt replaces.
#[derive(Debug)]
pub(super) struct Rewording {
    /// The change in a few words.
    pub note: &'static str,
    /// What it was.
    pub from: &'static str,
    /// What it becomes.
    pub to: &'static str,
}

/// One prompt with its history.
#[derive(Debug)]
pub(super) struct Lineage {
    /// Its name, with folders.
    pub name: &'static str,
    /// Its title.
    pub title: &'static str,
    /// The name of the template it was made from.
    pub template: Option<&'static str>,
    /// How many versions there are.
    pub versions: usize,
    /// Its tags.
    pub tags: &'static [&'static str],
    /// What it is for.
    pub description: &'static str,
    /// The system message: with one the prompt is a chat, without it a text.
    pub system: Option<&'static str>,
    /// The text of the first version, or of its user message.
    pub text: &'static str,
    /// What the third version says differently.
    pub rewording: Option<Rewording>,
}

/// A reusable prompt text.
#[derive(Debug)]
pub(super) struct Template {
    /// Its unique name.
    pub name: &'static str,
    /// What it is used for.
    pub category: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// Its variables, each with what it means.
    pub variables: &'static [(&'static str, &'static str)],
    /// Its text.
    pub text: &'static str,
}

/// All domains.
pub(super) static DOMAINS: [&Domain; 13] = [
    &support::DOMAIN,
    &sql::DOMAIN,
    &summarise::DOMAIN,
    &extract::DOMAIN,
    &code::DOMAIN,
    &translate::DOMAIN,
    &moderation::DOMAIN,
    &rag::DOMAIN,
    &agents::DOMAIN,
    &marketing::DOMAIN,
    &legal::DOMAIN,
    &medical::DOMAIN,
    &data::DOMAIN,
];
