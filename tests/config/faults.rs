//! Configurations that cannot be used: the message names the place and the way out, and no secret.

use evalgraph::cli::Refusal;
use evalgraph::config::catalog;

use crate::{ConfigFile, faults_of, read, without};

/// Files with one fault each, and what is said of it.
fn check(files: &[(&str, &str)]) {
    for (file, expected) in files {
        assert_eq!(faults_of(file), *expected);
    }
}

#[test]
fn a_key_that_is_no_setting_is_refused() {
    check(&[
        ("\nmax_deph = 3", "FILE:2: there is no setting «max_deph»: did you mean max_depth?"),
        ("max-depth = 3", "FILE:1: there is no setting «max-depth»: did you mean max_depth?"),
        ("colour = 'red'", "FILE:1: there is no setting «colour»; `evalgraph config` lists all"),
        (
            "[server]\nport = 80",
            "FILE:1: there is no setting «server»: settings stand at the top level, without tables",
        ),
        ("config = 'other.toml'", "FILE:1: there is no setting «config»; `evalgraph config` lists all"),
    ]);
}

#[test]
fn a_value_of_another_type_is_refused() {
    check(&[
        ("max_depth = '3'", "FILE:1: max_depth must be a whole number, and is a text"),
        ("max_depth = 3.5", "FILE:1: max_depth must be a whole number, and is a number with a fraction"),
        ("max_depth = [3]", "FILE:1: max_depth must be a whole number, and is a list"),
        ("max_depth = 2026-01-01", "FILE:1: max_depth must be a whole number, and is a time"),
        ("log = true", "FILE:1: log must be a text in quotes, and is true or false"),
        ("log = { level = 'info' }", "FILE:1: log must be a text in quotes, and is a table"),
        ("database_url = 5", "FILE:1: database_url must be a text in quotes, and is a whole number"),
    ]);
}

#[test]
fn an_impossible_value_is_refused() {
    for (file, expected) in [
        ("max_depth = 33", "FILE:1: max_depth cannot be «33»: 33 is not in 1..=32"),
        ("max_depth = -1", "FILE:1: max_depth cannot be «-1»: -1 is not in 1..=32"),
        ("max_page_size = 0", "FILE:1: max_page_size cannot be «0»: number would be zero for non-zero type"),
        ("port = 99999999999999999999", "FILE:1: port cannot be «99999999999999999999»"),
        ("env = 'moon'", "FILE:1: env cannot be «moon»: it must be one of local, staging, production"),
        ("data_dir = ''", "FILE:1: data_dir cannot be «»: it must not be empty"),
        (
            "request_timeout_ms = 2147483648",
            "FILE:1: request_timeout_ms cannot be «2147483648»: 2147483648 is not in 2..=2147483647",
        ),
        (
            "statement_timeout_ms = 18446744073709551616",
            "FILE:1: statement_timeout_ms cannot be «18446744073709551616»: number too large",
        ),
        ("listen = 'nowhere'", "FILE:1: listen cannot be «nowhere»: invalid socket address syntax"),
    ] {
        let faults = faults_of(file);
        assert!(faults.starts_with(expected), "{faults}");
    }
}

#[test]
fn no_time_is_longer_than_can_be_kept() {
    for setting in catalog() {
        let key = setting.key();
        let longest = match key.rsplit_once('_') {
            // Clocks that are off by more make nonsense of the end of a token.
            _ if key == "auth_clock_skew_s" => "600",
            Some((_, "ms")) => "2147483647",
            Some((_, "s")) => "31536000",
            _ => continue,
        };
        let file = format!("{key} = 18446744073709551615");
        let refusal = format!("FILE:1: {key} cannot be «18446744073709551615»: 18446744073709551615 is not in ");
        let message = faults_of(&file);
        assert!(message.starts_with(&refusal) && message.ends_with(&format!("..={longest}")), "{message}");
        let file = ConfigFile::new(&format!("{key} = {longest}"));
        assert!(read(&[&file.flag()], &[]).is_ok(), "{key}");
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once_and_in_order() {
    let file = ConfigFile::new("port = 'x'\nmax_depth = 99\nmax_deph = 1\nlog = 3");
    let variables = [("EVALGRAPH_ENV", "moon"), ("EVALGRAPH_MAX_DEPTH", "3")];
    let refusal = read(&[&file.flag()], &variables).unwrap_err();
    let expected = "the configuration cannot be used:
  FILE:1: port must be a whole number, and is a text
  FILE:2: max_depth cannot be «99»: 99 is not in 1..=32
  FILE:3: there is no setting «max_deph»: did you mean max_depth?
  FILE:4: log must be a text in quotes, and is a whole number
  EVALGRAPH_ENV: env cannot be «moon»: it must be one of local, staging, production";
    assert_eq!(without(&refusal.to_string(), &file.path()), expected);

    let contradictions = read(&["--default-page-size=200", "--pool-wait-ms=40000", "--log=a=loud"], &[]).unwrap();
    let faults = contradictions.settings().validate().unwrap_err();
    assert_eq!(faults.0.len(), 3, "{faults}");
}

#[test]
fn an_error_of_syntax_names_its_place_and_does_not_show_the_line() {
    for (file, place) in [
        ("max_depth = 3\ndatabase_url = 'postgres://me:hunter2@db/x", "FILE:2:"),
        ("database_url = postgres://me:hunter2@db/x", "FILE:1:"),
        ("database_url = 'a'\ndatabase_url = 'hunter2'", "FILE:2:"),
    ] {
        let faults = faults_of(file);
        assert!(faults.starts_with(place) && !faults.contains("hunter2"), "{faults}");
    }
}

#[test]
fn a_file_that_is_named_must_be_readable() {
    let file = ConfigFile::new("");
    let directory = file.path().parent().unwrap().to_owned();
    let missing = directory.join("missing.toml");
    let not_text = directory.join("binary.toml");
    std::fs::write(&not_text, [0xff, 0xfe]).unwrap();
    for (path, cause) in [
        (missing.to_str().unwrap(), "No such file"),
        (directory.to_str().unwrap(), "Is a directory"),
        (not_text.to_str().unwrap(), "UTF-8"),
        ("/dev/zero", "it is larger than 65536 bytes"),
    ] {
        for refusal in [read(&["--config", path], &[]), read(&[], &[("EVALGRAPH_CONFIG", path)])] {
            let message = refusal.unwrap_err().to_string();
            let expected = format!("{path}: the configuration file cannot be read: ");
            assert!(message.starts_with(&expected) && message.contains(cause), "{message}");
        }
    }
}

#[test]
fn a_wrong_flag_is_an_error_of_usage() {
    let refusal = read(&["--max-depth=99"], &[]).unwrap_err();
    assert!(matches!(refusal, Refusal::Usage(_)) && refusal.to_string().contains("--max-depth"), "{refusal}");
}
