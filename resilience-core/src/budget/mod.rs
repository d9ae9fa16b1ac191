//! Retry budgets: limit the load that retries add to a failing service.

#[cfg(not(resilience_loom))]
mod named;
mod recent;
mod tokens;

use core::cell::Cell;

use resilience_rules::{InvalidPolicy, retry as rules};

use self::recent::Recent;
use self::tokens::Tokens;
use crate::classify::FailureKind;
use crate::clock;
#[cfg(not(resilience_loom))]
use crate::function_state::TestReset;

/// A token bucket shared by the retries of all callers. While the bucket is empty, failures are
/// returned at once. First attempts are never delayed or rejected.
///
/// The standard quota allows retries in a burst of failures, and stops retries in a lasting
/// outage. The bucket holds 500 tokens. A retry costs 14 tokens, or 5 after a throttled failure. A
/// first attempt that succeeds earns 1 token, and a retry that succeeds refunds the cost (standard
/// mode of the AWS SDKs, 2026). [`ratio`](Self::ratio) allows a share of the calls instead, as
/// Finagle and Linkerd do.
///
/// A retry that never starts is refunded: the call was dropped during the delay.
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
/// assert_eq!(calls, 100 + 500 / 14); // instead of 300
/// ```
#[derive(Debug)]
pub struct RetryBudget {
    tokens: Tokens,
    /// For a ratio: the tokens of the last ten seconds, which the bucket holds in any case.
    recent: Recent,
    quota: Quota,
}

/// All amounts in thousandths of tokens.
#[derive(Clone, Copy, Debug)]
struct Quota {
    capacity: u32,
    transient: u32,
    throttled: u32,
    per_call: u32,
    per_success: u32,
    per_second: u32,
    /// The share of the calls. The bucket then holds all tokens that the calls of the last ten
    /// seconds earned.
    ratio: Option<f64>,
    /// Whether a successful retry refunds the cost, instead of earning tokens.
    refunds: bool,
}

const TOKEN: u32 = 1000;

impl RetryBudget {
    /// Returns the standard quota.
    #[must_use]
    #[cfg(not(resilience_loom))]
    pub const fn new() -> Self {
        Self::with_quota(Quota {
            capacity: rules::QUOTA_TOKENS * TOKEN,
            transient: rules::QUOTA_TRANSIENT * TOKEN,
            throttled: rules::QUOTA_THROTTLED * TOKEN,
            per_call: 0,
            per_success: TOKEN,
            per_second: 0,
            ratio: None,
            refunds: true,
        })
    }

    /// Allows `ratio` retries per call, plus 10 retries a second. Unused retries add up to the
    /// share of the calls of the last ten seconds, and to at least 100. A ratio below 0, or not a
    /// number, counts as 0; a ratio above 1 counts as 1.
    ///
    /// A share protects a service from overload only if the service has room for the share: for
    /// `ratio` and a service with the capacity `c`, the load of first attempts must stay below
    /// `(c - 10) / (1 + ratio)`. Above that load the retries keep the service overloaded. The
    /// [standard quota](Self::new) stops retries in a lasting outage, at any load.
    ///
    /// ```
    /// use resilience::{RetryBudget, testing};
    ///
    /// static BUDGET: RetryBudget = RetryBudget::ratio(0.2);
    ///
    /// let _clock = testing::clock();
    /// assert_eq!(BUDGET.tokens(), 100);
    /// ```
    #[must_use]
    #[cfg(not(resilience_loom))]
    pub const fn ratio(ratio: f64) -> Self {
        Self::with_quota(Quota {
            capacity: rules::RATIO_TOKENS * TOKEN,
            transient: TOKEN,
            throttled: TOKEN,
            per_call: thousandths(ratio),
            per_success: 0,
            per_second: rules::RATIO_PER_SECOND * TOKEN,
            ratio: Some(ratio),
            refunds: false,
        })
    }

