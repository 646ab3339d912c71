//! The tier in the server's own memory.

use std::time::Duration;

use evalgraph::cache::{Cache, Follower};
use evalgraph::db::Database;
use evalgraph::db::pool::PoolSettings;
use evalgraph::domain::Principal;
use serde_json::json;

use crate::common::{
    EvaluationBuilder, PromptBuilder, Reply, ResultBuilder, RunBuilder, TestServer, eventually, global_id,
    on_both_databases, small_pools,
};
use crate::instance::{Instance, process_tier};

on_both_databases! {
    async fn what_was_read_is_not_read_again(database: TestDatabase) {
        let prompt = PromptBuilder::new().insert(&database).await;
        let run = RunBuilder::new().insert(&database).await;
        let evaluation = EvaluationBuilder::of(&prompt).run(&run, 0).insert(&database).await;
        ResultBuilder::of(&evaluation).insert(&database).await;
        let instance = Instance::start(&database.location, &process_tier()).await;
        let query = format!(
            "{{ prompt(id: \"{}\") {{ title evaluationCount evaluations(first: 2) {{ totalCount nodes {{ model run {{ name }} \
             testResults(first: 2) {{ totalCount nodes {{ testCaseName }} }} }} }} }} statistics {{ runCount }} }}",
            global_id("Prompt", prompt.id)
        );
        let first = instance.server.send(&query, json!({})).await;
        assert!(first.statements() >= 6, "{:?}", first.body);
        let second = instance.server.send(&query, json!({})).await;
        assert_eq!(second.statements(), 0, "{:?}", second.body);
        assert_eq!(first.body["data"], second.body["data"]);
        assert_eq!(second.body["extensions"]["evalgraph"]["loaders"]["promptById"]["processHits"], 1);
    }

    async fn a_change_is_seen_at_once(database: TestDatabase) {
        let prompt = PromptBuilder::new().title("old").insert(&database).await;
        let instance = Instance::start(&database.location, &process_tier()).await;
        let id = global_id("Prompt", prompt.id);
        let query = format!("{{ prompt(id: \"{id}\") {{ title evaluationCount evaluations {{ totalCount }} }} }}");
        let titles = format!("{{ prompts(filter: {{ userId: \"{}\" }}) {{ totalCount nodes {{ title }} }} }}", prompt.user_id);
        for round in 0..10 {
            instance.server.data(&query).await;
            instance.server.data(&titles).await;
            let change = format!(
                "mutation {{ updatePrompt(input: {{ id: \"{id}\", title: \"title {round}\" }}) {{ prompt {{ title }} }} \
                 createEvaluation(input: {{ promptId: \"{id}\" }}) {{ evaluation {{ id }} }} }}"
            );
            instance.server.data(&change).await;
            let seen = instance.server.data(&query).await;
            assert_eq!(seen["prompt"]["title"], format!("title {round}"));
            assert_eq!(seen["prompt"]["evaluationCount"], round + 1);
            assert_eq!(seen["prompt"]["evaluations"]["totalCount"], round + 1);
            assert_eq!(instance.server.data(&titles).await["prompts"]["nodes"][0]["title"], format!("title {round}"));
        }
    }

    async fn what_is_changed_behind_the_servers_back_is_seen_soon(database: TestDatabase) {
        let prompt = PromptBuilder::new().title("old").insert(&database).await;
        let instance = Instance::start(&database.location, &process_tier()).await;
        let query = format!("{{ prompt(id: \"{}\") {{ title }} }}", global_id("Prompt", prompt.id));
        assert_eq!(instance.server.data(&query).await["prompt"]["title"], "old");
        assert_eq!(instance.statements(&query).await, 0);
        database.execute("UPDATE prompts SET title = 'new'").await;
        let is_seen = async || instance.server.data(&query).await["prompt"]["title"] == "new";
        eventually(Duration::from_secs(5), "the change is seen", is_seen).await;
        // The outbox does not grow for ever.
        let is_empty = async || database.count("cache_outbox").await == 0;
        eventually(Duration::from_secs(10), "the outbox is empty", is_empty).await;
    }

    async fn nobody_is_given_what_another_was_shown(database: TestDatabase) {
        let prompt = PromptBuilder::new().user("ada").title("hers").insert(&database).await;
        let evaluation = EvaluationBuilder::of(&prompt).insert(&database).await;
        let (prompt, evaluation) = (global_id("Prompt", prompt.id), global_id("Evaluation", evaluation.id));
        let query = format!(
            "{{ prompt(id: \"{prompt}\") {{ title }} evaluation(id: \"{evaluation}\") {{ status testResults {{ totalCount }} }} \
             prompts {{ totalCount }} statistics {{ promptCount }} }}"
        );
        let pools = PoolSettings { carries_out: true, ..small_pools() };
        let pools = Database::open(&database.location, &pools).await.unwrap();
        let cache = Cache::new(&process_tier()).unwrap();
        let (_follower, pools) = Follower::start(&cache, pools);
        eventually(Duration::from_secs(10), "the cache is believed", async || cache.is_believed()).await;
        let app = TestServer::app(pools).with_cache(Some(cache));
        let ada = TestServer::with(app.clone(), Principal::user("ada")).await;
        let bob = TestServer::with(app, Principal::user("bob")).await;
        for _ in 0..3 {
            let hers = ada.data(&query).await;
            assert_eq!((&hers["prompt"]["title"], &hers["prompts"]["totalCount"]), (&json!("hers"), &json!(1)));
            let his = bob.data(&query).await;
            assert_eq!((&his["prompt"], &his["evaluation"]), (&json!(null), &json!(null)));
            assert_eq!((&his["prompts"]["totalCount"], &his["statistics"]["promptCount"]), (&json!(0), &json!(0)));
        }
    }

    async fn who_asks_for_it_is_answered_by_the_database(database: TestDatabase) {
        let prompt = PromptBuilder::new().insert(&database).await;
        let instance = Instance::start(&database.location, &process_tier()).await;
        let query = format!("{{ prompt(id: \"{}\") {{ title }} }}", global_id("Prompt", prompt.id));
        instance.server.data(&query).await;
        for (directive, statements) in [("no-cache", 1), ("max-age=5, No-Cache", 1), ("max-age=0", 0), ("", 0)] {
            let request = instance.server.client.post(instance.server.url("/graphql")).json(&json!({ "query": query }));
            let request = request.header("x-evalgraph-explain", "1").header("cache-control", directive);
            let reply = Reply::of(request).await;
            assert_eq!(reply.statements(), statements, "{directive}: {:?}", reply.body);
        }
    }

    async fn an_operator_makes_it_forget(database: TestDatabase) {
        let prompt = PromptBuilder::new().insert(&database).await;
        let instance = Instance::start(&database.location, &process_tier()).await;
        let query = format!("{{ prompt(id: \"{}\") {{ title }} statistics {{ promptCount }} }}", global_id("Prompt", prompt.id));
        instance.server.data(&query).await;
        assert_eq!(instance.statements(&query).await, 0);
        database.write(|connection| Box::pin(evalgraph::db::outbox::clear(connection))).await;
        let is_forgotten = async || instance.statements(&query).await > 0;
        eventually(Duration::from_secs(5), "everything is forgotten", is_forgotten).await;
    }

    async fn what_many_miss_at_once_is_loaded_once(database: TestDatabase) {
        let prompt = PromptBuilder::new().insert(&database).await;
        let instance = Instance::start(&database.location, &process_tier()).await;
        let query = format!("{{ prompt(id: \"{}\") {{ title }} }}", global_id("Prompt", prompt.id));
        let all = futures_util::future::join_all((0..30).map(|_| instance.statements(&query))).await;
        // Those who came when it was loaded found it; those who came before waited for the first.
        assert_eq!(all.iter().sum::<u64>(), 1, "{all:?}");
    }
}
