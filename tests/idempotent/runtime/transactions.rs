//! Calls inside a transaction of the caller.

use std::future::Future;

use resilience::context::Context;
use resilience::idempotent::testing::StoreOp;
use resilience::idempotent::{Claim, ClaimRequest, Store, StoreResult, TxStore, WriteOutcome};
use resilience::{Rejected, RejectedKind, idempotent};
use tokio::time::sleep;

use super::calls::{Faulty, POLICY, call, ms, store};

/// A transaction that commits every change at once.
#[derive(Debug)]
pub(super) struct Ledger;

impl TxStore<Ledger> for Faulty {
    fn claim_in(
        &self,
        _: &mut Ledger,
        request: ClaimRequest<'_>,
    ) -> impl Future<Output = StoreResult<Claim>> + Send {
        self.claim(request)
    }

    async fn complete_in(
        &self,
        _: &mut Ledger,
        request: ClaimRequest<'_>,
        outcome: &[u8],
    ) -> StoreResult<WriteOutcome> {
        let (key, retention) = (request.key, request.retention);
        match self.claim(request).await? {
            Claim::Acquired { token, .. } => self.complete(key, token, outcome, retention).await,
            _ => Ok(WriteOutcome::Fenced),
        }
    }
}

/// A call after the deadline claims nothing, and its body does not run.
#[tokio::test(start_paused = true)]
async fn a_call_in_a_transaction_has_a_deadline() {
    #[idempotent(key = 1, scope = "global", store = store, transaction = tx)]
    async fn pay(#[skip] store: &Faulty, #[skip] tx: &mut Ledger) -> Result<u32, Rejected> {
        unreachable!("after the deadline: {tx:?}")
    }

    let store = store();
    let late = async {
        sleep(ms(2)).await;
        let by_hand = call(POLICY, &store, "k");
        let by_hand = by_hand.run_in(&mut Ledger, async |_| Ok::<_, Rejected>(7)).await;
        (by_hand, pay(&store, &mut Ledger).await)
    };
    let (by_hand, annotated) = Context::new().deadline(ms(1), "handler").scope(late).await;
    for end in [by_hand, annotated] {
        assert_eq!(end.map_err(|rejected| rejected.kind()), Err(RejectedKind::DeadlineExceeded));
    }
    assert_eq!(store.calls(StoreOp::Claim), 0);
    let mut tx = Ledger;
    let on_time = call(POLICY, &store, "k").run_in(&mut tx, async |_| Ok::<_, Rejected>(7));
    assert_eq!(on_time.await, Ok(7));
}
