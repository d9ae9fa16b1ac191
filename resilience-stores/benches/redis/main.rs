//! A claim, its completion and a replay: by the store, and by scripts that one writes by hand and sends with the
//! same client over a connection of the same kind. Prints how many of the three a second, and the ratio.
#![allow(clippy::print_stdout, reason = "the figures are what it is for")]
#![allow(clippy::unwrap_used, reason = "a panic is an answer too")]

mod by_hand;
#[path = "../../tests/servers/mod.rs"]
mod servers;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use redis::Client;
use redis::aio::MultiplexedConnection;
use resilience::idempotent::{Claim, ClaimRequest, Fingerprint, RecordKey, Store, Takeover, Write};
use resilience::stores::RedisStore;

use crate::by_hand::ByHand;
use crate::servers::Redis;

const LEASE: Duration = Duration::from_secs(30);
const DAY: Duration = Duration::from_hours(24);
const OUTCOME: [u8; 200] = [7; 200];
const CALLS: u64 = 1500;
const ROUNDS: usize = 31;

/// One of the two sides.
trait Side: Clone + Send + Sync + 'static {
    fn call(&self, key: [u8; 32], owner: u128) -> impl Future<Output = ()> + Send;
}

impl Side for RedisStore<MultiplexedConnection> {
    async fn call(&self, key: [u8; 32], owner: u128) {
        let key = RecordKey(key);
        let request = |owner| ClaimRequest {
            key: &key,
            fingerprint: &Fingerprint([1; 32]),
            owner,
            lease: LEASE,
            retention: DAY,
            takeover: Takeover::Rerun,
            label: "bench",
        };
        let claim = self.claim(request(owner)).await.unwrap();
        let Claim::Acquired { token, .. } = claim else { panic!("{claim:?}") };
        assert_eq!(self.complete(&key, token, &OUTCOME, DAY).await.unwrap(), Write::Applied);
        let replay = self.claim(request(owner + 1)).await.unwrap();
        assert!(matches!(replay, Claim::Replay(bytes) if *bytes == OUTCOME));
    }
}

impl Side for ByHand {
    async fn call(&self, key: [u8; 32], owner: u128) {
        let claimed = self.claim(&key, owner).await.unwrap();
        let by_hand::Claimed::Acquired(fence) = claimed else { panic!("{claimed:?}") };
        assert!(self.complete(&key, owner, &fence, &OUTCOME).await.unwrap());
        let replay = self.claim(&key, owner + 1).await.unwrap();
        assert!(matches!(replay, by_hand::Claimed::Replay(bytes) if *bytes == OUTCOME));
    }
}

/// Times so many calls, with this many under way at once.
async fn time(side: &impl Side, at_once: u64) -> Duration {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let begin = Instant::now();
    let tasks = (0..at_once).map(|_| {
        let side = side.clone();
        tokio::spawn(async move {
            for _ in 0..CALLS / at_once {
                let number = NEXT.fetch_add(1, Relaxed);
                let mut key = [0; 32];
                key[..8].copy_from_slice(&number.to_be_bytes());
                side.call(key, u128::from(number) * 2).await;
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    begin.elapsed()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[tokio::main]
async fn main() {
    let Some(server) = Redis::start(&["--appendonly", "no"]) else { return };
    let client = Client::open(server.url()).unwrap();
    let connect = async || client.get_multiplexed_async_connection().await.unwrap();
    let (store, by_hand) = (RedisStore::new(connect().await), ByHand::new(connect().await));
    for at_once in [1, 32] {
        let (mut store_times, mut hand_times, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        // In turn, and compared with the neighbour, so that whatever else the machine does meets both.
        for _ in 0..ROUNDS {
            let of_hand = time(&by_hand, at_once).await.as_secs_f64();
            let of_store = time(&store, at_once).await.as_secs_f64();
            hand_times.push(of_hand);
            store_times.push(of_store);
            ratios.push(of_store / of_hand);
        }
        #[expect(clippy::cast_precision_loss, reason = "some thousands")]
        let calls = CALLS as f64;
        println!(
            "{at_once} at once: by hand {:.0} a second, store {:.0} a second, ratio {:.3}",
            calls / median(hand_times),
            calls / median(store_times),
            median(ratios)
        );
    }
}
