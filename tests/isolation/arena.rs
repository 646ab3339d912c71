//! The databases, who asks them, and what has to hold of the answers.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use evalgraph::cache::redis::RedisSettings;
use evalgraph::cache::{Cache, CacheSettings, Follower, Lifetimes};
use evalgraph::db::pool::PoolSettings;
use evalgraph::domain::Principal;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use uuid::Uuid;

use crate::common::{Kind, TestDatabase, eventually, global_id, small_pools};
use crate::draw::Draw;
use crate::grammar::Grammar;
use crate::party::Party;
use crate::values::{NODES, Pools};
use crate::world::{MARKER, Rows, of_alice, of_bob, templates};

/// What remembers answers.
#[derive(Debug, Clone, Copy)]
pub enum Remembering {
    Nothing,
    InTheProcess,
    /// On this port.
    InRedis(u16),
}

impl Remembering {
    fn settings(self) -> Option<CacheSettings> {
        let redis = |port| RedisSettings {
            url: format!("redis://127.0.0.1:{port}"),
            command_timeout: Duration::from_millis(500),
            prefix: "test".to_owned(),
            max_value: 1 << 18,
        };
        let settings = |process_bytes, redis| CacheSettings {
            process_bytes,
            lifetimes: Lifetimes::DEFAULT,
            max_entry_bytes: 1 << 18,
            redis,
        };
        match self {
            Self::Nothing => None,
            Self::InTheProcess => Some(settings(1 << 24, None)),
            Self::InRedis(port) => Some(settings(0, Some(redis(port)))),
        }
    }
}

/// A database, and those who ask it.
struct Site {
    alice: Party,
    bob: Party,
    administrator: Party,
    _follower: Option<Follower>,
    _database: TestDatabase,
}

impl Site {
    async fn new(
        kind: Kind,
        remembering: Remembering,
        rows: &[&Rows],
        templates: &[evalgraph::db::templates::NewTemplate],
    ) -> Self {
        let settings = remembering.settings();
        let pools = PoolSettings { carries_out: settings.is_some(), ..small_pools() };
        let stored = TestDatabase::with_settings(kind, pools).await;
        let templates = templates.to_vec();
        stored.write(|connection| Box::pin(evalgraph::db::insert::templates(connection, templates))).await;
        for rows in rows {
            rows.insert(&stored).await;
        }
        let mut database = stored.database.clone();
        let (mut cache, mut follower) = (None, None);
        if let Some(settings) = settings {
            let made = Cache::new(&settings).unwrap();
            let (following, followed) = Follower::start(&made, database);
            database = followed;
            eventually(Duration::from_secs(20), "the cache is believed", async || made.is_believed()).await;
            if settings.redis.is_some() {
                let in_force = async || made.report()["redis"]["inForce"] == true;
                eventually(Duration::from_secs(20), "the shared tier is in force", in_force).await;
            }
            (cache, follower) = (Some(made), Some(following));
        }
        let party = |principal| Party::new(&database, cache.as_ref(), principal);
        Self {
            alice: party(Principal::user("alice")),
            bob: party(Principal::user("bob")),
            administrator: party(Principal::local()),
            _follower: follower,
            _database: stored,
        }
    }
}

/// What was asked, and what came of it.
#[derive(Debug, Default)]
pub struct Tally {
    questions: usize,
    /// With data, of which some is not null.
    answered: usize,
    /// Those that an administrator was asked too, and whose answer to them has something of the other owner.
    looked_at: usize,
    telling: usize,
    changes: usize,
    made: usize,
    /// Changes that name an object of the other owner's.
    aimed: usize,
}

impl Tally {
    pub fn add(&mut self, other: &Self) {
        self.questions += other.questions;
        self.answered += other.answered;
        self.looked_at += other.looked_at;
        self.telling += other.telling;
        self.changes += other.changes;
        self.made += other.made;
        self.aimed += other.aimed;
    }

    /// Fails when what was drawn says too little.
    pub fn check(&self) {
        assert!(self.answered * 2 > self.questions, "most questions have an answer: {self}");
        assert!(self.telling * 20 > self.looked_at, "some would tell of the other owner: {self}");
        assert!(self.made * 8 > self.changes, "some changes are made: {self}");
        assert!(self.aimed * 10 > self.changes, "some changes aim at the other owner: {self}");
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { questions, answered, looked_at, telling, changes, made, aimed } = self;
        write!(
            f,
            "{questions} questions, {answered} answered; {telling} of {looked_at} tell an administrator something of the other \
             owner; {changes} changes, {made} made, {aimed} aimed at the other owner"
        )
    }
}

