//! The file of results: a line for each change, with the verdict of the last run.

use crate::changes::Change;
use std::collections::{BTreeMap, HashMap};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

pub(crate) struct Results {
    verdicts: HashMap<String, String>,
    file: File,
}

impl Results {
    pub(crate) fn read(path: PathBuf) -> Self {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let lines = text.lines().filter_map(|line| line.split_once('\t'));
        let owned = |(name, verdict): (&str, &str)| (name.to_owned(), verdict.to_owned());
        let verdicts = lines.map(owned).collect();
        let file = OpenOptions::new().append(true).create(true).open(path);
        Self { verdicts, file: file.expect("the file of results") }
    }

    /// Returns whether further programs cannot change the verdict.
    pub(crate) fn is_decided(&self, name: &str) -> bool {
        self.verdicts.get(name).is_some_and(|verdict| kind(verdict) != "survived")
    }

    pub(crate) fn record(&mut self, name: &str, verdict: String) {
        writeln!(self.file, "{name}\t{verdict}").expect("the file of results");
        self.verdicts.insert(name.to_owned(), verdict);
    }

    /// Prints the changes that no test noticed, and the number of each kind.
    pub(crate) fn print(&self, changes: &[Change]) {
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        for change in changes {
            let verdict = &self.verdicts[&change.name];
            *kinds.entry(kind(verdict)).or_default() += 1;
            if kind(verdict) == "survived" {
                println!("{verdict}: {}", change.name);
            }
        }
        println!("{} changes: {kinds:?}", changes.len());
    }
}

fn kind(verdict: &str) -> &str {
    verdict.split(':').next().unwrap_or(verdict)
}
