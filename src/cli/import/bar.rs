//! A progress bar, where somebody can see it.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::task::JoinHandle;

use crate::ingest::{Input, Progress};

/// How often it is drawn.
const INTERVAL: Duration = Duration::from_millis(100);

/// A progress bar on standard error, until it is dropped.
pub(super) struct Bar {
    bar: ProgressBar,
    drawing: JoinHandle<()>,
}

impl Bar {
    /// Shows how far the import of the input is, if standard error is a terminal.
    pub fn show(input: &Input, progress: &Progress) -> Option<Self> {
        if !std::io::stderr().is_terminal() {
            return None;
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let template = "{prefix}: {msg:<10} {bar:30} {bytes:>11} of {total_bytes} ({bytes_per_sec})";
        bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_prefix(input.to_string());
        let (shown, progress) = (bar.clone(), progress.clone());
        let drawing = tokio::spawn(async move {
            let mut was_storing = false;
            loop {
                draw(&shown, &progress, &mut was_storing);
                tokio::time::sleep(INTERVAL).await;
            }
        });
        Some(Self { bar, drawing })
    }
}

fn draw(bar: &ProgressBar, progress: &Progress, was_storing: &mut bool) {
    let is_storing = progress.is_storing();
    if is_storing != *was_storing {
        *was_storing = is_storing;
        bar.reset();
    }
    let doing = if is_storing { "storing" } else { "checking" };
    bar.set_message(format!("{doing} {} results", progress.results()));
    bar.set_length(progress.bytes_total());
    bar.set_position(progress.bytes_read());
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.drawing.abort();
        self.bar.finish_and_clear();
    }
}
