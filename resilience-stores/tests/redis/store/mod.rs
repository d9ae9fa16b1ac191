//! `RedisStore` with real servers: the conformance suite, and failures of the server, the
//! connection and the process.

mod calls;
mod cluster;
mod conformance;
mod faults;
mod keys;
mod processes;
mod record;
mod replicas;
mod round_trips;
mod settings;
mod silent;

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Connection};
use resilience::idempotent::{
    Claim, ClaimRequest, Fingerprint, RecordKey, Store, StoreError, StoreResult, Takeover, Token,
};
use resilience::stores::RedisStore;

use crate::servers::Redis;

type TestStore = RedisStore<MultiplexedConnection>;

/// Returns a connection with a response timeout longer than any test.
async fn connected(url: String) -> MultiplexedConnection {
    let config = AsyncConnectionConfig::new().set_response_timeout(Some(Duration::from_secs(20)));
    let client = Client::open(url).unwrap();
    client.get_multiplexed_async_connection_with_config(&config).await.unwrap()
}

async fn store_of(server: &Redis) -> TestStore {
    RedisStore::new(connected(server.url()).await)
}

/// Returns a connection that bypasses the store.
fn admin(server: &Redis) -> Connection {
    Client::open(server.url()).unwrap().get_connection().unwrap()
}

/// Returns the number of keys.
fn count(server: &mut Connection) -> usize {
    redis::cmd("DBSIZE").query(server).unwrap()
}

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

/// A claim request with a separate key.
#[derive(Clone, Copy, Debug)]
struct ClaimSpec {
    key: RecordKey,
    owner: u128,
    lease: Duration,
    takeover: Takeover,
}

impl ClaimSpec {
    fn of(key: u8) -> Self {
        let key = RecordKey([key; 32]);
        Self { key, owner: 1, lease: MINUTE, takeover: Takeover::Never }
    }

    fn by(self, owner: u128) -> Self {
        Self { owner, ..self }
    }

    fn lease(self, lease: Duration) -> Self {
        Self { lease, ..self }
    }

    async fn claim(self, store: &impl Store) -> StoreResult<Claim> {
        let request = ClaimRequest {
            key: &self.key,
            fingerprint: &Fingerprint([0xF1; 32]),
            owner: self.owner,
            lease: self.lease,
            retention: DAY,
            takeover: self.takeover,
            label: "test.label",
            scope: None,
        };
        store.claim(request).await
    }

    async fn acquire(self, store: &impl Store) -> Token {
        match self.claim(store).await {
            Ok(Claim::Acquired { token, .. }) => token,
            other => panic!("{other:?}"),
        }
    }

    async fn complete(self, store: &impl Store, token: Token, outcome: &[u8]) {
        let write = store.complete(&self.key, token, outcome, DAY).await.unwrap();
        assert_eq!(write, resilience::idempotent::WriteOutcome::Applied);
    }
}

/// Formats an error with its source.
fn error_text(error: &StoreError) -> String {
    let source = std::error::Error::source(error).map(ToString::to_string);
    format!("{error}: {}", source.unwrap_or_default())
}
