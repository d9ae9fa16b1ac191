//! The modules of the corpus: one without attributes, one for each attribute, and some stacks.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// The line that stands for the attributes.
const PLACEHOLDER: &str = "#[attribute]";

/// The module without attributes.
pub(crate) const PLAIN: &str = "plain";

/// The attributes with a body that may run more than once.
const REPEATS: &[&str] = &["retry"];

/// Stacks of attributes, from the outermost to the innermost.
const STACKS: &[(&str, &[&str])] = &[
    ("retry_breaker", &["retry", "circuit_breaker"]),
    ("fallback_breaker_timeout", &["fallback", "circuit_breaker", "timeout"]),
    ("timeout_retry", &["timeout", "retry"]),
    ("coalesce_hedge", &["coalesce", "hedge"]),
    (
        "all",
        &[
            "fallback",
            "idempotent",
            "retry",
            "circuit_breaker",
            "rate_limit",
            "bulkhead",
            "timeout",
        ],
    ),
];

/// The items that the arguments of the attributes name.
pub(crate) const HELPERS: &str = "
/// A key for each call.
pub(crate) fn fresh_key() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Stands for a panic.
pub(crate) fn never() -> ! {
    loop {}
}
";

/// A module of the crate.
pub(crate) struct Variant {
    pub(crate) name: String,
    /// The attributes, in one line.
    pub(crate) attributes: String,
    pub(crate) is_async_only: bool,
    /// Whether calls share attempts or outcomes: no exclusive arguments, and owned outcomes.
    pub(crate) shares: bool,
    repeats: bool,
}

impl Variant {
    /// Returns the module of functions without attributes.
    fn plain() -> Self {
        // An attribute without effect: Clippy reports an empty line after documentation.
        let attributes = "#[rustfmt::skip]".to_owned();
        let name = PLAIN.to_owned();
        Self { name, attributes, is_async_only: false, shares: false, repeats: false }
    }

    /// Returns the files of functions that support the attributes.
    pub(crate) fn files(&self) -> Vec<&'static str> {
        if self.shares {
            return vec!["shared"];
        }
        let mut files = vec!["futures", "boxed", "shared"];
        if !self.is_async_only {
            files.push("blocking");
        }
        if !self.repeats {
            files.push("once");
        }
        files
    }
}

fn read(path: impl AsRef<Path>) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The attributes of `tests/every_attribute`. A rule of the repository requires a line for each
/// attribute there.
fn attributes() -> Vec<Variant> {
    let text = read("../every_attribute/attributes.rs");
    let suites = text.split("suites!(").skip(1).zip(text.split("suites!("));
    suites
        .map(|(suite, before)| {
            let suite = suite.split_whitespace().collect::<Vec<_>>().join(" ");
            let (name, rest) = suite.split_once(',').expect("a name and an attribute");
            let attribute = rest.rsplit_once("],").expect("an attribute in brackets").0.trim();
            // A panic in a key needs documentation, which a plain function does not need.
            let mut parts = attribute.split("::core::panic!(");
            let mut attributes = parts.next().unwrap_or_default().to_owned();
            for part in parts {
                let (_, rest) = part.split_once(')').expect("the end of the panic");
                attributes.push_str("crate::never()");
                attributes.push_str(rest);
            }
            attributes.push(']');
            let is_async_only = before.ends_with("async_");
            let repeats = REPEATS.contains(&name);
            let shares = before.ends_with("shared_") || before.ends_with("shared_async_");
            Variant { name: name.to_owned(), attributes, is_async_only, shares, repeats }
        })
        .collect()
}

/// Returns the modules with attributes.
pub(crate) fn variants() -> Vec<Variant> {
    let alone = attributes();
    let stack = |(name, layers): &(&str, &[&str])| {
        let find = |layer: &&str| alone.iter().find(|known| known.name == *layer).expect("a layer");
        let layers: Vec<&Variant> = layers.iter().map(find).collect();
        let attributes: Vec<&str> = layers.iter().map(|layer| layer.attributes.as_str()).collect();
        Variant {
            name: (*name).to_owned(),
            attributes: attributes.join(" "),
            is_async_only: layers.iter().any(|layer| layer.is_async_only),
            shares: layers.iter().any(|layer| layer.shares),
            repeats: layers.iter().any(|layer| layer.repeats),
        }
    };
    let stacks: Vec<Variant> = STACKS.iter().map(stack).collect();
    alone.into_iter().chain(stacks).collect()
}

/// Returns whether a line of a file stands for the attributes.
pub(crate) fn is_attribute(file: &str, line: usize) -> bool {
    let text = read(format!("functions/{file}.rs"));
    text.lines().nth(line - 1).is_some_and(|line| line.trim() == PLACEHOLDER)
}

/// Writes the crate, with `head` in front, and returns the path of its root module.
pub(crate) fn write_crate(folder: &Path, head: &str) -> PathBuf {
    let mut root = format!("//! A corpus.\n{head}{HELPERS}");
    for variant in std::iter::once(Variant::plain()).chain(variants()) {
        let module = folder.join(&variant.name);
        fs::create_dir_all(&module).expect("a folder for the module");
        let _ = writeln!(root, "/// A variant.\npub mod {} {{", variant.name);
        for file in variant.files() {
            let _ = writeln!(root, "pub mod {file};");
            let text = read(format!("functions/{file}.rs"));
            let text = text.replace(PLACEHOLDER, &variant.attributes);
            fs::write(module.join(format!("{file}.rs")), text).expect("a writable module");
        }
        root.push_str("}\n");
    }
    let path = folder.join("lib.rs");
    fs::write(&path, root).expect("a writable root");
    path
}
