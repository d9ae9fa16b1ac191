//! Every setting of every attribute, from a file and from the environment.

use std::collections::BTreeSet;
use std::time::Duration;

use resilience::SettingOrigin::{self, Environment, File};
use resilience::{
    PolicyReport, control, load_environment_from, load_settings_toml, policies_matching, retry,
    testing,
};

use crate::{alone, every};

const PAGE: &str = include_str!("../../docs/operations.md");

/// Returns the value and the origin of a setting.
fn setting(policy: &str, kind: &str, key: &str) -> Option<(String, SettingOrigin)> {
    let is_it = |report: &PolicyReport| report.kind.as_str() == kind;
    let report = policies_matching(policy).into_iter().find(is_it).expect("listed");
    let setting = report.settings.into_iter().find(|known| known.name == key)?;
    Some((setting.value, setting.origin))
}

/// Returns the settings in the table of keys: the attribute, then the keys.
fn documented() -> BTreeSet<String> {
    let (_, table) = PAGE.split_once("| attribute | keys |\n").expect("a table");
    let rows = table.lines().skip(1).take_while(|row| row.starts_with('|'));
    let words = |row: &str| row.split('`').skip(1).step_by(2).map(String::from).collect::<Vec<_>>();
    rows.map(words)
        .flat_map(|row| row[1..].iter().map(|key| format!("{}.{key}", row[0])).collect::<Vec<_>>())
        .collect()
}

#[test]
fn the_page_has_every_setting() {
    let known: BTreeSet<_> = every::valid_values().into_keys().map(String::from).collect();
    assert_eq!(documented(), known);
}

#[test]
fn every_setting_is_read_from_a_file_and_from_the_environment() {
    let _alone = alone();
    every::list();
    for (path, value) in every::valid_values() {
        let (kind, key) = path.split_once('.').unwrap();
        let name = every::policy(path);
        let now = || setting(name, kind, key);
        let before = now();
        let is_bare = value.parse::<f64>().is_ok() || value == "true";
        let written = if is_bare { value.to_owned() } else { format!("'{value}'") };
        load_settings_toml("a.toml", &format!("['{name}'.{kind}]\n{key} = {written}")).unwrap();
        assert_eq!(now(), Some((value.to_owned(), File)), "{path}");
        let variable = format!("RESILIENCE__{name}__{kind}__{key}").replace("::", "__");
        load_environment_from([(variable.to_uppercase(), value)]).unwrap();
        assert_eq!(now(), Some((value.to_owned(), Environment)), "{path}");
        load_settings_toml("a.toml", "").unwrap();
        load_environment_from::<&str, &str>([]).unwrap();
        assert_eq!(now(), before, "{path}");
    }
}

#[test]
fn a_custom_backoff_is_checked_with_the_other_settings() {
    fn flat(_retry: u32) -> Duration {
        Duration::from_millis(1)
    }
    #[retry(
        backoff = flat, initial_delay = "1s", deadline = "5s", name = "every::custom_backoff"
    )]
    fn call() -> Result<(), &'static str> {
        Err("down")
    }
    let _alone = alone();
    let _waits = testing::no_waits();
    assert!(call().is_err());
    let error = control("every::custom_backoff").set("retry.initial_delay", "10s").unwrap_err();
    assert!(error.to_string().contains("`initial_delay` (10s) is not shorter"), "{error}");
    control("every::custom_backoff").set("retry.initial_delay", "2s").unwrap();
    control("every::custom_backoff").unset("retry.initial_delay").unwrap();
}
