//! Prompts that were deleted softly.

use evalgraph::db::evaluations::NewEvaluation;
use evalgraph::db::prompts::NewPrompt;
use evalgraph::domain::Principal;
use serde_json::{Value, json};

use crate::common::{
    EvaluationBuilder, PromptBuilder, ResultBuilder, RunBuilder, TemplateBuilder, TestDatabase, TestServer,
    on_both_databases,
};
use crate::{global_id, texts};

/// A lineage of three versions, of which the second is deleted, and an evaluation of that one.
struct Lineage {
    first: NewPrompt,
    deleted: NewPrompt,
    third: NewPrompt,
    evaluation: NewEvaluation,
}

impl Lineage {
    async fn store(database: &TestDatabase) -> Self {
        let template = TemplateBuilder::new().name("template").insert(database).await;
        let first = PromptBuilder::new().user("alice").name("name").template(&template).insert(database).await;
        let deleted = PromptBuilder::new().version_of(&first).template(&template).deleted().insert(database).await;
        let third = PromptBuilder::new().version_of(&deleted).template(&template).insert(database).await;
        let run = RunBuilder::new().user("alice").external_id("run").insert(database).await;
        let evaluation = EvaluationBuilder::of(&deleted).run(&run, 0).score(1.0).tests(1, 0, 0).insert(database).await;
        ResultBuilder::of(&evaluation).insert(database).await;
        Self { first, deleted, third, evaluation }
    }
}

async fn server(database: &TestDatabase) -> TestServer {
    TestServer::for_principal(database, Principal::user("alice")).await
}

/// A list of these prompts.
fn list(prompts: &[&NewPrompt]) -> Value {
    let nodes: Vec<_> = prompts.iter().map(|row| json!({ "id": global_id("Prompt", row.id) })).collect();
    json!({ "totalCount": prompts.len(), "nodes": nodes })
}

on_both_databases! {
    async fn a_deleted_prompt_is_shown_on_no_way(database: TestDatabase) {
        let Lineage { first, deleted, third, .. } = Lineage::store(&database).await;
        let id = |row: &NewPrompt| global_id("Prompt", row.id);
        let server = server(&database).await;
        let data = server
            .data(&format!(
                "{{ gone: prompt(id: {gone:?}) {{ id }}
                    node(id: {gone:?}) {{ id }}
                    nodes(ids: [{first:?}, {gone:?}]) {{ id }}
                    promptByName(name: \"name\", version: 2) {{ id }}
                    first: prompt(id: {first:?}) {{ versions {{ ...list }} children {{ ...list }} }}
                    third: prompt(id: {third:?}) {{ parent {{ id }} root {{ id }} versions {{ ...list }} }}
                    promptTemplate(name: \"template\") {{ prompts {{ ...list }} }}
                    prompts {{ ...list }} }}
                 fragment list on PromptConnection {{ totalCount nodes {{ id }} }}",
                gone = id(&deleted),
                first = id(&first),
                third = id(&third),
            ))
            .await;
        let others = list(&[&third, &first]);
        assert_eq!(
            data,
            json!({
                "gone": null,
                "node": null,
                "nodes": [{ "id": id(&first) }, null],
                "promptByName": null,
                "first": { "versions": others, "children": list(&[]) },
                "third": { "parent": null, "root": { "id": id(&first) }, "versions": others },
                "promptTemplate": { "prompts": others },
                "prompts": others,
            }),
        );
    }

    async fn a_deleted_first_version_is_nobodys_root(database: TestDatabase) {
        let first = PromptBuilder::new().deleted().insert(&database).await;
        let second = PromptBuilder::new().version_of(&first).insert(&database).await;
        let server = TestServer::start(&database).await;
        let id = global_id("Prompt", second.id);
        let data = server
            .data(&format!("{{ prompt(id: {id:?}) {{ root {{ id }} versions {{ totalCount nodes {{ id }} }} }} }}"))
            .await;
        assert_eq!(data["prompt"], json!({ "root": null, "versions": list(&[&second]) }));
    }

    async fn the_evaluations_of_a_deleted_prompt_stay(database: TestDatabase) {
        let evaluation = Lineage::store(&database).await.evaluation;
        let server = server(&database).await;
        let id = global_id("Evaluation", evaluation.id);
        let data = server
            .data(&format!(
                "{{ evaluation(id: {id:?}) {{ ...shown }} node(id: {id:?}) {{ ...shown }}
                    evaluations {{ totalCount nodes {{ ...shown }} }}
                    run(externalId: \"run\") {{ evaluations {{ totalCount nodes {{ ...shown }} }} }} }}
                 fragment shown on Evaluation {{ id prompt {{ id }}
                   testResults {{ totalCount nodes {{ evaluation {{ prompt {{ id }} }} }} }} }}"
            ))
            .await;
        let results = json!({ "totalCount": 1, "nodes": [{ "evaluation": { "prompt": null } }] });
        let shown = json!({ "id": id, "prompt": null, "testResults": results });
        let evaluations = json!({ "totalCount": 1, "nodes": [shown] });
        assert_eq!(
            data,
            json!({
                "evaluation": shown,
                "node": shown,
                "evaluations": evaluations,
                "run": { "evaluations": evaluations },
            }),
        );
    }

    async fn deleted_prompts_are_listed_on_demand_and_say_so(database: TestDatabase) {
        let Lineage { first, deleted, third, .. } = Lineage::store(&database).await;
        let query = "{ prompts(filter: { includeDeleted: true }) {
                         totalCount nodes { id deletedAt evaluations { totalCount } parent { id } } } }";
        let prompts = server(&database).await.data(query).await["prompts"].take();
        assert_eq!(prompts["totalCount"], 3);
        let expected = [&third, &deleted, &first].map(|row| global_id("Prompt", row.id));
        assert_eq!(texts(&prompts["nodes"], "id"), expected);
        assert_eq!(prompts["nodes"][0]["deletedAt"], Value::Null);
        assert_eq!(prompts["nodes"][1]["deletedAt"], deleted.updated_at.to_string());
        assert_eq!(prompts["nodes"][1]["evaluations"]["totalCount"], 1);
        assert_eq!(prompts["nodes"][1]["parent"]["id"], global_id("Prompt", first.id));

        // To their owner.
        let bob = TestServer::for_principal(&database, Principal::user("bob")).await;
        assert_eq!(bob.data(query).await, json!({ "prompts": { "totalCount": 0, "nodes": [] } }));
    }

    async fn statistics_leave_deleted_prompts_and_their_evaluations_out(database: TestDatabase) {
        let lineage = Lineage::store(&database).await;
        EvaluationBuilder::of(&lineage.first).score(0.25).tests(1, 2, 1).insert(&database).await;
        let figures = server(&database)
            .await
            .data("{ statistics { promptCount runCount evaluationCount testResultCount averageScore passRate } }")
            .await;
        assert_eq!(
            figures["statistics"],
            json!({
                "promptCount": 2, "runCount": 1, "evaluationCount": 1, "testResultCount": 4,
                "averageScore": 0.25, "passRate": 0.25,
            }),
        );
    }
}
