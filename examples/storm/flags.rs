//! The flags and the settings file.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;
use serde::{Deserialize, Deserializer, de};

use crate::scenario::Scenario;

const MOST_CLIENTS: u32 = 10_000;
const MOST_CAPACITY: u32 = 100_000;
const OUTAGES: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(600));

/// Simulates a service that slows down, stands still and recovers, under the load of many callers
/// with six stacks of attributes. Prints a table and writes a picture.
#[derive(Debug, Parser)]
#[command(name = "storm")]
pub(crate) struct Flags {
    #[command(flatten)]
    values: Values,
    /// A TOML file with any of `clients`, `capacity`, `outage`, `seed`; flags override the file
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Where to write the picture
    #[arg(long, value_name = "FILE", default_value = "target/storm.svg")]
    pub(crate) svg: PathBuf,
}

#[derive(Clone, Debug, Default, Deserialize, clap::Args)]
#[serde(deny_unknown_fields)]
struct Values {
    /// Callers, each with a call per second; default 300
    #[arg(long, value_name = "N")]
    clients: Option<u32>,
    /// Requests per second that the service can execute; default 400
    #[arg(long, value_name = "N")]
    capacity: Option<u32>,
    /// Length of the outage, such as `20s`, `1m` or `2500ms`; default 20s
    #[arg(long, value_name = "TIME", value_parser = duration)]
    #[serde(default, deserialize_with = "optional_duration")]
    outage: Option<Duration>,
    /// Seed of the random draws; default 1
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

impl Flags {
    /// Returns the flags over the settings file over the defaults.
    ///
    /// # Errors
    ///
    /// The problem and its fix, if the file is unreadable or a value is out of range.
    pub(crate) fn scenario(&self) -> Result<Scenario, String> {
        let file = self.settings.as_deref().map_or(Ok(Values::default()), read)?;
        let (flags, default) = (&self.values, Scenario::default());
        let scenario = Scenario {
            clients: flags.clients.or(file.clients).unwrap_or(default.clients),
            capacity: flags.capacity.or(file.capacity).unwrap_or(default.capacity),
            outage: flags.outage.or(file.outage).unwrap_or(default.outage),
            seed: flags.seed.or(file.seed).unwrap_or(default.seed),
        };
        validate(&scenario)?;
        Ok(scenario)
    }
}

fn read(path: &Path) -> Result<Values, String> {
    let path_text = path.display();
    let text = fs::read_to_string(path)
        .map_err(|error| format!("cannot read the settings file `{path_text}`: {error}"))?;
    toml::from_str(&text).map_err(|error| format!("in the settings file `{path_text}`: {error}"))
}

fn validate(scenario: &Scenario) -> Result<(), String> {
    let Scenario { clients, capacity, outage, .. } = *scenario;
    if !(1..=MOST_CLIENTS).contains(&clients) {
        return Err(format!("`clients` is {clients}; use 1 to {MOST_CLIENTS}"));
    }
    if !(1..=MOST_CAPACITY).contains(&capacity) {
        return Err(format!("`capacity` is {capacity}; use 1 to {MOST_CAPACITY}"));
    }
    if !(OUTAGES.0..=OUTAGES.1).contains(&outage) {
        let (least, most) = OUTAGES;
        return Err(format!("`outage` is {outage:?}; use {least:?} to {most:?}"));
    }
    if clients >= capacity {
        return Err(format!(
            "`clients` ({clients}) send as many calls per second as the service can execute \
             (`capacity` is {capacity}) or more, also without an outage; lower `clients` or raise \
             `capacity`"
        ));
    }
    Ok(())
}

/// Reads `20s`, `1m` or `2500ms`.
fn duration(text: &str) -> Result<Duration, String> {
    let help = || format!("`{text}` is not a time; write a number with a unit, such as `20s`");
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(help)?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| help())?;
    match unit {
        "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number.saturating_mul(60))),
        _ => Err(format!("`{unit}` is not a unit of time; use `ms`, `s` or `m`")),
    }
}

fn optional_duration<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(from)?;
    duration(&text).map(Some).map_err(de::Error::custom)
}
