// Mistakes in the arguments.

use resilience::hedge;

#[hedge(idempotent)]
//~ error at `#[hedge(idempotent)]`: `#[hedge]` needs the time before a second attempt: `after = "50ms"`, or a quantile of the latencies of the function: `after = "p95"`
async fn no_delay() -> Option<()> {
    None
}

#[hedge(after = "50ms")]
//~ error at `#[hedge(after = "50ms")]`: `#[hedge]` may run the body twice at once, so the function must be safe to repeat: declare it with `idempotent`, name the argument with the idempotency key of the request with `key = …`, or put `#[idempotent]` below
async fn not_declared() -> Option<()> {
    None
}

#[hedge(after = "50ms", idempotent = false)]
//~ error at `idempotent`: a function that is not safe to repeat cannot be hedged: both attempts may apply the side effect; remove `#[hedge]`
async fn not_idempotent() -> Option<()> {
    None
}

#[hedge(after = "50ms", idempotent, key = id)]
//~ error at `key`: `key` and `idempotent` exclude each other: each declares that the function is safe to repeat; remove one of them
async fn two_declarations(id: u32) -> Option<u32> {
    Some(id)
}

#[hedge(after = "50ms", key = "id")]
//~ error at `"id"`: `key` is the argument with the idempotency key of the request, like `key = request_id`
async fn literal_key(id: u32) -> Option<u32> {
    Some(id)
}

#[hedge(after = "50ms", key = fresh_key())]
//~ error at `fresh_key()`: `key` names no argument: all attempts must send one idempotency key, which the caller passes in, like `key = request_id`
async fn key_of_no_argument(id: u32) -> Option<u32> {
    Some(id)
}

struct Uuid(u32);

#[hedge(after = "50ms", key = Uuid(7))]
//~ error at `Uuid(7)`: `key` names no argument: all attempts must send one idempotency key, which the caller passes in, like `key = request_id`
async fn key_with_the_type_of_an_argument(order: Uuid) -> Option<u32> {
    Some(order.0)
}

#[hedge(after = "0s", idempotent)]
//~ error at `"0s"`: `after` is zero, so every call would run twice; write `after = "50ms"`, or a quantile: `after = "p95"`
async fn no_time() -> Option<()> {
    None
}

#[hedge(after = 50, idempotent)]
//~ error at `50`: missing unit: write `"50ms"` or `"50s"`; for a quantile write `after = "p50"`
async fn bare_number() -> Option<()> {
    None
}

#[hedge(after = "p95%", idempotent)]
//~ error at `"p95%"`: a quantile is a percentage behind `p`: write `after = "p95"`
async fn not_a_quantile() -> Option<()> {
    None
}

#[hedge(after = "p99.99", idempotent)]
//~ error at `"p99.99"`: `p99.99` is not a quantile; write a percentage with at most one decimal, like `after = "p95"` or `after = "p99.9"`
async fn too_many_decimals() -> Option<()> {
    None
}

#[hedge(after = "p100", idempotent)]
//~ error at `"p100"`: a quantile must be between `p50` and `p99.9`: `after = "p95"` starts a hedge for the slowest 5 % of the calls
async fn slowest_of_all() -> Option<()> {
    None
}

#[hedge(after = "p10", idempotent)]
//~ error at `"p10"`: a quantile must be between `p50` and `p99.9`: `after = "p95"` starts a hedge for the slowest 5 % of the calls
async fn too_fast() -> Option<()> {
    None
}

#[hedge(after = "p95", warm_up = "0s", idempotent)]
//~ error at `"0s"`: `warm_up` is zero, so every call would run twice until the quantile is learned; write `warm_up = "100ms"`
async fn no_warm_up() -> Option<()> {
    None
}

#[hedge(after = "50ms", warm_up = "10ms", idempotent)]
//~ error at `warm_up`: `warm_up` needs a quantile: a delay in `after` is never learned; remove `warm_up`, or write `after = "p95"`
async fn nothing_to_learn() -> Option<()> {
    None
}

#[hedge(after = "50ms", max = 0, idempotent)]
//~ error at `0`: `max` must be between 1 and 9: the number of attempts beside the first
async fn no_hedge() -> Option<()> {
    None
}

#[hedge(after = "50ms", max = 10, idempotent)]
//~ error at `10`: `max` must be between 1 and 9: the number of attempts beside the first
async fn too_many() -> Option<()> {
    None
}

const MAX: u32 = 2;

#[hedge(after = "50ms", max = MAX, idempotent)]
//~ error at `MAX`: `max` must be a number, like `max = 2`: the future of the function has room for each attempt
async fn constant_max() -> Option<()> {
    None
}

#[hedge(after = "50ms", budget = 2.0, idempotent)]
//~ error at `2.0`: `budget` must be a share of the calls, above 0 and at most 1; `budget = 0.2` allows one retry for five calls
async fn budget_above_one() -> Option<()> {
    None
}

#[hedge(after = "50ms", clone, idempotent)]
//~ error at `clone`: `clone` needs the arguments to clone: `clone(body)`
async fn clone_of_nothing() -> Option<()> {
    None
}

#[hedge(after = "p+95", idempotent)]
//~ error at `"p+95"`: `p+95` is not a quantile; write a percentage with at most one decimal, like `after = "p95"` or `after = "p99.9"`
async fn sign_in_a_quantile() -> Option<()> {
    None
}

#[hedge(after = "95%", idempotent)]
//~ error at `"95%"`: a quantile is a percentage behind `p`: write `after = "p95"`
async fn percent() -> Option<()> {
    None
}

#[hedge(after = "95", idempotent)]
//~ error at `"95"`: missing unit: write `"95ms"` or `"95s"`; for a quantile write `after = "p95"`
async fn number_in_quotes() -> Option<()> {
    None
}

#[hedge(after = 0.95, idempotent)]
//~ error at `0.95`: a quantile is a percentage behind `p`: write `after = "p95"`
async fn share() -> Option<()> {
    None
}

#[hedge(after = p95, idempotent)]
//~ error at `p95`: a quantile needs quotes: write `after = "p95"`
async fn quantile_without_quotes() -> Option<()> {
    None
}

#[hedge(after = "95th", idempotent)]
//~ error at `"95th"`: a quantile is a percentage behind `p`: write `after = "p95"`
async fn ordinal() -> Option<()> {
    None
}

#[hedge(after = "median", idempotent)]
//~ error at `"median"`: a quantile is a percentage behind `p`: write `after = "p50"`
async fn median() -> Option<()> {
    None
}