    /// Checks the [`ratio`](Self::ratio), for a ratio from a file. The rule and its message are
    /// those of the key `budget` of `#[retry]`.
    ///
    /// ```
    /// use resilience::RetryBudget;
    ///
    /// assert!(RetryBudget::ratio(0.2).validate().is_ok());
    /// assert!(RetryBudget::ratio(f64::NAN).validate().is_err());
    /// ```
    ///
    /// # Errors
    /// [`InvalidPolicy`] for a ratio outside 0 to 1, and for 0.
    pub const fn validate(&self) -> Result<(), InvalidPolicy> {
        match self.quota.ratio {
            Some(ratio) => rules::budget(ratio),
            None => Ok(()),
        }
    }

    /// Creates a full bucket of `capacity` tokens. Each retry takes a token.
    /// [`per_call`](Self::per_call) and [`per_success`](Self::per_success) refill the bucket;
    /// without both the bucket never refills.
    #[doc(hidden)]
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
            ratio: None,
            refunds: false,
        })
    }

    #[cfg(not(resilience_loom))]
    const fn with_quota(quota: Quota) -> Self {
        Self { tokens: Tokens::new(quota.capacity), recent: Recent::new(), quota }
    }

    /// Sets the capacity, and fills the bucket. The largest capacity is 4 294 967 tokens.
    #[must_use]
    #[cfg(not(resilience_loom))]
    pub const fn capacity(mut self, tokens: u32) -> Self {
        self.quota.capacity = tokens.saturating_mul(TOKEN);
        self.tokens = Tokens::new(self.quota.capacity);
        self
    }

    /// Sets the cost of a retry, after a transient failure and after a throttled failure.
    #[doc(hidden)]
    #[must_use]
    pub const fn costs(mut self, transient: u32, throttled: u32) -> Self {
        self.quota.transient = transient.saturating_mul(TOKEN);
        self.quota.throttled = throttled.saturating_mul(TOKEN);
        self
    }

    /// Sets the tokens that each call earns before the first attempt: at most 1, in steps of a
    /// thousandth.
    #[doc(hidden)]
    #[must_use]
    pub const fn per_call(mut self, tokens: f64) -> Self {
        self.quota.per_call = thousandths(tokens);
        self
    }

    /// Sets the tokens that each success earns: at most 1, in steps of a thousandth.
    #[doc(hidden)]
    #[must_use]
    pub const fn per_success(mut self, tokens: f64) -> Self {
        self.quota.per_success = thousandths(tokens);
        self
    }

    /// Returns the number of whole tokens left.
    #[must_use]
    pub fn tokens(&self) -> u32 {
        self.refill();
        self.tokens.left() / TOKEN
    }

    fn refill(&self) {
        let per_second = self.quota.per_second;
        if per_second > 0 {
            let now = clock::now();
            self.add_waiting(now.seconds());
            self.tokens.refill(now.millis(), per_second, self.capacity_at(now.seconds()));
        }
    }

    /// Adds the tokens of a new call.
    #[inline]
    fn give_for_call(&self) {
        if self.quota.per_call > 0 {
            self.give_per_call();
        }
    }

    /// Not inlined: the standard quota gives nothing for a call.
    #[inline(never)]
    fn give_per_call(&self) {
        if self.quota.ratio.is_none() {
            self.give(self.quota.per_call);
        } else if self.recent.count_call() {
            self.add_batch();
        }
    }

    #[cold]
    #[inline(never)]
    fn add_batch(&self) {
        self.add_waiting(clock::now().seconds());
    }

    /// Adds the tokens of the calls since the last batch. Each look at the tokens comes first here,
    /// so only the second of a call is inexact: a call counts in the second of its batch.
    fn add_waiting(&self, second: u32) {
        let calls = self.recent.take_calls();
        if calls > 0 {
            let milli = calls.saturating_mul(self.quota.per_call);
            self.recent.add(second, milli);
            self.tokens.add(milli, self.capacity_at(second));
        }
    }

    /// Adds the tokens of a success.
    #[inline]
    fn give(&self, milli: u32) {
        self.tokens.add(milli, self.quota.capacity);
    }

    /// Returns the tokens of a retry that never starts.
    #[cold]
    fn refund(&self, milli: u32) {
        let second = clock::now().seconds();
        self.add_waiting(second);
        self.tokens.add(milli, self.capacity_at(second));
    }

    fn capacity_at(&self, second: u32) -> u32 {
        let capacity = self.quota.capacity;
        if self.quota.ratio.is_some() { capacity.max(self.recent.sum(second)) } else { capacity }
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
    reason = "the cast saturates and turns NaN into zero"
)]
const fn thousandths(tokens: f64) -> u32 {
    let milli = (tokens * 1000.0 + 0.5) as u32;
    if milli > TOKEN { TOKEN } else { milli }
}

