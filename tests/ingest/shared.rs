//! What `promptfoo share` sends: the record of a run, then its results some at a time.

use super::*;

on_both_databases! {
    async fn what_is_shared_is_what_is_in_the_file(database: TestDatabase) {
        let directory = tempfile::tempdir().unwrap();
        let record = imported(&database.database, "share/record.json.gz").await;
        assert_eq!(written(&record), [1, 3, 3, 3, 0]);
        let results = imported(&database.database, "share/results.json.gz").await;
        assert_eq!((written(&results), results.run_id), ([0, 0, 0, 0, 63], record.run_id));
        let mut reports = vec![record, results];
        for name in ["share/record.json.gz", "share/results.json.gz"] {
            let again = imported(&database.database, name).await;
            assert_eq!((written(&again), again.run_id), ([0; 5], reports[0].run_id));
        }
        // The same under another id and name, so that both can stand side by side.
        let other = changed(directory.path(), "candidate.json", |file| file["evalId"] = json!("other"));
        reports.push(import(&database.database, &other).await.unwrap());
        let stored = stored(&database.database).await;
        assert_eq!(stored.outcomes(&reports[0]), [41, 19, 3]);
        let [shared, file] = [&reports[0], &reports[2]].map(|report| comparable(&stored, report));
        for (shared, file) in shared.iter().zip(&file) {
            assert_eq!(shared, file);
        }
        assert_eq!(shared.len(), file.len());
        for report in &reports {
            assert_eq!(report.warnings, Vec::<String>::new());
        }
    }

    async fn a_run_is_complete_when_it_has_as_many_results_as_its_record_says(database: TestDatabase) {
        use EvaluationStatus::{Completed, Running};
        let directory = tempfile::tempdir().unwrap();
        let record = record(directory.path(), [2, 1]);
        let report = import(&database.database, &record).await.unwrap();
        for (rows, added, status) in [
            (vec![(0, 2)], 1, Running),
            (vec![(0, 2), (1, 0)], 1, Running),
            (vec![(0, 0)], 1, Completed),
            (vec![(0, 0)], 0, Completed),
        ] {
            let batch = import(&database.database, &batch(directory.path(), &rows)).await.unwrap();
            assert_eq!((written(&batch), batch.run_id), ([0, 0, 0, 0, added], report.run_id), "{rows:?}");
            let stored = stored(&database.database).await;
            let evaluations = stored.evaluations_of(&report);
            let states: Vec<_> = evaluations.iter().map(|evaluation| evaluation.status).collect();
            assert_eq!((stored.run(&report).status, states), (Some(status), vec![Some(status); 2]), "{rows:?}");
            let ended = (status == Completed).then(|| stored.run(&report).created_at.plus_millis(1500));
            assert_eq!((stored.run(&report).completed_at, evaluations[1].completed_at), (ended, ended));
        }
        // The same case twice: counted over all batches, in the order of the tests.
        let stored = stored(&database.database).await;
        let mut told: Vec<_> = stored.results_of(stored.evaluations_of(&report)[0]);
        told.sort_by_key(|result| result.external_id.clone());
        let told: Vec<_> = told.iter().map(|result| (result.external_id.as_deref(), result.repetition)).collect();
        assert_eq!(told, [(Some("0:0"), Some(0)), (Some("0:2"), Some(1))]);
    }

    async fn what_is_added_is_added_up_and_what_was_there_is_not_read_again(database: TestDatabase) {
        let directory = tempfile::tempdir().unwrap();
        let record = import(&database.database, &record(directory.path(), [9, 1])).await.unwrap();
        import(&database.database, &batch(directory.path(), &[(0, 0), (0, 1)])).await.unwrap();
        // Whoever reads these again comes to other totals, and to other repetitions.
        let change = "UPDATE test_results SET score = 50, outcome = 'failed', passed = (1 = 0), cost_usd = 1,
                        test_case_name = 'another', repetition = 7";
        database.execute(change).await;
        import(&database.database, &batch(directory.path(), &[(0, 2), (0, 3), (0, 1)])).await.unwrap();
        let stored = stored(&database.database).await;
        let evaluation = stored.evaluations_of(&record)[0];
        let counts = (evaluation.total_tests, evaluation.passed_tests, evaluation.failed_tests);
        assert_eq!((counts, evaluation.overall_score, evaluation.cost_usd), ((Some(4), Some(4), Some(0)), Some(1.0), None));
        let mut results = stored.results_of(evaluation);
        results.sort_by_key(|result| result.position);
        let repetitions: Vec<_> = results.iter().map(|result| result.repetition).collect();
        assert_eq!(repetitions, [7, 7, 0, 1].map(Some));
    }

    async fn a_cost_that_is_too_large_stays_unknown_whatever_is_added(database: TestDatabase) {
        let directory = tempfile::tempdir().unwrap();
        let record = import(&database.database, &record(directory.path(), [9, 1])).await.unwrap();
        for (test, cost, expected) in [
            (0, Value::Null, None),
            (1, json!(0.5), Some(0.5)),
            (2, json!(0.25), Some(0.75)),
            (3, json!(1e300), None),
            (4, json!(0.5), None),
        ] {
            let path = batch(directory.path(), &[(0, test)]);
            let mut rows: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            rows[0]["cost"] = cost;
            std::fs::write(&path, rows.to_string()).unwrap();
            import(&database.database, &path).await.unwrap();
            let stored = stored(&database.database).await;
            assert_eq!(stored.evaluations_of(&record)[0].cost_usd, expected, "{test}");
        }
    }

    async fn a_run_that_is_resumed_is_announced_anew(database: TestDatabase) {
        let directory = tempfile::tempdir().unwrap();
        let first = import(&database.database, &record(directory.path(), [1, 1])).await.unwrap();
        import(&database.database, &batch(directory.path(), &[(0, 0)])).await.unwrap();
        let again = import(&database.database, &record(directory.path(), [2, 2])).await.unwrap();
        assert_eq!((written(&again), again.run_id), ([0; 5], first.run_id));
        for (rows, status) in
            [(vec![(1, 0)], EvaluationStatus::Running), (vec![(0, 1), (1, 1)], EvaluationStatus::Completed)]
        {
            import(&database.database, &batch(directory.path(), &rows)).await.unwrap();
            assert_eq!(stored(&database.database).await.run(&first).status, Some(status), "{rows:?}");
        }
    }

    async fn results_without_their_run_or_prompt_are_refused(database: TestDatabase) {
        let directory = tempfile::tempdir().unwrap();
        let results = batch(directory.path(), &[(0, 0), (2, 0)]);
        let error = import(&database.database, &results).await.unwrap_err().to_string();
        assert!(error.ends_with("batch.json: evalId: the run «shared» is not there; import its record first"), "{error}");
        import(&database.database, &record(directory.path(), [1, 1])).await.unwrap();
        let error = import(&database.database, &results).await.unwrap_err().to_string();
        assert!(error.ends_with("batch.json: promptIdx: the run «shared» has no prompt 2"), "{error}");
        assert_eq!(stored(&database.database).await.results.len(), 0);
    }
}

