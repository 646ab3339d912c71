//! Places for databases that last as long as a test.

use std::path::Path;

use diesel_async::{AsyncConnection as _, AsyncPgConnection, SimpleAsyncConnection as _};
use evalgraph::db::migrate::migrate;
use evalgraph::db::pool::DatabaseLocation;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use url::Url;
use uuid::Uuid;

use super::{Kind, sql};

/// The advisory lock under which the template is made.
const TEMPLATE_LOCK: i64 = 0x7465_6d70_6c61_7465;

/// A database that nobody else knows, without a pool. It is removed in the end.
pub struct TestLocation {
    pub kind: Kind,
    pub location: DatabaseLocation,
    _storage: Storage,
}

enum Storage {
    Directory(#[allow(dead_code, reason = "it is removed when it is dropped")] TempDir),
    Server(#[allow(dead_code, reason = "it is removed when it is dropped")] ServerDatabase),
}

impl TestLocation {
    /// Without tables.
    pub async fn empty(kind: Kind) -> Self {
        match kind {
            Kind::Sqlite => Self::in_directory(),
            Kind::Postgres => Self::on_server("template0").await,
        }
    }

    /// With all tables, and no rows in them.
    pub async fn migrated(kind: Kind) -> Self {
        match kind {
            Kind::Sqlite => {
                let location = Self::in_directory();
                migrate(&location.location).await.expect("a new file can be migrated");
                location
            }
            Kind::Postgres => Self::on_server(&template().await).await,
        }
    }

    fn in_directory() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let location = DatabaseLocation::Sqlite(directory.path().join("evalgraph.db"));
        Self { kind: Kind::Sqlite, location, _storage: Storage::Directory(directory) }
    }

    async fn on_server(template: &str) -> Self {
        let name = format!("evalgraph_test_{}", Uuid::now_v7().simple());
        sql::execute(&maintenance(), &format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        let location = database_on_server(&name);
        Self { kind: Kind::Postgres, location, _storage: Storage::Server(ServerDatabase { name }) }
    }
}

/// A database on the test server.
struct ServerDatabase {
    name: String,
}

impl Drop for ServerDatabase {
    fn drop(&mut self) {
        let (DatabaseLocation::Postgres(url), name) = (maintenance(), self.name.clone()) else { return };
        // The test's runtime, whatever its kind, is no place to wait in.
        let removal = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut connection = AsyncPgConnection::establish(&url).await?;
                connection.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await?;
                Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
            })
        });
        // Not a panic: the test may be panicking already.
        match removal.join() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => eprintln!("the database {} remains: {error}", self.name),
            Err(_) => eprintln!("the database {} remains", self.name),
        }
    }
}

fn server() -> Url {
    let url = std::env::var("EVALGRAPH_TEST_POSTGRES_URL")
        .expect("EVALGRAPH_TEST_POSTGRES_URL is not set: run scripts/test, which starts a private PostgreSQL");
    Url::parse(&url).expect("EVALGRAPH_TEST_POSTGRES_URL is a URL")
}

/// The database that exists on every server, from which others are made.
fn maintenance() -> DatabaseLocation {
    DatabaseLocation::Postgres(server().into())
}

fn database_on_server(name: &str) -> DatabaseLocation {
    let mut url = server();
    url.set_path(name);
    DatabaseLocation::Postgres(url.into())
}

/// The name of a database with all tables, of which copies are made. The first test on a server makes it; those that
/// begin at the same time, in whichever process, wait for it.
async fn template() -> String {
    let name = format!("evalgraph_template_{}", hash_of_migrations());
    if is_complete(&name).await {
        return name;
    }
    // The lock ends with this connection.
    let mut lock = sql::postgres(&maintenance()).await;
    lock.batch_execute(&format!("SELECT pg_advisory_lock({TEMPLATE_LOCK})")).await.unwrap();
    if !is_complete(&name).await {
        // What an interrupted attempt has left is no use.
        lock.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await.unwrap();
        lock.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0")).await.unwrap();
        migrate(&database_on_server(&name)).await.expect("a new database can be migrated");
        // Marks it as complete, and keeps everybody out: a database in use cannot be copied.
        lock.batch_execute(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")).await.unwrap();
    }
    name
}

async fn is_complete(template: &str) -> bool {
    let query = format!("SELECT count(*) AS value FROM pg_database WHERE datname = '{template}' AND NOT datallowconn");
    sql::numbers(&maintenance(), &query).await == [1]
}

/// Changes with every change of a migration, so that a server that outlives a test run serves no stale template.
fn hash_of_migrations() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/postgres");
    let mut files: Vec<_> = std::fs::read_dir(root)
        .unwrap()
        .map(|directory| directory.unwrap().path().join("up.sql"))
        .filter(|file| file.exists())
        .collect();
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        hash.update(file.to_str().unwrap());
        hash.update([0]);
        hash.update(std::fs::read(&file).unwrap());
        hash.update([0]);
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
