//! Commands that change something leave entries too.

use serde_json::{Value, json};

use crate::common::process::{evalgraph_on, run, stdout};
use crate::common::{PromptBuilder, TestDatabase, global_id, on_both_databases};
use crate::support::{entries, texts};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/promptfoo/baseline.json");

fn command(database: &TestDatabase, arguments: &[&str]) -> String {
    stdout(&run(&mut evalgraph_on(&database.location, arguments)))
}

/// What an entry of a command says of who and how.
fn check_command(entry: &Value, action: &str, user: &str) {
    let text = |field: &str| entry[field].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        (text("action"), text("userId"), text("origin"), text("credential")),
        (action.to_owned(), user.to_owned(), "COMMAND".to_owned(), "local".to_owned())
    );
    assert_eq!(
        (&entry["requestId"], &entry["clientAddress"], &entry["userAgent"]),
        (&json!(null), &json!(null), &json!(null))
    );
}

on_both_databases! {
    async fn an_import_tells_what_it_stored(database: TestDatabase) {
        command(&database, &["import", "promptfoo", FILE, "--user=carol", "--dry-run"]);
        assert_eq!(database.count("audit_log").await, 0);
        command(&database, &["import", "promptfoo", FILE, "--user=carol"]);
        let entry = entries(&database).await.remove(0);
        check_command(&entry, "import promptfoo", "carol");
        let stored = database.count("prompts").await + database.count("runs").await + database.count("evaluations").await;
        assert_eq!(entry["objectCount"], stored);
        assert_eq!(texts(&entry["objectIds"]).len(), usize::try_from(stored).unwrap().min(100));
        // Once more, it changes nothing.
        command(&database, &["import", "promptfoo", FILE, "--user=carol"]);
        assert_eq!(database.count("audit_log").await, 1);
    }

    async fn a_purge_tells_what_it_removed(database: TestDatabase) {
        let prompts = [PromptBuilder::new().deleted().insert(&database).await, PromptBuilder::new().deleted().insert(&database).await];
        PromptBuilder::new().insert(&database).await;
        command(&database, &["purge", "--deleted-before=9999-01-01", "--dry-run"]);
        assert_eq!(database.count("audit_log").await, 0);
        command(&database, &["purge", "--deleted-before=9999-01-01", "--user=carol"]);
        let entry = entries(&database).await.remove(0);
        check_command(&entry, "purge", "carol");
        let mut ids = texts(&entry["objectIds"]);
        let mut expected: Vec<_> = prompts.iter().map(|prompt| global_id("Prompt", prompt.id)).collect();
        ids.sort_unstable();
        expected.sort();
        assert_eq!(ids, expected);
        command(&database, &["purge", "--deleted-before=9999-01-01"]);
        assert_eq!(database.count("audit_log").await, 1);
    }

    async fn the_demo_data_has_an_entry(database: TestDatabase) {
        let now = evalgraph::domain::Timestamp::now();
        evalgraph::demo::load_once(&database.database, now).await.unwrap().unwrap();
        assert_eq!(evalgraph::demo::load_once(&database.database, now).await.unwrap(), None);
        let entries = entries(&database).await;
        assert_eq!(entries.len(), 1);
        check_command(&entries[0], "serve --demo", "local");
    }
}