/// A record of a run of two columns with so many tests each.
fn record(directory: &Path, tests: [usize; 2]) -> PathBuf {
    let column = |tests: usize| {
        json!({"raw": "Say {{x}}", "label": "say", "provider": "echo",
            "metrics": {"testPassCount": tests, "testFailCount": 0, "testErrorCount": 0}})
    };
    let record = json!({"id": "shared", "createdAt": 1_795_412_992_005_u64, "durationMs": 1500, "results": [],
        "config": {}, "prompts": tests.map(column)});
    let path = directory.join("record.json");
    std::fs::write(&path, record.to_string()).unwrap();
    path
}

/// Results by column and test, all of the same case.
fn batch(directory: &Path, rows: &[(usize, usize)]) -> PathBuf {
    let row = |&(column, test): &(usize, usize)| {
        json!({"id": format!("{column}:{test}"), "evalId": "shared", "promptIdx": column, "testIdx": test, "success": true,
            "score": 1, "error": null, "testCase": {"vars": {"x": 1}}})
    };
    let path = directory.join("batch.json");
    std::fs::write(&path, Value::from_iter(rows.iter().map(row)).to_string()).unwrap();
    path
}

/// A run with everything in it, without what tells it from the same run under another id.
fn comparable(stored: &Stored, report: &ImportReport) -> Vec<String> {
    let mut run = stored.run(report).clone();
    let mut metadata = json_of(run.metadata.as_ref()).as_object().unwrap().clone();
    // Only the file says where it was written.
    metadata.retain(|name, _| {
        !["nodeVersion", "platform", "arch", "exportedAt", "evaluationCreatedAt"].contains(&name.as_str())
    });
    run.metadata = Some(Value::Object(metadata).into());
    (run.external_id, run.source_version, run.id) = (None, None, stored.runs[0].id);
    let mut rows = vec![format!("{run:?}")];
    for original in stored.evaluations_of(report) {
        let mut evaluation = original.clone();
        evaluation.external_id =
            evaluation.external_id.as_deref().and_then(|id| id.split('#').nth(1)).map(str::to_owned);
        evaluation.run_id = None;
        // promptfoo adds scores up in the order in which the calls ended.
        evaluation.overall_score = evaluation.overall_score.map(|score| (score * 1e12).round());
        (evaluation.id, evaluation.updated_at) = (stored.evaluations[0].id, Some(evaluation.created_at));
        rows.push(format!("{evaluation:?}"));
        for result in stored.results_of(original) {
            let mut result = result.clone();
            (result.id, result.evaluation_id) = (stored.results[0].id, Some(evaluation.id));
            result.updated_at = Some(result.created_at);
            rows.push(format!("{result:?}"));
        }
    }
    rows
}
