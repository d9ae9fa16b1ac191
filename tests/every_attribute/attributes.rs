// Every attribute, with the number of failures that the attribute hides from the caller. A new
// attribute needs a line in this list.

suites!(
    bulkhead,
    #[::resilience::bulkhead(max = 9, queue = 9, error = |_| ::core::panic!("full"))],
    0
);
suites!(
    circuit_breaker,
    #[::resilience::circuit_breaker(failure_threshold = 9, error = |_| ::core::panic!("open"))],
    0
);
shared_suites!(
    coalesce,
    #[::resilience::coalesce(key = crate::fresh_key(), error = |_| ::core::panic!("panicked"))],
    0
);
suites!(fallback, #[::resilience::fallback(with = ::core::result::Result::Err)], 0);
shared_async_suites!(
    hedge,
    #[::resilience::hedge(after = "9s", max = 2, idempotent)],
    2
);
holding_suites!(
    idempotent,
    #[::resilience::idempotent(
        key = crate::fresh_key(),
        scope = "global",
        fingerprint(),
        keep = "nothing",
        name = "suite",
        error = |_| ::core::panic!("repeated")
    )],
    0
);
suites!(
    rate_limit,
    #[::resilience::rate_limit(rate = 9, burst = 999, error = |_| ::core::panic!("too many"))],
    0
);
suites!(retry, #[::resilience::retry(attempts = 3, base_delay = "1ms")], 2);
async_suites!(timeout, #[::resilience::timeout("9s", error = |_| ::core::panic!("late"))], 0);
