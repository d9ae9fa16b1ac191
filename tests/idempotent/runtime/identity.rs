//! Fingerprints, scopes and keys of calls, and the absence of user data in messages.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use resilience::idempotent::{
    Claimed, Fingerprint, FingerprintBuilder, IdempotencyPolicy, KeyParts, MemoryStore, Replayed,
    Scope, Secret,
};
use resilience::{IdempotencyRejection, Rejected, RejectedKind};

const POLICY: IdempotencyPolicy = IdempotencyPolicy::new("tests.identity");

fn about(add: impl FnOnce(FingerprintBuilder) -> FingerprintBuilder) -> Fingerprint {
    add(FingerprintBuilder::new(&Secret::default(), "f")).finish().expect("a fingerprint")
}

/// Different values have different fingerprints.
#[test]
fn different_values_have_different_fingerprints() {
    let all = [
        about(|f| f.value("a:b").value("c")),
        about(|f| f.value("a").value("b:c")),
        about(|f| f.value("a:bc")),
        about(|f| f.value(&("a:b", "c"))),
        about(|f| f.value(&(("a:b",), "c"))),
        about(|f| f.value("c").value("a:b")),
        about(|f| f.value(&None::<Option<u8>>)),
        about(|f| f.value(&Some(None::<u8>))),
        about(|f| f.value(&Some(Some(0_u8)))),
        about(|f| f.value(&0_u8)),
        about(|f| f.value(&())),
        about(|f| f.value("")),
        about(|f| f),
        about(|f| f.value(&[0_u8; 0])),
        about(|f| f.value(&[[1, 2], [3, 4]])),
        about(|f| f.value(&[1, 2, 3, 4])),
        about(|f| f.value(&(vec![1], vec![2, 3, 4]))),
        about(|f| f.value(&0.0_f64)),
        about(|f| f.value(&f64::NAN)),
        about(|f| f.value(&f64::INFINITY)),
        about(|f| f.value(&false)),
        about(|f| f.bytes(b"")),
        about(|f| f.value(&i128::MAX)),
        about(|f| f.value(&u128::MAX)),
        about(|f| f.value(&-1_i128)),
        about(|f| f.value(&BTreeMap::<u8, u8>::new())),
    ];
    for (at, one) in all.iter().enumerate() {
        for (other_at, other) in all.iter().enumerate().skip(at + 1) {
            assert_ne!(one.0, other.0, "{at} and {other_at}");
        }
    }
    assert_eq!(about(|f| f.value(&-0.0_f64)), about(|f| f.value(&0.0_f64)));
    assert_eq!(about(|f| f.value(&f64::NAN)), about(|f| f.value(&-f64::NAN)));
    assert_eq!(about(|f| f.value(&7_u8)), about(|f| f.value(&7_i64)));
}

proptest! {
    /// The order of map entries does not change the fingerprint.
    #[test]
    fn the_order_of_map_entries_does_not_count(entries in prop::collection::vec((".*", any::<u64>()), 0..20)) {
        let sorted: BTreeMap<_, _> = entries.iter().cloned().collect();
        let hashed: HashMap<_, _> = entries.iter().cloned().collect();
        let again: HashMap<_, _> = sorted.clone().into_iter().rev().collect();
        let expected = about(|f| f.value(&sorted));
        prop_assert_eq!(about(|f| f.value(&hashed)), expected);
        prop_assert_eq!(about(|f| f.value(&again)), expected);
        let mut more = sorted.clone();
        more.insert("one more".to_owned(), 1);
        prop_assert!(more == sorted || about(|f| f.value(&more)) != expected);
    }

    /// A replayed outcome equals the first outcome.
    #[test]
    fn replayed_outcomes_are_equal(
        value in (any::<f64>(), ".*", any::<Vec<u8>>(), any::<Option<i64>>(), any::<u128>(), any::<()>()),
    ) {
        prop_assume!(value.0.is_finite());
        let store = Arc::new(MemoryStore::new());
        let call = || POLICY.call(Arc::clone(&store), Scope::Global, &1, |f| f).expect("a key");
        let first = call().run(|| Ok::<_, Rejected>(value.clone()));
        let again = call().run(|| unreachable!("the body has run"));
        prop_assert_eq!(&first, &again);
        prop_assert_eq!(first, Ok(value));
    }
}

