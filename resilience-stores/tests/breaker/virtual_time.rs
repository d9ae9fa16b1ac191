//! Synchronization under virtual time: each breaker with a task represents a process.

use std::sync::Arc;
use std::time::Duration;

use resilience::stores::breaker::{BreakerSync, ProcessId, SharedState, Vote, Votes};
use resilience::{
    CircuitBreaker, CircuitSnapshot, CircuitState, Rejected, circuit_breaker, testing,
};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio::time::{advance, sleep};

use crate::memory::{Memory, Mode};

const RESET: Duration = Duration::from_secs(30);
const INTERVAL: Duration = Duration::from_millis(500);
/// The extra open time of a remote open state.
const GRACE: Duration = Duration::from_secs(1);

struct Process {
    breaker: Arc<CircuitBreaker>,
    task: JoinHandle<()>,
}

impl Process {
    fn start(store: &Memory, name: &'static str) -> Self {
        let breaker = CircuitBreaker::new().failure_threshold(2).reset_timeout(RESET).shared(name);
        let breaker = Arc::new(breaker);
        let sync = BreakerSync::new(store.clone()).quorum(1).with(Arc::clone(&breaker));
        Self { breaker, task: tokio::spawn(sync.run()) }
    }

    fn call(&self, works: bool) -> Option<()> {
        self.breaker.run(|| works.then_some(()))
    }

    fn open(&self) {
        self.call(false);
        self.call(false);
        assert_eq!(self.breaker.state(), CircuitState::Open);
    }

    fn state(&self) -> CircuitState {
        self.breaker.state()
    }

