//! What becomes of spans: how many were sent, and how many were lost and why. The queue of the library is bounded and makes
//! nobody wait, but keeps to itself what it drops; so there is a gate before it that lets in what it has room for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor};

/// What became of the spans of this process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExportCounts {
    /// Sent, and taken by the receiver.
    pub exported: u64,
    /// Dropped, because too many were waiting.
    pub dropped: u64,
    /// Sent in vain: the receiver was away, did not answer or refused them.
    pub failed: u64,
}

static COUNTERS: Counters =
    Counters { exported: AtomicU64::new(0), dropped: AtomicU64::new(0), failed: AtomicU64::new(0) };

/// What became of the spans of this process so far.
#[must_use]
pub fn export_counts() -> ExportCounts {
    COUNTERS.get()
}

#[derive(Debug, Default)]
struct Counters {
    exported: AtomicU64,
    dropped: AtomicU64,
    failed: AtomicU64,
}

impl Counters {
    fn get(&self) -> ExportCounts {
        ExportCounts {
            exported: self.exported.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
        }
    }
}

/// Lets spans into the queue while there is room.
#[derive(Debug)]
pub struct Gate {
    queue: BatchSpanProcessor,
    room: usize,
    waiting: Arc<AtomicUsize>,
    counters: &'static Counters,
}

impl Gate {
    /// A queue for so many spans before an exporter.
    pub fn new(exporter: impl SpanExporter + 'static, room: usize) -> Self {
        Self::counted_by(&COUNTERS, exporter, room)
    }

    fn counted_by(counters: &'static Counters, exporter: impl SpanExporter + 'static, room: usize) -> Self {
        let waiting = Arc::new(AtomicUsize::new(0));
        let exporter = Counted { exporter, waiting: Arc::clone(&waiting), counters };
        let config = BatchConfigBuilder::default().with_max_queue_size(room).build();
        Self { queue: BatchSpanProcessor::new(exporter, config), room, waiting, counters }
    }
}

impl SpanProcessor for Gate {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.queue.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if self.waiting.fetch_add(1, Ordering::Relaxed) < self.room {
            self.queue.on_end(span);
        } else {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            if self.counters.dropped.fetch_add(1, Ordering::Relaxed) == 0 {
                tracing::warn!(
                    queue = self.room,
                    "spans are dropped: the receiver of traces takes fewer than there are"
                );
            }
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.queue.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.queue.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.queue.set_resource(resource);
    }
}

/// Counts what another exporter does.
#[derive(Debug)]
struct Counted<E> {
    exporter: E,
    waiting: Arc<AtomicUsize>,
    counters: &'static Counters,
}

impl<E: SpanExporter> SpanExporter for Counted<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len();
        self.waiting.fetch_sub(count, Ordering::Relaxed);
        let result = self.exporter.export(batch).await;
        let counter = if result.is_ok() { &self.counters.exported } else { &self.counters.failed };
        counter.fetch_add(count as u64, Ordering::Relaxed);
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::sync::{Mutex, PoisonError};

    use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
    use opentelemetry_sdk::error::OTelSdkError;
    use opentelemetry_sdk::trace::SdkTracerProvider;

    use super::*;

    /// Tells when it is asked to send spans, and does so only when it may.
    #[derive(Debug)]
    struct Halting {
        asked: Sender<usize>,
        may: Mutex<Receiver<bool>>,
    }

    impl SpanExporter for Halting {
        async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
            self.asked.send(batch.len()).unwrap();
            let succeeds = self.may.lock().unwrap_or_else(PoisonError::into_inner).recv().unwrap_or(true);
            if succeeds { Ok(()) } else { Err(OTelSdkError::InternalFailure("refused".to_owned())) }
        }
    }

    #[test]
    fn what_finds_no_room_is_dropped_and_counted_and_nobody_waits() {
        let (asked, is_asked) = channel();
        let (let_go, may) = channel();
        let counters: &'static Counters = Box::leak(Box::default());
        let gate = Gate::counted_by(counters, Halting { asked, may: Mutex::new(may) }, 10);
        let provider = SdkTracerProvider::builder().with_span_processor(gate).build();
        let tracer = provider.tracer("test");
        let make = |count: usize| (0..count).for_each(|_| tracer.start("span").end());
        // The queue is full, so it is sent; nobody takes it.
        make(10);
        assert_eq!(is_asked.recv().unwrap(), 10);
        // So many find room meanwhile.
        make(25);
        assert_eq!(counters.get(), ExportCounts { exported: 0, dropped: 15, failed: 0 });
        let_go.send(false).unwrap();
        assert_eq!(is_asked.recv().unwrap(), 10);
        let_go.send(true).unwrap();
        provider.force_flush().unwrap();
        assert_eq!(counters.get(), ExportCounts { exported: 10, dropped: 15, failed: 10 });
        drop(let_go);
    }
}
