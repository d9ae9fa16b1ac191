//! Connections of synchronization tasks, apart from the pools of the application.
//!
//! An exhausted pool, likely when a dependency fails, delays no synchronization, and a missing
//! answer blocks no pooled connection.

/// A connection to Redis, made at the first use. The round limits the time of a call.
#[cfg(feature = "redis")]
#[derive(Debug)]
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
#[derive(Debug)]
pub(crate) struct PostgresConnection {
    options: sqlx::postgres::PgConnectOptions,
    /// Taken during a call. After a failed or dropped call the connection is not reused.
    connection: Option<sqlx::postgres::PgConnection>,
}

#[cfg(feature = "postgres")]
impl PostgresConnection {
    pub(crate) fn new(options: sqlx::postgres::PgConnectOptions) -> Self {
        Self { options, connection: None }
    }

    /// Creates tables, unless they exist.
    pub(crate) async fn migrate(&self, schema: &'static str) -> Result<(), sqlx::Error> {
        use sqlx::{ConnectOptions, Connection, Executor};

        let mut connection = self.options.connect().await?;
        // The advisory lock serializes concurrent migrations, which PostgreSQL would fail.
        let mut transaction = connection.begin().await?;
        transaction.execute("SELECT pg_advisory_xact_lock(7243615890212)").await?;
        transaction.execute(schema).await?;
        transaction.commit().await?;
        connection.close().await
    }

    /// Takes the connection. A caller that succeeds [returns](Self::put_back) the connection.
    pub(crate) async fn take(&mut self) -> Result<sqlx::postgres::PgConnection, sqlx::Error> {
        match self.connection.take() {
            Some(connection) => Ok(connection),
            None => sqlx::ConnectOptions::connect(&self.options).await,
        }
    }

    pub(crate) fn put_back(&mut self, connection: sqlx::postgres::PgConnection) {
        self.connection = Some(connection);
    }
}
