//! Who may reach what: every field of the root and every type of objects, with every kind of credential. A new field needs a
//! row here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{TypeKind, TypeSystemDefinition};
use evalgraph::auth::{AuthSettings, Authenticator};
use evalgraph::cache::{Cache, CacheSettings, Follower, Lifetimes};
use evalgraph::db::Database;
use evalgraph::db::pool::PoolSettings;
use evalgraph::domain::EvaluationStatus;
use serde_json::{Value, json};

use crate::common::{
    EvaluationBuilder, PromptBuilder, Reply, ResultBuilder, RunBuilder, TemplateBuilder, TestDatabase, TestServer,
    eventually, global_id, on_both_databases, small_pools,
};
use crate::signer::{Signer, claims, seconds, with};
use crate::{JWT_SECRET, TOKEN_SECRET, check_refused, code, jwt_settings, send, send_with};

/// What somebody sees of what belongs to somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Others {
    /// The same as if it did not exist.
    Nothing,
    /// All of it: it belongs to everybody.
    All,
}
use Others::{All, Nothing};

/// The scope that a field needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    /// Any, as long as it is known who asks.
    Any,
    Read,
    Ingest,
    Write,
    /// None is enough: it is for administrators.
    Administrators,
}
use Needs::{Administrators, Any, Ingest, Read, Write};

/// The field, or the type of objects; the operation that reaches it, in which words in capitals stand for what the world
/// has; the scope that it needs; and what is seen of what belongs to somebody else.
type Row = (&'static str, &'static str, Needs, Others);

