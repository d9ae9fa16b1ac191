//! Errors of a real SQLite database.

use std::path::PathBuf;
use std::time::Duration;
use std::{env, fs, process};

use resilience::retry;
use resilience::stores::sqlx::classify;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions, Connection, Executor, SqliteConnection};

use crate::{REFUSED, answer, coded};

/// A database in a directory that is removed on drop.
struct Database(PathBuf);

impl Database {
    async fn create(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("resilience-{name}-{}", process::id()));
        fs::create_dir(&folder).unwrap();
        let database = Self(folder);
        let options = database.options().create_if_missing(true);
        let mut connection = options.journal_mode(SqliteJournalMode::Wal).connect().await.unwrap();
        connection.execute("CREATE TABLE t (n INTEGER)").await.unwrap();
        // An explicit close, because a dropped connection is still busy when the next connection
        // opens.
        connection.close().await.unwrap();
        database
    }

    /// Returns options without a busy timeout.
    fn options(&self) -> SqliteConnectOptions {
        SqliteConnectOptions::new().filename(self.0.join("db")).busy_timeout(Duration::ZERO)
    }

    async fn connect(&self) -> SqliteConnection {
        self.options().connect().await.unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn busy() {
    let database = Database::create("busy").await;
    let (mut first, mut second) = (database.connect().await, database.connect().await);
    first.execute("BEGIN IMMEDIATE").await.unwrap();
    assert_eq!(answer(second.execute("BEGIN IMMEDIATE").await), coded("5", REFUSED));
    assert_eq!(answer(second.execute("INSERT INTO t VALUES (1)").await), coded("5", REFUSED));
}

#[tokio::test]
async fn a_stale_snapshot() {
    let database = Database::create("snapshot").await;
    let (mut first, mut second) = (database.connect().await, database.connect().await);
    first.execute("BEGIN").await.unwrap();
    first.fetch_all("SELECT * FROM t").await.unwrap();
    second.execute("INSERT INTO t VALUES (1)").await.unwrap();
    assert_eq!(answer(first.execute("INSERT INTO t VALUES (2)").await), coded("517", REFUSED));
    // Waiting does not help: the transaction has to start again.
    assert_eq!(answer(first.execute("INSERT INTO t VALUES (2)").await), coded("517", REFUSED));
    first.execute("ROLLBACK; BEGIN; INSERT INTO t VALUES (2); COMMIT").await.unwrap();
}

#[tokio::test]
async fn locked() {
    let name = format!("file:resilience-locked-{}?mode=memory&cache=shared", process::id());
    let options: SqliteConnectOptions = format!("sqlite:{name}").parse().unwrap();
    let (mut first, mut second) =
        (options.connect().await.unwrap(), options.connect().await.unwrap());
    first.execute("CREATE TABLE a (n); CREATE TABLE b (n)").await.unwrap();
    first.execute("BEGIN; INSERT INTO a VALUES (1)").await.unwrap();
    second.execute("BEGIN; SELECT * FROM b").await.unwrap();
    // Each connection waits for the table of the other. SQLite reports the deadlock to the second
    // connection.
    let (one, other) = tokio::join!(
        async {
            let result = first.execute("INSERT INTO b VALUES (1)").await;
            first.execute("ROLLBACK").await.unwrap();
            result.map(drop)
        },
        async {
            let result = second.fetch_all("SELECT * FROM a").await;
            second.execute("ROLLBACK").await.unwrap();
            result.map(drop)
        },
    );
    let victim = if one.is_err() { one } else { other };
    let (code, class) = answer(victim);
    assert!(["6", "262"].contains(&code.as_str()), "{code}");
    assert_eq!(class, REFUSED);
}

#[tokio::test]
async fn a_retry_succeeds_after_the_other_transaction() {
    #[retry(attempts = 2, base_delay = "1ms", idempotent = false, on = classify)]
    async fn insert(mine: &mut SqliteConnection, other: &mut SqliteConnection) -> sqlx::Result<()> {
        let result = mine.execute("INSERT INTO t VALUES (1)").await;
        // The first attempt. The second attempt has nothing to commit.
        let _ = other.execute("COMMIT").await;
        result.map(drop)
    }
    let database = Database::create("retry").await;
    let (mut first, mut second) = (database.connect().await, database.connect().await);
    first.execute("BEGIN IMMEDIATE").await.unwrap();
    insert(&mut second, &mut first).await.unwrap();
}

#[tokio::test]
async fn a_constraint_violation_is_permanent() {
    let database = Database::create("rule").await;
    let mut connection = database.connect().await;
    connection.execute("CREATE UNIQUE INDEX only ON t (n)").await.unwrap();
    connection.execute("INSERT INTO t VALUES (1)").await.unwrap();
    let again = answer(connection.execute("INSERT INTO t VALUES (1)").await);
    assert_eq!(again, coded("2067", resilience::FailureClass::permanent()));
}
