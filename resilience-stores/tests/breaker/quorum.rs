//! Fleets with sick processes: a sick process sees each call to a healthy dependency fail.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use resilience::stores::breaker::{BreakerSync, Quorum};
use resilience::{CircuitBreaker, CircuitState};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::memory::{Memory, Mode};

const INTERVAL: Duration = Duration::from_millis(500);
const STEP: Duration = Duration::from_millis(100);
const RESET: Duration = Duration::from_secs(30);

struct Fleet {
    store: Memory,
    processes: Vec<(Arc<CircuitBreaker>, JoinHandle<()>)>,
}

impl Fleet {
    fn start(processes: usize, name: &'static str, quorum: Quorum) -> Self {
        let mut fleet = Self { store: Memory::default(), processes: Vec::new() };
        for number in 0..processes {
            fleet.add(name, |sync| sync.quorum(quorum).process(&format!("process {number}")));
        }
        fleet
    }

    fn add(
        &mut self,
        name: &'static str,
        settings: impl FnOnce(BreakerSync<Memory>) -> BreakerSync<Memory>,
    ) {
        let breaker =
            Arc::new(CircuitBreaker::new().failure_threshold(5).reset_timeout(RESET).shared(name));
        let sync = settings(BreakerSync::new(self.store.clone())).with(Arc::clone(&breaker));
        self.processes.push((breaker, tokio::spawn(sync.run())));
    }

    fn breaker(&self, number: usize) -> &CircuitBreaker {
        &self.processes[number].0
    }

    fn states(&self, processes: Range<usize>) -> Vec<CircuitState> {
        self.processes[processes].iter().map(|(breaker, _)| breaker.state()).collect()
    }

