//! Real files: what is stored of them, and that a second import stores nothing.

use super::*;

/// What has to be true of any database, empty at first, after importing the files.
async fn oracle(database: &Database) {
    baseline(database).await;
    candidate(database).await;
    edge_scores(database).await;
    legacy(database).await;
    inspect(database).await;
}

async fn baseline(database: &Database) {
    let report = imported(database, "baseline.json").await;
    assert_eq!(written(&report), [1, 3, 3, 6, 126]);
    assert_eq!(report.warnings, Vec::<String>::new());
    let stored = stored(database).await;
    check_baseline_run(stored.run(&report));
    check_baseline_prompts(&stored.prompts);
    let evaluations = stored.evaluations_of(&report);
    check_baseline_evaluations(&evaluations, &stored);
    assert_eq!(stored.outcomes(&report), [70, 50, 6]);
    check_baseline_results(&stored.results_of(evaluations[4]));

    let again = imported(database, "baseline.json").await;
    assert_eq!((written(&again), again.run_id), ([0; 5], report.run_id));
    assert_eq!((again.known_evaluations, again.known_results), (6, 126));
    assert!(again.to_string().contains("0 rows written"), "{again}");

    let options = Options { run_id: Some("eval-i7b-2026-11-23T05:48:29".to_owned()), ..Options::default() };
    let lines = import_as(database, &data("baseline.jsonl"), USER, options).await.unwrap();
    assert_eq!((written(&lines), lines.run_id), ([0; 5], report.run_id));
    assert_eq!((lines.known_evaluations, lines.known_results), (6, 126));
    let [before, after] = [&stored, &super::stored(database).await].map(|stored| format!("{:?}", stored.run(&report)));
    assert_eq!(before, after);
}

fn check_baseline_run(run: &RunRow) {
    assert_eq!((run.source, run.status), (Some(RunSource::Promptfoo), Some(EvaluationStatus::Completed)));
    assert_eq!(run.external_id.as_deref(), Some("eval-i7b-2026-11-23T05:48:29"));
    assert_eq!(run.source_version.as_deref(), Some("0.123.1"));
    assert_eq!(run.name, "Support ticket triage, three prompts against two providers");
    assert_eq!(run.duration_ms, Some(1565));
    let began = Timestamp::parse("2026-11-23T05:48:29.584Z").unwrap();
    assert_eq!((run.created_at, run.started_at), (began, Some(began)));
    assert_eq!(run.completed_at, Some(began.plus_millis(1565)));
    let tags = json!({"team": "support", "purpose": "regression-baseline", "release": "2026.9"});
    assert_eq!(json_of(run.tags.as_ref()), tags);
    let metadata = json_of(run.metadata.as_ref());
    assert_eq!(metadata["repeat"], 1);
    assert_eq!(metadata["nodeVersion"], "v22.23.3");
    assert_eq!(metadata["grading_tokens"], 1440);
}

fn check_baseline_prompts(prompts: &[Arc<PromptRow>]) {
    let names: Vec<_> = prompts.iter().map(|prompt| prompt.name.as_deref().unwrap()).collect();
    assert_eq!(names, ["triage-terse", "triage-json", "triage-chat"]);
    for prompt in prompts {
        assert_eq!((prompt.version, prompt.root_id, prompt.parent_id), (Some(1), Some(prompt.id), None));
        assert_eq!(prompt.status, Some(PromptStatus::Active));
        assert_eq!(prompt.title, prompt.name.as_deref().unwrap());
    }
    assert_eq!(prompts[0].format, Some(PromptFormat::Text));
    assert!(prompts[0].content.as_deref().unwrap().contains("{{"), "the template, not a rendered prompt");
    assert_eq!(prompts[2].format, Some(PromptFormat::Chat));
    let system = prompts[2].system_message.as_deref().unwrap();
    assert!(system.starts_with("You are a patient support agent for {{product}}"), "{system}");
    let metadata = json_of(prompts[0].metadata.as_ref());
    assert!(metadata["promptfoo"]["label"].as_str().unwrap().starts_with("triage-terse: prompts/terse.txt: "));
}

