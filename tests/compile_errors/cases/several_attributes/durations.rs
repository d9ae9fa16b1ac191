// Durations in the spelling of other systems.

use resilience::{rate_limit, retry, timeout};

#[timeout("1:30")]
//~ error at `"1:30"`: unknown form of a duration; write `"1m30s"` or `"1h30m"`
async fn clock() -> Option<()> {
    None
}

#[timeout("1,5s")]
//~ error at `"1,5s"`: unknown form of a duration; write `"1.5s"`
async fn decimal_comma() -> Option<()> {
    None
}

#[timeout("PT30S")]
//~ error at `"PT30S"`: unknown form of a duration; write `"30s"`
async fn iso_8601() -> Option<()> {
    None
}

#[timeout("5S")]
//~ error at `"5S"`: unknown unit `S`; write `"5s"`
async fn capital_unit() -> Option<()> {
    None
}

#[timeout("1_000ms")]
//~ error at `"1_000ms"`: unknown form of a duration; write `"1000ms"`
async fn underscore() -> Option<()> {
    None
}

#[timeout("1/2s")]
//~ error at `"1/2s"`: expected a duration, like `"250ms"`, `"5s"` or `"1m30s"`
async fn fraction() -> Option<()> {
    None
}

#[timeout("five seconds")]
//~ error at `"five seconds"`: expected a duration, like `"250ms"`, `"5s"` or `"1m30s"`
async fn words() -> Option<()> {
    None
}

#[timeout("-5s")]
//~ error at `"-5s"`: a duration cannot be negative: write `"5s"`
async fn negative() -> Option<()> {
    None
}

#[timeout("1w")]
//~ error at `"1w"`: unknown unit `w`; write `"7d"`
async fn weeks() -> Option<()> {
    None
}

#[timeout("1s500")]
//~ error at `"1s500"`: missing unit: write `"1s500ms"`
async fn last_unit_missing() -> Option<()> {
    None
}

#[timeout("5s 1s")]
//~ error at `"5s 1s"`: `s` follows a smaller or equal unit; write `"6s"`
async fn unit_twice() -> Option<()> {
    None
}

#[timeout("1e3ms")]
//~ error at `"1e3ms"`: unknown unit `e`; write `"1s"`
async fn exponent() -> Option<()> {
    None
}

#[timeout("0:01:30")]
//~ error at `"0:01:30"`: unknown form of a duration; write `"1m30s"`
async fn clock_with_hours() -> Option<()> {
    None
}

#[timeout(5.0s)]
//~ error at `5.0s`: a duration needs quotes: write `"5.0s"`
async fn no_quotes() -> Option<()> {
    None
}

#[timeout("unlimited")]
//~ error at `"unlimited"`: `unlimited` is not a duration; for no limit remove it
async fn no_limit() -> Option<()> {
    None
}

#[timeout("1 min 30 sec")]
//~ error at `"1 min 30 sec"`: unknown unit `min`; write `"1m30s"`
async fn long_units() -> Option<()> {
    None
}

#[timeout("1 hour and 5 minutes")]
//~ error at `"1 hour and 5 minutes"`: unknown unit `hour`; write `"1h5m"`
async fn conjunction() -> Option<()> {
    None
}

#[timeout("1s, 5ms")]
//~ error at `"1s, 5ms"`: unknown form of a duration; write `"1s5ms"`
async fn list() -> Option<()> {
    None
}

#[timeout(100us)]
//~ error at `100us`: a duration needs quotes: write `"100us"`
async fn microseconds() -> Option<()> {
    None
}

#[timeout("500ms1s")]
//~ error at `"500ms1s"`: `s` follows a smaller or equal unit; write `"1.5s"`
async fn order_of_units() -> Option<()> {
    None
}

#[rate_limit(rate = 10, wait = "infinite")]
//~ error at `"infinite"`: for no limit write `wait = "unlimited"`; for no wait remove `wait`
async fn no_limit_of_a_wait() -> Option<()> {
    None
}

#[retry(deadline = 5_000u64)]
//~ error at `5_000u64`: missing unit: write `"5000ms"` or `"5000s"`
async fn number_with_a_type() -> Option<()> {
    None
}
