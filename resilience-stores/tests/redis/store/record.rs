//! The stored format of a record.

use std::time::Duration;

use redis::{Commands, Connection};
use resilience::idempotent::{Claim, Store, StoreErrorKind, Token};
use resilience::stores::RedisStore;

use super::{ClaimSpec, DAY, MINUTE, admin, connected, count, error_text, store_of};
use crate::servers::{Redis, until};

fn name(spec: ClaimSpec) -> String {
    // All bytes of a test key are equal.
    format!("resilience:idem:{{{}}}", format!("{:02x}", spec.key.0[0]).repeat(32))
}

fn time(server: &mut Connection, spec: ClaimSpec, field: &str) -> u64 {
    server.hget::<_, _, String>(name(spec), field).unwrap().parse().unwrap()
}

#[tokio::test]
async fn milliseconds_are_rounded_up() {
    let Some(server) = Redis::start(&[]) else { return };
    let (store, mut admin) = (store_of(&server).await, admin(&server));
    for (key, nanos, micros) in [(1, 1, 1000), (2, 999_999, 1000), (3, 1_000_001, 2000)] {
        let spec = ClaimSpec::of(key).lease(Duration::from_nanos(nanos));
        // The first fence of a record is the time of the claim.
        let begin = spec.acquire(&store).await.fence;
        let lease = time(&mut admin, spec, "lease") - begin;
        assert_eq!(lease, micros, "{nanos} ns");
    }
}

#[tokio::test]
async fn times_are_capped_at_a_hundred_years() {
    const YEARS: i64 = 100 * 365 * 86_400_000;
    let Some(server) = Redis::start(&[]) else { return };
    let (store, mut admin) = (store_of(&server).await, admin(&server));
    let spec = ClaimSpec::of(1).lease(Duration::MAX);
    let token = spec.acquire(&store).await;
    let _ = store.renew(&spec.key, token, Duration::from_secs(u64::MAX)).await.unwrap();
    let _ = store.complete(&spec.key, token, b"", Duration::MAX).await.unwrap();
    let left: i64 = admin.pttl(name(spec)).unwrap();
    assert!((YEARS - 60_000..=YEARS + 1).contains(&left), "{left}");
}

/// Redis deletes an expired record without a purge, and never before the end of the lease and of
/// the retention.
#[tokio::test]
async fn redis_deletes_expired_records() {
    let Some(server) = Redis::start(&[]) else { return };
    let (store, mut admin) = (store_of(&server).await, admin(&server));
    let (brief, long) = (ClaimSpec::of(1), ClaimSpec::of(2).lease(DAY * 2));
    let token = brief.acquire(&store).await;
    expires_at(&mut admin, brief, token.fence + micros(DAY));
    let long_token = long.acquire(&store).await;
    let lease = time(&mut admin, long, "lease");
    expires_at(&mut admin, long, lease);
    // A renewed lease extends the expiry, and never shortens the expiry.
    let _ = store.renew(&long.key, long_token, MINUTE).await.unwrap();
    expires_at(&mut admin, long, long_token.fence + micros(DAY * 2));
    let _ = store.renew(&long.key, long_token, DAY * 3).await.unwrap();
    let lease = time(&mut admin, long, "lease");
    expires_at(&mut admin, long, lease);

    let retention = Duration::from_millis(5);
    let _ = store.complete(&brief.key, token, b"done", retention).await.unwrap();
    until("the end of a record", || count(&mut admin) == 1);
    long.complete(&store, long_token, b"done").await;
    let _ = store.complete(&long.key, long_token, b"again", Duration::ZERO).await.unwrap();
    assert!(admin.exists::<_, bool>(name(long)).unwrap(), "completed with a longer retention");
    assert_eq!(store.purge(100).await.unwrap(), 0);
}

/// Checks that a record expires at this time in microseconds, or slightly later, but never
/// earlier.
#[track_caller]
fn expires_at(server: &mut Connection, spec: ClaimSpec, time: u64) {
    let drops: u64 = redis::cmd("PEXPIRETIME").arg(name(spec)).query(server).unwrap();
    // The record still exists in the millisecond of the expiry.
    let gone = (drops + 1) * 1000;
    assert!((time..time + 1_000_000).contains(&gone), "{gone}, not {time}");
}

fn micros(time: Duration) -> u64 {
    time.as_micros().try_into().unwrap()
}

