//! Errors of MySQL, from a server that greets with an error.

use std::io::Write;
use std::net::TcpListener;
use std::thread;

use resilience::stores::sqlx::classify;
use resilience::{FailureClass, FailureKind};
use sqlx::mysql::MySqlDatabaseError;
use sqlx::{Connection, MySqlConnection};

use crate::{LOST, REFUSED, UNSENT};

/// Returns the error of a connection that the server rejects with this number and SQLSTATE.
async fn rejected_connection(number: u16, state: &str) -> sqlx::Error {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("mysql://root@{}/test", listener.local_addr().unwrap());
    let mut body = vec![0xff];
    body.extend(number.to_le_bytes());
    body.extend(format!("#{state}no").bytes());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let length = u8::try_from(body.len()).unwrap();
        stream.write_all(&[&[length, 0, 0, 0], body.as_slice()].concat()).unwrap();
        stream
    });
    let error = MySqlConnection::connect(&url).await.unwrap_err();
    drop(server.join());
    let database = error.as_database_error().unwrap_or_else(|| panic!("{error:?}"));
    let sent = database.downcast_ref::<MySqlDatabaseError>();
    assert_eq!((sent.number(), sent.code()), (number, Some(state)));
    error
}

#[tokio::test]
async fn transient_numbers_and_states() {
    for (number, state, class) in [
        (1213, "40001", REFUSED), // deadlock
        (1213, "HY000", REFUSED),
        (1205, "HY000", REFUSED), // waited for a lock
        (3572, "HY000", REFUSED), // a lock with `NOWAIT`
        (1317, "70100", REFUSED), // the statement was interrupted
        (3024, "HY000", REFUSED), // the time limit of the statement
        (1969, "70100", REFUSED), // the same in MariaDB
        (1290, "HY000", REFUSED), // read-only after a failover
        (1836, "HY000", REFUSED),
        (1203, "42000", UNSENT), // too many connections of the user
        (4031, "HY000", LOST),   // closed while idle
        (1927, "70100", LOST),   // the connection was killed
        (1053, "08S01", LOST),   // the server shuts down
        (2006, "HY000", LOST),
        (2013, "HY000", LOST),
        (1040, "08004", UNSENT), // too many connections
    ] {
        assert_eq!(classify(&rejected_connection(number, state).await), class, "{number}, {state}");
    }
}

#[tokio::test]
async fn unknown_numbers_are_permanent() {
    for (number, state) in [(1062, "23000"), (1045, "28000"), (1105, "HY000")] {
        let class = classify(&rejected_connection(number, state).await);
        assert_eq!(class.kind, FailureKind::Permanent, "{number}, {state}");
        assert_eq!(class, FailureClass::permanent());
    }
}
