//! What one user sees of another's: nothing, on whatever way through the graph.

use evalgraph::db::evaluations::NewEvaluation;
use evalgraph::db::prompts::NewPrompt;
use evalgraph::db::runs::NewRun;
use evalgraph::db::templates::NewTemplate;
use evalgraph::db::test_results::NewTestResult;
use evalgraph::domain::Principal;
use serde_json::{Value, json};

use crate::common::{
    EvaluationBuilder, PromptBuilder, ResultBuilder, RunBuilder, TemplateBuilder, TestDatabase, TestServer,
    on_both_databases,
};
use crate::{global_id, texts};

/// A template, and of one user: a lineage of two versions made from it, a run, an evaluation of the newer version in
/// that run, and a result.
struct Tree {
    template: NewTemplate,
    root: NewPrompt,
    prompt: NewPrompt,
    run: NewRun,
    evaluation: NewEvaluation,
    result: NewTestResult,
}

impl Tree {
    async fn plant(user: &str, database: &TestDatabase) -> Self {
        let template = TemplateBuilder::new().insert(database).await;
        let root = PromptBuilder::new().user(user).name(&format!("{user}s prompt")).template(&template);
        let root = root.insert(database).await;
        let prompt = PromptBuilder::new().version_of(&root).template(&template).insert(database).await;
        let run = RunBuilder::new().user(user).external_id(&format!("{user}s run")).insert(database).await;
        let evaluation =
            EvaluationBuilder::of(&prompt).run(&run, 0).provider("openai", "gpt").score(0.5).tests(1, 0, 0);
        let evaluation = evaluation.insert(database).await;
        let result = ResultBuilder::of(&evaluation).insert(database).await;
        Self { template, root, prompt, run, evaluation, result }
    }

    /// Every way that begins at the root, and what one sees there who may see nothing.
    fn ways(&self) -> Vec<(String, Value)> {
        let user = &self.prompt.user_id;
        let prompt = global_id("Prompt", self.prompt.id);
        let run = global_id("Run", self.run.id);
        let evaluation = global_id("Evaluation", self.evaluation.id);
        let result = global_id("TestResult", self.result.id);
        let template = global_id("PromptTemplate", self.template.id);
        let none = json!({ "totalCount": 0, "nodes": [], "edges": [] });
        let list = "totalCount nodes { id } edges { cursor }";
        let mut ways = vec![
            (format!("prompt(id: {prompt:?}) {{ id }}"), Value::Null),
            (format!("promptByName(name: \"{user}s prompt\") {{ id }}"), Value::Null),
            (format!("promptByName(name: \"{user}s prompt\", version: 2) {{ id }}"), Value::Null),
            (format!("run(id: {run:?}) {{ id }}"), Value::Null),
            (format!("run(externalId: \"{user}s run\") {{ id }}"), Value::Null),
            (format!("run(externalId: \"{user}s run\", source: API) {{ id }}"), Value::Null),
            (format!("evaluation(id: {evaluation:?}) {{ id prompt {{ id }} run {{ id }} }}"), Value::Null),
            (format!("testResult(id: {result:?}) {{ id evaluation {{ id }} }}"), Value::Null),
            (
                format!("compareEvaluations(baseline: {evaluation:?}, candidate: {evaluation:?}) {{ matched }}"),
                Value::Null,
            ),
            (format!("nodes(ids: [{prompt:?}, {run:?}]) {{ id }}"), json!([null, null])),
            (format!("prompts {{ {list} }}"), none.clone()),
            (format!("prompts(filter: {{ userId: {user:?} }}) {{ {list} }}"), none.clone()),
            (format!("prompts(filter: {{ includeDeleted: true, status: [ACTIVE] }}) {{ {list} }}"), none.clone()),
            (format!("runs {{ {list} }}"), none.clone()),
            (format!("evaluations {{ {list} }}"), none.clone()),
            (format!("evaluations(filter: {{ minScore: 0 }}, last: 5) {{ {list} }}"), none.clone()),
            (format!("promptTemplate(id: {template:?}) {{ prompts {{ {list} }} }}"), json!({ "prompts": none })),
            (
                "statistics { promptCount activePromptCount runCount evaluationCount testResultCount
                              averageScore passRate }"
                    .to_owned(),
                json!({
                    "promptCount": 0, "activePromptCount": 0, "runCount": 0, "evaluationCount": 0,
                    "testResultCount": 0, "averageScore": null, "passRate": null,
                }),
            ),
        ];
        ways.extend([
            ("promptLeaderboard(minEvaluations: 1) { averageScore prompt { id } }".to_owned(), json!([])),
            ("modelLeaderboard { provider model evaluationCount }".to_owned(), json!([])),
            ("modelLeaderboard(since: \"2000-01-01T00:00:00Z\") { model passRate }".to_owned(), json!([])),
            (
                format!("prompt(id: {prompt:?}) {{ evaluationCount averageScore scoreTrend {{ evaluationCount }} }}"),
                Value::Null,
            ),
            (format!("run(id: {run:?}) {{ totalTests passRate }}"), Value::Null),
            (format!("modelLeaderboard(promptId: {prompt:?}) {{ model averageScore }}"), json!([])),
        ]);
        let nodes = [&prompt, &run, &evaluation, &result];
        ways.extend(nodes.map(|id| (format!("node(id: {id:?}) {{ id }}"), Value::Null)));
        ways
    }
}

