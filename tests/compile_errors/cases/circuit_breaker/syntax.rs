// Mistakes in the form of the attribute, and missing keys.

use resilience::circuit_breaker;

#[circuit_breaker(failure_threshold, reset_timeout = "1s")]
//~ error at `failure_threshold`: `failure_threshold` needs a value: `failure_threshold = …`
fn bare_key() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(failure-threshold = 5)]
//~ error at `failure`: keys are written with underscores, not hyphens: `failure_…`
fn kebab_key() -> Result<(), ()> {
    Err(())
}
