//! Tokens of this server, for programs.
//!
//! A token that was found to count is remembered for a second, so each server asks the database once a second for each
//! token in use. What is revoked here counts no more at once; what is revoked through another server, in SQL or with the
//! command, for a second at most.

mod text;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::future::Cache;

use self::text::{Hasher, TokenHash};
use super::AuthError;
use crate::db::api_tokens::{self, StoredApiToken};
use crate::db::{Database, StatementCount};
use crate::domain::{ApiTokenId, Credential, Principal, Scopes, Timestamp};

pub use self::text::{ApiToken, is_meant};

/// How long it counts what the database has said of a token.
const REMEMBERED: Duration = Duration::from_secs(1);
/// How many tokens are remembered.
const MOST_REMEMBERED: u64 = 10_000;
/// How often the use of a token is noted at most.
const NOTED_EVERY: Duration = Duration::from_secs(60);

const MALFORMED: AuthError = AuthError::Refused("the token is incomplete or mistyped: its check digits are wrong");
const UNKNOWN: AuthError = AuthError::Refused("there is no such token, or it has expired or was revoked");
const UNREACHABLE: AuthError =
    AuthError::Unavailable("the token cannot be looked up, for the database does not answer: try again later");

/// The tokens of this server.
pub struct ApiTokens {
    database: Database,
    hasher: Hasher,
    /// Grows with each token that is revoked here: what was read before counts no more, also what is on its way.
    generation: AtomicU64,
    known: Cache<(TokenHash, u64), Known>,
    /// Whose use this server has noted in the last minute, or tried to.
    noted: moka::sync::Cache<ApiTokenId, ()>,
}

/// A token that counted when it was read.
#[derive(Clone)]
struct Known {
    principal: Principal,
    expires_at: Option<Timestamp>,
    /// When it began to be read.
    asked: Instant,
}

/// What was read is remembered from the moment at which it was asked for.
struct FromTheQuestion;

impl Expiry<(TokenHash, u64), Known> for FromTheQuestion {
    fn expire_after_create(&self, _: &(TokenHash, u64), known: &Known, _: Instant) -> Option<Duration> {
        Some(REMEMBERED.saturating_sub(known.asked.elapsed()))
    }
}

impl ApiTokens {
    /// The tokens in this database, whose digests are keyed with the secret.
    #[must_use]
    pub fn new(database: Database, secret: &str) -> Self {
        Self {
            database,
            hasher: Hasher::new(secret),
            generation: AtomicU64::new(0),
            known: Cache::builder().max_capacity(MOST_REMEMBERED).expire_after(FromTheQuestion).build(),
            noted: moka::sync::Cache::builder().max_capacity(MOST_REMEMBERED).time_to_live(NOTED_EVERY).build(),
        }
    }

    /// What is stored of a token.
    #[must_use]
    pub fn hash(&self, token: &ApiToken) -> String {
        self.hasher.hash(token.expose()).in_digits()
    }

    /// Whose a token is.
    ///
    /// # Errors
    /// When it does not count, or nobody can find out whether it does.
    pub async fn principal(&self, token: &str) -> Result<Principal, AuthError> {
        if !text::is_well_formed(token) {
            return Err(MALFORMED);
        }
        let hash = self.hasher.hash(token);
        let key = (hash, self.generation.load(Ordering::Acquire));
        let known = match self.known.get(&key).await {
            Some(known) => known,
            // Whoever asks for the same at the same time waits for the one answer.
            None => self.known.try_get_with(key, self.look_up(hash)).await.map_err(Arc::unwrap_or_clone)?,
        };
        if is_over(known.expires_at) { Err(UNKNOWN) } else { Ok(known.principal) }
    }

    /// Believes nothing any more that was read before. To be called when a token was revoked.
    pub fn forget(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    async fn look_up(&self, hash: TokenHash) -> Result<Known, AuthError> {
        let asked = Instant::now();
        let digits = hash.in_digits();
        let count = StatementCount::default();
        let reading = self
            .database
            .read(&count, move |connection| Box::pin(async move { api_tokens::by_hash(connection, &digits).await }));
        let stored = reading.await.map_err(|error| {
            tracing::warn!(%error, "an API token could not be looked up");
            UNREACHABLE
        })?;
        let stored =
            stored.filter(|stored| stored.revoked_at.is_none() && !is_over(stored.expires_at)).ok_or(UNKNOWN)?;
        self.note_use(&stored);
        let StoredApiToken { id, user_id, scopes, expires_at, .. } = stored;
        let scopes = Scopes::parse(&scopes).map_err(|error| {
            tracing::error!(token = %id, %error, "an API token is stored with scopes that cannot be read");
            UNKNOWN
        })?;
        Ok(Known { principal: Principal::user(&user_id).with(scopes, Credential::ApiToken(id)), expires_at, asked })
    }

    /// Notes beside the request that a token was used, once a minute.
    fn note_use(&self, stored: &StoredApiToken) {
        let now = Timestamp::now();
        let a_minute_ago = now.plus_millis(-60_000);
        let is_noted = stored.last_used_at.is_some_and(|last| last >= a_minute_ago);
        if is_noted || !self.noted.entry(stored.id).or_insert(()).is_fresh() {
            return;
        }
        let (database, id): (_, ApiTokenId) = (self.database.clone(), stored.id);
        tokio::spawn(async move {
            let count = StatementCount::default();
            let noting = database
                .write(&count, move |connection| Box::pin(api_tokens::note_use(connection, id, now, a_minute_ago)));
            if let Err(error) = noting.await {
                tracing::debug!(token = %id, %error, "the use of an API token could not be noted");
            }
        });
    }
}

fn is_over(expires_at: Option<Timestamp>) -> bool {
    expires_at.is_some_and(|end| end <= Timestamp::now())
}
