//! Numbers that cannot be added up or divided, and lists that are as long as they may be.

use evalgraph::domain::Timestamp;
use serde_json::json;

use super::*;
use crate::common::{EvaluationBuilder, PromptBuilder};

on_both_databases! {
    async fn numbers_beyond_all_sums_make_no_mean(database: TestDatabase) {
        let prompt = PromptBuilder::new().insert(&database).await;
        let evaluation = |score: f64, model: &str| {
            EvaluationBuilder::of(&prompt).score(score).provider("p", model).with(|row| row.cost_usd = Some(score.abs()))
        };
        // Adding two such numbers is an error in PostgreSQL, and an import must not fail for it.
        let rows = [evaluation(f64::MAX, "huge"), evaluation(f64::MAX, "huge"), evaluation(-1e290, "large")];
        store(&database, rows.map(EvaluationBuilder::build).into()).await;
        // So is dividing such a sum.
        let tiny = [evaluation(5e-324, "tiny"), evaluation(-0.0, "tiny")];
        store(&database, tiny.map(EvaluationBuilder::build).into()).await;
        let server = TestServer::start(&database).await;
        let query = "{ prompts { nodes { evaluationCount averageScore scoreTrend { averageScore evaluationCount } } }
                       promptLeaderboard(minEvaluations: 1) { averageScore } statistics { averageScore evaluationCount }
                       modelLeaderboard { model averageScore totalCostUsd }
                       recent: modelLeaderboard(since: \"2000-01-01T00:00:00Z\") { model averageScore totalCostUsd } }";
        let data = server.data(query).await;
        assert_eq!(data["prompts"]["nodes"][0]["averageScore"], json!(null));
        assert_eq!(data["prompts"]["nodes"][0]["evaluationCount"], 5);
        let trend = data["prompts"]["nodes"][0]["scoreTrend"].as_array().unwrap();
        assert!(trend.iter().any(|point| point["averageScore"] == json!(null)), "{trend:?}");
        assert_eq!(data["promptLeaderboard"], json!([]));
        assert_eq!(data["statistics"], json!({ "averageScore": null, "evaluationCount": 5 }));
        for models in [&data["modelLeaderboard"], &data["recent"]] {
            let names: Vec<_> = models.as_array().unwrap().iter().map(|model| &model["model"]).collect();
            assert_eq!(names, ["tiny", "large", "huge"], "those without a mean come last");
            assert_eq!((&models[2]["averageScore"], &models[2]["totalCostUsd"]), (&json!(null), &json!(null)));
            assert_eq!(models[1], json!({ "model": "large", "averageScore": -1e290, "totalCostUsd": 1e290 }));
        }
        assert_eq!(wrong_prompts(&database).await, []);
    }

    async fn a_trend_has_its_newest_thousand_points_at_most(database: TestDatabase) {
        let prompt = PromptBuilder::new().insert(&database).await;
        let begin = Timestamp::parse("2020-01-01T00:30:00Z").unwrap();
        let hour = 3_600_000;
        let rows = (0..1_003).map(|number| EvaluationBuilder::of(&prompt).created_at(begin.plus_millis(number * hour)));
        store(&database, rows.map(EvaluationBuilder::build).collect()).await;
        let server = TestServer::start(&database).await;
        let trend = async |arguments: &str| {
            let query = format!("{{ prompts(first: 1) {{ nodes {{ scoreTrend(interval: HOUR{arguments}) {{ at }} }} }} }}");
            let points = server.data(&query).await["prompts"]["nodes"][0]["scoreTrend"].take();
            let points = points.as_array().unwrap();
            (points.len(), points.first().cloned(), points.last().map(|point| point["at"].clone()))
        };
        let first = |at: &str| Some(json!({ "at": at }));
        let last = Some(json!("2020-02-11T18:00:00.000000Z"));
        assert_eq!(trend("").await, (1_000, first("2020-01-01T03:00:00.000000Z"), last.clone()));
        assert_eq!(trend(", limit: null").await.0, 1_000);
        assert_eq!(trend(", limit: 2").await, (2, first("2020-02-11T17:00:00.000000Z"), last.clone()));
        assert_eq!(trend(", limit: 0").await, (0, None, None));
        // From the middle of a bucket on.
        let since = ", since: \"2020-02-11T17:30:00Z\"";
        assert_eq!(trend(since).await, (2, first("2020-02-11T17:00:00.000000Z"), last.clone()));
        let since = ", since: \"2020-02-11T17:30:00.000001Z\"";
        assert_eq!(trend(since).await, (1, first("2020-02-11T18:00:00.000000Z"), last));
    }

    async fn a_trend_costs_as_many_values_as_it_may_have_points(database: TestDatabase) {
        let prompt = PromptBuilder::new().insert(&database).await;
        let server = TestServer::start(&database).await;
        let query = |arguments: &str| format!("{{ prompts(first: 100) {{ nodes {{ scoreTrend{arguments} {{ at }} }} }} }}");
        let (message, code, _) = server.error(&query("")).await;
        // Each point is one value, and has one.
        assert!(message.contains(&format!("{} values", 100 * (1 + 1_000 * 2) + 1)), "{message}");
        assert_eq!(code, "LIMIT_EXCEEDED");
        server.data(&query("(limit: 400)")).await;
        for (limit, given) in [(1_001, "1001"), (-1, "-1")] {
            let id = global_id("Prompt", prompt.id);
            let query = format!("{{ prompt(id: {id:?}) {{ scoreTrend(limit: {limit}) {{ at }} }} }}");
            let (message, code, argument) = server.error(&query).await;
            assert_eq!((code.as_str(), argument.as_deref()), ("BAD_USER_INPUT", Some("limit")));
            assert!(message.ends_with(&format!("must be from 0 to 1000, not {given}")), "{message}");
        }
    }

    async fn a_leaderboard_without_a_limit_is_no_longer_than_a_page(database: TestDatabase) {
        let rows: Vec<_> = {
            let mut rows = Vec::new();
            for _ in 0..25 {
                let prompt = PromptBuilder::new().insert(&database).await;
                rows.extend([0.25, 0.5].map(|score| EvaluationBuilder::of(&prompt).score(score).build()));
            }
            rows
        };
        store(&database, rows).await;
        let length = async |server: &TestServer, arguments: &str| {
            let query = format!("{{ promptLeaderboard(minEvaluations: 2{arguments}) {{ evaluationCount }} }}");
            server.data(&query).await["promptLeaderboard"].as_array().unwrap().len()
        };
        let server = TestServer::start(&database).await;
        for (arguments, expected) in [("", 20), (", limit: null", 20), (", limit: 100", 25), (", limit: 3", 3)] {
            assert_eq!(length(&server, arguments).await, expected, "{arguments}");
        }
        let mut app = TestServer::app(database.database.clone());
        (app.limits.queries.pages.maximum, app.limits.queries.pages.default) = (7, 7);
        let app = evalgraph::app::App::with_limits(app.database, app.limits);
        let server = TestServer::with(app, evalgraph::domain::Principal::local()).await;
        assert_eq!(length(&server, "").await, 7);
    }

    async fn the_first_week_of_the_calendar_begins_with_it(database: TestDatabase) {
        let prompt = PromptBuilder::new().insert(&database).await;
        EvaluationBuilder::of(&prompt).score(1.0).created_at(Timestamp::MIN).insert(&database).await;
        let server = TestServer::start(&database).await;
        let data = server.data("{ prompts { nodes { scoreTrend(interval: WEEK) { at } } } }").await;
        let expected = json!([{ "at": "0000-01-01T00:00:00.000000Z" }]);
        assert_eq!(data["prompts"]["nodes"][0]["scoreTrend"], expected);
    }
}
