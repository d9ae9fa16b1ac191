//! A policy per key: bounded, and shared by concurrent calls with the same key.

mod figures;
mod group;
mod label;
mod report;
mod table;

use core::fmt;
use core::hash::Hash;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use core::time::Duration;
use std::sync::{Arc, OnceLock};

pub use self::figures::{KeyTableSnapshot, key_tables};
pub use self::group::KeyGroup;
pub(crate) use self::group::{Membership, OpenShare};
pub use self::label::KeyLabel;
use self::table::Table;
use crate::clock::{Timestamp, now};
use crate::figures::Figure;
use crate::figures::table::{KEYS, MAX_KEYS, slot};
use crate::function_state::{TestReset, resolve};
use crate::key_hash::{KeyHash, Seeds};
use crate::log;
use crate::registry::facts::Facts;
use crate::registry::policy::{handle_of, record_of};
use crate::registry::record_handle::RecordHandle;
use crate::registry::{
    KeyReport, KeysReport, Policy, PolicyFigures, PolicyKind, Setting, list_static,
};
use crate::settings::{Action, Check, apply_standing};
use crate::sync::const_fn;
use resilience_rules::InvalidPolicy;
use resilience_rules::keyed::max_keys;

/// The policy of a key in a table.
pub trait KeyState: Policy {
    /// Returns whether a new state would decide as this state does, so that an eviction loses
    /// nothing. Called for states without a running or waiting call.
    fn is_stale(&self, now: Timestamp) -> bool;
}

/// Returns the common definition of a table if the definition of a key is like it. The first
/// definition of the table becomes the common one.
pub(crate) fn share_definition<T>(
    common: &OnceLock<Arc<T>>,
    definition: T,
    is_like: fn(&T, &T) -> bool,
) -> Arc<T> {
    let known = common.get().filter(|known| is_like(known, &definition));
    let definition = known.map_or_else(|| Arc::new(definition), Arc::clone);
    if common.get().is_none() {
        let _ = common.set(Arc::clone(&definition));
    }
    definition
}

/// A policy that may have a state per key, as made by code of the user.
pub trait KeyedPolicy: Policy + Sized {
    /// The policy of a key, as the table keeps it.
    type PerKey: KeyState;

    /// The part that policies of several keys share.
    type Common: Send + Sync;

    /// Returns the policy of a key. `common` is the part of the first policy of the table.
    #[must_use]
    fn per_key(self, common: &OnceLock<Self::Common>) -> Self::PerKey;

