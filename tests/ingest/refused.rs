//! Files that are not imported, or not with everything in them.

use super::*;

on_both_databases! {
    async fn what_cannot_be_read_is_refused_and_nothing_is_stored(database: TestDatabase) {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = directory.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let whole = std::fs::read_to_string(data("candidate.json")).unwrap();
        let cut = write("cut.json", &whole[..whole.len() / 2]);
        let huge = write("huge.json", &whole.replacen("\"latencyMs\": ", "\"latencyMs\": 3000000000", 1));
        let late = write("late.json", &whole.replacen("2026-11-23T05:49:52.005Z", "noon", 1));
        for (path, expected) in [
            (cut, "the file ends in the middle of a value: it was cut off; expected the rest"),
            (huge, ".latencyMs: 3000000000"),
            (late, "results.timestamp: «noon» cannot be read"),
            (
                write("other.json", "{\n  \"name\": \"x\"\n}\n"),
                "other.json:1:1: these are not the results of promptfoo; expected one JSON",
            ),
            (
                write("nan.json", &whole.replacen("\"score\": 1", "\"score\": NaN", 1)),
                "nan.json:13:20: this is no JSON value; expected one JSON",
            ),
            (write("infinite.json", &whole.replacen("\"score\": 1", "\"score\": 1e400", 1)), "number out of range; expected"),
            (directory.path().join("absent.json"), "absent.json: the file cannot be read: "),
        ] {
            let message = import(&database.database, &path).await.unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
            assert!(message.contains(path.file_name().unwrap().to_str().unwrap()), "{message}");
        }
        let binary = directory.path().join("binary.json");
        let mut bytes = whole.clone().into_bytes();
        bytes[2_000] = 0xFF;
        for (bytes, expected) in [
            (bytes, "binary.json: byte 2000: this is no text in UTF-8; expected UTF-8"),
            (gzip(whole.as_bytes())[..5_000].to_vec(), "byte 5000: the compressed data end early: the file was cut off"),
        ] {
            std::fs::write(&binary, bytes).unwrap();
            let message = import(&database.database, &binary).await.unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
        let stored = stored(&database.database).await;
        assert_eq!((stored.prompts.len(), stored.runs.len(), stored.evaluations.len()), (0, 0, 0));
    }

    async fn what_is_odd_is_stored_as_it_can_be(database: TestDatabase) {
        let directory = tempfile::tempdir().unwrap();
        let long = "ä".repeat(3_000);
        let path = changed(directory.path(), "edge-scores.json", |file| {
            file["evalId"] = json!(long);
            file["config"]["description"] = json!(format!("{long}\u{0}"));
            file["results"]["prompts"][0]["label"] = json!(long);
            file["results"]["prompts"][0]["provider"] = json!(long);
            let rows = file["results"]["results"].as_array_mut().unwrap();
            let id = rows[0]["id"].clone();
            rows[0]["testCase"]["description"] = json!(long);
            rows[1]["id"] = json!(long);
            rows[1]["latencyMs"] = json!(-3);
            rows[1]["cost"] = json!(-0.5);
            rows[2]["cost"] = json!(1e300);
            rows[2]["response"]["output"] = json!("a\u{0}b");
            let mut again = rows[0].clone();
            again["id"] = id;
            rows.push(again);
        });
        let report = import(&database.database, &path).await.unwrap();
        assert_eq!(written(&report), [1, 2, 2, 2, 6]);
        let expected = [
            "a negative number was left out: results.results[1].latencyMs and 1 more",
            "a result repeats the id of another and was left out: results.results[6].id",
            "2 results are missing: declared 8",
            "characters that cannot be stored were replaced by U+FFFD: 2",
        ];
        assert_eq!(report.warnings, expected);
        let stored = stored(&database.database).await;
        let run = stored.run(&report);
        assert_eq!((run.name.chars().count(), run.external_id.as_ref().map(String::len)), (255, Some(71)));
        let names: Vec<_> = stored.prompts.iter().map(|prompt| prompt.name.as_ref().unwrap().chars().count()).collect();
        assert_eq!(names, [255, 20]);
        assert_eq!(stored.evaluations[0].provider_label.as_ref().map(|label| label.chars().count()), Some(255));
        let outputs: Vec<_> = stored.results.iter().filter_map(|result| result.actual_output.as_deref()).collect();
        assert!(outputs.contains(&"a\u{fffd}b"), "{outputs:?}");
        assert!(stored.results.iter().any(|result| result.test_case_name.as_ref().unwrap().ends_with("ä…")));
        assert!(stored.results.iter().all(|result| result.cost_usd.is_none_or(|cost| cost >= 0.0)));
        // One cost is too large to be added up: the sum is unknown, as it is for whoever verifies it.
        assert!(stored.evaluations.iter().any(|evaluation| evaluation.cost_usd.is_none()));
        let mut differences = Vec::new();
        evalgraph::db::totals::verify(&database.database, |found| differences.push(found.clone())).await.unwrap();
        assert_eq!(differences, []);
        assert_eq!(written(&import(&database.database, &path).await.unwrap()), [0; 5]);
    }

    async fn a_log_with_numbers_that_are_none_is_imported(database: TestDatabase) {
        let directory = tempfile::tempdir().unwrap();
        let whole = std::fs::read_to_string(log()).unwrap();
        let value = whole.find("\"value\": \"C\"").unwrap();
        let (begin, end) = whole.split_at(value);
        // The first sample's headline score, and an aggregate.
        let text = begin.replacen("0.16666666666666669", "NaN", 1) + &end.replacen("\"C\"", "-Infinity", 1);
        let path = directory.path().join("log.json");
        std::fs::write(&path, text).unwrap();
        let report = import_log(&database.database, &path).await.unwrap();
        assert_eq!(report.warnings, ["a sample has no score, it counts as skipped: samples[0].scores"]);
        let stored = stored(&database.database).await;
        assert_eq!(stored.outcomes(&report), [9, 2, 0]);
        assert_close(stored.evaluations[0].overall_score, 9.0 / 11.0, 1e-12);
    }

    async fn logs_of_one_run_are_evaluations_of_it(database: TestDatabase) {
        let directory = tempfile::tempdir().unwrap();
        let mut other: Value = serde_json::from_slice(&std::fs::read(log()).unwrap()).unwrap();
        other["eval"]["eval_id"] = json!("another");
        other["eval"]["model"] = json!("openai/azure/gpt-4o");
        other["stats"]["completed_at"] = json!("2026-11-23T06:09:12+00:00");
        other["status"] = json!("error");
        other["error"] = json!({"message": "refused: Bearer abcdef123456", "traceback": "…"});
        other["samples"].as_array_mut().unwrap().truncate(3);
        other["samples"][0]["error"] = json!({"message": "too slow"});
        other["results"] = Value::Null;
        let path = directory.path().join("log.json");
        std::fs::write(&path, other.to_string()).unwrap();
        let first = import_log(&database.database, &log()).await.unwrap();
        let second = import_log(&database.database, &path).await.unwrap();
        assert_eq!((written(&second), second.run_id), ([0, 0, 0, 1, 3], first.run_id));
        let stored = stored(&database.database).await;
        let [_, evaluation] = stored.evaluations_of(&first)[..] else { panic!("two evaluations") };
        assert_eq!((evaluation.position, evaluation.status), (Some(1), Some(EvaluationStatus::Failed)));
        assert_eq!((evaluation.provider.as_deref(), evaluation.model.as_deref()), (Some("openai"), Some("azure/gpt-4o")));
        assert_eq!(evaluation.error_message.as_deref(), Some("refused: Bearer [redacted]"));
        let counts = (evaluation.passed_tests, evaluation.failed_tests, evaluation.errored_tests);
        assert_eq!(counts, (Some(1), Some(1), Some(1)));
        assert_eq!(stored.run(&first).completed_at, Timestamp::parse("2026-11-23T06:09:12Z").ok());
        assert_eq!(stored.run(&first).status, Some(EvaluationStatus::Completed));
        assert_eq!(written(&import_log(&database.database, &path).await.unwrap()), [0; 5]);
    }
}

#[tokio::test]
async fn secrets_are_not_stored() {
    let database = TestDatabase::sqlite().await;
    let directory = tempfile::tempdir().unwrap();
    let path = changed(directory.path(), "edge-scores.json", |file| {
        file["config"]["env"] = json!({"OPENAI_API_KEY": "hidden-1"});
        file["config"]["providers"] = json!([{"id": "echo", "config": {"apiKey": "hidden-2", "maxTokens": 5}}]);
        file["config"]["defaultTest"] = json!({"options": {"headers": {"Authorization": "Bearer hidden-3"}}});
        file["results"]["results"][0]["testCase"]["options"] = json!({"provider": {"config": {"token": "hidden-4"}}});
        file["results"]["results"][0]["prompt"]["config"] = json!({"url": "https://me:hidden-5@host/"});
        file["results"]["prompts"][0]["config"] = json!({"password": "hidden-6"});
    });
    import(&database.database, &path).await.unwrap();
    let document: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let lines = directory.path().join("lines.jsonl");
    std::fs::write(&lines, format!("{}\n", document["results"]["results"][0])).unwrap();
    import(&database.database, &lines).await.unwrap();
    let legacy = changed(directory.path(), "legacy-v2.json", |file| {
        file["config"]["env"] = json!({"OPENAI_API_KEY": "hidden-7"});
        file["results"]["table"]["head"]["prompts"][0]["config"] = json!({"password": "hidden-8"});
    });
    import(&database.database, &legacy).await.unwrap();
    let mut of_inspect: Value = serde_json::from_slice(&std::fs::read(log()).unwrap()).unwrap();
    of_inspect["eval"]["metadata"] = json!({"api_key": "hidden-9", "password": "hidden-10"});
    of_inspect["eval"]["model_args"] = json!({"api_key": "hidden-11"});
    let path = directory.path().join("log.json");
    std::fs::write(&path, of_inspect.to_string()).unwrap();
    import_log(&database.database, &path).await.unwrap();
    let DatabaseLocation::Sqlite(stored) = &database.location else { unreachable!() };
    for file in std::fs::read_dir(stored.parent().unwrap()).unwrap() {
        let file = file.unwrap().path();
        let bytes = std::fs::read(&file).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("hidden-"), "{}", file.display());
    }
}
