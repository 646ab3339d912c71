//! A loader: answers one question for many keys at once, and remembers the answers for as long as the request lives.

use std::collections::HashMap;
use std::hash::Hash;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use thiserror::Error;

use super::cached::CacheUsage;
use super::dispatch::Dispatcher;
use crate::db::DbError;
use crate::telemetry::metrics::{self, LoaderAnswers};
use crate::telemetry::{self, BatchFacts, FieldLink, FieldSpan, FieldSpans};

/// Why a batch has no answer. Everybody who waits for it gets the same.
#[derive(Debug, Clone, Error)]
pub enum LoadError {
    /// The store failed.
    #[error(transparent)]
    Database(Arc<DbError>),
    /// The batch answered for another number of keys than it was asked for.
    #[error("the loader {0} left keys without an answer")]
    Incomplete(&'static str),
}

impl From<DbError> for LoadError {
    fn from(error: DbError) -> Self {
        Self::Database(Arc::new(error))
    }
}

/// One question.
pub trait Batch: Send + Sync + 'static {
    /// Whom it is asked about, together with everything that the answer depends on.
    type Key: Clone + Eq + Hash + Send + Sync + 'static;
    /// An answer; cheap to clone. A miss is an answer too: say `Option`, or an empty page.
    type Value: Clone + Send + Sync + 'static;

    /// The loader's name in reports.
    fn name(&self) -> &'static str;

    /// What a cache answered so far, where there is one.
    fn cache_usage(&self) -> CacheUsage {
        CacheUsage::default()
    }

    /// The answers for all `keys`, in their order. The keys are distinct; each has its own answer or failure.
    fn load(&self, keys: &[Self::Key]) -> impl Future<Output = Vec<Result<Self::Value, LoadError>>> + Send;
}

/// What a loader did so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LoaderUsage {
    /// Batches sent.
    pub batches: u64,
    /// Keys that were loaded.
    pub keys: u64,
    /// Questions answered by what was loaded, or on its way, already.
    pub hits: u64,
    /// Keys that a cache answered.
    pub cache: CacheUsage,
}

/// Asks the question of a [`Batch`]: collects keys until the request's [`Dispatcher`] sends them, shares what is on
/// its way, and asks about no key twice.
pub struct Loader<B: Batch> {
    shared: Arc<Shared<B>>,
}

struct Shared<B: Batch> {
    batch: B,
    dispatcher: Arc<Dispatcher>,
    state: Mutex<State<B>>,
}

struct State<B: Batch> {
    answers: HashMap<B::Key, Answer<B::Value>>,
    /// Keys of the batch that is in line.
    collected: Vec<B::Key>,
    /// The resolvers that wait for it.
    waiting: Vec<FieldLink>,
    /// Hits that the spans of batches have told.
    hits_told: u64,
    usage: LoaderUsage,
}

enum Answer<V> {
    Awaited(Vec<Waker>),
    Known(Result<V, LoadError>),
}

impl<B: Batch> Loader<B> {
    /// A loader whose batches `dispatcher` sends.
    pub fn new(batch: B, dispatcher: Arc<Dispatcher>) -> Self {
        let state = State {
            answers: HashMap::new(),
            collected: Vec::new(),
            waiting: Vec::new(),
            hits_told: 0,
            usage: LoaderUsage::default(),
        };
        Self { shared: Arc::new(Shared { batch, dispatcher, state: Mutex::new(state) }) }
    }

    /// The answer for one key.
    pub fn load(&self, key: B::Key) -> Load<'_, B> {
        let field = self.shared.dispatcher.fields.as_ref().and_then(FieldSpans::take);
        Load { shared: &self.shared, key, asked: false, waker: None, field }
    }

    /// Forgets the answers that are known, because what they are about may have changed since. Those that are on their
    /// way reach whoever waits for them.
    pub fn forget(&self) {
        self.shared.lock().answers.retain(|_, answer| matches!(answer, Answer::Awaited(_)));
    }

    /// The loader's name and what it did so far.
    #[must_use]
    pub fn usage(&self) -> (&'static str, LoaderUsage) {
        let usage = LoaderUsage { cache: self.shared.batch.cache_usage(), ..self.shared.lock().usage };
        (self.shared.batch.name(), usage)
    }
}

