//! A server that falls silent.

use resilience::stores::PostgresStore;

use super::open;
use crate::servers::{Postgres, Proxy};
use crate::silence::{Bank, silence_tests};

async fn bank() -> Option<Bank<PostgresStore>> {
    let server = Postgres::shared()?;
    let proxy = Proxy::to(server.port());
    let store = open(&Postgres::url_at(proxy.port()), 4).await;
    Some(Bank::new(store, proxy))
}

silence_tests!(bank; a_claim, a_completion, a_completion_that_counts, an_answer, a_renewal, maintenance);
