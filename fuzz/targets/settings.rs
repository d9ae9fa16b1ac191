//! Settings files: no text makes a loader panic, an error names a problem and changes no policy, and a second load of
//! a valid text has the result of the first.
#![no_main]

use std::future::pending;
use std::sync::Once;

use futures::executor::block_on;
use libfuzzer_sys::fuzz_target;
use resilience::{
    LoadedSettings, Rejected, Setting, SettingsError, bulkhead, circuit_breaker, coalesce,
    fallback, hedge, load_settings_json, load_settings_toml, policies_matching, rate_limit, retry,
    testing, timeout,
};

// A policy checks settings together with those of the code, so each attribute with settings has a policy.
#[retry(attempts = 3, base_delay = "1ms", deadline = "1m", initial_delay = "1ms", name = "a")]
#[circuit_breaker(slow_call = "1s", name = "a")]
#[rate_limit(rate = 1_000_000, name = "a")]
#[bulkhead(max = 4, name = "a")]
#[timeout("1ms", name = "a")]
async fn call() -> Result<(), Rejected> {
    pending().await
}

#[fallback(stale = "10m", key = (), name = "a")]
#[coalesce(key = (), name = "a")]
#[hedge(after = "p95", warm_up = "1s", max = 2, idempotent, name = "a")]
async fn hedged() -> Result<(), Rejected> {
    Ok(())
}

/// Calls the functions, because a policy is listed from the first call on.
fn list() {
    let _first = policies_matching("a");
    let _waits = testing::no_waits();
    block_on(call()).expect_err("the body has no end");
    block_on(hedged()).expect("the body works");
    assert_eq!(in_use().len(), 8, "the attributes with settings");
}

fn in_use() -> Vec<Vec<Setting>> {
    policies_matching("a").into_iter().map(|policy| policy.settings).collect()
}

type Load = fn(&str, &str) -> Result<LoadedSettings, SettingsError>;

static LIST: Once = Once::new();

fuzz_target!(|text: &str| {
    LIST.call_once(list);
    let loads: [Load; 2] = [load_settings_toml, load_settings_json];
    for load in loads {
        load_settings_toml("none", "").expect("an empty file");
        let before = in_use();
        match load("fuzz", text) {
            Ok(loaded) => {
                let after = in_use();
                assert_eq!(load("fuzz", text).expect("a file that was valid"), loaded);
                assert_eq!(in_use(), after);
            }
            Err(error) => {
                assert!(!error.problems().is_empty(), "{error}");
                assert!(!error.to_string().is_empty());
                assert_eq!(in_use(), before, "{error}");
            }
        }
    }
});
