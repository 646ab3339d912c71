//! `evalgraph config` and `evalgraph completions`.

use std::process::{Command, Stdio};

use evalgraph::config::{Origin, catalog};
use serde_json::json;

use crate::ConfigFile;
use crate::common::process::{evalgraph, run, stderr, stdout};

fn config(arguments: &[&str], variables: &[(&str, &str)]) -> String {
    stdout(&run(evalgraph(&["config"]).args(arguments).envs(variables.iter().copied())))
}

#[test]
fn the_configuration_is_printed_with_its_origins() {
    let file = ConfigFile::new("\nlisten = '127.0.0.1:9000'\nmax_page_size = 0x20\ndata_dir = 'a \"b\"'");
    let printed = config(&[&file.flag(), "--default-page-size=+7"], &[("EVALGRAPH_ENV", "staging")]);
    let path = file.path().display().to_string();
    for line in [
        "# Server".to_owned(),
        format!("listen = \"127.0.0.1:9000\"  # {path}:2"),
        "port = 8080  # default".to_owned(),
        "# Database".to_owned(),
        "# database_url: not set".to_owned(),
        "env = \"staging\"  # EVALGRAPH_ENV".to_owned(),
        "# pool_base = 10  # derived from env".to_owned(),
        "# statement_timeout_ms = 25000  # derived from request_timeout_ms".to_owned(),
        "# Query limits".to_owned(),
        format!("max_page_size = 32  # {path}:3"),
        "default_page_size = 7  # --default-page-size".to_owned(),
        format!(r#"data_dir = "a \"b\""  # {path}:4"#),
    ] {
        assert!(printed.lines().any(|printed| printed == line), "{line}: {printed}");
    }
    for setting in catalog() {
        let key = setting.key();
        let is_told = printed.contains(&format!("{key} = ")) || printed.contains(&format!("# {key}: not set"));
        assert!(is_told, "{key}: {printed}");
    }
}

#[test]
fn what_is_printed_is_a_file_with_the_same_effect() {
    let variables = [
        ("EVALGRAPH_ENV", "production"),
        ("EVALGRAPH_DATABASE_URL", "sqlite:some \"where\\.db"),
        ("EVALGRAPH_DATA_DIR", "/a\tb\u{7f}'c"),
        ("EVALGRAPH_SHUTDOWN_TIMEOUT_MS", "2147483647"),
        ("EVALGRAPH_REQUEST_TIMEOUT_MS", "007000"),
    ];
    let printed = config(&["--max-depth=+9"], &variables);
    let file = ConfigFile::new(&printed);
    let again = config(&[&file.flag()], &[]);
    let values = |text: &str| {
        let lines = text.lines().map(|line| line.split("  # ").next().unwrap().to_owned());
        lines.collect::<Vec<_>>()
    };
    assert_eq!(values(&printed), values(&again));
    assert!(again.contains("max_depth = 9  # ") && again.contains("# pool_base = 20  # derived"), "{again}");
    // What follows from another setting follows it still.
    let changed = config(&[&file.flag(), "--env=staging", "--port=81"], &[]);
    for line in ["# pool_base = 10  # derived from env\n", "# listen = \"127.0.0.1:81\"  # derived from port\n"] {
        assert!(changed.contains(line), "{changed}");
    }
}

#[test]
fn passwords_are_masked() {
    let file = ConfigFile::new("database_url = 'postgres://me:hunter2@db/x'");
    let shown = "database_url = \"postgres://me:***@db/x\"";
    let url = "postgres://me:hunter2@db/x";
    for (arguments, variables, origin) in [
        (vec![file.flag()], vec![], format!("{}:1", file.path().display())),
        (vec![format!("--database-url={url}")], vec![], "--database-url".to_owned()),
        (vec![], vec![("DATABASE_URL", url)], "DATABASE_URL".to_owned()),
        (vec![], vec![("EVALGRAPH_DATABASE_URL", url)], "EVALGRAPH_DATABASE_URL".to_owned()),
    ] {
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let printed = config(&arguments, &variables);
        assert!(printed.contains(&format!("{shown}  # {origin}, masked\n")), "{printed}");
        let json = config(&[&arguments[..], &["--json"]].concat(), &variables);
        assert!(!printed.contains("hunter2") && !json.contains("hunter2"));
    }
    // Neither does help show the values of variables.
    let help = stdout(&run(evalgraph(&["--help"]).env("EVALGRAPH_DATABASE_URL", url)));
    assert!(help.contains("[env: EVALGRAPH_DATABASE_URL]") && !help.contains("hunter2"), "{help}");
}

#[test]
fn the_configuration_is_printed_as_json() {
    let printed = config(&["--json", "--max-depth=9"], &[]);
    let printed: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(printed.as_object().unwrap().len(), catalog().len());
    assert_eq!(printed["max_depth"], json!({ "value": 9, "origin": "flag", "from": "--max-depth", "masked": false }));
    assert_eq!(printed["env"]["value"], json!("local"));
    assert_eq!(printed["pool_base"]["origin"], json!(Origin::Derived("env").kind()));
    assert_eq!(printed["database_url"]["value"], json!(null));
}

#[test]
fn a_configuration_that_contradicts_itself_is_printed_and_refused() {
    let output = run(&mut evalgraph(&["config", "--default-page-size=200"]));
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("default_page_size = 200  # --default-page-size"));
    let message = "default_page_size (--default-page-size) is 200 and must not exceed max_page_size (--max-page-size)";
    assert!(stderr(&output).contains(message), "{}", stderr(&output));
}