async fn server_for(user: &str, database: &TestDatabase) -> TestServer {
    TestServer::for_principal(database, Principal::user(user)).await
}

/// What the one field of a query returns.
async fn field(server: &TestServer, selection: &str) -> Value {
    server.data(&format!("{{ way: {selection} }}")).await["way"].take()
}

on_both_databases! {
    async fn no_way_leads_to_what_belongs_to_others(database: TestDatabase) {
        let tree = Tree::plant("bob", &database).await;
        let (alice, bob) = (server_for("alice", &database).await, server_for("bob", &database).await);
        let administrator = TestServer::start(&database).await;
        for (selection, hidden) in tree.ways() {
            assert_eq!(field(&alice, &selection).await, hidden, "{selection}");
            // The ways are right: others get there.
            let shown = field(&bob, &selection).await;
            assert_ne!(shown, hidden, "{selection}");
            assert_eq!(field(&administrator, &selection).await, shown, "{selection}");
        }
    }

    async fn every_field_of_the_root_is_one_of_the_ways(database: TestDatabase) {
        let ways = Tree::plant("bob", &database).await.ways();
        let server = TestServer::start(&database).await;
        let schema = server.data("{ __schema { queryType { fields { name } } } }").await;
        // What belongs to nobody, and what administrators alone may ask, as `tests/audit` does.
        let open = ["viewer", "serviceConfig", "promptTemplates", "auditLog"];
        for name in texts(&schema["__schema"]["queryType"]["fields"], "name") {
            let is_way = |(selection, _): &(String, Value)| {
                selection.strip_prefix(&name).is_some_and(|rest| rest.starts_with(['(', ' ']))
            };
            assert!(open.contains(&name.as_str()) || ways.iter().any(is_way), "no test follows Query.{name}");
        }
    }

    async fn templates_belong_to_everybody(database: TestDatabase) {
        let tree = Tree::plant("bob", &database).await;
        let alice = server_for("alice", &database).await;
        let (id, name) = (global_id("PromptTemplate", tree.template.id), &tree.template.name);
        let data = alice
            .data(&format!(
                "{{ promptTemplates {{ totalCount nodes {{ name prompts {{ totalCount }} }} }}
                    promptTemplate(name: {name:?}) {{ id }} node(id: {id:?}) {{ id }} }}"
            ))
            .await;
        assert_eq!(
            data,
            json!({
                "promptTemplates": { "totalCount": 1, "nodes": [{ "name": name, "prompts": { "totalCount": 0 } }] },
                "promptTemplate": { "id": id },
                "node": { "id": id },
            }),
        );
    }

    async fn ones_own_is_shown_and_counted_without_what_belongs_to_others(database: TestDatabase) {
        let alices = Tree::plant("alice", &database).await;
        let alice = server_for("alice", &database).await;
        let mut before = Vec::new();
        for (selection, hidden) in alices.ways() {
            let shown = field(&alice, &selection).await;
            assert_ne!(shown, hidden, "{selection}");
            before.push(shown);
        }
        Tree::plant("bob", &database).await;
        for ((selection, _), before) in alices.ways().into_iter().zip(before) {
            assert_eq!(field(&alice, &selection).await, before, "{selection}");
        }
    }

    async fn the_viewer_is_the_one_who_asks(database: TestDatabase) {
        let alice = server_for("alice", &database).await;
        assert_eq!(field(&alice, "viewer { userId isAdmin }").await, json!({ "userId": "alice", "isAdmin": false }));
        let local = TestServer::start(&database).await;
        assert_eq!(field(&local, "viewer { userId isAdmin }").await, json!({ "userId": "local", "isAdmin": true }));
    }

    // Rows of two owners may meet, though the server does not bring them together.
    async fn prompts_of_others_are_not_shown_in_ones_lineage(database: TestDatabase) {
        let (alices, bobs) = (Tree::plant("alice", &database).await, Tree::plant("bob", &database).await);
        let mixed = |parent: &NewPrompt, user: &str, version: i32| {
            let child = PromptBuilder::new().version_of(parent).user(user);
            child.name(&format!("{user}s copy")).with(|row| row.version = version)
        };
        let alices_copy = mixed(&bobs.root, "alice", 8).insert(&database).await;
        mixed(&alices.root, "bob", 9).template(&alices.template).insert(&database).await;
        let alice = server_for("alice", &database).await;
        let lineage = "parent { id } root { id }
                       versions { totalCount nodes { id } } children { totalCount nodes { id } }";
        let list = |ids: &[&NewPrompt]| {
            let nodes: Vec<_> = ids.iter().map(|row| json!({ "id": global_id("Prompt", row.id) })).collect();
            json!({ "totalCount": ids.len(), "nodes": nodes })
        };

        let id = global_id("Prompt", alices_copy.id);
        let copy = field(&alice, &format!("prompt(id: {id:?}) {{ {lineage} }}")).await;
        let (versions, children) = (list(&[&alices_copy]), list(&[]));
        assert_eq!(copy, json!({ "parent": null, "root": null, "versions": versions, "children": children }));

        let id = global_id("Prompt", alices.root.id);
        let root = field(&alice, &format!("prompt(id: {id:?}) {{ {lineage} }}")).await;
        assert_eq!(root["root"]["id"], id.as_str());
        assert_eq!(root["versions"], list(&[&alices.prompt, &alices.root]));
        assert_eq!(root["children"], list(&[&alices.prompt]));

        let template = global_id("PromptTemplate", alices.template.id);
        let selection = format!("promptTemplate(id: {template:?}) {{ prompts {{ totalCount nodes {{ id }} }} }}");
        let template = field(&alice, &selection).await;
        assert_eq!(template["prompts"], list(&[&alices.prompt, &alices.root]));
    }

    async fn evaluations_belong_to_the_owner_of_their_prompt(database: TestDatabase) {
        let (alices, bobs) = (Tree::plant("alice", &database).await, Tree::plant("bob", &database).await);
        let of_alice = EvaluationBuilder::of(&alices.prompt).run(&bobs.run, 7).insert(&database).await;
        let of_bob = EvaluationBuilder::of(&bobs.prompt).run(&alices.run, 7).insert(&database).await;
        ResultBuilder::of(&of_bob).insert(&database).await;
        let alice = server_for("alice", &database).await;

        let id = global_id("Evaluation", of_alice.id);
        let seen = field(&alice, &format!("evaluation(id: {id:?}) {{ id run {{ id }} prompt {{ id }} }}")).await;
        assert_eq!(seen, json!({ "id": id, "run": null, "prompt": { "id": global_id("Prompt", alices.prompt.id) } }));

        let run = global_id("Run", alices.run.id);
        let seen = field(&alice, &format!("run(id: {run:?}) {{ evaluations {{ totalCount nodes {{ id }} }} }}")).await;
        let own = json!([{ "id": global_id("Evaluation", alices.evaluation.id) }]);
        assert_eq!(seen, json!({ "evaluations": { "totalCount": 1, "nodes": own } }));

        let id = global_id("Evaluation", of_bob.id);
        let seen = field(&alice, &format!("evaluation(id: {id:?}) {{ testResults {{ totalCount }} }}")).await;
        assert_eq!(seen, Value::Null);
    }
}