#[tokio::test]
async fn an_unreadable_record_is_never_executed() {
    let Some(server) = Redis::start(&[]) else { return };
    let (store, mut admin) = (store_of(&server).await, admin(&server));
    let no_hash = ClaimSpec::of(1);
    admin.set::<_, _, ()>(name(no_hash), "something").unwrap();
    let of_the_future = ClaimSpec::of(2);
    of_the_future.acquire(&store).await;
    admin.hset::<_, _, _, ()>(name(of_the_future), "state", "7").unwrap();
    let no_outcome = ClaimSpec::of(3);
    let token = no_outcome.acquire(&store).await;
    no_outcome.complete(&store, token, b"done").await;
    admin.hdel::<_, _, ()>(name(no_outcome), "outcome").unwrap();
    for spec in [no_hash, of_the_future, no_outcome] {
        let error = spec.by(2).claim(&store).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{}", error_text(&error));
    }
    for (key, field) in [(4, "state"), (5, "fence"), (6, "lease"), (7, "attempts")] {
        let spec = ClaimSpec::of(key);
        spec.acquire(&store).await;
        admin.hdel::<_, _, ()>(name(spec), field).unwrap();
        let claim = spec.by(2).claim(&store).await;
        let runs = matches!(claim, Ok(Claim::Acquired { .. } | Claim::Replay(_)));
        assert!(!runs, "without {field}: {claim:?}");
        // An operator can always delete the record.
        let _ = store.forget(&spec.key).await.unwrap();
        spec.acquire(&store).await;
    }
}

/// A full server evicts no record and leaves no partial write.
#[tokio::test]
async fn a_full_server_rejects_claims() {
    let Some(server) = Redis::start(&["--maxmemory-policy", "noeviction"]) else { return };
    let (store, mut admin) = (store_of(&server).await, admin(&server));
    let (done, claimed) = (ClaimSpec::of(1), ClaimSpec::of(2));
    let token = done.acquire(&store).await;
    done.complete(&store, token, b"done").await;
    let token = claimed.acquire(&store).await;
    redis::cmd("CONFIG").arg(&["SET", "maxmemory", "1"]).exec(&mut admin).unwrap();
    let error = ClaimSpec::of(3).claim(&store).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Full, "{}", error_text(&error));
    let error = store.complete(&claimed.key, token, b"done", DAY).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Full, "{}", error_text(&error));
    assert_eq!(done.claim(&store).await.unwrap(), Claim::Replay((*b"done").into()));
    assert_eq!(claimed.acquire(&store).await, token);
    assert_eq!(count(&mut admin), 2);
    redis::cmd("CONFIG").arg(&["SET", "maxmemory", "0"]).exec(&mut admin).unwrap();
    claimed.complete(&store, token, b"done").await;
    ClaimSpec::of(3).acquire(&store).await;
}

#[tokio::test]
async fn a_prefix_is_matched_literally() {
    let Some(server) = Redis::start(&[]) else { return };
    let connection = connected(server.url()).await;
    let prefixes = ["a*", "ab", "a[b]", "a?", "a\\", "ä", ""];
    let stores = prefixes.map(|prefix| RedisStore::new(connection.clone()).prefix(prefix));
    let spec = ClaimSpec::of(1);
    let mut tokens: Vec<Token> = Vec::new();
    for store in &stores {
        tokens.push(spec.by(tokens.len() as u128 + 1).acquire(store).await);
    }
    // Each prefix is a separate store, also for waiters in this process.
    for (store, other) in stores.iter().zip(&stores[1..]) {
        assert_ne!(store.id(), other.id());
    }
    for (store, token) in stores.iter().zip(tokens) {
        assert_eq!(store.interrupted(9).await.unwrap(), []);
        let _ = store.abandon(&spec.key, token).await.unwrap();
        let found = store.interrupted(9).await.unwrap();
        assert_eq!(found.len(), 1, "{store:?}");
        assert_eq!((found[0].key, found[0].label.as_str()), (spec.key, "test.label"));
        assert!(store.forget(&spec.key).await.unwrap());
    }
}

/// The search works among foreign keys, and over several pages.
#[tokio::test]
async fn interrupted_claims_are_found_among_other_keys() {
    let Some(server) = Redis::start(&[]) else { return };
    let (store, mut admin) = (store_of(&server).await, admin(&server));
    let mut others = redis::pipe();
    for number in 0..3000 {
        others.set(format!("other:{number}"), number).ignore();
        others.set(format!("resilience:idem:{{{number}}}"), number).ignore();
    }
    others.exec(&mut admin).unwrap();
    let specs: Vec<ClaimSpec> = (0..200).map(ClaimSpec::of).collect();
    for spec in &specs {
        let token = spec.acquire(&store).await;
        if spec.key.0[0] % 2 == 0 {
            let _ = store.abandon(&spec.key, token).await.unwrap();
        }
    }
    let mut found: Vec<_> = store.interrupted(500).await.unwrap();
    found.sort_by_key(|found| found.key);
    let expected = specs.iter().step_by(2).map(|spec| spec.key);
    assert!(found.iter().map(|found| found.key).eq(expected), "{found:?}");
    assert_eq!(store.interrupted(7).await.unwrap().len(), 7);
    assert_eq!(
        ClaimSpec::of(0).by(2).lease(MINUTE).claim(&store).await.unwrap(),
        Claim::Interrupted { attempt: 1 }
    );
}
