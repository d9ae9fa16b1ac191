//! Errors of a real PostgreSQL server.

use std::time::Duration;

use resilience::stores::sqlx::classify;
use resilience::{FailureClass, retry};
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, Executor, PgConnection, PgPool};
use tokio::time::sleep;

use crate::servers::Postgres;
use crate::table::STATES;
use crate::{LOST, REFUSED, UNSENT, answer, coded};

async fn connect() -> Option<PgConnection> {
    let server = Postgres::shared()?;
    Some(PgConnection::connect(&server.url()).await.unwrap())
}

/// Returns two connections, and creates a table of this name with the rows 1 and 2.
async fn pair(table: &str) -> Option<(PgConnection, PgConnection)> {
    let (mut first, second) = (connect().await?, connect().await?);
    let sql = format!("CREATE TABLE {table} AS SELECT n, 0 AS v FROM generate_series(1, 2) AS n");
    run(&mut first, &sql).await.unwrap();
    Some((first, second))
}

async fn run(connection: &mut PgConnection, sql: &str) -> sqlx::Result<()> {
    connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(sql))).await.map(drop)
}

#[tokio::test]
async fn every_sqlstate_of_the_table() {
    let Some(mut connection) = connect().await else { return };
    for (state, class) in STATES {
        let sql = format!("DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$");
        // A warning to the author of the client, not an error: class 01 belongs to success.
        if !state.starts_with("00") {
            assert_eq!(answer(run(&mut connection, &sql).await), coded(state, class));
        }
    }
}

#[tokio::test]
async fn a_conflict_of_serializable_transactions() {
    let Some((mut first, mut second)) = pair("serializable").await else { return };
    for connection in [&mut first, &mut second] {
        let sql = "BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT sum(v) FROM serializable";
        run(connection, sql).await.unwrap();
    }
    run(&mut first, "UPDATE serializable SET v = 1 WHERE n = 1; COMMIT").await.unwrap();
    let update = run(&mut second, "UPDATE serializable SET v = 1 WHERE n = 1").await;
    assert_eq!(answer(update), coded("40001", REFUSED));
}

#[tokio::test]
async fn a_deadlock() {
    let Some((mut first, mut second)) = pair("deadlock").await else { return };
    for (connection, row) in [(&mut first, 1), (&mut second, 2)] {
        let sql =
            format!("SET deadlock_timeout = 10; BEGIN; UPDATE deadlock SET v = 1 WHERE n = {row}");
        run(connection, &sql).await.unwrap();
    }
    let cross = async |connection: &mut PgConnection, row: u32| {
        let result = run(connection, &format!("UPDATE deadlock SET v = 2 WHERE n = {row}")).await;
        run(connection, "ROLLBACK").await.unwrap();
        result
    };
    let (one, other) = tokio::join!(cross(&mut first, 2), cross(&mut second, 1));
    assert!(one.is_ok() != other.is_ok());
    assert_eq!(answer(one.and(other)), coded("40P01", REFUSED));
}

#[tokio::test]
async fn a_statement_timeout() {
    let Some(mut connection) = connect().await else { return };
    run(&mut connection, "SET statement_timeout = 5").await.unwrap();
    let slept = run(&mut connection, "SELECT pg_sleep(20)").await;
    assert_eq!(answer(slept), coded("57014", REFUSED));
}

#[tokio::test]
async fn a_lock_timeout() {
    let Some((mut first, mut second)) = pair("locked").await else { return };
    run(&mut first, "BEGIN; SELECT * FROM locked FOR UPDATE").await.unwrap();
    let nowait = run(&mut second, "SELECT * FROM locked FOR UPDATE NOWAIT").await;
    assert_eq!(answer(nowait), coded("55P03", REFUSED));
    run(&mut second, "SET lock_timeout = 5").await.unwrap();
    let waited = run(&mut second, "UPDATE locked SET v = 1").await;
    assert_eq!(answer(waited), coded("55P03", REFUSED));
}

#[tokio::test]
async fn a_terminated_connection() {
    let Some((mut first, mut second)) = pair("terminated").await else { return };
    let id: i32 =
        sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut first).await.unwrap();
    let sql = format!("SELECT pg_terminate_backend({id}, 20000)");
    run(&mut second, &sql).await.unwrap();
    let update = run(&mut first, "UPDATE terminated SET v = 1").await;
    assert_eq!(answer(update), coded("57P01", LOST));
}

#[tokio::test]
async fn a_replica_cannot_write() {
    let Some((mut first, _)) = pair("replica").await else { return };
    let sql = "BEGIN READ ONLY; INSERT INTO replica VALUES (3)";
    assert_eq!(answer(run(&mut first, sql).await), coded("25006", REFUSED));
}

#[tokio::test]
async fn a_unique_violation() {
    let Some((mut first, _)) = pair("unique_rows").await else { return };
    run(&mut first, "CREATE UNIQUE INDEX ON unique_rows (n)").await.unwrap();
    let again = run(&mut first, "INSERT INTO unique_rows VALUES (1)").await;
    assert_eq!(answer(again), coded("23505", FailureClass::permanent()));
}

#[tokio::test]
async fn an_exhausted_pool() {
    let Some(server) = Postgres::shared() else { return };
    let options =
        PgPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_millis(20));
    let pool = options.connect_lazy(&server.url()).unwrap();
    // Only the first connection is awaited, however slow.
    let connection = loop {
        if let Ok(connection) = pool.acquire().await {
            break connection;
        }
    };
    let error = pool.acquire().await.unwrap_err();
    assert!(matches!(error, sqlx::Error::PoolTimedOut), "{error:?}");
    assert_eq!(classify(&error), UNSENT);
    drop(connection);
}

/// Increments the row in a transaction that conflicts with every concurrent increment.
#[retry(attempts = 200, base_delay = "1ms", max_delay = "20ms", idempotent = false, on = classify)]
async fn add(pool: &PgPool) -> sqlx::Result<()> {
    let mut transaction = pool.begin().await?;
    transaction.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE").await?;
    let v: i32 = sqlx::query_scalar("SELECT v FROM added").fetch_one(&mut *transaction).await?;
    // Gives the concurrent transactions time to conflict.
    sleep(Duration::from_millis(1)).await;
    sqlx::query("UPDATE added SET v = $1").bind(v + 1).execute(&mut *transaction).await?;
    transaction.commit().await
}

#[tokio::test]
async fn whole_transactions_are_retried_until_committed() {
    let Some(server) = Postgres::shared() else { return };
    let pool = PgPoolOptions::new().max_connections(4).connect(&server.url()).await.unwrap();
    pool.execute("CREATE TABLE added AS SELECT 0 AS v").await.unwrap();
    let adding: Vec<_> = (0..8)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move { add(&pool).await })
        })
        .collect();
    for added in adding {
        added.await.unwrap().unwrap();
    }
    let v: i32 = sqlx::query_scalar("SELECT v FROM added").fetch_one(&pool).await.unwrap();
    assert_eq!(v, 8);
}
