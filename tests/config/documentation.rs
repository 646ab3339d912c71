//! The table in `docs/configuration.md` says what the definitions of the settings say.

use std::fmt::Write as _;

use evalgraph::config::{Secrecy, Setting, Settings, catalog};

use crate::common::written_table;

#[test]
fn the_table_of_settings_is_current() {
    written_table::check("docs/configuration.md", &table(), "config documentation");
}

fn table() -> String {
    let mut text = "| key | flag | variable | default | meaning |\n|---|---|---|---|---|\n".to_owned();
    let mut heading = String::new();
    for setting in catalog() {
        if setting.heading() != heading {
            setting.heading().clone_into(&mut heading);
            writeln!(text, "| **{heading}** | | | | |").unwrap();
        }
        text += &row(&setting);
    }
    text
}

fn row(setting: &Setting) -> String {
    let code = |text: &str| format!("`{}`", text.replace('|', "\\|"));
    let variables = setting.variables().into_iter().map(code).collect::<Vec<_>>().join(", ");
    let cells = [code(setting.key()), code(&setting.flag()), variables, default(setting), meaning(setting)];
    format!("| {} |\n", cells.join(" | "))
}

fn default(setting: &Setting) -> String {
    match (setting.default(), Settings::default().derived(setting.key())) {
        (Some(default), _) => format!("`{default}`"),
        (None, Some((value, from))) => {
            let from: Vec<_> = from.split(" and ").map(|key| format!("`{key}`")).collect();
            format!("`{value}`, from {}", from.join(" and "))
        }
        (None, None) => "none".to_owned(),
    }
}

fn meaning(setting: &Setting) -> String {
    let mut meaning = sentence(&setting.meaning());
    // That of a boolean says it all.
    for (choice, means) in setting.choices().into_iter().filter(|(_, means)| !means.is_empty()) {
        write!(meaning, "<br>`{choice}`: {}", sentence(&means)).unwrap();
    }
    meaning += match setting.secrecy() {
        Secrecy::None => "",
        Secrecy::Password => " A password in it is never shown.",
        Secrecy::Whole => " It is never shown.",
    };
    meaning.replace('|', "\\|")
}

fn sentence(text: &str) -> String {
    format!("{}.", text.trim_end_matches('.'))
}

/// What else is derived from the definitions needs them to be complete.
#[test]
fn every_setting_is_defined_completely() {
    for setting in catalog() {
        let key = setting.key();
        assert!(!setting.heading().is_empty(), "{key} belongs to a group");
        assert!(setting.meaning().len() > 10, "{key} says what it is");
        assert_eq!(setting.flag(), format!("--{}", key.replace('_', "-")));
        let own = format!("EVALGRAPH_{}", key.to_uppercase());
        assert!(setting.variables()[0] == own || key == "port", "{key} has a variable");
    }
}
