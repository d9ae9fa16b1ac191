//! Defects of a store, and the case of the conformance suite that finds each defect.

use std::panic::{AssertUnwindSafe, catch_unwind};

use resilience::idempotent::conformance::{self as suite, Candidate};

use super::conformance::in_virtual_time;
use super::model::ListStore;

/// A correct store passes the suite.
mod correct {
    use super::ListStore;

    use std::future::{Ready, ready};

    // Created inside the runtime, because the store uses its clock.
    fn store() -> Ready<ListStore> {
        ready(ListStore::new(None))
    }

    resilience::store_conformance!(store, block_on = super::in_virtual_time);
}

macro_rules! defects {
    ($($defect:ident: $case:ident)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Defect {
            $($defect),+
        }

        /// Returns every defect, and whether its case has failed.
        fn found() -> Vec<(Defect, bool)> {
            vec![$((Defect::$defect, {
                let case = || in_virtual_time(async {
                    let store = ListStore::new(Some(Defect::$defect));
                    suite::$case(Candidate::new(store).keys(5)).await;
                });
                catch_unwind(AssertUnwindSafe(case)).is_err()
            })),+]
        }
    };
}

defects! {
    UnfencedComplete: a_lost_owner_changes_nothing
    UnfencedRelease: a_lost_owner_changes_nothing
    UnfencedAbandon: a_lost_owner_changes_nothing
    UnfencedRenew: a_lost_owner_changes_nothing
    OwnerIsEnough: owner_and_fence_must_both_match
    FenceIsEnough: owner_and_fence_must_both_match
    OwnerHalved: all_128_bits_of_an_owner_count
    KeyCutAtNul: keys_are_independent
    KeyHalved: keys_are_independent
    FingerprintHalved: every_fingerprint_bit_counts
    LeaseEndsLate: a_lease_ends_on_time
    RecordEndsLate: an_outcome_expires_on_time
    RecordNeverEnds: racing_claims_of_expired_records_have_one_winner
    TimesOverflow: long_durations_saturate
    LeaseLeftIsWhole: the_remaining_lease_is_reported
    TakeoverKeepsFence: racing_takeovers_have_one_winner
    FenceGoesWithRow: fences_rise_across_removal
    NewTokenForSameOwner: a_repeated_claim_gets_the_same_token
    LapsedOwnerIsAnybody: a_repeated_claim_gets_its_token_after_the_lease_ends
    RepeatedClaimRenews: a_repeated_claim_does_not_renew
    ClaimRelabels: a_rejected_claim_changes_nothing
    MismatchEndsLease: a_mismatch_takes_precedence
    ReplayBeforeMismatch: a_mismatch_takes_precedence
    InFlightBeforeMismatch: a_mismatch_takes_precedence
    OwnerBeforeMismatch: a_mismatch_takes_precedence
    LapseBeforeMismatch: a_mismatch_takes_precedence
    ReleaseForgetsFingerprint: a_released_key_keeps_its_fingerprint
    ReleaseRemoves: a_released_key_is_claimed_again
    ReleaseAfterCompletion: a_completed_record_stays_completed
    RepeatedReleaseIsFenced: repeated_writes_are_applied
    ReleasedIsInterrupted: a_released_key_is_claimed_again
    NeverIsRerun: an_abandoned_key_stays_interrupted
    AbandonReleases: an_abandoned_key_stays_interrupted
    AbandonWaits: an_abandoned_key_is_taken_over_at_once
    AttemptsUncounted: attempts_are_counted
    AttemptOutlivesExpiry: an_expired_claim_is_absent
    LateCompletionIsFenced: a_late_completion_is_applied
    RepeatedCompletionIsFenced: a_repeated_completion_is_applied
    RepeatedCompletionOverwrites: a_repeated_completion_changes_nothing
    RetentionFromClaim: retention_starts_at_completion
    CompleteAfterRelease: a_released_record_stays_released
    OutcomeIsText: outcomes_of_arbitrary_bytes
    OutcomeIsShort: a_long_outcome
    EmptyOutcomeIsNull: outcomes_of_arbitrary_bytes
    ExpiresBeforeLease: a_claim_does_not_expire_before_its_lease
    RenewLeavesExpiry: a_renewed_claim_does_not_expire
    RenewMovesExpiry: a_renewed_claim_does_not_expire
    RenewAfterTheEnd: a_completed_record_stays_completed
    LapsedIsNotRenewed: an_ended_lease_can_be_renewed
    ClaimInTwoSteps: racing_claims_have_one_winner
    TakeoverInTwoSteps: racing_takeovers_have_one_winner
    PurgeRemovesNothing: purge_removes_expired_records
    PurgeRemovesTheLapsed: purge_keeps_live_records
    PurgeRemovesTheReleased: purge_keeps_live_records
    PurgeHasNoLimit: purge_respects_its_limit
    ForgetKeepsTheHeld: a_forgotten_key_is_absent
    ListsTheHeld: only_interrupted_claims_are_listed
    ListsTheEnded: only_interrupted_claims_are_listed
    ListsTheExpired: only_interrupted_claims_are_listed
    ListHasNoLimit: interrupted_claims_are_listed
    EveryHandleIsAnother: handles_share_one_store
}

#[test]
fn the_suite_finds_every_defect() {
    let missed: Vec<_> = found().into_iter().filter(|(_, found)| !found).collect();
    assert!(missed.is_empty(), "{missed:?}");
}
