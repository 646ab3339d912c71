//! The lineages of prompts.

use serde_json::{Value, json};

use super::cases::PreparedSuite;
use crate::db::prompts::NewPrompt;
use crate::db::templates::NewTemplate;
use crate::db::types::Json;
use crate::demo::catalog::{Lineage, Suite};
use crate::demo::random::{Calendar, Random, timestamp};
use crate::domain::{Principal, PromptFormat, PromptId, PromptStatus, content_hash};

const AUTHORS: &[&str] = &[
    "maya.lindqvist",
    "tomasz.wrona",
    "adaeze.obi",
    "jonas.keller",
    "priya.nair",
    "lucia.ferrante",
    "sam.whitaker",
    "noor.haddad",
];

/// A lineage of this many versions, made from a template, got its last version within the last weeks: the first page
/// of prompts then shows parents, templates and evaluations everywhere.
const VERSIONS_OF_RECENT_LINEAGES: usize = 4;
/// Days ago of the newest version of all. The runs of yesterday evaluate it.
const NEWEST_DAY: i64 = 3;
/// Days ago of the oldest among the recent last versions. All other versions are older.
const OLDEST_RECENT_DAY: i64 = 16;

/// A prompt version and what the evaluations need to know of it.
pub(super) struct DemoPrompt {
    /// The row.
    pub row: NewPrompt,
    /// Its suite, as an index.
    pub suite: usize,
    /// Its lineage, as an index over all suites.
    pub lineage: usize,
    /// Microseconds of its creation.
    pub created: i64,
    /// Whether it is one of the newest versions, whose evaluations all show something.
    pub is_recent: bool,
    /// What it adds to the chance that a case passes.
    pub quality: f64,
    /// Its text, all variables but the input filled in.
    text: PromptText,
}

impl DemoPrompt {
    /// The prompt as a provider receives it.
    pub(super) fn render(&self, suite: &Suite, input: &str) -> String {
        let variable = format!("{{{{{}}}}}", suite.input);
        let user = self.text.user.replace(&variable, input);
        PromptText { system: self.text.system.clone(), user }.content()
    }
}

struct PromptText {
    system: Option<String>,
    user: String,
}

impl PromptText {
    /// What is stored: the text, or the messages of the chat.
    fn content(&self) -> String {
        match &self.system {
            None => self.user.clone(),
            // By hand, because the role should come first, where people look for it.
            Some(system) => format!(
                r#"[{{"role":"system","content":{}}},{{"role":"user","content":{}}}]"#,
                Value::from(system.as_str()),
                Value::from(self.user.as_str()),
            ),
        }
    }

    fn fill_in(&self, context: &[(&str, &str)]) -> Self {
        let fill_in = |text: &str| {
            context.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{{{name}}}}}"), value))
        };
        Self { system: self.system.as_deref().map(fill_in), user: fill_in(&self.user) }
    }
}

/// All versions of all lineages: a parent always before its children.
pub(super) fn prompts(
    random: &mut Random,
    calendar: Calendar,
    suites: &[PreparedSuite],
    templates: &[NewTemplate],
) -> Vec<DemoPrompt> {
    let lineages = || {
        suites.iter().enumerate().flat_map(|(suite_index, suite)| {
            suite.suite.lineages.iter().enumerate().map(move |(place, lineage)| (suite_index, place, lineage))
        })
    };
    let mut recent: Vec<usize> = lineages()
        .enumerate()
        .filter(|(_, (_, _, lineage))| lineage.template.is_some() && lineage.versions >= VERSIONS_OF_RECENT_LINEAGES)
        .map(|(index, _)| index)
        .collect();
    random.shuffle(&mut recent);

    let mut prompts = Vec::new();
    for (index, (suite_index, place, lineage)) in lineages().enumerate() {
        let rank = recent.iter().position(|&recent| recent == index);
        let last_day = rank.map(|rank| {
            let days = (OLDEST_RECENT_DAY - NEWEST_DAY + 1) as usize;
            NEWEST_DAY + (rank * days / recent.len()) as i64
        });
        let times = version_times(random, calendar, lineage.versions, last_day);
        let suite = &suites[suite_index];
        let member = Member { index, suite_index, place, suite, lineage, is_recent: last_day.is_some() };
        prompts.extend(member.versions(random, &times, templates));
    }
    prompts
}

/// When the versions were created: in working hours, one after the other.
fn version_times(random: &mut Random, calendar: Calendar, versions: usize, last_day: Option<i64>) -> Vec<i64> {
    let first_day = random.whole(66, 89);
    let settled_day = random.whole(OLDEST_RECENT_DAY + 2, OLDEST_RECENT_DAY + 22);
    (0..versions)
        .map(|index| {
            let is_last = index + 1 == versions;
            let share = index as i64 * (first_day - settled_day) / (versions.max(2) as i64 - 1);
            let day = last_day.filter(|_| is_last).unwrap_or(first_day - share);
            calendar.at(day, random.between(8.0, 17.5))
        })
        .collect()
}

