//! `recordTestResults`.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::common::{Kind, TestServer, on_both_databases};
use crate::recording::{RECORD, evaluation, passed, record, record_refused};
use crate::support::with;

/// Changes of a valid result, with the places of all that is wrong with each.
fn invalid() -> Vec<(Value, Vec<&'static str>)> {
    let long = "x".repeat(256);
    vec![
        (json!({ "testCaseName": "" }), vec!["results[1].testCaseName"]),
        (json!({ "testCaseName": long }), vec!["results[1].testCaseName"]),
        (json!({ "passed": null }), vec!["results[1].outcome"]),
        (json!({ "outcome": "PASSED" }), vec!["results[1].passed"]),
        (json!({ "externalId": " " }), vec!["results[1].externalId"]),
        (json!({ "externalId": long }), vec!["results[1].externalId"]),
        (json!({ "namedScores": [] }), vec!["results[1].namedScores"]),
        (json!({ "namedScores": { "a": "1" } }), vec!["results[1].namedScores.a"]),
        (json!({ "metadata": "x" }), vec!["results[1].metadata"]),
        (json!({ "latencyMs": -1 }), vec!["results[1].latencyMs"]),
        (json!({ "tokenCount": -1 }), vec!["results[1].tokenCount"]),
        (json!({ "costUsd": -0.1 }), vec!["results[1].costUsd"]),
        (json!({ "costUsd": 1e10 }), vec!["results[1].costUsd"]),
        (
            json!({ "testCaseName": " ", "metadata": 1, "tokenCount": -5 }),
            vec!["results[1].testCaseName", "results[1].metadata", "results[1].tokenCount"],
        ),
    ]
}

fn full(id: &str) -> Value {
    json!({
        "testCaseName": "refund", "inputData": { "b": [1, 2.5e2], "a": null }, "expectedOutput": "yes",
        "actualOutput": "no", "score": 0.25, "outcome": "FAILED", "reason": "wrong", "externalId": id,
        "namedScores": { "tone": 0.5 }, "metadata": { "prompt_tokens": 7, "completion_tokens": 5 }, "latencyMs": 40,
        "tokenCount": 12, "costUsd": 0.125, "errorMessage": "none",
    })
}