    /// Sets the name, unless a name is set.
    #[must_use]
    fn or_name(self, name: &'static str) -> Self;

    /// Returns the figures and the label of the key.
    fn parts(&mut self) -> (&mut PolicyFigures, &mut Option<KeyLabel>);

    /// Sets the label of the key in rejections and events.
    #[must_use]
    fn with_key_label(mut self, label: KeyLabel) -> Self {
        *self.parts().1 = Some(label);
        self
    }

    /// Sets the record that the policies of all keys count into.
    #[must_use]
    fn with_record(mut self, record: RecordHandle) -> Self {
        let (figures, _) = self.parts();
        *figures = figures.of_table(record);
        self
    }

    /// Makes the policy known to the other policies of its table.
    #[must_use]
    fn joined(self, _group: &Arc<KeyGroup>) -> Self {
        self
    }
}

/// Returns the settings for a key: the settings of the attribute, adjusted by the user. A policy
/// without a name gets the name of the attribute.
pub fn adjust<T: KeyedPolicy>(policy: T, settings: impl FnOnce(T) -> T) -> T {
    let name = policy.name();
    settings(policy).or_name(name)
}

/// The label of the state that new keys share while the table is full.
const OVERFLOW_LABEL: &str = "(overflow)";

/// The shortest time between two events about a full table.
const EVENT_INTERVAL: Duration = Duration::from_secs(60);

/// A [`CircuitBreaker`](crate::CircuitBreaker), [`Bulkhead`](crate::Bulkhead) or
/// [`RateLimiter`](crate::RateLimiter) per key: per host, per tenant, per API key.
///
/// The attributes have such a table for one function, by `key = …`. A `Keyed` table serves several
/// functions, layers and calls without an attribute, and its settings may come from a file:
/// `limiter = LIMITS.get(key)`.
///
/// ```
/// use core::time::Duration;
/// use resilience::{Keyed, RateLimiter, Rejected, rate_limit, testing};
///
/// static LIMITS: Keyed<RateLimiter> =
///     Keyed::new(10_000, || RateLimiter::new(2, Duration::from_secs(1)).burst(2).name("api"));
///
/// #[rate_limit(limiter = LIMITS.get(api_key))]
/// fn read(api_key: &str) -> Result<u32, Rejected> {
///     Ok(7)
/// }
///
/// #[rate_limit(limiter = LIMITS.get(api_key))]
/// fn write(api_key: &str) -> Result<(), Rejected> {
///     Ok(())
/// }
///
/// let _clock = testing::clock();
/// assert!(read("ann").is_ok() && write("ann").is_ok());
/// assert!(read("ann").is_err()); // both functions share the limit of a key
/// assert!(read("bob").is_ok());
/// ```
///
/// # Keys
///
/// The table stores a 128-bit hash of the key, with secret seeds of the process, instead of the
/// key. Any `Hash` type works, borrowed keys too, and a known key allocates nothing. Keys of
/// different types with equal hashes, such as `&str` and `String`, share a state.
///
/// # A full table
///
/// A full table evicts a stale state for a new key: a closed breaker without failures, a bulkhead
/// without calls, a limiter with a full burst. Without a stale state, all new keys share one
/// overflow state with the label `"(overflow)"`, so that a full table limits new keys instead of
/// admitting all of their calls.
pub struct Keyed<T: KeyedPolicy> {
    make: Make<T>,
    max: u32,
    state: OnceLock<Box<State<T>>>,
    is_registered: AtomicBool,
    figures: PolicyFigures,
}

struct State<T: KeyedPolicy> {
    /// Kept here, so that a call finds the seeds without a look whether they exist.
    seeds: &'static Seeds,
    table: Table<T::PerKey>,
    common: OnceLock<T::Common>,
    overflow: OnceLock<Arc<T::PerKey>>,
    /// The number of calls under the overflow state.
    overflow_calls: AtomicU64,
    /// The time of the last event about a full table; 0 before the first event.
    last_event: AtomicU64,
}

/// The function that makes the policy of a new key.
enum Make<T> {
    Function(fn() -> T),
    Shared(Arc<dyn Fn() -> T + Send + Sync>),
}

impl<T> Make<T> {
    fn policy(&self) -> T {
        match self {
            Self::Function(make) => make(),
            Self::Shared(make) => make(),
        }
    }
}

impl<T> Clone for Make<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Function(make) => Self::Function(*make),
            Self::Shared(make) => Self::Shared(Arc::clone(make)),
        }
    }
}

impl<T: KeyedPolicy> Keyed<T> {
    const_fn! {
        /// Creates a table for at most `max_keys` keys; 0 counts as 1. `make` makes the policy of a
        /// new key. For a `static`; [`with`](Self::with) takes a closure that captures settings.
        #[must_use]
        #[track_caller]
        pub fn new(max_keys: u32, make: fn() -> T) -> Self {
            Self::from_make(max_keys, Make::Function(make), PolicyFigures::new())
        }
    }

