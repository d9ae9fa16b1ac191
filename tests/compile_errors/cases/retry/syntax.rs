// Mistakes in the form of the attribute, and missing keys.

use resilience::retry;

#[retry(attempts)]
//~ error at `attempts`: `attempts` needs a value: `attempts = …`
fn bare_key() -> Result<(), ()> {
    Err(())
}

#[retry(bind = "attempt")]
//~ error at `"attempt"`: expected a name for a local in the body: `bind = attempt`
fn bind_literal() -> Result<(), ()> {
    Err(())
}

#[retry(clone = text)]
//~ error at `text`: `clone` takes names in parentheses: write `clone(text)`
fn clone_value(text: String) -> Result<(), usize> {
    Err(text.len())
}

#[retry(attempts: 3)]
//~ error at `:`: expected `=` between a key and its value: `attempts = …`
fn colon() -> Result<(), ()> {
    Err(())
}

#[retry(crate = resilience)]
//~ error at `resilience`: `crate` is the absolute path of the runtime, like `crate = ::my_crate::resilience`
fn crate_path() -> Result<(), ()> {
    Err(())
}

#[retry(backoff = [])]
//~ error at `[]`: a list of delays needs at least one delay
fn empty_list() -> Result<(), ()> {
    Err(())
}

#[retry(base-delay = "1s")]
//~ error at `base`: keys are written with underscores, not hyphens: `base_…`
fn kebab_key() -> Result<(), ()> {
    Err(())
}

#[retry(attempts = 3 jitter)]
//~ error at `jitter`: expected `,` between two arguments
fn missing_comma() -> Result<(), ()> {
    Err(())
}

#[retry(attempts = , jitter)]
//~ error at `attempts`: `attempts =` needs a value
fn missing_value() -> Result<(), ()> {
    Err(())
}

#[retry = 3]
//~ rustc: error at `#[retry = 3]`: key-value macro attributes are not supported
//~ error at `3`: expected a key, like `attempts = 4`
fn name_value() -> Result<(), ()> {
    Err(())
}

#[retry(attempts 3)]
//~ error at `3`: expected `=` between a key and its value: `attempts = …`
fn no_equals() -> Result<(), ()> {
    Err(())
}

#[retry(attempts = "4")]
//~ error at `"4"`: a number has no quotes: write `attempts = 4`
fn quoted_count() -> Result<(), ()> {
    Err(())
}

#[retry(attempts(3))]
//~ error at `(3)`: expected plain names in parentheses; for a value write `attempts = …`
fn value_in_parentheses() -> Result<(), ()> {
    Err(())
}

#[retry(bind = state::attempt)]
//~ error at `state::attempt`: expected a name for a local in the body: `bind = attempt`
fn bind_path() -> Result<(), ()> {
    Err(())
}
