//! The number of round trips of a step: one statement, and the test of the connection that the
//! pool makes behind the step.

use resilience::idempotent::Store;

use super::{open, until_idle};
use crate::claims::{ClaimSpec, DAY};
use crate::servers::{Postgres, Proxy};

/// Returns the output of a step, and the number of its round trips.
macro_rules! step {
    ($proxy:expr, $store:expr, $step:expr) => {{
        let before = $proxy.round_trips();
        let out = $step.await;
        until_idle($store.pool()).await;
        (out, $proxy.round_trips() - before)
    }};
}

#[tokio::test]
async fn each_step_is_one_statement() {
    let Some(server) = Postgres::shared() else { return };
    let proxy = Proxy::to(server.port());
    let store = open(&Postgres::url_at(proxy.port()), 1).await;
    until_idle(store.pool()).await;
    // In the first round the connection prepares the statements.
    for is_warm in [false, true] {
        let (spec, freed) = (ClaimSpec::new(), ClaimSpec::new());
        let mut trips = Vec::new();
        let ((token, _), claim) = step!(proxy, store, spec.acquire(&store));
        trips.push(("a claim", claim));
        let (_, running) = step!(proxy, store, spec.other().claim(&store));
        trips.push(("a claim of a running call", running));
        let (_, renewal) = step!(proxy, store, store.renew(&spec.key, token, DAY));
        trips.push(("a renewal", renewal));
        let complete = store.complete(&spec.key, token, b"done", DAY);
        let (_, completion) = step!(proxy, store, complete);
        trips.push(("a completion", completion));
        let (_, replay) = step!(proxy, store, spec.other().claim(&store));
        trips.push(("a replay", replay));
        let (_, removal) = step!(proxy, store, store.forget(&spec.key));
        trips.push(("a removal", removal));
        let ((token, _), _) = step!(proxy, store, freed.acquire(&store));
        let (_, abandoned) = step!(proxy, store, store.abandon(&freed.key, token));
        trips.push(("an abandoned call", abandoned));
        let (_, release) = step!(proxy, store, store.release(&freed.key, token));
        trips.push(("a release", release));
        if is_warm {
            // One statement, and one test of the connection after its return to the pool.
            assert!(trips.iter().all(|(_, trips)| *trips == 2), "{trips:?}");
        }
    }
}