#[rustfmt::skip]
const TABLE: &[Row] = &[
    ("Query.auditLog", "{ it: auditLog { totalCount nodes { action userId } } }", Administrators, Nothing),
    ("Query.compareEvaluations", "{ it: compareEvaluations(baseline: EVALUATION, candidate: EVALUATION) { matched } }", Read, Nothing),
    ("Query.evaluation", "{ it: evaluation(id: EVALUATION) { model } }", Read, Nothing),
    ("Query.evaluations", "{ it: evaluations(filter: { model: \"gpt\" }) { totalCount nodes { model } } }", Read, Nothing),
    ("Query.modelLeaderboard", "{ it: modelLeaderboard { model evaluationCount } }", Read, Nothing),
    ("Query.node", "{ it: node(id: PROMPT) { __typename } }", Read, Nothing),
    ("Query.nodes", "{ it: nodes(ids: [PROMPT, RUN, EVALUATION, RESULT, TOKEN]) { __typename } }", Read, Nothing),
    ("Query.prompt", "{ it: prompt(id: PROMPT) { title } }", Read, Nothing),
    ("Query.promptByName", "{ it: promptByName(name: NAME) { title } }", Read, Nothing),
    ("Query.promptLeaderboard", "{ it: promptLeaderboard(minEvaluations: 1) { averageScore } }", Read, Nothing),
    ("Query.promptTemplate", "{ it: promptTemplate(id: TEMPLATE) { name } }", Read, All),
    ("Query.promptTemplates", "{ it: promptTemplates { totalCount nodes { name } } }", Read, All),
    ("Query.prompts", "{ it: prompts(filter: { userId: \"ada\", includeDeleted: true, search: \"marker\" }) { totalCount nodes { title } } }", Read, Nothing),
    ("Query.run", "{ it: run(externalId: EXTERNAL) { name } }", Read, Nothing),
    ("Query.runs", "{ it: runs { totalCount nodes { name } } }", Read, Nothing),
    ("Query.serviceConfig", "{ it: serviceConfig { maxDepth } }", Any, Nothing),
    ("Query.statistics", "{ it: statistics { promptCount runCount evaluationCount testResultCount averageScore } }", Read, Nothing),
    ("Query.testResult", "{ it: testResult(id: RESULT) { testCaseName } }", Read, Nothing),
    ("Query.viewer", "{ it: viewer { isAdmin apiTokens { totalCount nodes { name } } } }", Read, Nothing),
    ("Query.__typename", "{ it: __typename }", Any, Nothing),
    ("Query.__schema", "{ it: __schema { queryType { name } } }", Any, Nothing),
    ("Query.__type", "{ it: __type(name: \"Query\") { name } }", Any, Nothing),
    ("ApiToken", "{ it: node(id: TOKEN) { ... on ApiToken { name userId scopes } } }", Read, Nothing),
    // Nobody else has the id of one.
    ("AuditEntry", "{ it: auditLog(first: 1) { nodes { id action userId } } }", Administrators, Nothing),
    ("Evaluation", "{ it: node(id: EVALUATION) { ... on Evaluation { model prompt { title } run { name } testResults { totalCount } } } }", Read, Nothing),
    ("Prompt", "{ it: node(id: PROMPT) { ... on Prompt { title evaluations { totalCount } versions { totalCount } } } }", Read, Nothing),
    ("PromptTemplate", "{ it: node(id: TEMPLATE) { ... on PromptTemplate { name } } }", Read, All),
    ("Run", "{ it: node(id: RUN) { ... on Run { name evaluations { totalCount } } } }", Read, Nothing),
    ("TestResult", "{ it: node(id: RESULT) { ... on TestResult { testCaseName evaluation { model } } } }", Read, Nothing),
    ("Mutation.completeEvaluation", "mutation { it: completeEvaluation(input: { id: RUNNING }) { evaluation { status } } }", Ingest, Nothing),
    ("Mutation.createApiToken", "mutation { it: createApiToken(input: { name: \"x\", scopes: [WRITE] }) { apiToken { name } } }", Write, Nothing),
    ("Mutation.createEvaluation", "mutation { it: createEvaluation(input: { promptId: PROMPT }) { evaluation { status } } }", Ingest, Nothing),
    ("Mutation.createPrompt", "mutation { it: createPrompt(input: { title: \"x\", content: \"x\" }) { prompt { title } } }", Ingest, Nothing),
    ("Mutation.createPromptTemplate", "mutation { it: createPromptTemplate(input: { name: UNIQUE, template: \"x\", category: \"x\" }) { template { category } } }", Write, Nothing),
    ("Mutation.createPromptVersion", "mutation { it: createPromptVersion(input: { parentId: PROMPT, content: \"other\" }) { prompt { version } } }", Ingest, Nothing),
    ("Mutation.createPromptWithEvaluation", "mutation { it: createPromptWithEvaluation(prompt: { title: \"x\", content: \"x\" }, provider: \"x\", model: \"x\") { evaluation { model } } }", Ingest, Nothing),
    ("Mutation.deletePrompts", "mutation { it: deletePrompts(ids: [PROMPT]) { affected } }", Write, Nothing),
    ("Mutation.deleteRun", "mutation { it: deleteRun(id: RUN) { evaluations testResults } }", Write, Nothing),
    ("Mutation.failEvaluation", "mutation { it: failEvaluation(input: { id: RUNNING, errorMessage: \"x\" }) { evaluation { status } } }", Ingest, Nothing),
    ("Mutation.finishRun", "mutation { it: finishRun(id: OPEN) { run { status } } }", Ingest, Nothing),
    ("Mutation.instantiatePromptTemplate", "mutation { it: instantiatePromptTemplate(input: { templateId: TEMPLATE, title: \"x\", variables: { question: \"x\" } }) { prompt { title } } }", Write, All),
    ("Mutation.recordTestResults", "mutation { it: recordTestResults(evaluationId: RUNNING, results: [{ testCaseName: \"x\", inputData: {}, score: 1, outcome: PASSED }]) { recorded } }", Ingest, Nothing),
    ("Mutation.restorePrompts", "mutation { it: restorePrompts(ids: [DELETED]) { affected } }", Write, Nothing),
    ("Mutation.revokeApiToken", "mutation { it: revokeApiToken(id: TOKEN) { apiToken { name } } }", Write, Nothing),
    ("Mutation.setRunBaseline", "mutation { it: setRunBaseline(id: RUN, isBaseline: true) { run { isBaseline } } }", Write, Nothing),
    ("Mutation.startEvaluation", "mutation { it: startEvaluation(id: PENDING) { evaluation { status } } }", Ingest, Nothing),
    ("Mutation.startRun", "mutation { it: startRun(input: { name: \"x\" }) { run { name } } }", Ingest, Nothing),
    ("Mutation.updatePrompt", "mutation { it: updatePrompt(input: { id: BARE, title: \"other\" }) { prompt { title } } }", Write, Nothing),
    ("Mutation.updatePromptStatuses", "mutation { it: updatePromptStatuses(ids: [PROMPT], status: ARCHIVED) { affected } }", Write, Nothing),
    ("Mutation.updatePromptTemplate", "mutation { it: updatePromptTemplate(input: { id: TEMPLATE, category: \"other\" }) { template { category } } }", Write, All),
    ("Mutation.upsertPrompts", "mutation { it: upsertPrompts(input: [{ id: BARE, title: \"other\", content: \"x\" }]) { affected } }", Write, Nothing),
];

