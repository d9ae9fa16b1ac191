//! Tests of the test servers and the proxy.

#![allow(clippy::incompatible_msrv, reason = "the databases need a later version of Rust")]
#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

#[path = "../servers/mod.rs"]
mod servers;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, thread};

use redis::Commands;
use servers::{Postgres, Proxy, Redis, Signal, is_running, until};
use sqlx::{Connection, PgConnection};

#[tokio::test]
async fn postgres_data_survives_a_restart() {
    let Some(server) = Postgres::start(&["max_connections=7"]) else { return };
    let mut connection = PgConnection::connect(&server.url()).await.unwrap();
    let limit: String =
        sqlx::query_scalar("SHOW max_connections").fetch_one(&mut connection).await.unwrap();
    assert_eq!(limit, "7");
    sqlx::raw_sql("CREATE TABLE kept (n int)").execute(&mut connection).await.unwrap();
    for (stops, signal) in [Signal::Kill, Signal::Int, Signal::Quit].into_iter().enumerate() {
        sqlx::raw_sql("INSERT INTO kept VALUES (1)").execute(&mut connection).await.unwrap();
        let id = server.id();
        server.restart(signal);
        assert!(!is_running(&id) && is_running(&server.id()));
        connection = PgConnection::connect(&server.url()).await.unwrap();
        let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM kept")
            .fetch_one(&mut connection)
            .await
            .unwrap();
        assert_eq!(usize::try_from(kept), Ok(stops + 1), "{signal:?}");
    }
}

#[test]
fn redis_data_survives_a_restart() {
    let Some(server) = Redis::start(&["--databases", "3"]) else { return };
    let connect = || redis::Client::open(server.url()).unwrap().get_connection().unwrap();
    for (stops, signal) in [Signal::Kill, Signal::Term].into_iter().enumerate() {
        let counted: usize = connect().incr("stops", 1).unwrap();
        assert_eq!(counted, stops + 1, "{signal:?}");
        let id = server.id();
        server.stop(signal);
        assert!(!is_running(&id));
        assert!(TcpStream::connect(("127.0.0.1", server.port())).is_err());
        server.start_again();
    }
    let databases: (String, String) =
        redis::cmd("CONFIG").arg("GET").arg("databases").query(&mut connect()).unwrap();
    assert_eq!(databases.1, "3");
}

#[test]
fn a_paused_server_resumes() {
    let Some(server) = Redis::start(&[]) else { return };
    let mut connection = redis::Client::open(server.url()).unwrap().get_connection().unwrap();
    connection.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    server.signal(Signal::Stop);
    assert!(connection.incr::<_, _, i64>("n", 1).unwrap_err().is_timeout());
    server.signal(Signal::Cont);
    let mut connection = redis::Client::open(server.url()).unwrap().get_connection().unwrap();
    until("the first command", || connection.get::<_, Option<i64>>("n").unwrap() == Some(1));
}

#[test]
fn a_server_ends_with_a_panicking_test() {
    let Some(server) = Redis::start(&[]) else { return };
    let (id, directory) = (server.id(), server.directory().to_owned());
    assert!(is_running(&id) && directory.exists());
    let panicked = catch_unwind(AssertUnwindSafe(move || {
        let _held = server;
        std::panic::resume_unwind(Box::new(()));
    }));
    assert!(panicked.is_err() && !is_running(&id) && !directory.exists());
}

#[test]
fn a_server_ends_with_the_process() {
    const IS_THE_PROCESS: &str = "RESILIENCE_TEST_ENDS";
    if env::var_os(IS_THE_PROCESS).is_some() {
        for (id, directory) in [
            Postgres::shared().map(|server| (server.id(), server.directory())),
            Redis::shared().map(|server| (server.id(), server.directory())),
        ]
        .into_iter()
        .flatten()
        {
            writeln!(std::io::stdout(), "started {id} {}", directory.display()).unwrap();
        }
        std::process::abort();
    }
    let test = ["a_server_ends_with_the_process", "--exact", "--nocapture"];
    let mut process = Command::new(env::current_exe().unwrap());
    let output = process.args(test).env(IS_THE_PROCESS, "").output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let started = printed.lines().filter_map(|line| line.split_once("started ")?.1.split_once(' '));
    let started: Vec<(&str, &str)> = started.collect();
    let installed =
        usize::from(Postgres::shared().is_some()) + usize::from(Redis::shared().is_some());
    assert_eq!(started.len(), installed, "{printed}");
    for (id, directory) in started {
        until("the end of a server", || !is_running(id));
        until("the end of its data", || !Path::new(directory).exists());
    }
}

/// Starts a server that echoes every byte immediately.
fn echo() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let mut answers = stream.try_clone().unwrap();
                std::io::copy(&mut &stream, &mut answers)
            });
        }
    });
    port
}

fn connect(proxy: &Proxy) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

fn ask(stream: &mut TcpStream, word: [u8; 4]) -> std::io::Result<[u8; 4]> {
    let mut answer = [0; 4];
    stream.write_all(&word)?;
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

#[test]
fn a_proxy_delays() {
    let proxy = Proxy::to(echo());
    let mut stream = connect(&proxy);
    assert_eq!(ask(&mut stream, *b"fast").unwrap(), *b"fast");
    proxy.delay(Duration::from_millis(30));
    let start = Instant::now();
    assert_eq!(ask(&mut stream, *b"slow").unwrap(), *b"slow");
    assert!(start.elapsed() >= Duration::from_millis(30));
}

#[test]
fn a_proxy_swallows_answers_and_cuts_connections() {
    let proxy = Proxy::to(echo());
    let mut stream = connect(&proxy);
    proxy.swallow();
    stream.write_all(b"lost").unwrap();
    until("the lost answer", || proxy.swallowed() == 4);
    proxy.pass();
    assert_eq!(ask(&mut stream, *b"here").unwrap(), *b"here");
    proxy.cut();
    assert!(ask(&mut stream, *b"cut!").is_err());
    // New connections pass.
    assert_eq!(ask(&mut connect(&proxy), *b"then").unwrap(), *b"then");
}

#[test]
fn a_proxy_without_a_server_closes_connections() {
    let proxy = Proxy::to(servers::free_port());
    assert!(ask(&mut connect(&proxy), *b"none").is_err());
}
