//! The context in spawned tasks.

use resilience::context::{self, Context, Priority};
use resilience::{Rejected, timeout};
use tokio::time::sleep;

use crate::SECS;

#[tokio::test(start_paused = true)]
async fn a_spawned_task_inherits_the_context() {
    #[timeout("10s", name = "handler")]
    async fn handler() -> Result<(), Rejected> {
        sleep(SECS(4)).await;
        let inherited = context::spawn(async {
            let at_start = context::remaining();
            sleep(SECS(1)).await;
            (at_start, context::remaining(), context::set_by())
        });
        let plain = tokio::spawn(async { context::remaining() });
        let expected = (Some(SECS(6)), Some(SECS(5)), Some("handler"));
        assert_eq!(inherited.await.unwrap(), expected);
        assert_eq!(plain.await.unwrap(), None);
        Ok(())
    }
    handler().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_wrapper_carries_the_context_into_any_task() {
    let context = Context::new().deadline(SECS(9), "import").priority(Priority::Sheddable);
    let future =
        context.run(|| context::carry(async { (context::remaining(), context::priority()) }));
    let seen = tokio::spawn(future).await.unwrap();
    assert_eq!(seen, (Some(SECS(9)), Some(Priority::Sheddable)));
}

#[tokio::test(start_paused = true)]
async fn an_empty_context_detaches_work_from_the_call() {
    #[timeout("1s")]
    async fn handler() -> Result<tokio::task::JoinHandle<Option<std::time::Duration>>, Rejected> {
        Ok(tokio::spawn(Context::new().scope(async { context::remaining() })))
    }
    assert_eq!(handler().await.unwrap().await.unwrap(), None);
}
