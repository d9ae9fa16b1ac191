//! Draws the pictures of the documentation from the policies of the library and the results of
//! `scripts/peers`.
//!
//! `scripts/pictures` writes the files, `scripts/pictures --check` compares the files with the
//! committed ones.

mod backoff;
mod data_uri;
mod outage;
mod peers;
#[path = "../../../examples/storm/picture.rs"]
mod picture;
#[path = "../../../examples/storm/scenario.rs"]
mod scenario;
#[path = "../../../examples/storm/service.rs"]
mod service;
#[path = "../../../examples/storm/simulation.rs"]
#[expect(dead_code, reason = "the table of the example has more figures than the picture")]
mod simulation;
#[path = "../../../examples/storm/stacks.rs"]
mod stacks;
mod style;

use std::error::Error;
use std::path::Path;
use std::{env, fs};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let is_check = match env::args().nth(1).as_deref() {
        None => false,
        Some("--check") => true,
        Some(argument) => {
            return Err(format!("unknown argument `{argument}`; use `--check`").into());
        }
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let diagrams = ["circuit_breaker.svg", "ordering.svg"];
    let files = [
        ("docs/backoff.svg", backoff::draw()?),
        ("docs/outage.svg", outage::draw()?),
        ("docs/storm.svg", storm()?),
        ("docs/peers.svg", peers::draw(&root.join("benches/peers/results.csv"))?),
        ("src/pictures.txt", data_uri::definitions(&root.join("docs"), &diagrams)?),
    ];
    for (name, content) in files {
        let path = root.join(name);
        if !is_check {
            fs::write(path, content)?;
        } else if fs::read_to_string(path)? != content {
            return Err(format!("{name} is out of date; run `scripts/pictures`").into());
        }
    }
    Ok(())
}

/// Draws the default run of the example `storm`.
fn storm() -> Result<String> {
    let scenario = scenario::Scenario::default();
    let run = |stack| simulation::run(&scenario, stack, || ());
    let runs = stacks::STACKS.iter().map(run).collect::<std::io::Result<Vec<_>>>()?;
    picture::draw(&scenario, &runs)
}
