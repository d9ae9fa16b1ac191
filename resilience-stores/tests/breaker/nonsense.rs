//! Stores of an application that break their contract.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use resilience::stores::breaker::{
    BreakerSync, ProcessId, Quorum, SharedState, Vote, VoteId, VoteState, Votes,
};
use resilience::{CircuitBreaker, CircuitState};
use tokio::time::sleep;

const RESET: Duration = Duration::from_secs(30);
/// The longest time until a vote applies here.
const ROUND: Duration = Duration::from_millis(501);

/// Returns the same answers to every read.
struct Fixed(Vec<Votes>);

impl SharedState for Fixed {
    type Error = io::Error;

    async fn vote(&mut self, _: &str, _: ProcessId, _: Vote) -> io::Result<()> {
        Ok(())
    }

    async fn read(&mut self, _: ProcessId, _: &[&str]) -> io::Result<Vec<Votes>> {
        Ok(self.0.clone())
    }
}

fn votes(members: u32, open: &[(u64, Duration)]) -> Votes {
    let vote = |(number, (process, left)): (usize, &(u64, Duration))| {
        let id = VoteId(u64::try_from(number).unwrap());
        (ProcessId(*process), Vote { id, state: VoteState::Open(*left) })
    };
    Votes { members, votes: open.iter().enumerate().map(vote).collect() }
}

/// Returns a breaker that follows the store.
fn follow(answers: Vec<Votes>, quorum: Quorum) -> Arc<CircuitBreaker> {
    let breaker = CircuitBreaker::new().failure_threshold(1).reset_timeout(RESET).shared("odd");
    let breaker = Arc::new(breaker);
    let sync = BreakerSync::new(Fixed(answers)).quorum(quorum).with(Arc::clone(&breaker));
    tokio::spawn(sync.run());
    breaker
}

#[tokio::test(start_paused = true)]
async fn one_vote_opens_no_fleet_of_unknown_size() {
    let one = [(1, RESET)];
    let two = [(1, RESET), (2, RESET)];
    for (members, open, expected) in [
        (0, &one[..], CircuitState::Closed),
        (0, &two[..], CircuitState::Open),
        (1, &one[..], CircuitState::Open),
        (u32::MAX, &one[..], CircuitState::Closed),
        (u32::MAX, &two[..], CircuitState::Open),
    ] {
        let breaker = follow(vec![votes(members, open)], Quorum::Auto);
        sleep(ROUND).await;
        assert_eq!(breaker.state(), expected, "{members} {open:?}");
        // The calls of this process decide as before.
        breaker.reset();
        breaker.try_acquire().expect("a closed breaker").failure();
        assert_eq!(breaker.state(), CircuitState::Open);
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_with_two_votes_counts_once() {
    let breaker = follow(vec![votes(3, &[(1, RESET), (1, 2 * RESET)])], Quorum::Auto);
    sleep(ROUND).await;
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn an_endless_vote_keeps_a_breaker_open_as_long_as_its_settings_allow() {
    let endless = vec![votes(3, &[(1, Duration::MAX), (2, Duration::MAX)])];
    let breaker = follow(endless.clone(), Quorum::Auto);
    let growing = CircuitBreaker::new().reset_timeout(RESET).max_reset_timeout(2 * RESET);
    let growing = Arc::new(growing.shared("odd growing"));
    tokio::spawn(BreakerSync::new(Fixed(endless)).with(Arc::clone(&growing)).run());
    sleep(ROUND).await;
    assert_eq!((breaker.state(), growing.state()), (CircuitState::Open, CircuitState::Open));
    sleep(3 * RESET).await;
    // The trial call of this process closes the breaker, and the votes stay answered.
    growing.try_acquire().expect("a trial call").success();
    sleep(Duration::from_secs(600)).await;
    assert_eq!(growing.state(), CircuitState::Closed);
    sleep(Duration::from_secs(600)).await;
    breaker.try_acquire().expect("a trial call").success();
    sleep(ROUND).await;
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn answers_of_the_wrong_number_change_nothing_else() {
    for answers in [Vec::new(), vec![votes(3, &[]); 7]] {
        let breaker = follow(answers, Quorum::Auto);
        sleep(ROUND).await;
        assert_eq!(breaker.state(), CircuitState::Closed);
        breaker.try_acquire().expect("a closed breaker").failure();
        sleep(ROUND).await;
        assert_eq!(breaker.state(), CircuitState::Open);
    }
}
