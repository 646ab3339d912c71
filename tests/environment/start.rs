//! What keeps the server from starting is told in one message, soon, with a way out and without secrets.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection as _;
use evalgraph::db::pool::DatabaseLocation;
use url::Url;

use crate::common::process::{evalgraph, stderr};
use crate::common::sql;

/// Runs a server that cannot start; what it says.
fn complaint(command: &mut Command) -> String {
    let begun = Instant::now();
    let output: Output = command.output().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10), "it gives up soon: {:?}", begun.elapsed());
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let text = stderr(&output);
    assert!(!text.contains("hunter2") && !text.contains("panicked"), "{text}");
    let last = text.lines().last().unwrap_or_default();
    assert!(last.starts_with("evalgraph: "), "{text}");
    last.to_owned()
}

fn serve(arguments: &[&str]) -> Command {
    evalgraph(&[&["serve", "--listen=127.0.0.1:0"], arguments].concat())
}

#[test]
fn a_port_in_use_is_named_with_the_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let directory = tempfile::tempdir().unwrap();
    let mut command = evalgraph(&["--port", &port.to_string(), "--data-dir"]);
    let message = complaint(command.arg(directory.path().join("data")));
    assert!(
        message.contains(&format!("cannot listen on 127.0.0.1:{port}: choose another port with --port")),
        "{message}"
    );
    assert!(message.contains("Address already in use"), "{message}");
    assert!(!directory.path().join("data").exists(), "nothing was made in vain");
}

#[test]
fn a_directory_that_cannot_be_used_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    // Nobody makes directories in /sys, the administrator neither.
    for data in [file.as_path(), &file.join("below"), Path::new("/sys/evalgraph")] {
        let message = complaint(serve(&["--data-dir"]).arg(data));
        assert!(message.contains(data.to_str().unwrap()), "{message}");
    }
}

#[test]
fn a_file_that_is_no_database_of_ours_is_named_and_kept() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("evalgraph.db");
    let good = directory.path().join("good");
    let made = evalgraph(&["migrate", "--data-dir"]).arg(&good).output().unwrap();
    assert!(made.status.success(), "{}", stderr(&made));
    let good = std::fs::read(good.join("evalgraph.db")).unwrap();
    let mut scribbled = good.clone();
    scribbled[100..4096].fill(0xaa);
    let foreign = directory.path().join("songs.db");
    let mut songs = sql::sqlite(&DatabaseLocation::Sqlite(foreign.clone()));
    songs.batch_execute("CREATE TABLE songs (id integer); INSERT INTO songs VALUES (1)").unwrap();
    drop(songs);
    let foreign = std::fs::read(foreign).unwrap();
    let cases: [(&str, Vec<u8>, &str); 5] = [
        ("a text", b"not a database, whatever its name says\n".repeat(100), "file is not a database"),
        ("a picture", [&b"\x89PNG\r\n\x1a\n"[..], &[0; 5000]].concat(), "file is not a database"),
        ("a file cut short", good[..5000].to_vec(), "malformed"),
        ("a file with a broken page", scribbled, "malformed"),
        ("another application's", foreign, "belongs to another application (it contains the table songs)"),
    ];
    for (what, content, expected) in cases {
        std::fs::write(&path, &content).unwrap();
        let message = complaint(serve(&[&format!("--database-url=sqlite:{}", path.display())]).arg("--log=error"));
        assert!(message.contains(expected), "{what}: {message}");
        assert!(what.starts_with("another") || message.contains(path.to_str().unwrap()), "{what}: {message}");
        assert!(std::fs::read(&path).unwrap() == content, "{what} is left as it was");
    }
}

