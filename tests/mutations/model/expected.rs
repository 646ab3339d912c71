//! What should come of it.

use serde_json::{Value, json};

use super::actions::{Action, TestResult, name};

/// A code of an error.
type Code = &'static str;
const NOT_FOUND: Code = "NOT_FOUND";
const CONFLICT: Code = "CONFLICT";
const BAD_USER_INPUT: Code = "BAD_USER_INPUT";

/// What one owner has, in the order in which it came.
#[derive(Default)]
pub struct Model {
    prompts: Vec<Prompt>,
    runs: Vec<Run>,
    evaluations: Vec<Evaluation>,
    templates: Vec<Template>,
}

#[derive(Clone)]
struct Prompt {
    name: Option<u8>,
    content: String,
    version: usize,
    status: &'static str,
    is_deleted: bool,
    /// The number of the first version.
    root: usize,
    /// The number of the template that it was made from, as later versions are not.
    template: Option<usize>,
}

struct Template {
    content: u8,
    uses: usize,
}

struct Run {
    status: &'static str,
    is_baseline: bool,
    is_gone: bool,
}

struct Evaluation {
    prompt: usize,
    run: Option<usize>,
    external_id: Option<u8>,
    status: &'static str,
    score: Option<f64>,
    results: Vec<TestResult>,
    is_gone: bool,
}

impl Model {
    /// Makes a change, or tells why it is not made.
    pub fn apply(&mut self, action: &Action) -> Result<(), Code> {
        match action {
            Action::CreatePrompt { name, content } => self.create_prompt(*name, *content),
            Action::ChangeName { prompt, name } => self.change_name(self.prompt(*prompt), *name),
            Action::ChangeContent { prompt, content } => self.change_content(self.prompt(*prompt), *content),
            Action::CreateVersion { parent, content } => self.create_version(self.prompt(*parent), *content),
            Action::Upsert { items } => self.upsert(items),
            Action::Archive { prompts } => self.archive(&self.numbers(prompts)),
            Action::Delete { prompts } => {
                self.numbers(prompts).into_iter().for_each(|prompt| self.prompts[prompt].is_deleted = true);
                Ok(())
            }
            Action::Restore { prompts } => self.restore(&self.numbers(prompts)),
            Action::StartRun => {
                self.runs.push(Run { status: "RUNNING", is_baseline: false, is_gone: false });
                Ok(())
            }
            Action::FinishRun { run } => self.finish_run(run % self.runs.len()),
            Action::SetBaseline { run, is_baseline } => {
                let run = run % self.runs.len();
                self.runs[run].is_baseline = *is_baseline;
                if self.runs[run].is_gone { Err(NOT_FOUND) } else { Ok(()) }
            }
            Action::DeleteRun { run } => self.delete_run(run % self.runs.len()),
            Action::CreateEvaluation { prompt, run, external_id } => {
                self.create_evaluation(self.prompt(*prompt), run % self.runs.len(), *external_id)
            }
            Action::CreateWithPrompt { name, content } => {
                self.create_prompt(*name, *content)?;
                self.add_evaluation(self.prompts.len() - 1, None, None);
                Ok(())
            }
            Action::Start { evaluation } => self.move_on(*evaluation, &["PENDING"], "RUNNING").map(drop),
            Action::Record { evaluation, results } => self.record(*evaluation, results),
            Action::Complete { evaluation, score } => {
                let evaluation = self.move_on(*evaluation, &["RUNNING"], "COMPLETED")?;
                evaluation.score = score.map(f64::from).or_else(|| evaluation.mean());
                Ok(())
            }
            Action::Fail { evaluation } => self.move_on(*evaluation, &["PENDING", "RUNNING"], "FAILED").map(drop),
            Action::CreateTemplate { content } => {
                self.templates.push(Template { content: *content, uses: 0 });
                Ok(())
            }
            Action::ChangeTemplate { template, content } => {
                let template = template % self.templates.len();
                self.templates[template].content = *content;
                Ok(())
            }
            Action::Instantiate { template, value } => self.instantiate(template % self.templates.len(), *value),
        }
    }

    fn prompt(&self, number: usize) -> usize {
        number % self.prompts.len()
    }

    fn numbers(&self, numbers: &[usize]) -> Vec<usize> {
        numbers.iter().map(|&number| self.prompt(number)).collect()
    }

    /// Whether another lineage has the name, and a version that is not deleted.
    fn is_taken(&self, name: Option<u8>, root: Option<usize>) -> bool {
        let has_it = |prompt: &Prompt| prompt.name == name && !prompt.is_deleted && Some(prompt.root) != root;
        name.is_some() && self.prompts.iter().any(has_it)
    }

    fn create_prompt(&mut self, name: Option<u8>, content: u8) -> Result<(), Code> {
        if self.is_taken(name, None) {
            return Err(CONFLICT);
        }
        self.add_prompt(name, content.to_string(), None);
        Ok(())
    }