on_both_databases! {
    async fn results_are_stored_as_they_were_given_and_added_up(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let id = evaluation(&server, None).await;
        let recorded = record(&server, &id, json!([full("1"), passed("a"), passed("a"), with(full("2"), json!({ "outcome": "ERRORED" }))])).await;
        assert_eq!(recorded["recorded"], 4);
        let evaluation = &recorded["evaluation"];
        assert_eq!(evaluation["status"], "RUNNING");
        assert!(evaluation["startedAt"].is_string());
        for (field, expected) in [
            ("totalTests", json!(4)), ("passedTests", json!(2)), ("failedTests", json!(1)), ("erroredTests", json!(1)),
            ("totalCostUsd", json!(0.25)), ("totalTokens", json!(24)), ("averageLatencyMs", json!(40.0)),
        ] {
            assert_eq!(evaluation[field], expected, "{field}");
        }
        let nodes = json!([
            { "testCaseName": "refund", "repetition": 0 }, { "testCaseName": "a", "repetition": 0 },
            { "testCaseName": "a", "repetition": 1 }, { "testCaseName": "refund", "repetition": 1 },
        ]);
        assert_eq!(evaluation["testResults"], json!({ "totalCount": 4, "nodes": nodes }));
        let query = format!(
            "{{ evaluation(id: {id:?}) {{ testResults(first: 1) {{ nodes {{ testCaseName inputData expectedOutput actualOutput
             score outcome passed reason externalId namedScores metadata latencyMs tokenCount costUsd errorMessage
             renderedPrompt }} }} }} }}"
        );
        let stored = server.data(&query).await["evaluation"]["testResults"]["nodes"][0].take();
        let expected = with(full("1"), json!({ "passed": false, "renderedPrompt": null, "inputData": stored["inputData"] }));
        assert_eq!(stored, expected);
        assert_eq!(stored["inputData"]["b"][1].as_f64(), Some(250.0));
        database.check_totals().await;
    }

    async fn repetitions_are_numbered_on(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let id = evaluation(&server, None).await;
        let other = || with(passed("a"), json!({ "inputData": { "question": "another" } }));
        let bare = || with(passed("a"), json!({ "inputData": {} }));
        record(&server, &id, json!([passed("a"), other(), bare()])).await;
        let recorded = record(&server, &id, json!([bare(), passed("a"), passed("b"), passed("a")])).await;
        let nodes = recorded["evaluation"]["testResults"]["nodes"].as_array().unwrap();
        let repetitions: Vec<_> = nodes.iter().map(|node| node["repetition"].as_i64().unwrap()).collect();
        assert_eq!(repetitions, [0, 0, 0, 1, 1, 0, 2]);
    }

    async fn all_faults_of_a_list_are_told_and_nothing_is_stored(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let id = evaluation(&server, None).await;
        for (changes, fields) in invalid() {
            let results = json!([passed("a"), with(passed("b"), changes)]);
            record_refused(&server, &id, results).await.is("BAD_USER_INPUT", &fields);
        }
        let results = json!([with(passed("a"), json!({ "tokenCount": -1 })), passed("b"), with(passed("c"), json!({ "passed": null }))]);
        record_refused(&server, &id, results).await.is("BAD_USER_INPUT", &["results[0].tokenCount", "results[2].outcome"]);
        let many = vec![with(passed("a"), json!({ "tokenCount": -1 })); 200];
        let refused = record_refused(&server, &id, json!(many)).await;
        assert_eq!((refused.fields.len(), &refused.extensions["faultCount"]), (50, &json!(200)));
        assert_eq!(database.count("test_results").await, 0);
        let status = server.data(&format!("{{ evaluation(id: {id:?}) {{ status }} }}")).await;
        assert_eq!(status["evaluation"]["status"], "PENDING");
    }

    async fn what_is_repeated_is_recorded_once(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let id = evaluation(&server, None).await;
        let first = record(&server, &id, json!([full("1"), full("2"), full("1"), passed("a")])).await;
        assert_eq!(first["recorded"], 3);
        let again = record(&server, &id, json!([full("2"), full("3"), full("1")])).await;
        assert_eq!((&again["recorded"], &again["evaluation"]["totalTests"]), (&json!(1), &json!(4)));
        assert_eq!(record(&server, &id, json!([full("3")])).await["recorded"], 0);
        assert_eq!(record(&server, &id, json!([])).await["recorded"], 0);
        for (field, value) in full("").as_object().unwrap() {
            let other = match value {
                Value::String(_) if field == "externalId" => continue,
                Value::String(_) if field == "outcome" => json!("ERRORED"),
                Value::Number(_) => json!(3),
                Value::Object(_) => json!({ "z": 1 }),
                _ => json!("another"),
            };
            let results = json!([full("9"), with(full("1"), json!({ (field): other })), full("2")]);
            let refused = record_refused(&server, &id, results).await;
            refused.is("CONFLICT", &["results[1].externalId"]);
            assert!(refused.message.contains("«1»"), "{}", refused.message);
            assert_eq!(refused.extensions["argument"], "results");
        }
        let within = json!([full("8"), with(full("8"), json!({ "score": 0.5 })), with(full("2"), json!({ "score": 0.5 }))]);
        record_refused(&server, &id, within).await.is("CONFLICT", &["results[1].externalId", "results[2].externalId"]);
        assert_eq!(database.count("test_results").await, 4);
        database.check_totals().await;
    }

    async fn the_number_of_statements_does_not_depend_on_the_number_of_results(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let id = evaluation(&server, None).await;
        record(&server, &id, json!([passed("a")])).await;
        let mut counts = Vec::new();
        for (size, batch) in [2_u64, 900].into_iter().zip(["x", "y"]) {
            let results: Vec<_> = (0..size).map(|number| with(passed("a"), json!({ "externalId": format!("{batch}{number}") }))).collect();
            let reply = server.send(RECORD, json!({ "id": id, "results": results })).await;
            assert_eq!(reply.body["data"]["recordTestResults"]["recorded"], size, "{:#}", reply.body);
            // SQLite takes the rows themselves one at a time, through one prepared statement.
            let rows = if database.kind == Kind::Sqlite { size } else { 1 };
            counts.push(reply.statements() - rows);
        }
        assert_eq!(counts[0], counts[1]);
    }

    async fn no_more_results_than_the_limit(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let id = evaluation(&server, None).await;
        let small = json!({ "testCaseName": "a", "inputData": {}, "score": 1, "passed": true });
        let recorded = record(&server, &id, json!(vec![small.clone(); 10_000])).await;
        assert_eq!((&recorded["recorded"], &recorded["evaluation"]["totalTests"]), (&json!(10_000), &json!(10_000)));
        let refused = record_refused(&server, &id, json!(vec![small; 10_001])).await;
        assert_eq!((refused.code.as_str(), &refused.extensions["limit"]), ("LIMIT_EXCEEDED", &json!(10_000)));
        database.check_totals().await;
    }

    async fn many_who_record_at_once_lose_nothing(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let run = crate::recording::run(&server).await;
        let shared = evaluation(&server, Some(&run)).await;
        let recorders = (0..16).map(|recorder| {
            let (server, shared) = (&server, &shared);
            async move {
                for batch in 0..5 {
                    let result = |number: i32| {
                        let outcome = ["PASSED", "FAILED", "ERRORED", "SKIPPED"][(recorder + number) as usize % 4];
                        json!({ "testCaseName": format!("case {}", number % 3), "inputData": {}, "score": 0.1,
                            "outcome": outcome, "latencyMs": number, "tokenCount": 2, "costUsd": 0.001,
                            "metadata": { "prompt_tokens": 1 },
                            // Half of them are what a neighbour records too.
                            "externalId": if number % 2 == 0 { format!("{}-{batch}-{number}", recorder / 2) }
                                else { format!("own {recorder}-{batch}-{number}") } })
                    };
                    let mut results: Vec<_> = (0..10).map(result).collect();
                    for result in results.iter_mut().step_by(2) {
                        result["outcome"] = json!("PASSED");
                    }
                    record(server, shared, json!(results)).await;
                }
            }
        });
        join_all(recorders).await;
        let stored = database.count("test_results").await;
        assert_eq!(stored, 16 * 5 * 5 + 8 * 5 * 5);
        let query = format!("{{ evaluation(id: {shared:?}) {{ totalTests totalTokens }} run(id: {run:?}) {{ totalTests }} }}");
        let seen = server.data(&query).await;
        assert_eq!(seen, json!({ "evaluation": { "totalTests": stored, "totalTokens": stored * 2 }, "run": { "totalTests": stored } }));
        let repeated = crate::common::sql::numbers(
            &database.location,
            "SELECT count(*) AS value FROM (SELECT test_case_name, repetition FROM test_results GROUP BY test_case_name, repetition) AS cases",
        );
        assert_eq!(repeated.await, [stored], "every repetition has a number of its own");
        database.check_totals().await;
    }
}
