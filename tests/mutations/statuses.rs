//! `updatePromptStatuses`.

use evalgraph::domain::PromptStatus;
use serde_json::json;

use crate::common::{PromptBuilder, TestServer, on_both_databases};
use crate::support::{ARCHIVE_PROMPTS, ids, read};

on_both_databases! {
    async fn those_that_are_something_else_are_changed(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let active = PromptBuilder::new().insert(&database).await;
        let archived = PromptBuilder::new().status(PromptStatus::Archived).insert(&database).await;
        let other = PromptBuilder::new().insert(&database).await;
        let [active_id, archived_id, other_id] = &ids(&[&active, &archived, &other])[..] else { panic!() };
        let before = [read(&server, archived_id).await, read(&server, other_id).await];
        // One is named twice.
        let named = [archived_id.clone(), active_id.clone(), archived_id.clone(), active_id.clone()];
        let changed = ARCHIVE_PROMPTS.run(&server, &named).await;
        assert_eq!(changed["affected"], 1);
        assert_eq!(changed["prompts"], json!([before[0], read(&server, active_id).await]));
        assert_eq!(changed["prompts"][1]["status"], "ARCHIVED");
        assert_eq!([read(&server, archived_id).await, read(&server, other_id).await], before);
    }

    async fn deleted_prompts_are_as_those_that_do_not_exist(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let (live, deleted) = (PromptBuilder::new().insert(&database).await, PromptBuilder::new().deleted().insert(&database).await);
        ARCHIVE_PROMPTS.refusal(&server, &ids(&[&live, &deleted])).await.is("NOT_FOUND", &["ids[1]"]);
        assert_eq!(read(&server, &ids(&[&live])[0]).await["status"], "ACTIVE");
    }

    async fn no_ids_are_no_change(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        assert_eq!(ARCHIVE_PROMPTS.run(&server, &[]).await, json!({ "affected": 0, "prompts": [] }));
    }
}
