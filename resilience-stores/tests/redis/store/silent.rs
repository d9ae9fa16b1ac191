//! A server that falls silent.

use redis::aio::ConnectionManager;
use resilience::stores::RedisStore;

use super::faults::reconnecting;
use crate::servers::{Proxy, Redis};
use crate::silence::{Bank, silence_tests};

async fn bank() -> Option<Bank<RedisStore<ConnectionManager>>> {
    let server = Redis::shared()?;
    let proxy = Proxy::to(server.port());
    let store = reconnecting(Redis::url_at(proxy.port())).await;
    Some(Bank::new(store, proxy))
}

silence_tests!(bank; a_claim, a_completion, a_completion_that_counts, an_answer, a_renewal, maintenance);
