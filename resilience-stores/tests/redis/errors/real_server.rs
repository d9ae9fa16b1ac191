//! A real Redis server that is unreachable, slow, or stopped.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, AsyncConnectionConfig, Client, Commands, Connection, RedisResult};
use resilience::retry;
use resilience::stores::redis::classify;

use super::{LOST, REFUSED, UNSENT};
use crate::servers::{Proxy, Redis, Signal, free_port, until};

fn connect(url: String) -> RedisResult<Connection> {
    Client::open(url)?.get_connection()
}

async fn connect_async(url: String) -> RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new().set_response_timeout(Some(Duration::from_millis(50)));
    Client::open(url)?.get_multiplexed_async_connection_with_config(&config).await
}

#[tokio::test]
async fn connection_refused() {
    let url = Redis::url_at(free_port());
    assert_eq!(classify(&connect(url.clone()).err().unwrap()), UNSENT);
    assert_eq!(classify(&connect_async(url).await.err().unwrap()), UNSENT);
    assert_eq!(classify(&connect("redis+unix:///nowhere".into()).err().unwrap()), UNSENT);
}

#[tokio::test]
async fn a_response_timeout() {
    let Some(server) = Redis::start(&[]) else { return };
    let (mut sync, mut later) =
        (connect(server.url()).unwrap(), connect_async(server.url()).await.unwrap());
    let pause = redis::cmd("CLIENT").arg("PAUSE").arg(60_000).arg("WRITE").to_owned();
    pause.exec(&mut sync).unwrap();
    sync.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let error = sync.set::<_, _, ()>("key", 1).unwrap_err();
    assert!(error.is_timeout() && classify(&error) == LOST, "{error}");
    let error = later.set::<_, _, ()>("key", 1).await.unwrap_err();
    assert!(error.is_timeout() && classify(&error) == LOST, "{error}");
}

#[tokio::test]
async fn a_killed_server() {
    let Some(server) = Redis::start(&[]) else { return };
    let (mut sync, mut later) =
        (connect(server.url()).unwrap(), connect_async(server.url()).await.unwrap());
    server.stop(Signal::Kill);
    let error = sync.set::<_, _, ()>("key", 1).unwrap_err();
    assert_eq!(classify(&error), LOST, "{error}");
    let error = later.set::<_, _, ()>("key", 1).await.unwrap_err();
    assert_eq!(classify(&error), LOST, "{error}");
    assert_eq!(classify(&connect(server.url()).err().unwrap()), UNSENT);
    server.start_again();
    connect(server.url()).unwrap();
}

#[test]
fn a_replica_without_a_primary() {
    let Some(server) = Redis::start(&["--replica-serve-stale-data", "no"]) else { return };
    let mut connection = connect(server.url()).unwrap();
    redis::cmd("REPLICAOF").arg("127.0.0.1").arg(free_port()).exec(&mut connection).unwrap();
    let read = connection.get::<_, Option<i64>>("key").unwrap_err();
    assert_eq!((read.code(), classify(&read)), (Some("MASTERDOWN"), REFUSED));
    redis::cmd("CONFIG")
        .arg(&["SET", "replica-serve-stale-data", "yes"])
        .exec(&mut connection)
        .unwrap();
    let write = connection.set::<_, _, ()>("key", 1).unwrap_err();
    assert_eq!((write.code(), classify(&write)), (Some("READONLY"), REFUSED));
}

#[test]
fn a_command_without_an_answer_may_have_been_executed() {
    let Some(server) = Redis::shared() else { return };
    let proxy = Proxy::to(server.port());
    let mut through = connect(Redis::url_at(proxy.port())).unwrap();
    proxy.swallow();
    let error = std::thread::scope(|scope| {
        scope.spawn(|| {
            until("the lost answer", || proxy.swallowed() > 0);
            proxy.cut();
        });
        through.incr::<_, _, i64>("executed", 1).unwrap_err()
    });
    assert_eq!(classify(&error), LOST, "{error}");
    let executed: i64 = connect(server.url()).unwrap().get("executed").unwrap();
    assert_eq!(executed, 1);
}

/// Not idempotent: only commands that were certainly not executed are retried.
#[retry(attempts = 3, base_delay = "1ms", idempotent = false, on = classify)]
async fn count(url: &str, calls: &mut u32, server: &Redis) -> RedisResult<i64> {
    *calls += 1;
    if *calls == 2 {
        server.start_again();
    }
    connect_async(url.to_owned()).await?.incr("counted", 1).await
}

#[tokio::test]
async fn a_retry_reaches_the_restarted_server() {
    let Some(server) = Redis::start(&[]) else { return };
    server.stop(Signal::Term);
    let mut calls = 0;
    assert_eq!(count(&server.url(), &mut calls, &server).await, Ok(1));
    assert_eq!(calls, 2);
}
