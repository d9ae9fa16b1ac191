//! Reading cases: their files, and the words and numbers in them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

/// Why a case cannot be run.
pub(crate) type Skip = String;

/// The case files of `folder`, by name.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("cannot list {}: {error}", folder.display()));
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("an entry of a folder that was just listed").path())
        .filter(|file| file.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    files
}

/// The cases of `file`: a list, or an object that has them under `cases`.
pub(crate) fn read(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", file.display()));
    let mut content: Value = serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{} is no JSON: {error}", file.display()));
    if let Some(cases) = content.get_mut("cases") {
        content = cases.take();
    }
    match content {
        Value::Array(cases) => cases,
        _ => panic!("{} holds no list of cases", file.display()),
    }
}

/// Refuses what the runner would otherwise overlook: a key that it does not map.
pub(crate) fn only(object: &Value, known: &[&str]) -> Result<(), Skip> {
    let mut keys = object.as_object().into_iter().flat_map(|object| object.keys());
    match keys.find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(format!("`{key}` is not built")),
        None => Ok(()),
    }
}

/// The string, or an empty one.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The elements of a list, or none.
pub(crate) fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A whole number, cut to what the crate counts with.
pub(crate) fn count(value: &Value) -> Option<u32> {
    value.as_u64().map(|number| u32::try_from(number).unwrap_or(u32::MAX))
}

/// A time given in milliseconds. Whole ones are taken exactly.
pub(crate) fn duration(value: &Value) -> Option<Duration> {
    match value.as_u64() {
        Some(millis) => Some(Duration::from_millis(millis)),
        None => Duration::try_from_secs_f64(value.as_f64()? / 1e3).ok(),
    }
}

/// A time in milliseconds, as cases give it.
pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