    fn left(&self) -> Duration {
        self.breaker.snapshot().open_for.unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Waits just long enough for every process to read the store.
async fn round() {
    sleep(INTERVAL + Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn an_open_and_a_close_reach_every_process() {
    let store = Memory::default();
    let [one, two, three] = [(); 3].map(|()| Process::start(&store, "all"));
    round().await;
    one.open();
    assert_eq!((two.state(), three.state()), (CircuitState::Closed, CircuitState::Closed));
    round().await;
    for other in [&two, &three] {
        assert_eq!(other.state(), CircuitState::Open);
        let rejected: Result<(), Rejected> = other.breaker.run(|| Ok(()));
        assert!(rejected.unwrap_err().retry_after() > Some(RESET.saturating_sub(INTERVAL)));
    }
    // The process that opened the breaker sends the first trial call.
    sleep(one.left()).await;
    assert_eq!((one.call(true), two.call(true), three.call(true)), (Some(()), None, None));
    round().await;
    assert_eq!((two.call(true), three.call(true)), (Some(()), Some(())));
    assert_eq!((two.state(), three.state()), (CircuitState::Closed, CircuitState::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_local_decision_is_published_immediately() {
    let store = Memory::default();
    let one = Process::start(&store, "at once");
    round().await;
    one.open();
    sleep(Duration::from_millis(1)).await;
    assert!(store.is_open("at once"));
}

#[tokio::test(start_paused = true)]
async fn another_process_sends_the_trial_call_if_the_opener_is_gone() {
    let store = Memory::default();
    let [one, two] = [(); 2].map(|()| Process::start(&store, "gone"));
    one.open();
    round().await;
    drop(one);
    let left = two.left();
    assert!(left > RESET && left <= RESET + GRACE, "{left:?}");
    advance(left).await;
    assert_eq!(two.call(true), Some(()));
    assert_eq!(two.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_failed_trial_call_reopens_every_process() {
    let store = Memory::default();
    let [one, two] = [(); 2].map(|()| Process::start(&store, "anew"));
    one.open();
    round().await;
    store.advance(RESET);
    sleep(one.left()).await;
    assert_eq!(one.call(false), None);
    round().await;
    assert!(two.left() + INTERVAL > RESET, "{:?}", two.left());
}

#[tokio::test(start_paused = true)]
async fn an_applied_entry_is_not_published_again() {
    let store = Memory::default();
    let [one, two, three] = [(); 3].map(|()| Process::start(&store, "echo"));
    one.open();
    for _ in 0..20 {
        round().await;
    }
    assert_eq!(store.written("echo").len(), 1);
    assert!(one.left() < RESET, "opened again");
    sleep(one.left()).await;
    one.call(true);
    for _ in 0..20 {
        round().await;
    }
    assert_eq!(store.written("echo").len(), 2);
    assert_eq!((two.state(), three.state()), (CircuitState::Closed, CircuitState::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_decision_reaches_a_breaker_after_the_time_of_a_forced_state() {
    let store = Memory::default();
    let [one, two] = [(); 2].map(|()| Process::start(&store, "forced for a time"));
    let mut forced = CircuitSnapshot::default();
    (forced.state, forced.open_for) = (CircuitState::ForcedOpen, Some(INTERVAL));
    two.breaker.restore(&forced);
    round().await;
    assert_eq!(two.state(), CircuitState::Closed);
    one.open();
    round().await;
    assert_eq!(two.state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn manual_states_are_local() {
    let store = Memory::default();
    let [one, two, three, four] = [(); 4].map(|()| Process::start(&store, "hand"));
    two.breaker.force_open();
    three.breaker.disable();
    round().await;
    assert_eq!(store.written("hand"), []);
    one.open();
    round().await;
    assert_eq!(two.state(), CircuitState::ForcedOpen);
    assert_eq!(three.call(false), None);
    assert_eq!(three.state(), CircuitState::Disabled);
    // A breaker closed by hand is not opened again by an entry that the process has already read.
    assert_eq!(four.state(), CircuitState::Open);
    four.breaker.force_close();
    two.breaker.force_close();
    round().await;
    assert_eq!((four.state(), two.state()), (CircuitState::Closed, CircuitState::Closed));
    assert_eq!(one.state(), CircuitState::Open);
    assert_eq!(store.written("hand").len(), 1);
    // `trip` has the effect of failures.
    four.breaker.trip();
    round().await;
    assert_eq!(two.state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn processes_decide_alone_while_the_store_is_down() {
    for mode in [Mode::Failing, Mode::Hanging] {
        let store = Memory::default();
        store.set_mode(mode);
        let [one, two] = [(); 2].map(|()| Process::start(&store, "down"));
        one.open();
        sleep(RESET / 2).await;
        // Both processes follow local outcomes, and rounds become rare: after 1, 2, 4, 8, 10, 10 …
        // intervals, or half of each.
        assert_eq!((one.call(true), two.call(true)), (None, Some(())));
        assert!((8..30).contains(&store.calls()), "{mode:?}: {}", store.calls());
        // A late publication carries the remaining time. A round without an answer may last 16
        // intervals.
        store.set_mode(Mode::Working);
        sleep(INTERVAL * (16 + 10) + GRACE).await;
        assert_eq!(two.call(true), None);
        assert!(two.left() < RESET / 2 + GRACE, "{:?}", two.left());
    }
}

#[tokio::test(start_paused = true)]
async fn an_expired_open_state_is_not_published() {
    let store = Memory::default();
    store.set_mode(Mode::Failing);
    let one = Process::start(&store, "over");
    one.open();
    sleep(RESET).await;
    store.set_mode(Mode::Working);
    sleep(INTERVAL * 11).await;
    assert_eq!((one.state(), store.written("over").len()), (CircuitState::Open, 0));
}

#[tokio::test(start_paused = true)]
async fn a_repeated_write_keeps_the_entry_id() {
    let store = Memory::default();
    store.set_mode(Mode::NoAnswer);
    let one = Process::start(&store, "lost");
    one.open();
    sleep(GRACE * 3).await;
    store.set_mode(Mode::Working);
    sleep(INTERVAL * 11).await;
    let written = store.written("lost");
    assert!(written.len() > 1 && written.iter().all(|id| *id == written[0]), "{written:?}");
}

#[tokio::test(start_paused = true)]
async fn a_close_applies_only_to_the_known_open_state() {
    let store = Memory::default();
    let one = Process::start(&store, "known");
    one.open();
    round().await;
    sleep(one.left()).await;
    // Another process opens the breaker again, and this process has not read the entry.
    store.write("known", 77, Some(RESET));
    assert_eq!(one.call(true), Some(()));
    round().await;
    assert!(store.is_open("known"));
    assert_eq!(one.state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn local_decisions_are_published_before_entries_are_applied() {
    let store = Memory::default();
    let one = Process::start(&store, "news");
    round().await;
    store.write("news", 78, None);
    let breaker = Arc::clone(&one.breaker);
    store.during_read(move || breaker.trip());
    round().await;
    assert_eq!(one.state(), CircuitState::Open);
    assert!(store.is_open("news"));
}

#[tokio::test(start_paused = true)]
async fn the_longer_open_time_wins() {
    let store = Memory::default();
    let one = Process::start(&store, "longer");
    one.open();
    round().await;
    store.write("longer", 79, Some(Duration::from_secs(5)));
    round().await;
    assert!(one.left() + GRACE * 2 > RESET);
    store.write("longer", 80, Some(RESET * 2));
    round().await;
    assert!(one.left() > RESET);
}

#[tokio::test(start_paused = true)]
async fn names_are_independent() {
    let store = Memory::default();
    let [one, two] = ["this", "that"].map(|name| Process::start(&store, name));
    one.open();
    round().await;
    assert_eq!(two.call(true), Some(()));
}

#[tokio::test(start_paused = true)]
async fn a_function_is_synchronized_from_the_first_call() {
    #[circuit_breaker(shared = "function", failure_threshold = 1, name = "shared function")]
    fn call(works: bool) -> Option<()> {
        works.then_some(())
    }
    let store = Memory::default();
    let task = tokio::spawn(BreakerSync::new(store.clone()).run());
    round().await;
    store.write("function", 81, Some(RESET));
    assert_eq!(call(true), Some(()));
    sleep(Duration::from_millis(1)).await;
    assert_eq!(call(true), None, "the first call wakes the task");
    store.write("function", 82, None);
    round().await;
    assert_eq!(call(false), None);
    sleep(Duration::from_millis(1)).await;
    assert!(store.is_open("function"));
    task.abort();
}

#[tokio::test(start_paused = true)]
async fn two_breakers_of_one_name_in_one_process_share_the_state() {
    let store = Memory::default();
    let make = || Arc::new(CircuitBreaker::new().shared("two"));
    let (one, two) = (make(), make());
    let alone = Arc::new(CircuitBreaker::new());
    let sync = BreakerSync::new(store.clone())
        .with(Arc::clone(&one))
        .with(Arc::clone(&two))
        .with(Arc::clone(&alone));
    let task = tokio::spawn(sync.run());
    one.trip();
    alone.trip();
    round().await;
    assert_eq!(two.state(), CircuitState::Open);
    assert_eq!(store.written("two").len(), 1);
    task.abort();
}

/// Two machines with clocks one day apart, and a store with a third clock.
#[test]
fn only_the_remaining_time_matters() {
    let machine = || Builder::new_current_thread().enable_time().start_paused(true).build();
    let (here, there): (Runtime, Runtime) = (machine().unwrap(), machine().unwrap());
    let store = Memory::default();
    store.advance(Duration::from_secs(1_000_000));
    there.block_on(advance(Duration::from_hours(24)));
    let one = here.block_on(async { Process::start(&store, "clocks") });
    let two = there.block_on(async { Process::start(&store, "clocks") });
    here.block_on(async { one.open() });
    here.block_on(round());
    // The entry is nine seconds old.
    store.advance(Duration::from_secs(9));
    there.block_on(round());
    let left = there.block_on(async { two.left() });
    assert!(left + Duration::from_secs(9) <= RESET + GRACE, "{left:?}");
    assert!(left + Duration::from_secs(10) > RESET, "{left:?}");
}

#[tokio::test]
async fn test_state_of_a_shared_breaker_is_isolated() {
    #[circuit_breaker(shared = "state-in", failure_threshold = 1)]
    fn call(works: bool) -> Option<()> {
        works.then_some(())
    }
    let _clock = testing::clock();
    {
        let _state = testing::fresh_state();
        call(false);
        assert_eq!(call(true), None);
    }
    assert_eq!(call(true), Some(()));
}

/// A store whose connection takes longer than two intervals, and whose answers are fast.
struct Distant {
    store: Memory,
    is_connected: bool,
}

impl Distant {
    async fn connect(&mut self) {
        if !self.is_connected {
            // A dropped call loses the progress.
            sleep(5 * INTERVAL).await;
            self.is_connected = true;
        }
    }
}

impl SharedState for Distant {
    type Error = std::io::Error;

    async fn vote(&mut self, name: &str, by: ProcessId, vote: Vote) -> std::io::Result<()> {
        self.connect().await;
        self.store.vote(name, by, vote).await
    }

    async fn read(&mut self, by: ProcessId, names: &[&str]) -> std::io::Result<Vec<Votes>> {
        self.connect().await;
        self.store.read(by, names).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_takes_long_is_made() {
    let store = Memory::default();
    let breaker = Arc::new(CircuitBreaker::new().shared("distant"));
    let distant = Distant { store: store.clone(), is_connected: false };
    let sync = BreakerSync::new(distant).quorum(1).with(Arc::clone(&breaker));
    let task = tokio::spawn(sync.run());
    // The time limits of the first rounds are 2, 4 and 8 intervals, with delays of 1 and 2.
    sleep(17 * INTERVAL).await;
    store.write("distant", 1, Some(RESET));
    round().await;
    assert_eq!(breaker.state(), CircuitState::Open);
    task.abort();
}
