//! Files that are imported more than once, in parts, by several users or at the same time.

use super::*;

/// Imports JSON Lines with these tests of one run, all with the same variables.
async fn import_lines(database: &Database, directory: &Path, tests: &[usize]) -> ImportReport {
    let row = |test: usize| {
        json!({"id": format!("row-{test}"), "testIdx": test, "promptIdx": 0, "success": true, "failureReason": 0,
            "score": 1, "vars": {"x": "same"}, "prompt": {"raw": "Say same", "label": "say"}, "provider": {"id": "echo"}})
    };
    let path = directory.join("growing.jsonl");
    let lines: String = tests.iter().map(|&test| format!("{}\n", row(test))).collect();
    std::fs::write(&path, lines).unwrap();
    let options = Options { run_id: Some("growing".to_owned()), ..Options::default() };
    import_as(database, &path, USER, options).await.unwrap()
}

/// What the runs declare, as compact JSON.
async fn declared(database: &TestDatabase) -> Vec<String> {
    let texts = common::sql::texts(&database.location, "SELECT CAST(declared AS TEXT) AS value FROM runs").await;
    texts.into_iter().map(|text| text.replace(' ', "")).collect()
}

on_both_databases! {
    async fn what_is_missing_is_added_and_totals_follow(database: TestDatabase) {
        let directory = tempfile::tempdir().unwrap();
        let part = changed(directory.path(), "candidate.json", |file| {
            let rows = file["results"]["results"].as_array_mut().unwrap();
            rows.retain(|row| row["promptIdx"] != 1 || row["testIdx"].as_i64().unwrap() < 5);
        });
        let report = import(&database.database, &part).await.unwrap();
        assert_eq!(written(&report), [1, 3, 3, 3, 47]);
        assert_eq!(report.warnings, ["16 results are missing: declared 63"]);
        let partial = stored(&database.database).await;
        let [_, column, _] = partial.evaluations_of(&report)[..] else { panic!("three evaluations") };
        let mean = partial.results_of(column).iter().map(|result| result.score).sum::<f64>() / 5.0;
        assert_close(column.overall_score, mean, 1e-9);

        let rest = imported(&database.database, "candidate.json").await;
        assert_eq!(written(&rest), [0, 0, 0, 0, 16]);
        assert_eq!(rest.run_id, report.run_id);
        let stored = stored(&database.database).await;
        assert_eq!(stored.outcomes(&report), [41, 19, 3]);
        let [_, column, _] = stored.evaluations_of(&report)[..] else { panic!("three evaluations") };
        assert_eq!((column.total_tests, column.total_tokens, column.total_latency_ms), (Some(21), Some(2096), Some(528)));
        assert_close(column.cost_usd, 0.000_520_05, 1e-12);
        assert_close(column.overall_score, 18.038_333_333_333_334 / 21.0, 1e-9);
    }

    async fn totals_are_of_all_results_and_not_of_those_of_the_last_file(database: TestDatabase) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("part.json");
        for tests in [0..150_usize, 100..240] {
            let mut file: Value = serde_json::from_str(&generated(250, 1)).unwrap();
            let count = tests.len();
            let rows = file["results"]["results"].as_array_mut().unwrap();
            rows.retain(|row| tests.clone().any(|test| row["testIdx"] == test));
            file["results"]["prompts"][0]["metrics"] = json!({"score": count, "testPassCount": count});
            file["results"]["stats"] = json!({"successes": count});
            std::fs::write(&path, file.to_string()).unwrap();
            assert_eq!(import(&database.database, &path).await.unwrap().warnings, Vec::<String>::new());
        }
        let stored = stored(&database.database).await;
        let [evaluation] = &stored.evaluations[..] else { panic!("one evaluation") };
        assert_eq!((evaluation.total_tests, evaluation.total_latency_ms), (Some(240), Some(1_200)));
        assert_close(evaluation.overall_score, 1.0, 1e-9);
        // The file's own word on itself is that of the last.
        assert_eq!(declared(&database).await, ["{\"successes\":140}"]);
    }

    async fn a_run_of_logs_ends_with_its_last_and_keeps_what_the_first_declared(database: TestDatabase) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log.json");
        let ends = ["2026-11-23T06:20:00Z", "2026-11-23T06:30:00Z", "2026-11-23T06:25:00Z"];
        let (mut runs, mut all_declared) = (Vec::new(), Vec::new());
        for (number, end) in ends.into_iter().enumerate() {
            let mut file: Value = serde_json::from_slice(&std::fs::read(log()).unwrap()).unwrap();
            file["eval"]["eval_id"] = json!(number.to_string());
            file["stats"]["completed_at"] = json!(end);
            file["results"]["total_samples"] = json!(100 + number);
            std::fs::write(&path, file.to_string()).unwrap();
            import_log(&database.database, &path).await.unwrap();
            runs.extend(stored(&database.database).await.runs);
            all_declared.extend(declared(&database).await);
        }
        let [first, _, last] = &runs[..] else { panic!("one run, seen three times") };
        assert_eq!(last.completed_at, Timestamp::parse("2026-11-23T06:30:00Z").ok());
        assert_eq!(last.duration_ms, first.duration_ms);
        assert!(all_declared[0].contains(":100"), "{all_declared:?}");
        assert_eq!(all_declared[2], all_declared[0]);
    }

    async fn a_run_of_logs_runs_while_one_of_its_evaluations_does(database: TestDatabase) {
        use EvaluationStatus::{Completed, Failed, Running};
        let directory = tempfile::tempdir().unwrap();
        let written = |run: &str, eval: &str, status: &str| {
            let mut file: Value = serde_json::from_slice(&std::fs::read(log()).unwrap()).unwrap();
            file["eval"]["run_id"] = json!(run);
            file["eval"]["eval_id"] = json!(eval);
            file["status"] = json!(status);
            if status == "error" {
                file["error"] = json!({"message": "boom"});
            }
            let path = directory.path().join("log.json");
            std::fs::write(&path, file.to_string()).unwrap();
            path
        };
        for (eval, status, expected, evaluations) in [
            ("a", "success", Completed, vec![Completed]),
            ("b", "started", Running, vec![Completed, Running]),
            ("c", "success", Running, vec![Completed, Running, Completed]),
            ("b", "success", Completed, vec![Completed, Completed, Completed]),
            ("b", "started", Completed, vec![Completed, Completed, Completed]),
            ("d", "started", Running, vec![Completed, Completed, Completed, Running]),
            ("d", "error", Completed, vec![Completed, Completed, Completed, Failed]),
            ("alone", "started", Running, vec![Running]),
            ("alone", "error", Failed, vec![Failed]),
        ] {
            let report = import_log(&database.database, &written(if eval == "alone" { "one" } else { "several" }, eval, status)).await.unwrap();
            let stored = stored(&database.database).await;
            let mut found = stored.evaluations_of(&report);
            found.sort_by_key(|evaluation| evaluation.external_id.clone());
            let statuses: Vec<_> = found.iter().map(|evaluation| evaluation.status.unwrap()).collect();
            assert_eq!((stored.run(&report).status, statuses), (Some(expected), evaluations), "{eval} {status}");
            let reason = found.last().unwrap().error_message.as_deref();
            assert_eq!(reason, (status == "error").then_some("boom"));
        }
    }

    async fn repetitions_are_those_of_the_fuller_file(database: TestDatabase) {
        let directory = tempfile::tempdir().unwrap();
        for tests in [vec![1], vec![1, 0], vec![1]] {
            import_lines(&database.database, directory.path(), &tests).await;
        }
        let mut found: Vec<_> = stored(&database.database).await.results.into_iter().collect();
        found.sort_by_key(|result| result.external_id.clone());
        let repetitions: Vec<_> = found.iter().map(|result| result.repetition).collect();
        assert_eq!(repetitions, [Some(0), Some(1)]);
    }

    async fn a_run_that_has_ended_is_not_reopened_by_a_shorter_file(database: TestDatabase) {
        use EvaluationStatus::{Completed, Running};
        let directory = tempfile::tempdir().unwrap();
        for (tests, expected) in [(vec![1], Running), (vec![1, 0], Completed), (vec![1], Completed)] {
            let report = import_lines(&database.database, directory.path(), &tests).await;
            let stored = stored(&database.database).await;
            let statuses = (stored.run(&report).status, stored.evaluations_of(&report)[0].status);
            assert_eq!(statuses, (Some(expected), Some(expected)), "{tests:?}");
        }
    }

    async fn results_are_as_old_as_their_run(database: TestDatabase) {
        let report = imported(&database.database, "edge-scores.json").await;
        let stored = stored(&database.database).await;
        let started_at = stored.run(&report).started_at;
        assert_eq!(started_at, Timestamp::parse("2026-11-23T06:13:02.603Z").ok());
        assert!(stored.results.iter().all(|result| Some(result.created_at) == started_at));
    }

    async fn a_run_belongs_to_its_owner(database: TestDatabase) {
        let first = imported(&database.database, "edge-scores.json").await;
        let other = import_as(&database.database, &data("edge-scores.json"), "somebody", Options::default()).await.unwrap();
        assert_eq!(written(&other), written(&first));
        assert_ne!(other.run_id, first.run_id);
    }

    async fn a_deleted_version_is_followed_by_a_new_one(database: TestDatabase) {
        let directory = tempfile::tempdir().unwrap();
        let run = |id: &str, content: &str| {
            changed(directory.path(), "edge-scores.json", |file| {
                file["evalId"] = json!(id);
                file["results"]["prompts"].as_array_mut().unwrap().truncate(1);
                file["results"]["results"] = json!([]);
                file["results"]["prompts"][0]["raw"] = json!(content);
                file["results"]["prompts"][0]["label"] = json!("greeting");
            })
        };
        for (id, content, deleted, expected) in [
            ("a", "Hello", "", [1, 1, 1, 1, 0]),
            ("b", "Hi", "version = 2", [1, 0, 1, 1, 0]),
            ("c", "Hi", "", [1, 0, 1, 1, 0]),
            ("d", "Hi", "", [1, 0, 0, 1, 0]),
        ] {
            let report = import(&database.database, &run(id, content)).await.unwrap();
            assert_eq!(written(&report), expected, "{id}");
            if !deleted.is_empty() {
                database.execute(&format!("UPDATE prompts SET deleted_at = created_at WHERE {deleted}")).await;
            }
        }
        let versions: Vec<_> = stored(&database.database).await.prompts.iter().map(|prompt| prompt.version).collect();
        assert_eq!(versions, [1, 2, 3].map(Some));
    }

    async fn concurrent_imports_store_a_file_once(database: TestDatabase) {
        let path = data("candidate.json");
        let (one, other) = tokio::join!(import(&database.database, &path), import(&database.database, &path));
        let (one, other) = (one.unwrap(), other.unwrap());
        assert_eq!(one.run_id, other.run_id);
        assert_eq!(one.new_results + other.new_results, 63);
    }
}