    /// Creates a table whose policies have settings known at run time: `make` may capture values.
    ///
    /// ```
    /// use core::time::Duration;
    /// use resilience::{CircuitBreaker, Keyed, circuit_breaker, testing};
    /// use std::io;
    ///
    /// struct Client {
    ///     breakers: Keyed<CircuitBreaker>,
    /// }
    ///
    /// impl Client {
    ///     fn new(failures: u32, reset: Duration) -> Self {
    ///         let make = move || {
    ///             CircuitBreaker::new().failure_threshold(failures).reset_timeout(reset).name("http")
    ///         };
    ///         Self { breakers: Keyed::with(1000, make) }
    ///     }
    ///
    ///     #[circuit_breaker(breaker = self.breakers.get(host))]
    ///     fn get(&self, host: &str) -> io::Result<u32> {
    ///         if host == "up" { Ok(7) } else { Err(io::ErrorKind::ConnectionRefused.into()) }
    ///     }
    /// }
    ///
    /// let _clock = testing::clock();
    /// let client = Client::new(1, Duration::from_secs(30));
    /// assert!(client.get("down").is_err());
    /// assert_eq!(client.get("down").unwrap_err().to_string(), "http: circuit open; retry after 30s");
    /// assert!(client.get("up").is_ok());
    /// ```
    #[must_use]
    #[track_caller]
    pub fn with(max_keys: u32, make: impl Fn() -> T + Send + Sync + 'static) -> Self {
        Self::from_make(max_keys, Make::Shared(Arc::new(make)), PolicyFigures::new())
    }

    const fn from_make(max: u32, make: Make<T>, figures: PolicyFigures) -> Self {
        let is_registered = AtomicBool::new(false);
        Self { make, max, state: OnceLock::new(), is_registered, figures }
    }

    /// Checks the number of keys, for a number from a file. The policies of the keys have a
    /// `validate` of their own.
    ///
    /// # Errors
    /// [`InvalidPolicy`] for zero.
    pub const fn validate(&self) -> Result<(), InvalidPolicy> {
        max_keys(self.max)
    }

    fn state(&self) -> &State<T> {
        self.state.get_or_init(|| {
            Box::new(State {
                seeds: Seeds::of_process(),
                table: Table::new(self.max.max(1), Arc::default()),
                common: OnceLock::new(),
                overflow: OnceLock::new(),
                overflow_calls: AtomicU64::new(0),
                last_event: AtomicU64::new(0),
            })
        })
    }

