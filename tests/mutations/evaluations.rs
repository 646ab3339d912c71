//! Evaluations from their registration to their end.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::common::{EvaluationBuilder, PromptBuilder, RunBuilder, TestServer, global_id, on_both_databases};
use crate::recording::{
    COMPLETE, CREATE, FAIL, change, evaluation, passed, prompt, record, record_refused, refused, run, text,
};
use crate::support::{Refused, server_of, with};

const WITH_PROMPT: &str = "mutation ($prompt: CreatePromptInput!, $provider: String, $model: String, $suite: String) {
    createPromptWithEvaluation(prompt: $prompt, provider: $provider, model: $model, testSuiteId: $suite) {
        evaluation { status provider model testSuiteId prompt { title userId evaluationCount } } } }";

on_both_databases! {
    async fn an_evaluation_is_stored_as_it_was_given(database: TestDatabase) {
        let alice = server_of("alice", &database).await;
        let (prompt, run) = (prompt(&alice).await, run(&alice).await);
        let input = json!({ "promptId": prompt, "runId": run, "provider": "openai", "model": "gpt",
            "testSuiteId": "suite", "externalId": "ours", "metrics": { "a": 1e2 } });
        for position in 0..3 {
            let input = with(input.clone(), json!({ "externalId": format!("ours {position}") }));
            let stored = CREATE.run(&alice, input).await["evaluation"].take();
            let expected = json!({ "id": stored["id"], "status": "PENDING", "position": position,
                "metrics": { "a": 100.0 }, "externalId": format!("ours {position}"), "startedAt": null,
                "run": { "id": run }, "prompt": { "id": prompt } });
            assert_eq!(with(stored, json!({ "metrics": { "a": 100.0 } })), expected);
        }
        let alone = CREATE.run(&alice, json!({ "promptId": prompt })).await["evaluation"].take();
        assert_eq!((&alone["position"], &alone["run"], &alone["metrics"]), (&Value::Null, &Value::Null, &json!({})));
        let count = alice.data(&format!("{{ prompt(id: {prompt:?}) {{ evaluationCount }} }}")).await;
        assert_eq!(count["prompt"]["evaluationCount"], 4);
        database.check_totals().await;
    }

    async fn all_faults_of_an_evaluation_are_told(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let (prompt, run) = (prompt(&server).await, run(&server).await);
        let long = "x".repeat(256);
        for (changes, fields) in [
            (json!({ "promptId": run }), vec!["input.promptId"]),
            (json!({ "runId": prompt }), vec!["input.runId"]),
            (json!({ "runId": "nonsense" }), vec!["input.runId"]),
            (json!({ "metrics": [] }), vec!["input.metrics"]),
            (
                json!({ "promptId": "x", "provider": " ", "model": long, "testSuiteId": "", "externalId": long }),
                vec!["input.promptId", "input.provider", "input.model", "input.testSuiteId", "input.externalId"],
            ),
        ] {
            CREATE.refusal(&server, with(json!({ "promptId": prompt }), changes)).await.is("BAD_USER_INPUT", &fields);
        }
        let id = evaluation(&server, None).await;
        change(&server, "startEvaluation", &id).await;
        for (changes, fields) in [
            (json!({ "metrics": 1, "executionTimeMs": -1 }), vec!["input.metrics", "input.executionTimeMs"]),
            (json!({ "id": prompt }), vec!["input.id"]),
        ] {
            COMPLETE.refusal(&server, with(json!({ "id": id }), changes)).await.is("BAD_USER_INPUT", &fields);
        }
        FAIL.refusal(&server, json!({ "id": id, "errorMessage": "\n" })).await.is("BAD_USER_INPUT", &["input.errorMessage"]);
        FAIL.refusal(&server, json!({ "id": run, "errorMessage": "x" })).await.is("BAD_USER_INPUT", &["input.id"]);
    }

    async fn states_only_move_forward(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let in_state = async |state: &str| {
            let id = evaluation(&server, None).await;
            if state == "RUNNING" || state == "COMPLETED" {
                let started = change(&server, "startEvaluation", &id).await;
                assert!(started["status"] == "RUNNING" && started["startedAt"].is_string(), "{started}");
            }
            if state == "COMPLETED" {
                COMPLETE.run(&server, json!({ "id": id })).await;
            } else if state == "FAILED" {
                FAIL.run(&server, json!({ "id": id, "errorMessage": "no" })).await;
            }
            id
        };
        for (state, allowed) in [
            ("PENDING", ["start", "record", "fail"].as_slice()),
            ("RUNNING", &["record", "complete", "fail"]),
            ("COMPLETED", &[]),
            ("FAILED", &[]),
        ] {
            for deed in ["start", "record", "complete", "fail"] {
                let id = in_state(state).await;
                if allowed.contains(&deed) {
                    let status = match deed {
                        "start" => change(&server, "startEvaluation", &id).await["status"].take(),
                        "record" => record(&server, &id, json!([passed("a")])).await["evaluation"]["status"].take(),
                        "complete" => COMPLETE.run(&server, json!({ "id": id })).await["evaluation"]["status"].take(),
                        _ => FAIL.run(&server, json!({ "id": id, "errorMessage": "no" })).await["evaluation"]["status"].take(),
                    };
                    let expected = match deed { "start" | "record" => "RUNNING", "complete" => "COMPLETED", _ => "FAILED" };
                    assert_eq!(status, expected, "{state} {deed}");
                    continue;
                }
                let (refused, field) = match deed {
                    "start" => (refused(&server, "startEvaluation", &id).await, "id"),
                    "record" => (record_refused(&server, &id, json!([passed("a")])).await, "evaluationId"),
                    "complete" => (COMPLETE.refusal(&server, json!({ "id": id })).await, "input.id"),
                    _ => (FAIL.refusal(&server, json!({ "id": id, "errorMessage": "no" })).await, "input.id"),
                };
                refused.is("CONFLICT", &[field]);
                assert_eq!(refused.extensions["current"], state, "{deed}");
                assert_eq!(refused.extensions["argument"], field.split('.').next().unwrap());
                assert!(refused.message.contains(state), "{}", refused.message);
            }
        }
        database.check_totals().await;
    }

    async fn an_evaluation_without_a_score_has_the_mean_of_its_results(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let scores = json!([
            { "testCaseName": "a", "inputData": {}, "score": 5, "outcome": "PASSED" },
            { "testCaseName": "b", "inputData": {}, "score": -2, "outcome": "FAILED" },
            { "testCaseName": "c", "inputData": {}, "score": 0, "outcome": "ERRORED" },
            { "testCaseName": "d", "inputData": {}, "score": 99, "outcome": "SKIPPED" },
        ]);
        let id = evaluation(&server, None).await;
        record(&server, &id, scores.clone()).await;
        let done = COMPLETE.run(&server, json!({ "id": id, "metrics": { "f1": 0.5 }, "executionTimeMs": 7 })).await;
        let done = &done["evaluation"];
        assert_eq!((&done["status"], &done["overallScore"], &done["executionTimeMs"]), (&json!("COMPLETED"), &json!(1.0), &json!(7)));
        assert_eq!((&done["metrics"], &done["totalTests"]), (&json!({ "f1": 0.5 }), &json!(4)));
        assert!(done["completedAt"].is_string());

        let id = evaluation(&server, None).await;
        record(&server, &id, scores).await;
        let stated = COMPLETE.run(&server, json!({ "id": id, "overallScore": -7.5 })).await;
        assert_eq!(stated["evaluation"]["overallScore"], -7.5);

        let id = evaluation(&server, None).await;
        change(&server, "startEvaluation", &id).await;
        let empty = COMPLETE.run(&server, json!({ "id": id })).await;
        assert_eq!(empty["evaluation"]["overallScore"], Value::Null);
        database.check_totals().await;
    }

    async fn a_failed_evaluation_says_why_and_keeps_its_results(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let id = evaluation(&server, None).await;
        record(&server, &id, json!([passed("a")])).await;
        let failed = FAIL.run(&server, json!({ "id": id, "errorMessage": "the provider is gone" })).await;
        let failed = &failed["evaluation"];
        assert_eq!((&failed["status"], &failed["errorMessage"], &failed["totalTests"]), (&json!("FAILED"), &json!("the provider is gone"), &json!(1)));
        assert!(failed["completedAt"].is_string());
    }

    async fn a_repeated_evaluation_is_the_same(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let (prompt, run) = (prompt(&server).await, run(&server).await);
        let input = json!({ "promptId": prompt, "runId": run, "externalId": "ours", "provider": "p", "metrics": { "a": 1e2 } });
        let requests = join_all((0..8).map(|_| CREATE.run(&server, input.clone()))).await;
        let ids: Vec<_> = requests.iter().map(|reply| text(&reply["evaluation"]["id"])).collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        assert_eq!(database.count("evaluations").await, 1);
        for changes in [json!({ "provider": "q" }), json!({ "model": "m" }), json!({ "runId": null }), json!({ "metrics": {} }), json!({ "testSuiteId": "s" })] {
            CREATE.refusal(&server, with(input.clone(), changes)).await.is("CONFLICT", &["input.externalId"]);
        }
        // Metrics are replaced at the end, and a run that has ended takes no other evaluations.
        change(&server, "startEvaluation", &ids[0]).await;
        COMPLETE.run(&server, json!({ "id": ids[0], "metrics": { "b": 2 } })).await;
        change(&server, "finishRun", &run).await;
        assert_eq!(CREATE.run(&server, input).await["evaluation"]["status"], "COMPLETED");
        let other = self::prompt(&server).await;
        CREATE.run(&server, json!({ "promptId": other, "externalId": "ours" })).await;
        database.check_totals().await;
    }

    async fn only_an_open_run_of_the_same_owner_takes_evaluations(database: TestDatabase) {
        let (alice, bob) = (server_of("alice", &database).await, server_of("bob", &database).await);
        let administrator = TestServer::start(&database).await;
        let (of_alice, of_bob) = (prompt(&alice).await, prompt(&bob).await);
        let (run_of_alice, run_of_bob) = (run(&alice).await, run(&bob).await);
        let of = |prompt: &str, run: &str| json!({ "promptId": prompt, "runId": run });
        CREATE.refusal(&alice, of(&of_bob, &run_of_alice)).await.is("NOT_FOUND", &["input.promptId"]);
        CREATE.refusal(&alice, of(&of_alice, &run_of_bob)).await.is("NOT_FOUND", &["input.runId"]);
        CREATE.refusal(&administrator, of(&of_alice, &run_of_bob)).await.is("BAD_USER_INPUT", &["input.runId"]);
        CREATE.run(&administrator, of(&of_bob, &run_of_bob)).await;
        let imported = RunBuilder::new().user("alice").source(evalgraph::domain::RunSource::Promptfoo);
        let imported = imported.status(evalgraph::domain::EvaluationStatus::Running).insert(&database).await;
        CREATE.refusal(&alice, of(&of_alice, &global_id("Run", imported.id))).await.is("CONFLICT", &["input.runId"]);
        change(&alice, "finishRun", &run_of_alice).await;
        CREATE.refusal(&alice, of(&of_alice, &run_of_alice)).await.is("CONFLICT", &["input.runId"]);
        let deleted = PromptBuilder::new().user("alice").deleted().insert(&database).await;
        CREATE.refusal(&alice, json!({ "promptId": global_id("Prompt", deleted.id) })).await.is("NOT_FOUND", &["input.promptId"]);
    }

    async fn what_is_missing_and_what_belongs_to_others_cannot_be_told_apart(database: TestDatabase) {
        let alice = server_of("alice", &database).await;
        let bobs = PromptBuilder::new().user("bob").insert(&database).await;
        let bobs = EvaluationBuilder::of(&bobs).status(evalgraph::domain::EvaluationStatus::Running).insert(&database).await;
        let missing = global_id("Evaluation", uuid::Uuid::now_v7());
        let mut messages = Vec::new();
        for id in [global_id("Evaluation", bobs.id), missing] {
            let refusals = [
                refused(&alice, "startEvaluation", &id).await,
                record_refused(&alice, &id, json!([passed("a")])).await,
                COMPLETE.refusal(&alice, json!({ "id": id })).await,
                FAIL.refusal(&alice, json!({ "id": id, "errorMessage": "x" })).await,
            ];
            for (refusal, field) in refusals.iter().zip(["id", "evaluationId", "input.id", "input.id"]) {
                refusal.is("NOT_FOUND", &[field]);
            }
            messages.push(refusals.map(|refusal| refusal.message));
        }
        assert_eq!(messages[0], messages[1]);
        assert_eq!(database.count("test_results").await, 0);
        let administrator = TestServer::start(&database).await;
        record(&administrator, &global_id("Evaluation", bobs.id), json!([passed("a")])).await;
    }

    async fn one_of_many_ends_an_evaluation(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let id = evaluation(&server, None).await;
        change(&server, "startEvaluation", &id).await;
        let document = COMPLETE.document();
        let input = json!({ "input": { "id": id } });
        let replies = join_all((0..10).map(|_| server.send(&document, input.clone()))).await;
        let refused = replies.iter().filter_map(|reply| reply.body["errors"][0]["extensions"]["code"].as_str());
        assert_eq!(refused.collect::<Vec<_>>(), ["CONFLICT"; 9]);
        database.check_totals().await;
    }

    async fn a_prompt_and_its_evaluation_are_stored_together_or_not_at_all(database: TestDatabase) {
        let alice = server_of("alice", &database).await;
        let prompt = json!({ "title": "T", "content": "C", "name": "n" });
        let given = json!({ "prompt": prompt, "provider": "p", "model": "m", "suite": "s" });
        let stored = alice.ask(WITH_PROMPT, given.clone()).await;
        let expected = json!({ "status": "PENDING", "provider": "p", "model": "m", "testSuiteId": "s",
            "prompt": { "title": "T", "userId": "alice", "evaluationCount": 1 } });
        assert_eq!(stored["createPromptWithEvaluation"]["evaluation"], expected);
        Refused::of(&alice, WITH_PROMPT, given).await.is("CONFLICT", &["prompt.name"]);
        let wrong = json!({ "prompt": { "title": "", "content": "C" }, "provider": "", "model": " ", "suite": "s" });
        let refused = Refused::of(&alice, WITH_PROMPT, wrong).await;
        refused.is("BAD_USER_INPUT", &["prompt.title", "provider", "model"]);
        assert_eq!(refused.extensions["argument"], "prompt");
        let wrong = json!({ "prompt": { "title": "T", "content": "C" }, "suite": "" });
        Refused::of(&alice, WITH_PROMPT, wrong).await.is("BAD_USER_INPUT", &["testSuiteId"]);
        assert_eq!((database.count("prompts").await, database.count("evaluations").await), (1, 1));
        database.check_totals().await;
    }
}
