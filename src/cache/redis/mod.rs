//! The shared tier: a Redis or Valkey server, or a cluster of them, spoken to through fred.
//!
//! Every tag has a *generation*, a random number that is never used again. An entry begins with the generation under which
//! it was loaded, and counts as long as that is still its tag's: to invalidate is to set another. So whoever was slow
//! and stores what is out of date stores it under a generation that is gone.

mod connection;
mod counts;
mod fills;
mod format;
mod script;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use fred::clients::Client;
use fred::prelude::{ClientLike as _, Expiration, FredResult, Key, KeysInterface as _};
use thiserror::Error;
use uuid::Uuid;

use self::connection::Connections;
use self::fills::Fills;
use self::format::KeySpace;
use crate::telemetry::{self, RedisCommands};

pub use connection::BadUrl;
pub use counts::RedisCounts;
pub use format::Generation;
pub use script::ScriptFailure;

/// How long a tag keeps its generation: longer than any entry lives. One that is lost costs a load.
const GENERATION_LIFETIME: Duration = Duration::from_secs(2 * 60 * 60);

/// How many tags are invalidated together: so many take no longer than one may be waited for.
const INVALIDATED_AT_ONCE: usize = 500;

/// How the server is reached.
#[derive(Clone)]
pub struct RedisSettings {
    /// Where it is: `redis://`, `rediss://`, `redis-cluster://`, `redis-sentinel://`.
    pub url: String,
    /// How long a request waits for an answer. After that the server is not asked until it has shown that it answers.
    pub command_timeout: Duration,
    /// What keys begin with, where several services share a server.
    pub prefix: String,
    /// The largest value that is stored, in bytes.
    pub max_value: usize,
}

/// The server did not answer, or is not asked at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the shared cache does not answer")]
pub struct Unavailable;

/// The name of an entry and the tag that it depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryKey {
    /// The tag.
    pub tag: Arc<str>,
    /// The name.
    pub entry: [u8; 32],
}

/// What was found of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// The generation of its tag, if it has one.
    pub generation: Option<Generation>,
    /// Its value, if it is of that generation.
    pub payload: Option<Bytes>,
}

/// An entry to be stored.
#[derive(Debug, Clone)]
pub struct Fill {
    /// Under which name.
    pub key: EntryKey,
    /// The generation that its tag had before it was loaded. Without one nothing is stored, but the tag is given one.
    pub generation: Option<Generation>,
    /// The value.
    pub payload: Bytes,
    /// How long it is kept.
    pub ttl: Duration,
}

/// The shared tier. Clones are the same one; with the last of them the connection ends.
#[derive(Clone)]
pub struct RedisTier {
    connections: Arc<Connections>,
    fills: Fills,
    keys: Arc<KeySpace>,
    command_timeout: Duration,
    max_value: usize,
    counts: Arc<RedisCounts>,
}

impl RedisTier {
    /// Begins to connect. A server that cannot be reached is tried again and again.
    ///
    /// # Errors
    /// When the URL cannot be understood.
    pub fn start(settings: &RedisSettings) -> Result<Self, BadUrl> {
        let counts = Arc::new(RedisCounts::default());
        let keys = Arc::new(KeySpace::new(&settings.prefix));
        let connections = Arc::new(Connections::start(settings, &keys, &counts)?);
        let fills = Fills::start(&connections, &keys, &counts, settings.command_timeout);
        Ok(Self {
            connections,
            fills,
            keys,
            command_timeout: settings.command_timeout,
            max_value: settings.max_value,
            counts,
        })
    }

    /// The number of the connection that is in use; none while there is none. No two have the same.
    #[must_use]
    pub fn connection(&self) -> Option<u64> {
        self.connections.current().map(|live| live.number)
    }

    /// A number for the servers that the connection in use leads to: others than before have another.
    #[must_use]
    pub fn servers(&self) -> Option<u64> {
        self.connections.current().map(|live| live.servers)
    }

    /// What was done so far.
    #[must_use]
    pub fn counts(&self) -> &RedisCounts {
        &self.counts
    }

    /// Looks up all `keys` in one round trip; in a cluster, one for each part of it.
    ///
    /// # Errors
    /// When the server does not answer in time.
    pub async fn lookup(&self, namespace: Uuid, keys: &[EntryKey]) -> Result<Vec<Looked>, Unavailable> {
        let mut wanted: Vec<Key> = Vec::with_capacity(keys.len() * 2);
        let mut places = Vec::with_capacity(keys.len());
        let mut tags: std::collections::HashMap<&str, usize> = std::collections::HashMap::new();
        for key in keys {
            let generation = *tags.entry(&key.tag).or_insert_with(|| {
                wanted.push(self.keys.generation(namespace, &key.tag));
                wanted.len() - 1
            });
            places.push((generation, wanted.len()));
            wanted.push(self.keys.entry(namespace, key));
        }
        let commands = RedisCommands { operation: "MGET", keys: wanted.len() };
        let values = self.ask(commands, async |client| get_all(&client, wanted).await).await?;
        let looked: Vec<Looked> = places
            .into_iter()
            .map(|(generation, entry)| {
                let generation =
                    values.get(generation).and_then(Option::as_ref).and_then(|value| Generation::read(value));
                let value = values.get(entry).and_then(Option::as_ref);
                let payload = generation.zip(value).and_then(|(generation, value)| format::payload(generation, value));
                Looked { generation, payload }
            })
            .collect();
        let hits = looked.iter().filter(|looked| looked.payload.is_some()).count();
        self.counts.hits.fetch_add(hits as u64, Ordering::Relaxed);
        self.counts.misses.fetch_add((looked.len() - hits) as u64, Ordering::Relaxed);
        Ok(looked)
    }

