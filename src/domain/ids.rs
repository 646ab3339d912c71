//! Identifiers: UUIDs of version 7, made by the application, one type per table.

use std::fmt;

use uuid::Uuid;

macro_rules! id_types {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
            diesel::expression::AsExpression, diesel::deserialize::FromSqlRow,
        )]
        #[diesel(sql_type = crate::db::types::sql::Uuid)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new identifier, greater than all that this process made before.
            #[must_use]
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )*};
}

id_types! {
    /// One version of a prompt.
    PromptId;
    /// One run of a tool: prompts × providers × tests.
    RunId;
    /// One prompt version with one provider and model over a set of test cases.
    EvaluationId;
    /// The outcome of one test case in one evaluation.
    TestResultId;
    /// A reusable prompt text.
    TemplateId;
    /// A token that a program identifies itself with.
    ApiTokenId;
    /// What the audit log says of one change.
    AuditEntryId;
}

#[cfg(test)]
mod tests {
    use super::PromptId;

    #[test]
    fn later_ids_are_greater() {
        let ids: Vec<_> = (0..1_000).map(|_| PromptId::generate()).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
