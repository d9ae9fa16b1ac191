//! Concurrent calls with equal keys share one execution.

mod call;
mod facts;
mod flight;
#[cfg(all(test, resilience_loom))]
mod model;
mod report;

use core::fmt;
use core::future::Future;
use core::hash::Hash;

pub use self::call::{coalesce, coalesce_blocking};
use self::flight::Flights;
use crate::function_state::TestReset;
use crate::key_hash::KeyHash;
use crate::name::intern;
use crate::outcome::Outcome;
use crate::registry::{PolicyFigures, PolicyKind};
use crate::rejected::{FromRejected, reject};
use crate::sync::const_fn;

/// Shares one execution between concurrent calls with equal keys, also known as single flight or
/// request coalescing.
///
/// The first call of a key runs the body. Calls with an equal key that arrive before the end wait,
/// and return a clone of the outcome. The outcome is not kept: the next call runs the body again.
/// If the running call is dropped, a waiting call runs its body. If the body panics, the
/// panic reaches the running call, and the waiting calls are rejected with
/// [`RejectedKind::Panicked`](crate::RejectedKind::Panicked). A wait that reaches the deadline of
/// the call ends with [`RejectedKind::DeadlineExceeded`](crate::RejectedKind::DeadlineExceeded).
///
/// [`#[coalesce]`](https://docs.rs/resilience-rs/latest/resilience/attr.coalesce.html) creates a
/// coalescer for a function. Make a coalescer by hand to share executions within one value, such as
/// a client, or without an attribute. Two annotated functions share no execution, also with one
/// coalescer.
///
/// Outcomes of different types are never shared, also for equal keys.
///
/// ```
/// use resilience::{Coalescer, Rejected};
/// use std::cell::Cell;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let coalescer = Coalescer::new().name("profiles");
/// let runs = Cell::new(0);
/// let fetch = || async {
///     runs.set(runs.get() + 1);
///     tokio::task::yield_now().await;
///     Ok::<_, Rejected>("user 7".to_owned())
/// };
/// let (one, two) =
///     tokio::join!(coalescer.run_async(&7, fetch()), coalescer.run_async(&7, fetch()));
/// assert_eq!((one.as_deref(), two.as_deref()), (Ok("user 7"), Ok("user 7")));
/// assert_eq!(runs.get(), 1);
/// assert_eq!(coalescer.running(), 0);
/// # });
/// ```
pub struct Coalescer {
    name: Option<&'static str>,
    figures: PolicyFigures,
    flights: Flights,
}

/// The name in rejections without a name of the user.
const DEFAULT_NAME: &str = PolicyKind::Coalesce.as_str();

impl Coalescer {
    const_fn! {
        /// Creates a coalescer without running calls.
        #[track_caller]
        #[must_use]
        pub fn new() -> Self {
            Self { name: None, figures: PolicyFigures::new(), flights: Flights::new() }
        }
    }

    /// Sets the name in rejections. Default: `"coalesce"`.
    #[must_use]
    pub const fn name(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// Sets a name made at run time. The process stores each different name once and never frees
    /// the name, at most 10 000 names; further names become `"(other)"`.
    #[must_use]
    pub fn named(self, name: impl AsRef<str>) -> Self {
        self.name(intern(name.as_ref()))
    }

    /// Sets the name of the annotated function, unless a name is set, and the number of layers
    /// outside.
    #[doc(hidden)]
    #[must_use]
    pub const fn at(mut self, name: &'static str, depth: u8) -> Self {
        if self.name.is_none() {
            self.name = Some(name);
        }
        self.figures.depth = depth;
        self
    }

    /// Gives the registry access to the policy of an annotated function.
    #[doc(hidden)]
    #[must_use]
    pub const fn in_static(mut self, itself: crate::registry::Itself) -> Self {
        self.figures.itself = Some(itself);
        self
    }

    fn name_or_default(&self) -> &'static str {
        self.name.unwrap_or(DEFAULT_NAME)
    }

    /// Returns the number of keys with a running or waiting call.
    #[must_use]
    pub fn running(&self) -> usize {
        self.flights.len()
    }

    /// Returns the number of calls that wait for the outcome of another call.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.flights.waiting()
    }

    /// Runs `body`, or blocks the thread until a running call with an equal key ends, and returns a
    /// clone of its outcome.
    ///
    /// # Errors
    /// The error of the body, or the error made from a [`Rejected`](crate::Rejected): the running
    /// call panicked, or the deadline of this call ended the wait.
    pub fn run<O, By>(&self, key: &(impl Hash + ?Sized), body: impl FnOnce() -> O) -> O
    where
        O: Outcome<Err: FromRejected<By>> + ShareableOutcome,
    {
        coalesce_blocking(self, KeyHash::of(key), None, body).unwrap_or_else(reject)
    }

    /// Awaits `body`, or the outcome of a running call with an equal key.
    ///
    /// # Errors
    /// As for [`run`](Self::run).
    pub async fn run_async<O, By>(
        &self,
        key: &(impl Hash + ?Sized),
        body: impl Future<Output = O>,
    ) -> O
    where
        O: Outcome<Err: FromRejected<By>> + ShareableOutcome,
    {
        coalesce(self, KeyHash::of(key), None, body).await.unwrap_or_else(reject)
    }
}

impl Default for Coalescer {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl AsRef<Coalescer> for Coalescer {
    fn as_ref(&self) -> &Coalescer {
        self
    }
}

impl TestReset for Coalescer {
    fn fresh(&self) -> Self {
        Self { name: self.name, figures: self.figures.fresh(), flights: Flights::new() }
    }
}

impl fmt::Debug for Coalescer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coalescer")
            .field("name", &self.name_or_default())
            .field("running", &self.running())
            .field("waiting", &self.waiting())
            .finish()
    }
}

/// An outcome for several calls.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be shared by coalesced calls",
    label = "needs `Clone + Send + Sync + 'static`",
    note = "derive `Clone` for the value and the error, or share them: `Result<Arc<T>, Arc<E>>`",
    note = "for the error of another crate, `anyhow::Error` or a box, move the body to a function of its own and share its error: `load(id).await.map_err(Arc::new)`, with `error = |rejected| Arc::new(rejected.into())` in the attribute"
)]
pub trait ShareableOutcome: Clone + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<O: Clone + Send + Sync + 'static> ShareableOutcome for O {}
