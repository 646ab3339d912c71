//! Storing a prompt and registering an evaluation of it.

use std::sync::Arc;

use super::CreateEvaluation;
use crate::db::DbConnection;
use crate::db::columns::ColumnSet;
use crate::db::evaluations::EvaluationRow;
use crate::db::transaction::write_transaction;
use crate::db::types::Json;
use crate::domain::Principal;
use crate::writes::prompts::CreatePrompt;
use crate::writes::{Outcome, Write};

/// Stores the first version of a prompt and an evaluation of it that is to begin: both, or neither.
#[derive(Debug, Clone)]
pub struct CreatePromptWithEvaluation {
    /// The prompt.
    pub prompt: CreatePrompt,
    /// Who runs the model.
    pub provider: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// The set of test cases.
    pub test_suite_id: Option<String>,
    /// The wide columns that are wanted of the evaluation.
    pub columns: ColumnSet,
}

impl Write for CreatePromptWithEvaluation {
    type Output = Arc<EvaluationRow>;

    async fn run(&self, connection: &mut DbConnection, principal: &Principal) -> Outcome<Arc<EvaluationRow>> {
        let (prompt, mut changes) = self.prompt.run(connection, principal).await?;
        let evaluation = CreateEvaluation {
            prompt_id: prompt.id,
            run_id: None,
            provider: self.provider.clone(),
            model: self.model.clone(),
            test_suite_id: self.test_suite_id.clone(),
            external_id: None,
            metrics: Json::empty_object(),
            columns: self.columns,
        };
        let principal = principal.clone();
        // A savepoint: what is refused there is taken back there, before the whole is given up with it.
        let (row, made) = write_transaction(connection, |connection| {
            Box::pin(async move { evaluation.run(connection, &principal).await })
        })
        .await?;
        changes.evaluations.extend(made.evaluations);
        Ok((row, changes))
    }
}
