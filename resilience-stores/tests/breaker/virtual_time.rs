//! The rounds, under virtual time: each breaker with its exchange stands for a process.

use std::sync::Arc;
use std::time::Duration;

use resilience::stores::breaker::BreakerSync;
use resilience::{CircuitBreaker, CircuitState, Rejected, circuit_breaker, testing};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio::time::{advance, sleep};

use crate::memory::{Memory, Mood};

const RESET: Duration = Duration::from_secs(30);
const INTERVAL: Duration = Duration::from_millis(500);
/// How much longer the others wait.
const PATIENCE: Duration = Duration::from_secs(1);

struct Process {
    breaker: Arc<CircuitBreaker>,
    exchange: JoinHandle<()>,
}

impl Process {
    fn start(board: &Memory, name: &'static str) -> Self {
        let breaker = CircuitBreaker::new().failure_threshold(2).reset_timeout(RESET).shared(name);
        let breaker = Arc::new(breaker);
        let exchange = BreakerSync::new(board.clone()).with(Arc::clone(&breaker));
        Self { breaker, exchange: tokio::spawn(exchange.run()) }
    }

    fn call(&self, works: bool) -> Option<()> {
        self.breaker.run(|| works.then_some(()))
    }

    fn fails(&self) {
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
        self.exchange.abort();
    }
}

