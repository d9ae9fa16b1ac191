//! Single-flight waiting: of all calls of this process that wait for one key, one call polls the
//! store.

use core::future::poll_fn;
use core::task::{Context, Poll, Waker};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use crate::followers::Followers;
use crate::key::{Fingerprint, RecordKey};
use crate::store::StoreId;
use resilience_core::__internal::{Mutex, lock};

/// The subject of a flight: calls with equal store, key and fingerprint share a flight.
type Subject = (StoreId, RecordKey, Fingerprint);

/// The flights that have waiting calls.
pub(super) struct Flights(Mutex<HashMap<Subject, Entry>>);

struct Entry {
    flight: Arc<Flight>,
    calls: usize,
}

/// The calls that wait for the same subject.
struct Flight(Mutex<State>);

struct State {
    /// Whether a call leads, or is the heir of the last leader.
    has_leader: bool,
    /// The follower that leads next. It has been woken, and has not been polled since.
    heir: Option<u64>,
    outcome: Option<Arc<[u8]>>,
    followers: Followers,
}

impl Flights {
    fn new() -> Self {
        Self(Mutex::new(HashMap::new()))
    }

    /// Returns the flights of this process.
    pub(super) fn of_process() -> &'static Self {
        static FLIGHTS: LazyLock<Flights> = LazyLock::new(Flights::new);
        &FLIGHTS
    }
}

impl Flight {
    fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            has_leader: false,
            heir: None,
            outcome: None,
            followers: Followers::default(),
        })))
    }
}

/// A call that waits in a flight. Drop removes the call. When a leader leaves, the first follower
/// becomes the leader.
pub(super) struct FlightCall {
    flights: &'static Flights,
    subject: Subject,
    flight: Arc<Flight>,
    is_leader: bool,
    /// The number of the call among the followers.
    number: Option<u64>,
}

/// The part of a call in its flight.
pub(super) enum Role {
    /// The call polls the store.
    Leader,
    /// The leader has published this outcome.
    Follower(Arc<[u8]>),
}

impl FlightCall {
    /// Joins the flight of the subject.
    pub(super) fn join(
        flights: &'static Flights,
        store: StoreId,
        key: RecordKey,
        fingerprint: Fingerprint,
    ) -> Self {
        let subject = (store, key, fingerprint);
        let mut entries = lock(&flights.0);
        let new = || Entry { flight: Flight::new(), calls: 0 };
        let entry = entries.entry(subject).or_insert_with(new);
        entry.calls = entry.calls.saturating_add(1);
        let flight = Arc::clone(&entry.flight);
        Self { flights, subject, flight, is_leader: false, number: None }
    }

