//! The conformance suite for stores: one function per case.
//!
//! [`store_conformance!`](crate::store_conformance) generates a test for each case. A case uses
//! new random keys, so the store may be new for each test, or shared by all tests and hold other
//! records. A store has its own clock, so the cases use real time, with leases of some tenths of a
//! second. A case panics if the store breaks a rule.

mod candidate;
mod claims;
mod fencing;
mod lost_replies;
mod outcomes;
mod racer;
mod races;
mod removal;
mod time;
mod undisturbed;

pub use candidate::Candidate;
pub use claims::*;
pub use fencing::*;
pub use lost_replies::*;
pub use outcomes::*;
pub use races::*;
pub use removal::*;
pub use time::*;
#[doc(hidden)]
pub use undisturbed::undisturbed;

/// Generates the conformance tests of a store of idempotency records, a test for each rule.
///
/// The first argument is an async function that creates the store. Each test calls the function
/// once, and the function may return a handle of a shared store. `keys` is the number of keys in
/// a race: 50 by default, 1000 for a fast store.
///
/// # Examples
/// ```
/// mod conformance {
///     use std::sync::Arc;
///
///     use resilience::idempotent::MemoryStore;
///
///     async fn store() -> Arc<MemoryStore> {
///         Arc::new(MemoryStore::new())
///     }
///
///     # #[cfg(any())]
///     resilience::store_conformance!(store, keys = 1000);
/// }
/// ```
///
/// Each test runs on a multi-threaded tokio runtime. The crate that contains the tests therefore
/// has a dev-dependency on `tokio` with the feature `rt-multi-thread`. For a store on another
/// runtime, `block_on` names a function that runs a future: `store_conformance!(store, keys = 50,
/// block_on = smol::block_on)`. Races then use one thread per racer.
#[macro_export]
macro_rules! store_conformance {
    ($make:expr $(, keys = $keys:expr)? $(,)?) => {
        $crate::store_conformance! {
            @cases $make, $crate::store_conformance!(@keys $($keys)?), |case| {
                let mut runtime = ::tokio::runtime::Builder::new_multi_thread();
                match runtime.worker_threads(4).enable_all().build() {
                    ::core::result::Result::Ok(runtime) => runtime.block_on(case),
                    ::core::result::Result::Err(error) => ::core::panic!("no runtime: {error}"),
                }
            }
        }
    };
    ($make:expr $(, keys = $keys:expr)?, block_on = $block_on:expr $(,)?) => {
        $crate::store_conformance! {
            @cases $make, $crate::store_conformance!(@keys $($keys)?), |case| $block_on(case)
        }
    };
    (@keys) => { 50 };
    (@keys $keys:expr) => { $keys };
    (@cases $make:expr, $keys:expr, |$case:ident| $run:expr) => {
        $crate::store_conformance! {
            @tests $make, $keys, |$case| $run,
            a_first_claim_is_acquired
            a_claim_in_flight_is_visible
            keys_are_independent
            a_completed_key_replays
            a_mismatch_takes_precedence
            every_fingerprint_bit_counts
            a_released_key_is_claimed_again
            a_released_key_keeps_its_fingerprint
            an_abandoned_key_is_taken_over_at_once
            an_abandoned_key_stays_interrupted
            attempts_are_counted
            all_128_bits_of_an_owner_count
            a_rejected_claim_changes_nothing
            handles_share_one_store

            a_lost_owner_changes_nothing
            a_lost_owner_sees_the_new_claim
            a_late_completion_is_applied
            a_renewed_lease_is_extended
            an_ended_lease_can_be_renewed
            a_completed_record_stays_completed
            a_released_record_stays_released
            owner_and_fence_must_both_match
            writes_create_no_records
            fences_rise
            fences_rise_across_expiry
            fences_rise_across_removal

            a_repeated_claim_gets_the_same_token
            a_repeated_claim_does_not_renew
            a_repeated_claim_gets_its_token_after_the_lease_ends
            a_repeated_completion_is_applied
            a_repeated_completion_changes_nothing
            repeated_writes_are_applied
            a_repeated_release_does_not_affect_the_next_claim

            a_lease_ends_on_time
            the_remaining_lease_is_reported
            an_outcome_expires_on_time
            retention_starts_at_completion
            a_claim_does_not_expire_before_its_lease
            a_renewed_claim_does_not_expire
            an_expired_claim_is_absent
            an_expired_released_record_is_absent
            long_durations_saturate
            a_wait_for_a_change_ends_at_its_hint

            outcomes_of_arbitrary_bytes
            a_long_outcome
            an_outcome_appears_atomically
            an_expired_outcome_does_not_return

            racing_claims_have_one_winner
            racing_takeovers_have_one_winner
            racing_claims_of_expired_records_have_one_winner
            racing_claims_of_released_records_have_one_winner
            racing_repeated_claims_get_one_token
            racing_fingerprints_have_one_winner
            a_late_completion_races_a_takeover
            a_release_races_a_completion

            purge_removes_expired_records
            purge_keeps_live_records
            purge_respects_its_limit
            purge_races_claims
            a_forgotten_key_is_absent
            interrupted_claims_are_listed
            only_interrupted_claims_are_listed
        }
    };
    (@tests $make:expr, $keys:expr, |$case:ident| $run:expr, $($name:ident)+) => {
        $(
            #[test]
            fn $name() {
                $crate::conformance::undisturbed(|| {
                    let $case = async {
                        let candidate = $crate::conformance::Candidate::new($make().await);
                        $crate::conformance::$name(candidate.keys($keys)).await;
                    };
                    $run
                });
            }
        )+
    };
}
