//! Keys, scopes and fingerprints.

use std::borrow::Cow;

use resilience::idempotent::IdempotencyPolicy;
use resilience::{IdempotencyRejection, RejectedKind, idempotent, testing};

use super::{Answer, Runs, rejected_as};

#[test]
fn tenants_have_separate_keys() {
    #[idempotent(key = id, scope = tenant, name = "identity.tenants")]
    fn call(tenant: &str, id: u32, #[skip] runs: &Runs) -> Answer {
        Ok(runs.next())
    }
    let runs = Runs::default();
    assert_eq!((call("a", 1, &runs), call("b", 1, &runs)), (Ok(1), Ok(2)));
    assert_eq!((call("a", 1, &runs), call("b", 1, &runs)), (Ok(1), Ok(2)));
}

#[test]
fn the_parts_of_a_key_are_separated() {
    #[idempotent(key = (a, b), scope = "global", name = "identity.parts")]
    fn call(#[skip] a: &str, #[skip] b: Cow<'_, str>, #[skip] runs: &Runs) -> Answer {
        Ok(runs.next())
    }
    let runs = Runs::default();
    assert_eq!((call("x", "yz".into(), &runs), call("xy", "z".into(), &runs)), (Ok(1), Ok(2)));
}

#[test]
fn functions_have_separate_keys() {
    #[idempotent(key = id, scope = "global")]
    fn one(id: u32) -> Answer {
        Ok(1 + id)
    }
    #[idempotent(key = id, scope = "global")]
    fn two(id: u32) -> Answer {
        Ok(2 + id)
    }
    assert_eq!((one(10), two(10)), (Ok(11), Ok(12)));
}

#[test]
fn the_fingerprint_has_all_arguments_except_skipped_arguments() {
    #[idempotent(key = id, scope = &tenant, name = "identity.arguments")]
    #[allow(clippy::needless_pass_by_value, reason = "an owned argument")]
    fn call(id: u32, tenant: String, cents: u64, #[skip] trace: u32) -> Answer {
        Ok(trace)
    }
    let call = |cents, trace| call(1, "acme".to_owned(), cents, trace);
    assert_eq!((call(5, 1), call(5, 2)), (Ok(1), Ok(1)));
    assert_eq!(call(6, 1), rejected_as(RejectedKind::Idempotency(IdempotencyRejection::KeyReused)));
}

#[test]
fn a_fingerprint_has_the_listed_values() {
    #[idempotent(key = id, scope = "global", fingerprint(cents / 100, note.trim()), name = "identity.named")]
    fn call(id: u32, cents: u64, note: &str, trace: u32) -> Answer {
        Ok(trace)
    }
    assert_eq!(call(1, 500, "a", 1), Ok(1));
    assert_eq!(call(1, 599, " a", 2), Ok(1));
    assert_eq!(
        call(1, 600, "a", 1),
        rejected_as(RejectedKind::Idempotency(IdempotencyRejection::KeyReused))
    );
    assert_eq!(
        call(1, 500, "b", 1),
        rejected_as(RejectedKind::Idempotency(IdempotencyRejection::KeyReused))
    );
}

#[test]
fn an_empty_fingerprint_accepts_any_arguments() {
    #[idempotent(key = id, scope = "global", fingerprint(), name = "identity.nothing")]
    fn call(id: u32, trace: u32) -> Answer {
        Ok(trace)
    }
    assert_eq!((call(1, 1), call(1, 2)), (Ok(1), Ok(1)));
}

#[test]
fn a_missing_key_is_rejected_or_runs_unprotected() {
    #[idempotent(key = id, scope = "global", name = "identity.required")]
    fn required(id: Option<u32>, #[skip] runs: &Runs) -> Answer {
        Ok(runs.next())
    }
    #[idempotent(key = id, scope = "global", optional_key, name = "identity.optional")]
    fn optional(id: Option<&str>, #[skip] runs: &Runs) -> Answer {
        Ok(runs.next())
    }
    let runs = Runs::default();
    assert_eq!(
        required(None, &runs),
        rejected_as(RejectedKind::Idempotency(IdempotencyRejection::MissingKey))
    );
    assert_eq!(runs.count(), 0);
    assert_eq!((optional(None, &runs), optional(None, &runs)), (Ok(1), Ok(2)));
    assert_eq!((optional(Some("a"), &runs), optional(Some("a"), &runs)), (Ok(3), Ok(3)));
    assert_eq!(
        optional(Some(""), &runs),
        rejected_as(RejectedKind::Idempotency(IdempotencyRejection::InvalidKey)),
        "not the same as none"
    );
    assert_eq!(runs.count(), 3);
}

#[test]
fn short_keys_are_rejected() {
    #[idempotent(key = id, scope = "global", min_key_length = 4, name = "identity.length")]
    fn call(id: &str) -> Answer {
        Ok(7)
    }
    assert_eq!(
        (call("abc"), call("abcd")),
        (rejected_as(RejectedKind::Idempotency(IdempotencyRejection::InvalidKey)), Ok(7))
    );
}

#[test]
fn a_missing_scope_is_rejected() {
    #[idempotent(key = id, scope = tenant, optional_key, name = "identity.no_scope")]
    fn call(id: u32, tenant: Option<u32>) -> Answer {
        Ok(7)
    }
    assert_eq!(
        (call(1, None), call(1, Some(1))),
        (rejected_as(RejectedKind::Idempotency(IdempotencyRejection::InvalidKey)), Ok(7))
    );
}

#[test]
fn a_policy_made_by_hand_has_all_settings() {
    static CHARGE: IdempotencyPolicy =
        IdempotencyPolicy::new("identity.policy").ttl(std::time::Duration::from_secs(60));
    #[idempotent(policy = CHARGE, key = id, scope = "global")]
    fn by_static(id: u32, #[skip] runs: &Runs) -> Answer {
        Ok(runs.next())
    }
    #[idempotent(policy = policy, key = id, scope = "global")]
    fn by_argument(id: u32, #[skip] runs: &Runs, #[skip] policy: IdempotencyPolicy) -> Answer {
        Ok(runs.next())
    }
    let (clock, _state) = (testing::clock(), testing::fresh_state());
    let runs = Runs::default();
    assert_eq!((by_static(1, &runs), by_static(1, &runs)), (Ok(1), Ok(1)));
    assert_eq!(by_argument(1, &runs, CHARGE), Ok(1), "the records have the name of the policy");
    clock.advance(std::time::Duration::from_secs(60));
    assert_eq!(by_argument(1, &runs, CHARGE), Ok(2), "the outcome has expired");
}

#[test]
fn fresh_state_replaces_the_memory_store() {
    #[idempotent(key = id, scope = "global", name = "identity.fresh")]
    fn call(id: u32, #[skip] runs: &Runs) -> Answer {
        Ok(runs.next())
    }
    let runs = Runs::default();
    assert_eq!(call(1, &runs), Ok(1));
    {
        let _state = testing::fresh_state();
        assert_eq!((call(1, &runs), call(1, &runs)), (Ok(2), Ok(2)));
    }
    assert_eq!(call(1, &runs), Ok(1));
}
