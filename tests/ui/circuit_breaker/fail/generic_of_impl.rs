// The parameter of an `impl` is not seen by the attribute.
use resilience::circuit_breaker;

struct Client<const N: u32>;

impl<const N: u32> Client<N> {
    #[circuit_breaker(failure_threshold = N)]
    fn call(&self) -> Result<(), ()> {
        Err(())
    }
}

fn main() {
    let _ = Client::<3>.call();
}
