//! The connections of a store.

use std::fmt;
use std::sync::{Arc, OnceLock};

use sqlx::pool::{Pool, PoolOptions};
use sqlx::{Connection, Database};

/// The pool of a store.
///
/// A store needs connections that no body of a call holds. A body that waits for a lock, or sleeps
/// in a transaction, would otherwise keep the store from renewing the lease of the body.
pub(crate) struct Connections<DB: Database>(Arc<Source<DB>>);

enum Source<DB: Database> {
    /// A pool that only the store uses.
    Given(Pool<DB>),
    /// A separate pool, opened by the first step: a pool can only be opened in a runtime.
    Separate {
        options: PoolOptions<DB>,
        connect: <DB::Connection as Connection>::Options,
        pool: OnceLock<Pool<DB>>,
    },
}

impl<DB: Database> Connections<DB> {
    pub(crate) fn given(pool: Pool<DB>) -> Self {
        Self(Arc::new(Source::Given(pool)))
    }

    /// Opens up to `max` further connections with the options of `pool`, and `connect`.
    pub(crate) fn separate(
        pool: &Pool<DB>,
        connect: <DB::Connection as Connection>::Options,
        max: u32,
    ) -> Self {
        let options = pool.options().clone();
        let max = max.min(options.get_max_connections());
        let options = options.min_connections(0).max_connections(max);
        Self(Arc::new(Source::Separate { options, connect, pool: OnceLock::new() }))
    }

    pub(crate) fn pool(&self) -> &Pool<DB> {
        match &*self.0 {
            Source::Given(pool) => pool,
            Source::Separate { options, connect, pool } => {
                pool.get_or_init(|| options.clone().connect_lazy_with(connect.clone()))
            }
        }
    }
}

impl<DB: Database> Clone for Connections<DB> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<DB: Database> fmt::Debug for Connections<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Source::Given(pool) => pool.fmt(f),
            Source::Separate { pool, .. } => pool.get().fmt(f),
        }
    }
}