/// Equal keys in different scopes or functions are independent.
#[test]
fn scopes_are_independent() {
    let store = Arc::new(MemoryStore::new());
    let run = |scope: Scope<'_>, policy: IdempotencyPolicy, value: u32| {
        let call = policy.call(Arc::clone(&store), scope, &"k", |f| f).expect("a key");
        call.run(|| Ok::<_, Rejected>(value))
    };
    let (a, b, pair) = ("a", "b", ("a", "b"));
    let calls = [
        (Scope::Global, POLICY),
        (Scope::Of(&a), POLICY),
        (Scope::Of(&b), POLICY),
        (Scope::Of(&pair), POLICY),
        (Scope::Global, IdempotencyPolicy::new("tests.other")),
    ];
    for round in 0..2 {
        for (value, (scope, policy)) in (0..).zip(calls) {
            assert_eq!(run(scope, policy, value + round * 100), Ok(value));
        }
    }
    // A repeated key with other arguments is rejected.
    let other =
        POLICY.call(Arc::clone(&store), Scope::Global, &"k", |f| f.value(&1)).expect("a key");
    let rejected = other.run(|| Ok::<_, Rejected>(9)).expect_err("other arguments");
    assert_eq!(rejected.kind(), RejectedKind::Idempotency(IdempotencyRejection::KeyReused));
}

/// A key has 1 to 255 printable ASCII characters.
/// Bytes in an array, a slice and a vector are one key, whatever the bytes.
#[test]
fn bytes_are_keys() {
    let store = Arc::new(MemoryStore::new());
    let found = |scope: Scope<'_>, key: &dyn KeyParts| {
        let call = POLICY.call(Arc::clone(&store), scope, key, |f| f);
        call.map(|call| call.key()).map_err(|rejected| rejected.kind())
    };
    let bytes = [0, 255, 7_u8];
    let key = found(Scope::Global, &bytes).expect("a key");
    assert_eq!(found(Scope::Global, &&bytes[..]), Ok(key));
    assert_eq!(found(Scope::Global, &bytes.to_vec()), Ok(key));
    assert_ne!(found(Scope::Of(&bytes.to_vec()), &bytes), Ok(key));
    for empty in [found(Scope::Global, &&bytes[..0]), found(Scope::Global, &Vec::new())] {
        let invalid = IdempotencyRejection::InvalidKey;
        assert_eq!(empty, Err(RejectedKind::Idempotency(invalid)));
    }
}

#[test]
fn text_keys_are_printable_ascii() {
    let store = Arc::new(MemoryStore::new());
    let found = |key: &dyn KeyParts| {
        let call = POLICY.call(Arc::clone(&store), Scope::Global, key, |f| f);
        call.map(|call| call.key()).map_err(|rejected| rejected.kind())
    };
    let longest = "k".repeat(255);
    let good = ["x", "{}", "';--", "\\", "\"quoted\"", "a b", " a b", &longest];
    let mut keys: Vec<_> = good.iter().map(|key| found(key).expect("a key")).collect();
    keys.dedup();
    assert_eq!(keys.len(), good.len());
    let longer = "k".repeat(256);
    for bad in ["", "  ", "a\tb", "a\r\nb", "a\0b", "größe", "\u{7f}", &longer] {
        assert_eq!(
            found(&bad),
            Err(RejectedKind::Idempotency(IdempotencyRejection::InvalidKey)),
            "{bad:?}"
        );
    }
    assert_eq!(
        found(&None::<&str>),
        Err(RejectedKind::Idempotency(IdempotencyRejection::MissingKey))
    );
    assert_eq!(found(&Some("x")), found(&"x"));
    assert_eq!(found(&7), found(&"7"));
    assert_ne!(found(&("a", "bc")), found(&("ab", "c")));
}

