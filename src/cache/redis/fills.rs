//! Storing entries, off the way of the requests that loaded them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use fred::clients::Client;
use fred::prelude::{Error, Expiration, KeysInterface as _, SetOptions};
use fred::types::Value;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::connection::Connections;
use super::counts::RedisCounts;
use super::format::{self, Generation, KeySpace};
use super::{Fill, GENERATION_LIFETIME};
use crate::telemetry::{self, RedisCommands};

/// How many entries may wait to be stored.
const QUEUE: usize = 4096;
/// How many are stored together.
const AT_ONCE: usize = 256;
/// How many times as long as a request anybody waits for entries to be stored: nobody waits for it.
const PATIENCE: u32 = 5;

/// Where entries wait to be stored.
#[derive(Clone)]
pub struct Fills {
    queue: mpsc::Sender<(Uuid, Fill)>,
    counts: Arc<RedisCounts>,
}

impl Fills {
    /// A queue and the task that works on it; it ends with the queue.
    pub fn start(
        connections: &Arc<Connections>,
        keys: &Arc<KeySpace>,
        counts: &Arc<RedisCounts>,
        command_timeout: Duration,
    ) -> Self {
        let (queue, entries) = mpsc::channel(QUEUE);
        let worker = Worker {
            connections: Arc::clone(connections),
            keys: Arc::clone(keys),
            counts: Arc::clone(counts),
            patience: command_timeout * PATIENCE,
        };
        tokio::spawn(worker.run(entries));
        Self { queue, counts: Arc::clone(counts) }
    }

    /// Puts an entry in line; when the line is too long it is left out.
    pub fn enqueue(&self, namespace: Uuid, fill: Fill) {
        if self.queue.try_send((namespace, fill)).is_err() {
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

struct Worker {
    connections: Arc<Connections>,
    keys: Arc<KeySpace>,
    counts: Arc<RedisCounts>,
    patience: Duration,
}

impl Worker {
    async fn run(self, mut entries: mpsc::Receiver<(Uuid, Fill)>) {
        let mut fills = Vec::with_capacity(AT_ONCE);
        while entries.recv_many(&mut fills, AT_ONCE).await > 0 {
            let Some(live) = self.connections.current() else {
                self.counts.dropped.fetch_add(fills.len() as u64, Ordering::Relaxed);
                fills.clear();
                continue;
            };
            let commands = RedisCommands { operation: "SET", keys: fills.len() };
            let storing = tokio::time::timeout(self.patience, self.store(&live.client, std::mem::take(&mut fills)));
            let failed = |stored: &Result<_, _>| !matches!(stored, Ok(Ok(())));
            let stored = telemetry::redis(commands, storing, failed);
            match telemetry::within(telemetry::root("evalgraph cache fill"), stored).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => self.connections.give_up(live.number, error.details()),
                Err(_) => self.connections.give_up(live.number, "it did not store in time"),
            }
        }
    }

    async fn store(&self, client: &Client, fills: Vec<(Uuid, Fill)>) -> Result<(), Error> {
        let pipeline = client.pipeline();
        let generations_live = Expiration::EX(i64::try_from(GENERATION_LIFETIME.as_secs()).unwrap_or(i64::MAX));
        for (namespace, fill) in fills {
            let (key, value, expiration, options) = match fill.generation {
                Some(generation) => {
                    let ttl = Expiration::PX(i64::try_from(fill.ttl.as_millis()).unwrap_or(i64::MAX).max(1));
                    (self.keys.entry(namespace, &fill.key), format::value(generation, &fill.payload), ttl, None)
                }
                None => {
                    let key = self.keys.generation(namespace, &fill.key.tag);
                    (key, Generation::random().bytes(), generations_live.clone(), Some(SetOptions::NX))
                }
            };
            let _queued: () = pipeline.set(key, value, Some(expiration), options, false).await?;
        }
        for result in pipeline.try_all::<Value>().await {
            match result {
                Ok(_) => self.counts.fills.fetch_add(1, Ordering::Relaxed),
                // There is no place for it: that is no failure of the connection.
                Err(error) if error.details().starts_with("OOM") => self.counts.dropped.fetch_add(1, Ordering::Relaxed),
                Err(error) => return Err(error),
            };
        }
        Ok(())
    }
}