struct Member<'a> {
    index: usize,
    suite_index: usize,
    /// The lineage's place in its suite: lineages of a suite take up its refinements in different orders.
    place: usize,
    suite: &'a PreparedSuite,
    lineage: &'static Lineage,
    is_recent: bool,
}

impl Member<'_> {
    fn versions(&self, random: &mut Random, times: &[i64], templates: &[NewTemplate]) -> Vec<DemoPrompt> {
        let template = self.lineage.template.and_then(|name| templates.iter().find(|row| row.name == name));
        let level = random.between(-0.05, 0.05);
        let first_author = random.whole(0, AUTHORS.len() as i64) as usize;
        let first_ticket = random.whole(101, 900);
        let mut versions: Vec<DemoPrompt> = Vec::with_capacity(times.len());
        for (index, &created) in times.iter().enumerate() {
            let id = PromptId(random.id(created));
            let (text, note) = self.text(index);
            let content = text.content();
            let format = if text.system.is_some() { PromptFormat::Chat } else { PromptFormat::Text };
            let changed = times.get(index + 1).copied().unwrap_or(created + random.whole(60_000_000, 7_200_000_000));
            // Most versions help a little, one in seven is a step back.
            let step = if index > 0 && random.chance(0.15) { -0.09 } else { 0.0 };
            let metadata = json!({
                "team": self.suite.domain.team,
                "author": AUTHORS[(first_author + index / 2) % AUTHORS.len()],
                "ticket": format!("{}-{}", self.suite.domain.ticket_prefix, first_ticket + 37 * index as i64),
                "change": note,
                "defaults": defaults(self.suite.suite),
            });
            let row = NewPrompt {
                id,
                user_id: Principal::LOCAL_USER.to_owned(),
                name: Some(self.lineage.name.to_owned()),
                title: self.lineage.title.to_owned(),
                description: Some(self.lineage.description.to_owned()),
                content_hash: content_hash(format, &content, text.system.as_deref()),
                content,
                format,
                system_message: text.system.clone(),
                tags: Json::from(Value::from(self.lineage.tags.to_vec())),
                metadata: Json::from(metadata),
                version: index as i32 + 1,
                parent_id: versions.last().map(|parent| parent.row.id),
                root_id: versions.first().map_or(id, |root| root.row.id),
                template_id: template.map(|template| template.id),
                status: self.status(random, times.len() - index),
                created_at: timestamp(created),
                updated_at: timestamp(changed),
            };
            versions.push(DemoPrompt {
                row,
                suite: self.suite_index,
                lineage: self.index,
                created,
                is_recent: self.is_recent && index + 1 == times.len(),
                quality: level + 0.02 * index as f64 + step,
                text: text.fill_in(self.suite.suite.context),
            });
        }
        versions
    }

    /// The text of a version, and what changed in it.
    fn text(&self, index: usize) -> (PromptText, &'static str) {
        let refinements = self.suite.suite.refinements;
        let mut text = self.lineage.text.to_owned();
        let mut rules = Vec::new();
        let mut note = "first version";
        for step in 1..=index {
            match &self.lineage.rewording {
                Some(rewording) if step == 2 => {
                    text = text.replace(rewording.from, rewording.to);
                    note = rewording.note;
                }
                _ => {
                    let refinement = &refinements[(2 * self.place + rules.len()) % refinements.len()];
                    rules.push(refinement.text);
                    note = refinement.note;
                }
            }
        }
        let system = self.lineage.system.map(str::to_owned);
        (with_rules(system, text, &rules), note)
    }

    /// `age` counts from 1, the newest version.
    fn status(&self, random: &mut Random, age: usize) -> PromptStatus {
        match age {
            1 if random.chance(if self.is_recent { 0.18 } else { 0.1 }) => PromptStatus::Draft,
            1 if !self.is_recent && random.chance(0.15) => PromptStatus::Archived,
            1 => PromptStatus::Active,
            2 if random.chance(0.3) => PromptStatus::Active,
            _ => PromptStatus::Archived,
        }
    }
}

/// Rules go to the end of the system message, or before the input, which is the last paragraph of a text.
fn with_rules(system: Option<String>, user: String, rules: &[&str]) -> PromptText {
    if rules.is_empty() {
        return PromptText { system, user };
    }
    let rules = format!("Rules:\n- {}", rules.join("\n- "));
    match system {
        Some(system) => PromptText { system: Some(format!("{system}\n\n{rules}")), user },
        None => {
            let user = match user.rsplit_once("\n\n") {
                Some((task, input)) => format!("{task}\n\n{rules}\n\n{input}"),
                None => format!("{user}\n\n{rules}"),
            };
            PromptText { system: None, user }
        }
    }
}

fn defaults(suite: &Suite) -> Value {
    suite.context.iter().map(|&(name, value)| (name.to_owned(), Value::from(value))).collect()
}
