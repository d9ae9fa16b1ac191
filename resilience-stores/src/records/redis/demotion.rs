//! Leaving a server that is no longer the primary.
//!
//! A demoted primary keeps its connections open and answers every write with `READONLY`. A
//! `ConnectionManager` reconnects only after a connection has closed, so the store closes the
//! connection. The manager then resolves the name of the server again.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use redis::aio::{ConnectionLike, ConnectionManager};
use redis::{RedisError, RedisResult, Value};

use super::answer::has_code;

/// Counts the connections that the store has left. The number is odd while a connection is closed.
///
/// All clones of a store share the counter, so that many failures of one connection close the
/// connection once, and no failure of an old connection closes a new connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Demotions(Arc<AtomicU64>);

/// The connection of a step, by number.
#[derive(Clone, Copy, Debug)]
pub(super) struct ConnectionNumber(u64);

impl Demotions {
    pub(super) fn current(&self) -> ConnectionNumber {
        ConnectionNumber(self.0.load(Ordering::Acquire))
    }

    /// Closes the connection of a step if the server rejected the step as a replica.
    ///
    /// A connection without automatic reconnect stays open: the server may become the primary
    /// again.
    pub(super) async fn leave<C: ConnectionLike + 'static>(
        &self,
        connection: &mut C,
        of: ConnectionNumber,
        error: &RedisError,
    ) {
        let reconnects = (connection as &dyn Any).is::<ConnectionManager>();
        if !reconnects || !has_code(error, "READONLY") {
            return;
        }
        let Some(_closing) = self.begin(of) else { return };
        let quit: RedisResult<Value> = redis::cmd("QUIT").query_async(connection).await;
        if quit.is_ok() {
            // The manager notices a closed connection at the next command.
            let _: RedisResult<Value> = redis::cmd("PING").query_async(connection).await;
        }
    }

    /// Starts the close of this connection; `None` if the connection is being closed, or closed.
    fn begin(&self, ConnectionNumber(of): ConnectionNumber) -> Option<Closing<'_>> {
        let closing = of.wrapping_add(1);
        let is_open = of % 2 == 0;
        let exchange =
            || self.0.compare_exchange(of, closing, Ordering::AcqRel, Ordering::Acquire).is_ok();
        (is_open && exchange()).then(|| Closing { counter: &self.0, next: closing.wrapping_add(1) })
    }
}

/// Ends the close, also if the future of the step is dropped.
struct Closing<'a> {
    counter: &'a AtomicU64,
    next: u64,
}

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.counter.store(self.next, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_failures_of_a_connection_close_the_connection_once() {
        let demotions = Demotions::default();
        let (first, second) = (demotions.current(), demotions.current());
        let closing = demotions.begin(first).expect("an open connection");
        assert!(demotions.begin(second).is_none());
        // A step that started during the close does not know its connection.
        let during = demotions.current();
        assert!(demotions.begin(during).is_none());
        drop(closing);
        for old in [first, second, during] {
            assert!(demotions.begin(old).is_none());
        }
        assert!(demotions.begin(demotions.current()).is_some());
    }
}
