//! Random schedules: the memory store against the list of rows, and crashing calls against the
//! guarantees of each policy.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use proptest::prelude::*;
use resilience::idempotent::testing::{FaultStore, InjectedFault, StoreOp};
use resilience::idempotent::{
    Claim, ClaimRequest, Fingerprint, MemoryStore, RecordKey, Store, StoreErrorKind, Takeover,
    Token, WriteOutcome,
};
use resilience::{Rejected, RejectedKind};
use tokio::time::{advance, sleep, timeout};

use super::calls::{POLICY, UNKNOWN, call, ms};
use super::conformance::in_virtual_time;
use super::model::ListStore;

/// A step with a few keys, a few owners, and the tokens of earlier claims.
#[derive(Clone, Debug)]
enum Step {
    Claim { key: u8, about: u8, owner: u8, lease: u64, retention: u64, never: bool },
    Renew { token: usize, lease: u64 },
    Complete { token: usize, byte: u8, retention: u64 },
    Release { token: usize },
    Abandon { token: usize },
    Pass { time: u64 },
    Purge,
    Forget { key: u8 },
    Interrupted,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let time = || prop_oneof![Just(5_u64), Just(10), Just(20), Just(40)];
    let token = || 0_usize..6;
    let claim = (0_u8..2, 0_u8..2, 0_u8..4, time(), time(), any::<bool>()).prop_map(
        |(key, about, owner, lease, retention, never)| Step::Claim {
            key,
            // Mostly the same fingerprint.
            about: u8::from(about == 1 && owner == 3),
            owner,
            lease,
            retention,
            never,
        },
    );
    let any_step = prop_oneof![
        6 => claim,
        1 => (token(), time()).prop_map(|(token, lease)| Step::Renew { token, lease }),
        2 => (token(), any::<u8>(), time())
            .prop_map(|(token, byte, retention)| Step::Complete { token, byte, retention }),
        1 => token().prop_map(|token| Step::Release { token }),
        1 => token().prop_map(|token| Step::Abandon { token }),
        3 => time().prop_map(|time| Step::Pass { time }),
        1 => Just(Step::Purge),
        1 => (0_u8..2).prop_map(|key| Step::Forget { key }),
        1 => Just(Step::Interrupted),
    ];
    prop::collection::vec(any_step, 1..60)
}

/// A token in both stores, because the fences differ.
#[derive(Clone, Copy)]
struct TokenPair {
    key: RecordKey,
    memory: Token,
    list: Token,
}

async fn compare(steps: Vec<Step>) {
    let (memory, list) = (MemoryStore::new(), ListStore::new(None));
    let mut tokens: Vec<TokenPair> = Vec::new();
    let ago = |tokens: &[TokenPair], token: usize| tokens.iter().rev().nth(token).copied();
    for step in steps {
        match step {
            Step::Claim { key, about, owner, lease, retention, never } => {
                let request = ClaimRequest {
                    key: &RecordKey([key; 32]),
                    fingerprint: &Fingerprint([about; 32]),
                    owner: owner.into(),
                    lease: ms(lease),
                    retention: ms(retention),
                    takeover: if never { Takeover::Never } else { Takeover::Rerun },
                    label: "",
                    scope: None,
                };
                let claims = (memory.claim(request).await, list.claim(request).await);
                match (claims.0.expect("a claim"), claims.1.expect("a claim")) {
                    (
                        Claim::Acquired { token, attempt },
                        Claim::Acquired { token: other, attempt: expected },
                    ) => {
                        assert_eq!(attempt, expected);
                        let pair = TokenPair { key: *request.key, memory: token, list: other };
                        let same = |known: &&TokenPair| known.key == pair.key;
                        let before = tokens.iter().rev().find(same);
                        let rises = before.is_none_or(|before| {
                            let repeated = before.memory == token && before.list == other;
                            repeated || before.memory.fence < token.fence
                        });
                        assert!(rises, "the fence does not rise");
                        tokens.push(pair);
                    }
                    (claim, expected) => assert_eq!(claim, expected),
                }
            }
            Step::Renew { token, lease } => {
                let Some(TokenPair { key, memory: ours, list: model }) = ago(&tokens, token) else {
                    continue;
                };
                let ours = memory.renew(&key, ours, ms(lease)).await;
                assert_same(ours, list.renew(&key, model, ms(lease)).await);
            }
            Step::Complete { token, byte, retention } => {
                let Some(TokenPair { key, memory: ours, list: model }) = ago(&tokens, token) else {
                    continue;
                };
                let ours = memory.complete(&key, ours, &[byte], ms(retention)).await;
                assert_same(ours, list.complete(&key, model, &[byte], ms(retention)).await);
            }
            Step::Release { token } => {
                if let Some(TokenPair { key, memory: ours, list: model }) = ago(&tokens, token) {
                    assert_same(memory.release(&key, ours).await, list.release(&key, model).await);
                }
            }
            Step::Abandon { token } => {
                if let Some(TokenPair { key, memory: ours, list: model }) = ago(&tokens, token) {
                    assert_same(memory.abandon(&key, ours).await, list.abandon(&key, model).await);
                }
            }
            Step::Pass { time } => advance(ms(time)).await,
            Step::Purge => {
                let purged = memory.purge(usize::MAX).await.expect("purged");
                assert_eq!(purged, list.purge(usize::MAX).await.expect("purged"));
                assert!(memory.len() <= 2);
            }
            Step::Forget { key } => {
                let key = RecordKey([key; 32]);
                let forgotten = memory.forget(&key).await.expect("an answer");
                assert_eq!(forgotten, list.forget(&key).await.expect("an answer"));
            }
            Step::Interrupted => {
                let mut ours = memory.interrupted(9).await.expect("a list");
                let mut model = list.interrupted(9).await.expect("a list");
                ours.sort_by_key(|claim| claim.key);
                model.sort_by_key(|claim| claim.key);
                assert_eq!(ours, model);
            }
        }
    }
}