#[test]
fn commands_without_settings_work_whatever_the_configuration_says() {
    for arguments in [&["schema"][..], &["completions", "fish"]] {
        let mut command = evalgraph(arguments);
        command.env("EVALGRAPH_CONFIG", "/nowhere.toml").env("EVALGRAPH_MAX_DEPTH", "deep").env("PORT", "");
        assert!(!stdout(&run(&mut command)).is_empty());
    }
}

#[test]
fn a_shell_takes_its_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = stdout(&run(&mut evalgraph(&["completions", shell])));
        for word in ["completions", "promptfoo", "max-depth"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("evalgraph.bash");
    std::fs::write(&script, stdout(&run(&mut evalgraph(&["completions", "bash"])))).unwrap();
    // What bash offers after `evalgraph mig`, and after `evalgraph --log-format `.
    let ask = format!(
        "set -eu; source '{}'
         COMP_WORDS=(evalgraph mig) COMP_CWORD=1; _evalgraph evalgraph mig evalgraph; echo \"${{COMPREPLY[*]}}\"
         COMP_WORDS=(evalgraph --log-format '') COMP_CWORD=2; _evalgraph evalgraph '' --log-format; echo \"${{COMPREPLY[*]}}\"",
        script.display()
    );
    let output = run(Command::new("bash").args(["-c", &ask]).stdin(Stdio::null()));
    assert_eq!(stdout(&output), "migrate\ntext json\n");
}

#[test]
fn help_shows_the_settings_in_groups_and_only_where_they_are_used() {
    let help = |arguments: &[&str]| stdout(&run(&mut evalgraph(arguments)));
    let serve = help(&["serve", "--help"]);
    for heading in ["\nServer:\n", "\nDatabase:\n", "\nQuery limits:\n", "\nLog:\n"] {
        assert!(serve.contains(heading), "{serve}");
    }
    for arguments in [&["migrate", "-h"][..], &["import", "promptfoo", "-h"]] {
        let help = help(arguments);
        assert!(help.contains("--database-url") && !help.contains("--max-depth"), "{help}");
    }
    assert!(!help(&["schema", "-h"]).contains("--database-url"));
    // They are taken all the same: scripts pass the same flags to all commands.
    assert!(help(&["schema", "--max-depth=3"]).contains("type Query"));
}