    /// Returns the number of keys.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.state.get().map_or(0, |state| state.table.len())
    }

    /// Returns whether the table has no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T: KeyedPolicy> Keyed<T> {
    /// Returns the policy for `key`, and creates the policy if missing: an `Arc` of a
    /// [`KeyCircuitBreaker`](crate::KeyCircuitBreaker), [`Bulkhead`](crate::Bulkhead) or
    /// [`KeyRateLimiter`](crate::KeyRateLimiter).
    pub fn get(&self, key: &(impl Hash + ?Sized)) -> Arc<T::PerKey> {
        self.get_with(key, |policy| policy)
    }

    /// Returns the policy for `key`. A missing policy is created from the settings of the table,
    /// adjusted for the key: a rate per plan, a label in rejections. An existing policy keeps its
    /// settings.
    ///
    /// ```
    /// use core::time::Duration;
    /// use resilience::{Keyed, RateLimiter, Rejected, rate_limit, testing};
    ///
    /// struct Tenant {
    ///     id: u32,
    ///     calls_per_minute: u32,
    /// }
    ///
    /// static LIMITS: Keyed<RateLimiter> =
    ///     Keyed::new(10_000, || RateLimiter::new(1, Duration::from_secs(60)).name("tenants"));
    ///
    /// #[rate_limit(limiter = LIMITS.get_with(&tenant.id, |limiter| {
    ///     limiter.rate(tenant.calls_per_minute).burst(tenant.calls_per_minute).key_label(tenant.id)
    /// }))]
    /// fn query(tenant: &Tenant) -> Result<(), Rejected> {
    ///     Ok(())
    /// }
    ///
    /// let _clock = testing::clock();
    /// let (small, large) =
    ///     (Tenant { id: 1, calls_per_minute: 1 }, Tenant { id: 2, calls_per_minute: 100 });
    /// assert!((0..100).all(|_| query(&large).is_ok()));
    /// assert!(query(&small).is_ok());
    /// assert_eq!(query(&small).unwrap_err().key(), Some("1"));
    /// ```
    // No lock is held while the key is hashed and the settings are adjusted: both run user code.
    pub fn get_with(
        &self,
        key: &(impl Hash + ?Sized),
        adjust: impl FnOnce(T) -> T,
    ) -> Arc<T::PerKey> {
        let state = self.state();
        let key = state.seeds.hash(key);
        state.table.get(key).unwrap_or_else(|| self.create(state, key, adjust))
    }

    /// Uses the policy for `key` in the table, without a reference count. Returns the policy if
    /// `act` has no answer, or if the key is new. `act` runs no code of the user.
    #[inline]
    pub(crate) fn act_with<R>(
        &self,
        key: &(impl Hash + ?Sized),
        adjust: impl FnOnce(T) -> T,
        act: impl FnOnce(&T::PerKey) -> Option<R>,
    ) -> Result<R, Arc<T::PerKey>> {
        let state = self.state();
        let key = state.seeds.hash(key);
        let answer = |known: &Arc<T::PerKey>| act(known.as_ref()).ok_or_else(|| Arc::clone(known));
        match state.table.use_known(key, answer) {
            Some(answer) => answer,
            None => Err(self.create(state, key, adjust)),
        }
    }

    /// Returns the policy of a key that the table does not have.
    #[inline(never)]
    fn create(
        &self,
        state: &State<T>,
        key: KeyHash,
        adjust: impl FnOnce(T) -> T,
    ) -> Arc<T::PerKey> {
        match state.table.reserve(now) {
            Some(room) => {
                if room.is_evicted {
                    record_of(self).count(slot::EVICTIONS);
                }
                let policy = adjust(self.make()).joined(state.table.group());
                let policy = policy.per_key(&state.common);
                apply_standing(&policy);
                room.insert(key, policy)
            }
            // Another call may have inserted the key in the meantime.
            None => state.table.get(key).unwrap_or_else(|| self.overflow(state)),
        }
    }

    /// Returns the policy of a new key.
    fn make(&self) -> T {
        self.make.policy().with_record(handle_of(self).clone())
    }

    /// Returns the state that new keys share while no state can be evicted.
    #[cold]
    fn overflow(&self, state: &State<T>) -> Arc<T::PerKey> {
        state.overflow_calls.fetch_add(1, Relaxed);
        record_of(self).count(slot::OVERFLOWS);
        let make = || {
            let shared = self.make().with_key_label(KeyLabel::new(OVERFLOW_LABEL));
            Arc::new(shared.joined(state.table.group()).per_key(&state.common))
        };
        let shared = state.overflow.get_or_init(make);
        let (now, last) = (now(), state.last_event.load(Relaxed));
        let is_due = last == 0 || now.since(Timestamp::from_nanos(last)) >= EVENT_INTERVAL;
        // Several threads may find the event due, and one of them emits the event.
        if is_due && state.last_event.compare_exchange(last, now.word(), Relaxed, Relaxed).is_ok() {
            log::key_table_full(shared.name(), shared.kind().as_str(), self.max.max(1));
        }
        Arc::clone(shared)
    }
}

/// Returns the state of an annotated function for `key`.
pub fn keyed_state<T>(
    table: &'static Keyed<T>,
    key: &(impl Hash + ?Sized),
    adjust: impl FnOnce(T) -> T,
) -> Arc<T::PerKey>
where
    T: KeyedPolicy + 'static,
{
    listed(table).get_with(key, adjust)
}

