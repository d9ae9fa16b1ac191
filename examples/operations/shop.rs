//! The functions of the service: one line of attributes for each risk.

use resilience::{
    Rejected, RetryBudget, bulkhead, circuit_breaker, fallback, policies_matching, rate_limit,
    retry, timeout,
};

use crate::bank::{self, BankError};

/// The retries of all functions together.
static BUDGET: RetryBudget = RetryBudget::new();

/// Charges a card.
#[retry(attempts = 3, base_delay = "50ms", budget = &BUDGET, name = "payments::charge")]
#[circuit_breaker(failure_threshold = 5, reset_timeout = "5s", name = "payments::charge")]
#[timeout("500ms", name = "payments::charge")]
pub(crate) async fn charge(cents: u64) -> Result<u64, BankError> {
    bank::answer(cents).await
}

/// Returns the exchange rate, or the rate of yesterday.
#[fallback(value = 100, name = "payments::exchange_rate")]
#[circuit_breaker(
    failure_rate = 0.5,
    window = 20,
    min_calls = 10,
    reset_timeout = "3s",
    name = "payments::exchange_rate"
)]
#[timeout("300ms", name = "payments::exchange_rate")]
pub(crate) async fn exchange_rate() -> Result<u64, BankError> {
    bank::answer(101).await
}

/// Renders an invoice: at most 6 at a time.
#[bulkhead(max = 6, queue = 12, wait = "1s", name = "invoices::render")]
pub(crate) async fn render_invoice(cents: u64) -> Result<u64, BankError> {
    bank::answer(cents).await
}

/// Sends an email: at most 15 a second.
#[rate_limit(rate = 15, per = "1s", name = "emails::send")]
pub(crate) async fn send_email() -> Result<(), Rejected> {
    Ok(())
}

/// Notifies a shop: a circuit for each shop, so that one shop does not stop the others.
#[circuit_breaker(
    key = shop,
    key_label = shop,
    failure_threshold = 3,
    reset_timeout = "8s",
    name = "webhooks::notify"
)]
pub(crate) async fn notify(shop: &str) -> Result<(), BankError> {
    if shop == "broken.example" { Err(BankError::Down) } else { Ok(()) }
}

/// Returns the calls of each policy as a table.
pub(crate) fn summary() -> String {
    let line = |policy: resilience::PolicyReport| {
        let calls = |outcome| policy.count("resilience.calls", &[outcome]);
        let good = calls("success") + calls("admitted");
        let (failed, rejected) = (calls("failure") + calls("fallback"), calls("rejected"));
        format!(
            "{:<16}{:<26}{good:>8} {failed:>8} {rejected:>8}\n",
            policy.kind.as_str(),
            policy.name
        )
    };
    let head =
        format!("{:<16}{:<26}{:>8} {:>8} {:>8}\n", "policy", "name", "good", "failed", "rejected");
    head + &policies_matching("*").into_iter().map(line).collect::<String>()
}
