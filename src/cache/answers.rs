//! From questions to answers: tier by tier, and what is missing from the database.

use std::sync::Arc;
use std::time::Duration;

use rand::RngExt as _;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::counts::Counts;
use super::fingerprint::Fingerprint;
use super::flights::{Flight, Landing, Role};
use super::generations::Generation;
use super::kind::Kind;
use super::process::AnyValue;
use super::shared::SharedGeneration;
use super::tag::Tag;
use super::{Cache, FlightKey, payload};
use crate::domain::Timestamp;

/// Entries live shorter than they may by up to this part, so that those that were made together do not end together.
const JITTER: f64 = 0.1;

/// A question: the name of its entry, and what the entry depends on.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The entry's name.
    pub name: Fingerprint,
    /// What it depends on.
    pub tag: Tag,
}

/// What an entry takes in memory beside what its bytes take.
pub trait Footprint {
    /// The size of what the value points to.
    fn pointed_to(&self) -> usize;
}

/// The answers to a batch of questions.
#[derive(Debug)]
pub struct Answers<V, E> {
    /// In the order of the questions.
    pub answers: Vec<Result<V, E>>,
    /// How many the process tier gave.
    pub process_hits: usize,
    /// How many the shared tier gave.
    pub shared_hits: usize,
    /// Which of them are to be loaded anew soon.
    pub refresh: Vec<usize>,
}

/// What is done with what the tiers have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It is believed.
    Read,
    /// It is replaced.
    Refresh,
}

/// A question on its way through the tiers.
pub(super) struct Open<V, E> {
    pub(super) generation: Generation,
    pub(super) shared: Option<SharedGeneration>,
    pub(super) answer: Option<Result<V, E>>,
}

impl Cache {
    /// The answers to `wanted`: what the tiers have, and the rest as `load` finds it for the places given to it, in their
    /// order. Each tier is asked once.
    pub async fn answers<V, E, L, F>(&self, kind: Kind, mode: Mode, wanted: &[Wanted], load: L) -> Answers<V, E>
    where
        V: Clone + Serialize + DeserializeOwned + Footprint + Send + Sync + 'static,
        E: Clone + Send + Sync + 'static,
        L: Fn(Vec<usize>) -> F,
        F: Future<Output = Vec<Result<V, E>>>,
    {
        // Before anything is read: what changes from now on is of a later generation.
        let mut open: Vec<Open<V, E>> = wanted
            .iter()
            .map(|wanted| Open { generation: self.generations.of(wanted.tag.as_str()), shared: None, answer: None })
            .collect();
        let mut found = Answers { answers: Vec::new(), process_hits: 0, shared_hits: 0, refresh: Vec::new() };
        if self.knowledge.is_fresh() {
            if mode == Mode::Read {
                self.ask_process(wanted, &mut open, &mut found);
            }
            self.ask_shared(kind, mode, wanted, &mut open, &mut found).await;
            self.ask_others(kind, wanted, &mut open, &load).await;
        } else {
            Counts::add(&self.counts.unbelieved, wanted.len());
        }
        self.ask_database(kind, wanted, &mut open, &load).await;
        found.answers = open.into_iter().filter_map(|open| open.answer).collect();
        found
    }

