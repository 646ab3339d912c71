//! Runs from their beginning to their end.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::common::{RunBuilder, TestServer, global_id, on_both_databases};
use crate::recording::{COMPLETE, FAIL, START_RUN, by_id, change, evaluation, passed, record, refused, run, text};
use crate::support::{Refused, server_of, with};

const BASELINE: &str =
    "mutation ($id: ID!, $is: Boolean!) { setRunBaseline(id: $id, isBaseline: $is) { run { isBaseline } } }";
const DELETED: &str = "deletedId evaluations testResults";

on_both_databases! {
    async fn a_run_is_stored_as_it_was_given(database: TestDatabase) {
        let alice = server_of("alice", &database).await;
        let input = json!({ "name": "nightly", "description": "all", "externalId": "42", "tags": { "ci": "yes" },
            "git": { "commit": "abc" }, "metadata": { "a": [1] } });
        let stored = START_RUN.run(&alice, input.clone()).await["run"].take();
        let more = json!({ "id": stored["id"], "userId": "alice", "source": "API", "status": "RUNNING",
            "isBaseline": false, "startedAt": stored["startedAt"] });
        assert_eq!(stored, with(input, more));
        assert!(stored["startedAt"].is_string());
        let plain = START_RUN.run(&alice, json!({ "name": "plain" })).await["run"].take();
        for (field, expected) in [("tags", json!({})), ("metadata", json!({})), ("git", Value::Null), ("description", Value::Null)] {
            assert_eq!(plain[field], expected, "{field}");
        }
    }

    async fn all_faults_of_a_run_are_told(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let long = "x".repeat(256);
        for (input, fields) in [
            (json!({ "name": "" }), vec!["input.name"]),
            (json!({ "name": long }), vec!["input.name"]),
            (json!({ "name": "n", "tags": { "a": 1 } }), vec!["input.tags.a"]),
            (json!({ "name": " ", "externalId": "", "tags": [], "metadata": 1 }), vec!["input.name", "input.externalId", "input.tags", "input.metadata"]),
        ] {
            START_RUN.refusal(&server, input).await.is("BAD_USER_INPUT", &fields);
        }
        assert_eq!(database.count("runs").await, 0);
    }

    async fn a_repeated_run_is_the_same(database: TestDatabase) {
        let (alice, bob) = (server_of("alice", &database).await, server_of("bob", &database).await);
        let input = json!({ "name": "n", "externalId": "42", "git": { "n": 1e2 }, "tags": { "a": "b" } });
        let replies = join_all((0..8).map(|_| START_RUN.run(&alice, input.clone()))).await;
        let ids: Vec<_> = replies.iter().map(|reply| text(&reply["run"]["id"])).collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        for changes in [json!({ "name": "m" }), json!({ "git": null }), json!({ "git": { "n": 101 } }), json!({ "tags": {} }),
                        json!({ "metadata": { "a": 1 } }), json!({ "description": "d" })] {
            START_RUN.refusal(&alice, with(input.clone(), changes)).await.is("CONFLICT", &["input.externalId"]);
        }
        change(&alice, "finishRun", &ids[0]).await;
        assert_eq!(START_RUN.run(&alice, input.clone()).await["run"]["status"], "COMPLETED");
        assert_ne!(text(&START_RUN.run(&bob, input).await["run"]["id"]), ids[0]);
        assert_eq!(database.count("runs").await, 2);
    }

    async fn a_run_ends_after_its_evaluations(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let id = run(&server).await;
        let (one, other) = (evaluation(&server, Some(&id)).await, evaluation(&server, Some(&id)).await);
        refused(&server, "finishRun", &id).await.is("CONFLICT", &["id"]);
        record(&server, &one, json!([passed("a")])).await;
        COMPLETE.run(&server, json!({ "id": one })).await;
        let open = refused(&server, "finishRun", &id).await;
        assert!(open.message.contains("1 of the run's evaluations"), "{}", open.message);
        FAIL.run(&server, json!({ "id": other, "errorMessage": "x" })).await;
        let finished = change(&server, "finishRun", &id).await;
        assert_eq!(finished["status"], "COMPLETED");
        assert!(finished["completedAt"].is_string());
        let again = refused(&server, "finishRun", &id).await;
        again.is("CONFLICT", &["id"]);
        assert_eq!(again.extensions["current"], "COMPLETED");
        let id = run(&server).await;
        FAIL.run(&server, json!({ "id": evaluation(&server, Some(&id)).await, "errorMessage": "x" })).await;
        assert_eq!(change(&server, "finishRun", &id).await["status"], "FAILED");
        let empty = run(&server).await;
        assert_eq!(change(&server, "finishRun", &empty).await["status"], "COMPLETED");
    }

    async fn baselines_are_marked_and_unmarked(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let id = run(&server).await;
        for is_baseline in [true, true, false] {
            let marked = server.ask(BASELINE, json!({ "id": id, "is": is_baseline })).await;
            assert_eq!(marked["setRunBaseline"]["run"]["isBaseline"], is_baseline);
            let count = server.data("{ runs(filter: { isBaseline: true }) { totalCount } }").await;
            assert_eq!(count["runs"]["totalCount"], i32::from(is_baseline));
        }
    }

    async fn a_run_is_removed_with_all_that_it_holds(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let (id, kept) = (run(&server).await, run(&server).await);
        for (run, results) in [(&id, 3), (&id, 2), (&kept, 1)] {
            let evaluation = evaluation(&server, Some(run)).await;
            let results: Vec<_> = (0..results).map(|number| passed(&number.to_string())).collect();
            record(&server, &evaluation, json!(results)).await;
            COMPLETE.run(&server, json!({ "id": evaluation })).await;
        }
        let deleted = server.ask(&by_id("deleteRun", DELETED), json!({ "id": id })).await;
        assert_eq!(deleted["deleteRun"], json!({ "deletedId": id, "evaluations": 2, "testResults": 5 }));
        let counts = [database.count("runs").await, database.count("evaluations").await, database.count("test_results").await];
        assert_eq!((counts, database.count("prompts").await), ([1, 1, 1], 3));
        assert_eq!(server.data("{ statistics { evaluationCount testResultCount } }").await["statistics"], json!({ "evaluationCount": 1, "testResultCount": 1 }));
        database.check_totals().await;
        Refused::of(&server, &by_id("deleteRun", DELETED), json!({ "id": id })).await.is("NOT_FOUND", &["id"]);
    }

    async fn a_run_that_is_removed_while_results_come_leaves_right_totals(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        for _ in 0..3 {
            let id = run(&server).await;
            let evaluation = evaluation(&server, Some(&id)).await;
            let recording = join_all((0..10).map(|number| {
                let variables = json!({ "id": evaluation, "results": [passed(&number.to_string())] });
                server.send(crate::recording::RECORD, variables)
            }));
            let variables = json!({ "id": id });
            let document = by_id("deleteRun", DELETED);
            let (recorded, deleted) = futures_util::future::join(recording, server.send(&document, variables)).await;
            assert!(deleted.body.get("errors").is_none(), "{:#}", deleted.body);
            for reply in recorded {
                let code = reply.body["errors"][0]["extensions"]["code"].as_str();
                assert!(matches!(code, None | Some("NOT_FOUND")), "{:#}", reply.body);
            }
        }
        assert_eq!((database.count("runs").await, database.count("test_results").await), (0, 0));
        database.check_totals().await;
    }

    async fn nobody_changes_the_runs_of_others(database: TestDatabase) {
        let alice = server_of("alice", &database).await;
        let bobs = RunBuilder::new().user("bob").status(evalgraph::domain::EvaluationStatus::Running).insert(&database).await;
        for id in [global_id("Run", bobs.id), global_id("Run", uuid::Uuid::now_v7())] {
            refused(&alice, "finishRun", &id).await.is("NOT_FOUND", &["id"]);
            Refused::of(&alice, BASELINE, json!({ "id": id, "is": true })).await.is("NOT_FOUND", &["id"]);
            Refused::of(&alice, &by_id("deleteRun", DELETED), json!({ "id": id })).await.is("NOT_FOUND", &["id"]);
        }
        assert_eq!(database.count("runs").await, 1);
        let administrator = TestServer::start(&database).await;
        change(&administrator, "finishRun", &global_id("Run", bobs.id)).await;
    }

    async fn ids_of_other_objects_are_refused(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let (run, evaluation) = (run(&server).await, evaluation(&server, None).await);
        for (document, id) in [
            (by_id("finishRun", "run { id }"), &evaluation),
            (by_id("deleteRun", DELETED), &evaluation),
            (by_id("startEvaluation", "evaluation { id }"), &run),
        ] {
            let reply = server.send(&document, json!({ "id": id })).await;
            assert_eq!(reply.body["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{:#}", reply.body);
            assert_eq!(reply.body["errors"][0]["extensions"]["argument"], "id");
        }
    }
}
