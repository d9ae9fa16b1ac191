//! Leases under virtual time.

use std::time::Duration;

use resilience::stores::rate_limit::RateLimitSync;
use resilience::{Keyed, RateLimiter};
use tokio::time::sleep;

use crate::fleet::{Calls, INTERVAL, LEASE, Process, SECOND};
use crate::memory::{Memory, Mode};

const RATE: u32 = 100;

/// A burst of more than one, so that callers that ask every few milliseconds lose no permit.
const BURST: u32 = 10;

fn limiter(name: &'static str) -> RateLimiter {
    RateLimiter::new(RATE, SECOND).burst(BURST).shared(name)
}

fn fleet<const N: usize>(store: &Memory, name: &'static str, calls: &Calls) -> [Process; N] {
    [(); N].map(|()| Process::start(store, limiter(name), calls))
}

/// The bound of the documentation: `rate · time + burst + members`, for any interval.
fn check_bound(calls: &Calls, members: u32) {
    let excess = calls.excess(RATE);
    assert!(excess <= f64::from(BURST + members), "{excess} calls above the rate");
}

#[tokio::test(start_paused = true)]
async fn equal_processes_use_the_rate_together_and_not_more() {
    let (store, calls) = (Memory::default(), Calls::new());
    let processes: [Process; 5] = fleet(&store, "equal", &calls);
    for process in &processes {
        process.load(200);
    }
    sleep(30 * SECOND).await;
    check_bound(&calls, 5);
    let admitted = calls.between(5 * SECOND, 20 * SECOND);
    assert!((1900..=2006).contains(&admitted), "{admitted}");
}

#[tokio::test(start_paused = true)]
async fn a_busy_process_gets_the_slices_of_idle_processes() {
    let (store, calls) = (Memory::default(), Calls::new());
    let processes: [Process; 10] = fleet(&store, "busy", &calls);
    processes[0].load(500);
    sleep(10 * SECOND).await;
    let admitted = calls.between(5 * SECOND, 5 * SECOND);
    assert!((465..=506).contains(&admitted), "{admitted} of 500");
    // The load moves to another process.
    processes[0].stop();
    processes[7].load(500);
    let moved = calls.elapsed();
    sleep(10 * SECOND).await;
    let soon = calls.between(moved + 2 * INTERVAL, SECOND);
    assert!(soon >= 45, "{soon} of 100 in the second after two intervals");
    let later = calls.between(moved + 5 * INTERVAL, SECOND);
    assert!(later >= 90, "{later} of 100 in the second after five intervals");
    // Unequal loads: the small demands are met, the large demands share the rest.
    processes[7].load(80);
    processes[1].load(10);
    processes[2].load(300);
    let changed = calls.elapsed();
    sleep(10 * SECOND).await;
    let admitted = calls.between(changed + 5 * SECOND, 5 * SECOND);
    assert!((450..=506).contains(&admitted), "{admitted} of 500");
    check_bound(&calls, 10);
}

#[tokio::test(start_paused = true)]
async fn the_slices_of_killed_processes_are_free_within_a_lease_and_an_interval() {
    let (store, calls) = (Memory::default(), Calls::new());
    let [one, two, three] = fleet(&store, "killed", &calls);
    for process in [&one, &two, &three] {
        process.load(300);
    }
    sleep(10 * SECOND).await;
    let killed = calls.elapsed();
    drop((one, two));
    sleep(10 * SECOND).await;
    let free = killed + LEASE + INTERVAL;
    let before = calls.between(killed + SECOND / 2, SECOND);
    assert!(before <= 40, "the slices of the killed processes are used before they end: {before}");
    let after = calls.between(free, 5 * SECOND);
    assert!(after >= 480, "{after} of 500");
    check_bound(&calls, 3);
}

#[tokio::test(start_paused = true)]
async fn processes_that_restart_again_and_again_get_one_call_each() {
    let (store, calls) = (Memory::default(), Calls::new());
    let burst = || limiter("restarts").burst(50);
    let steady = Process::start(&store, burst(), &calls);
    steady.load(500);
    let mut restarts = 0;
    for _ in 0..20 {
        let process = Process::start(&store, burst(), &calls);
        process.load(500);
        sleep(Duration::from_millis(700)).await;
        restarts += 1;
    }
    let excess = calls.excess(RATE);
    assert!(excess <= f64::from(50 + 1 + restarts), "{excess}");
}