/// Returns the table of an annotated function, or the override of this thread. The first call lists
/// the table for [`key_tables`].
#[inline]
pub(crate) fn listed<T: KeyedPolicy + 'static>(table: &'static Keyed<T>) -> &'static Keyed<T> {
    if !table.is_registered.load(Relaxed) && !table.is_registered.swap(true, Relaxed) {
        figures::register(table);
        list_static(table);
    }
    resolve(table)
}

impl<T: KeyedPolicy> Policy for Keyed<T> {
    fn kind(&self) -> PolicyKind {
        self.make.policy().kind()
    }

    fn name(&self) -> &'static str {
        self.make.policy().name()
    }

    fn own_figures(&self) -> &PolicyFigures {
        &self.figures
    }

    fn settings(&self) -> Vec<Setting> {
        let mut settings = self.make.policy().settings();
        settings.push(Setting::code("max_keys", self.max.max(1)));
        settings
    }

    fn facts(&self) -> Facts {
        match self.make.policy().facts() {
            Facts::Waits { longest, text } => {
                Facts::Waits { longest, text: format!("for each key, {text}") }
            }
            Facts::Rejects(text) => Facts::Rejects(format!("for each key, {text}")),
            facts => facts,
        }
    }

    fn code(&self) -> Box<dyn Check> {
        self.make.policy().code()
    }

    fn refresh(&self) {
        self.each_policy().iter().for_each(|(_, policy)| policy.refresh());
    }

    fn control(&self, action: Action, time: Option<Duration>) -> bool {
        for (_, policy) in self.each_policy() {
            policy.control(action, time);
        }
        true
    }

    fn control_key(&self, label: &str, action: Action, time: Option<Duration>) -> bool {
        let mut is_there = false;
        for (id, policy) in self.each_policy() {
            if report::is_named(label, id, &*policy) {
                is_there |= policy.control(action, time);
            }
        }
        is_there
    }

    fn forced_until(&self) -> Option<Timestamp> {
        self.each_policy().iter().filter_map(|(_, policy)| policy.forced_until()).min()
    }

    fn figures_now(&self, figures: &mut Vec<Figure>) {
        figures.push(Figure::gauge(&KEYS, self.len().into()));
        figures.push(Figure::gauge(&MAX_KEYS, self.max.max(1).into()));
        self.add_totals(figures);
    }

    fn is_table(&self) -> bool {
        true
    }

    fn keys(&self) -> Option<KeysReport> {
        Some(self.keys_report())
    }

    fn key(&self, label: &str) -> Option<KeyReport> {
        self.key_report(label)
    }
}

impl<T: KeyedPolicy + 'static> TestReset for Keyed<T> {
    fn fresh(&self) -> Self {
        Self::from_make(self.max, self.make.clone(), self.figures.fresh())
    }
}

impl<T: KeyedPolicy> fmt::Debug for Keyed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyed")
            .field("max", &self.max)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(resilience_loom)))]
mod tests {
    use core::sync::atomic::AtomicU64;

    use super::*;

    /// A policy that is stale from a time on.
    #[derive(Debug)]
    struct Thing {
        stale_from: AtomicU64,
        label: Option<KeyLabel>,
        figures: PolicyFigures,
    }

    impl Default for Thing {
        fn default() -> Self {
            Self { stale_from: AtomicU64::new(0), label: None, figures: PolicyFigures::new() }
        }
    }

    impl Thing {
        fn keep(&self) {
            self.stale_from.store(u64::MAX, Relaxed);
        }
    }

    impl KeyState for Thing {
        fn is_stale(&self, now: Timestamp) -> bool {
            now.word() >= self.stale_from.load(Relaxed)
        }
    }

    impl KeyedPolicy for Thing {
        type PerKey = Self;
        type Common = ();

        fn per_key(self, _: &OnceLock<()>) -> Self {
            self
        }

        fn or_name(self, _: &'static str) -> Self {
            self
        }

        fn parts(&mut self) -> (&mut PolicyFigures, &mut Option<KeyLabel>) {
            (&mut self.figures, &mut self.label)
        }
    }

