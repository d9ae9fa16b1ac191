//! The record as the server has it.

use std::time::Duration;

use redis::{Commands, Connection};
use resilience::idempotent::{Claim, Store, StoreErrorKind, Token};
use resilience::stores::RedisStore;

use crate::servers::{Redis, until};
use crate::{Ask, DAY, MINUTE, beside, connected, count, store_of, words};

fn name(ask: Ask) -> String {
    // The bytes of a key of ours are all the same.
    format!("resilience:idem:{{{}}}", format!("{:02x}", ask.key.0[0]).repeat(32))
}

fn time(server: &mut Connection, ask: Ask, field: &str) -> u64 {
    server.hget::<_, _, String>(name(ask), field).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_part_of_a_millisecond_is_a_whole_one() {
    let Some(server) = Redis::start(&[]) else { return };
    let (store, mut beside) = (store_of(&server).await, beside(&server));
    for (key, nanos, micros) in [(1, 1, 1000), (2, 999_999, 1000), (3, 1_000_001, 2000)] {
        let ask = Ask::of(key).lease(Duration::from_nanos(nanos));
        // The first fence of a record is the time of its claim.
        let begin = ask.acquire(&store).await.fence;
        let lease = time(&mut beside, ask, "lease") - begin;
        assert_eq!(lease, micros, "{nanos} ns");
    }
}

#[tokio::test]
async fn the_longest_times_are_a_hundred_years() {
    const YEARS: i64 = 100 * 365 * 86_400_000;
    let Some(server) = Redis::start(&[]) else { return };
    let (store, mut beside) = (store_of(&server).await, beside(&server));
    let ask = Ask::of(1).lease(Duration::MAX);
    let token = ask.acquire(&store).await;
    let _ = store.renew(&ask.key, token, Duration::from_secs(u64::MAX)).await.unwrap();
    let _ = store.complete(&ask.key, token, b"", Duration::MAX).await.unwrap();
    let left: i64 = beside.pttl(name(ask)).unwrap();
    assert!((YEARS - 60_000..=YEARS + 1).contains(&left), "{left}");
}

/// Nobody has to purge, and Redis drops no record before its lease and its retention are over.
#[tokio::test]
async fn redis_drops_what_has_expired() {
    let Some(server) = Redis::start(&[]) else { return };
    let (store, mut beside) = (store_of(&server).await, beside(&server));
    let (brief, long) = (Ask::of(1), Ask::of(2).lease(DAY * 2));
    let token = brief.acquire(&store).await;
    drops_at(&mut beside, brief, token.fence + micros(DAY));
    let long_token = long.acquire(&store).await;
    let lease = time(&mut beside, long, "lease");
    drops_at(&mut beside, long, lease);
    // A lease that is renewed makes it last longer, and never shorter.
    let _ = store.renew(&long.key, long_token, MINUTE).await.unwrap();
    drops_at(&mut beside, long, long_token.fence + micros(DAY * 2));
    let _ = store.renew(&long.key, long_token, DAY * 3).await.unwrap();
    let lease = time(&mut beside, long, "lease");
    drops_at(&mut beside, long, lease);

    let retention = Duration::from_millis(5);
    let _ = store.complete(&brief.key, token, b"done", retention).await.unwrap();
    until("the end of a record", || count(&mut beside) == 1);
    long.complete(&store, long_token, b"done").await;
    let _ = store.complete(&long.key, long_token, b"again", Duration::ZERO).await.unwrap();
    assert!(beside.exists::<_, bool>(name(long)).unwrap(), "it was complete for longer");
    assert_eq!(store.purge(100).await.unwrap(), 0);
}

/// A record goes at this time, in microseconds, or a little later, but never before.
#[track_caller]
fn drops_at(server: &mut Connection, ask: Ask, time: u64) {
    let drops: u64 = redis::cmd("PEXPIRETIME").arg(name(ask)).query(server).unwrap();
    // It is there in the millisecond of that name.
    let gone = (drops + 1) * 1000;
    assert!((time..time + 1_000_000).contains(&gone), "{gone}, not {time}");
}

fn micros(time: Duration) -> u64 {
    time.as_micros().try_into().unwrap()
}

#[tokio::test]
async fn what_cannot_be_read_is_not_run() {
    let Some(server) = Redis::start(&[]) else { return };
    let (store, mut beside) = (store_of(&server).await, beside(&server));
    let no_hash = Ask::of(1);
    beside.set::<_, _, ()>(name(no_hash), "something").unwrap();
    let of_the_future = Ask::of(2);
    of_the_future.acquire(&store).await;
    beside.hset::<_, _, _, ()>(name(of_the_future), "state", "7").unwrap();
    let no_outcome = Ask::of(3);
    let token = no_outcome.acquire(&store).await;
    no_outcome.complete(&store, token, b"done").await;
    beside.hdel::<_, _, ()>(name(no_outcome), "outcome").unwrap();
    for ask in [no_hash, of_the_future, no_outcome] {
        let error = ask.by(2).claim(&store).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{}", words(&error));
    }
    for (key, field) in [(4, "state"), (5, "fence"), (6, "lease"), (7, "attempts")] {
        let ask = Ask::of(key);
        ask.acquire(&store).await;
        beside.hdel::<_, _, ()>(name(ask), field).unwrap();
        let claim = ask.by(2).claim(&store).await;
        let runs = matches!(claim, Ok(Claim::Acquired { .. } | Claim::Replay(_)));
        assert!(!runs, "without {field}: {claim:?}");
        // An operator can always do away with it.
        let _ = store.forget(&ask.key).await.unwrap();
        ask.acquire(&store).await;
    }
}

/// Nothing is dropped to make room, and nothing is half written.
#[tokio::test]
async fn a_full_server_takes_no_claims() {
    let Some(server) = Redis::start(&["--maxmemory-policy", "noeviction"]) else { return };
    let (store, mut beside) = (store_of(&server).await, beside(&server));
    let (done, held) = (Ask::of(1), Ask::of(2));
    let token = done.acquire(&store).await;
    done.complete(&store, token, b"done").await;
    let token = held.acquire(&store).await;
    redis::cmd("CONFIG").arg(&["SET", "maxmemory", "1"]).exec(&mut beside).unwrap();
    let error = Ask::of(3).claim(&store).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Full, "{}", words(&error));
    let error = store.complete(&held.key, token, b"done", DAY).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Full, "{}", words(&error));
    assert_eq!(done.claim(&store).await.unwrap(), Claim::Replay((*b"done").into()));
    assert_eq!(held.acquire(&store).await, token);
    assert_eq!(count(&mut beside), 2);
    redis::cmd("CONFIG").arg(&["SET", "maxmemory", "0"]).exec(&mut beside).unwrap();
    held.complete(&store, token, b"done").await;
    Ask::of(3).acquire(&store).await;
}