/// The databases.
pub struct Arena {
    grammar: Grammar,
    /// With the rows of both owners.
    shared: Site,
    /// With the rows of one.
    alone: Site,
    /// With the rows of both, which change.
    changing: Site,
    is_cached: bool,
    pools: Pools,
    /// What is the other owner's: each id with one that leads nowhere.
    ghosts: Vec<(String, String)>,
}

impl Arena {
    pub async fn new(kind: Kind, remembering: Remembering) -> Self {
        let grammar = Grammar::of_the_schema();
        let templates = templates();
        let (alice, bob) = (of_alice(&templates), of_bob(&templates));
        let shared = Site::new(kind, remembering, &[&alice, &bob], &templates).await;
        let alone = Site::new(kind, Remembering::Nothing, &[&alice], &templates).await;
        let changing = Site::new(kind, remembering, &[&bob, &alice], &templates).await;
        let ghost = |(object, id): (&str, String)| (id, global_id(object, Uuid::now_v7()));
        let ghosts = bob.ids().into_iter().map(ghost).collect();
        let mut ids: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let nowhere = NODES.map(|object| (object, global_id(object, Uuid::now_v7())));
        let of_templates = templates.iter().map(|row| ("PromptTemplate", global_id("PromptTemplate", row.id)));
        for (object, id) in alice.ids().into_iter().chain(bob.ids()).chain(nowhere).chain(of_templates) {
            ids.entry(object.to_owned()).or_default().push(id);
        }
        let mut arena = Self {
            grammar,
            shared,
            alone,
            changing,
            is_cached: !matches!(remembering, Remembering::Nothing),
            pools: Pools { ids, cursors: BTreeMap::new() },
            ghosts,
        };
        arena.collect_cursors().await;
        arena
    }

    /// Cursors of all lists at the root in their usual order, of both owners' rows.
    async fn collect_cursors(&mut self) {
        let (mut cursors, parties) = (BTreeMap::new(), [&self.shared.administrator, &self.shared.alice]);
        for field in self.grammar.lists_at_the_root() {
            let query = format!("{{ list: {}(first: 50) {{ edges {{ cursor }} }} }}", field.name);
            let mut of_field = Vec::new();
            for party in parties {
                let answer: Value = serde_json::from_str(&party.ask(&query).await).unwrap();
                let edges = answer["data"]["list"]["edges"].as_array().cloned().unwrap_or_default();
                of_field.extend(edges.iter().map(|edge| edge["cursor"].as_str().unwrap().to_owned()));
            }
            cursors.insert(format!("Query.{}", field.name), of_field);
        }
        self.pools.cursors = cursors;
    }

    /// Asks so many questions.
    pub async fn ask(&self, random: ChaCha8Rng, questions: usize) -> Tally {
        let (mut draw, mut tally) = (Draw::new(&self.grammar, self.pools.clone(), random), Tally::default());
        for number in 0..questions {
            let query = draw.query();
            // Others fill the cache, if there is one.
            let is_looked_at = self.is_cached || number % LOOKED_AT == 0;
            if is_looked_at {
                let told = self.shared.administrator.ask(&query).await;
                tally.looked_at += 1;
                tally.telling += usize::from(told.contains(MARKER));
            }
            if self.is_cached {
                self.shared.bob.ask(&query).await;
            }
            let answer = self.answer(&query).await;
            self.check(&query, &answer);
            tally.questions += 1;
            tally.answered += usize::from(has_data(&answer));
        }
        tally
    }

    /// What an owner is answered, which must be as if there was no other.
    async fn answer(&self, query: &str) -> String {
        let mut attempt = 1;
        loop {
            let (answer, alone) = (self.shared.alice.ask(query).await, self.alone.alice.ask(query).await);
            let (told, expected) = (Told::by(&answer), Told::by(&alone));
            assert_eq!(told.data, expected.data, "not as if there was no other owner:\n{query}");
            if told.errors == expected.errors {
                return answer;
            }
            // Of several errors that cost the same object, which come first is a matter of time.
            assert!(attempt < ATTEMPTS, "not as if there was no other owner:\n{query}\n{answer}\n{alone}");
            self.check(query, &answer);
            attempt += 1;
        }
    }

    /// What nobody may be told of another owner.
    fn check(&self, document: &str, answer: &str) {
        assert!(!answer.contains("\"INTERNAL\""), "a defect of the server:\n{document}\n{answer}");
        assert!(!answer.contains(MARKER) && !answer.contains("\"bob\""), "another owner's text:\n{document}\n{answer}");
        for (id, _) in &self.ghosts {
            assert!(
                !answer.contains(id.as_str()) || document.contains(id.as_str()),
                "another owner's {id}:\n{document}\n{answer}"
            );
        }
    }

