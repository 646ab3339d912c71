//! Files that are imported more than once, in parts, by several users or at the same time.

use super::*;

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
        assert_eq!((column.total_tests, column.total_tokens, column.total_latency_ms), (21, Some(2096), Some(528)));
        assert_close(column.cost_usd, 0.000_520_05, 1e-12);
        assert_close(column.overall_score, 18.038_333_333_333_334 / 21.0, 1e-9);
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
            let statuses: Vec<_> = found.iter().map(|evaluation| evaluation.status).collect();
            assert_eq!((stored.run(&report).status, statuses), (expected, evaluations), "{eval} {status}");
            let reason = found.last().unwrap().error_message.as_deref();
            assert_eq!(reason, (status == "error").then_some("boom"));
        }
    }

    async fn repetitions_are_those_of_the_fuller_file(database: TestDatabase) {
        let directory = tempfile::tempdir().unwrap();
        let row = |test: usize| {
            json!({"id": format!("row-{test}"), "testIdx": test, "promptIdx": 0, "success": true, "failureReason": 0,
                "score": 1, "vars": {"x": "same"}, "prompt": {"raw": "Say same", "label": "say"}, "provider": {"id": "echo"}})
        };
        let path = directory.path().join("growing.jsonl");
        let options = || Options { run_id: Some("growing".to_owned()), ..Options::default() };
        for tests in [vec![1], vec![1, 0], vec![1]] {
            let lines: String = tests.iter().map(|&test| format!("{}\n", row(test))).collect();
            std::fs::write(&path, lines).unwrap();
            import_as(&database.database, &path, USER, options()).await.unwrap();
        }
        let mut found: Vec<_> = stored(&database.database).await.results.into_iter().collect();
        found.sort_by_key(|result| result.external_id.clone());
        let repetitions: Vec<_> = found.iter().map(|result| result.repetition).collect();
        assert_eq!(repetitions, [0, 1]);
    }

    async fn a_run_belongs_to_its_owner(database: TestDatabase) {
        let first = imported(&database.database, "edge-scores.json").await;
        let other = import_as(&database.database, &data("edge-scores.json"), "somebody", Options::default()).await.unwrap();
        assert_eq!(written(&other), written(&first));
        assert_ne!(other.run_id, first.run_id);
    }

    async fn concurrent_imports_store_a_file_once(database: TestDatabase) {
        let path = data("candidate.json");
        let (one, other) = tokio::join!(import(&database.database, &path), import(&database.database, &path));
        let (one, other) = (one.unwrap(), other.unwrap());
        assert_eq!(one.run_id, other.run_id);
        assert_eq!(one.new_results + other.new_results, 63);
    }
}
