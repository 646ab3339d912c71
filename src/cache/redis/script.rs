//! Scripts, for what has to be decided where it is kept.

use fred::prelude::{ErrorKind, Key, LuaInterface as _};

use super::RedisTier;
use crate::telemetry::RedisCommands;

/// Why a script was not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScriptFailure {
    /// The server does not answer, or is not asked at the moment.
    Unavailable,
    /// The server answered that it does not do it, for this reason.
    Refused(String),
}

impl RedisTier {
    /// Runs a script in one round trip, for which its text is sent along. Its keys are kept together, also in a cluster, so
    /// that it sees them all. That a server refuses it is no reason to give up the connection, as it is not to answer.
    ///
    /// # Errors
    /// When the server does not run it, or not in time.
    pub async fn run_script(
        &self,
        script: &'static str,
        names: Vec<String>,
        arguments: Vec<i64>,
    ) -> Result<Vec<i64>, ScriptFailure> {
        let keys: Vec<Key> = names.iter().map(|name| self.keys.limit(name)).collect();
        let commands = RedisCommands { operation: "EVAL", keys: keys.len() };
        let answer = self
            .ask(commands, async |client| match client.eval::<Vec<i64>, _, _, _>(script, keys, arguments).await {
                Ok(answer) => Ok(Ok(answer)),
                Err(error) if is_an_answer(error.kind()) => Ok(Err(error.details().to_owned())),
                Err(error) => Err(error),
            })
            .await;
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(cause)) => Err(ScriptFailure::Refused(cause)),
            Err(_) => Err(ScriptFailure::Unavailable),
        }
    }
}

/// Whether the server said so, and not the connection.
fn is_an_answer(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Unknown
            | ErrorKind::InvalidCommand
            | ErrorKind::InvalidArgument
            | ErrorKind::Auth
            | ErrorKind::Parse
    )
}