fn check_baseline_evaluations(evaluations: &[&EvaluationRow], stored: &Stored) {
    let costs = [0.0, 0.0, 0.0, 0.000_137_1, 0.000_359_4, 0.000_408_6];
    let scores = [0.908_288, 0.666_224, 0.666_224, 0.870_873, 0.851_032, 0.847_063];
    let latencies = [14, 18, 9, 565, 523, 488];
    let tokens = [0, 0, 0, 920, 1371, 1434];
    for (index, evaluation) in evaluations.iter().enumerate() {
        assert_eq!(evaluation.position, i32::try_from(index).ok());
        assert_eq!(evaluation.prompt_id, Some(stored.prompts[index % 3].id));
        assert_eq!(evaluation.external_id, Some(format!("eval-i7b-2026-11-23T05:48:29#{index}")));
        assert_eq!((evaluation.total_tests, evaluation.timed_tests), (Some(21), Some(21)));
        assert_close(evaluation.cost_usd, costs[index], 1e-12);
        assert_close(evaluation.overall_score, scores[index], 1e-6);
        assert_eq!(
            (evaluation.total_latency_ms, evaluation.total_tokens),
            (Some(latencies[index]), Some(tokens[index]))
        );
        let who = [&evaluation.provider, &evaluation.model, &evaluation.provider_label].map(|text| text.as_deref());
        let expected = if index < 3 {
            ["echo", "echo", "echo-baseline"]
        } else {
            ["custom", "triage-sim-small", "triage-sim-small"]
        };
        assert_eq!(who, expected.map(Some));
        let results = stored.results_of(evaluation);
        assert_eq!(results.len(), 21);
        let mean = results.iter().map(|result| result.score).sum::<f64>() / 21.0;
        assert_close(evaluation.overall_score, mean, 1e-9);
    }
    let metrics = json_of(evaluations[3].metrics.as_ref());
    assert_eq!((&metrics["cached_tokens"], &metrics["grading_tokens"]), (&json!(87), &json!(240)));
    assert_eq!(metrics["config"], json!({"temperature": 0.2}));
    let derived = &metrics["evaluation_metrics"]["quality"];
    assert!(derived["score_sum"].is_number() && derived["weight_sum"].is_null(), "{derived}");
}

fn check_baseline_results(results: &[&TestResultRow]) {
    // The order of the tests in the configuration, not that in which the calls ended.
    assert_eq!(results[0].test_case_name.as_deref(), Some("invoice charged twice"));
    assert_eq!(results[17].test_case_name.as_deref(), Some("provider refused"));
    let unnamed =
        results.iter().filter(|result| result.test_case_name.as_ref().unwrap().starts_with("language=")).count();
    assert_eq!(unnamed, 1);
    assert!(results.iter().all(|result| result.repetition == Some(0)));
    let cached = json_of(results[0].metadata.as_ref());
    assert_eq!(
        (&cached["cached"], &cached["output_is_json"], &cached["cached_tokens"]),
        (&json!(true), &json!(true), &json!(78))
    );
    assert!(cached.get("_promptfooFileMetadata").is_none());
    assert_eq!(cached["suite"], "billing");
    assert_eq!(cached["assertion_results"][2]["metric"], "accuracy");
    let refused = results[17];
    assert_eq!(
        (refused.outcome, refused.passed, refused.actual_output.as_deref()),
        (Some(TestOutcome::Errored), Some(false), None)
    );
    assert!(refused.error_message.as_deref().unwrap().starts_with("API error: 400 Bad Request"));
    // An assertion that failed has a reason, and is no error.
    let failed = results.iter().find(|result| result.outcome == Some(TestOutcome::Failed)).unwrap();
    assert_eq!(failed.error_message, None);
    assert!(failed.reason.is_some());
}

async fn candidate(database: &Database) {
    let report = imported(database, "candidate.json").await;
    assert_eq!(written(&report), [1, 0, 1, 3, 63]);
    assert_eq!(report.warnings, Vec::<String>::new());
    let stored = stored(database).await;
    assert_eq!((stored.prompts.len(), stored.runs.len()), (4, 2));
    assert_eq!((stored.evaluations.len(), stored.results.len()), (9, 189));
    assert_eq!(stored.outcomes(&report), [41, 19, 3]);
    let versions: Vec<_> =
        stored.prompts.iter().filter(|prompt| prompt.name.as_deref() == Some("triage-json")).collect();
    let [first, second] = versions[..] else { panic!("two versions") };
    assert_eq!((second.version, second.root_id, second.parent_id), (Some(2), Some(first.id), Some(first.id)));
    let used: Vec<_> = stored.evaluations_of(&report).iter().map(|evaluation| evaluation.prompt_id).collect();
    assert_eq!(used, [stored.prompts[0].id, second.id, stored.prompts[2].id].map(Some));
    assert_eq!(written(&imported(database, "candidate.json").await), [0; 5]);
}

