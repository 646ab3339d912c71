//! Follows the outbox: what others have changed is carried out, and what was carried out is removed.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use diesel::result::QueryResult;
use futures_util::future::BoxFuture;
use rand::RngExt as _;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::Cache;
use super::invalidation::CarryOut;
use super::knowledge::{LEASE, Shared};
use super::redis::RedisTier;
use crate::db::outbox::{self, CacheState, OutboxRow};
use crate::db::pool::Invalidation;
use crate::db::{Database, DbConnection, DbError, StatementCount};
use crate::telemetry;

/// How often the outbox is read.
const INTERVAL: Duration = Duration::from_millis(250);
/// A row that was there for longer was left behind by an instance that died before it had carried out what it changed.
pub(super) const ABANDONED_AFTER: Duration = Duration::from_secs(2);
/// By then every instance has read a row, or believes nothing.
const READ_BY_ALL_AFTER: Duration = Duration::from_millis(1500);
/// How many rows are read at a time. When there are more, everything is invalidated.
const MOST_ROWS: i64 = 20_000;
/// How often it is noted that somebody uses the shared tier.
const RENEWAL: Duration = Duration::from_secs(10);
/// How often the refusal to use the shared tier is repeated, which counts for three times as long.
const REFUSAL: Duration = Duration::from_secs(1);

/// How often the outbox is trimmed where nobody follows it.
const TRIM_INTERVAL: Duration = Duration::from_secs(10 * 60);

/// The task that follows the outbox; it ends with this.
pub struct Follower(JoinHandle<()>);

impl Drop for Follower {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Follower {
    /// Makes `database` tell `cache` of every change, and follows what others change.
    #[must_use]
    pub fn start(cache: &Arc<Cache>, database: Database) -> (Self, Database) {
        let hook: Arc<dyn Invalidation> = Arc::new(CarryOut(Arc::clone(cache)));
        let database = database.with_invalidation(hook);
        let following = Following {
            cache: Arc::clone(cache),
            database: database.clone(),
            instance: database.instance(),
            read_first: HashMap::new(),
            carried_out: HashSet::new(),
            connection: None,
            renewed: None,
            refused: None,
        };
        (Self(tokio::spawn(following.run())), database)
    }
}

impl Follower {
    /// Keeps the outbox short where no cache follows it.
    #[must_use]
    pub fn trim(database: Database) -> Self {
        Self(tokio::spawn(async move {
            loop {
                let count = StatementCount::default();
                if let Err(error) = database.write(&count, |connection| Box::pin(outbox::trim(connection))).await {
                    tracing::debug!(%error, "the outbox could not be trimmed");
                }
                tokio::time::sleep(TRIM_INTERVAL).await;
            }
        }))
    }
}

struct Following {
    cache: Arc<Cache>,
    database: Database,
    instance: Uuid,
    /// When each row was read first.
    read_first: HashMap<i64, Instant>,
    /// Rows of others that were carried out in the shared tier.
    carried_out: HashSet<i64>,
    /// The connection to the shared tier that nothing was lost over so far.
    connection: Option<u64>,
    renewed: Option<Instant>,
    refused: Option<Instant>,
}

impl Following {
    async fn run(mut self) {
        let (database, changed) = (self.database.clone(), Arc::new(Notify::new()));
        tokio::select! {
            () = database.listen(Arc::clone(&changed)) => {}
            () = self.follow(&changed) => {}
        }
    }

    async fn follow(&mut self, changed: &Notify) {
        let mut has_failed = false;
        loop {
            let failure = self.cycle().await.err();
            if let Some(error) = failure.as_ref().filter(|_| !has_failed) {
                tracing::warn!(%error, "the cache is not believed: what has changed cannot be read");
            } else if failure.is_none() && has_failed {
                tracing::info!("the cache is believed again");
            }
            has_failed = failure.is_some();
            let _ = tokio::time::timeout(INTERVAL, changed.notified()).await;
        }
    }