    /// Waits until the call is the leader or the leader has published an outcome.
    pub(super) async fn role(&mut self) -> Role {
        poll_fn(|cx| self.poll(cx)).await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Role> {
        // Cloned before the lock, because `clone` of a waker is foreign code.
        let waker = cx.waker().clone();
        let mut state = lock(&self.flight.0);
        if let Some(outcome) = &state.outcome {
            return Poll::Ready(Role::Follower(Arc::clone(outcome)));
        }
        if self.is_heir(&state) {
            state.heir = None;
            self.is_leader = true;
        }
        if self.is_leader || !state.has_leader {
            state.has_leader = true;
            self.is_leader = true;
            return Poll::Ready(Role::Leader);
        }
        let previous = state.followers.set(&mut self.number, waker);
        drop(state);
        drop(previous);
        Poll::Pending
    }

    fn is_heir(&self, state: &State) -> bool {
        state.heir.is_some() && state.heir == self.number
    }

    /// Publishes the outcome to the followers. A call that joins later starts a new flight.
    pub(super) fn publish(&self, outcome: &Arc<[u8]>) {
        lock(&self.flight.0).outcome = Some(Arc::clone(outcome));
        self.set_calls(|_| 0);
    }

    /// Updates the number of calls, and removes the flight at zero.
    fn set_calls(&self, update: impl FnOnce(usize) -> usize) {
        let mut entries = lock(&self.flights.0);
        let entry = entries.get_mut(&self.subject);
        // After a publication the entry may belong to a newer flight.
        let Some(entry) = entry.filter(|entry| Arc::ptr_eq(&entry.flight, &self.flight)) else {
            return;
        };
        entry.calls = update(entry.calls);
        if entry.calls == 0 {
            entries.remove(&self.subject);
        }
    }
}

impl Drop for FlightCall {
    fn drop(&mut self) {
        let mut state = lock(&self.flight.0);
        let waker = state.followers.remove(self.number);
        let woken: Vec<Waker> = if !self.is_leader && !self.is_heir(&state) {
            Vec::new()
        } else if state.outcome.is_some() {
            state.followers.take().collect()
        } else {
            // One follower leads next. A wake of all followers would poll each follower once for
            // each leader, and the polls would grow with the square of the calls.
            let (number, waker) = state.followers.pop_first().unzip();
            state.heir = number;
            state.has_leader = number.is_some();
            Vec::from_iter(waker)
        };
        drop(state);
        drop(waker);
        woken.into_iter().for_each(Waker::wake);
        self.set_calls(|calls| calls.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use std::task::Wake;

    use super::*;

    fn subject() -> Subject {
        (StoreId::new(), RecordKey([1; 32]), Fingerprint([2; 32]))
    }

    fn join(flights: &'static Flights, (store, key, fingerprint): Subject) -> FlightCall {
        FlightCall::join(flights, store, key, fingerprint)
    }

    fn len(flights: &Flights) -> usize {
        lock(&flights.0).len()
    }

    #[cfg(not(resilience_loom))]
    mod one_thread {
        use core::sync::atomic::{AtomicUsize, Ordering::SeqCst};

        use super::*;

        #[derive(Default)]
        struct WakeCount(AtomicUsize);

        impl Wake for WakeCount {
            fn wake(self: Arc<Self>) {
                self.0.fetch_add(1, SeqCst);
            }
        }

        fn poll(call: &mut FlightCall, wakes: &Arc<WakeCount>) -> Poll<Role> {
            call.poll(&mut Context::from_waker(&Waker::from(Arc::clone(wakes))))
        }

        fn flights() -> &'static Flights {
            Box::leak(Box::new(Flights::new()))
        }

        #[test]
        fn the_leader_publishes_to_the_followers() {
            let (flights, subject) = (flights(), subject());
            let mut calls = [0; 3].map(|_| (join(flights, subject), Arc::<WakeCount>::default()));
            let (leader, followers) = calls.split_at_mut(1);
            assert!(matches!(poll(&mut leader[0].0, &leader[0].1), Poll::Ready(Role::Leader)));
            for (follower, wakes) in &mut *followers {
                assert!(poll(follower, wakes).is_pending());
            }
            leader[0].0.publish(&Arc::from(*b"done"));
            // A later call leads a new flight, because the record may have changed since.
            let mut late = join(flights, subject);
            assert!(matches!(poll(&mut late, &leader[0].1), Poll::Ready(Role::Leader)));
            drop(late);
            let [leader, followers @ ..] = calls;
            drop(leader);
            for (mut follower, wakes) in followers {
                assert_eq!(wakes.0.load(SeqCst), 1);
                assert!(
                    matches!(poll(&mut follower, &wakes), Poll::Ready(Role::Follower(bytes)) if *bytes == *b"done")
                );
            }
            assert_eq!(len(flights), 0);
        }

        #[test]
        fn a_cancelled_call_leaves_no_waker_behind() {
            let (flights, subject) = (flights(), subject());
            let mut leader = join(flights, subject);
            let wakes = Arc::<WakeCount>::default();
            assert!(matches!(poll(&mut leader, &wakes), Poll::Ready(Role::Leader)));
            for _ in 0..100 {
                let mut follower = join(flights, subject);
                assert!(poll(&mut follower, &wakes).is_pending());
                assert!(poll(&mut follower, &wakes).is_pending());
            }
            assert_eq!(Arc::strong_count(&wakes), 1, "no waker is left");
            assert_eq!(lock(&flights.0)[&subject].calls, 1);
            drop(leader);
            assert_eq!(len(flights), 0);
        }

        #[test]
        fn many_threads_leave_no_flight_behind() {
            let (flights, subject) = (flights(), subject());
            for _ in 0..200 {
                std::thread::scope(|scope| {
                    for _ in 0..4 {
                        scope.spawn(|| drop(join(flights, subject)));
                    }
                });
                assert_eq!(len(flights), 0);
            }
        }
    }

    #[cfg(resilience_loom)]
    mod interleavings {
        use loom::sync::Condvar;
        use loom::sync::atomic::{AtomicUsize, Ordering::SeqCst};
        use loom::thread;

        use super::*;

        struct WakeFlag(Mutex<bool>, Condvar);

        impl Wake for WakeFlag {
            fn wake(self: Arc<Self>) {
                *lock(&self.0) = true;
                self.1.notify_one();
            }
        }

        impl WakeFlag {
            fn wait(&self) {
                let mut woken = lock(&self.0);
                while !*woken {
                    woken = self.1.wait(woken).expect("no panic under the lock");
                }
                *woken = false;
            }
        }

        fn wait(call: &mut FlightCall) -> Role {
            let flag = Arc::new(WakeFlag(Mutex::new(false), Condvar::new()));
            let waker = Waker::from(Arc::clone(&flag));
            loop {
                match call.poll(&mut Context::from_waker(&waker)) {
                    Poll::Ready(role) => return role,
                    Poll::Pending => flag.wait(),
                }
            }
        }

        /// The first leader leaves without an outcome, the second leader publishes an outcome.
        /// Every call ends, two calls never lead the same flight at the same time, and no flight
        /// is left.
        fn check(threads: usize) {
            let subject = subject();
            let mut model = loom::model::Builder::new();
            model.preemption_bound = Some(3);
            model.check(move || {
                let flights: &'static Flights = Box::leak(Box::new(Flights::new()));
                let (polls, leaders) =
                    (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
                let calls = (0..threads).map(|_| {
                    let (polls, leaders) = (Arc::clone(&polls), Arc::clone(&leaders));
                    move || {
                        let mut call = join(flights, subject);
                        if let Role::Leader = wait(&mut call) {
                            let (others, before) =
                                (leaders.fetch_add(1, SeqCst), polls.fetch_add(1, SeqCst));
                            // After a publication, a call leads a flight of its own.
                            assert!(others == 0 || before > 1, "two leaders at the same time");
                            leaders.fetch_sub(1, SeqCst);
                            if before > 0 {
                                call.publish(&Arc::from(*b"done"));
                            }
                        }
                    }
                });
                let calls: Vec<_> = calls.collect();
                let threads: Vec<_> = calls.into_iter().map(thread::spawn).collect();
                threads.into_iter().for_each(|thread| thread.join().expect("a call that ends"));
                assert_eq!(len(flights), 0);
            });
        }

        #[test]
        fn two_calls() {
            check(2);
        }

        #[test]
        fn three_calls() {
            check(3);
        }
    }
}
