use resilience::{RateLimiter, rate_limit};

static PARTNER: RateLimiter =
    RateLimiter::new(10, core::time::Duration::from_secs(1)).shared("partner-api");

#[rate_limit(rate = 10, shared = &PARTNER)]
//~ error at `&PARTNER`: expected the name of the rate in all processes, in quotes: `shared = "partner-api"`; to share a limiter between functions write `limiter = &PARTNER`
fn limiter_in_place_of_a_name() -> Result<(), ()> {
    Err(())
}

#[rate_limit(rate = 10, shared = true)]
//~ error at `true`: expected the name of the rate in all processes, in quotes: `shared = "partner-api"`; to share a limiter between functions write `limiter = &PARTNER`
fn switch_in_place_of_a_name() -> Result<(), ()> {
    Err(())
}

#[rate_limit(rate = 10, shared = "")]
//~ error at `""`: expected the name of the rate in all processes, in quotes: `shared = "partner-api"`; to share a limiter between functions write `limiter = &PARTNER`
fn empty_name() -> Result<(), ()> {
    Err(())
}

#[rate_limit(rate = 10, shared)]
//~ error at `shared`: `shared` needs a value: `shared = …`
fn no_name() -> Result<(), ()> {
    Err(())
}

#[rate_limit(rate = 10, shared = "users", key = user)]
//~ error at `shared`: `shared` and `key` exclude each other: the limiter keeps a hash of each key, so no other process could know the key; remove one of them
fn name_and_key(user: &str) -> Result<(), ()> {
    Err(drop(user.to_owned()))
}

#[rate_limit(limiter = PARTNER, shared = "partner-api")]
//~ error at `shared`: `shared` and `limiter` exclude each other: a policy made by hand has its own settings; remove `shared`, or set it on the policy
fn name_beside_a_limiter() -> Result<(), ()> {
    Err(())
}

#[rate_limit(rate = 10, distributed = "partner-api")]
//~ error at `distributed`: `#[rate_limit]` has no `distributed`; write `shared = "partner-api"` (the name of the rate in all processes)
fn other_word() -> Result<(), ()> {
    Err(())
}

#[rate_limit(shared = "partner-api")]
//~ error at `#[rate_limit(shared = "partner-api")]`: `#[rate_limit]` needs a rate: `rate = 100` for a rate per second; for another period add `per = "1m"`
fn no_rate() -> Result<(), ()> {
    Err(())
}
