//! The drop order of temporaries, which depends on the edition of the crate.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use crate::compiler::{compile, folder, rustc};
use crate::variants::{HELPERS, variants};

/// The functions of a module. The last expression has a temporary with a destructor.
const FUNCTIONS: &str = r#"
use super::{Failed, Log, Noisy};

ATTRIBUTES
pub(crate) async fn future(log: Log, list: &mut Vec<u32>) -> Result<usize, Failed> {
    let _local = Noisy("local", log.clone());
    std::mem::take(list);
    std::future::ready(()).await;
    Noisy("temporary", log.clone()).length()
}

ATTRIBUTES
pub(crate) async fn reborrowed(log: &Log, list: &mut Vec<u32>) -> Result<usize, Failed> {
    let _local = Noisy("local", log.clone());
    for item in list {
        *item += 1;
    }
    Noisy("temporary", log.clone()).length()
}

BLOCKING
pub(crate) fn blocking(log: &Log, list: &mut Vec<u32>) -> Result<usize, Failed> {
    let _local = Noisy("local", log.clone());
    for item in list {
        *item += 1;
    }
    Noisy("temporary", log.clone()).length()
}

SHARED
pub(crate) async fn shared(log: &Log) -> Result<usize, Failed> {
    let _local = Noisy("local", log.clone());
    std::future::ready(()).await;
    Noisy("temporary", log.clone()).length()
}

#[resilience::circuit_breaker(error = |_| Failed)]
pub(crate) fn first<'a>(list: &'a mut Vec<u32>) -> Result<&'a mut u32, Failed> {
    list.first_mut().ok_or(Failed)
}

BLOCKING
pub(crate) fn expression(log: &Log) -> Result<usize, Failed> {
    Noisy("temporary", log.clone()).length()
}
"#;

const MAIN: &str = r#"
use std::{cell::RefCell, rc::Rc};

type Log = Rc<RefCell<Vec<&'static str>>>;

#[derive(Clone, Debug)]
pub struct Failed;

struct Noisy(&'static str, Log);

impl Drop for Noisy {
    fn drop(&mut self) {
        self.1.borrow_mut().push(self.0);
    }
}

impl Noisy {
    fn length(&self) -> Result<usize, Failed> {
        Ok(self.0.len())
    }
}

fn poll<T>(future: impl std::future::Future<Output = T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(out) => out,
        std::task::Poll::Pending => unreachable!(),
    }
}

macro_rules! run {
    ($($module:ident)*) => {$({
        let log = Log::default();
        let mut list = vec![1];
        let _ = poll($module::future(log.clone(), &mut list));
        let _ = poll($module::reborrowed(&log, &mut list));
        let _ = $module::blocking(&log, &mut list);
        let _ = $module::expression(&log);
        let _ = poll($module::shared(&log));
        println!("{} {:?}", stringify!($module), log.borrow());
    })*};
}
"#;

#[test]
fn temporaries_are_dropped_in_the_order_of_the_edition() {
    let folder = folder("editions");
    let mut source = format!("{MAIN}{HELPERS}");
    let mut names = "plain".to_owned();
    let mut module = |name: &str, attributes: &str, blocking: &str, shared: &str| {
        let functions = FUNCTIONS.replace("ATTRIBUTES", attributes).replace("BLOCKING", blocking);
        let functions = functions.replace("SHARED", shared);
        let _ = writeln!(source, "mod {name} {{{functions}}}");
    };
    module("plain", "", "", "");
    for variant in variants() {
        let attributes = variant.attributes.as_str();
        let exclusive = if variant.shares { "" } else { attributes };
        let blocking = if variant.is_async_only { "" } else { exclusive };
        module(&variant.name, exclusive, blocking, attributes);
        names.push(' ');
        names.push_str(&variant.name);
    }
    let _ = writeln!(source, "fn main() {{ run!({names}); }}");
    let path = folder.join("main.rs");
    fs::write(&path, source).expect("a writable file");
    for (edition, first) in [("2018", "local"), ("2021", "local"), ("2024", "temporary")] {
        let program = folder.join(format!("program{edition}"));
        let args = [
            "--crate-type=bin".to_owned(),
            "--cap-lints=allow".to_owned(),
            format!("--out-dir={}", folder.display()),
            format!("-o{}", program.display()),
        ];
        let output = compile(&rustc(), edition, &path, &args);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let output = Command::new(&program).output().expect("the program runs");
        let output = String::from_utf8_lossy(&output.stdout);
        let mut orders = output.lines().filter_map(|line| line.split_once(' '));
        let (_, plain) = orders.next().expect("the order of the plain functions");
        assert!(plain.starts_with(&format!("[\"{first}\"")), "edition {edition}: {plain}");
        for (name, order) in orders {
            assert_eq!(order, plain, "edition {edition}, {name}");
        }
    }
}
