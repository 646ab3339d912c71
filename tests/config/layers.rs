//! Which of several values counts.

use evalgraph::db::pool::DatabaseLocation;

use crate::{ConfigFile, read};

#[test]
fn a_flag_wins_over_a_variable_and_that_over_the_file_and_that_over_the_default() {
    let file = ConfigFile::new("max_depth = 3");
    let flag = file.flag();
    let variables = [("EVALGRAPH_MAX_DEPTH", "4")];
    let depth =
        |arguments: &[&str], variables: &[(&str, &str)]| read(arguments, variables).unwrap().settings().max_depth;
    assert_eq!(depth(&[], &[]), 20);
    assert_eq!(depth(&[&flag], &[]), 3);
    assert_eq!(depth(&[&flag], &variables), 4);
    assert_eq!(depth(&[&flag, "--max-depth=5"], &variables), 5);
    assert_eq!(depth(&["--max-depth=5"], &variables), 5);
}

#[test]
fn flags_may_stand_before_and_after_the_command() {
    let file = ConfigFile::new("max_depth = 3\nmax_page_size = 30");
    let flag = file.flag();
    for arguments in
        [["--max-depth=5", &flag, "serve"], ["--max-depth=5", "serve", &flag], [&flag, "serve", "--max-depth=5"]]
    {
        let cli = read(&arguments, &[]).unwrap();
        assert_eq!((cli.settings().max_depth, cli.settings().max_page_size.get()), (5, 30), "{arguments:?}");
    }
}

#[test]
fn the_file_may_be_named_by_a_variable() {
    let (file, other) = (ConfigFile::new("max_depth = 3"), ConfigFile::new("max_depth = 4"));
    let path = file.path();
    let variables = [("EVALGRAPH_CONFIG", path.to_str().unwrap())];
    assert_eq!(read(&[], &variables).unwrap().settings().max_depth, 3);
    assert_eq!(read(&[&other.flag()], &variables).unwrap().settings().max_depth, 4, "the flag wins");
}

/// As compose files make them of what is not set.
#[test]
fn an_empty_variable_is_not_set() {
    let file = ConfigFile::new("max_depth = 3\ndata_dir = '/srv'");
    let names = ["EVALGRAPH_MAX_DEPTH", "EVALGRAPH_DATA_DIR", "EVALGRAPH_DATABASE_URL", "DATABASE_URL", "PORT"];
    let variables = names.map(|name| (name, ""));
    let cli = read(&[&file.flag()], &variables).unwrap();
    assert_eq!((cli.settings().max_depth, cli.settings().port), (3, 8080));
    assert_eq!(cli.settings().database(), Ok(DatabaseLocation::Sqlite("/srv/evalgraph.db".into())));
    assert_eq!(read(&[], &[("EVALGRAPH_CONFIG", "")]).unwrap().settings().max_depth, 20);
}

#[test]
fn database_url_is_a_variable_like_the_others_and_the_last_of_them() {
    let file = ConfigFile::new("database_url = 'sqlite:file.db'");
    let flag = file.flag();
    let path = |arguments: &[&str], variables: &[(&str, &str)]| {
        let DatabaseLocation::Sqlite(path) = read(arguments, variables).unwrap().settings().database().unwrap() else {
            panic!("all of them are files");
        };
        path.to_str().unwrap().to_owned()
    };
    let customary = ("DATABASE_URL", "sqlite:customary.db");
    let own = ("EVALGRAPH_DATABASE_URL", "sqlite:own.db");
    assert_eq!(path(&[&flag], &[]), "file.db");
    assert_eq!(path(&[&flag], &[customary]), "customary.db");
    assert_eq!(path(&[&flag], &[customary, own]), "own.db");
    assert_eq!(path(&[&flag], &[customary, (own.0, "")]), "customary.db");
    assert_eq!(path(&[&flag, "--database-url=sqlite:flag.db"], &[customary, own]), "flag.db");
}

/// A flag is the way out when a variable cannot be changed.
#[test]
fn a_wrong_variable_does_not_matter_when_a_flag_overrides_it() {
    assert_eq!(read(&["--max-depth=5"], &[("EVALGRAPH_MAX_DEPTH", "deep")]).unwrap().settings().max_depth, 5);
}
