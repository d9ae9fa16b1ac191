//! Failures of the server and of the connection.

use std::time::Duration;

use redis::Client;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use resilience::idempotent::{
    Claim, IdempotencyPolicy, Scope, Store, StoreErrorKind, Takeover, WriteOutcome,
};
use resilience::stores::{RedisStore, find_class};
use resilience::{Effect, FailureClass, IdempotencyRejection, RejectedKind};

use super::{ClaimSpec, DAY, MINUTE, admin, connected, error_text, store_of};
use crate::errors::fake_server;
use crate::servers::{Proxy, Redis, Signal};

pub(super) async fn reconnecting(url: String) -> RedisStore<ConnectionManager> {
    let config = ConnectionManagerConfig::new()
        .set_response_timeout(Some(Duration::from_secs(20)))
        .set_min_delay(Duration::from_millis(1))
        .set_max_delay(Duration::from_millis(5))
        .set_number_of_retries(1000);
    RedisStore::new(
        Client::open(url).unwrap().get_connection_manager_with_config(config).await.unwrap(),
    )
}

/// Repeats a claim during a reconnect, as the runner does: with the same owner.
async fn claim_after_reconnect(spec: ClaimSpec, store: &impl Store) -> Claim {
    for _ in 0..1000 {
        if let Ok(claim) = spec.claim(store).await {
            return claim;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("the store does not reconnect")
}

#[tokio::test]
async fn claims_survive_a_killed_server() {
    let Some(server) = Redis::start(&[]) else { return };
    let store = reconnecting(server.url()).await;
    let (claimed, done) = (ClaimSpec::of(1), ClaimSpec::of(2));
    let token = claimed.acquire(&store).await;
    let other = done.acquire(&store).await;
    done.complete(&store, other, b"done").await;
    server.stop(Signal::Kill);
    server.start_again();
    // The first command uses the old connection.
    let claim = claim_after_reconnect(claimed.by(2), &store).await;
    assert!(matches!(claim, Claim::InFlight { .. }), "{claim:?}");
    assert_eq!(done.by(2).claim(&store).await.unwrap(), Claim::Replay((*b"done").into()));
    assert_eq!(claimed.acquire(&store).await, token);
    claimed.complete(&store, token, b"late").await;
    server.restart(Signal::Kill);
    assert_eq!(
        claim_after_reconnect(claimed.by(3), &store).await,
        Claim::Replay((*b"late").into())
    );
}

#[tokio::test]
async fn flushed_scripts_are_sent_again() {
    let Some(server) = Redis::start(&[]) else { return };
    let (plain, waits) = (store_of(&server).await, store_of(&server).await);
    let waits = waits.prefix("waits:").wait_replicas(0, Duration::ZERO);
    let mut admin = admin(&server);
    let mut flush = || redis::cmd("SCRIPT").arg("FLUSH").exec(&mut admin).unwrap();
    for store in [plain, waits] {
        let spec = ClaimSpec { takeover: Takeover::Rerun, ..ClaimSpec::of(1) };
        // The server first misses the script of each step, and then knows the script.
        for is_missing in [true, false] {
            let mut flush = || {
                if is_missing {
                    flush();
                }
            };
            flush();
            let token = spec.acquire(&store).await;
            flush();
            assert_eq!(store.renew(&spec.key, token, MINUTE).await.unwrap(), WriteOutcome::Applied);
            flush();
            assert_eq!(store.abandon(&spec.key, token).await.unwrap(), WriteOutcome::Applied);
            flush();
            assert_eq!(store.interrupted(9).await.unwrap().len(), 1);
            flush();
            assert_eq!(store.release(&spec.key, token).await.unwrap(), WriteOutcome::Applied);
            let token = spec.acquire(&store).await;
            flush();
            assert_eq!(
                store.complete(&spec.key, token, b"", DAY).await.unwrap(),
                WriteOutcome::Applied
            );
            flush();
            assert!(store.forget(&spec.key).await.unwrap());
        }
    }
}

#[tokio::test]
async fn a_replica_rejects_every_step() {
    let Some(server) = Redis::start(&[]) else { return };
    let (store, mut admin) = (store_of(&server).await, admin(&server));
    let claimed = ClaimSpec::of(1);
    let token = claimed.acquire(&store).await;
    let mut replicate = |of: &str| {
        let of: Vec<&str> = of.split(' ').collect();
        redis::cmd("REPLICAOF").arg(of).exec(&mut admin).unwrap();
    };
    replicate("127.0.0.1 1");
    for error in [
        ClaimSpec::of(2).claim(&store).await.unwrap_err(),
        store.complete(&claimed.key, token, b"", DAY).await.unwrap_err(),
        store.release(&claimed.key, token).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{}", error_text(&error));
        assert_eq!(
            find_class(&error),
            Some(FailureClass::transient().effect(Effect::Refused)),
            "{}",
            error_text(&error)
        );
    }
    replicate("NO ONE");
    claimed.complete(&store, token, b"done").await;
    ClaimSpec::of(2).acquire(&store).await;
}

/// The name of the server leads to the new primary, and the old connection stays open.
#[tokio::test]
async fn a_demoted_primary_is_left() {
    let (Some(old), Some(new)) = (Redis::start(&[]), Redis::start(&[])) else { return };
    let proxy = Proxy::to(old.port());
    let plain = reconnecting(Redis::url_at(proxy.port())).await;
    let waits = plain.clone().prefix("waits:").wait_replicas(0, Duration::ZERO);
    ClaimSpec::of(1).acquire(&plain).await;
    let replicate = |server: &Redis, of: &str| {
        let of: Vec<&str> = of.split(' ').collect();
        redis::cmd("REPLICAOF").arg(of).exec(&mut admin(server)).unwrap();
    };
    proxy.lead_to(new.port());
    replicate(&old, "127.0.0.1 1");
    // Many steps fail at once, and the connection is closed once.
    let failed = (2..22).map(|key| ClaimSpec::of(key).claim(&plain));
    let failed = futures::future::join_all(failed).await;
    assert!(failed.iter().any(Result::is_err), "the first step meets the old server");
    for key in 2..22 {
        ClaimSpec::of(key).acquire(&plain).await;
    }
    // Every step leaves.
    for step in 30..34_u8 {
        let (from, to) = if step % 2 == 0 { (&new, &old) } else { (&old, &new) };
        let claimed = ClaimSpec::of(step);
        let token = claimed.acquire(&plain).await;
        replicate(to, "NO ONE");
        proxy.lead_to(to.port());
        replicate(from, "127.0.0.1 1");
        let error = match step {
            30 => ClaimSpec::of(step + 10).claim(&waits).await.err(),
            31 => plain.release(&claimed.key, token).await.err(),
            32 => plain.complete(&claimed.key, token, b"", DAY).await.err(),
            _ => plain.forget(&claimed.key).await.err(),
        };
        let text = error.as_ref().map(error_text).unwrap_or_default();
        assert!(text.contains("read only replica"), "{step}: {text}");
        ClaimSpec::of(step + 20).acquire(&plain).await;
    }
}

/// A step was executed, but the answer was lost with the connection.
#[tokio::test]
async fn a_lost_answer_is_recovered() {
    let Some(server) = Redis::start(&[]) else { return };
    let proxy = Proxy::to(server.port());
    let spec = ClaimSpec::of(1);

    let store = RedisStore::new(connected(Redis::url_at(proxy.port())).await);
    // The server knows the scripts, so the lost answer is the answer of the step.
    let token = ClaimSpec::of(9).acquire(&store).await;
    ClaimSpec::of(9).complete(&store, token, b"").await;
    proxy.swallow();
    let (claim, ()) = tokio::join!(spec.claim(&store), cut_after_answer(&proxy));
    assert_eq!(claim.unwrap_err().kind(), StoreErrorKind::Unavailable);
    let store = RedisStore::new(connected(Redis::url_at(proxy.port())).await);
    let claim = spec.by(2).claim(&store).await.unwrap();
    assert!(matches!(claim, Claim::InFlight { .. }), "the claim was executed: {claim:?}");
    let claim = spec.claim(&store).await.unwrap();
    let Claim::Acquired { token, attempt: 1 } = claim else { panic!("{claim:?}") };

    proxy.swallow();
    let complete = store.complete(&spec.key, token, b"done", DAY);
    let (written, ()) = tokio::join!(complete, cut_after_answer(&proxy));
    assert_eq!(written.unwrap_err().kind(), StoreErrorKind::Unavailable);
    let store = RedisStore::new(connected(Redis::url_at(proxy.port())).await);
    assert_eq!(spec.by(2).claim(&store).await.unwrap(), Claim::Replay((*b"done").into()));
    spec.complete(&store, token, b"done").await;
}

/// Cuts the connection after a swallowed answer.
async fn cut_after_answer(proxy: &Proxy) {
    let before = proxy.swallowed();
    while proxy.swallowed() == before {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    proxy.cut();
    proxy.pass();
}

#[tokio::test]
async fn a_slow_store_times_out() {
    static POLICY: IdempotencyPolicy =
        IdempotencyPolicy::new("slow").store_timeout(Duration::from_millis(20));
    let Some(server) = Redis::start(&[]) else { return };
    let proxy = Proxy::to(server.port());
    let store = RedisStore::new(connected(Redis::url_at(proxy.port())).await);
    proxy.delay(Duration::from_secs(10));
    let call = POLICY.call(store, Scope::Global, &"key", |about| about).unwrap();
    let rejected = call.claim().await.unwrap_err();
    assert_eq!(rejected.kind(), RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable));
}

#[tokio::test]
async fn a_paused_server_executes_the_claim_later() {
    let Some(server) = Redis::start(&[]) else { return };
    let (store, spec) = (store_of(&server).await, ClaimSpec::of(1));
    server.signal(Signal::Stop);
    let claim = tokio::time::timeout(Duration::from_millis(20), spec.claim(&store)).await;
    assert!(claim.is_err(), "{claim:?}");
    server.signal(Signal::Cont);
    let token = spec.acquire(&store).await;
    spec.complete(&store, token, b"done").await;
    let other = spec.by(2).claim(&store).await.unwrap();
    assert_eq!(other, Claim::Replay((*b"done").into()));
}

/// Before version 7 the error of a script quotes the error of the command.
#[tokio::test]
async fn the_errors_of_an_old_server_have_a_kind() {
    for (answer, kind) in [
        (
            &["-ERR Error running script (call to f_6b): @user_script:5: @user_script: 5: -OOM \
               command not allowed when used memory > 'maxmemory'."],
            StoreErrorKind::Full,
        ),
        (
            &["-ERR Error running script (call to f_6b): @user_script:5: WRONGTYPE Operation \
               against a key holding the wrong kind of value"],
            StoreErrorKind::Corrupt,
        ),
        (
            &["-ERR Error running script (call to f_6b): @user_script:5: @user_script: 5: Script \
               attempted to access a non local key"],
            StoreErrorKind::Unavailable,
        ),
    ] {
        let store = RedisStore::new(connected(fake_server::server(answer)).await);
        let error = ClaimSpec::of(1).claim(&store).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{}", error_text(&error));
    }
}
