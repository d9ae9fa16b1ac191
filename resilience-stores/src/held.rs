//! The connection of one step.

use std::time::Duration;

use resilience_idempotency::{StoreError, StoreResult};
use sqlx::pool::{Pool, PoolConnection};
use sqlx::{Connection, Database};
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::sql::trouble;

/// A connection, held by a step.
///
/// A step whose time is over is dropped half-way, with its answer still to come. The pool would wait for that
/// without an end, with one connection less; where a server has gone silent, soon with none. Closing it at
/// once would be worse where the server is slow: it goes on with the step, and the next one comes on top.
pub(crate) struct Held<DB: Database> {
    /// None where the step has ended.
    connection: Option<PoolConnection<DB>>,
    patience: Option<Duration>,
}

impl<DB: Database> Held<DB> {
    /// WaitMode for so long for the answer to a step that was given up; without an end for a database that always
    /// answers.
    pub(crate) async fn of(pool: &Pool<DB>, patience: Option<Duration>) -> StoreResult<Self> {
        let connection = pool.acquire().await.map_err(trouble)?;
        Ok(Self { connection: Some(connection), patience })
    }

    pub(crate) fn connection(&mut self) -> StoreResult<&mut DB::Connection> {
        let connection = self.connection.as_deref_mut();
        connection.ok_or_else(|| StoreError::unavailable("the step has ended"))
    }

    /// The step has its answer.
    pub(crate) fn ended<T>(mut self, answer: StoreResult<T>) -> StoreResult<T> {
        drop(self.connection.take());
        answer
    }
}

impl<DB: Database> Drop for Held<DB> {
    fn drop(&mut self) {
        let (Some(mut connection), Some(patience)) = (self.connection.take(), self.patience) else {
            return;
        };
        // The pool needs a runtime as well.
        let Ok(runtime) = Handle::try_current() else { return };
        runtime.spawn(async move {
            if !matches!(timeout(patience, connection.ping()).await, Ok(Ok(()))) {
                connection.close_on_drop();
            }
        });
    }
}