    /// Reads the outbox once, carries out what it finds, and from then on believes what is remembered.
    async fn cycle(&mut self) -> Result<(), DbError> {
        let began = Instant::now();
        let missed_some = !self.cache.knowledge.is_fresh();
        let (state, rows) = self.read().await?;
        let all_read = i64::try_from(rows.len()).is_ok_and(|count| count < MOST_ROWS);
        let news = self.news(&rows, began);
        // Most readings find nothing new, four times a second: they have no traces.
        let span = (!news.is_empty()).then(|| telemetry::root("evalgraph cache follow")).flatten();
        if missed_some || !all_read || news.iter().any(|tag| tag == outbox::EVERYTHING) {
            self.cache.clear_process();
        }
        self.cache.invalidate_here(&news);
        let carry_out = async {
            let shared = match self.cache.shared.clone() {
                Some(tier) => self.follow_shared(&tier, &state, &rows, all_read).await?,
                None => Shared::Off,
            };
            self.cache.knowledge.renew(began, shared);
            self.remove(&rows, shared).await;
            Ok(())
        };
        telemetry::within(span, carry_out).await
    }

    async fn read(&self) -> Result<(CacheState, Vec<OutboxRow>), DbError> {
        let count = StatementCount::default();
        let reading = self.database.read(&count, |connection| {
            Box::pin(async move {
                // The state first: a change that came too late for a namespace in it is among the rows.
                let state = outbox::state(connection).await?;
                Ok((state, outbox::rows(connection, MOST_ROWS).await?))
            })
        });
        tokio::time::timeout(LEASE, reading).await.unwrap_or(Err(DbError::StatementTimeout))
    }

    /// What others have changed since the last reading.
    fn news(&mut self, rows: &[OutboxRow], now: Instant) -> Vec<String> {
        let ids: HashSet<i64> = rows.iter().map(|row| row.id).collect();
        self.read_first.retain(|id, _| ids.contains(id));
        self.carried_out.retain(|id| ids.contains(id));
        let mut news = Vec::new();
        for row in rows {
            if let Entry::Vacant(entry) = self.read_first.entry(row.id) {
                entry.insert(now);
                if row.origin != Some(self.instance) {
                    news.push(row.tag.clone());
                }
            }
        }
        news
    }

    /// Whether a row was there to be read for so long.
    fn is_older(&self, row: &OutboxRow, age: Duration) -> bool {
        self.read_first.get(&row.id).is_some_and(|first| first.elapsed() >= age)
    }

    /// Finds out whether the shared tier is in force, and does what is needed for it to be.
    async fn follow_shared(
        &mut self,
        tier: &RedisTier,
        state: &CacheState,
        rows: &[OutboxRow],
        all_read: bool,
    ) -> Result<Shared, DbError> {
        let settled = state.age >= LEASE;
        let Some((connection, servers)) = tier.connection().zip(tier.servers()) else {
            self.refuse(state).await?;
            return Ok(if state.namespace.is_none() && settled { Shared::Off } else { Shared::Unsettled(None) });
        };
        // What came over another connection may have been lost, with a server that started again.
        let is_another = self.connection.is_some_and(|before| before != connection);
        // Others may have been led to another server, which knows nothing of what is invalidated on ours.
        let leads_elsewhere = state.namespace.is_some_and(|namespace| namespace.as_u64_pair().1 != servers);
        if state.namespace.is_some() && (is_another || leads_elsewhere || state.abandoned || !all_read) {
            self.refuse(state).await?;
            self.connection = Some(connection);
            return Ok(Shared::Unsettled(None));
        }
        self.connection = Some(connection);
        let Some(namespace) = state.namespace else {
            if !state.refused {
                self.propose(servers).await?;
            }
            return Ok(if settled { Shared::Off } else { Shared::Unsettled(None) });
        };
        if !settled {
            return Ok(Shared::Unsettled(Some(namespace)));
        }
        if !self.carry_out_left_behind(tier, namespace, rows).await {
            return Ok(Shared::Unsettled(Some(namespace)));
        }
        self.renew().await?;
        Ok(Shared::InForce { namespace, connection })
    }

