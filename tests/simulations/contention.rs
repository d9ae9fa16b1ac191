//! M. Brooker's model of optimistic concurrency ("Exponential Backoff And Jitter", AWS
//! Architecture Blog, 2015; `aws-samples/aws-arch-backoff-simulator`).
//!
//! Clients start together, and each client must increment the version of one row once. A client
//! reads the version and writes with that version. A write with an old version is rejected, and
//! the client waits and reads again. Every passage through the network is a hop.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use resilience::{RetryPolicy, testing};

use crate::random::Random;
use crate::table::Sample;

/// The next event of a client.
#[derive(Clone, Copy, Debug)]
enum Next {
    /// The read of the version reaches the server.
    Read,
    /// The write with the read version reaches the server.
    Write { version: u32 },
    /// The answer to the write reaches the client.
    Answer { accepted: bool },
}

/// The result of a run.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// The writes that reached the server.
    calls: u32,
    /// The time of the last event.
    end: Duration,
}

/// The delay of a client, by index, after the rejection of this number, counted from 1.
pub(crate) type Wait = dyn FnMut(usize, u32) -> Duration;

fn run(clients: usize, random: &mut Random, wait: &mut Wait) -> Run {
    let mut states = vec![(Next::Read, 0_u32); clients];
    // A client has exactly one pending event.
    let mut events: BinaryHeap<_> =
        (0..clients).map(|client| Reverse((hop(random), client))).collect();
    let (mut row, mut calls, mut now) = (0, 0, Duration::ZERO);
    while let Some(Reverse((time, client))) = events.pop() {
        now = time;
        let (next, refusals) = &mut states[client];
        let after = match *next {
            Next::Read => {
                *next = Next::Write { version: row };
                hop(random) + hop(random)
            }
            Next::Write { version } => {
                let accepted = version == row;
                calls += 1;
                row += u32::from(accepted);
                *next = Next::Answer { accepted };
                hop(random)
            }
            Next::Answer { accepted: false } => {
                *refusals += 1;
                *next = Next::Read;
                wait(client, *refusals) + hop(random)
            }
            Next::Answer { accepted: true } => continue,
        };
        events.push(Reverse((now + after, client)));
    }
    Run { calls, end: now }
}

/// |Normal(10 ms, 2 ms)|
fn hop(random: &mut Random) -> Duration {
    Duration::from_secs_f64((random.normal() * 0.002 + 0.010).abs())
}

/// Calls and milliseconds of many runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Runs {
    pub(crate) calls: Sample,
    pub(crate) millis: Sample,
}

/// Runs the model with several seeds; `waits` creates the delays of a run for this number of
/// clients.
pub(crate) fn simulate(seeds: u64, clients: usize, waits: impl Fn(usize) -> Box<Wait>) -> Runs {
    let runs: Vec<_> = (0..seeds)
        .map(|seed| {
            let mut random = Random::new(seed);
            let _draws = testing::seed(random.word());
            run(clients, &mut random, &mut *waits(clients))
        })
        .collect();
    Runs {
        calls: Sample::of(runs.iter().map(|run| f64::from(run.calls))),
        millis: Sample::of(runs.iter().map(|run| run.end.as_secs_f64() * 1000.0)),
    }
}

/// Returns the delays of clients that each run one operation under `policy`, drawn as in a call.
pub(crate) fn under(policy: RetryPolicy) -> impl Fn(usize) -> Box<Wait> {
    move |clients| {
        let mut previous = vec![None; clients];
        Box::new(move |client, refusal| {
            let delay = policy.delay(refusal, previous[client]);
            previous[client] = Some(delay);
            delay
        })
    }
}