impl Needs {
    /// Whether a credential for this scope alone is enough.
    fn is_met_by(self, scope: Self) -> bool {
        self == Any || self == scope
    }
}

#[test]
fn every_field_has_a_row() {
    let document = parse_schema(evalgraph::graphql::sdl()).unwrap();
    let mut needed = BTreeSet::new();
    for definition in &document.definitions {
        let TypeSystemDefinition::Type(definition) = definition else { continue };
        let name = definition.node.name.node.as_str();
        let TypeKind::Object(object) = &definition.node.kind else { continue };
        if ["Query", "Mutation", "Subscription"].contains(&name) {
            needed.extend(object.fields.iter().map(|field| format!("{name}.{}", field.node.name.node)));
        }
        if object.implements.iter().any(|interface| interface.node == "Node") {
            needed.insert(name.to_owned());
        }
    }
    let rows: BTreeSet<String> =
        TABLE.iter().map(|row| row.0.to_owned()).filter(|name| !name.starts_with("Query.__")).collect();
    assert_eq!(needed, rows, "write a row in TABLE, in tests/auth/table.rs, for each field of the schema");
}

/// What somebody has, by the words that stand for it in operations.
struct World(BTreeMap<&'static str, String>);

impl World {
    async fn plant(user: &str, database: &TestDatabase) -> Self {
        let unique = uuid::Uuid::now_v7().to_string();
        let template = TemplateBuilder::new().insert(database).await;
        let prompt = || PromptBuilder::new().user(user).title("ada's marker").template(&template);
        let named = prompt().name(&unique).insert(database).await;
        let (deleted, bare) = (prompt().deleted().insert(database).await, prompt().insert(database).await);
        let run = RunBuilder::new().user(user).external_id(&unique).name("ada's marker").insert(database).await;
        let open = RunBuilder::new().user(user).status(EvaluationStatus::Running).insert(database).await;
        let evaluation = || EvaluationBuilder::of(&named).provider("openai", "gpt");
        let evaluated = evaluation().run(&run, 0).score(0.5).tests(1, 0, 0).insert(database).await;
        let result = ResultBuilder::of(&evaluated).name("ada's marker").insert(database).await;
        let pending = evaluation().status(EvaluationStatus::Pending).insert(database).await;
        let running = evaluation().status(EvaluationStatus::Running).insert(database).await;
        Self(BTreeMap::from([
            ("PROMPT", global_id("Prompt", named.id)),
            ("DELETED", global_id("Prompt", deleted.id)),
            ("BARE", global_id("Prompt", bare.id)),
            ("TEMPLATE", global_id("PromptTemplate", template.id)),
            ("RUN", global_id("Run", run.id)),
            ("OPEN", global_id("Run", open.id)),
            ("EVALUATION", global_id("Evaluation", evaluated.id)),
            ("PENDING", global_id("Evaluation", pending.id)),
            ("RUNNING", global_id("Evaluation", running.id)),
            ("RESULT", global_id("TestResult", result.id)),
            ("NAME", unique.clone()),
            ("EXTERNAL", unique),
        ]))
    }

    /// What nobody has.
    fn nowhere() -> Self {
        let id = |name| global_id(name, uuid::Uuid::now_v7());
        let types = [
            ("PROMPT", "Prompt"),
            ("DELETED", "Prompt"),
            ("BARE", "Prompt"),
            ("TEMPLATE", "PromptTemplate"),
            ("RUN", "Run"),
            ("OPEN", "Run"),
            ("EVALUATION", "Evaluation"),
            ("PENDING", "Evaluation"),
            ("RUNNING", "Evaluation"),
            ("RESULT", "TestResult"),
            ("TOKEN", "ApiToken"),
        ];
        let mut names: BTreeMap<&str, String> = types.map(|(word, name)| (word, id(name))).into();
        names.extend(["NAME", "EXTERNAL"].map(|word| (word, uuid::Uuid::now_v7().to_string())));
        Self(names)
    }

    /// The operation about what is here.
    fn document(&self, row: &Row) -> String {
        let unique = uuid::Uuid::now_v7().to_string();
        let mut document = row.1.replace("UNIQUE", &format!("{unique:?}"));
        // Longer words first: one may be part of another.
        let mut words: Vec<_> = self.0.iter().collect();
        words.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
        for (word, name) in words {
            document = document.replace(&format!(": {word}"), &format!(": {name:?}"));
            document = document
                .replace(&format!("[{word}"), &format!("[{name:?}"))
                .replace(&format!(", {word}"), &format!(", {name:?}"));
        }
        document
    }

    /// What was answered, with words in the place of what is here.
    fn masked(&self, reply: &Reply) -> String {
        let mut text = format!("{} {}", reply.status, reply.body);
        for (word, name) in &self.0 {
            text = text.replace(name.as_str(), word);
        }
        text
    }
}

/// A server with a cache, and the credentials of everybody.
struct Stage<'a> {
    database: &'a TestDatabase,
    server: TestServer,
    _follower: Follower,
}

