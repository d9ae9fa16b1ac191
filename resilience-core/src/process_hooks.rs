//! Hooks for the events of all policies of the process.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError, RwLock};

use crate::event::PolicyEvent;
use crate::log;
use crate::mode;

type Hook = dyn Fn(&PolicyEvent<'_>) + Send + Sync;

static HOOKS: RwLock<Vec<Arc<Hook>>> = RwLock::new(Vec::new());

thread_local! {
    /// Whether a hook runs on this thread.
    static IS_RUNNING: Cell<bool> = const { Cell::new(false) };
}

/// Adds a hook for the events of all policies in the process, for metrics, logs or alerts of the
/// program's own. A hook stays for the rest of the process; call `on_event` once, at the start.
///
/// The hook runs on the thread of the call, after the log event and before the hooks of the
/// function, and delays the call: count or send, and do not block. Hooks run in the order of their
/// addition. No lock is held. A panic in a hook is caught and logged, and changes nothing.
/// The events of calls made by a hook are logged, but not passed to hooks: a hook never causes
/// itself. An event costs one atomic read without a hook, and a successful call costs nothing.
///
/// ```
/// use resilience::{PolicyEvent, fallback, on_event, retry};
/// use std::sync::Mutex;
///
/// static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());
///
/// on_event(|event| {
///     let text = match event {
///         PolicyEvent::Rejection(rejected) => rejected.to_string(),
///         event => format!("{}: {}", event.name(), event.label()),
///     };
///     SEEN.lock().unwrap().push(text);
/// });
///
/// #[fallback(value = 0, name = "price")]
/// #[retry(attempts = 2, base_delay = "1ms", name = "price")]
/// fn price() -> Result<u32, String> {
///     Err("no connection".into())
/// }
///
/// assert_eq!(price(), Ok(0));
/// assert_eq!(*SEEN.lock().unwrap(), ["price: retry", "price: give_up", "price: fallback"]);
/// ```
pub fn on_event(hook: impl Fn(&PolicyEvent<'_>) + Send + Sync + 'static) {
    HOOKS.write().unwrap_or_else(PoisonError::into_inner).push(Arc::new(hook));
    mode::set_has_hooks();
}

/// Returns whether there is a hook. A process without hooks pays one read for each event, and
/// nothing for a call without an event.
#[inline]
pub(crate) fn are_set() -> bool {
    mode::has_hooks()
}

/// Passes an event to the hooks.
#[inline]
pub(crate) fn deliver(event: &PolicyEvent<'_>) {
    if are_set() {
        deliver_to_all(event);
    }
}

#[cold]
fn deliver_to_all(event: &PolicyEvent<'_>) {
    // At the end of a thread, without thread-local values, the event is not delivered.
    if IS_RUNNING.try_with(|running| running.replace(true)).unwrap_or(true) {
        return;
    }
    // A hook is foreign code and may add a hook, so no lock is held while a hook runs.
    let hooks = HOOKS.read().unwrap_or_else(PoisonError::into_inner).clone();
    for hook in hooks {
        if !contained(|| hook(event)) {
            contained(|| log::hook_panicked(event.name(), "on_event"));
        }
    }
    // The value exists: `try_with` succeeded above.
    let _ = IS_RUNNING.try_with(|running| running.set(false));
}

/// Runs user code: a hook, or a subscriber of the log. Returns whether the code ended without a
/// panic.
pub(crate) fn contained(code: impl FnOnce()) -> bool {
    match catch_unwind(AssertUnwindSafe(code)) {
        Ok(()) => true,
        Err(payload) => {
            // The destructor of a payload is user code too, and could panic again.
            core::mem::forget(payload);
            false
        }
    }
}