    fn ask_process<V: Clone + 'static, E>(
        &self,
        wanted: &[Wanted],
        open: &mut [Open<V, E>],
        found: &mut Answers<V, E>,
    ) {
        let Some(process) = &self.process else { return };
        for (place, (wanted, open)) in wanted.iter().zip(open).enumerate() {
            let Some(entry) = process.get(&wanted.name, open.generation) else { continue };
            if let Some(value) = entry.value.downcast_ref::<V>() {
                open.answer = Some(Ok(value.clone()));
                found.process_hits += 1;
                if entry.refresh {
                    found.refresh.push(place);
                }
            }
        }
        Counts::add(&self.counts.process_hits, found.process_hits);
    }

    /// Loads what nobody else is loading, and waits for what others load.
    async fn ask_others<V, E, L, F>(&self, kind: Kind, wanted: &[Wanted], open: &mut [Open<V, E>], load: &L)
    where
        V: Clone + Serialize + Footprint + Send + Sync + 'static,
        E: Clone + Send + Sync + 'static,
        L: Fn(Vec<usize>) -> F,
        F: Future<Output = Vec<Result<V, E>>>,
    {
        let mut leads: Vec<(usize, Flight<FlightKey>)> = Vec::new();
        let mut joins: Vec<(usize, Landing)> = Vec::new();
        for place in unanswered(open) {
            let Open { generation, shared, .. } = open[place];
            // Without a process tier, only the shared one tells whether a load began before what others have changed.
            if self.process.is_none() && !shared.is_some_and(|seen| seen.is_known()) {
                continue;
            }
            match self.flights.enter((wanted[place].name, generation, shared)) {
                Role::Lead(flight) => leads.push((place, flight)),
                Role::Join(landing) => joins.push((place, landing)),
            }
        }
        let loaded = self.load(kind, wanted, open, leads.iter().map(|(place, _)| *place).collect(), load).await;
        for ((_, flight), answer) in leads.into_iter().zip(loaded) {
            flight.land(Arc::new(answer));
        }
        for (place, landing) in joins {
            // Those whose leader left load for themselves.
            let landed = landing.await.ok();
            let answer = landed.and_then(|landed: AnyValue| landed.downcast_ref::<Result<V, E>>().cloned());
            Counts::add(&self.counts.joined, usize::from(answer.is_some()));
            open[place].answer = answer;
        }
    }

    async fn ask_database<V, E, L, F>(&self, kind: Kind, wanted: &[Wanted], open: &mut [Open<V, E>], load: &L)
    where
        V: Clone + Serialize + Footprint + Send + Sync + 'static,
        E: Clone,
        L: Fn(Vec<usize>) -> F,
        F: Future<Output = Vec<Result<V, E>>>,
    {
        let places = unanswered(open);
        self.load(kind, wanted, open, places, load).await;
    }

    /// Loads the answers to the questions at `places`, and keeps them.
    async fn load<V, E, L, F>(
        &self,
        kind: Kind,
        wanted: &[Wanted],
        open: &mut [Open<V, E>],
        places: Vec<usize>,
        load: &L,
    ) -> Vec<Result<V, E>>
    where
        V: Clone + Serialize + Footprint + Send + Sync + 'static,
        E: Clone,
        L: Fn(Vec<usize>) -> F,
        F: Future<Output = Vec<Result<V, E>>>,
    {
        if places.is_empty() {
            return Vec::new();
        }
        Counts::add(&self.counts.misses, places.len());
        let loaded_at = Timestamp::now();
        let loaded = load(places.clone()).await;
        for (&place, answer) in places.iter().zip(&loaded) {
            if let Ok(value) = answer {
                self.keep(kind, &wanted[place], &open[place], loaded_at, value);
            }
            open[place].answer = Some(answer.clone());
        }
        loaded
    }

    fn keep<V, E>(&self, kind: Kind, wanted: &Wanted, open: &Open<V, E>, loaded_at: Timestamp, value: &V)
    where
        V: Clone + Serialize + Footprint + Send + Sync + 'static,
    {
        let lifetime = with_jitter(self.lifetimes.of(kind));
        self.keep_shared(wanted, open.shared, loaded_at, value, lifetime);
        self.keep_in_process(wanted, open.generation, value, lifetime);
    }

    pub(super) fn keep_in_process<V>(&self, wanted: &Wanted, generation: Generation, value: &V, lifetime: Duration)
    where
        V: Clone + Serialize + Footprint + Send + Sync + 'static,
    {
        let Some(process) = &self.process else { return };
        let bytes = payload::encoded_size(value) + value.pointed_to();
        if bytes <= self.max_entry {
            process.insert(wanted.name, generation, Arc::new(value.clone()), bytes, lifetime);
        }
    }
}

pub(super) fn unanswered<V, E>(open: &[Open<V, E>]) -> Vec<usize> {
    open.iter().enumerate().filter(|(_, open)| open.answer.is_none()).map(|(place, _)| place).collect()
}

fn with_jitter(lifetime: Duration) -> Duration {
    lifetime.mul_f64(1.0 - rand::rng().random_range(0.0..JITTER))
}