impl<'a> Stage<'a> {
    async fn set(database: &'a TestDatabase) -> Self {
        let mut jwt = jwt_settings("");
        jwt.issuers.clear();
        jwt.rules.scopes = None;
        let settings = AuthSettings { jwt: Some(jwt), token_secret: Some(TOKEN_SECRET.to_owned()) };
        let caching = CacheSettings {
            process_bytes: 1 << 24,
            lifetimes: Lifetimes::DEFAULT,
            max_entry_bytes: 1 << 18,
            redis: None,
        };
        let cache = Cache::new(&caching).unwrap();
        let pools = PoolSettings { carries_out: true, ..small_pools() };
        let (follower, pooled) = Follower::start(&cache, Database::open(&database.location, &pools).await.unwrap());
        let authenticator = Authenticator::start(&settings, &pooled).await.unwrap();
        let app =
            TestServer::app(pooled).with_cache(Some(Arc::clone(&cache))).with_authenticator(Arc::new(authenticator));
        let server = TestServer::authenticating(app, TestServer::connections()).await;
        eventually(Duration::from_secs(10), "the cache is believed", async || cache.is_believed()).await;
        Self { database, server, _follower: follower }
    }

    /// An API token of a user.
    async fn token(&self, user: &str, arguments: &str) -> (String, String) {
        let document = format!(
            "mutation {{ createApiToken(input: {{ name: \"ada's marker\", {arguments} }}) {{ token apiToken {{ id }} }} }}"
        );
        let reply = send_with(&self.server, &jwt(user), &document).await;
        let payload = &reply.body["data"]["createApiToken"];
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{reply:#?}")).to_owned();
        (text(&payload["token"]), text(&payload["apiToken"]["id"]))
    }

    /// What a user has, an API token among it.
    async fn world(&self, user: &str) -> World {
        let mut world = World::plant(user, self.database).await;
        world.0.insert("TOKEN", self.token(user, "scopes: [READ]").await.1);
        world
    }

    /// Every operation about a world, by somebody to whom it does not belong.
    async fn asked_by(&self, user: &str, world: &World) -> Vec<String> {
        let mut answers = Vec::new();
        for row in TABLE {
            let reply = send_with(&self.server, &jwt(user), &world.document(row)).await;
            answers.push(world.masked(&reply));
        }
        answers
    }
}

/// A JWT of a user.
fn jwt(user: &str) -> String {
    Signer::secret(JWT_SECRET).token(&claims(user))
}

/// Everything that there is, as an administrator sees it.
const EVERYTHING: &str = "{
    prompts(first: 100, filter: { userId: \"ada\", includeDeleted: true }) { totalCount nodes { title status version updatedAt } }
    runs(first: 100) { nodes { name status isBaseline } } }";

on_both_databases! {
    async fn what_belongs_to_others_is_as_if_it_did_not_exist(database: TestDatabase) {
        let stage = Stage::set(&database).await;
        let admin = Signer::secret(JWT_SECRET).token(&with(claims("root"), "roles", json!("admin")));
        let without = stage.asked_by("bob", &World::nowhere()).await;
        let world = stage.world("ada").await;
        // The administrator asks first, so that there is something in the cache that others must not get.
        for row in TABLE.iter().filter(|row| row.1.starts_with('{')) {
            send_with(&stage.server, &admin, &world.document(row)).await;
        }
        let before = send_with(&stage.server, &admin, EVERYTHING).await.body["data"]["prompts"].clone();
        let with = stage.asked_by("eve", &world).await;
        for ((row, without), with) in TABLE.iter().zip(without).zip(with) {
            assert!(!with.contains("ada"), "{}: {with}", row.0);
            match row.3 {
                Nothing => assert_eq!(with, without, "{}", row.0),
                All => assert!(with.starts_with("200 {\"data\":{\"it\":{"), "{}: {with}", row.0),
            }
        }
        let after = send_with(&stage.server, &admin, EVERYTHING).await.body["data"]["prompts"].clone();
        assert_eq!(after, before, "nothing of it has changed");
        assert_eq!(before["totalCount"], 3);
    }

    async fn a_credential_reaches_what_its_scopes_say(database: TestDatabase) {
        let stage = Stage::set(&database).await;
        let reader = stage.token("ada", "scopes: [READ]").await.0;
        let ingester = stage.token("ada", "scopes: [INGEST]").await.0;
        let writer = stage.token("ada", "scopes: [WRITE]").await.0;
        let admin = Signer::secret(JWT_SECRET).token(&with(claims("root"), "roles", json!("admin")));
        for row in TABLE {
            let (name, _, needs, _) = *row;
            let reaches = async |credential: &str, expected: bool, who: &str| {
                // What an earlier request has changed is not there to be changed again.
                let world = stage.world("ada").await;
                let reply = send_with(&stage.server, credential, &world.document(row)).await;
                if needs == Administrators && who != "an administrator" {
                    assert_eq!(code(&reply), "FORBIDDEN", "{name}, {who}: {reply:#?}");
                    assert!(reply.body["data"]["it"].is_null(), "{name}, {who}: {reply:#?}");
                } else if expected {
                    let it = &reply.body["data"]["it"];
                    let is_there = reply.status == 200 && reply.body.get("errors").is_none() && !it.is_null();
                    assert!(is_there, "{name}, {who}: {reply:#?}");
                } else {
                    assert_eq!((reply.status, code(&reply)), (403, "FORBIDDEN"), "{name}, {who}: {reply:#?}");
                    assert!(reply.body.get("data").is_none(), "{name}, {who}");
                }
            };
            reaches(&reader, needs.is_met_by(Read), "for reading").await;
            reaches(&ingester, needs.is_met_by(Ingest), "for recording").await;
            reaches(&writer, needs.is_met_by(Write) || needs == Ingest, "for writing").await;
            reaches(&jwt("ada"), true, "the owner").await;
            reaches(&admin, true, "an administrator").await;
        }
    }

    async fn nobody_reaches_anything_without_a_credential_that_counts(database: TestDatabase) {
        let stage = Stage::set(&database).await;
        let world = stage.world("ada").await;
        let (revoked, id) = stage.token("ada", "scopes: [READ, WRITE]").await;
        let soon = evalgraph::domain::Timestamp::now().plus_millis(300);
        let (expired, _) = stage.token("ada", &format!("scopes: [READ, WRITE], expiresAt: \"{soon}\"")).await;
        tokio::time::sleep(Duration::from_millis(350)).await;
        let revoke = format!("mutation {{ revokeApiToken(id: {id:?}) {{ apiToken {{ id }} }} }}");
        assert_eq!(send_with(&stage.server, &jwt("ada"), &revoke).await.status, 200);
        let old = Signer::secret(JWT_SECRET).token(&with(claims("ada"), "exp", json!(seconds(-60))));
        let before = stage.database.count("prompts").await;
        for row in TABLE {
            let document = world.document(row);
            check_refused(&send(&stage.server, None, &document).await, row.0);
            for (token, what) in [(&revoked, "revoked"), (&expired, "expired"), (&old, "an expired JWT")] {
                check_refused(&send_with(&stage.server, token, &document).await, &format!("{}, {what}", row.0));
            }
        }
        assert_eq!(stage.database.count("prompts").await, before);
    }
}