/// The limit of the shell on the size of files stands for a disk that is full. It holds for the administrator, too.
#[test]
fn a_disk_that_is_full_is_told_and_costs_nothing_that_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().to_str().unwrap();
    let limited = |blocks: u32, arguments: &str| {
        let program = evalgraph(&[]).get_program().to_str().unwrap().to_owned();
        // Without the trap, the system would end the process.
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec '{program}' {arguments} --data-dir '{data}'");
        let mut shell = Command::new("bash");
        shell.args(["-c", &script]).env_clear().envs(std::env::vars().filter(|(name, _)| name == "PATH"));
        shell
    };
    let message = complaint(&mut limited(16, "serve --listen 127.0.0.1:0"));
    assert!(message.contains("disk I/O error") || message.contains("is full"), "{message}");

    let made = evalgraph(&["migrate", "--data-dir", data]).output().unwrap();
    assert!(made.status.success(), "what was begun can be gone on with: {}", stderr(&made));
    let size = std::fs::metadata(directory.path().join("evalgraph.db")).unwrap().len();
    let blocks = u32::try_from(size / 1024).unwrap() + 64;
    let message = complaint(&mut limited(blocks, "serve --demo --listen 127.0.0.1:0"));
    assert!(message.contains("the storage of the database does not work"), "{message}");
    let mut with_room = evalgraph(&["migrate", "--data-dir", data]);
    assert!(with_room.output().unwrap().status.success());
}

fn changed_url(change: impl FnOnce(&mut Url)) -> String {
    let mut url = Url::parse(&std::env::var("EVALGRAPH_TEST_POSTGRES_URL").expect("scripts/test sets it")).unwrap();
    change(&mut url);
    url.into()
}

#[test]
fn a_database_server_that_does_not_let_us_in_is_reported() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let free_port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let with_password = |url: &mut Url| url.set_password(Some("hunter2")).unwrap();
    for (what, url, expected) in [
        (
            "refused",
            changed_url(|url| {
                with_password(url);
                url.set_port(Some(free_port)).unwrap();
            }),
            "refused",
        ),
        (
            "silent",
            changed_url(|url| {
                with_password(url);
                url.set_port(Some(silent.local_addr().unwrap().port())).unwrap();
            }),
            "the server did not answer within 5s",
        ),
        (
            "password",
            changed_url(|url| {
                with_password(url);
                url.set_path("evalgraph_needs_password");
            }),
            "password authentication failed for user \"postgres\"",
        ),
        ("name", changed_url(|url| url.set_path("nowhere")), "database \"nowhere\" does not exist"),
        (
            "host",
            changed_url(|url| {
                with_password(url);
                url.set_host(Some("nowhere.invalid")).unwrap();
            }),
            "nowhere.invalid",
        ),
    ] {
        let message = complaint(serve(&["--data-dir=/nowhere"]).env("DATABASE_URL", url));
        assert!(message.contains("the database cannot be reached: "), "{what}: {message}");
        assert!(what == "host" || message.contains(expected), "{what}: {message}");
    }
}

/// Permissions do not bind the administrator, so the server runs as somebody else then.
#[test]
fn files_that_must_not_be_written_to_are_named() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let made = evalgraph(&["migrate", "--data-dir"]).arg(&data).output().unwrap();
    assert!(made.status.success(), "{}", stderr(&made));
    let allow = |path: &Path, mode: u32| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    // Where others can reach it.
    let program = directory.path().join("evalgraph");
    std::fs::copy(evalgraph(&[]).get_program(), &program).unwrap();
    for path in [directory.path(), &program] {
        allow(path, 0o755);
    }
    for file in std::fs::read_dir(&data).unwrap() {
        allow(&file.unwrap().path(), 0o444);
    }
    allow(&data, 0o555);
    let as_root = rustix::process::geteuid().is_root();
    let mut command = if as_root { Command::new("setpriv") } else { Command::new(&program) };
    if as_root {
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program);
    }
    command.env_clear().args(["serve", "--listen=127.0.0.1:0", "--data-dir"]).arg(&data);
    let message = complaint(&mut command);
    assert!(message.contains(data.to_str().unwrap()) && message.contains("Permission denied"), "{message}");
    allow(&data, 0o755);
}
