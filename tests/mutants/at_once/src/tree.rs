//! A copy of the repository in which each change has a switch, and the build of the test programs.

use crate::changes::Change;
use crate::switches::{self, SELECTOR, SELECTOR_FEATURES, Switched};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The copy, from the root of the repository. The folder `target` is not part of the copy.
const FOLDER: &str = "target/mutants/at-once";

/// The compiler of the switched crates: `const_eval_select` is for the standard library only.
const COMPILER: &str = "#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec \"$@\" --cap-lints allow\n";

pub(crate) enum State {
    Switched,
    DoesNotCompile,
    /// The changed code runs in the compiler, or a switch is not possible there.
    WithoutSwitch,
}

pub(crate) struct Tree {
    root: PathBuf,
    states: HashMap<usize, State>,
}

/// A test program.
pub(crate) struct Executable {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    /// The folder of the package, where the program runs.
    pub(crate) folder: PathBuf,
}

impl Tree {
    /// Copies the repository in the current folder, and builds the test programs by the arguments
    /// of `cargo test`, with all changes that compile.
    pub(crate) fn build(changes: &[Change], arguments: &[String]) -> (Self, Vec<Executable>) {
        let root = std::env::current_dir().expect("a current folder").join(FOLDER);
        // Files of an earlier revision would stay otherwise.
        let _ = fs::remove_dir_all(&root);
        copy_repository(&root, changes);
        let compiler = root.join("compiler");
        write_if_new(&compiler, COMPILER.as_bytes());
        fs::set_permissions(&compiler, fs::Permissions::from_mode(0o755)).expect("a program");

        let mut tree = Self { root, states: HashMap::new() };
        loop {
            let files = tree.write_switches(changes);
            let (is_built, messages) = tree.cargo(arguments);
            if is_built {
                return (tree, messages.iter().filter_map(executable).collect());
            }
            let errors: Vec<&Value> = messages.iter().filter_map(error).collect();
            let before = tree.states.len();
            for error in &errors {
                tree.drop_changes(error, &files);
            }
            assert!(tree.states.len() > before, "errors without a change: {errors:#?}");
        }
    }

    /// Builds the test programs with a single change. Returns `None` if the build fails.
    pub(crate) fn build_one(
        &mut self,
        change: &Change,
        arguments: &[String],
    ) -> Option<Vec<Executable>> {
        let path = self.root.join(&change.file);
        let switched = fs::read(&path).expect("a file of the copy");
        let source = fs::read_to_string(&change.file).expect("a file of the list");
        write_if_new(&path, switches::write_one(&source, change).as_bytes());
        let (is_built, messages) = self.cargo(arguments);
        write_if_new(&path, &switched);
        is_built.then(|| messages.iter().filter_map(executable).collect())
    }

    pub(crate) fn state(&self, number: usize) -> &State {
        self.states.get(&number).unwrap_or(&State::Switched)
    }

    /// Writes the changes without a state, and returns the files. A change without a switch gets
    /// its state.
    fn write_switches(&mut self, changes: &[Change]) -> HashMap<String, Switched> {
        let mut by_file: BTreeMap<&str, Vec<&Change>> = BTreeMap::new();
        for change in changes {
            let list = by_file.entry(&change.file).or_default();
            if !self.states.contains_key(&change.number) {
                list.push(change);
            }
        }
        let mut files = HashMap::new();
        for (file, changes) in by_file {
            let source = fs::read_to_string(file).expect("a file of the list");
            let switched = switches::write(&source, &changes);
            write_if_new(&self.root.join(file), switched.text.as_bytes());
            let written: HashSet<_> =
                switched.parts.iter().flat_map(|part| part.changes.clone()).collect();
            for change in changes.iter().filter(|change| !written.contains(&change.number)) {
                self.states.insert(change.number, State::WithoutSwitch);
            }
            files.insert(file.to_owned(), switched);
        }
        files
    }

    /// Builds the test programs. Returns whether all are built, and the messages of cargo.
    fn cargo(&self, arguments: &[String]) -> (bool, Vec<Value>) {
        let mut command = Command::new("cargo");
        command.args(["test", "--no-run", "--message-format=json"]).args(arguments);
        command.env("RUSTC_WORKSPACE_WRAPPER", self.root.join("compiler"));
        let output = command.current_dir(&self.root).stderr(Stdio::inherit()).output();
        let output = output.expect("cargo");
        let lines = output.stdout.split(|byte| *byte == b'\n');
        let messages = lines.filter_map(|line| serde_json::from_slice(line).ok()).collect();
        (output.status.success(), messages)
    }

    /// Gives up the changes that an error of the compiler names.
    fn drop_changes(&mut self, error: &Value, files: &HashMap<String, Switched>) {
        let spans = error["spans"].as_array().expect("spans");
        let mut spans: Vec<&Value> = spans.iter().collect();
        spans.sort_by_key(|span| span["is_primary"] != true);
        for span in spans {
            let at = |key: &str| {
                usize::try_from(span[key].as_u64().expect("an offset")).expect("an offset")
            };
            let (start, end) = (at("byte_start"), at("byte_end"));
            let file = span["file_name"].as_str().and_then(|file| files.get(file));
            let around =
                |part: &&switches::Part| part.range.start <= start && end <= part.range.end;
            let parts = file.iter().flat_map(|file| &file.parts);
            let parts = parts.filter(|part| !part.changes.is_empty());
            if let Some(part) = parts.filter(around).min_by_key(|part| part.range.len()) {
                for number in &part.changes {
                    let state =
                        if part.is_changed { State::DoesNotCompile } else { State::WithoutSwitch };
                    self.states.insert(*number, state);
                }
                return;
            }
        }
    }
}

fn error(message: &Value) -> Option<&Value> {
    let message = &message["message"];
    (message["level"] == "error" && message["spans"][0].is_object()).then_some(message)
}

fn executable(message: &Value) -> Option<Executable> {
    let path = message["executable"].as_str()?.into();
    let manifest = Path::new(message["manifest_path"].as_str()?);
    let name = message["target"]["name"].as_str()?.to_owned();
    let is_test = message["profile"]["test"] == true;
    is_test.then_some(Executable { name, path, folder: manifest.parent()?.to_owned() })
}

/// Copies all files of the repository, except the files with changes. The root file of a changed
/// crate gets the selector.
fn copy_repository(root: &Path, changes: &[Change]) {
    let listed = Command::new("git").args(["ls-files", "-z"]).output().expect("git");
    let listed = String::from_utf8(listed.stdout).expect("names of files");
    let switched: HashSet<&str> = changes.iter().map(|change| &*change.file).collect();
    let roots: HashSet<String> = changes
        .iter()
        .filter_map(|change| Some(format!("{}/src/lib.rs", change.file.split('/').next()?)))
        .collect();
    for file in listed.split_terminator('\0').filter(|file| !switched.contains(file)) {
        let Ok(mut content) = fs::read(file) else { continue };
        if roots.contains(file) {
            content = [SELECTOR_FEATURES.as_bytes(), &content, SELECTOR.as_bytes()].concat();
        }
        write_if_new(&root.join(file), &content);
    }
}

/// Writes a file with another content only, because cargo compares the times of files.
fn write_if_new(path: &Path, content: &[u8]) {
    if fs::read(path).is_ok_and(|old| old == content) {
        return;
    }
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder of the copy");
    fs::write(path, content).expect("a file of the copy");
}
