//! Exact dispatch: a batch leaves the moment every resolver of the request is waiting.
//!
//! No timer decides when the keys of a batch are complete. The execution of a request is polled first; when it can go
//! no further, everything that its resolvers asked for is known, and the batches are sent, in the same task. They run
//! beside one another, and each answer lets the resolvers go on that were waiting for it.
//!
//! The idea is that of `DataLoader` in JavaScript, which sends its batches when the job queue has run dry
//! (<https://github.com/graphql/dataloader>, `enqueuePostPromiseJob`). Here the executor itself says when that is.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::task::AtomicWaker;

use crate::telemetry::{self, FieldSpans};

/// How often an execution that wakes itself is polled again before the task gives way to others.
const SELF_WAKES_PER_POLL: usize = 64;

type Batch = BoxFuture<'static, ()>;

/// Where the loaders of one request put the batches that are to be sent.
#[derive(Default)]
pub struct Dispatcher {
    queue: Mutex<Vec<Batch>>,
    /// The spans of the resolvers, where the request is recorded.
    pub fields: Option<FieldSpans>,
}

impl Dispatcher {
    /// A dispatcher for a request, which is recorded if its context says so.
    #[must_use]
    pub fn new() -> Self {
        Self { fields: telemetry::is_recording().then(FieldSpans::default), ..Self::default() }
    }

    /// Puts a batch in line. It is polled for the first time when every resolver is waiting.
    pub fn enqueue(&self, batch: impl Future<Output = ()> + Send + 'static) {
        self.lock().push(Box::pin(batch));
    }

    fn take(&self) -> Vec<Batch> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Batch>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `execution` to its end and sends the batches on its way. Dropping the result drops the batches with it.
    pub fn drive<F: Future>(self: Arc<Self>, execution: F) -> Drive<F> {
        let signal = Arc::new(Signal::default());
        // It can begin.
        signal.ready.store(true, Ordering::SeqCst);
        Drive {
            execution: Box::pin(execution),
            batches: FuturesUnordered::new(),
            dispatcher: self,
            waker: Waker::from(Arc::clone(&signal)),
            signal,
        }
    }
}

/// The future of [`Dispatcher::drive`].
pub struct Drive<F> {
    execution: Pin<Box<F>>,
    batches: FuturesUnordered<Batch>,
    dispatcher: Arc<Dispatcher>,
    signal: Arc<Signal>,
    waker: Waker,
}

/// Whether the execution can go on.
#[derive(Default)]
struct Signal {
    ready: AtomicBool,
    /// Set while the request is being polled: it looks at `ready` by itself then.
    polling: AtomicBool,
    task: AtomicWaker,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ready.store(true, Ordering::SeqCst);
        if !self.polling.load(Ordering::SeqCst) {
            self.task.wake();
        }
    }
}

impl<F: Future> Drive<F> {
    /// Polls the execution until it is finished or can truly go no further: one that woke itself in the meantime can.
    /// One that nobody woke is not polled at all.
    fn poll_execution(&mut self) -> Poll<F::Output> {
        for _ in 0..SELF_WAKES_PER_POLL {
            if !self.signal.ready.swap(false, Ordering::SeqCst) {
                break;
            }
            let output = self.execution.as_mut().poll(&mut Context::from_waker(&self.waker));
            if output.is_ready() {
                return output;
            }
        }
        Poll::Pending
    }

    /// Sends what is in line, and polls the batches until those that are left have to wait.
    fn poll_batches(&mut self, context: &mut Context<'_>) {
        self.batches.extend(self.dispatcher.take());
        while let Poll::Ready(Some(())) = self.batches.poll_next_unpin(context) {}
    }

    fn poll_both(&mut self, context: &mut Context<'_>) -> Poll<F::Output> {
        loop {
            if let Poll::Ready(output) = self.poll_execution() {
                return Poll::Ready(output);
            }
            if self.signal.ready.load(Ordering::SeqCst) {
                // It goes on waking itself: others may have their turn, and batches wait until it rests.
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            self.poll_batches(context);
            if !self.signal.ready.load(Ordering::SeqCst) {
                return Poll::Pending;
            }
        }
    }
}

impl<F: Future> Future for Drive<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.signal.task.register(context.waker());
        self.signal.polling.store(true, Ordering::SeqCst);
        let output = self.poll_both(context);
        self.signal.polling.store(false, Ordering::SeqCst);
        // Somebody on another thread may have called between the last look and the line above.
        if output.is_pending() && self.signal.ready.load(Ordering::SeqCst) {
            context.waker().wake_by_ref();
        }
        output
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use tokio::sync::oneshot;

    use super::*;

    async fn wake_myself() {
        let mut woken = false;
        std::future::poll_fn(|context| {
            if std::mem::replace(&mut woken, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    #[tokio::test]
    async fn a_batch_is_sent_only_when_the_execution_waits() {
        let dispatcher = Arc::new(Dispatcher::default());
        let (answer, question) = oneshot::channel();
        let steps = Arc::new(AtomicUsize::new(0));
        let execution = {
            let (dispatcher, steps) = (Arc::clone(&dispatcher), Arc::clone(&steps));
            async move {
                let seen = Arc::clone(&steps);
                dispatcher.enqueue(async move {
                    let _ = answer.send(seen.load(Ordering::SeqCst));
                });
                // It wakes itself, as a large list of futures does: it is not waiting for a batch.
                for _ in 0..200 {
                    wake_myself().await;
                    steps.fetch_add(1, Ordering::SeqCst);
                }
                question.await
            }
        };
        assert_eq!(dispatcher.drive(execution).await, Ok(200));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_wake_from_another_thread_is_not_lost() {
        for _ in 0..2_000 {
            let (answer, question) = oneshot::channel();
            let dispatcher = Arc::new(Dispatcher::default());
            dispatcher.enqueue(async move {
                tokio::spawn(async move { answer.send(1) });
            });
            let driven = Arc::clone(&dispatcher).drive(question);
            let answer = tokio::time::timeout(std::time::Duration::from_secs(10), driven).await;
            assert_eq!(answer.expect("the request never woke"), Ok(1));
        }
    }

    #[tokio::test]
    async fn batches_run_beside_one_another() {
        let dispatcher = Arc::new(Dispatcher::default());
        let (first, second) = (oneshot::channel(), oneshot::channel());
        let (done, all_done) = oneshot::channel();
        // Each batch waits for the other: one after the other they would never end.
        dispatcher.enqueue(async move {
            let _ = first.0.send(());
            let _ = second.1.await;
            let _ = done.send(());
        });
        dispatcher.enqueue(async move {
            let _ = first.1.await;
            let _ = second.0.send(());
        });
        assert_eq!(dispatcher.drive(all_done).await, Ok(()));
    }
}
