//! What goes on on a connection, as far as its end depends on it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::time::Instant;

use super::ConnectionLimits;

/// What every connection of HTTP/2 begins with. It can come in parts, and requests of HTTP/1 can begin like it.
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// HTTP/2 writes no more than this at a time when it has nothing to say but that the connection lives.
const MOST_CONTROL_BYTES: usize = 64;

/// Shared by the socket, the requests and the watch over them.
#[derive(Debug, Clone)]
pub struct Activity(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// When bytes went in or out, or a request ended. With HTTP/2 only requests and their answers count: either side can
    /// ask for ever whether the other is there.
    last: Instant,
    /// Since when the head of a request is awaited or arriving. HTTP/2 has other frames as well, so there it counts
    /// only until the preface has come.
    head_since: Option<Instant>,
    protocol: Protocol,
    requests: usize,
    /// Whether the client has yet to take what was sent before more can be.
    write_blocked: bool,
    /// Who waits for the last request to end, and for its answer to be sent.
    waiting: Option<Waker>,
    /// Whether the last request, or what should have been one, was answered without reading it to its end.
    left_unread: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    /// Not known yet: so many bytes came, all of them as in the preface of HTTP/2.
    Undecided(usize),
    Http1,
    Http2,
}

impl Protocol {
    /// What is known after more bytes.
    fn after(self, bytes: &[u8]) -> Self {
        let Self::Undecided(matched) = self else { return self };
        let missing = HTTP2_PREFACE.get(matched..).unwrap_or_default();
        if bytes.starts_with(missing) {
            Self::Http2
        } else if missing.starts_with(bytes) {
            Self::Undecided(matched + bytes.len())
        } else {
            Self::Http1
        }
    }
}

impl State {
    fn wake(&mut self) {
        if let Some(waiting) = self.waiting.take() {
            waiting.wake();
        }
    }
}

impl Activity {
    pub fn new() -> Self {
        let now = Instant::now();
        Self(Arc::new(Mutex::new(State {
            last: now,
            head_since: Some(now),
            protocol: Protocol::Undecided(0),
            requests: 0,
            write_blocked: false,
            waiting: None,
            left_unread: false,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes came in.
    pub fn received(&self, bytes: &[u8]) {
        let (mut state, now) = (self.state(), Instant::now());
        if state.protocol == Protocol::Http2 {
            return;
        }
        state.last = now;
        state.protocol = state.protocol.after(bytes);
        match state.protocol {
            Protocol::Http2 => state.head_since = None,
            Protocol::Http1 if state.requests == 0 => {
                state.head_since.get_or_insert(now);
            }
            Protocol::Http1 | Protocol::Undecided(_) => {}
        }
    }

    /// So many bytes went out.
    pub fn sent(&self, bytes: usize) {
        let mut state = self.state();
        if state.protocol == Protocol::Http2 && bytes <= MOST_CONTROL_BYTES {
            return;
        }
        state.last = Instant::now();
        // What is answered is no request, but the attempt at one, and the rest of it may be on its way.
        state.left_unread |= state.protocol == Protocol::Http1 && state.requests == 0 && state.head_since.is_some();
    }

    /// Bytes could go out, or have to wait for the client.
    pub fn set_write_blocked(&self, blocked: bool) {
        let mut state = self.state();
        let was_blocked = std::mem::replace(&mut state.write_blocked, blocked);
        if was_blocked && !blocked {
            state.wake();
        }
    }

    /// A request came; it is worked on until the result is dropped.
    pub fn begin_request(&self) -> RequestInProgress {
        let mut state = self.state();
        state.requests += 1;
        state.head_since = None;
        RequestInProgress(self.clone())
    }

    /// Ready when no request is worked on.
    pub fn poll_unoccupied(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if state.requests == 0 {
            return Poll::Ready(());
        }
        state.waiting = Some(context.waker().clone());
        Poll::Pending
    }

    /// Ready when nothing waits for the client to take what was sent.
    pub fn poll_writable(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if !state.write_blocked {
            return Poll::Ready(());
        }
        state.waiting = Some(context.waker().clone());
        Poll::Pending
    }

    /// The last request was read to its end, or not.
    pub fn set_left_unread(&self, left_unread: bool) {
        self.state().left_unread = left_unread;
    }

    /// Whether the last request, or what should have been one, was answered without reading it to its end: its client may
    /// be sending still.
    pub fn has_left_unread(&self) -> bool {
        self.state().left_unread
    }

    /// When the connection has been of no use for too long, if nothing happens until then. Requests have limits of
    /// their own.
    pub fn due(&self, limits: &ConnectionLimits) -> Option<Instant> {
        let state = self.state();
        if state.requests > 0 {
            return None;
        }
        Some(match state.head_since {
            Some(since) => since + limits.header_timeout,
            None => state.last + limits.idle_timeout,
        })
    }
}

/// A request that is worked on.
pub struct RequestInProgress(Activity);

impl Drop for RequestInProgress {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.requests = state.requests.saturating_sub(1);
        state.last = Instant::now();
        if state.requests == 0 {
            state.wake();
        }
    }
}
