//! Settings files: no text makes a loader panic, and an error names at least one problem.
#![no_main]

use libfuzzer_sys::fuzz_target;
use resilience::{load_settings_json, load_settings_toml};

fuzz_target!(|text: &str| {
    for result in [load_settings_toml("fuzz.toml", text), load_settings_json("fuzz.json", text)] {
        if let Err(error) = result {
            assert!(!error.problems().is_empty(), "{error}");
            assert!(!error.to_string().is_empty());
        }
    }
});
