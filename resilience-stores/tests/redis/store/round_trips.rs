//! The number of round trips of a step.

use std::time::Duration;

use resilience::idempotent::Store;
use resilience::stores::RedisStore;

use super::{ClaimSpec, DAY, MINUTE, connected};
use crate::servers::{Proxy, Redis};

/// Returns the output of a step, and the number of its round trips through the proxy.
macro_rules! round_trips {
    ($proxy:expr, $step:expr) => {{
        let before = $proxy.round_trips();
        let out = $step.await;
        (out, $proxy.round_trips() - before)
    }};
}

#[tokio::test]
async fn each_step_is_one_round_trip() {
    let Some(server) = Redis::start(&[]) else { return };
    let proxy = Proxy::to(server.port());
    let plain = RedisStore::new(connected(Redis::url_at(proxy.port())).await);
    let waits = plain.clone().prefix("waits:").wait_replicas(0, Duration::ZERO);
    for store in [plain, waits] {
        // In the first round the server learns the scripts.
        for is_warm in [false, true] {
            let (spec, freed) = (ClaimSpec::of(1), ClaimSpec::of(2));
            let mut steps = Vec::new();
            let mut step = |name, trips| steps.push((name, trips));
            let (token, trips) = round_trips!(proxy, spec.acquire(&store));
            step("a claim", trips);
            let (_, trips) = round_trips!(proxy, spec.by(2).claim(&store));
            step("a claim of a running call", trips);
            let (_, trips) = round_trips!(proxy, store.renew(&spec.key, token, MINUTE));
            step("a renewal", trips);
            let (_, trips) = round_trips!(proxy, store.complete(&spec.key, token, b"done", DAY));
            step("a completion", trips);
            let (_, trips) = round_trips!(proxy, spec.by(2).claim(&store));
            step("a replay", trips);
            let (_, trips) = round_trips!(proxy, store.forget(&spec.key));
            step("a removal", trips);
            let token = freed.acquire(&store).await;
            let (_, trips) = round_trips!(proxy, store.abandon(&freed.key, token));
            step("an abandoned call", trips);
            let (_, trips) = round_trips!(proxy, store.release(&freed.key, token));
            step("a release", trips);
            if is_warm {
                assert!(steps.iter().all(|(_, trips)| *trips == 1), "{steps:?}");
            }
        }
    }
}
