//! What a model makes of a test case.

use super::cases::PreparedCase;
use crate::demo::catalog::{Model, Style};
use crate::demo::random::Random;
use crate::domain::TestOutcome;

/// The share of cases that pass with an average prompt and model.
const AVERAGE_PASS_RATE: f64 = 0.82;
const ERROR_RATE: f64 = 0.02;
const SKIP_RATE: f64 = 0.006;

/// The verdict on one test case.
pub(super) struct Verdict {
    /// What became of it.
    pub outcome: TestOutcome,
    /// The answer, unless there was none.
    pub answer: Option<String>,
    /// The grader's words.
    pub reason: Option<String>,
    /// Why there was no answer.
    pub error: Option<String>,
    /// The two metrics of the case; the score is their mean.
    pub metrics: [f64; 2],
}

impl Verdict {
    /// The score.
    pub(super) fn score(&self) -> f64 {
        // Without the noise of binary fractions, which people would see.
        ((self.metrics[0] + self.metrics[1]) * 500.0).round() / 1_000.0
    }
}

/// Draws a verdict; `quality` is what the prompt contributes.
pub(super) fn judge(random: &mut Random, case: &PreparedCase, model: &Model, style: Style, quality: f64) -> Verdict {
    if random.chance(ERROR_RATE) {
        let error = (*random.pick(model.errors)).to_owned();
        return Verdict {
            outcome: TestOutcome::Errored,
            answer: None,
            reason: None,
            error: Some(error),
            metrics: [0.0; 2],
        };
    }
    if random.chance(SKIP_RATE) {
        let reason = "Skipped: the case is quarantined until its assertion is stable".to_owned();
        return Verdict {
            outcome: TestOutcome::Skipped,
            answer: None,
            reason: Some(reason),
            error: None,
            metrics: [0.0; 2],
        };
    }
    let chance = AVERAGE_PASS_RATE + quality + model.quality + case.ease;
    if random.chance(chance.clamp(0.25, 0.97)) { pass(random, case, style) } else { fail(random, case, style) }
}

fn pass(random: &mut Random, case: &PreparedCase, style: Style) -> Verdict {
    let (reason, metrics) = match style {
        Style::Json => ("All assertions passed", [1.0, if random.chance(0.7) { 1.0 } else { 0.9 }]),
        Style::Text => {
            let reasons = ["Meets the rubric", "Covers everything that was asked for", "Agrees with the reference"];
            (*random.pick(&reasons), [hundredths(random.between(0.78, 1.0)), hundredths(random.between(0.82, 1.0))])
        }
    };
    Verdict {
        outcome: TestOutcome::Passed,
        answer: Some(case.case.right().to_owned()),
        reason: Some(reason.to_owned()),
        error: None,
        metrics,
    }
}

/// An answer that an assertion refuses: usually wrong in substance, sometimes only in form.
pub(super) fn fail(random: &mut Random, case: &PreparedCase, style: Style) -> Verdict {
    let right = case.case.right();
    let kind = random.whole(0, 10);
    let (answer, reason, metrics) = match (style, kind) {
        (Style::Json, 0) => (
            format!("```json\n{right}\n```"),
            "Expected output to be valid JSON, but it begins with a code fence".to_owned(),
            [0.0, 1.0],
        ),
        (Style::Json, 1) => (
            format!("Here is the result:\n\n{right}"),
            "Expected output to be valid JSON: unexpected character 'H' at line 1 column 1".to_owned(),
            [0.0, 1.0],
        ),
        (Style::Json, 2) => {
            let cut = beginning(right, 0.7);
            let reason = format!(
                "Expected output to be valid JSON: unexpected end of input at column {}",
                cut.chars().count() + 1
            );
            (cut, reason, [0.0, 0.3])
        }
        (Style::Json, _) => {
            (case.case.wrong.to_owned(), case.case.reason.to_owned(), [1.0, hundredths(random.between(0.0, 0.25))])
        }
        (Style::Text, 0) => (
            format!("Certainly! Here it is:\n\n{right}\n\nLet me know if you need anything else."),
            "Contains filler before and after the answer".to_owned(),
            [hundredths(random.between(0.4, 0.6)), hundredths(random.between(0.5, 0.75))],
        ),
        (Style::Text, 1) => (
            beginning(right, 0.6),
            "The answer breaks off in the middle of a sentence".to_owned(),
            [hundredths(random.between(0.2, 0.45)), hundredths(random.between(0.4, 0.6))],
        ),
        (Style::Text, 2) => (
            "I'm sorry, but I can't help with that request.".to_owned(),
            "Refuses a harmless request".to_owned(),
            [0.0, 0.0],
        ),
        (Style::Text, _) => (
            case.case.wrong.to_owned(),
            case.case.reason.to_owned(),
            [hundredths(random.between(0.0, 0.45)), hundredths(random.between(0.05, 0.6))],
        ),
    };
    Verdict { outcome: TestOutcome::Failed, answer: Some(answer), reason: Some(reason), error: None, metrics }
}

fn beginning(text: &str, share: f64) -> String {
    let count = text.chars().count() as f64;
    text.chars().take((count * share) as usize).collect()
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