#[tokio::test]
async fn a_prefix_is_taken_literally() {
    let Some(server) = Redis::start(&[]) else { return };
    let connection = connected(server.url()).await;
    let prefixes = ["a*", "ab", "a[b]", "a?", "a\\", "ä", ""];
    let stores = prefixes.map(|prefix| RedisStore::new(connection.clone()).prefix(prefix));
    let ask = Ask::of(1);
    let mut tokens: Vec<Token> = Vec::new();
    for store in &stores {
        tokens.push(ask.by(tokens.len() as u128 + 1).acquire(store).await);
    }
    // Each is a store by itself, also to those who wait in this process.
    for (store, other) in stores.iter().zip(&stores[1..]) {
        assert_ne!(store.id(), other.id());
    }
    for (store, token) in stores.iter().zip(tokens) {
        assert_eq!(store.interrupted(9).await.unwrap(), []);
        let _ = store.abandon(&ask.key, token).await.unwrap();
        let found = store.interrupted(9).await.unwrap();
        assert_eq!(found.len(), 1, "{store:?}");
        assert_eq!((found[0].key, found[0].label.as_str()), (ask.key, "test.label"));
        assert!(store.forget(&ask.key).await.unwrap());
    }
}

/// Among others' keys, and over more than one page.
#[tokio::test]
async fn the_interrupted_are_found_among_others() {
    let Some(server) = Redis::start(&[]) else { return };
    let (store, mut beside) = (store_of(&server).await, beside(&server));
    let mut others = redis::pipe();
    for number in 0..3000 {
        others.set(format!("other:{number}"), number).ignore();
        others.set(format!("resilience:idem:{{{number}}}"), number).ignore();
    }
    others.exec(&mut beside).unwrap();
    let asks: Vec<Ask> = (0..200).map(Ask::of).collect();
    for ask in &asks {
        let token = ask.acquire(&store).await;
        if ask.key.0[0] % 2 == 0 {
            let _ = store.abandon(&ask.key, token).await.unwrap();
        }
    }
    let mut found: Vec<_> = store.interrupted(500).await.unwrap();
    found.sort_by_key(|found| found.key);
    let expected = asks.iter().step_by(2).map(|ask| ask.key);
    assert!(found.iter().map(|found| found.key).eq(expected), "{found:?}");
    assert_eq!(store.interrupted(7).await.unwrap().len(), 7);
    assert_eq!(
        Ask::of(0).by(2).lease(MINUTE).claim(&store).await.unwrap(),
        Claim::Interrupted { attempt: 1 }
    );
}