/// Long enough for everybody to hear, and no more.
async fn round() {
    sleep(INTERVAL + Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn what_opens_in_one_opens_in_all_and_closes_with_the_first_probe() {
    let board = Memory::default();
    let [one, two, three] = [(); 3].map(|()| Process::start(&board, "all"));
    round().await;
    one.fails();
    assert_eq!((two.state(), three.state()), (CircuitState::Closed, CircuitState::Closed));
    round().await;
    for other in [&two, &three] {
        assert_eq!(other.state(), CircuitState::Open);
        let rejected: Result<(), Rejected> = other.breaker.run(|| Ok(()));
        assert!(rejected.unwrap_err().retry_after() > Some(RESET.saturating_sub(INTERVAL)));
    }
    // The one who opened it is the first to try.
    sleep(one.left()).await;
    assert_eq!((one.call(true), two.call(true), three.call(true)), (Some(()), None, None));
    round().await;
    assert_eq!((two.call(true), three.call(true)), (Some(()), Some(())));
    assert_eq!((two.state(), three.state()), (CircuitState::Closed, CircuitState::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_decision_is_told_at_once() {
    let board = Memory::default();
    let one = Process::start(&board, "at once");
    round().await;
    one.fails();
    sleep(Duration::from_millis(1)).await;
    assert!(board.is_open("at once"));
}

#[tokio::test(start_paused = true)]
async fn others_try_when_the_one_who_opened_it_does_not() {
    let board = Memory::default();
    let [one, two] = [(); 2].map(|()| Process::start(&board, "gone"));
    one.fails();
    round().await;
    drop(one);
    let left = two.left();
    assert!(left > RESET && left <= RESET + PATIENCE, "{left:?}");
    advance(left).await;
    assert_eq!(two.call(true), Some(()));
    assert_eq!(two.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_fails_opens_all_anew() {
    let board = Memory::default();
    let [one, two] = [(); 2].map(|()| Process::start(&board, "anew"));
    one.fails();
    round().await;
    board.advance(RESET);
    sleep(one.left()).await;
    assert_eq!(one.call(false), None);
    round().await;
    assert!(two.left() + INTERVAL > RESET, "{:?}", two.left());
}

#[tokio::test(start_paused = true)]
async fn nothing_comes_back_as_an_echo() {
    let board = Memory::default();
    let [one, two, three] = [(); 3].map(|()| Process::start(&board, "echo"));
    one.fails();
    for _ in 0..20 {
        round().await;
    }
    assert_eq!(board.written("echo").len(), 1);
    assert!(one.left() < RESET, "it was not opened again");
    sleep(one.left()).await;
    one.call(true);
    for _ in 0..20 {
        round().await;
    }
    assert_eq!(board.written("echo").len(), 2);
    assert_eq!((two.state(), three.state()), (CircuitState::Closed, CircuitState::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_hand_rules_where_it_is() {
    let board = Memory::default();
    let [one, two, three, four] = [(); 4].map(|()| Process::start(&board, "hand"));
    two.breaker.force_open();
    three.breaker.disable();
    round().await;
    assert_eq!(board.written("hand"), []);
    one.fails();
    round().await;
    assert_eq!(two.state(), CircuitState::ForcedOpen);
    assert_eq!(three.call(false), None);
    assert_eq!(three.state(), CircuitState::Disabled);
    // What is closed by hand is not opened by what the others have heard already.
    assert_eq!(four.state(), CircuitState::Open);
    four.breaker.force_close();
    two.breaker.force_close();
    round().await;
    assert_eq!((four.state(), two.state()), (CircuitState::Closed, CircuitState::Closed));
    assert_eq!(one.state(), CircuitState::Open);
    assert_eq!(board.written("hand").len(), 1);
    // To trip is to say what failures would.
    four.breaker.trip();
    round().await;
    assert_eq!(two.state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_board_that_is_down_leaves_everybody_to_himself() {
    for mood in [Mood::Down, Mood::Silent] {
        let board = Memory::default();
        board.is(mood);
        let [one, two] = [(); 2].map(|()| Process::start(&board, "down"));
        one.fails();
        sleep(RESET / 2).await;
        // Both go by what they see, and the rounds get rarer: 1, 2, 4, 8, 10, 10 … intervals, or half.
        assert_eq!((one.call(true), two.call(true)), (None, Some(())));
        assert!((8..30).contains(&board.asked()), "{mood:?}: {}", board.asked());
        // What is told late is told with the time that is left.
        board.is(Mood::Well);
        sleep(INTERVAL * 10 + PATIENCE).await;
        assert_eq!(two.call(true), None);
        assert!(two.left() < RESET / 2 + PATIENCE, "{:?}", two.left());
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_over_is_not_told() {
    let board = Memory::default();
    board.is(Mood::Down);
    let one = Process::start(&board, "over");
    one.fails();
    sleep(RESET).await;
    board.is(Mood::Well);
    sleep(INTERVAL * 11).await;
    assert_eq!((one.state(), board.written("over").len()), (CircuitState::Open, 0));
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_no_second_opening() {
    let board = Memory::default();
    board.is(Mood::Mute);
    let one = Process::start(&board, "lost");
    one.fails();
    sleep(PATIENCE * 3).await;
    board.is(Mood::Well);
    sleep(INTERVAL * 11).await;
    let written = board.written("lost");
    assert!(written.len() > 1 && written.iter().all(|tag| *tag == written[0]), "{written:?}");
}

#[tokio::test(start_paused = true)]
async fn a_closing_is_that_of_the_opening_that_was_known() {
    let board = Memory::default();
    let one = Process::start(&board, "known");
    one.fails();
    round().await;
    sleep(one.left()).await;
    // Another process has opened it anew, and this one has not read it.
    board.put("known", 77, Some(RESET));
    assert_eq!(one.call(true), Some(()));
    round().await;
    assert!(board.is_open("known"));
    assert_eq!(one.state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn news_is_told_before_anything_is_followed() {
    let board = Memory::default();
    let one = Process::start(&board, "news");
    round().await;
    board.put("news", 78, None);
    let breaker = Arc::clone(&one.breaker);
    board.meanwhile(move || breaker.trip());
    round().await;
    assert_eq!(one.state(), CircuitState::Open);
    assert!(board.is_open("news"));
}

#[tokio::test(start_paused = true)]
async fn the_longer_time_stands() {
    let board = Memory::default();
    let one = Process::start(&board, "longer");
    one.fails();
    round().await;
    board.put("longer", 79, Some(Duration::from_secs(5)));
    round().await;
    assert!(one.left() + PATIENCE * 2 > RESET);
    board.put("longer", 80, Some(RESET * 2));
    round().await;
    assert!(one.left() > RESET);
}

#[tokio::test(start_paused = true)]
async fn a_name_is_whose_it_is() {
    let board = Memory::default();
    let [one, two] = ["this", "that"].map(|name| Process::start(&board, name));
    one.fails();
    round().await;
    assert_eq!(two.call(true), Some(()));
}

#[tokio::test(start_paused = true)]
async fn a_function_is_found_from_its_first_call_on() {
    #[circuit_breaker(shared = "function", failure_threshold = 1, name = "shared function")]
    fn call(works: bool) -> Option<()> {
        works.then_some(())
    }
    let board = Memory::default();
    let exchange = tokio::spawn(BreakerSync::new(board.clone()).run());
    round().await;
    board.put("function", 81, Some(RESET));
    assert_eq!(call(true), Some(()));
    sleep(Duration::from_millis(1)).await;
    assert_eq!(call(true), None, "the first call has woken the exchange");
    board.put("function", 82, None);
    round().await;
    assert_eq!(call(false), None);
    sleep(Duration::from_millis(1)).await;
    assert!(board.is_open("function"));
    exchange.abort();
}

#[tokio::test(start_paused = true)]
async fn two_of_a_name_in_one_process_go_together() {
    let board = Memory::default();
    let make = || Arc::new(CircuitBreaker::new().shared("two"));
    let (one, two) = (make(), make());
    let alone = Arc::new(CircuitBreaker::new());
    let exchange = BreakerSync::new(board.clone())
        .with(Arc::clone(&one))
        .with(Arc::clone(&two))
        .with(Arc::clone(&alone));
    let exchange = tokio::spawn(exchange.run());
    one.trip();
    alone.trip();
    round().await;
    assert_eq!(two.state(), CircuitState::Open);
    assert_eq!(board.written("two").len(), 1);
    exchange.abort();
}

/// Two machines whose clocks are a day apart, and a board whose clock is another.
#[test]
fn no_clock_but_the_time_that_is_left_matters() {
    let machine = || Builder::new_current_thread().enable_time().start_paused(true).build();
    let (here, there): (Runtime, Runtime) = (machine().unwrap(), machine().unwrap());
    let board = Memory::default();
    board.advance(Duration::from_secs(1_000_000));
    there.block_on(advance(Duration::from_hours(24)));
    let one = here.block_on(async { Process::start(&board, "clocks") });
    let two = there.block_on(async { Process::start(&board, "clocks") });
    here.block_on(async { one.fails() });
    here.block_on(round());
    // Nine seconds on the way.
    board.advance(Duration::from_secs(9));
    there.block_on(round());
    let left = there.block_on(async { two.left() });
    assert!(left + Duration::from_secs(9) <= RESET + PATIENCE, "{left:?}");
    assert!(left + Duration::from_secs(10) > RESET, "{left:?}");
}

#[tokio::test]
async fn a_shared_breaker_of_a_test_is_the_tests_own() {
    #[circuit_breaker(shared = "stand-in", failure_threshold = 1)]
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
