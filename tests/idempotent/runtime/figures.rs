//! The figures of a failing store and of lost leases.

use resilience::idempotent::testing::{InjectedFault, StoreOp};
use resilience::idempotent::{IdempotencyPolicy, OnLeaseLost, StoreErrorKind};
use resilience::{Rejected, policies};
use tokio::time::sleep;

use super::calls::{call, ms, store};

const DOWN: InjectedFault = InjectedFault::Fail(StoreErrorKind::Unavailable);

/// Returns a figure of the policies with this name.
pub(super) fn count(name: &str, figure: &str, labels: &[&str]) -> u64 {
    let reports = policies().into_iter().filter(|report| report.name == name);
    reports.map(|report| report.count(figure, labels)).sum()
}

#[tokio::test(start_paused = true)]
async fn an_outcome_that_is_not_stored_is_counted() {
    let policy = IdempotencyPolicy::new("figures.unsaved");
    let store = store();
    store.always(StoreOp::Complete, DOWN);
    let ended = call(policy, &store, "k").run_async(async { Ok::<_, Rejected>(7) }).await;
    assert_eq!(ended, Ok(7));
    assert_eq!(count("figures.unsaved", "resilience.idempotent.unsaved", &[]), 1);
    let errors = store.calls(StoreOp::Complete) as u64;
    assert_eq!(count("figures.unsaved", "resilience.idempotent.store_errors", &[]), errors);
}

#[tokio::test(start_paused = true)]
async fn a_lost_lease_and_a_second_execution_are_counted() {
    let policy = IdempotencyPolicy::new("figures.lost").lease(ms(300));
    let policy = policy.on_lease_lost(OnLeaseLost::Continue);
    let store = store();
    store.script(StoreOp::Renew, [DOWN; 4]);
    let slow = call(policy, &store, "k").run_async(async {
        sleep(ms(1000)).await;
        Ok::<_, Rejected>(1)
    });
    let other = async {
        sleep(ms(350)).await;
        call(policy, &store, "k").run_async(async { Ok::<_, Rejected>(2) }).await
    };
    // The slow call returns the outcome of the call that has taken over.
    assert_eq!(tokio::join!(slow, other), (Ok(2), Ok(2)));
    let figure = |figure| count("figures.lost", figure, &[]);
    assert_eq!(figure("resilience.idempotent.leases_lost"), 1);
    assert_eq!(figure("resilience.idempotent.duplicates"), 1);
    assert_eq!(figure("resilience.idempotent.store_errors"), 4);
    assert_eq!(figure("resilience.idempotent.unsaved"), 0);
}