#[test]
fn a_policy_has_a_name() {
    assert!(POLICY.validate().is_ok());
    assert!(POLICY.name(" ").validate().is_err());
}

/// The longest durations are valid, and zero durations are not.
#[test]
fn the_longest_durations_are_valid() {
    let _clock = resilience::testing::clock();
    let policy = POLICY.ttl(Duration::MAX).lease(Duration::MAX).wait(Duration::MAX);
    let store = Arc::new(MemoryStore::new());
    for _ in 0..2 {
        let call = policy.call(Arc::clone(&store), Scope::Global, &"k", |f| f).expect("a key");
        assert_eq!(call.run(|| Ok::<_, Rejected>(1)), Ok(1));
    }
    assert!(POLICY.ttl(Duration::ZERO).validate().is_err());
    assert!(POLICY.lease(Duration::ZERO).validate().is_err());
    assert!(POLICY.min_key_length(255).validate().is_ok());
    assert!(POLICY.min_key_length(256).validate().is_err());
}

#[test]
fn a_time_of_zero_counts_as_the_default() {
    let _clock = resilience::testing::clock();
    for policy in [POLICY.ttl(Duration::ZERO), POLICY.lease(Duration::ZERO)] {
        let store = Arc::new(MemoryStore::new());
        let run = |value| {
            let call = policy.call(Arc::clone(&store), Scope::Global, &"k", |f| f).expect("a key");
            call.run(|| Ok::<_, Rejected>(value))
        };
        assert_eq!((run(1), run(2)), (Ok(1), Ok(1)));
    }
}

/// Messages and `Debug` forms show no key, scope, argument or outcome.
#[tokio::test(start_paused = true)]
async fn messages_contain_no_user_data() {
    let secrets = ["key-4929", "tenant-4929", "argument-4929", "outcome-4929"];
    let [key, tenant, argument, outcome] = secrets;
    let store = Arc::new(MemoryStore::new());
    let scope = Scope::Of(&tenant);
    let call = |policy: IdempotencyPolicy, argument: &str| {
        policy.call(Arc::clone(&store), scope, &key, |f| f.value(argument)).expect("a key")
    };
    let mut shown = vec![format!("{:?} {scope:?}", call(POLICY, argument))];
    let end = call(POLICY, argument).run_async(async { Ok::<_, Rejected>(outcome.to_owned()) });
    assert_eq!(end.await.as_deref(), Ok(outcome));

    let wrong = call(POLICY, argument).run_async(async { Ok::<u64, Rejected>(1) }).await;
    let reused = call(POLICY, "other").run_async(async { Ok::<u64, Rejected>(1) }).await;
    let version =
        call(POLICY.version(2), argument).run_async(async { Ok::<u64, Rejected>(1) }).await;
    for rejected in [wrong, reused, version].map(|end| end.expect_err("a rejection")) {
        shown.push(format!("{rejected} {rejected:?} {rejected:#?}"));
        let mut source = std::error::Error::source(&rejected);
        while let Some(error) = source {
            shown.push(format!("{error} {error:?}"));
            source = error.source();
        }
    }
    let by_hand = IdempotencyPolicy::new("tests.by_hand");
    for _ in 0..2 {
        let claimed = call(by_hand, argument).claim().await.expect("an answer");
        shown.push(format!("{claimed:?}"));
        match claimed {
            Claimed::Run(running) => {
                shown.push(format!("{running:?} {:?}", running.context()));
                shown.push(format!("{:?}", running.complete(outcome.as_bytes()).await));
            }
            Claimed::Replay(Replayed::Outcome(bytes)) => assert_eq!(bytes, outcome.as_bytes()),
            other => panic!("{other:?}"),
        }
    }
    shown.push(format!("{store:?}"));
    let bad = POLICY.call(Arc::clone(&store), scope, &"key-4929\twith a tab", |f| f);
    shown.push(format!("{:?}", bad.expect_err("an invalid key")));
    let bytes = format!("{:?}", outcome.as_bytes());
    let digits = bytes.trim_matches(['[', ']']);
    for line in shown {
        assert!(!line.contains("4929") && !line.contains(digits), "{line}");
    }
}
