//! A claim on its way to the store. If the caller leaves before the answer, the claim is given
//! back.
//!
//! A claim without an answer may have been applied. If the caller leaves, the key would stay
//! claimed until the end of the lease, and count as interrupted afterwards, although no body ran.

use core::time::Duration;

use crate::call::IdempotentCall;
use crate::log::{self, StoreFailure};
use crate::spawn::finish;
use crate::store::{Claim, ClaimRequest, Store, Takeover};
use resilience_core::__internal::{Delay, now};

/// A claim whose answer is pending. Drop gives the claim back.
pub(super) struct SentClaim<'c, S: Store + Clone> {
    call: &'c IdempotentCall<S>,
    owner: u128,
    takeover: Takeover,
    is_pending: bool,
}

impl<'c, S: Store + Clone> SentClaim<'c, S> {
    pub(super) const fn new(call: &'c IdempotentCall<S>, owner: u128, takeover: Takeover) -> Self {
        Self { call, owner, takeover, is_pending: true }
    }

    /// Ends the guard: the caller has the answer, and owns the claim.
    pub(super) fn keep(mut self) {
        self.is_pending = false;
    }
}

impl<S: Store + Clone> Drop for SentClaim<'_, S> {
    fn drop(&mut self) {
        if self.is_pending {
            finish(give_back(self.call.clone(), self.owner, self.takeover));
        }
    }
}

/// Gives a claim back, if the store has applied the claim.
///
/// A repeated claim of the same owner returns the token of the first. The last attempt is at the
/// end of the lease. The delays grow: many calls may leave a slow store at the same time.
async fn give_back<S: Store + Clone>(call: IdempotentCall<S>, owner: u128, takeover: Takeover) {
    let end = now().plus(call.policy.lease);
    let mut delay = Duration::from_millis(100);
    // Waits that a test skips pass on no clock, so they are added up here.
    let mut skipped = Duration::ZERO;
    loop {
        match give_back_once(&call, owner, takeover).await {
            Err(error) if error.is_retryable() => {
                let left = end.since(now().plus(skipped));
                if left.is_zero() {
                    return log::store_error(
                        &call.policy,
                        call.key,
                        StoreFailure::NotReleased,
                        &error,
                    );
                }
                delay = delay.min(left);
            }
            Err(_) | Ok(()) => return,
        }
        let (wait, time) = Delay::start(delay);
        skipped = skipped.saturating_add(time);
        wait.wait().await;
        delay = delay.saturating_mul(2);
    }
}

async fn give_back_once<S: Store + Clone>(
    call: &IdempotentCall<S>,
    owner: u128,
    takeover: Takeover,
) -> crate::StoreResult<()> {
    // Without takeover, so that a claim that was never applied does not take the key of an
    // interrupted call.
    let request = ClaimRequest { takeover: Takeover::Never, ..call.request(owner, takeover) };
    let Claim::Acquired { token, attempt } = call.step(call.store.claim(request)).await? else {
        return Ok(());
    };
    // A claim that took over an interrupted call leaves the key interrupted: the earlier call may
    // have applied its side effect.
    let may_be_applied = call.has_run || (takeover == Takeover::Rerun && attempt > 1);
    let _written = if may_be_applied {
        call.step(call.store.abandon(&call.key, token)).await?
    } else {
        call.step(call.store.release(&call.key, token)).await?
    };
    Ok(())
}