    /// Makes so many changes, and asks in between.
    pub async fn change(&self, random: ChaCha8Rng, changes: usize) -> Tally {
        let (mut draw, mut tally) = (Draw::new(&self.grammar, self.pools.clone(), random), Tally::default());
        let everything = self.everything();
        let before = self.changing.bob.data(&everything).await;
        assert!(before.to_string().matches(MARKER).count() > 100, "the other owner has something: {before:#}");
        for number in 1..=changes {
            let mutation = draw.mutation();
            let answer = self.make(&mutation, &mut tally).await;
            self.check(&mutation, &answer);
            remember(&answer, &mut draw.pools);
            let query = draw.query();
            if self.is_cached {
                self.changing.administrator.ask(&query).await;
            }
            let answer = self.changing.alice.ask(&query).await;
            self.check(&query, &answer);
            if number % 200 == 0 || number == changes {
                let after = self.changing.bob.data(&everything).await;
                assert_eq!(after, before, "what is another owner's was changed, at last by\n{mutation}");
            }
        }
        tally
    }

    /// Makes a change. Where it names something of the other owner's, the same is tried with an id that leads nowhere first: the
    /// answers have to be the same.
    async fn make(&self, mutation: &str, tally: &mut Tally) -> String {
        tally.changes += 1;
        let named: Vec<_> = self.ghosts.iter().filter(|(id, _)| mutation.contains(id.as_str())).collect();
        let mut expected = None;
        if !named.is_empty() {
            tally.aimed += 1;
            let elsewhere = named.iter().fold(mutation.to_owned(), |text, (id, ghost)| text.replace(id, ghost));
            let answer = self.changing.alice.ask(&elsewhere).await;
            expected = answer.contains("\"errors\"").then_some(answer);
        }
        let answer = self.changing.alice.ask(mutation).await;
        if let Some(expected) = expected {
            let as_ghost = named.iter().fold(answer.clone(), |text, (id, ghost)| text.replace(id, ghost));
            assert_eq!(
                Told::by(&as_ghost),
                Told::by(&expected),
                "another owner's object is not as one that does not exist:\n{mutation}"
            );
        }
        tally.made += usize::from(!answer.contains("\"errors\""));
        answer
    }

    /// A query for all that an owner has, but for templates, which belong to everybody.
    fn everything(&self) -> String {
        let plain = |object| self.grammar.plain_fields(object).join(" ");
        format!(
            "{{ prompts(first: 12, filter: {{ includeDeleted: true }}) {{ totalCount nodes {{ {}
                  evaluations(first: 6) {{ totalCount nodes {{ {} testResults(first: 4) {{ totalCount nodes {{ {} }} }} }} }} }} }}
                runs(first: 12) {{ totalCount nodes {{ {} }} }} }}",
            plain("Prompt"),
            plain("Evaluation"),
            plain("TestResult"),
            plain("Run"),
        )
    }
}

/// What an answer says, but for the order of its errors, which is that of time.
#[derive(Debug, PartialEq)]
struct Told {
    data: Value,
    errors: Vec<String>,
}

impl Told {
    fn by(answer: &str) -> Self {
        let mut answer: Value = serde_json::from_str(answer).unwrap();
        let errors = answer["errors"].as_array().cloned().unwrap_or_default();
        let mut errors: Vec<_> = errors.iter().map(Value::to_string).collect();
        errors.sort();
        Self { data: answer["data"].take(), errors }
    }
}

/// Whether an answer has data that is not null.
fn has_data(answer: &str) -> bool {
    let answer: Value = serde_json::from_str(answer).unwrap();
    let fields = answer["data"].as_object();
    fields.is_some_and(|fields| fields.values().any(|value| !value.is_null()))
}

/// How often the same is asked until the same errors come.
const ATTEMPTS: usize = 8;
/// One in so many questions is asked by an administrator too.
const LOOKED_AT: usize = 10;
/// Ids of a pool that are remembered at most; those that came last.
const REMEMBERED: usize = 60;

/// Puts the ids in an answer into the pools, so that later operations find them.
fn remember(answer: &str, pools: &mut Pools) {
    for text in answer.split('"') {
        let decoded = STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let Some((object, _)) = decoded.as_deref().and_then(|text| text.split_once(':')) else { continue };
        let Some(ids) = pools.ids.get_mut(object).filter(|ids| !ids.iter().any(|id| id == text)) else { continue };
        if ids.len() >= REMEMBERED {
            // The first are those of the two owners.
            ids.remove(REMEMBERED / 2);
        }
        ids.push(text.to_owned());
    }
}
