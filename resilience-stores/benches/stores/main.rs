//! Compares the stores with hand-written statements and scripts over the same client: steps per
//! second, and the overhead of the store. Run all with `cargo bench -p resilience-stores --bench
//! stores`, or some with `-- SQLite`, `-- PostgreSQL` or `-- Redis`.

#![allow(clippy::incompatible_msrv, reason = "the databases need a later version of Rust")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a program that measures and prints")]

mod redis;
mod rounds;
#[path = "../../tests/servers/mod.rs"]
mod servers;
mod sql;

use std::process::{Child, Command};
use std::{env, fs, process};

use ::redis::Client;
use ::redis::aio::MultiplexedConnection;
use redis::HandRedis;
use resilience::stores::{PostgresStore, RedisStore, SqliteStore};
use rounds::{Stored, keeps_going, measure};
use servers::{Postgres, Redis};
use sql::{HandPostgres, HandSqlite};
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::SqliteJournalMode;

/// Connections to PostgreSQL, and concurrent callers.
const CONNECTIONS: u32 = 4;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = env::args().collect();
    let after = |word: &str| {
        let place = arguments.iter().position(|argument| argument == word)?;
        arguments.get(place + 1).cloned()
    };
    // A second process, which runs the same steps until killed.
    if let Some(url) = after("postgres") {
        return keeps_going(Stored(postgres(&url, true).await.0), CONNECTIONS).await;
    }
    if let Some(path) = after("sqlite") {
        return keeps_going(Stored(sqlite(&path).await.0), 1).await;
    }
    if let Some(url) = after("redis") {
        return keeps_going(Stored(RedisStore::new(redis(&url).await)), CONNECTIONS).await;
    }
    println!("| | ratio | by hand | store |");
    println!("|---|---|---|---|");
    let names = ["SQLite", "PostgreSQL", "Redis"];
    let are_asked = arguments.iter().any(|argument| names.contains(&argument.as_str()));
    let is_asked = |name: &str| !are_asked || arguments.iter().any(|argument| argument == name);
    if is_asked("SQLite") {
        sqlite_rows().await;
    }
    if is_asked("PostgreSQL") {
        postgres_rows().await;
    }
    if is_asked("Redis") {
        redis_rows().await;
    }
}

async fn sqlite_rows() {
    let path = env::temp_dir().join(format!("resilience-bench-{}.db", process::id()));
    let path = path.to_str().unwrap().to_owned();
    let (store, by_hand) = sqlite(&path).await;
    measure("SQLite", &by_hand, &Stored(store.clone()), 1, 300).await;
    let mut other = start("sqlite", &path);
    measure("SQLite, two processes", &by_hand, &Stored(store), 1, 300).await;
    stop(&mut other);
    for end in ["", "-wal", "-shm"] {
        fs::remove_file(format!("{path}{end}")).ok();
    }
}

async fn postgres_rows() {
    let Some(server) = Postgres::start(&["synchronous_commit=on"]) else { return };
    let url = server.url();
    for (name, tested) in [("PostgreSQL", true), ("PostgreSQL, untested connections", false)] {
        let (store, by_hand) = postgres(&url, tested).await;
        measure(name, &by_hand, &Stored(store), CONNECTIONS, 400).await;
    }
    let (store, by_hand) = postgres(&url, true).await;
    let mut other = start("postgres", &url);
    measure("PostgreSQL, two processes", &by_hand, &Stored(store), CONNECTIONS, 400).await;
    stop(&mut other);
}

async fn redis_rows() {
    let Some(server) = Redis::start(&["--appendonly", "no"]) else { return };
    let url = server.url();
    let store = Stored(RedisStore::new(redis(&url).await));
    let by_hand = HandRedis::new(redis(&url).await);
    measure("Redis", &by_hand, &store, 1, 1000).await;
    measure("Redis, 32 at once", &by_hand, &store, 32, 4000).await;
    let mut other = start("redis", &url);
    measure("Redis, two processes", &by_hand, &store, CONNECTIONS, 2000).await;
    stop(&mut other);
}

async fn redis(url: &str) -> MultiplexedConnection {
    Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap()
}

async fn sqlite(path: &str) -> (SqliteStore, HandSqlite) {
    let store = SqliteStore::open(path).await.unwrap();
    // The pool has the same settings.
    let options = (*store.pool().connect_options()).clone().journal_mode(SqliteJournalMode::Wal);
    let pool = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1);
    let by_hand = HandSqlite(pool.connect_with(options).await.unwrap());
    by_hand.make_table().await;
    (store, by_hand)
}

async fn postgres(url: &str, tested: bool) -> (PostgresStore, HandPostgres) {
    let pool = PgPoolOptions::new().max_connections(CONNECTIONS).test_before_acquire(tested);
    let pool = pool.connect(url).await.unwrap();
    let store = PostgresStore::new(pool.clone());
    store.migrate().await.unwrap();
    let by_hand = HandPostgres(pool);
    by_hand.make_table().await;
    (store, by_hand)
}

fn start(what: &str, at: &str) -> Child {
    Command::new(env::current_exe().unwrap()).args([what, at]).spawn().unwrap()
}

fn stop(process: &mut Child) {
    process.kill().unwrap();
    process.wait().unwrap();
}
