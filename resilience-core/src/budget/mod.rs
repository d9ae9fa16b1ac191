//! A limit to how much retrying adds to the load of a service that is already failing.

mod tokens;

use core::cell::Cell;

use self::tokens::Tokens;
use crate::classify::FailureKind;
use crate::clock;
#[cfg(not(resilience_loom))]
use crate::function_state::TestReset;

/// A store of tokens that the retries of all its callers draw on. When it is empty, failures are
/// returned at once; first attempts are never delayed or refused.
///
/// The standard quota lets a burst of failures be retried, and under a lasting outage none: it holds
/// 500 tokens, a retry costs 14 (5 where the other side throttles), a call that succeeds at once earns
/// 1, and one that succeeds on a retry gets the cost of that retry back (the AWS SDKs' standard mode,
/// 2026). [`ratio`](Self::ratio) instead allows a share of the calls (Finagle's and Linkerd's).
///
/// A retry that never starts, because the call was dropped while it waited, is given back.
///
/// ```
/// use resilience::{RetryBudget, RetryPolicy, testing};
///
/// static BUDGET: RetryBudget = RetryBudget::new();
/// static RETRY: RetryPolicy = RetryPolicy::new().budget(&BUDGET);
///
/// let _guard = testing::no_waits();
/// let mut calls = 0;
/// for _ in 0..100 {
///     let result: Result<(), &str> = RETRY.run(|| { calls += 1; Err("down") });
///     assert_eq!(result, Err("down"));
/// }
/// assert_eq!(calls, 100 + 500 / 14); // and not 300
/// ```
#[derive(Debug)]
pub struct RetryBudget {
    tokens: Tokens,
    quota: Quota,
}

/// Everything in thousandths of tokens.
#[derive(Clone, Copy, Debug)]
struct Quota {
    capacity: u32,
    transient: u32,
    throttled: u32,
    per_call: u32,
    per_success: u32,
    per_second: u32,
    /// Whether a retry that succeeds gets its cost back, and not what a success earns.
    refunds: bool,
}

const TOKEN: u32 = 1000;

impl RetryBudget {
    /// The standard quota.
    #[must_use]
    #[cfg(not(resilience_loom))]
    pub const fn new() -> Self {
        Self::with_quota(Quota {
            capacity: 500 * TOKEN,
            transient: 14 * TOKEN,
            throttled: 5 * TOKEN,
            per_call: 0,
            per_success: TOKEN,
            per_second: 0,
            refunds: true,
        })
    }

    /// As many retries as `ratio` times the calls, and 10 a second besides, which a burst may use up
    /// for 10 seconds at once. A ratio below 0, or not a number, counts as 0; one above 1 as 1.
    #[must_use]
    #[cfg(not(resilience_loom))]
    pub const fn ratio(ratio: f64) -> Self {
        Self::with_quota(Quota {
            capacity: 100 * TOKEN,
            transient: TOKEN,
            throttled: TOKEN,
            per_call: thousandths(ratio),
            per_success: 0,
            per_second: 10 * TOKEN,
            refunds: false,
        })
    }

    /// A bucket of `capacity` tokens, full at first, of which each retry takes one. Nothing flows back
    /// until [`per_call`](Self::per_call) or [`per_success`](Self::per_success) says so.
    #[must_use]
    #[cfg(not(resilience_loom))]
    pub const fn bucket(capacity: u32) -> Self {
        Self::with_quota(Quota {
            capacity: capacity.saturating_mul(TOKEN),
            transient: TOKEN,
            throttled: TOKEN,
            per_call: 0,
            per_success: 0,
            per_second: 0,
            refunds: false,
        })
    }

    #[cfg(not(resilience_loom))]
    const fn with_quota(quota: Quota) -> Self {
        Self { tokens: Tokens::new(quota.capacity), quota }
    }

