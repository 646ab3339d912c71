//! `deletePrompts` and `restorePrompts`.

use serde_json::{Value, json};

use crate::common::{EvaluationBuilder, PromptBuilder, TestServer, global_id, on_both_databases};
use crate::support::{CREATE_PROMPT, DELETE_PROMPTS, RESTORE_PROMPTS, ids, read};

on_both_databases! {
    async fn what_is_deleted_is_gone_until_it_is_restored(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let row = PromptBuilder::new().insert(&database).await;
        let evaluation = EvaluationBuilder::of(&row).score(0.5).insert(&database).await;
        let named = ids(&[&row]);
        let query = format!(
            "{{ prompt(id: {:?}) {{ id }} prompts {{ totalCount }} statistics {{ promptCount evaluationCount }}
                promptLeaderboard(minEvaluations: 1) {{ averageScore }}
                evaluation(id: {:?}) {{ overallScore prompt {{ id }} }} }}",
            named[0], global_id("Evaluation", evaluation.id),
        );
        let before = server.data(&query).await;
        assert_eq!(before["statistics"], json!({ "promptCount": 1, "evaluationCount": 1 }));

        let deleted = DELETE_PROMPTS.run(&server, &named).await;
        let prompt = &deleted["prompts"][0];
        assert_eq!((&deleted["affected"], &prompt["id"]), (&json!(1), &json!(named[0])));
        assert!(prompt["deletedAt"].is_string() && prompt["deletedAt"] == prompt["updatedAt"], "{prompt:#}");
        let gone = json!({
            "prompt": null, "prompts": { "totalCount": 0 }, "statistics": { "promptCount": 0, "evaluationCount": 0 },
            "promptLeaderboard": [], "evaluation": { "overallScore": 0.5, "prompt": null },
        });
        assert_eq!(server.data(&query).await, gone);

        let restored = RESTORE_PROMPTS.run(&server, &named).await;
        assert_eq!((&restored["affected"], &restored["prompts"][0]["deletedAt"]), (&json!(1), &Value::Null));
        assert_eq!(server.data(&query).await, before);
    }

    async fn what_is_deleted_or_restored_already_stays_so(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let rows = [PromptBuilder::new().insert(&database).await, PromptBuilder::new().insert(&database).await];
        let named = ids(&[&rows[0], &rows[1], &rows[0]]);
        for (change, first) in [(DELETE_PROMPTS, &named[..1]), (RESTORE_PROMPTS, &named[1..2])] {
            assert_eq!(change.run(&server, first).await["affected"], 1);
            let all = change.run(&server, &named).await;
            assert_eq!((&all["affected"], all["prompts"].as_array().unwrap().len()), (&json!(1), 2));
            let again = change.run(&server, &named).await;
            assert_eq!((&again["affected"], &again["prompts"]), (&json!(0), &all["prompts"]));
        }
    }

    async fn a_name_that_was_given_up_may_be_gone(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let plain = PromptBuilder::new().deleted().insert(&database).await;
        let first = PromptBuilder::new().name("wanted").deleted().insert(&database).await;
        let second = PromptBuilder::new().version_of(&first).deleted().insert(&database).await;
        let rival = PromptBuilder::new().name("wanted").deleted().insert(&database).await;
        let free = PromptBuilder::new().name("free").deleted().insert(&database).await;
        // Two want it at once.
        let both = RESTORE_PROMPTS.refusal(&server, &ids(&[&plain, &first, &second, &rival])).await;
        both.is("CONFLICT", &["ids[3]"]);
        assert!(both.message.contains("«wanted»"), "{}", both.message);
        // All or nothing.
        assert!(read(&server, &ids(&[&plain])[0]).await["deletedAt"].is_string());
        assert_eq!(RESTORE_PROMPTS.run(&server, &ids(&[&plain, &second, &free])).await["affected"], 3);
        RESTORE_PROMPTS.refusal(&server, &ids(&[&rival])).await.is("CONFLICT", &["ids[0]"]);
        // It was theirs already.
        assert_eq!(RESTORE_PROMPTS.run(&server, &ids(&[&first])).await["affected"], 1);
    }

    async fn a_name_that_was_taken_in_the_meantime_is_a_conflict(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let row = PromptBuilder::new().name("greeting").insert(&database).await;
        DELETE_PROMPTS.run(&server, &ids(&[&row])).await;
        CREATE_PROMPT.prompt(&server, json!({ "name": "greeting", "title": "T", "content": "c" })).await;
        RESTORE_PROMPTS.refusal(&server, &ids(&[&row])).await.is("CONFLICT", &["ids[0]"]);
    }
}
