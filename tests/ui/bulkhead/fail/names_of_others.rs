// The names of MicroProfile, Polly and Guava.
use resilience::bulkhead;

#[bulkhead(permits = 10, waiting_task_queue = 20, queue_limit = 5, timeout = 100)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
