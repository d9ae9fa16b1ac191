//! The process-wide switch, alone in its process.

use resilience::{StopReason, retry, testing};

#[test]
fn off_means_one_call() {
    #[retry(on_give_up = |event| *reason = Some(event.reason))]
    fn fail(calls: &mut u32, reason: &mut Option<StopReason>) -> Result<(), ()> {
        *calls += 1;
        Err(())
    }
    let _guard = testing::no_waits();
    let (mut calls, mut reason) = (0, None);
    assert!(resilience::is_enabled());
    resilience::set_enabled(false);
    assert_eq!(fail(&mut calls, &mut reason), Err(()));
    assert_eq!((calls, reason), (1, Some(StopReason::Disabled)));
    resilience::set_enabled(true);
    assert_eq!(fail(&mut calls, &mut reason), Err(()));
    assert_eq!((calls, reason), (4, Some(StopReason::Attempts)));
}
