//! One process with a broken network, and the rest of the fleet.

use std::sync::Arc;
use std::time::Duration;

use resilience::CircuitBreaker;
use resilience::stores::breaker::BreakerSync;
use tokio::time::sleep;

use crate::memory::Memory;

#[tokio::test(start_paused = true)]
async fn one_sick_process_and_nineteen_healthy_processes() {
    let store = Memory::default();
    let processes: Vec<_> = (0..20)
        .map(|_| {
            let breaker = Arc::new(CircuitBreaker::new().shared("poison"));
            let sync = BreakerSync::new(store.clone()).with(Arc::clone(&breaker));
            (breaker, tokio::spawn(sync.run()))
        })
        .collect();
    let (mut calls, mut admitted) = (0_u32, 0_u32);
    for _ in 0..600 * 10 {
        for (number, (breaker, _)) in processes.iter().enumerate() {
            let mut ran = false;
            breaker.run(|| {
                ran = true;
                (number > 0).then_some(())
            });
            if number > 0 {
                calls += 1;
                admitted += u32::from(ran);
            }
        }
        sleep(Duration::from_millis(100)).await;
        store.advance(Duration::from_millis(100));
    }
    let share = f64::from(admitted) / f64::from(calls);
    assert!(share >= 0.999, "{share}");
}
