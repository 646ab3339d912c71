//! How a process is told to stop.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Ctrl-C, and SIGTERM as process managers send it.
pub struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
}

impl StopSignals {
    /// From now on these signals do not end the process any more, but are kept for [`Self::next`].
    pub fn catch() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Ready when one has come that was not told yet.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustix::process::{Signal, getpid, kill_process};

    use super::*;

    #[tokio::test]
    async fn a_signal_is_kept_until_it_is_asked_for() {
        let mut signals = StopSignals::catch().unwrap();
        for signal in [Signal::INT, Signal::TERM] {
            kill_process(getpid(), signal).unwrap();
            tokio::time::sleep(Duration::from_millis(10)).await;
            tokio::time::timeout(Duration::from_secs(10), signals.next()).await.unwrap();
        }
        assert!(tokio::time::timeout(Duration::from_millis(10), signals.next()).await.is_err());
    }
}