/// The use of the budget by a single call.
///
/// A withdrawal is refunded if the call is dropped before the paid retry starts.
#[derive(Debug)]
pub struct Spending<'b> {
    budget: Option<&'b RetryBudget>,
    /// The cost of the last retry in the low half, and flags. Zero in the first attempt of a call,
    /// so that a success and the drop test one word.
    word: Cell<u64>,
}

const COST: u64 = u32::MAX as u64;
/// The paid retry has not started.
const IS_WAITING: u64 = 1 << 32;
/// A layer outside spends for the same call, and earns the tokens of the call.
const IS_JOINED: u64 = 1 << 33;

impl<'b> Spending<'b> {
    /// Starts a call.
    #[inline]
    #[must_use]
    pub fn new(budget: Option<&'b RetryBudget>) -> Self {
        if let Some(budget) = budget {
            budget.give_for_call();
        }
        Self { budget, word: Cell::new(0) }
    }

    /// Starts to spend for a call of a layer outside, from the budget of that layer.
    #[inline]
    #[must_use]
    pub const fn joined(budget: &'b RetryBudget) -> Self {
        Self { budget: Some(budget), word: Cell::new(IS_JOINED) }
    }

    /// Withdraws the cost of a retry after a failure of this kind. Returns whether the budget
    /// allows the retry.
    pub(crate) fn withdraw(&self, kind: FailureKind) -> bool {
        let Some(budget) = self.budget else { return true };
        let cost = match kind {
            FailureKind::Throttled => budget.quota.throttled,
            _ => budget.quota.transient,
        };
        budget.refill();
        let granted = budget.tokens.take(cost);
        if granted {
            self.word.set(self.word.get() & IS_JOINED | IS_WAITING | u64::from(cost));
        }
        granted
    }

    /// Records that the retry starts.
    #[inline]
    pub fn retrying(&self) {
        self.word.set(self.word.get() & !IS_WAITING);
    }

    /// Returns the cost of the last retry.
    fn cost(&self) -> u32 {
        (self.word.get() & COST) as u32
    }

    /// Refunds the last withdrawal: the attempt was rejected in this process.
    #[cfg(not(resilience_loom))]
    pub(crate) fn cancel(&self) {
        if let Some(budget) = self.budget {
            budget.refund(self.cost());
            self.word.set(self.word.get() & !COST);
        }
    }

    /// Records that the call succeeded.
    #[inline]
    pub fn succeeded(&self) {
        if let Some(budget) = self.budget {
            match self.word.get() {
                0 => budget.give(budget.quota.per_success),
                _ => self.succeeded_later(budget),
            }
        }
    }

    /// Records the success of a retry, or of a call that a layer outside started.
    #[cold]
    #[inline(never)]
    fn succeeded_later(&self, budget: &RetryBudget) {
        let earned = if self.word.get() & IS_JOINED == 0 { budget.quota.per_success } else { 0 };
        let is_refunded = self.cost() > 0 && budget.quota.refunds;
        budget.give(if is_refunded { self.cost() } else { earned });
    }
}

impl Drop for Spending<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.word.get() & IS_WAITING != 0 {
            refund_waiting(self.budget, self.cost());
        }
    }
}

/// Refunds the withdrawal of a call that was dropped before the paid retry started.
#[cold]
#[inline(never)]
fn refund_waiting(budget: Option<&RetryBudget>, cost: u32) {
    if let Some(budget) = budget {
        budget.refund(cost);
    }
}
