//! The admin page: its routes, its protection, and the page in a browser.
#![cfg(feature = "admin")]

mod browser;
mod controls;
mod driver;
#[path = "../settings/every.rs"]
mod every;
mod routes;

use std::net::SocketAddr;
use std::sync::{RwLock, mpsc};
use std::thread;

use axum::Router;
use resilience::admin::Admin;
use resilience::circuit_breaker;
use tokio::runtime::Builder;

/// A name with markup and with quotes of every kind.
pub(crate) const HOSTILE: &str = "</script><img src=x onerror=\"document.title='hacked'\">'`${1}";

/// The lists of events and of changes are bounded. A test that fills a list excludes the tests that
/// read an entry.
static LISTS: RwLock<()> = RwLock::new(());

/// Fails if asked to.
#[circuit_breaker(failure_threshold = 3, reset_timeout = "1h", name = "search")]
fn search(fails: bool) -> Result<u32, std::io::Error> {
    if fails { Err(std::io::Error::other("down")) } else { Ok(1) }
}

/// Serves the router on a free port, for the rest of the process.
fn serve(router: Router) -> SocketAddr {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            send.send(listener.local_addr().expect("an address")).expect("the test waits");
            axum::serve(listener, router).await.expect("the server runs");
        });
    });
    receive.recv().expect("the server has started")
}

/// Serves a page below `/admin` whose controls need the header `x-operator`, the name of the author.
fn serve_guarded() -> SocketAddr {
    let admin = Admin::new().authorize(|request| {
        let operator = request.headers.get("x-operator")?.to_str().ok()?;
        Some(operator.to_owned())
    });
    serve(Router::new().nest("/admin", admin.router()))
}

fn state_of(name: &str) -> String {
    circuit_breaker(name).expect("the function was called").state().to_string()
}

/// A function with a breaker of its own, for a test that changes the state.
macro_rules! controlled {
    ($function:ident, $name:expr) => {
        #[circuit_breaker(name = $name)]
        fn $function() -> Result<u32, Rejected> {
            Ok(1)
        }
        assert_eq!($function().ok(), Some(1));
    };
}
use controlled;
