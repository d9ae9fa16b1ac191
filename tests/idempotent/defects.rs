//! What may be wrong with a store, and by which case of the suite it is found.

use std::panic::{AssertUnwindSafe, catch_unwind};

use resilience::idempotent::conformance::{self as suite, Candidate};

use crate::conformance::in_virtual_time;
use crate::model::ListStore;

/// The suite passes a store that is sound.
mod sound {
    use super::ListStore;

    use std::future::{Ready, ready};

    // The clock is that of the runtime.
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

        /// Every defect, and whether its case has found it.
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
    OwnerIsEnough: a_token_matches_as_a_whole
    FenceIsEnough: a_token_matches_as_a_whole
    OwnerHalved: owners_of_any_bits
    KeyCutAtNul: keys_are_independent
    KeyHalved: keys_are_independent
    FingerprintHalved: a_fingerprint_counts_to_its_last_bit
    LeaseEndsLate: a_lease_ends_at_its_time
    RecordEndsLate: an_outcome_expires_at_its_time
    RecordNeverEnds: racing_claims_of_the_expired_have_one_winner
    TimesOverflow: the_longest_times_saturate
    LeaseLeftIsWhole: what_is_left_of_a_lease_is_told
    TakeoverKeepsFence: racing_takeovers_have_one_winner
    FenceGoesWithRow: fences_rise_across_removal
    NewTokenForSameOwner: a_repeated_claim_gets_the_same_token
    LapsedOwnerIsAnybody: a_repeated_claim_gets_its_token_after_the_lease
    RepeatedClaimRenews: a_repeated_claim_does_not_renew
    ClaimRelabels: a_claim_leaves_what_it_meets
    MismatchEndsLease: another_fingerprint_is_refused_first
    ReplayBeforeMismatch: another_fingerprint_is_refused_first
    InFlightBeforeMismatch: another_fingerprint_is_refused_first
    OwnerBeforeMismatch: another_fingerprint_is_refused_first
    LapseBeforeMismatch: another_fingerprint_is_refused_first
    ReleaseForgetsFingerprint: a_released_key_keeps_its_fingerprint
    ReleaseRemoves: a_released_key_is_claimed_again
    ReleaseAfterCompletion: what_is_complete_stays
    RepeatedReleaseIsFenced: repeated_writes_are_applied
    ReleasedIsInterrupted: a_released_key_is_claimed_again
    NeverIsRerun: an_abandoned_key_stays_interrupted
    AbandonReleases: an_abandoned_key_stays_interrupted
    AbandonWaits: an_abandoned_key_is_taken_over_at_once
    AttemptsUncounted: attempts_are_counted
    AttemptOutlivesExpiry: an_expired_claim_is_absent
    LateCompletionIsFenced: a_late_completion_counts
    RepeatedCompletionIsFenced: a_repeated_completion_is_applied
    RepeatedCompletionOverwrites: a_repeated_completion_changes_nothing
    RetentionFromClaim: an_outcome_is_kept_from_its_completion
    CompleteAfterRelease: what_is_released_stays
    OutcomeIsText: outcomes_of_any_bytes
    OutcomeIsShort: a_long_outcome
    EmptyOutcomeIsNull: outcomes_of_any_bytes
    ExpiresBeforeLease: a_claim_does_not_expire_before_its_lease
    RenewLeavesExpiry: a_renewed_claim_does_not_expire
    RenewMovesExpiry: a_renewed_claim_does_not_expire
    RenewAfterTheEnd: what_is_complete_stays
    LapsedIsNotRenewed: a_lease_is_renewed_after_its_end
    ClaimInTwoSteps: racing_claims_have_one_winner
    TakeoverInTwoSteps: racing_takeovers_have_one_winner
    PurgeRemovesNothing: purge_removes_the_expired
    PurgeRemovesTheLapsed: purge_keeps_what_is_live
    PurgeRemovesTheReleased: purge_keeps_what_is_live
    PurgeHasNoLimit: purge_removes_no_more_than_asked
    ForgetKeepsTheHeld: a_forgotten_key_is_absent
    ListsTheHeld: what_goes_on_is_not_listed
    ListsTheEnded: what_goes_on_is_not_listed
    ListsTheExpired: what_goes_on_is_not_listed
    ListHasNoLimit: the_interrupted_are_listed
    EveryHandleIsAnother: handles_are_of_one_store
}

#[test]
fn every_defect_is_found() {
    let missed: Vec<_> = found().into_iter().filter(|(_, found)| !found).collect();
    assert!(missed.is_empty(), "{missed:?}");
}
