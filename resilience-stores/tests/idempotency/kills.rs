//! Claim, side effect and completion in one transaction, while the process or the server
//! connection is killed in the middle: every charge happens exactly once.
//!
//! `RESILIENCE_KILLS` sets the number of kills; CI uses 1000.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use resilience::stores::{PostgresStore, SqliteStore};
use resilience::{Rejected, idempotent};
use sqlx::{Connection, PgConnection, PgPool, SqliteConnection, SqlitePool};

use crate::folder::Folder;
use crate::servers::Postgres as Server;

const KEY: &str = "RESILIENCE_CHILD_KEY";
const PHASE: &str = "RESILIENCE_CHILD_PHASE";
const DATABASE: &str = "RESILIENCE_CHILD_DATABASE";

/// The phases of a call where a kill may happen: claim, side effect, outcome, and before and
/// during the commit.
const PHASES: [&str; 5] = ["claimed", "done", "completed", "committing", "committed"];

fn kills() -> usize {
    env::var("RESILIENCE_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(40)
}

#[derive(Debug)]
#[expect(dead_code, reason = "shown when a test fails")]
enum Failed {
    Rejected(Rejected),
    Database(sqlx::Error),
}

impl From<Rejected> for Failed {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

impl From<sqlx::Error> for Failed {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

/// In a child, reports the phase to the parent and waits to be killed.
fn phase(here: &str) {
    let Ok(wanted) = env::var(PHASE) else { return };
    if wanted == here {
        tell(here);
        // Only a signal ends the wait.
        loop {
            std::thread::park();
        }
    }
    // The kill interrupts the commit at an arbitrary point.
    if wanted == "committing" && here == "completed" {
        tell(here);
    }
}

fn tell(here: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\nphase {here}").and_then(|()| out.flush()).unwrap();
}

#[idempotent(name = "charge", key = key, scope = "global", store = store, transaction = tx)]
async fn charge_postgres(
    tx: &mut PgConnection,
    store: &PostgresStore,
    key: &str,
) -> Result<i64, Failed> {
    phase("claimed");
    sqlx::query("INSERT INTO killed VALUES ($1)").bind(key).execute(&mut *tx).await?;
    phase("done");
    Ok(7)
}

#[idempotent(name = "charge", key = key, scope = "global", store = store, transaction = tx)]
async fn charge_sqlite(
    tx: &mut SqliteConnection,
    store: &SqliteStore,
    key: &str,
) -> Result<i64, Failed> {
    phase("claimed");
    sqlx::query("INSERT INTO killed VALUES ($1)").bind(key).execute(&mut *tx).await?;
    phase("done");
    Ok(7)
}

async fn on_postgres(pool: &PgPool, key: &str) -> Result<i64, Failed> {
    let store = PostgresStore::new(pool.clone());
    let mut tx = pool.begin().await?;
    let done = charge_postgres(&mut tx, &store, key).await?;
    phase("completed");
    tx.commit().await?;
    phase("committed");
    Ok(done)
}

async fn on_sqlite(store: &SqliteStore, key: &str) -> Result<i64, Failed> {
    let mut tx = store.pool().begin_with("BEGIN IMMEDIATE").await?;
    let done = charge_sqlite(&mut tx, store, key).await?;
    phase("completed");
    tx.commit().await?;
    phase("committed");
    Ok(done)
}

/// The role of a child: one charge. In the parent, the test does nothing.
#[tokio::test]
async fn child() {
    let (Ok(key), Ok(database)) = (env::var(KEY), env::var(DATABASE)) else { return };
    let done = if database.starts_with("postgres:") {
        let pool = PgPool::connect(&database).await.unwrap();
        on_postgres(&pool, &key).await
    } else {
        let store = SqliteStore::open(Path::new(&database)).await.unwrap();
        on_sqlite(&store, &key).await
    };
    done.unwrap();
}

/// Starts a child that makes one charge, and kills the child in the phase.
fn kill_at(phase: &str, key: &str, database: &str) {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["kills::child", "--exact", "--nocapture"])
        .env(KEY, key)
        .env(PHASE, phase)
        .env(DATABASE, database)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let met = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .any(|line| line.unwrap().starts_with("phase "));
    assert!(met, "the child never came to {phase}");
    end(&mut child);
}

fn end(child: &mut Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test]
async fn processes_on_postgres() {
    let Some(server) = Server::shared() else { return };
    let pool = PgPool::connect(&server.url()).await.unwrap();
    PostgresStore::new(pool.clone()).migrate().await.unwrap();
    let table = "CREATE TABLE IF NOT EXISTS killed (key text)";
    sqlx::query(table).execute(&pool).await.ok();
    let url = server.url();
    let keys: Vec<String> = (0..kills()).map(|kill| format!("pg-{kill}")).collect();
    for (kill, key) in keys.iter().enumerate() {
        let phase = PHASES[kill % PHASES.len()];
        let (key, url) = (key.clone(), url.clone());
        tokio::task::spawn_blocking(move || kill_at(phase, &key, &url)).await.unwrap();
    }
    for key in &keys {
        assert_eq!(on_postgres(&pool, key).await.unwrap(), 7, "{key}");
    }
    let charges: Vec<(String, i64)> = sqlx::query_as(
        "SELECT key, count(*) FROM killed WHERE key LIKE 'pg-%' GROUP BY key ORDER BY key",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(charges.len(), keys.len(), "a charge was lost");
    assert!(charges.iter().all(|(_, times)| *times == 1), "{charges:?}");
}

#[tokio::test]
async fn processes_on_sqlite() {
    let folder = Folder::new();
    let database: PathBuf = folder.database();
    let store = SqliteStore::open(&database).await.unwrap();
    sqlx::query("CREATE TABLE killed (key TEXT)").execute(store.pool()).await.unwrap();
    let keys: Vec<String> = (0..kills()).map(|kill| format!("lite-{kill}")).collect();
    for (kill, key) in keys.iter().enumerate() {
        let phase = PHASES[kill % PHASES.len()];
        let (key, path) = (key.clone(), database.display().to_string());
        tokio::task::spawn_blocking(move || kill_at(phase, &key, &path)).await.unwrap();
    }
    for key in &keys {
        assert_eq!(on_sqlite(&store, key).await.unwrap(), 7, "{key}");
    }
    let charges = counted(store.pool()).await;
    assert_eq!(charges.len(), keys.len(), "a charge was lost");
    assert!(charges.iter().all(|(_, times)| *times == 1), "{charges:?}");
}

async fn counted(pool: &SqlitePool) -> Vec<(String, i64)> {
    let count = "SELECT key, count(*) FROM killed GROUP BY key ORDER BY key";
    sqlx::query_as(count).fetch_all(pool).await.unwrap()
}

/// The server side of the connection: the backend process of this client.
#[tokio::test]
async fn backends_of_postgres() {
    let Some(server) = Server::shared() else { return };
    let pool = PgPool::connect(&server.url()).await.unwrap();
    let store = PostgresStore::new(pool.clone());
    store.migrate().await.unwrap();
    let table = "CREATE TABLE IF NOT EXISTS killed (key text)";
    sqlx::query(table).execute(&pool).await.ok();
    let mut lost = 0;
    let keys: Vec<String> = (0..kills()).map(|kill| format!("backend-{kill}")).collect();
    for (kill, key) in keys.iter().enumerate() {
        let mut connection = PgConnection::connect(&server.url()).await.unwrap();
        let id: i32 =
            sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut connection).await.unwrap();
        let end = || sqlx::query("SELECT pg_terminate_backend($1)").bind(id).execute(&pool);
        let once = async {
            let mut tx = connection.begin().await?;
            if kill % 3 == 0 {
                end().await?;
            }
            charge_postgres(&mut tx, &store, key).await?;
            if kill % 3 == 1 {
                end().await?;
            }
            // The call and the kill race.
            let (committed, ended) = futures::join!(tx.commit(), end());
            ended?;
            committed?;
            Ok::<(), Failed>(())
        };
        lost += usize::from(once.await.is_err());
    }
    for key in &keys {
        assert_eq!(on_postgres(&pool, key).await.unwrap(), 7, "{key}");
    }
    assert!(lost >= keys.len() / 2, "only {lost} of {} were met in the middle", keys.len());
    let charges: Vec<(String, i64)> = sqlx::query_as(
        "SELECT key, count(*) FROM killed WHERE key LIKE 'backend-%' GROUP BY key ORDER BY key",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(charges.len(), keys.len(), "a charge was lost");
    assert!(charges.iter().all(|(_, times)| *times == 1), "{charges:?}");
}