    /// The number of tokens that it holds at most, and at first.
    #[must_use]
    #[cfg(not(resilience_loom))]
    pub const fn capacity(mut self, tokens: u32) -> Self {
        self.quota.capacity = tokens.saturating_mul(TOKEN);
        self.tokens = Tokens::new(self.quota.capacity);
        self
    }

    /// What a retry costs: after a transient failure, and after a throttled one.
    #[must_use]
    pub const fn costs(mut self, transient: u32, throttled: u32) -> Self {
        self.quota.transient = transient.saturating_mul(TOKEN);
        self.quota.throttled = throttled.saturating_mul(TOKEN);
        self
    }

    /// What each call brings before its first attempt: up to one token, in thousandths.
    #[must_use]
    pub const fn per_call(mut self, tokens: f64) -> Self {
        self.quota.per_call = thousandths(tokens);
        self
    }

    /// What each success brings: up to one token, in thousandths.
    #[must_use]
    pub const fn per_success(mut self, tokens: f64) -> Self {
        self.quota.per_success = thousandths(tokens);
        self
    }

    /// The whole tokens that are left.
    #[must_use]
    pub fn tokens(&self) -> u32 {
        self.refill();
        self.tokens.left() / TOKEN
    }

    fn refill(&self) {
        let Quota { per_second, capacity, .. } = self.quota;
        if per_second > 0 {
            self.tokens.refill(clock::now().millis(), per_second, capacity);
        }
    }

    fn give(&self, milli: u32) {
        if milli > 0 {
            self.tokens.add(milli, self.quota.capacity);
        }
    }
}

#[cfg(not(resilience_loom))]
impl Default for RetryBudget {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(not(resilience_loom))]
impl TestReset for RetryBudget {
    fn fresh(&self) -> Self {
        Self::with_quota(self.quota)
    }
}

impl AsRef<RetryBudget> for RetryBudget {
    fn as_ref(&self) -> &RetryBudget {
        self
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and takes NaN to zero"
)]
const fn thousandths(tokens: f64) -> u32 {
    let milli = (tokens * 1000.0 + 0.5) as u32;
    if milli > TOKEN { TOKEN } else { milli }
}

/// What one call does with its budget.
///
/// A withdrawal is given back where the call is dropped before the retry that it pays for starts.
#[derive(Debug)]
pub struct Spending<'b> {
    budget: Option<&'b RetryBudget>,
    /// What the last retry cost.
    cost: Cell<u32>,
    waiting: Cell<bool>,
}

impl<'b> Spending<'b> {
    /// A call starts.
    #[inline]
    #[must_use]
    pub fn new(budget: Option<&'b RetryBudget>) -> Self {
        if let Some(budget) = budget {
            budget.give(budget.quota.per_call);
        }
        Self { budget, cost: Cell::new(0), waiting: Cell::new(false) }
    }

    /// A retry is wanted after a failure of this kind; whether the budget has it.
    pub(crate) fn withdraw(&self, kind: FailureKind) -> bool {
        let Some(budget) = self.budget else { return true };
        let cost = match kind {
            FailureKind::Throttled => budget.quota.throttled,
            _ => budget.quota.transient,
        };
        budget.refill();
        let granted = budget.tokens.take(cost);
        if granted {
            self.cost.set(cost);
            self.waiting.set(true);
        }
        granted
    }

    /// The wait is over: the retry starts, and is paid for.
    #[inline]
    pub fn retrying(&self) {
        self.waiting.set(false);
    }

    /// The call has succeeded.
    #[inline]
    pub fn succeeded(&self) {
        if let Some(budget) = self.budget {
            let retried = self.cost.get() > 0 && budget.quota.refunds;
            budget.give(if retried { self.cost.get() } else { budget.quota.per_success });
        }
    }
}

impl Drop for Spending<'_> {
    fn drop(&mut self) {
        if let (Some(budget), true) = (self.budget, self.waiting.get()) {
            budget.give(self.cost.get());
        }
    }
}
