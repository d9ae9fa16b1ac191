//! The pooled connection of one store step.

use std::time::Duration;

use resilience_idempotency::{StoreError, StoreResult};
use sqlx::pool::{Pool, PoolConnection};
use sqlx::{Connection, Database};
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::sql::store_error;

/// A pooled connection, held by one step of a store.
///
/// A step that runs out of time is dropped before the answer arrives. The pool would wait for the
/// answer without a limit and lose the connection if the server is silent. An immediate close is
/// worse if the server is slow: the server continues the step and the next step adds load. The
/// guard therefore waits for `grace` before the connection is closed.
pub(crate) struct ConnectionGuard<DB: Database> {
    /// `None` after the step has ended.
    connection: Option<PoolConnection<DB>>,
    grace: Option<Duration>,
}

impl<DB: Database> ConnectionGuard<DB> {
    /// Acquires a connection. If the step is dropped, the guard waits up to `grace` for the answer
    /// and then closes the connection. `None` leaves the wait to the pool, for a database that
    /// always answers.
    pub(crate) async fn acquire(pool: &Pool<DB>, grace: Option<Duration>) -> StoreResult<Self> {
        let connection = pool.acquire().await.map_err(store_error)?;
        Ok(Self { connection: Some(connection), grace })
    }

    pub(crate) fn connection(&mut self) -> StoreResult<&mut DB::Connection> {
        let connection = self.connection.as_deref_mut();
        connection.ok_or_else(|| StoreError::unavailable("the step has ended"))
    }

    /// Returns the connection to the pool, because the answer of the step has arrived.
    pub(crate) fn finish<T>(mut self, answer: StoreResult<T>) -> StoreResult<T> {
        drop(self.connection.take());
        answer
    }
}

impl<DB: Database> Drop for ConnectionGuard<DB> {
    fn drop(&mut self) {
        let (Some(mut connection), Some(grace)) = (self.connection.take(), self.grace) else {
            return;
        };
        // The pool needs a runtime as well.
        let Ok(runtime) = Handle::try_current() else { return };
        runtime.spawn(async move {
            if !matches!(timeout(grace, connection.ping()).await, Ok(Ok(()))) {
                connection.close_on_drop();
            }
        });
    }
}