/// The future of [`Loader::load`].
pub struct Load<'a, B: Batch> {
    shared: &'a Arc<Shared<B>>,
    key: B::Key,
    asked: bool,
    /// Where among those who wait for the key this one stands.
    waker: Option<usize>,
    /// The span of the resolver that asks.
    field: Option<FieldSpan>,
}

impl<B: Batch> Unpin for Load<'_, B> {}

impl<B: Batch> Future for Load<'_, B> {
    type Output = Result<B::Value, LoadError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let mut guard = this.shared.lock();
        let state = &mut *guard;
        if let Some(answer) = state.answers.get_mut(&this.key) {
            if !this.asked {
                this.asked = true;
                state.usage.hits += 1;
                // One that asks for what is on its way already is not told of: the batch has left.
                if let (Answer::Awaited(_), Some(field), false) = (&*answer, &this.field, state.collected.is_empty()) {
                    state.waiting.push(field.link());
                }
            }
            return match answer {
                Answer::Known(result) => {
                    if let (Some(field), Err(_)) = (this.field.take(), &*result) {
                        field.fail();
                    }
                    Poll::Ready(result.clone())
                }
                Answer::Awaited(wakers) => {
                    match this.waker {
                        Some(place) => wakers[place].clone_from(context.waker()),
                        None => {
                            this.waker = Some(wakers.len());
                            wakers.push(context.waker().clone());
                        }
                    }
                    Poll::Pending
                }
            };
        }
        this.asked = true;
        this.waker = Some(0);
        state.answers.insert(this.key.clone(), Answer::Awaited(vec![context.waker().clone()]));
        state.collected.push(this.key.clone());
        state.waiting.extend(this.field.as_ref().map(FieldSpan::link));
        let first = state.collected.len() == 1;
        drop(guard);
        if first {
            this.shared.dispatcher.enqueue(send(Arc::clone(this.shared)));
        }
        Poll::Pending
    }
}

/// Loads the keys that were collected by the time it is polled first.
async fn send<B: Batch>(shared: Arc<Shared<B>>) {
    let (keys, facts) = shared.collect();
    let is_failed = |answers: &Vec<Result<_, LoadError>>| answers.iter().any(Result::is_err);
    let (begun, before, hits) = (Instant::now(), shared.batch.cache_usage(), facts.hits);
    let answers = telemetry::batch(facts, shared.batch.load(&keys), is_failed).await;
    let cache = shared.batch.cache_usage();
    let (process, redis) = (cache.process_hits - before.process_hits, cache.shared_hits - before.shared_hits);
    let database = (keys.len() as u64).saturating_sub(process + redis);
    metrics::batch_ended(shared.batch.name(), begun, LoaderAnswers { request: hits, process, redis, database });
    shared.settle(keys, answers);
}

impl<B: Batch> Drop for Shared<B> {
    fn drop(&mut self) {
        let state = self.lock();
        metrics::loader_hits(self.batch.name(), state.usage.hits - state.hits_told);
    }
}

