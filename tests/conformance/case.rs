//! Reads cases: files, words and numbers.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

/// The reason why a case cannot run.
pub(crate) type Skip = String;

/// Returns the case files of `folder`, by name.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("cannot list {}: {error}", folder.display()));
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("a readable folder entry").path())
        .filter(|file| file.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    files
}

/// Returns the cases of `file`: a list, or an object with a list under `cases`.
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

/// Rejects keys that the runner does not map, so that no key is overlooked.
pub(crate) fn only(object: &Value, known: &[&str]) -> Result<(), Skip> {
    let mut keys = object.as_object().into_iter().flat_map(|object| object.keys());
    match keys.find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(format!("`{key}` is not built")),
        None => Ok(()),
    }
}

/// Returns the string, or an empty string.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Returns the elements of a list, or an empty list.
pub(crate) fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Returns a whole number, cut to the range of the crate.
pub(crate) fn count(value: &Value) -> Option<u32> {
    value.as_u64().map(|number| u32::try_from(number).unwrap_or(u32::MAX))
}

/// Returns a time in milliseconds. Whole milliseconds are exact.
pub(crate) fn duration(value: &Value) -> Option<Duration> {
    match value.as_u64() {
        Some(millis) => Some(Duration::from_millis(millis)),
        None => Duration::try_from_secs_f64(value.as_f64()? / 1e3).ok(),
    }
}

/// Returns a time in milliseconds, as in the cases.
pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
