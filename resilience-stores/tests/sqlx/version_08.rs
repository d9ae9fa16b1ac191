//! `sqlx` 0.8, with the feature `sqlx-08`.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use resilience::stores::sqlx::classify;
use resilience::stores::{classify_chain, find_class};
use resilience::{FailureClass, retry};
use sqlx_08::error::{DatabaseError, ErrorKind};
use sqlx_08::postgres::PgPoolOptions;
use sqlx_08::{Connection, Error, Executor, PgConnection};

use crate::servers::{Postgres, free_port};
use crate::table::{Coded, STATES};
use crate::{LOST, REFUSED, UNSENT};

impl DatabaseError for Coded {
    fn message(&self) -> &'static str {
        "no"
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        self.0.map(Cow::Borrowed)
    }

    fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        self
    }

    fn as_error_mut(&mut self) -> &mut (dyn StdError + Send + Sync + 'static) {
        self
    }

    fn into_error(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static> {
        self
    }

    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

fn coded(code: &'static str) -> Error {
    Error::Database(Box::new(Coded(Some(code))))
}

#[test]
fn every_code_of_the_table() {
    for (state, class) in STATES {
        assert_eq!(classify(&coded(state)), class, "{state}");
        assert_eq!(find_class(&coded(state)), Some(class), "{state}");
    }
    assert_eq!(classify(&coded("517")), REFUSED); // SQLITE_BUSY_SNAPSHOT
    assert_eq!(classify(&coded("19")), FailureClass::permanent()); // SQLITE_CONSTRAINT
}

#[test]
fn errors_of_the_client() {
    assert_eq!(classify(&Error::PoolTimedOut), UNSENT);
    assert_eq!(classify(&Error::WorkerCrashed), LOST);
    assert_eq!(classify(&Error::Io(io::ErrorKind::UnexpectedEof.into())), LOST);
    assert_eq!(classify(&Error::RowNotFound), FailureClass::permanent());
    let boxed: Box<dyn StdError + Send + Sync> = Error::PoolTimedOut.into();
    assert_eq!(classify_chain(&*boxed), UNSENT);
}

#[tokio::test]
async fn a_real_server() {
    let Some(server) = Postgres::shared() else { return };
    let mut connection = PgConnection::connect(&server.url()).await.unwrap();
    for (state, class) in STATES.into_iter().filter(|(state, _)| !state.starts_with("00")) {
        let sql = format!("DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$");
        let error = connection.execute(sqlx_08::raw_sql(&sql)).await.unwrap_err();
        assert_eq!(classify(&error), class, "{state}");
    }
}

#[tokio::test]
async fn a_retry_of_a_refused_connection() {
    #[retry(attempts = 3, base_delay = "1ms", idempotent = false, on = classify)]
    async fn connect(url: &str, calls: &mut u32) -> sqlx_08::Result<()> {
        *calls += 1;
        PgConnection::connect(url).await.map(drop)
    }
    let mut calls = 0;
    let url = format!("postgres://u:p@127.0.0.1:{}/d", free_port());
    assert!(connect(&url, &mut calls).await.is_err());
    assert_eq!(calls, 3);
    let pool = PgPoolOptions::new().acquire_timeout(Duration::from_millis(5));
    let error = pool.connect_lazy(&url).unwrap().acquire().await.unwrap_err();
    assert_eq!(classify(&error), UNSENT, "{error:?}");
}
