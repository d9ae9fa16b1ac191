// Values that a key does not accept.

use resilience::retry;

#[retry(attempts = count)]
//~ error at `count`: `attempts` must be known at compile time; for a value known at run time pass a policy: `policy = …`
fn argument_as_count(count: u32) -> Result<(), ()> {
    Err(drop(count))
}

#[retry(budget = "20%")]
//~ error at `"20%"`: `budget` must be a share of the calls, above 0 and at most 1; `budget = 0.2` allows one retry for five calls; write `budget = 0.2`
fn budget_text() -> Result<(), ()> {
    Err(())
}

#[retry(jitter = "Full")]
//~ error at `"Full"`: unknown value `"Full"` of `jitter`; did you mean `jitter = "full"`?
fn case_of_jitter() -> Result<(), ()> {
    Err(())
}

#[retry(jitter = true)]
//~ error at `true`: `jitter` takes no `true` or `false`; write `jitter` alone
fn jitter_switch() -> Result<(), ()> {
    Err(())
}

#[retry(backoff = [100, 200])]
//~ error at `100`: missing unit: write `"100ms"` or `"100s"`
fn list_of_numbers() -> Result<(), ()> {
    Err(())
}

#[retry(max_delay = 250)]
//~ error at `250`: missing unit: write `"250ms"` or `"250s"`
fn missing_unit() -> Result<(), ()> {
    Err(())
}

#[retry(max_delay = "250")]
//~ error at `"250"`: missing unit: write `"250ms"` or `"250s"`
fn missing_unit_quoted() -> Result<(), ()> {
    Err(())
}

#[retry(attempts = -1)]
//~ error at `-1`: `attempts` cannot be negative; for no limit write `attempts = "unlimited"`
fn negative_count() -> Result<(), ()> {
    Err(())
}

#[retry(policy = "default")]
//~ error at `"default"`: expected a `RetryPolicy`, like `policy = &RETRY` or `policy = self.retry`
fn policy_literal() -> Result<(), ()> {
    Err(())
}

#[retry(on = "transient")]
//~ error at `"transient"`: expected a path or a closure, like `on = is_transient` or `on = |error| …`
fn predicate_literal() -> Result<(), ()> {
    Err(())
}

#[retry(deadline = "5min")]
//~ error at `"5min"`: unknown unit `min`; write `"5m"`
fn unit_in_words() -> Result<(), ()> {
    Err(())
}

#[retry(backoff = "expo")]
//~ error at `"expo"`: unknown value `"expo"` of `backoff`; expected one of `"exponential"`, `"fixed"`, `"linear"`, `"fibonacci"`
fn unknown_backoff() -> Result<(), ()> {
    Err(())
}

#[retry(jitter = "ful")]
//~ error at `"ful"`: unknown value `"ful"` of `jitter`; did you mean `jitter = "full"`?
fn unknown_jitter() -> Result<(), ()> {
    Err(())
}

#[retry(log = "warning")]
//~ error at `"warning"`: unknown value `"warning"` of `log`; expected one of `"warn"`, `"info"`, `"debug"`, `"off"`
fn unknown_level() -> Result<(), ()> {
    Err(())
}

#[retry(log_give_up = "fatal")]
//~ error at `"fatal"`: unknown value `"fatal"` of `log_give_up`; expected one of `"error"`, `"warn"`, `"info"`, `"debug"`, `"off"`
fn unknown_level_of_giving_up() -> Result<(), ()> {
    Err(())
}

#[retry(on_rejection = "ignore")]
//~ error at `"ignore"`: unknown value `"ignore"` of `on_rejection`; expected one of `"stop"`, `"wait"`
fn unknown_rejection() -> Result<(), ()> {
    Err(())
}

#[retry(nested = "outer")]
//~ error at `"outer"`: unknown value `"outer"` of `nested`; expected one of `"multiply"`, `"outer_only"`
fn unknown_nesting() -> Result<(), ()> {
    Err(())
}

#[retry(nested = "outer_onyl")]
//~ error at `"outer_onyl"`: unknown value `"outer_onyl"` of `nested`; did you mean `nested = "outer_only"`?
fn misspelled_nesting() -> Result<(), ()> {
    Err(())
}

#[retry(nested = outer_only)]
//~ error at `outer_only`: a choice needs quotes: write `nested = "outer_only"`
fn unquoted_nesting() -> Result<(), ()> {
    Err(())
}

#[retry(nested = true)]
//~ error at `true`: expected one of `"multiply"`, `"outer_only"`
fn nesting_as_a_flag() -> Result<(), ()> {
    Err(())
}

