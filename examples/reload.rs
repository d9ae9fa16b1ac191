//! Settings from a file, loaded again on SIGHUP: `cargo run --example reload -- settings.toml`.
//!
//! ```toml
//! ["reload::charge".retry]
//! attempts = 5
//! ```
//!
//! Change the file, and send the signal: `kill -HUP <process>`. A file with a mistake changes
//! nothing, and the example prints the mistake with its line.

#![allow(clippy::print_stdout, reason = "the output is the purpose of an example")]

use std::env;
use std::process::ExitCode;

use resilience::{load_environment, load_settings, policies_matching, retry};

#[retry(attempts = 3, base_delay = "1ms")]
async fn charge() -> Result<(), &'static str> {
    Err("the bank is down")
}

/// Loads the file, and prints the settings of `charge` and the mistakes.
fn load(path: &str) {
    match load_settings(path) {
        Ok(loaded) => {
            for name in &loaded.unmatched {
                println!("no policy yet: {name}");
            }
        }
        Err(error) => println!("{error}"),
    }
    for policy in policies_matching("reload::charge") {
        for setting in policy.settings.iter().filter(|setting| setting.name == "attempts") {
            println!("{}.attempts = {} ({:?})", policy.name, setting.value, setting.origin);
        }
    }
}

#[cfg(unix)]
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    use tokio::signal::unix::{SignalKind, signal};

    let Some(path) = env::args().nth(1) else {
        eprintln!("usage: reload <settings.toml>");
        return ExitCode::FAILURE;
    };
    let Ok(mut hangups) = signal(SignalKind::hangup()) else {
        eprintln!("no signals here");
        return ExitCode::FAILURE;
    };
    if let Err(error) = load_environment() {
        println!("{error}");
    }
    // The first call lists the policy.
    let _ = charge().await;
    load(&path);
    while hangups.recv().await.is_some() {
        load(&path);
    }
    ExitCode::SUCCESS
}

#[cfg(not(unix))]
fn main() -> ExitCode {
    eprintln!("SIGHUP needs Unix");
    ExitCode::FAILURE
}