    /// Stores entries, without waiting for it. When there is too much to store, it is left out.
    pub fn fill(&self, namespace: Uuid, fill: Fill) {
        if fill.payload.len() > self.max_value {
            self.counts.too_large.fetch_add(1, Ordering::Relaxed);
        } else {
            self.fills.enqueue(namespace, fill);
        }
    }

    /// Gives each tag another generation: what was stored before counts no more.
    ///
    /// # Errors
    /// When not all of it was confirmed in time.
    pub async fn invalidate(&self, namespace: Uuid, tags: &[String]) -> Result<(), Unavailable> {
        for tags in tags.chunks(INVALIDATED_AT_ONCE) {
            let keys: Vec<Key> = tags.iter().map(|tag| self.keys.generation(namespace, tag)).collect();
            let commands = RedisCommands { operation: "SET", keys: keys.len() };
            self.ask(commands, async |client| replace_generations(&client, keys).await).await?;
        }
        self.counts.invalidations.fetch_add(tags.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    /// Asks over the connection that is in use, and gives it up when there is no answer in time, or none that makes sense.
    async fn ask<T, F>(&self, commands: RedisCommands, question: impl FnOnce(Client) -> F) -> Result<T, Unavailable>
    where
        F: Future<Output = FredResult<T>>,
    {
        telemetry::redis(commands, self.ask_in_time(question), Result::is_err).await
    }

    async fn ask_in_time<T, F>(&self, question: impl FnOnce(Client) -> F) -> Result<T, Unavailable>
    where
        F: Future<Output = FredResult<T>>,
    {
        let live = self.connections.current().ok_or(Unavailable)?;
        let answer = tokio::time::timeout(self.command_timeout, question(live.client.clone())).await;
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                self.connections.give_up(live.number, error.details());
                Err(Unavailable)
            }
            Err(_) => {
                self.counts.timeouts.fetch_add(1, Ordering::Relaxed);
                self.connections.give_up(live.number, "it did not answer in time");
                Err(Unavailable)
            }
        }
    }
}

/// The values of all keys. In a cluster, keys are asked for together where they are kept together.
async fn get_all(client: &Client, keys: Vec<Key>) -> FredResult<Vec<Option<Bytes>>> {
    if !client.is_clustered() {
        return client.mget(keys).await;
    }
    let mut slots: std::collections::BTreeMap<u16, Vec<usize>> = std::collections::BTreeMap::new();
    for (place, key) in keys.iter().enumerate() {
        slots.entry(key.cluster_hash()).or_default().push(place);
    }
    let lookups = slots.into_values().map(|places| {
        let keys: Vec<Key> = places.iter().map(|&place| keys[place].clone()).collect();
        async move { client.mget::<Vec<Option<Bytes>>, _>(keys).await.map(|values| (places, values)) }
    });
    let mut values = vec![None; keys.len()];
    for (places, found) in futures_util::future::try_join_all(lookups).await? {
        places.into_iter().zip(found).for_each(|(place, value)| values[place] = value);
    }
    Ok(values)
}

/// Sets new generations; a server that has no memory for them forgets the old ones.
async fn replace_generations(client: &Client, keys: Vec<Key>) -> FredResult<()> {
    let pipeline = client.pipeline();
    let expiration = Expiration::EX(i64::try_from(GENERATION_LIFETIME.as_secs()).unwrap_or(i64::MAX));
    for key in &keys {
        let _queued: () =
            pipeline.set(key.clone(), Generation::random().bytes(), Some(expiration.clone()), None, false).await?;
    }
    let forgetting = client.pipeline();
    let mut is_out_of_memory = false;
    for (key, result) in keys.into_iter().zip(pipeline.try_all::<fred::types::Value>().await) {
        match result {
            Ok(_) => {}
            Err(error) if error.details().starts_with("OOM") => {
                is_out_of_memory = true;
                let _queued: () = forgetting.unlink(key).await?;
            }
            Err(error) => return Err(error),
        }
    }
    if is_out_of_memory {
        forgetting.all::<fred::types::Value>().await?;
    }
    Ok(())
}
