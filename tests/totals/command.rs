//! `evalgraph totals`.

use std::process::Output;
use std::time::Duration;

use evalgraph::db::pool::{DatabaseLocation, LOCK_WAIT};
use evalgraph::domain::TestOutcome;
use serde_json::json;
use tokio::task::JoinHandle;

use super::*;
use crate::common::process::{evalgraph_on, run, stderr, stdout};
use crate::common::{EvaluationBuilder, Kind, PromptBuilder, ResultBuilder, sql};

fn start(location: &DatabaseLocation, arguments: &[&str]) -> JoinHandle<Output> {
    let mut command = evalgraph_on(location, arguments);
    tokio::task::spawn_blocking(move || run(&mut command))
}

async fn totals_command(location: &DatabaseLocation, command: &str) -> Output {
    start(location, &["totals", command]).await.unwrap()
}

on_both_databases! {
    async fn wrong_totals_are_listed_and_put_right(database: TestDatabase) {
        let prompt = PromptBuilder::new().insert(&database).await;
        let evaluation = EvaluationBuilder::of(&prompt).provider("openai", "gpt").score(0.5).tests(1, 1, 0);
        let evaluation = evaluation
            .with(|row| (row.timed_tests, row.total_latency_ms) = (1, Some(7)))
            .with(|row| (row.total_tokens, row.cost_usd) = (Some(5), Some(0.25)));
        let evaluation = evaluation.insert(&database).await;
        let result = ResultBuilder::of(&evaluation).latency_ms(7);
        result.with(|row| (row.token_count, row.cost_usd) = (Some(5), Some(0.25))).insert(&database).await;
        ResultBuilder::of(&evaluation).outcome(TestOutcome::Failed).insert(&database).await;
        // Never evaluated, and so without a row.
        PromptBuilder::new().insert(&database).await;

        let right = "compared: 1 evaluations, 2 prompts; wrong totals: 0\n";
        assert_eq!(stdout(&totals_command(&database.location, "verify").await), right);
        assert_eq!(stdout(&totals_command(&database.location, "rebuild").await), format!("{right}computed anew: 0 evaluations, 0 prompts\n"));

        database.execute("UPDATE evaluations SET total_tests = 3, total_tokens = NULL, cost_usd = 0.2500001").await;
        database.execute("UPDATE prompt_totals SET score_sum = 0.75, user_id = 'mallory'").await;
        database.execute("UPDATE prompt_model_totals SET model = 'other'").await;
        let output = totals_command(&database.location, "verify").await;
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains("evalgraph totals rebuild"), "{}", stderr(&output));
        let (prompt, evaluation) = (prompt.id, evaluation.id);
        let told = String::from_utf8(output.stdout).unwrap();
        let mut lines: Vec<_> = told.lines().collect();
        lines.sort_unstable();
        let mut expected = vec![
            "compared: 1 evaluations, 2 prompts; wrong totals: 9".to_owned(),
            format!("evaluation {evaluation}: total_tests is 3 and should be 2"),
            format!("evaluation {evaluation}: total_tokens is null and should be 5"),
            format!("evaluation {evaluation}: cost_usd is 0.2500001 and should be 0.25"),
            format!("prompt {prompt}: user_id is «mallory» and should be «local»"),
            format!("prompt {prompt}: score_sum is 0.75 and should be 0.5"),
            format!("prompt {prompt}: total_tests is 2 and should be 3"),
            format!("prompt {prompt}: cost_usd is 0.25 and should be 0.2500001"),
            format!("prompt {prompt}, model gpt of openai: the row is missing and should be there"),
            format!("prompt {prompt}, model other of openai: the row is there and should be missing"),
        ];
        expected.sort_unstable();
        assert_eq!(lines, expected);

        let rebuilt = stdout(&totals_command(&database.location, "rebuild").await);
        assert!(rebuilt.ends_with("computed anew: 1 evaluations, 0 prompts\n"), "{rebuilt}");
        assert_eq!(stdout(&totals_command(&database.location, "verify").await), right);

        // Without the detour over an evaluation.
        database.execute("DELETE FROM prompt_totals").await;
        let rebuilt = stdout(&totals_command(&database.location, "rebuild").await);
        assert!(rebuilt.ends_with("wrong totals: 1\ncomputed anew: 0 evaluations, 1 prompts\n"), "{rebuilt}");
        assert_eq!(differences(&database).await, []);
    }

    async fn totals_of_evaluations_are_put_right(database: TestDatabase) {
        let prompt = PromptBuilder::new().insert(&database).await;
        let evaluation = EvaluationBuilder::of(&prompt).tests(1, 1, 0).insert(&database).await;
        ResultBuilder::of(&evaluation).insert(&database).await;
        // Not through a process, whose statements nobody records.
        let rebuilt = totals::rebuild(&database.database).await.unwrap();
        assert_eq!((rebuilt.evaluations, rebuilt.prompts), (1, 0));
        assert_eq!(differences(&database).await, []);
    }

    async fn models_that_read_alike_are_told_apart(database: TestDatabase) {
        let prompt = PromptBuilder::new().insert(&database).await;
        let names = [("c", "a of b"), ("b of c", "a")];
        let rows = names.map(|(provider, model)| EvaluationBuilder::of(&prompt).provider(provider, model).build());
        store(&database, rows.into()).await;
        assert_eq!(wrong_prompts(&database).await, []);
        for (provider, _) in names {
            let change = format!("UPDATE prompt_model_totals SET evaluation_count = 2 WHERE provider = '{provider}'");
            database.execute(&change).await;
            let told: Vec<_> = wrong_prompts(&database).await.iter().map(ToString::to_string).collect();
            let subject = format!("prompt {}, model a of b of c", prompt.id);
            assert_eq!(told, [format!("{subject}: evaluation_count is 2 and should be 1")]);
            database.execute("UPDATE prompt_model_totals SET evaluation_count = 1").await;
        }
    }

    async fn a_mean_may_differ_by_less_than_the_sum_that_it_is_of(database: TestDatabase) {
        let prompt = PromptBuilder::new().insert(&database).await;
        let rows = (0..100).map(|_| EvaluationBuilder::of(&prompt).score(1.0).build());
        store(&database, rows.collect()).await;
        database.execute("UPDATE prompt_totals SET score_sum = 100.00000001, average_score = 1.0000000001").await;
        assert_eq!(wrong_prompts(&database).await, []);
        database.execute("UPDATE prompt_totals SET average_score = 1.00000001").await;
        let told: Vec<_> = wrong_prompts(&database).await.iter().map(ToString::to_string).collect();
        assert_eq!(told, [format!("prompt {}: average_score is 1.00000001 and should be 1", prompt.id)]);
    }

    async fn tokens_of_prompts_and_answers_are_compared_with_what_results_say(database: TestDatabase) {
        let prompt = PromptBuilder::new().insert(&database).await;
        let evaluation = EvaluationBuilder::of(&prompt).tests(3, 0, 0).insert(&database).await;
        let no_counts = json!({ "prompt_tokens": "12", "completion_tokens": -3 });
        let nor_these = json!({ "prompt_tokens": 2_147_483_648_i64, "completion_tokens": 4.5 });
        for metadata in [json!({ "prompt_tokens": 5, "completion_tokens": 2_147_483_647 }), no_counts, nor_these] {
            ResultBuilder::of(&evaluation).with(|row| row.metadata = metadata.into()).insert(&database).await;
        }
        let evaluation = evaluation.id;
        let expected = [("prompt_tokens", "5"), ("completion_tokens", "2147483647")];
        let expected = expected.map(|(column, sum)| format!("evaluation {evaluation}: {column} is null and should be {sum}"));
        let told: Vec<_> = differences(&database).await.iter().map(ToString::to_string).collect();
        assert_eq!(told, expected);
        totals::rebuild(&database.database).await.unwrap();
        assert_eq!(differences(&database).await, []);
        let query = "SELECT prompt_tokens + completion_tokens AS value FROM evaluations";
        assert_eq!(sql::numbers(&database.location, query).await, [2_147_483_652]);
    }

    async fn commands_wait_for_longer_than_requests_and_not_for_ever(database: TestDatabase) {
        let prompt = PromptBuilder::new().insert(&database).await;
        store(&database, vec![EvaluationBuilder::of(&prompt).build()]).await;
        database.execute("UPDATE prompt_totals SET scored_count = 9").await;
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/promptfoo/edge-scores.json");
        let commands: [&[&str]; 2] = [&["totals", "rebuild"], &["import", "promptfoo", file]];
        let limits = ["--statement-timeout-ms=200", "--pool-wait-ms=100"];

        let lock = sql::WriteLock::take(&database.location).await;
        for command in commands {
            let arguments = [command, &limits, &["--command-timeout-ms=100"]].concat();
            let output = start(&database.location, &arguments).await.unwrap();
            let message = stderr(&output);
            assert_eq!(output.status.code(), Some(1), "{message}");
            assert!(message.contains("took longer than --command-timeout-ms allows: "), "{message}");
        }
        let commands = commands.map(|command| start(&database.location, &[command, &limits].concat()));
        let longer_than_requests = match database.kind {
            Kind::Sqlite => LOCK_WAIT + Duration::from_secs(1),
            Kind::Postgres => Duration::from_secs(1),
        };
        tokio::time::sleep(longer_than_requests).await;
        assert!(commands.iter().all(|command| !command.is_finished()));
        drop(lock);
        for command in commands {
            stdout(&command.await.unwrap());
        }
        assert_eq!(wrong_prompts(&database).await, []);
        assert_eq!(database.count("runs").await, 1);
    }

    async fn a_database_without_the_tables_is_told(database: TestDatabase) {
        PromptBuilder::new().insert(&database).await;
        while evalgraph::db::migrate::revert(&database.location, 1).await.unwrap() != ["20261123000400"] {}
        let output = totals_command(&database.location, "verify").await;
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains("evalgraph migrate"), "{}", stderr(&output));
    }

    async fn more_than_a_page_is_compared(database: TestDatabase) {
        let mut rows = Vec::new();
        for _ in 0..250 {
            rows.push(EvaluationBuilder::of(&PromptBuilder::new().insert(&database).await).score(1.0).build());
        }
        store(&database, rows).await;
        database.execute("UPDATE prompt_totals SET scored_count = 2").await;
        assert_eq!(differences(&database).await.len(), 250);
        let rebuilt = totals::rebuild(&database.database).await.unwrap();
        assert_eq!((rebuilt.verified.evaluations, rebuilt.verified.prompts, rebuilt.prompts), (250, 250, 250));
        assert_eq!(differences(&database).await, []);
    }
}
