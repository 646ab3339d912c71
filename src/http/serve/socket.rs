//! The socket of a connection, with manners at its end.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

use super::activity::Activity;

/// How long, and how much, a client may go on sending after it got an answer to what it had sent so far. Were the
/// socket closed at once, the system would tell the client with a reset, and that can cost it the answer.
const LINGER: Duration = Duration::from_secs(5);
const MOST_LINGERING_BYTES: usize = 64 << 20;

/// A TCP stream that reports what goes in and out.
pub struct Socket {
    stream: TcpStream,
    activity: Activity,
    half_close_patience: Duration,
    /// Set when the client has closed its side: when the server is told so.
    closed_by_client: Option<Pin<Box<Sleep>>>,
    lingering: Option<Lingering>,
}

struct Lingering {
    end: Pin<Box<Sleep>>,
    bytes: usize,
}

impl Socket {
    pub fn new(stream: TcpStream, activity: Activity, half_close_patience: Duration) -> Self {
        Self { stream, activity, half_close_patience, closed_by_client: None, lingering: None }
    }

    /// Ready when the server may be told that the client sends no more: it would not finish an answer that is on its way.
    /// Who does not take that is given up like any silent client.
    fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let patience = self.half_close_patience;
        let patience = self.closed_by_client.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        if self.activity.poll_unoccupied(context).is_pending() {
            ready!(patience.as_mut().poll(context));
        }
        ready!(self.activity.poll_writable(context));
        Poll::Ready(Ok(()))
    }

    /// Notes whether what was to be written went out.
    fn note_write(&self, written: &Poll<io::Result<usize>>) {
        self.activity.set_write_blocked(written.is_pending());
        if let Poll::Ready(Ok(bytes)) = written {
            self.activity.sent(*bytes);
        }
    }

    /// Reads what the client is still sending, and forgets it, until it stops or enough is enough.
    fn poll_linger(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, activity, lingering, .. } = self;
        let end = || Lingering { end: Box::pin(tokio::time::sleep(LINGER)), bytes: 0 };
        let Lingering { end, bytes } = lingering.get_or_insert_with(end);
        let mut scratch = [0; 16 << 10];
        while *bytes < MOST_LINGERING_BYTES {
            let mut buffer = ReadBuf::new(&mut scratch);
            match Pin::new(&mut *stream).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => *bytes += buffer.filled().len(),
                Poll::Ready(_) => break,
                Poll::Pending if *bytes > 0 || activity.has_left_unread() => {
                    ready!(end.as_mut().poll(context));
                    break;
                }
                Poll::Pending => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.closed_by_client.is_some() {
            return self.poll_end(context);
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        match buffer.filled().get(before..) {
            Some(received) if !received.is_empty() => self.activity.received(received),
            _ if buffer.remaining() > 0 => return self.poll_end(context),
            _ => {}
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.note_write(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.note_write(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.lingering.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
        }
        self.poll_linger(context)
    }
}