    impl Policy for Thing {
        fn kind(&self) -> PolicyKind {
            PolicyKind::Bulkhead
        }

        fn name(&self) -> &'static str {
            "thing"
        }

        fn own_figures(&self) -> &PolicyFigures {
            &self.figures
        }

        fn settings(&self) -> Vec<Setting> {
            Vec::new()
        }

        fn code(&self) -> Box<dyn Check> {
            crate::CircuitBreaker::new().code()
        }

        fn facts(&self) -> Facts {
            Facts::Unknown
        }
    }

    fn is_overflow(thing: &Thing) -> bool {
        thing.label.as_ref().is_some_and(|label| label.as_str() == OVERFLOW_LABEL)
    }

    #[test]
    fn equal_keys_share_a_state() {
        let keyed = Keyed::new(10, Thing::default);
        let a = keyed.get("a");
        assert!(Arc::ptr_eq(&a, &keyed.get(&String::from("a"))));
        assert!(!Arc::ptr_eq(&a, &keyed.get("b")));
        assert!(!Arc::ptr_eq(&keyed.get(&(1, "x")), &keyed.get(&(2, "x"))));
    }

    #[test]
    fn a_stale_state_is_evicted_unless_in_use_or_used_again() {
        let keyed = Keyed::new(8, Thing::default);
        for key in 0..8 {
            let thing = keyed.get(&key);
            if key < 3 {
                thing.keep();
            }
        }
        let held = keyed.get(&3);
        let used_again = Arc::downgrade(&keyed.get(&4));
        let before =
            [5, 6, 7].map(|key| Arc::downgrade(&keyed.state().table.peek(KeyHash::of(&key))));
        assert!(!is_overflow(&keyed.get(&100)));
        assert_eq!(keyed.len(), 8);
        assert_eq!(before.iter().filter(|weak| weak.upgrade().is_none()).count(), 1);
        assert!(used_again.upgrade().is_some());
        assert!((0..3).all(|key| keyed.get(&key).stale_from.load(Relaxed) == u64::MAX));
        assert!(Arc::ptr_eq(&held, &keyed.get(&3)));
    }

    #[test]
    fn the_only_stale_state_is_found() {
        for max in [1, 2, 17, 1000] {
            let keyed = Keyed::new(max, Thing::default);
            for key in 0..max {
                let thing = keyed.get(&key);
                if key != max / 2 {
                    thing.keep();
                }
            }
            assert!(!is_overflow(&keyed.get("new")), "{max}");
            keyed.get("new").keep();
            assert!(is_overflow(&keyed.get("newer")), "{max}");
        }
    }

    #[test]
    fn a_full_table_shares_one_state_and_counts_the_calls() {
        let keyed = Keyed::new(100, Thing::default);
        for key in 0..10_000 {
            keyed.get(&key);
            assert!(keyed.len() <= 100);
        }
        let keyed = Keyed::new(100, Thing::default);
        for key in 0..200 {
            keyed.get(&key).keep();
        }
        assert_eq!(keyed.len(), 100);
        let shared = keyed.get("new");
        assert!(is_overflow(&shared) && Arc::ptr_eq(&shared, &keyed.get("newer")));
        assert_eq!(keyed.figures().overflow_calls, 102);
        assert!(!is_overflow(&keyed.get(&5)));
        assert!(!is_overflow(&Keyed::new(0, Thing::default).get("one")));
    }

    #[test]
    fn an_existing_state_is_not_adjusted_again() {
        let keyed = Keyed::new(8, Thing::default);
        let labeled = |text| move |thing: Thing| thing.with_key_label(KeyLabel::new(text));
        for text in ["first", "second"] {
            let label = keyed.get_with("a", labeled(text)).label.clone();
            assert_eq!(label, Some(KeyLabel::new("first")));
        }
    }
}
