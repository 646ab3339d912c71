//! Nobody is shown anything of another owner, whatever they ask for.
//!
//! Operations are drawn from a grammar over the schema: all fields, arguments, filters, orders, cursors and ids, those of another
//! owner too. What an owner is answered must be, byte for byte, what a database answers in which the other owner has never
//! stored anything. What an owner changes must leave the other's as it is, and an id of the other's must have the answer of
//! an id that leads nowhere.
//!
//! `EVALGRAPH_TEST_SEED` repeats a failure.

#[path = "../common/mod.rs"]
mod common;

mod arena;
mod draw;
mod grammar;
mod party;
mod values;
mod world;

use std::sync::Arc;

use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;

use arena::{Arena, Remembering, Tally};
use common::{Kind, RedisServer, seeded};

/// Tasks that ask at the same time.
const TASKS: usize = 4;
/// One in so many operations changes something.
const CHANGES: usize = 6;

/// Draws so many operations, and checks what is answered.
async fn check(kind: Kind, remembering: Remembering, operations: usize) {
    let mut seeds = seeded();
    let arena = Arc::new(Arena::new(kind, remembering).await);
    let changes = operations / CHANGES;
    let questions = (operations - changes) / TASKS;
    let mut tasks = Vec::new();
    for _ in 0..TASKS {
        let (arena, random) = (Arc::clone(&arena), ChaCha8Rng::seed_from_u64(seeds.next_u64()));
        tasks.push(tokio::spawn(async move { arena.ask(random, questions).await }));
    }
    let random = ChaCha8Rng::seed_from_u64(seeds.next_u64());
    let changing = Arc::clone(&arena);
    tasks.push(tokio::spawn(async move { changing.change(random, changes).await }));
    let mut tally = Tally::default();
    for task in tasks {
        match task.await {
            Ok(of_task) => tally.add(&of_task),
            Err(failure) => std::panic::resume_unwind(failure.into_panic()),
        }
    }
    println!("{kind:?}, {remembering:?}: {tally}");
    tally.check();
}

macro_rules! checks {
    ($($(#[$attribute:meta])* $name:ident: $kind:expr, $remembering:expr, $operations:expr;)*) => {$(
        $(#[$attribute])*
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            check($kind, $remembering, $operations).await;
        }
    )*};
}

checks! {
    sqlite: Kind::Sqlite, Remembering::Nothing, 1_200;
    postgres: Kind::Postgres, Remembering::Nothing, 1_200;
    with_a_cache_in_the_process: Kind::Sqlite, Remembering::InTheProcess, 600;
    #[ignore = "takes long: scripts/test-long"]
    sqlite_long: Kind::Sqlite, Remembering::Nothing, 100_000;
    #[ignore = "takes long: scripts/test-long"]
    postgres_long: Kind::Postgres, Remembering::Nothing, 100_000;
    #[ignore = "takes long: scripts/test-long"]
    with_a_cache_in_the_process_long: Kind::Postgres, Remembering::InTheProcess, 20_000;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_cache_in_redis() {
    let redis = RedisServer::start(&[]).await;
    check(Kind::Postgres, Remembering::InRedis(redis.port), 600).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes long: scripts/test-long"]
async fn with_a_cache_in_redis_long() {
    let redis = RedisServer::start(&[]).await;
    check(Kind::Postgres, Remembering::InRedis(redis.port), 20_000).await;
}