type Written = resilience::idempotent::StoreResult<WriteOutcome>;

#[track_caller]
fn assert_same(ours: Written, model: Written) {
    assert_eq!(ours.expect("written"), model.expect("written"));
}

/// The course of a call: start time, duration of the body, crash time, failure, and store fault.
#[derive(Clone, Debug)]
struct Plan {
    start: u64,
    takes: u64,
    crash: Option<u64>,
    fails: bool,
    fault: Option<(u8, u8)>,
}

fn plans() -> impl Strategy<Value = Vec<Plan>> {
    let crash = prop::option::weighted(0.3, 0_u64..600);
    let fault = prop::option::weighted(0.4, (0_u8..4, 0_u8..5));
    let plan = (0_u64..1000, 0_u64..400, crash, prop::bool::weighted(0.2), fault);
    let plan = plan.prop_map(|(start, takes, crash, fails, fault)| Plan {
        start,
        takes,
        crash,
        fails,
        fault,
    });
    prop::collection::vec(plan, 1..8)
}

/// Runs the plans on the same key, and checks the number of runs and the outcomes.
async fn follow(plans: Vec<Plan>, at_most_once: bool) {
    let store = FaultStore::new(Arc::new(MemoryStore::new()));
    let policy = if at_most_once { UNKNOWN } else { POLICY };
    let policy = policy.lease(ms(300)).store_timeout(ms(20)).wait(ms(400));
    for (op, fault) in plans.iter().filter_map(|plan| plan.fault) {
        let op =
            [StoreOp::Claim, StoreOp::Complete, StoreOp::Renew, StoreOp::Release][usize::from(op)];
        let fault = [
            InjectedFault::Fail(StoreErrorKind::Unavailable),
            InjectedFault::LoseReply,
            InjectedFault::Hang,
            InjectedFault::Delay(ms(7)),
            InjectedFault::HangAfter,
        ][usize::from(fault)];
        store.script(op, [fault]);
    }
    let (begun, not_applied) = (AtomicUsize::new(0), AtomicUsize::new(0));
    // If a completion fails, only the caller has the outcome.
    let is_lost = |plan: &&Plan| plan.fault.is_some_and(|(op, _)| op == 1);
    let unsaved = plans.iter().filter(is_lost).count();
    // Two failed renewals in a row end the lease of a running body.
    let lost_leases = plans.iter().filter(|plan| matches!(plan.fault, Some((2, _)))).count() / 2;
    let crashes = plans.iter().filter(|plan| plan.crash.is_some()).count();
    let failures = plans.iter().filter(|plan| plan.fails).count();
    let calls = plans.into_iter().map(|plan| {
        let (store, begun, not_applied) = (&store, &begun, &not_applied);
        async move {
            sleep(ms(plan.start)).await;
            let body = async {
                let run = begun.fetch_add(1, SeqCst) + 1;
                sleep(ms(plan.takes)).await;
                if plan.fails {
                    // The class of this error says that the effect was not applied.
                    not_applied.fetch_add(1, SeqCst);
                    return Err(Rejected::new(RejectedKind::RateLimited, "downstream", None));
                }
                Ok(run)
            };
            let run = call(policy, store, "k").run_async(body);
            timeout(plan.crash.map_or(Duration::from_secs(60), ms), run).await.ok()
        }
    });
    let ends = futures::future::join_all(calls).await;
    let begun = begun.load(SeqCst);
    let successes: Vec<_> = ends.iter().flatten().filter_map(|end| end.as_ref().ok()).collect();
    // All returned outcomes are equal.
    assert!(unsaved > 0 || successes.windows(2).all(|pair| pair[0] == pair[1]), "{ends:?}");
    if at_most_once {
        // A failure with an unknown effect ends the key as well.
        assert!(begun <= 1 + not_applied.load(SeqCst), "{begun} runs at most once: {ends:?}");
    } else {
        // Each repeated run follows a crash, a failure, a lost completion or a lost lease, and a
        // later call returns the outcome.
        let most = 1 + crashes + failures + unsaved + lost_leases;
        assert!(begun <= most, "{begun} runs: {ends:?}");
        sleep(ms(1000)).await;
        let end = call(policy, &store, "k").run_async(async { Ok::<_, Rejected>(0) }).await;
        let expected = successes.first().map_or(0, |outcome| **outcome);
        let end = end.expect("a free or completed key");
        assert!(end == expected || successes.is_empty() || unsaved > 0, "{end} after {ends:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Both stores return equal results for random steps.
    #[test]
    fn the_memory_store_matches_the_model(steps in steps()) {
        in_virtual_time(compare(steps));
    }

    #[test]
    fn each_policy_keeps_its_guarantee(plans in plans(), at_most_once: bool) {
        in_virtual_time(follow(plans, at_most_once));
    }
}