#[retry(nested)]
//~ error at `nested`: `nested` needs a value: `nested = …`
fn nesting_without_a_value() -> Result<(), ()> {
    Err(())
}

#[retry(nesting = "outer_only")]
//~ error at `nesting`: `#[retry]` has no `nesting`; write `nested = "outer_only"` (the effect on retries inside)
fn nesting_by_another_name() -> Result<(), ()> {
    Err(())
}

#[retry(policy = &resilience::RetryPolicy::new(), nested = "outer_only")]
//~ error at `nested`: `nested` and `policy` exclude each other: a policy made by hand has its own settings; remove `nested`, or set it on the policy
fn nesting_beside_a_policy() -> Result<(), ()> {
    Err(())
}

#[retry(deadline = "5 minutes")]
//~ error at `"5 minutes"`: unknown unit `minutes`; write `"5m"`
fn unknown_unit() -> Result<(), ()> {
    Err(())
}

#[retry(backoff = exponential)]
//~ error at `exponential`: a choice needs quotes: write `backoff = "exponential"`
fn unquoted_backoff() -> Result<(), ()> {
    Err(())
}

#[retry(attempts = 1.5)]
//~ error at `1.5`: expected a whole number, like `attempts = 4`
fn wrong_type() -> Result<(), ()> {
    Err(())
}

#[retry(attempts = "many")]
//~ error at `"many"`: expected a whole number or `"unlimited"`, like `attempts = 4`
fn attempts_in_words() -> Result<(), ()> {
    Err(())
}

#[retry(backoff = 2)]
//~ error at `2`: expected one of `"exponential"`, `"fixed"`, `"linear"`, `"fibonacci"`, a list like `["100ms", "1s"]`, or an expression with a `Backoff` impl
fn backoff_literal() -> Result<(), ()> {
    Err(())
}

#[retry(budget(ratio))]
//~ error at `budget`: `budget` takes no parentheses; write `budget`, `budget = 0.2` or `budget = &BUDGET`
fn budget_in_parentheses() -> Result<(), ()> {
    Err(())
}

#[retry(deadline = "99999999999999999999d")]
//~ error at `"99999999999999999999d"`: `99999999999999999999d` is too long for a duration
fn duration_too_long() -> Result<(), ()> {
    Err(())
}

#[retry(idempotent = "no")]
//~ error at `"no"`: expected `true`, `false` or a condition, like `idempotent = false`
fn flag_in_quotes() -> Result<(), ()> {
    Err(())
}

#[retry(jitter = 'f')]
//~ error at `'f'`: expected a kind, a ratio or a time: `jitter = "equal"`, `jitter = 0.5`, `jitter = "1s"`
fn jitter_letter() -> Result<(), ()> {
    Err(())
}

#[retry(jitter(full))]
//~ error at `jitter`: `jitter` takes no parentheses; write `jitter`, `jitter = "equal"` or `jitter = 0.5`
fn jitter_in_parentheses() -> Result<(), ()> {
    Err(())
}

#[retry(jitter = false)]
//~ error at `false`: `jitter` takes no `true` or `false`; write `jitter = "none"`
fn jitter_switched_off() -> Result<(), ()> {
    Err(())
}

mod exhausted {
    use resilience::retry;

    #[retry(exhausted = |_| "busy")]
    //~ error at `exhausted`: `exhausted` makes an error from the last value that `on_ok` declines; add `on_ok = …`
    fn without_on_ok() -> Result<u32, &'static str> {
        Ok(1)
    }

    #[retry(on_ok = |n| *n < 5, exhausted = "busy")]
    //~ error at `"busy"`: expected a path or a closure, like `exhausted = still_busy` or `exhausted = |value| …`
    fn no_function() -> Result<u32, &'static str> {
        Ok(1)
    }

    #[retry(on_ok = |n| *n < 5, exhausted = |n| n)]
    //~ rustc: error[E0308] at `n`: mismatched types
    //~ rustc: label: expected `&str`, found `u32`
    fn wrong_type() -> Result<u32, &'static str> {
        Ok(1)
    }
}

mod names {
    use resilience::retry;

    #[retry(name = 7)]
    //~ error at `7`: expected a text in quotes: `name = "…"`
    fn number() -> Result<(), ()> {
        Err(())
    }

    #[retry(name = stringify)]
    //~ error at `stringify`: expected a text in quotes: `name = "…"`
    fn path() -> Result<(), ()> {
        Err(())
    }
}

#[retry(attempts = 4u8)]
//~ error at `4u8`: `attempts` is a `u32`: write `attempts = 4`
fn other_integer() -> Result<(), ()> {
    Err(())
}
