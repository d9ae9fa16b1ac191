//! A PostgreSQL server that is unreachable, full, stopped, or silent.

use resilience::stores::sqlx::classify;
use sqlx::{Connection, Executor, PgConnection};

use crate::servers::{Postgres, Proxy, Signal, free_port, until};
use crate::{LOST, UNSENT, answer, coded};

async fn connect(server: &Postgres) -> sqlx::Result<PgConnection> {
    PgConnection::connect(&server.url()).await
}

#[tokio::test]
async fn connection_refused() {
    let error = PgConnection::connect(&Postgres::url_at(free_port())).await.unwrap_err();
    assert_eq!(classify(&error), UNSENT, "{error:?}");
    let nowhere = "postgres://postgres@localhost/postgres?host=/nowhere";
    let error = PgConnection::connect(nowhere).await.unwrap_err();
    assert_eq!(classify(&error), UNSENT, "{error:?}");
}

#[tokio::test]
async fn too_many_connections() {
    let Some(server) = Postgres::start(&["max_connections=4"]) else { return };
    let mut connections = Vec::new();
    for _ in 0..4 {
        connections.push(connect(&server).await.unwrap());
    }
    assert_eq!(answer(connect(&server).await), coded("53300", UNSENT));
}

#[tokio::test]
async fn the_server_shuts_down() {
    let Some(server) = Postgres::start(&[]) else { return };
    let mut last = connect(&server).await.unwrap();
    // The server waits for the last client and accepts no new clients.
    server.signal(Signal::Term);
    let rejected = loop {
        match connect(&server).await {
            Ok(_) => (),
            rejected => break rejected,
        }
    };
    assert_eq!(answer(rejected), coded("57P03", UNSENT));
    last.execute("SELECT 1").await.unwrap();
    // The server no longer waits.
    server.stop(Signal::Int);
    assert_eq!(answer(last.execute("SELECT 1").await), coded("57P01", LOST));
}

#[tokio::test]
async fn the_server_is_killed() {
    let Some(server) = Postgres::start(&[]) else { return };
    let mut connection = connect(&server).await.unwrap();
    let asking = tokio::spawn(async move { connection.execute("SELECT pg_sleep(20)").await });
    let mut second = connect(&server).await.unwrap();
    let sleeping = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'";
    while sqlx::query_scalar::<_, i64>(sleeping).fetch_one(&mut second).await.unwrap() == 0 {}
    server.stop(Signal::Kill);
    for error in [asking.await.unwrap().unwrap_err(), second.execute("SELECT 1").await.unwrap_err()]
    {
        assert_eq!(classify(&error), LOST, "{error:?}");
    }
    assert_eq!(classify(&connect(&server).await.unwrap_err()), UNSENT);
    server.start_again();
    connect(&server).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_without_an_answer_may_have_been_executed() {
    let Some(server) = Postgres::shared() else { return };
    let mut direct = connect(server).await.unwrap();
    direct.execute("CREATE TABLE committed (n int)").await.unwrap();
    let proxy = Proxy::to(server.port());
    let mut through = PgConnection::connect(&Postgres::url_at(proxy.port())).await.unwrap();
    let mut transaction = through.begin().await.unwrap();
    transaction.execute("INSERT INTO committed VALUES (1)").await.unwrap();
    proxy.swallow();
    let (committed, ()) = tokio::join!(transaction.commit(), async {
        tokio::task::spawn_blocking(move || {
            until("the lost answer", || proxy.swallowed() > 0);
            proxy.cut();
        })
        .await
        .unwrap();
    });
    let error = committed.unwrap_err();
    assert_eq!(classify(&error), LOST, "{error:?}");
    let rows: i64 =
        sqlx::query_scalar("SELECT count(*) FROM committed").fetch_one(&mut direct).await.unwrap();
    assert_eq!(rows, 1);
}
