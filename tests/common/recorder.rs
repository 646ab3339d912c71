//! Recording the statements that the tests make the server send, for `tests/statement_plans/`.

use std::collections::HashSet;
use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use evalgraph::domain::sha256_hex;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// What a statement begins with that is a test's own and not the server's, though it goes the same way.
const OF_A_TEST: &str = "/* of a test */ ";

/// A statement that is not recorded.
pub fn of_a_test(sql: &str) -> String {
    format!("{OF_A_TEST}{sql}")
}

/// Whether what this process sends is the same in every run.
static IS_REPEATABLE: AtomicBool = AtomicBool::new(true);

/// From now on, nothing is recorded of this process: what is drawn anew in every run is no ground for a verdict that has to
/// be the same when nothing has changed.
pub fn stop() {
    IS_REPEATABLE.store(false, Ordering::Relaxed);
}

/// The directory that the statements go to, a file each; without it none is recorded.
pub const DIRECTORY: &str = "EVALGRAPH_TEST_STATEMENTS";

/// Writes each statement into a file of its own, once.
pub struct Recorder {
    directory: PathBuf,
    seen: Mutex<HashSet<String>>,
}

impl Recorder {
    /// One, if the environment asks for it.
    pub fn asked_for<S: Subscriber + for<'a> LookupSpan<'a>>() -> Option<impl Layer<S>> {
        let directory = PathBuf::from(std::env::var_os(DIRECTORY)?);
        let recorder = Self { directory, seen: Mutex::default() };
        Some(recorder.with_filter(Targets::new().with_target("evalgraph::db::statements", LevelFilter::TRACE)))
    }
}

impl<S: Subscriber> Layer<S> for Recorder {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut statement = Statement::default();
        event.record(&mut statement);
        let is_wanted = IS_REPEATABLE.load(Ordering::Relaxed) && !statement.text.starts_with(OF_A_TEST);
        if !is_wanted || !self.seen.lock().unwrap().insert(statement.text.clone()) {
            return;
        }
        let directory = self.directory.join(&statement.database);
        std::fs::create_dir_all(&directory).unwrap();
        // Other processes write the same file with the same text.
        let (name, own) = (sha256_hex(statement.text.as_bytes()), std::process::id());
        let unfinished = directory.join(format!("{name}.{own}"));
        std::fs::write(&unfinished, &statement.text).unwrap();
        std::fs::rename(unfinished, directory.join(format!("{name}.sql"))).unwrap();
    }
}

#[derive(Default)]
struct Statement {
    database: String,
    text: String,
}

impl Visit for Statement {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "database" => self.database = value.to_owned(),
            "statement" => self.text = value.to_owned(),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}