    /// Lets time pass, by the clock of the processes and of the store.
    async fn pass(&self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.store.advance(STEP);
            sleep(STEP).await;
        }
    }

    /// Each process calls once, and the calls of the first `sick` processes fail. Returns the
    /// number of healthy calls that ran.
    fn call(&self, sick: usize) -> usize {
        let call = |(number, (breaker, _)): (usize, &(Arc<CircuitBreaker>, JoinHandle<()>))| {
            let mut ran = false;
            breaker.run(|| {
                ran = true;
                (number >= sick).then_some(())
            });
            ran && number >= sick
        };
        self.processes.iter().enumerate().filter(|process| call(*process)).count()
    }

    /// Calls ten times a second. Returns the share of the healthy calls that ran.
    async fn run(&self, sick: usize, time: Duration) -> f64 {
        let (start, mut ran, mut rounds) = (Instant::now(), 0, 0);
        while start.elapsed() < time {
            ran += self.call(sick);
            rounds += 1;
            self.pass(STEP).await;
        }
        let [ran, all] = [ran, rounds * (self.processes.len() - sick)]
            .map(|calls| f64::from(u32::try_from(calls).unwrap()));
        ran / all
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for (_, task) in &self.processes {
            task.abort();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_sick_process_does_not_stop_nineteen_healthy_processes() {
    let fleet = Fleet::start(20, "poison", Quorum::Auto);
    fleet.pass(INTERVAL * 2).await;
    let share = fleet.run(1, Duration::from_mins(10)).await;
    eprintln!("20 processes, 1 sick, 10 minutes: {share}");
    assert!(share >= 0.999, "{share}");
    assert_eq!(fleet.breaker(0).state(), CircuitState::Open, "the sick process is protected");
}

/// Checks both sides of the quorum for each number of sick processes.
async fn check_table(processes: usize, sick: impl IntoIterator<Item = usize>, quorum: Quorum) {
    let needed = quorum.of(u32::try_from(processes).unwrap()) as usize;
    for sick in sick {
        let fleet = Fleet::start(processes, "table", quorum);
        fleet.pass(INTERVAL * 2).await;
        if sick < needed {
            let share = fleet.run(sick, Duration::from_mins(2)).await;
            eprintln!("{processes} processes, {sick} sick, quorum {needed}: {share:.4} served");
            assert!(share >= 0.999, "{processes} processes, {sick} sick: {share}");
            continue;
        }
        // The quorum is reached with the fifth failure of each sick process.
        for _ in 0..5 {
            fleet.call(sick);
        }
        let (opened, all_open) = (Instant::now(), vec![CircuitState::Open; processes]);
        while fleet.states(0..processes) != all_open {
            assert!(opened.elapsed() <= INTERVAL * 2, "{processes} processes, {sick} sick");
            fleet.pass(STEP).await;
        }
        eprintln!(
            "{processes} processes, {sick} sick, quorum {needed}: all open after {:?}",
            opened.elapsed()
        );
        // The fleet stays open as long as the processes are sick.
        let healthy = fleet.run(sick, RESET * 3).await;
        assert!(sick == processes || healthy < 0.05, "{processes}, {sick}: {healthy} served");
    }
}

#[tokio::test(start_paused = true)]
async fn two_and_three_processes() {
    check_table(2, 1..=2, Quorum::Auto).await;
    check_table(2, 1..=2, 2.into()).await;
    check_table(3, 1..=3, Quorum::Auto).await;
    check_table(3, 1..=3, 3.into()).await;
}

#[tokio::test(start_paused = true)]
async fn twenty_processes() {
    check_table(20, 1..=20, Quorum::Auto).await;
    check_table(20, [1, 5, 6, 20], 0.3.into()).await;
}

#[tokio::test(start_paused = true)]
async fn a_hundred_processes() {
    check_table(100, [1, 2, 3, 50, 100], Quorum::Auto).await;
    check_table(100, [29, 30], 0.3.into()).await;
}

#[tokio::test(start_paused = true)]
async fn a_recovered_dependency_is_used_by_the_whole_fleet() {
    let fleet = Fleet::start(20, "recovery", Quorum::Auto);
    fleet.pass(INTERVAL * 2).await;
    // An outage for all processes.
    let start = Instant::now();
    fleet.run(19, Duration::from_mins(2)).await;
    assert_eq!(fleet.states(0..20), [CircuitState::Open; 20]);
    // Recovery: the longest open time is a renewed one.
    while fleet.states(0..20) != [CircuitState::Closed; 20] {
        fleet.call(0);
        fleet.pass(STEP).await;
    }
    let took = start.elapsed().saturating_sub(Duration::from_mins(2));
    assert!(took <= RESET + INTERVAL * 4, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_withdrawn_vote_closes_the_processes_that_followed() {
    let fleet = Fleet::start(5, "withdrawn", Quorum::Auto);
    fleet.pass(INTERVAL * 2).await;
    for _ in 0..5 {
        fleet.call(2);
    }
    fleet.pass(INTERVAL * 2).await;
    assert_eq!(fleet.states(0..5), [CircuitState::Open; 5]);
    // The trial call of one voter succeeds. The other voter keeps its own state.
    let first = fleet.breaker(0).snapshot().open_for.unwrap();
    fleet.pass(first).await;
    assert_eq!(fleet.breaker(0).run(|| Some(())), Some(()));
    fleet.pass(INTERVAL).await;
    let [closed, open] = [CircuitState::Closed, CircuitState::Open];
    assert_eq!(fleet.states(0..5), [closed, open, closed, closed, closed]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_trial_call_renews_only_the_vote_of_its_process() {
    let fleet = Fleet::start(5, "renewed", Quorum::Auto);
    fleet.pass(INTERVAL * 2).await;
    for _ in 0..5 {
        fleet.call(2);
    }
    fleet.pass(INTERVAL * 2).await;
    // One of two voters stays sick. The other has no calls, so its vote ends.
    let start = Instant::now();
    let mut healthy_at = None;
    while start.elapsed() < RESET * 2 {
        let trial = fleet.breaker(0).run(|| None::<()>);
        assert_eq!(trial, None);
        if fleet.breaker(4).run(|| Some(())).is_some() {
            healthy_at.get_or_insert(start.elapsed());
        }
        fleet.pass(STEP).await;
    }
    let healthy_at = healthy_at.expect("one vote does not keep the fleet open");
    assert!(healthy_at <= RESET + INTERVAL * 2, "{healthy_at:?}");
    assert_eq!(fleet.breaker(4).state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn votes_that_are_older_than_a_successful_trial_call_do_not_count() {
    let fleet = Fleet::start(4, "older", Quorum::Auto);
    fleet.pass(INTERVAL * 2).await;
    for _ in 0..5 {
        fleet.call(3);
    }
    fleet.pass(INTERVAL * 2).await;
    // The operator knows better than three votes.
    fleet.breaker(3).force_close();
    fleet.pass(INTERVAL * 4).await;
    assert_eq!(fleet.breaker(3).state(), CircuitState::Closed);
    // One renewed vote is no quorum, two are.
    for (sick, expected) in [(0, CircuitState::Closed), (1, CircuitState::Open)] {
        fleet.breaker(sick).reset();
        for _ in 0..5 {
            fleet.breaker(sick).run(|| None::<()>);
        }
        fleet.pass(INTERVAL * 2).await;
        assert_eq!(fleet.breaker(3).state(), expected, "{sick}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_functions_of_one_process_have_one_vote() {
    let mut fleet = Fleet::start(4, "one vote", Quorum::Auto);
    let [one, two] = [(); 2].map(|()| Arc::new(CircuitBreaker::new().shared("one vote")));
    let sync = BreakerSync::new(fleet.store.clone()).with(Arc::clone(&one));
    let task = tokio::spawn(sync.with(Arc::clone(&two)).run());
    fleet.processes.push((Arc::clone(&one), task));
    fleet.pass(INTERVAL * 2).await;
    one.trip();
    two.trip();
    fleet.pass(INTERVAL * 4).await;
    assert_eq!(fleet.states(0..4), [CircuitState::Closed; 4]);
    // The vote lasts until both have closed.
    fleet.breaker(0).trip();
    fleet.pass(INTERVAL * 2).await;
    assert_eq!(fleet.states(1..4), [CircuitState::Open; 3]);
    two.probe();
    assert_eq!(two.run(|| Some(())), Some(()));
    fleet.pass(INTERVAL * 2).await;
    assert_eq!(fleet.states(1..4), [CircuitState::Open; 3]);
    one.probe();
    assert_eq!(one.run(|| Some(())), Some(()));
    fleet.pass(INTERVAL * 2).await;
    assert_eq!(fleet.states(1..4), [CircuitState::Closed; 3]);
}

#[tokio::test(start_paused = true)]
async fn a_process_that_restarts_under_its_name_has_one_vote() {
    for (named, expected) in [(true, CircuitState::Closed), (false, CircuitState::Open)] {
        let mut fleet = Fleet::start(4, "restart", Quorum::Auto);
        fleet.pass(INTERVAL * 2).await;
        for _ in 0..2 {
            fleet.add("restart", |sync| if named { sync.process("pod-4") } else { sync });
            fleet.pass(INTERVAL * 2).await;
            let (breaker, task) = fleet.processes.pop().unwrap();
            breaker.trip();
            fleet.pass(INTERVAL).await;
            task.abort();
        }
        fleet.pass(INTERVAL * 2).await;
        assert_eq!(fleet.states(0..4), [expected; 4], "named: {named}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_quorum_of_a_single_name() {
    let store = Memory::default();
    let breaker = |name| Arc::new(CircuitBreaker::new().shared(name));
    let processes: Vec<_> = (0..4)
        .map(|_| {
            let [usual, strict] = ["usual", "strict"].map(breaker);
            let sync = BreakerSync::new(store.clone()).quorum(1).quorum_for("strict", 2);
            let sync = sync.with(Arc::clone(&usual)).with(Arc::clone(&strict));
            (usual, strict, tokio::spawn(sync.run()))
        })
        .collect();
    sleep(INTERVAL * 2).await;
    processes[0].0.trip();
    processes[0].1.trip();
    sleep(INTERVAL * 2).await;
    for (usual, strict, task) in &processes[1..] {
        assert_eq!((usual.state(), strict.state()), (CircuitState::Open, CircuitState::Closed));
        task.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_loses_its_data_does_not_lower_the_quorum() {
    let fleet = Fleet::start(10, "lost", Quorum::Auto);
    fleet.pass(INTERVAL * 2).await;
    // The first process to read after the loss finds itself alone with a vote.
    fleet.store.clear();
    fleet.store.write("lost", 1, Some(RESET));
    for _ in 0..100 {
        sleep(INTERVAL / 50).await;
        assert_eq!(fleet.states(0..10), [CircuitState::Closed; 10]);
    }
}

#[tokio::test(start_paused = true)]
async fn voters_do_not_wait_for_one_another_and_renewed_votes_extend_the_open_time() {
    let fleet = Fleet::start(6, "extended", Quorum::Auto);
    fleet.pass(INTERVAL * 2).await;
    for _ in 0..5 {
        fleet.call(6);
    }
    fleet.pass(INTERVAL * 2).await;
    for number in 0..6 {
        let left = fleet.breaker(number).snapshot().open_for.unwrap();
        assert!(left <= RESET.saturating_sub(INTERVAL * 2), "{number}: {left:?}");
    }
    // The trial calls of two processes fail. The others need no trial call of their own.
    for expected in [false, true] {
        let number = usize::from(expected);
        fleet.breaker(number).probe();
        fleet.breaker(number).run(|| None::<()>);
        fleet.pass(INTERVAL * 2).await;
        let left = fleet.breaker(5).snapshot().open_for.unwrap();
        assert_eq!(left > RESET.saturating_sub(INTERVAL * 2), expected, "{left:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_fleet_stays_open_as_long_as_a_quorum_of_votes_lasts() {
    let fleet = Fleet::start(4, "lasts", Quorum::Auto);
    fleet.pass(INTERVAL * 2).await;
    fleet.store.write("lasts", 1, Some(RESET * 10));
    fleet.breaker(0).trip();
    fleet.pass(INTERVAL * 2).await;
    let left = fleet.breaker(3).snapshot().open_for.unwrap();
    assert!(left <= RESET + INTERVAL * 2, "{left:?}");
}

#[tokio::test(start_paused = true)]
async fn a_follower_that_is_probed_by_hand_sends_its_trial_call() {
    let fleet = Fleet::start(4, "probed", Quorum::Auto);
    fleet.pass(INTERVAL * 2).await;
    for _ in 0..5 {
        fleet.call(2);
    }
    fleet.pass(INTERVAL * 2).await;
    fleet.breaker(3).probe();
    fleet.pass(INTERVAL * 2).await;
    assert_eq!(fleet.breaker(3).state(), CircuitState::HalfOpen);
    assert_eq!(fleet.breaker(3).run(|| Some(())), Some(()));
    fleet.pass(INTERVAL * 2).await;
    // Live votes keep the other follower open.
    let [closed, open] = [CircuitState::Closed, CircuitState::Open];
    assert_eq!(fleet.states(0..4), [open, open, open, closed]);
}

#[tokio::test(start_paused = true)]
async fn the_first_successful_trial_call_after_the_death_of_the_voters_closes_the_fleet() {
    let mut fleet = Fleet::start(5, "after death", Quorum::Auto);
    fleet.pass(INTERVAL * 2).await;
    for _ in 0..5 {
        fleet.call(2);
    }
    fleet.pass(INTERVAL * 2).await;
    for (_, task) in fleet.processes.drain(..2) {
        task.abort();
    }
    fleet.pass(RESET + INTERVAL * 2).await;
    assert_eq!(fleet.states(0..3), [CircuitState::Open; 3]);
    assert_eq!(fleet.breaker(0).run(|| Some(())), Some(()));
    fleet.pass(INTERVAL * 2).await;
    assert_eq!(fleet.states(0..3), [CircuitState::Closed; 3]);
}

#[tokio::test(start_paused = true)]
async fn a_follower_whose_own_trial_call_failed_is_not_closed_by_the_others() {
    let fleet = Fleet::start(4, "own trial", Quorum::Auto);
    fleet.pass(INTERVAL * 2).await;
    for _ in 0..5 {
        fleet.call(2);
    }
    fleet.pass(INTERVAL * 2).await;
    let follower = fleet.breaker(3);
    follower.probe();
    assert_eq!(follower.run(|| None::<()>), None);
    fleet.pass(INTERVAL).await;
    for voter in [0, 1] {
        fleet.breaker(voter).probe();
        assert_eq!(fleet.breaker(voter).run(|| Some(())), Some(()));
    }
    fleet.pass(INTERVAL * 2).await;
    let [closed, open] = [CircuitState::Closed, CircuitState::Open];
    assert_eq!(fleet.states(0..4), [closed, closed, closed, open]);
}

#[tokio::test(start_paused = true)]
async fn a_vote_whose_answer_was_lost_is_withdrawn() {
    let fleet = Fleet::start(1, "lost answer", Quorum::Auto);
    fleet.pass(INTERVAL * 2).await;
    fleet.store.set_mode(Mode::NoAnswer);
    fleet.breaker(0).trip();
    fleet.pass(INTERVAL).await;
    assert!(fleet.store.is_open("lost answer"));
    fleet.breaker(0).probe();
    assert_eq!(fleet.breaker(0).run(|| Some(())), Some(()));
    fleet.store.set_mode(Mode::Working);
    fleet.pass(INTERVAL * 12).await;
    assert!(!fleet.store.is_open("lost answer"));
}

#[tokio::test(start_paused = true)]
async fn a_fleet_that_grows_needs_two_votes() {
    let mut fleet = Fleet::start(2, "grows", Quorum::Auto);
    fleet.pass(INTERVAL * 2).await;
    fleet.breaker(0).trip();
    fleet.pass(INTERVAL * 2).await;
    assert_eq!(fleet.states(0..2), [CircuitState::Open; 2]);
    fleet.add("grows", |sync| sync);
    fleet.pass(INTERVAL * 2).await;
    let [closed, open] = [CircuitState::Closed, CircuitState::Open];
    assert_eq!(fleet.states(0..3), [open, closed, closed]);
}

#[tokio::test(start_paused = true)]
async fn a_dead_voter_is_not_taken_for_a_successful_trial_call() {
    let mut fleet = Fleet::start(5, "dead", Quorum::Auto);
    fleet.pass(INTERVAL * 2).await;
    for _ in 0..5 {
        fleet.call(2);
    }
    fleet.pass(INTERVAL * 2).await;
    for (_, task) in fleet.processes.drain(..2) {
        task.abort();
    }
    // Even if the store loses the votes, the others stay open for the announced time.
    fleet.store.clear();
    fleet.pass(RESET.saturating_sub(INTERVAL * 4)).await;
    assert_eq!(fleet.states(0..3), [CircuitState::Open; 3]);
    fleet.pass(INTERVAL * 8).await;
    fleet.call(0);
    assert_eq!(fleet.states(0..3), [CircuitState::Closed; 3]);
}

#[test]
fn a_share_counts_at_least_one_process() {
    for (share, members, expected) in [
        (0.3, 20, 6),
        (0.3, 2, 1),
        (0.5, 3, 2),
        (0.0, 10, 1),
        (1.0, 10, 10),
        (7.0, 10, 10),
        (-1.0, 10, 1),
        (f64::NAN, 10, 1),
        (0.5, u32::MAX, 1 << 31),
        (0.5, 0, 1),
    ] {
        assert_eq!(Quorum::from(share).of(members), expected, "{share} of {members}");
    }
    assert_eq!([0, 1, 2, 3, 100].map(|members| Quorum::Auto.of(members)), [2, 1, 1, 2, 2]);
    assert_eq!([0, 1, 7].map(|processes| Quorum::from(processes).of(3)), [1, 1, 7]);
}