async fn edge_scores(database: &Database) {
    let report = imported(database, "edge-scores.json").await;
    assert_eq!(written(&report), [1, 2, 2, 2, 6]);
    assert_eq!(report.warnings, ["2 results are missing: declared 8"]);
    let stored = stored(database).await;
    let run = stored.run(&report);
    assert_eq!(run.name, "eval-McX-2026-11-23T06:13:02");
    let evaluations = stored.evaluations_of(&report);
    for evaluation in &evaluations {
        assert_eq!((evaluation.overall_score, evaluation.total_tests), (None, Some(3)));
        let scores: Vec<_> = stored.results_of(evaluation).iter().map(|result| result.score).collect();
        assert_eq!(scores, [5.0, -2.0, 0.175]);
    }
    let names: HashMap<_, _> =
        stored.prompts.iter().map(|prompt| (prompt.id, prompt.name.as_deref().unwrap())).collect();
    let [unnamed, named] = [0, 1].map(|index: usize| names[&evaluations[index].prompt_id.unwrap()]);
    assert!(unnamed.starts_with("prompt-") && unnamed.len() == 15, "{unnamed}");
    assert_eq!(named, "folder/named: prompt");
    assert_eq!(written(&imported(database, "edge-scores.json").await), [0; 5]);
}

async fn legacy(database: &Database) {
    let report = imported(database, "legacy-v2.json").await;
    assert_eq!(written(&report), [1, 2, 2, 4, 12]);
    assert_eq!(report.warnings, Vec::<String>::new());
    let stored = stored(database).await;
    assert_eq!(stored.outcomes(&report), [7, 3, 2]);
    let evaluations = stored.evaluations_of(&report);
    let providers: Vec<_> =
        evaluations.iter().map(|evaluation| evaluation.provider_label.as_deref().unwrap()).collect();
    assert_eq!(providers, ["echo-baseline", "echo-baseline", "triage-sim-small", "triage-sim-small"]);
    for (index, evaluation) in evaluations.iter().enumerate() {
        let results = stored.results_of(evaluation);
        let names: Vec<_> = results.iter().map(|result| result.test_case_name.as_deref().unwrap()).collect();
        assert_eq!(names, ["invoice charged twice", "app crashes on start", "provider refused"]);
        let ids: Vec<_> = results.iter().map(|result| result.external_id.clone().unwrap()).collect();
        assert_eq!(ids, [0, 1, 2].map(|test| format!("{test}:{index}")));
        for result in results {
            let ticket = json_of(result.input_data.as_ref())["ticket"].as_str().unwrap().to_owned();
            assert!(result.rendered_prompt.as_deref().unwrap().contains(&ticket), "each row has its own prompt");
        }
    }
    let refused = stored.results_of(evaluations[3])[2];
    assert_eq!(refused.outcome, Some(TestOutcome::Errored));
    assert!(refused.error_message.as_deref().unwrap().starts_with("API error: 400 Bad Request"));
    assert_eq!(json_of(evaluations[2].metrics.as_ref())["evaluation_metrics"]["accuracy"]["weight_sum"], 2);
    assert_eq!(written(&imported(database, "legacy-v2.json").await), [0; 5]);
}

