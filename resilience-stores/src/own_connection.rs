//! Connections of synchronization tasks, apart from the pools of the application.
//!
//! An exhausted pool, likely when a dependency fails, delays no synchronization, and a missing
//! answer blocks no pooled connection.

#[cfg(any(feature = "postgres", feature = "redis"))]
use std::fmt;

#[cfg(feature = "postgres")]
use sqlx::ConnectOptions;
#[cfg(feature = "postgres")]
use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgRow, Postgres};
#[cfg(feature = "postgres")]
use sqlx::query::Query;

#[cfg(feature = "postgres")]
use crate::rolled_back::retry_rollback;

/// A connection to Redis, made at the first use. The round limits the time of a call.
#[cfg(feature = "redis")]
pub(crate) struct RedisConnection {
    client: redis::Client,
    /// Taken during a call. After a failed or dropped call the connection is not reused.
    connection: Option<redis::aio::MultiplexedConnection>,
}

#[cfg(feature = "redis")]
impl RedisConnection {
    pub(crate) fn new(client: redis::Client) -> Self {
        Self { client, connection: None }
    }

    /// Runs the commands, and returns their answers.
    pub(crate) async fn query<T: redis::FromRedisValue>(
        &mut self,
        commands: &redis::Pipeline,
    ) -> redis::RedisResult<T> {
        let mut connection = if let Some(connection) = self.connection.take() {
            connection
        } else {
            let config = redis::AsyncConnectionConfig::new();
            let config = config.set_connection_timeout(None).set_response_timeout(None);
            self.client.get_multiplexed_async_connection_with_config(&config).await?
        };
        let answer = commands.query_async(&mut connection).await?;
        self.connection = Some(connection);
        Ok(answer)
    }
}

/// A connection to PostgreSQL, made at the first use.
#[cfg(feature = "postgres")]
pub(crate) struct PostgresConnection {
    options: PgConnectOptions,
    /// Taken during a call. After a failed or dropped call the connection is not reused.
    connection: Option<PgConnection>,
}

#[cfg(feature = "postgres")]
impl PostgresConnection {
    pub(crate) fn new(options: PgConnectOptions) -> Self {
        Self { options, connection: None }
    }

    /// Creates tables, unless they exist.
    pub(crate) async fn migrate(&self, schema: &'static str) -> Result<(), sqlx::Error> {
        use sqlx::{Connection, Executor};

        let mut connection = self.options.connect().await?;
        // The advisory lock serializes concurrent migrations, which PostgreSQL would fail.
        let mut transaction = connection.begin().await?;
        transaction.execute("SELECT pg_advisory_xact_lock(7243615890212)").await?;
        transaction.execute(schema).await?;
        transaction.commit().await?;
        connection.close().await
    }

    /// Runs a statement, and returns its rows. A statement that the server has rolled back because
    /// of concurrent statements is repeated: at the isolation level `SERIALIZABLE`, which the
    /// database may have as its default, other members cause rollbacks at any time.
    pub(crate) async fn fetch<'q>(
        &mut self,
        query: impl Fn() -> Query<'q, Postgres, PgArguments>,
    ) -> Result<Vec<PgRow>, sqlx::Error> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.options.connect().await?,
        };
        let rows = retry_rollback!(query().fetch_all(&mut connection).await)?;
        self.connection = Some(connection);
        Ok(rows)
    }
}

/// The options and the client may contain a password.
macro_rules! debug_without_options {
    ($(#[$feature:meta] $connection:ident),*) => {$(
        #[$feature]
        impl fmt::Debug for $connection {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($connection))
                    .field("is_connected", &self.connection.is_some())
                    .finish_non_exhaustive()
            }
        }
    )*};
}

debug_without_options!(
    #[cfg(feature = "redis")]
    RedisConnection,
    #[cfg(feature = "postgres")]
    PostgresConnection
);