    /// A prompt that begins a lineage.
    fn add_prompt(&mut self, name: Option<u8>, content: String, template: Option<usize>) {
        let root = self.prompts.len();
        self.prompts.push(Prompt { name, content, version: 1, status: "DRAFT", is_deleted: false, root, template });
    }

    fn instantiate(&mut self, template: usize, value: Option<u8>) -> Result<(), Code> {
        let value = value.ok_or(BAD_USER_INPUT)?;
        self.templates[template].uses += 1;
        let content = format!("{}: {value}", self.templates[template].content);
        self.add_prompt(None, content, Some(template));
        Ok(())
    }

    /// All of them or none: first of all, no prompt may be named twice.
    fn upsert(&mut self, items: &[(Option<usize>, u8)]) -> Result<(), Code> {
        let items: Vec<_> = items.iter().map(|&(known, content)| (known.map(|it| self.prompt(it)), content)).collect();
        let mut known: Vec<_> = items.iter().filter_map(|&(known, _)| known).collect();
        known.sort_unstable();
        let count = known.len();
        known.dedup();
        if known.len() < count {
            return Err(BAD_USER_INPUT);
        }
        if known.iter().any(|&prompt| self.prompts[prompt].is_deleted) {
            return Err(NOT_FOUND);
        }
        let before = self.prompts.clone();
        for &(known, content) in &items {
            match known {
                None => self.add_prompt(None, content.to_string(), None),
                Some(prompt) => {
                    self.change_content(prompt, content).inspect_err(|_| self.prompts.clone_from(&before))?
                }
            }
        }
        Ok(())
    }

    fn change_name(&mut self, prompt: usize, name: Option<u8>) -> Result<(), Code> {
        let Prompt { is_deleted, root, .. } = self.prompts[prompt];
        if is_deleted {
            return Err(NOT_FOUND);
        }
        if self.is_taken(name, Some(root)) {
            return Err(CONFLICT);
        }
        self.prompts.iter_mut().filter(|prompt| prompt.root == root).for_each(|prompt| prompt.name = name);
        Ok(())
    }

    fn change_content(&mut self, prompt: usize, content: u8) -> Result<(), Code> {
        if self.prompts[prompt].is_deleted {
            return Err(NOT_FOUND);
        }
        let content = content.to_string();
        if self.prompts[prompt].content != content && self.evaluations_of(prompt).count() > 0 {
            return Err(CONFLICT);
        }
        self.prompts[prompt].content = content;
        Ok(())
    }

    fn create_version(&mut self, parent: usize, content: Option<u8>) -> Result<(), Code> {
        let parent = self.prompts[parent].clone();
        if parent.is_deleted {
            return Err(NOT_FOUND);
        }
        let version = 1 + self.prompts.iter().filter(|prompt| prompt.root == parent.root).count();
        self.prompts.push(Prompt {
            version,
            content: content.map_or(parent.content, |content| content.to_string()),
            template: None,
            ..parent
        });
        Ok(())
    }

    fn archive(&mut self, prompts: &[usize]) -> Result<(), Code> {
        if prompts.iter().any(|&prompt| self.prompts[prompt].is_deleted) {
            return Err(NOT_FOUND);
        }
        prompts.iter().for_each(|&prompt| self.prompts[prompt].status = "ARCHIVED");
        Ok(())
    }

    fn restore(&mut self, prompts: &[usize]) -> Result<(), Code> {
        let before = self.prompts.clone();
        for &prompt in prompts {
            let Prompt { name, root, is_deleted, .. } = self.prompts[prompt];
            if is_deleted && self.is_taken(name, Some(root)) {
                self.prompts = before;
                return Err(CONFLICT);
            }
            self.prompts[prompt].is_deleted = false;
        }
        Ok(())
    }

    fn finish_run(&mut self, run: usize) -> Result<(), Code> {
        if self.runs[run].is_gone {
            return Err(NOT_FOUND);
        }
        let mut statuses = self.evaluations.iter().filter(|it| it.run == Some(run)).map(|it| it.status);
        if self.runs[run].status != "RUNNING" || statuses.clone().any(|it| it == "PENDING" || it == "RUNNING") {
            return Err(CONFLICT);
        }
        let (mut count, mut failed) = (0, 0);
        statuses.by_ref().for_each(|status| {
            count += 1;
            failed += usize::from(status == "FAILED");
        });
        self.runs[run].status = if count > 0 && failed == count { "FAILED" } else { "COMPLETED" };
        Ok(())
    }

    fn delete_run(&mut self, run: usize) -> Result<(), Code> {
        if std::mem::replace(&mut self.runs[run].is_gone, true) {
            return Err(NOT_FOUND);
        }
        self.evaluations.iter_mut().filter(|it| it.run == Some(run)).for_each(|it| it.is_gone = true);
        Ok(())
    }

