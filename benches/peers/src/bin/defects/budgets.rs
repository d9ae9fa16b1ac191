//! Retry budgets.

use std::cell::Cell;
use std::time::Duration;

use resilience::{RetryBudget, RetryPolicy, testing};
use tower::retry::budget::{Budget as _, TpsBudget};

use crate::Defect;
use crate::delays::counting;

pub(crate) fn all() -> Vec<Defect> {
    vec![share_of_60_percent()]
}

fn share_of_60_percent() -> Defect {
    const CALLS: u32 = 3000;
    static BUDGET: RetryBudget = RetryBudget::ratio(0.6);
    let budget = TpsBudget::new(Duration::from_secs(10), 0, 0.6);
    let mut theirs = 0;
    for _ in 0..CALLS {
        budget.deposit();
        theirs += u32::from(budget.withdraw());
    }
    let clock = testing::clock();
    let policy = RetryPolicy::new().attempts(2).fixed().base_delay(Duration::ZERO).budget(&BUDGET);
    let attempts = Cell::new(0);
    for _ in 0..CALLS {
        let _ = policy.run(|| counting(&attempts, Err::<(), ()>(())));
        clock.advance(Duration::from_millis(1));
    }
    // The fixed part of the share: 100 tokens, and 10 per second for 3 s.
    let ours = attempts.get() - CALLS - 130;
    let percent = |retries: u32| 100.0 * f64::from(retries) / f64::from(CALLS);
    Defect::new(
        ("tower 0.5", "`TpsBudget` of 60 %, all calls fail: retries per call"),
        format_args!("{:.0} %", percent(theirs)),
        format_args!("{:.0} %", percent(ours)),
        percent(theirs) > 90.0 && (percent(ours) - 60.0).abs() < 2.0,
    )
}
