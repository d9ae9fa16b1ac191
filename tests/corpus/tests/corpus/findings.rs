//! Diagnostics or regions of the modules, and their differences.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use crate::variants::{PLAIN, variants};

/// A finding: line, column, and text.
pub(crate) type Finding = (usize, usize, String);

/// The findings by module and file, with their numbers.
#[derive(Default)]
pub(crate) struct Findings(BTreeMap<(String, String), BTreeMap<Finding, usize>>);

impl Findings {
    /// Adds a finding in a file of a module: `…/module/file.rs`.
    pub(crate) fn add(&mut self, path: &str, finding: Finding) {
        let path = Path::new(path);
        let name = |path: Option<&std::ffi::OsStr>| {
            path.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
        };
        let key = (name(path.parent().and_then(Path::file_name)), name(path.file_stem()));
        *self.0.entry(key).or_default().entry(finding).or_default() += 1;
    }

    /// Returns the number of different findings without attributes.
    pub(crate) fn plain(&self) -> usize {
        let plain = self.0.iter().filter(|((module, _), _)| module == PLAIN);
        plain.map(|(_, found)| found.len()).sum()
    }

    /// Returns the findings whose number differs from the number without attributes, a line each.
    /// `is_accepted` gets the file, the finding, and the numbers without and with the attributes.
    pub(crate) fn differences(
        &self,
        is_accepted: impl Fn(&str, &Finding, usize, usize) -> bool,
    ) -> String {
        let mut report = String::new();
        let nothing = BTreeMap::new();
        for variant in variants() {
            let name = &variant.name;
            for file in variant.files() {
                let of = |module: &str| {
                    self.0.get(&(module.to_owned(), file.to_owned())).unwrap_or(&nothing)
                };
                let (plain, annotated) = (of(PLAIN), of(name));
                let all: BTreeSet<&Finding> = plain.keys().chain(annotated.keys()).collect();
                for finding @ (line, column, text) in all {
                    let count = |of: &BTreeMap<_, usize>| of.get(finding).copied().unwrap_or(0);
                    let (without, with) = (count(plain), count(annotated));
                    if without != with && !is_accepted(file, finding, without, with) {
                        let _ = writeln!(
                            report,
                            "{file}.rs:{line}:{column}: {without} without, {with} with {name}: \
                             {text}"
                        );
                    }
                }
            }
        }
        report
    }
}