async fn inspect(database: &Database) {
    let report = import_log(database, &log()).await.unwrap();
    assert_eq!(written(&report), [1, 1, 1, 1, 12]);
    assert_eq!(report.warnings, Vec::<String>::new());
    let stored = stored(database).await;
    assert_eq!(stored.outcomes(&report), [10, 2, 0]);
    let run = stored.run(&report);
    assert_eq!((run.source, run.name.as_str()), (Some(RunSource::Inspect), "support_triage"));
    assert_eq!(run.external_id.as_deref(), Some("mebJ2kSQXWQVK2CjDuoG3Q"));
    assert_eq!((run.source_version.as_deref(), run.duration_ms), (Some("0.3.285"), Some(0)));
    assert_eq!(json_of(run.tags.as_ref()), json!({"regression-baseline": true}));
    assert_eq!(json_of(run.metadata.as_ref())["team"], "support");
    let prompt = stored.prompts.iter().find(|prompt| prompt.name.as_deref() == Some("support_triage")).unwrap();
    assert!(prompt.content.as_deref().unwrap().ends_with("or other.\n\n{prompt}"), "{:?}", prompt.content);
    let [evaluation] = stored.evaluations_of(&report)[..] else { panic!("one evaluation") };
    assert_eq!((evaluation.prompt_id, evaluation.position), (Some(prompt.id), Some(0)));
    assert_eq!(evaluation.test_suite_id.as_deref(), Some("support_triage@2"));
    assert_eq!((evaluation.provider.as_deref(), evaluation.model.as_deref()), (Some("mockllm"), Some("model")));
    assert_close(evaluation.overall_score, 10.0 / 12.0, 1e-12);
    assert_eq!((evaluation.total_tokens, evaluation.timed_tests), (Some(462), Some(12)));
    assert_close(evaluation.cost_usd, 0.00078, 1e-12);
    assert_eq!(
        json_of(evaluation.metrics.as_ref())["inspect"]["scores"][0]["metrics"]["stderr"],
        0.166_666_666_666_666_69
    );
    let results = stored.results_of(evaluation);
    let told: Vec<_> = results[..4]
        .iter()
        .map(|result| (result.test_case_name.as_deref().unwrap(), result.repetition.unwrap()))
        .collect();
    // The order of the data set, not that of the log.
    assert_eq!(told, [("invoice-twice", 0), ("invoice-twice", 1), ("app-crash", 0), ("app-crash", 1)]);
    let first = results[0];
    let texts = [&first.expected_output, &first.actual_output, &first.reason].map(|text| text.as_deref().unwrap());
    assert_eq!(texts, ["billing", "billing", "billing"]);
    assert_eq!(json_of(first.named_scores.as_ref()), json!({"includes": 1.0, "match": 1.0}));
    assert!(first.rendered_prompt.as_deref().unwrap().starts_with("Classify the ticket: "));
    assert_eq!(json_of(first.metadata.as_ref())["assertion_results"][1]["metric"], "match");
    assert_eq!(written(&import_log(database, &log()).await.unwrap()), [0; 5]);
}

on_both_databases! {
    async fn real_files_are_imported_as_they_are(database: TestDatabase) {
        oracle(&database.database).await;
    }

    async fn a_file_of_lines_stands_alone(database: TestDatabase) {
        let lines = imported(&database.database, "baseline.jsonl").await;
        assert_eq!(written(&lines), [1, 3, 3, 6, 126]);
        assert_eq!(lines.warnings, Vec::<String>::new());
        // The templates are those of the document, but for the one that the label does not contain.
        let document = imported(&database.database, "baseline.json").await;
        assert_eq!(written(&document), [1, 0, 1, 6, 126]);
        let stored = stored(&database.database).await;
        let newest = stored.prompts.last().unwrap();
        assert_eq!((newest.name.as_deref(), newest.version), (Some("triage-chat"), Some(2)));
        assert_eq!(stored.outcomes(&lines), stored.outcomes(&document));
        let figures = |report: &ImportReport| -> Vec<_> {
            let evaluations = stored.evaluations_of(report);
            evaluations.iter().map(|evaluation| (evaluation.total_tokens, evaluation.total_latency_ms)).collect()
        };
        assert_eq!(figures(&lines), figures(&document));
        let run = stored.run(&lines);
        assert_eq!((run.name.as_str(), run.status), ("baseline.jsonl", Some(EvaluationStatus::Completed)));
        assert_eq!(run.external_id.as_ref().map(String::len), Some(64));
    }

    async fn compressed_files_are_the_same_files(database: TestDatabase) {
        let directory = tempfile::tempdir().unwrap();
        for name in ["baseline.jsonl", "edge-scores.json"] {
            let path = directory.path().join(name);
            std::fs::write(&path, gzip(&std::fs::read(data(name)).unwrap())).unwrap();
            let report = import(&database.database, &path).await.unwrap();
            assert!(report.new_results > 0);
            assert_eq!(written(&imported(&database.database, name).await), [0; 5]);
        }
    }
}
