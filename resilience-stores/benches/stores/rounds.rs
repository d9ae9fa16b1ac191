//! The measurement: many short rounds that alternate between the two sides, so that both see the
//! same machine.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant};

use resilience::idempotent::{
    Claim, ClaimRequest, Fingerprint, RecordKey, Store, Takeover, Token, WriteOutcome,
};

/// An implementation of the record steps.
pub(crate) trait Side: Clone + Send + Sync + 'static {
    fn claim(&self, key: &RecordKey) -> impl Future<Output = u64> + Send;
    fn complete(
        &self,
        key: &RecordKey,
        fence: u64,
        outcome: &[u8],
    ) -> impl Future<Output = ()> + Send;
    fn replay(&self, key: &RecordKey) -> impl Future<Output = usize> + Send;
}

/// A store.
#[derive(Clone, Debug)]
pub(crate) struct Stored<S>(pub(crate) S);

const OWNER: u128 = 1;
const DAY: Duration = Duration::from_hours(24);
const OUTCOME: [u8; 200] = [7; 200];
const ROUNDS: usize = 15;

impl<S: Store + Clone> Stored<S> {
    async fn ask(&self, key: &RecordKey) -> Claim {
        let request = ClaimRequest {
            key,
            fingerprint: &Fingerprint(key.0),
            owner: OWNER,
            lease: Duration::from_secs(30),
            retention: DAY,
            takeover: Takeover::Rerun,
            label: "bench",
            scope: None,
        };
        self.0.claim(request).await.unwrap()
    }
}

impl<S: Store + Clone> Side for Stored<S> {
    async fn claim(&self, key: &RecordKey) -> u64 {
        let Claim::Acquired { token, .. } = self.ask(key).await else { panic!("a new key") };
        token.fence
    }

    async fn complete(&self, key: &RecordKey, fence: u64, outcome: &[u8]) {
        let token = Token { owner: OWNER, fence };
        let written = self.0.complete(key, token, outcome, DAY).await.unwrap();
        assert_eq!(written, WriteOutcome::Applied);
    }

    async fn replay(&self, key: &RecordKey) -> usize {
        let Claim::Replay(outcome) = self.ask(key).await else { panic!("a key that is done") };
        outcome.len()
    }
}

/// The steps of a caller for each key.
#[derive(Clone, Copy, Debug)]
enum Step {
    Claim,
    Complete,
    Replay,
    All,
}

const STEPS: [(Step, &str); 4] = [
    (Step::Claim, "claim"),
    (Step::Complete, "complete"),
    (Step::Replay, "replay"),
    (Step::All, "claim, complete, replay"),
];

/// Prints a row for each step, for a hand-written side and a store.
pub(crate) async fn measure(
    name: &str,
    by_hand: &impl Side,
    store: &impl Side,
    callers: u32,
    keys: usize,
) {
    let mut times = STEPS.map(|_| [Vec::new(), Vec::new()]);
    for turn in 0..=ROUNDS {
        // The order alternates, because the second side runs on the leftovers of the first.
        let (first, second) = if turn % 2 == 0 {
            let first = round(by_hand, callers, keys).await;
            (first, round(store, callers, keys).await)
        } else {
            let second = round(store, callers, keys).await;
            (round(by_hand, callers, keys).await, second)
        };
        // The first round opens connections and prepares statements.
        if turn > 0 {
            for (times, (first, second)) in times.iter_mut().zip(first.into_iter().zip(second)) {
                times[0].push(first);
                times[1].push(second);
            }
        }
    }
    for ((_, step), [by_hand, store]) in STEPS.into_iter().zip(times) {
        let mut ratios: Vec<f64> =
            by_hand.iter().zip(&store).map(|(hand, ours)| ours.div_duration_f64(*hand)).collect();
        let ratio = middle(&mut ratios);
        let rate = |times: &[Duration]| {
            let mut times: Vec<f64> = times.iter().map(Duration::as_secs_f64).collect();
            f64::from(u32::try_from(keys).unwrap()) / middle(&mut times)
        };
        let (by_hand, store) = (rate(&by_hand), rate(&store));
        println!("| {name}: {step} | {ratio:.2} | {by_hand:.0} | {store:.0} |");
    }
}

fn middle(numbers: &mut [f64]) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// Runs all three steps until the process is killed.
pub(crate) async fn keeps_going(side: impl Side, callers: u32) {
    loop {
        each(&side, callers, Step::All, &fresh(100)).await;
    }
}

/// Returns the time of each step over this number of keys.
async fn round(side: &impl Side, callers: u32, keys: usize) -> [Duration; 4] {
    let mut work = fresh(keys);
    let mut times = [Duration::ZERO; 4];
    for (time, (step, _)) in times.iter_mut().zip(STEPS) {
        if matches!(step, Step::All) {
            work = fresh(keys);
        }
        let start = Instant::now();
        let fences = each(side, callers, step, &work).await;
        *time = start.elapsed();
        if matches!(step, Step::Claim) {
            for (work, fence) in work.iter_mut().zip(fences) {
                work.1 = fence;
            }
        }
    }
    times
}

/// Creates keys, and room for the fences of the claims.
fn fresh(keys: usize) -> Vec<(RecordKey, u64)> {
    (0..keys).map(|_| (random(), 0)).collect()
}

fn random() -> RecordKey {
    let mut key = [0; 32];
    let part = || RandomState::new().build_hasher().finish().to_be_bytes();
    key.chunks_mut(8).for_each(|bytes| bytes.copy_from_slice(&part()));
    RecordKey(key)
}

/// Runs a step for each key with concurrent callers, and returns the fences.
async fn each(side: &impl Side, callers: u32, step: Step, work: &[(RecordKey, u64)]) -> Vec<u64> {
    let share = work.len().div_ceil(callers as usize);
    let callers: Vec<_> = work
        .chunks(share)
        .map(|work| {
            let (side, work) = (side.clone(), work.to_vec());
            tokio::spawn(async move {
                let mut fences = Vec::with_capacity(work.len());
                for (key, fence) in work {
                    fences.push(one(&side, step, &key, fence).await);
                }
                fences
            })
        })
        .collect();
    let mut fences = Vec::with_capacity(work.len());
    for caller in callers {
        fences.extend(caller.await.unwrap());
    }
    fences
}

async fn one(side: &impl Side, step: Step, key: &RecordKey, fence: u64) -> u64 {
    match step {
        Step::Claim => return side.claim(key).await,
        Step::Complete => side.complete(key, fence, &OUTCOME).await,
        Step::Replay => assert_eq!(side.replay(key).await, OUTCOME.len()),
        Step::All => {
            let fence = side.claim(key).await;
            side.complete(key, fence, &OUTCOME).await;
            assert_eq!(side.replay(key).await, OUTCOME.len());
        }
    }
    fence
}
