//! The example `storm`: flags, settings file, results and picture.

#[path = "../examples/storm/flags.rs"]
mod flags;
#[path = "../examples/storm/picture.rs"]
mod picture;
#[path = "../examples/storm/scenario.rs"]
mod scenario;
#[path = "../examples/storm/service.rs"]
mod service;
#[path = "../examples/storm/simulation.rs"]
mod simulation;
#[path = "../examples/storm/stacks.rs"]
mod stacks;

use std::cell::Cell;
use std::time::Duration;
use std::{env, fs, process};

use clap::Parser as _;

use crate::flags::Flags;
use crate::scenario::Scenario;
use crate::simulation::{Run, Summary};
use crate::stacks::{Circuit, STACKS};

fn parse(flags: &[&str]) -> Result<Scenario, String> {
    let flags = Flags::try_parse_from([&["storm"], flags].concat());
    flags.map_err(|error| error.to_string())?.scenario()
}

/// Runs with a settings file of this text.
fn parse_with_file(name: &str, text: &str, flags: &[&str]) -> Result<Scenario, String> {
    let path = env::temp_dir().join(format!("storm-{name}-{}.toml", process::id()));
    fs::write(&path, text).expect("the folder for temporary files is writable");
    let path_text = path.to_str().expect("the path is UTF-8");
    let scenario = parse(&[&["--settings", path_text], flags].concat());
    fs::remove_file(&path).expect("the file is there");
    scenario
}

#[test]
fn flags_override_the_settings_file_and_the_file_overrides_the_defaults() {
    assert_eq!(parse(&[]), Ok(Scenario::default()));
    let file = "clients = 50\noutage = \"2500ms\"\nseed = 9\n";
    let expected = Scenario {
        clients: 60,
        outage: Duration::from_millis(2500),
        seed: 9,
        ..Scenario::default()
    };
    assert_eq!(parse_with_file("order", file, &["--clients", "60"]), Ok(expected));
}

#[test]
fn the_settings_file_of_the_example_is_valid() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/storm/long_outage.toml");
    let expected =
        Scenario { clients: 1000, capacity: 1300, outage: Duration::from_secs(120), seed: 7 };
    assert_eq!(parse(&["--settings", path]), Ok(expected));
}

#[test]
fn a_bad_flag_is_an_error_that_names_the_fix() {
    for (flags, part) in [
        (&["--clients", "0"][..], "`clients` is 0; use 1 to 10000"),
        (&["--capacity", "0"], "`capacity` is 0; use 1 to 100000"),
        (&["--clients", "400"], "lower `clients` or raise `capacity`"),
        (&["--outage", "1s"], "`outage` is 1s; use 2s to 600s"),
        (&["--outage", "20"], "write a number with a unit, such as `20s`"),
        (&["--outage", "s"], "write a number with a unit, such as `20s`"),
        (&["--outage", "20h"], "`h` is not a unit of time; use `ms`, `s` or `m`"),
        (&["--outage", "99999999999999999999s"], "is not a time"),
        (&["--outage", "18446744073709551615m"], "use 2s to 600s"),
        (&["--seed=-1"], "invalid value '-1' for '--seed <N>'"),
        (&["--colour"], "unexpected argument '--colour'"),
        (&["--settings", "/no/such/file"], "cannot read the settings file `/no/such/file`"),
    ] {
        let error = parse(flags).expect_err("a mistake");
        assert!(error.contains(part), "{flags:?}: {error}");
    }
}

#[test]
fn a_mistake_in_the_settings_file_is_an_error_with_the_place_and_the_fix() {
    for (name, text, part) in [
        ("unknown", "client = 5", "unknown field `client`, expected one of `clients`"),
        ("unit", "seed = 1\noutage = \"1x\"", "line 2, column 10"),
        ("negative", "clients = -1", "invalid value: integer `-1`"),
        ("syntax", "clients 5", "line 1, column 9"),
        ("range", "outage = \"1ms\"", "`outage` is 1ms; use 2s to 600s"),
    ] {
        let error = parse_with_file(name, text, &[]).expect_err("a mistake");
        assert!(error.contains(part), "{text}: {error}");
    }
}

fn run(scenario: &Scenario) -> Vec<Run> {
    STACKS.iter().map(|stack| simulation::run(scenario, stack, || ()).expect("a runtime")).collect()
}

/// A storm with few calls.
fn small(seed: u64) -> Scenario {
    Scenario { clients: 60, capacity: 80, outage: Duration::from_secs(10), seed }
}

#[test]
fn only_stacks_with_a_budget_or_a_breaker_recover() {
    for seed in 1..=2 {
        let scenario = small(seed);
        let summaries: Vec<Summary> =
            run(&scenario).iter().map(|run| run.summary(&scenario)).collect();
        let recovered: Vec<_> = summaries.iter().map(|s| s.recovery.is_some()).collect();
        assert_eq!(recovered, [false, false, false, true, true, true], "{summaries:?}");
        let [none, .., budget, breaker, all] = &summaries[..] else { panic!("six stacks") };
        assert!(none.requests_per_call > 3.0, "{none:?}");
        assert!(budget.requests_per_call < 1.3, "{budget:?}");
        assert!(breaker.requests_per_call < 1.0, "{breaker:?}");
        assert!(all.errors == 0.0 && all.fallbacks > 0.0, "{all:?}");
        assert!(all.peak < none.peak / 2, "{all:?}, {none:?}");
        for summary in &summaries {
            let all = summary.fresh + summary.fallbacks + summary.errors;
            assert!((all - 1.0).abs() < 1e-9, "{summary:?}");
            assert!(summary.median <= summary.p99, "{summary:?}");
        }
    }
}

#[test]
fn a_run_ticks_once_per_second_and_counts_every_call() {
    let (scenario, ticks) = (small(1), Cell::new(0));
    let run = simulation::run(&scenario, &STACKS[4], || ticks.set(ticks.get() + 1));
    let run = run.expect("a runtime");
    assert_eq!(ticks.get(), scenario.end().as_secs() - 1);
    let (started, outcomes) = run.seconds.iter().fold((0, 0), |(started, outcomes), second| {
        (started + second.started, outcomes + second.latencies.len())
    });
    // A call per client and second, with a deviation of at most 10 %.
    let expected = f64::from(scenario.clients) * scenario.end().as_secs_f64();
    assert!((f64::from(started) / expected - 1.0).abs() < 0.1, "{started}");
    assert_eq!(usize::try_from(started), Ok(outcomes));
    assert_eq!(run.circuit.first().map(|change| change.1), Some(Circuit::Open));
    assert_eq!(run.circuit.last().map(|change| change.1), Some(Circuit::Closed));
}

#[test]
fn the_same_seed_draws_the_same_picture_and_another_seed_another() {
    let picture = |seed| {
        let scenario = small(seed);
        picture::draw(&scenario, &run(&scenario)).expect("a picture")
    };
    let first = picture(1);
    assert!(first.starts_with("<svg") && first.contains("no recovery in 60s"), "{first}");
    assert!(first == picture(1), "two runs of one seed differ");
    assert!(first != picture(2), "two seeds draw the same picture");
}
