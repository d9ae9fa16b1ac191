//! `redis` 0.32, with the feature `redis-032`.

use std::error::Error;

use redis_032::{Client, Commands, ErrorKind, RedisError};
use resilience::FailureClass;
use resilience::stores::classify_chain;
use resilience::stores::redis::classify;

use super::fake_server::server;
use super::{LOST, UNSENT};
use crate::servers::{Redis, Signal, free_port};

const PERMANENT: FailureClass = FailureClass::permanent();

fn error_of(answer: &'static [&'static str]) -> RedisError {
    let mut connection = Client::open(server(answer)).unwrap().get_connection().unwrap();
    connection.set::<_, _, ()>("key", 1).unwrap_err()
}

#[test]
fn replies_of_a_server() {
    for (answer, class) in [
        // The client does not tell a pipeline from a single command.
        (&["-TRYAGAIN Multiple keys request during rehashing of slot"], LOST),
        (&["-LOADING Redis is loading the dataset in memory"], LOST),
        (&["-MOVED 3999 127.0.0.1:6381"], LOST),
        (&["-READONLY You can't write against a read only replica."], LOST),
        (&["-NOREPLICAS Not enough good replicas to write."], LOST),
        (&["-BUSY Redis is busy running a script."], LOST),
        (&["-ERR unknown command"], PERMANENT),
        (&["-WRONGTYPE Operation against a key"], PERMANENT),
    ] {
        assert_eq!(classify(&error_of(answer)), class, "{answer:?}");
    }
    assert_eq!(classify(&RedisError::from((ErrorKind::TypeError, "no number"))), PERMANENT);
}

#[test]
fn a_server_that_is_gone() {
    let Some(server) = Redis::start(&[]) else { return };
    let client = Client::open(server.url()).unwrap();
    let mut connection = client.get_connection().unwrap();
    connection.set::<_, _, ()>("key", 1).unwrap();
    server.stop(Signal::Kill);
    assert_eq!(classify(&connection.set::<_, _, ()>("key", 2).unwrap_err()), LOST);
    let refused = Client::open(Redis::url_at(free_port())).unwrap().get_connection().err().unwrap();
    assert_eq!(classify(&refused), UNSENT);
    let boxed: Box<dyn Error + Send + Sync> = refused.into();
    assert_eq!(classify_chain(&*boxed), UNSENT);
}
