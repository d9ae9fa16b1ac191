// The same without a return type.
use resilience::retry;

#[retry]
async fn call() {
    
}

fn main() {
    drop(call());
}