#[tokio::test(start_paused = true)]
async fn the_burst_is_shared_and_does_not_grow_with_the_number_of_processes() {
    let (store, calls) = (Memory::default(), Calls::new());
    let processes = [(); 8].map(|()| Process::start(&store, limiter("burst").burst(40), &calls));
    // Rest fills the bursts, then all processes call at once, and the load moves on again and
    // again.
    sleep(10 * SECOND).await;
    for process in &processes {
        process.load(1000);
    }
    sleep(SECOND).await;
    for round in 0..40 {
        processes.iter().for_each(Process::stop);
        processes[round % 8].load(1000);
        processes[(round * 3 + 1) % 8].load(1000);
        sleep(Duration::from_millis(900)).await;
    }
    let excess = calls.excess(RATE);
    assert!(excess <= f64::from(40 + 8), "{excess} calls above the rate");
    assert!(excess >= 30.0, "the burst is used: {excess}");
}

#[tokio::test(start_paused = true)]
async fn without_the_store_each_process_uses_an_equal_part_and_then_returns() {
    for mode in [Mode::Failing, Mode::Hanging, Mode::NoAnswer] {
        let (store, calls) = (Memory::default(), Calls::new());
        let processes: [Process; 4] = fleet(&store, "outage", &calls);
        processes[0].load(500);
        sleep(5 * SECOND).await;
        store.set_mode(mode);
        let lost = calls.elapsed();
        for process in &processes {
            process.load(500);
        }
        sleep(20 * SECOND).await;
        // After the leases, and one lease later, each process uses a fourth.
        let equal = calls.between(lost + 5 * LEASE, 5 * SECOND);
        assert!((480..=508).contains(&equal), "{mode:?}: {equal} of 500");
        check_bound(&calls, 4);
        store.set_mode(Mode::Working);
        processes[1..].iter().for_each(Process::stop);
        let back = calls.elapsed();
        sleep(20 * SECOND).await;
        let admitted = calls.between(back + 14 * SECOND, 5 * SECOND);
        check_bound(&calls, 4);
        assert!(admitted >= 470, "{mode:?}: the busy process gets {admitted} of 500 again");
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_that_is_cut_off_adds_its_equal_part_at_most() {
    let (store, calls) = (Memory::default(), Calls::new());
    let processes: [Process; 4] = fleet(&store, "cut off", &calls);
    for process in &processes {
        process.load(500);
    }
    sleep(5 * SECOND).await;
    processes[3].link.set_mode(Mode::Failing);
    let lost = calls.elapsed();
    sleep(20 * SECOND).await;
    // Three processes divide the rate, and the fourth has a fourth.
    let admitted = calls.between(lost + 10 * SECOND, 5 * SECOND);
    assert!((590..=630).contains(&admitted), "{admitted}");
    processes[3].link.set_mode(Mode::Working);
    let back = calls.elapsed();
    sleep(15 * SECOND).await;
    let admitted = calls.between(back + 7 * SECOND, 5 * SECOND);
    assert!((480..=508).contains(&admitted), "{admitted}");
}

#[tokio::test(start_paused = true)]
async fn a_process_that_never_reached_the_store_uses_the_rate_of_the_expected_number() {
    let (store, calls) = (Memory::default(), Calls::new());
    store.set_mode(Mode::Failing);
    let limiter = std::sync::Arc::new(limiter("expected"));
    let sync = RateLimitSync::new(store.link()).processes(4).with(&limiter);
    let task = tokio::spawn(sync.run());
    let end = calls.elapsed() + 12 * SECOND;
    while calls.elapsed() < end {
        if limiter.try_acquire().is_ok() {
            calls.add();
        }
        sleep(Duration::from_millis(1)).await;
    }
    assert!(calls.between(Duration::ZERO, SECOND) <= 2, "a lease could exist");
    let admitted = calls.between(2 * SECOND, 10 * SECOND);
    assert!((240..=252).contains(&admitted), "{admitted} of 250");
    task.abort();
}

#[tokio::test(start_paused = true)]
async fn a_store_that_loses_its_data_costs_at_most_the_rate_of_an_interval() {
    let (store, calls) = (Memory::default(), Calls::new());
    let processes: [Process; 3] = fleet(&store, "lost", &calls);
    processes[0].load(500);
    processes[1].load(50);
    sleep(5 * SECOND).await;
    for _ in 0..5 {
        store.clear();
        sleep(SECOND).await;
    }
    let excess = calls.excess(RATE);
    assert!(excess <= f64::from(BURST + 3 + 5 * RATE / 2), "{excess}");
}

#[tokio::test(start_paused = true)]
async fn waiting_calls_keep_the_rate_and_follow_the_share() {
    let (store, calls) = (Memory::default(), Calls::new());
    let waiting = || limiter("waiting").wait(60 * SECOND);
    let processes = [(); 3].map(|()| Process::start(&store, waiting(), &calls));
    for process in &processes {
        (0..20).for_each(|_| process.wait_in_a_loop());
    }
    sleep(20 * SECOND).await;
    let admitted = calls.between(5 * SECOND, 10 * SECOND);
    assert!((960..=1004).contains(&admitted), "{admitted} of 1000");
    // The turns of the remaining process come earlier, although the timers were set before.
    processes[0].stop();
    processes[1].stop();
    let alone = calls.elapsed();
    sleep(10 * SECOND).await;
    let admitted = calls.between(alone + 2 * SECOND, 5 * SECOND);
    assert!((450..=504).contains(&admitted), "{admitted} of 500");
    check_bound(&calls, 3);
}

#[tokio::test(start_paused = true)]
async fn a_rejection_names_the_time_until_the_permit_of_the_share() {
    let (store, calls) = (Memory::default(), Calls::new());
    let processes: [Process; 2] = fleet(&store, "retry after", &calls);
    for process in &processes {
        process.load(500);
    }
    sleep(10 * SECOND).await;
    processes.iter().for_each(Process::stop);
    let limiter = &processes[0].limiter;
    while limiter.try_acquire().is_ok() {}
    let retry_after = limiter.try_acquire().unwrap_err().retry_after().unwrap();
    // Half of the rate: a call every 20 ms.
    assert!(retry_after <= Duration::from_millis(21), "{retry_after:?}");
    sleep(retry_after).await;
    assert!(limiter.try_acquire().is_ok());
    let reservation = RateLimiter::reserve(limiter);
    assert!(reservation.is_err(), "no wait is allowed");
}

#[tokio::test(start_paused = true)]
async fn slow_rates_are_shared_by_demand() {
    // One call a minute for three processes: the process that asks gets the calls.
    let (store, calls) = (Memory::default(), Calls::new());
    let slow = || RateLimiter::new(1, 60 * SECOND).shared("slow").wait(3600 * SECOND);
    let processes = [(); 3].map(|()| Process::start(&store, slow(), &calls));
    processes[0].wait_in_a_loop();
    sleep(3600 * SECOND).await;
    let admitted = calls.between(Duration::ZERO, 3600 * SECOND);
    assert!((55..=62).contains(&admitted), "{admitted} of 60");
}

#[tokio::test(start_paused = true)]
async fn an_idle_process_exchanges_once_an_interval_and_a_dropped_limiter_not_at_all() {
    let (store, calls) = (Memory::default(), Calls::new());
    let process = Process::start(&store, limiter("idle"), &calls);
    sleep(SECOND).await;
    let before = store.calls();
    sleep(10 * SECOND).await;
    let exchanges = store.calls() - before;
    assert!((20..=28).contains(&exchanges), "{exchanges}");
    let link = process.link.clone();
    drop(process);
    let sync = RateLimitSync::new(link);
    let task = tokio::spawn({
        let gone = std::sync::Arc::new(limiter("gone"));
        let sync = sync.with(&gone);
        drop(gone);
        sync.run()
    });
    sleep(SECOND).await;
    let before = store.calls();
    sleep(10 * SECOND).await;
    assert_eq!(store.calls(), before);
    task.abort();
}

#[tokio::test(start_paused = true)]
async fn limiters_of_keys_join_before_their_first_use() {
    let store = Memory::default();
    let limits = Keyed::new(10, || limiter("keys"));
    let limiters = ["one", "two"].map(|key| limits.get(key));
    for limiter in &limiters {
        tokio::spawn(RateLimitSync::new(store.link()).with(limiter).run());
    }
    sleep(5 * SECOND).await;
    let calls = Calls::new();
    for _ in 0..10_000 {
        for limiter in &limiters {
            if limiter.try_acquire().is_ok() {
                calls.add();
            }
        }
        sleep(Duration::from_millis(1)).await;
    }
    check_bound(&calls, 2);
    assert!(calls.between(5 * SECOND, 5 * SECOND) > 490);
}

#[tokio::test(start_paused = true)]
async fn a_store_slower_than_a_lease_divides_the_rate() {
    for millis in [700, 1500, 2500, 3900] {
        let (store, calls) = (Memory::default(), Calls::new());
        store.slow_down(Duration::from_millis(millis));
        let processes: [Process; 4] = fleet(&store, "slow store", &calls);
        for process in &processes {
            process.load(500);
        }
        sleep(120 * SECOND).await;
        check_bound(&calls, 4);
        let admitted = calls.between(60 * SECOND, 60 * SECOND);
        assert!((5700..=6006).contains(&admitted), "{millis} ms: {admitted} of 6000");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_becomes_slow_keeps_the_bound() {
    let (store, calls) = (Memory::default(), Calls::new());
    let mut processes: Vec<Process> = Vec::new();
    for (round, millis) in [1, 1500, 1, 900, 2500, 1].into_iter().enumerate() {
        store.slow_down(Duration::from_millis(millis));
        processes.push(Process::start(&store, limiter("unsteady"), &calls));
        processes.iter().for_each(Process::stop);
        for process in &processes {
            process.load(500);
        }
        sleep(45 * SECOND).await;
        check_bound(&calls, u32::try_from(round + 1).unwrap());
    }
    let from = calls.elapsed();
    sleep(10 * SECOND).await;
    let admitted = calls.between(from, 10 * SECOND);
    assert!((970..=1006).contains(&admitted), "{admitted} of 1000");
}

#[tokio::test(start_paused = true)]
async fn a_silent_store_opens_no_process_before_the_longest_answer() {
    for (mode, closed) in [(Mode::Hanging, 8), (Mode::Failing, 2)] {
        let (store, calls) = (Memory::default(), Calls::new());
        store.set_mode(mode);
        let process = Process::start(&store, limiter("silent"), &calls);
        process.load(1000);
        sleep(20 * SECOND).await;
        assert_eq!(calls.between(Duration::ZERO, closed * SECOND), 1, "{mode:?}");
        let admitted = calls.between(closed * SECOND, 10 * SECOND);
        assert!((990..=1010).contains(&admitted), "{mode:?}: {admitted}");
    }
}

#[tokio::test(start_paused = true)]
async fn many_limiters_over_a_slow_store_keep_their_bounds() {
    const NAMES: [&str; 6] = ["many 1", "many 2", "many 3", "many 4", "many 5", "many 6"];
    let store = Memory::default();
    store.slow_down(Duration::from_millis(400));
    let calls = NAMES.map(|_| Calls::new());
    let mut tasks = Vec::new();
    for _ in 0..3 {
        let limiters = NAMES.map(|name| std::sync::Arc::new(limiter(name)));
        let sync = RateLimitSync::new(store.link());
        let sync = limiters.iter().fold(sync, RateLimitSync::with);
        tasks.push(tokio::spawn(sync.run()));
        for (limiter, calls) in limiters.into_iter().zip(&calls) {
            let calls = calls.clone();
            tasks.push(tokio::spawn(async move {
                loop {
                    if limiter.try_acquire().is_ok() {
                        calls.add();
                    }
                    sleep(SECOND / 500).await;
                }
            }));
        }
    }
    sleep(120 * SECOND).await;
    for calls in &calls {
        check_bound(calls, 3);
        let admitted = calls.between(60 * SECOND, 60 * SECOND);
        assert!(admitted >= 5700, "{admitted} of 6000");
    }
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
}