impl<B: Batch> Shared<B> {
    fn lock(&self) -> MutexGuard<'_, State<B>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn collect(&self) -> (Vec<B::Key>, BatchFacts) {
        let mut state = self.lock();
        let keys = std::mem::take(&mut state.collected);
        state.usage.batches += 1;
        state.usage.keys += keys.len() as u64;
        let hits = state.usage.hits - state.hits_told;
        state.hits_told = state.usage.hits;
        let waiting = std::mem::take(&mut state.waiting);
        let facts = BatchFacts { loader: self.batch.name(), keys: keys.len(), hits, waiting };
        (keys, facts)
    }

    fn settle(&self, keys: Vec<B::Key>, mut answers: Vec<Result<B::Value, LoadError>>) {
        if answers.len() != keys.len() {
            answers = vec![Err(LoadError::Incomplete(self.batch.name())); keys.len()];
        }
        let mut waiting = Vec::with_capacity(keys.len());
        let mut state = self.lock();
        for (key, answer) in keys.into_iter().zip(answers) {
            if let Some(Answer::Awaited(wakers)) = state.answers.insert(key, Answer::Known(answer)) {
                waiting.extend(wakers);
            }
        }
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;

    /// Doubles numbers; fails for 13, forgets one key for a batch that contains 14.
    struct Double {
        sent: Arc<Mutex<Vec<Vec<u32>>>>,
    }

    impl Batch for Double {
        type Key = u32;
        type Value = u32;

        fn name(&self) -> &'static str {
            "double"
        }

        async fn load(&self, keys: &[u32]) -> Vec<Result<u32, LoadError>> {
            self.sent.lock().unwrap().push(keys.to_vec());
            tokio::task::yield_now().await;
            let double = |&key| if key == 13 { Err(DbError::StatementTimeout.into()) } else { Ok(key * 2) };
            keys.iter().filter(|&&key| key != 14).map(double).collect()
        }
    }

    type Sent = Arc<Mutex<Vec<Vec<u32>>>>;

    fn doubling() -> (Loader<Double>, Arc<Dispatcher>, Sent) {
        let (dispatcher, sent) = (Arc::new(Dispatcher::default()), Sent::default());
        (Loader::new(Double { sent: Arc::clone(&sent) }, Arc::clone(&dispatcher)), dispatcher, sent)
    }

    #[tokio::test]
    async fn keys_of_one_turn_share_a_batch_and_equal_ones_an_answer() {
        let (loader, dispatcher, sent) = doubling();
        let answers = dispatcher.drive(join_all([3, 1, 3, 2].map(|key| loader.load(key)))).await;
        assert_eq!(answers.into_iter().map(Result::unwrap).collect::<Vec<_>>(), [6, 2, 6, 4]);
        assert_eq!(*sent.lock().unwrap(), [[3, 1, 2]]);
        assert_eq!(loader.usage(), ("double", LoaderUsage { batches: 1, keys: 3, hits: 1, ..LoaderUsage::default() }));
    }

    #[tokio::test]
    async fn a_key_in_flight_is_not_loaded_again() {
        let (loader, dispatcher, sent) = doubling();
        let late = async {
            // By now the first batch has been sent and has not returned.
            while sent.lock().unwrap().is_empty() {
                tokio::time::sleep(std::time::Duration::from_micros(10)).await;
            }
            loader.load(1).await
        };
        let (first, late) = dispatcher.drive(async { tokio::join!(loader.load(1), late) }).await;
        assert_eq!((first.unwrap(), late.unwrap()), (2, 2));
        assert_eq!(*sent.lock().unwrap(), [[1]]);
    }

    #[tokio::test]
    async fn a_known_key_is_answered_from_memory() {
        let (loader, dispatcher, sent) = doubling();
        let sum =
            async { loader.load(4).await.unwrap() + loader.load(4).await.unwrap() + loader.load(5).await.unwrap() };
        assert_eq!(dispatcher.drive(sum).await, 26);
        assert_eq!(*sent.lock().unwrap(), [[4], [5]]);
    }

    #[tokio::test]
    async fn what_was_forgotten_is_asked_for_again() {
        let (loader, dispatcher, sent) = doubling();
        let twice = async {
            loader.load(4).await.unwrap();
            loader.forget();
            loader.load(4).await.unwrap()
        };
        assert_eq!(dispatcher.drive(twice).await, 8);
        assert_eq!(*sent.lock().unwrap(), [[4], [4]]);
    }

    #[tokio::test]
    async fn an_answer_on_its_way_is_not_forgotten() {
        let (loader, dispatcher, sent) = doubling();
        let waiting = async { loader.load(6).await.unwrap() };
        let forgetting = async {
            // By now the other has asked, and its batch was sent.
            while sent.lock().unwrap().is_empty() {
                loader.forget();
                tokio::time::sleep(std::time::Duration::from_micros(10)).await;
            }
            loader.forget();
        };
        assert_eq!(dispatcher.drive(async { tokio::join!(waiting, forgetting) }).await.0, 12);
    }

    #[tokio::test]
    async fn all_who_wait_for_a_key_learn_of_its_failure_and_nobody_else() {
        let (loader, dispatcher, _) = doubling();
        let answers = Arc::clone(&dispatcher).drive(join_all([12, 13, 13].map(|key| loader.load(key)))).await;
        assert_eq!(answers[0].as_ref().ok(), Some(&24));
        for answer in &answers[1..] {
            assert!(matches!(answer, Err(LoadError::Database(error)) if matches!(**error, DbError::StatementTimeout)));
        }
        let answers = dispatcher.drive(join_all([14, 15].map(|key| loader.load(key)))).await;
        assert!(answers.iter().all(|answer| matches!(answer, Err(LoadError::Incomplete("double")))));
    }
}