    fn create_evaluation(&mut self, prompt: usize, run: usize, external_id: Option<u8>) -> Result<(), Code> {
        if self.prompts[prompt].is_deleted || self.runs[run].is_gone {
            return Err(NOT_FOUND);
        }
        let is_same = |it: &&Evaluation| !it.is_gone && it.prompt == prompt && it.external_id == external_id;
        if let Some(same) = self.evaluations.iter().find(is_same).filter(|_| external_id.is_some()) {
            return if same.run == Some(run) { Ok(()) } else { Err(CONFLICT) };
        }
        if self.runs[run].status != "RUNNING" {
            return Err(CONFLICT);
        }
        self.add_evaluation(prompt, Some(run), external_id);
        Ok(())
    }

    fn add_evaluation(&mut self, prompt: usize, run: Option<usize>, external_id: Option<u8>) {
        let (status, score, results) = ("PENDING", None, Vec::new());
        self.evaluations.push(Evaluation { prompt, run, external_id, status, score, results, is_gone: false });
    }

    fn move_on(&mut self, evaluation: usize, from: &[&str], to: &'static str) -> Result<&mut Evaluation, Code> {
        let count = self.evaluations.len();
        let evaluation = &mut self.evaluations[evaluation % count];
        if evaluation.is_gone {
            return Err(NOT_FOUND);
        }
        if !from.contains(&evaluation.status) {
            return Err(CONFLICT);
        }
        evaluation.status = to;
        Ok(evaluation)
    }

    fn record(&mut self, evaluation: usize, results: &[TestResult]) -> Result<(), Code> {
        let number = evaluation % self.evaluations.len();
        let mut recorded = self.evaluations[number].results.clone();
        let mut conflict = false;
        for result in results {
            let same = recorded.iter().find(|it| it.external_id.is_some() && it.external_id == result.external_id);
            match same {
                Some(same) => conflict |= same != result,
                None => recorded.push(result.clone()),
            }
        }
        let is_open = matches!(self.evaluations[number].status, "PENDING" | "RUNNING");
        if conflict && is_open && !self.evaluations[number].is_gone {
            return Err(CONFLICT);
        }
        self.move_on(evaluation, &["PENDING", "RUNNING"], "RUNNING")?.results = recorded;
        Ok(())
    }

    fn evaluations_of(&self, prompt: usize) -> impl Iterator<Item = &Evaluation> {
        self.evaluations.iter().filter(move |it| it.prompt == prompt && !it.is_gone)
    }

    /// What the owner sees.
    pub fn visible(&self) -> Value {
        let prompts = self.prompts.iter().enumerate().map(|(number, prompt)| {
            let evaluations: Vec<_> = self
                .evaluations_of(number)
                .map(|it| {
                    json!({ "status": it.status,
                "run": it.run.map(|run| json!({ "status": self.runs[run].status })) })
                })
                .collect();
            json!({ "name": prompt.name.map(name), "content": prompt.content, "version": prompt.version,
                "status": prompt.status, "deletedAt": prompt.is_deleted, "evaluationCount": evaluations.len(),
                "evaluations": { "nodes": evaluations },
                "template": prompt.template.map(|template| json!({ "usageCount": self.templates[template].uses })) })
        });
        let runs = self.runs.iter().enumerate().filter(|(_, run)| !run.is_gone).map(|(number, run)| {
            let evaluations: Vec<_> = self.evaluations.iter().filter(|it| it.run == Some(number)).collect();
            let total: usize = evaluations.iter().map(|it| it.results.len()).sum();
            let passed: usize = evaluations.iter().map(|it| it.count("PASSED")).sum();
            let evaluations: Vec<_> = evaluations.into_iter().map(Evaluation::visible).collect();
            json!({ "status": run.status, "isBaseline": run.is_baseline, "totalTests": total, "passedTests": passed,
                "evaluations": { "nodes": evaluations } })
        });
        json!({ "prompts": { "nodes": prompts.collect::<Vec<_>>() }, "runs": { "nodes": runs.collect::<Vec<_>>() } })
    }
}

impl Evaluation {
    fn count(&self, outcome: &str) -> usize {
        self.results.iter().filter(|result| result.outcome == outcome).count()
    }

    /// The mean score of the results that were not skipped.
    #[allow(clippy::cast_precision_loss, reason = "a few results")]
    fn mean(&self) -> Option<f64> {
        let scores =
            self.results.iter().filter(|result| result.outcome != "SKIPPED").map(|result| f64::from(result.score));
        let count = scores.clone().count();
        (count > 0).then(|| scores.sum::<f64>() / count as f64)
    }

    fn visible(&self) -> Value {
        json!({ "status": self.status, "externalId": self.external_id.map(|id| id.to_string()),
            "overallScore": self.score, "totalTests": self.results.len(), "passedTests": self.count("PASSED"),
            "failedTests": self.count("FAILED"), "erroredTests": self.count("ERRORED") })
    }
}
