//! A storm: hundreds of callers, a service that slows down, stands still and recovers, and six
//! stacks of attributes.
//!
//! `cargo run --release --example storm` prints a table and writes `target/storm.svg`. The clock of
//! tokio is paused, so that minutes pass in seconds. `--help` lists the flags, and
//! `--settings examples/storm/long_outage.toml` reads a settings file.
#![allow(clippy::print_stdout, reason = "the output is the purpose of an example")]

mod flags;
mod picture;
mod scenario;
mod service;
mod simulation;
mod stacks;

use std::error::Error;
use std::{fs, process};

use clap::Parser as _;
use indicatif::{ProgressBar, ProgressStyle};

use crate::flags::Flags;
use crate::scenario::Scenario;
use crate::simulation::{Run, Summary};
use crate::stacks::STACKS;

fn main() {
    let flags = Flags::parse();
    let scenario = flags.scenario().unwrap_or_else(|problem| {
        eprintln!("error: {problem}");
        process::exit(2);
    });
    if let Err(error) = storm(&flags, &scenario) {
        eprintln!("error: {error}");
        process::exit(1);
    }
}

fn storm(flags: &Flags, scenario: &Scenario) -> Result<(), Box<dyn Error>> {
    let Scenario { clients, capacity, outage, seed } = scenario;
    println!(
        "{clients} calls/s to a service for {capacity} requests/s; outage of {outage:?} after \
         {:?}; seed {seed}\n",
        Scenario::BEFORE
    );
    let runs = simulate(scenario)?;
    print_table(scenario, &runs);
    let svg = picture::draw(scenario, &runs)?;
    let path = &flags.svg;
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    folder
        .and_then(|()| fs::write(path, svg))
        .map_err(|error| format!("cannot write `{}`: {error}", path.display()))?;
    println!("\npicture: {}", path.display());
    Ok(())
}

/// Runs all stacks. The bar is on standard error, and only on a terminal.
fn simulate(scenario: &Scenario) -> Result<Vec<Run>, Box<dyn Error>> {
    let length = scenario.end().as_secs() * STACKS.len() as u64;
    let style = ProgressStyle::with_template("{msg:20} {bar:40} {percent} % {elapsed}")?;
    let bar = ProgressBar::new(length).with_style(style);
    let mut runs = Vec::new();
    for stack in &STACKS {
        bar.set_message(stack.name);
        runs.push(simulation::run(scenario, stack, || bar.inc(1))?);
    }
    bar.finish_and_clear();
    Ok(runs)
}

fn print_table(scenario: &Scenario, runs: &[Run]) {
    println!(
        "{:<20}{:>8}{:>10}{:>8}{:>12}{:>10}{:>9}{:>9}{:>12}",
        "", "fresh", "fallback", "errors", "requests", "peak", "p50", "p99", "recovered"
    );
    println!(
        "{:<20}{:>8}{:>10}{:>8}{:>12}{:>10}{:>9}{:>9}{:>12}",
        "", "%", "%", "%", "per call", "per s", "ms", "ms", "after s"
    );
    for (stack, run) in STACKS.iter().zip(runs) {
        let Summary {
            fresh,
            fallbacks,
            errors,
            requests_per_call,
            peak,
            median,
            p99,
            recovery,
            ..
        } = run.summary(scenario);
        let [fresh, fallbacks, errors] = [fresh, fallbacks, errors].map(|share| 100.0 * share);
        let [median, p99] = [median, p99].map(|time| 1000.0 * time);
        let recovery = recovery.map_or_else(
            || format!("> {}", Scenario::AFTER.as_secs()),
            |seconds| seconds.to_string(),
        );
        println!(
            "{:<20}{fresh:>8.1}{fallbacks:>10.1}{errors:>8.1}{requests_per_call:>12.2}{peak:>10}\
             {median:>9.0}{p99:>9.0}{recovery:>12}",
            stack.name
        );
    }
}