    /// Carries out in the shared tier what was written behind the servers' back, and what instances left behind that died
    /// between a commit and the end of its invalidation.
    async fn carry_out_left_behind(&mut self, tier: &RedisTier, namespace: Uuid, rows: &[OutboxRow]) -> bool {
        let is_left_behind = |row: &&OutboxRow| match row.origin {
            None => true,
            Some(origin) => origin != self.instance && self.is_older(row, ABANDONED_AFTER),
        };
        let left_behind: Vec<&OutboxRow> =
            rows.iter().filter(|row| !self.carried_out.contains(&row.id)).filter(is_left_behind).collect();
        if left_behind.is_empty() {
            return true;
        }
        let tags: Vec<String> = left_behind.iter().map(|row| row.tag.clone()).collect();
        let confirmed = tier.invalidate(namespace, &tags).await.is_ok();
        if confirmed {
            let ids: Vec<i64> = left_behind.iter().map(|row| row.id).collect();
            self.carried_out.extend(ids);
        }
        confirmed
    }

    /// Removes the rows that every instance has read and that nobody needs to carry out any more.
    /// When that fails, or takes long because somebody else writes, the next reading does it.
    async fn remove(&mut self, rows: &[OutboxRow], shared: Shared) {
        let all_confirmed = self.cache.unconfirmed.load(Ordering::SeqCst) == 0;
        let is_done = |row: &&OutboxRow| {
            let is_mine = row.origin == Some(self.instance) && all_confirmed;
            let is_carried_out = is_mine || self.carried_out.contains(&row.id) || shared == Shared::Off;
            is_carried_out && self.is_older(row, READ_BY_ALL_AFTER)
        };
        let ids: Vec<i64> = rows.iter().filter(is_done).map(|row| row.id).collect();
        if ids.is_empty() {
            return;
        }
        let removal = self.write(move |connection| Box::pin(async move { outbox::remove(connection, &ids).await }));
        if let Err(error) = tokio::time::timeout(INTERVAL, removal).await.unwrap_or(Ok(())) {
            tracing::debug!(%error, "what was carried out stays in the outbox for now");
        }
    }

    /// Tells all instances not to use the shared tier, for this one cannot.
    async fn refuse(&mut self, state: &CacheState) -> Result<(), DbError> {
        let is_recent = self.refused.is_some_and(|refused| refused.elapsed() < REFUSAL);
        if is_recent && state.namespace.is_none() {
            return Ok(());
        }
        self.write(|connection| Box::pin(outbox::refuse(connection))).await?;
        self.refused = Some(Instant::now());
        Ok(())
    }

    /// Begins anew with the shared tier: nothing that is in it counts.
    async fn propose(&mut self, servers: u64) -> Result<(), DbError> {
        // Its second half tells which servers it is of.
        let namespace = Uuid::from_u64_pair(rand::rng().random(), servers);
        self.write(move |connection| Box::pin(outbox::propose(connection, namespace))).await
    }

    async fn renew(&mut self) -> Result<(), DbError> {
        if self.renewed.is_some_and(|renewed| renewed.elapsed() < RENEWAL) {
            return Ok(());
        }
        self.write(|connection| Box::pin(outbox::renew(connection))).await?;
        self.renewed = Some(Instant::now());
        Ok(())
    }

    async fn write<W>(&self, work: W) -> Result<(), DbError>
    where
        W: for<'c> FnOnce(&'c mut DbConnection) -> BoxFuture<'c, QueryResult<()>> + Send + 'static,
    {
        let count = StatementCount::default();
        let writing = self.database.write(&count, work);
        tokio::time::timeout(LEASE, writing).await.unwrap_or(Err(DbError::StatementTimeout))
    }
}
