//! The body of a request, watched while it is read.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Bytes, HttpBody};
use hyper::body::{Frame, Incoming, SizeHint};

use super::activity::Activity;

/// The body of a request, which notes when it is dropped before its end.
pub struct WatchedBody {
    body: Incoming,
    activity: Activity,
    is_read: bool,
}

impl WatchedBody {
    pub fn new(body: Incoming, activity: Activity) -> Self {
        let is_read = body.is_end_stream();
        Self { body, activity, is_read }
    }
}

impl Drop for WatchedBody {
    fn drop(&mut self) {
        self.activity.set_left_unread(!self.is_read);
    }
}

impl HttpBody for WatchedBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        self.is_read |= frame.is_none() || self.body.is_end_stream();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
