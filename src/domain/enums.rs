//! Enumerations that are stored as lower-case text.

use thiserror::Error;

/// A stored text that is none of the values of its enumeration.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("«{value}» is no {kind}")]
pub struct ParseEnumError {
    /// The enumeration's name.
    pub kind: &'static str,
    /// The text that was found.
    pub value: String,
}

macro_rules! text_enums {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, async_graphql::Enum, serde::Serialize, serde::Deserialize,
            diesel::expression::AsExpression, diesel::deserialize::FromSqlRow,
        )]
        #[diesel(sql_type = diesel::sql_types::Text)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// The text that stands for the value in the database.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = ParseEnumError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    _ => Err(ParseEnumError { kind: stringify!($name), value: text.to_owned() }),
                }
            }
        }
    )*};
}

text_enums! {
    /// Where a prompt version is in its life.
    PromptStatus {
        /// Being written; not meant for use yet.
        Draft = "draft",
        /// In use.
        Active = "active",
        /// Kept for its history.
        Archived = "archived",
    }
    /// How the content of a prompt is to be read.
    PromptFormat {
        /// Plain text.
        Text = "text",
        /// A JSON array of messages, each with a `role` and a `content`.
        Chat = "chat",
    }
    /// What whoever has a credential may do with it.
    TokenScope {
        /// Ask: every query.
        Read = "read",
        /// Change what is the owner's own: every mutation. What mutations return may be read.
        Write = "write",
        /// Record: the mutations that start, fill and end runs and evaluations and store prompts for them. Of what they
        /// return, the changed object itself may be read.
        Ingest = "ingest",
        /// Everything, and for all owners.
        Admin = "admin",
    }
    /// Where an evaluation or a run is in its life. It only moves forward.
    EvaluationStatus {
        /// Registered, not begun.
        Pending = "pending",
        /// Results are arriving.
        Running = "running",
        /// All results are there.
        Completed = "completed",
        /// Given up; `errorMessage` says why.
        Failed = "failed",
    }
    /// What became of one test case.
    TestOutcome {
        /// Every assertion held.
        Passed = "passed",
        /// An answer came, and an assertion said no.
        Failed = "failed",
        /// There was no answer to judge.
        Errored = "errored",
        /// The case was left out.
        Skipped = "skipped",
    }
    /// What became of a test case from one evaluation, the baseline, to another, the candidate.
    TestCaseChange {
        /// It failed in the baseline and passed in the candidate.
        Fixed = "fixed",
        /// It passed in the baseline and failed in the candidate.
        Regressed = "regressed",
        /// It passed in both.
        UnchangedPass = "unchanged_pass",
        /// It failed in both.
        UnchangedFail = "unchanged_fail",
        /// It is in both, and in one of them at least there was no answer to judge.
        Errored = "errored",
        /// Only the candidate has it.
        Added = "added",
        /// Only the baseline has it.
        Removed = "removed",
    }
    /// Where a run came from.
    RunSource {
        /// Recorded through this API.
        Api = "api",
        /// A result file of promptfoo.
        Promptfoo = "promptfoo",
        /// A log of Inspect AI.
        Inspect = "inspect",
        /// A CSV file.
        Csv = "csv",
        /// A JSON Lines file.
        Jsonl = "jsonl",
    }
    /// By which way something was changed.
    AuditOrigin {
        /// By a request to the server.
        Request = "request",
        /// By a command that was run on a machine with the database.
        Command = "command",
    }
    /// What an object is that was changed.
    ObjectKind {
        /// A prompt version.
        Prompt = "prompt",
        /// A template.
        Template = "template",
        /// A run.
        Run = "run",
        /// An evaluation.
        Evaluation = "evaluation",
        /// An API token.
        ApiToken = "api_token",
    }
}

impl EvaluationStatus {
    /// Whether results may still come.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::Running)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_value_correspond() {
        assert_eq!("errored".parse(), Ok(TestOutcome::Errored));
        assert_eq!(TestOutcome::Errored.as_str(), "errored");
        let error = "ERRORED".parse::<TestOutcome>().unwrap_err();
        assert_eq!(error.to_string(), "«ERRORED» is no TestOutcome");
    }
}
