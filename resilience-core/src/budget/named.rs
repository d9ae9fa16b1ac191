//! Budgets that functions share by name.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::RetryBudget;
use crate::name::intern;

static BUDGETS: Mutex<BTreeMap<&'static str, &'static RetryBudget>> = Mutex::new(BTreeMap::new());

impl RetryBudget {
    /// Returns the budget with this name: the same standard quota for every function of the
    /// process that uses the name. Nested retries with one budget cannot multiply the load without
    /// limit.
    ///
    /// The process never frees a budget. Beyond 10 000 different names, further names share a
    /// budget. The lookup takes a lock in each call: where this matters, keep the reference in a
    /// `static`.
    ///
    /// ```
    /// use std::sync::LazyLock;
    /// use resilience::{RetryBudget, retry};
    ///
    /// #[retry(attempts = 4, budget = RetryBudget::named("payments"))]
    /// fn charge() -> Result<(), &'static str> {
    ///     Ok(())
    /// }
    ///
    /// static PAYMENTS: LazyLock<&'static RetryBudget> =
    ///     LazyLock::new(|| RetryBudget::named("payments"));
    ///
    /// #[retry(attempts = 4, budget = *PAYMENTS)]
    /// fn refund() -> Result<(), &'static str> {
    ///     Ok(())
    /// }
    ///
    /// charge().and(refund()).unwrap();
    /// assert!(std::ptr::eq(*PAYMENTS, RetryBudget::named("payments")));
    /// ```
    #[must_use]
    pub fn named(name: impl AsRef<str>) -> &'static Self {
        let name = intern(name.as_ref());
        let mut budgets = BUDGETS.lock().unwrap_or_else(PoisonError::into_inner);
        budgets.entry(name).or_insert_with(|| Box::leak(Box::new(Self::new())))
    }
}
