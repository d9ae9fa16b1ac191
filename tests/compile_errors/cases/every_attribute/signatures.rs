// Functions that no attribute can change.

use std::pin::Pin;

use resilience::{
    Rejected, bulkhead, circuit_breaker, coalesce, fallback, idempotent, rate_limit, retry, timeout,
};

// A function that returns a boxed future makes the future and does not run it.
#[bulkhead(max = 10)]
fn bulkhead_boxed_future() -> Pin<Box<dyn Future<Output = Result<(), ()>>>> {
//~ error at `Pin<Box<dyn Future<Output = Result<(), ()>>>>`: `#[bulkhead]` would wrap the creation of this future, not its execution; make the function an `async fn`, in a trait with `#[async_trait]` if needed
    Box::pin(async { Err(()) })
}

#[circuit_breaker]
fn circuit_breaker_boxed_future() -> Pin<Box<dyn Future<Output = Result<(), ()>>>> {
//~ error at `Pin<Box<dyn Future<Output = Result<(), ()>>>>`: `#[circuit_breaker]` would wrap the creation of this future, not its execution; make the function an `async fn`, in a trait with `#[async_trait]` if needed
    Box::pin(async { Err(()) })
}

#[fallback(value = ())]
fn fallback_boxed_future() -> Pin<Box<dyn Future<Output = Result<(), ()>>>> {
//~ error at `Pin<Box<dyn Future<Output = Result<(), ()>>>>`: `#[fallback]` would wrap the creation of this future, not its execution; make the function an `async fn`, in a trait with `#[async_trait]` if needed
    Box::pin(async { Err(()) })
}

#[rate_limit(rate = 10)]
fn rate_limit_boxed_future() -> Pin<Box<dyn Future<Output = Result<(), ()>>>> {
//~ error at `Pin<Box<dyn Future<Output = Result<(), ()>>>>`: `#[rate_limit]` would wrap the creation of this future, not its execution; make the function an `async fn`, in a trait with `#[async_trait]` if needed
    Box::pin(async { Err(()) })
}

#[retry]
fn retry_boxed_future() -> std::pin::Pin<Box<dyn Future<Output = Result<(), ()>>>> {
//~ error at `std::pin::Pin<Box<dyn Future<Output = Result<(), ()>>>>`: `#[retry]` would wrap the creation of this future, not its execution; make the function an `async fn`, in a trait with `#[async_trait]` if needed
    Box::pin(async { Err(()) })
}

#[timeout("5s")]
fn timeout_boxed_future() -> Pin<Box<dyn Future<Output = Result<(), ()>>>> {
//~ error at `Pin<Box<dyn Future<Output = Result<(), ()>>>>`: `#[timeout]` would wrap the creation of this future, not its execution; make the function an `async fn`, in a trait with `#[async_trait]` if needed
    Box::pin(async { Err(()) })
}

#[bulkhead(max = 10)]
const fn bulkhead_const_fn() -> Result<(), ()> {
//~ error at `const`: `#[bulkhead]` does not support a `const fn`: the attribute reads the clock at run time; remove `const`
    Err(())
}

#[circuit_breaker]
const fn circuit_breaker_const_fn() -> Result<(), ()> {
//~ error at `const`: `#[circuit_breaker]` does not support a `const fn`: the attribute reads the clock at run time; remove `const`
    Err(())
}

#[fallback(value = ())]
const fn fallback_const_fn() -> Result<(), ()> {
//~ error at `const`: `#[fallback]` does not support a `const fn`: the attribute reads the clock at run time; remove `const`
    Err(())
}

#[idempotent(key = 1, scope = "global")]
const fn idempotent_const_fn() -> Result<(), Rejected> {
//~ error at `const`: `#[idempotent]` does not support a `const fn`: the attribute reads the clock at run time; remove `const`
    Ok(())
}

#[rate_limit(rate = 10)]
const fn rate_limit_const_fn() -> Result<(), ()> {
//~ error at `const`: `#[rate_limit]` does not support a `const fn`: the attribute reads the clock at run time; remove `const`
    Err(())
}

#[retry]
const fn retry_const_fn() -> Result<(), ()> {
//~ error at `const`: `#[retry]` does not support a `const fn`: the attribute reads the clock at run time; remove `const`
    Err(())
}

#[timeout("5s")]
const fn timeout_const_fn() -> Result<(), ()> {
//~ error at `const`: `#[timeout]` does not support a `const fn`: the attribute reads the clock at run time; remove `const`
    Err(())
}

// A function that returns a future makes the future and does not run it.
#[bulkhead(max = 10)]
fn bulkhead_impl_future() -> impl Future<Output = Result<(), ()>> {
//~ error at `impl Future<Output = Result<(), ()>>`: `#[bulkhead]` would wrap the creation of this future, not its execution; make the function an `async fn`, in a trait with `#[async_trait]` if needed
    async { Err(()) }
}

#[circuit_breaker]
fn circuit_breaker_impl_future() -> impl Future<Output = Result<(), ()>> {
//~ error at `impl Future<Output = Result<(), ()>>`: `#[circuit_breaker]` would wrap the creation of this future, not its execution; make the function an `async fn`, in a trait with `#[async_trait]` if needed
    async { Err(()) }
}

#[fallback(value = ())]
fn fallback_impl_future() -> impl Future<Output = Result<(), ()>> {
//~ error at `impl Future<Output = Result<(), ()>>`: `#[fallback]` would wrap the creation of this future, not its execution; make the function an `async fn`, in a trait with `#[async_trait]` if needed
    async { Err(()) }
}

#[idempotent(key = id, scope = "global")]
fn idempotent_impl_future(id: u32) -> impl Future<Output = Result<(), Rejected>> {
//~ error at `impl Future<Output = Result<(), Rejected>>`: `#[idempotent]` would wrap the creation of this future, not its execution; make the function an `async fn`, in a trait with `#[async_trait]` if needed
    async move { Ok(drop(id)) }
}

#[rate_limit(rate = 10)]
fn rate_limit_impl_future() -> impl Future<Output = Result<(), ()>> {
//~ error at `impl Future<Output = Result<(), ()>>`: `#[rate_limit]` would wrap the creation of this future, not its execution; make the function an `async fn`, in a trait with `#[async_trait]` if needed
    async { Err(()) }
}

#[retry]
fn retry_impl_future() -> impl Future<Output = Result<(), ()>> {
//~ error at `impl Future<Output = Result<(), ()>>`: `#[retry]` would wrap the creation of this future, not its execution; make the function an `async fn`, in a trait with `#[async_trait]` if needed
    async { Err(()) }
}

#[timeout("5s")]
fn timeout_impl_future() -> impl Future<Output = Result<(), ()>> {
//~ error at `impl Future<Output = Result<(), ()>>`: `#[timeout]` would wrap the creation of this future, not its execution; make the function an `async fn`, in a trait with `#[async_trait]` if needed
    async { Err(()) }
}

mod bulkhead_no_body {
    use resilience::bulkhead;

    trait Fetch {
        #[bulkhead(max = 10)]
        fn fetch(&self) -> Result<(), ()>;
        //~ error at `;`: `#[bulkhead]` needs a body; move the attribute to the methods in the `impl` blocks
    }

    struct Client;

    impl Fetch for Client {
        fn fetch(&self) -> Result<(), ()> {
            Err(())
        }
    }
}

mod circuit_breaker_no_body {
    use resilience::circuit_breaker;

    trait Fetch {
        #[circuit_breaker]
        fn fetch(&self) -> Result<(), ()>;
        //~ error at `;`: `#[circuit_breaker]` needs a body; move the attribute to the methods in the `impl` blocks
    }

    struct Client;

    impl Fetch for Client {
        fn fetch(&self) -> Result<(), ()> {
            Err(())
        }
    }
}

mod fallback_no_body {
    use resilience::fallback;

    trait Fetch {
        #[fallback(value = ())]
        fn fetch(&self) -> Result<(), ()>;
        //~ error at `;`: `#[fallback]` needs a body; move the attribute to the methods in the `impl` blocks
    }

    struct Client;

    impl Fetch for Client {
        fn fetch(&self) -> Result<(), ()> {
            Err(())
        }
    }
}

mod idempotent_no_body {
    use resilience::{Rejected, idempotent};

    trait Charge {
        #[idempotent(key = id, scope = "global", name = "charge")]
        fn charge(&self, id: &str) -> Result<(), Rejected>;
        //~ error at `;`: `#[idempotent]` needs a body; move the attribute to the methods in the `impl` blocks
    }
}

mod rate_limit_no_body {
    use resilience::rate_limit;

    trait Fetch {
        #[rate_limit(rate = 10)]
        fn fetch(&self) -> Result<(), ()>;
        //~ error at `;`: `#[rate_limit]` needs a body; move the attribute to the methods in the `impl` blocks
    }

    struct Client;

    impl Fetch for Client {
        fn fetch(&self) -> Result<(), ()> {
            Err(())
        }
    }
}

mod retry_no_body {
    use resilience::retry;

    trait Fetch {
        #[retry]
        fn fetch(&self) -> Result<(), ()>;
        //~ error at `;`: `#[retry]` needs a body; move the attribute to the methods in the `impl` blocks
    }
}

mod timeout_no_body {
    use resilience::timeout;

    trait Fetch {
        #[timeout("5s")]
        async fn fetch(&self) -> Result<(), ()>;
        //~ error at `;`: `#[timeout]` needs a body; move the attribute to the methods in the `impl` blocks
    }

    struct Client;

    impl Fetch for Client {
        async fn fetch(&self) -> Result<(), ()> {
            Err(())
        }
    }
}

mod bulkhead_not_a_function {
    use resilience::bulkhead;

    #[bulkhead(max = 10)]
    struct Client;
    //~ error at `struct Client;`: `#[bulkhead]` needs a function or a method
}

mod circuit_breaker_not_a_function {
    use resilience::circuit_breaker;

    #[circuit_breaker]
    struct Client;
    //~ error at `struct Client;`: `#[circuit_breaker]` needs a function or a method
}

mod fallback_not_a_function {
    use resilience::fallback;

    #[fallback(value = ())]
    struct Client;
    //~ error at `struct Client;`: `#[fallback]` needs a function or a method
}

mod idempotent_not_a_function {
    use resilience::idempotent;

    #[idempotent(key = 1, scope = "global")]
    struct Client;
    //~ error at `struct Client;`: `#[idempotent]` needs a function or a method
}

mod rate_limit_not_a_function {
    use resilience::rate_limit;

    #[rate_limit(rate = 10)]
    struct Client;
    //~ error at `struct Client;`: `#[rate_limit]` needs a function or a method
}

mod retry_not_a_function {
    use resilience::retry;

    #[retry]
    struct Client;
    //~ error at `struct Client;`: `#[retry]` needs a function or a method
}

mod timeout_not_a_function {
    use resilience::timeout;

    #[timeout("5s")]
    struct Client;
    //~ error at `struct Client;`: `#[timeout]` needs a function or a method
}

// An attribute above, such as `#[async_recursion]`, has turned the `async fn` into a function that
// returns a future.
mod boxed_by_an_attribute_above {
    use resilience::{Rejected, retry, timeout};
    use std::pin::Pin;

    #[retry]
    fn recursive(depth: u32) -> Pin<Box<dyn Future<Output = Result<(), ()>> + Send>> {
    //~ error at `recursive`: `#[retry]` would wrap the creation of this future, not its execution; move an attribute that boxes the future, such as `#[async_recursion]`, below `#[retry]`, or make the function an `async fn`
        Box::pin(async move { Err(drop(depth)) })
    }

    #[timeout("5s")]
    fn limited(depth: u32) -> Pin<Box<dyn Future<Output = Result<(), Rejected>>>> {
    //~ error at `limited`: `#[timeout]` would wrap the creation of this future, not its execution; move an attribute that boxes the future, such as `#[async_recursion]`, below `#[timeout]`, or make the function an `async fn`
        ::std::boxed::Box::pin(async move { Ok(drop(depth)) })
    }
}

// The output of `#[async_trait]`.
mod methods_under_async_trait {
    use resilience::{Rejected, circuit_breaker, retry, timeout};
    use std::pin::Pin;

    trait Close {
        fn close<'life0, 'async_trait>(
            &'life0 self,
        ) -> Pin<Box<dyn Future<Output = ()> + Send + 'async_trait>>
        where
            'life0: 'async_trait,
            Self: 'async_trait;

        #[circuit_breaker]
        fn without_body<'life0, 'async_trait>(
            &'life0 self,
        ) -> Pin<Box<dyn Future<Output = Result<(), Rejected>> + Send + 'async_trait>>
        where
            'life0: 'async_trait,
            Self: 'async_trait;
            //~ error at `;`: `#[circuit_breaker]` needs a body; move the attribute to the methods in the `impl` blocks
    }

    struct Client;

    impl Close for Client {
    //~ rustc: error[E0046] at `impl Close for Client`: not all trait items implemented, missing: `without_body`
    //~ rustc: label: missing `without_body` in implementation
    //~ rustc: label: `without_body` from trait
    //~ rustc: help: implement the missing item: `fn without_body<'life0: 'async_trait, 'async_trait>(&'life0 self) -> Pin<Box<(dyn Future<Output = Result<(), resilience::Rejected>> + Send + 'async_trait)>> { todo!() }`
        #[timeout("5s")]
        fn close<'life0, 'async_trait>(
        //~ error at `close`: a resilience attribute needs a fallible return type, but this function returns `()`
        //~ label: not a `Result` or an `Option`
        //~ rustc: help: the trait `resilience::Outcome` is not implemented for `()`
        //~ note: return `Result<T, E>` or `Option<T>`, or implement `resilience::Outcome` for `()`
        //~ note: a handler of `axum` returns `Response` or `impl IntoResponse`, with the feature `axum` of `resilience-rs`
            &'life0 self,
        ) -> Pin<Box<dyn Future<Output = ()> + Send + 'async_trait>>
        where
            'life0: 'async_trait,
            Self: 'async_trait,
        {
            Box::pin(async move {
                let __self = self;
                let _: () = { drop(__self) };
            })
        }
    }

    impl Client {
        #[retry(attempts = *limit)]
        //~ error at `*limit`: `attempts` must be known at compile time; for a value known at run time pass a policy: `policy = …`
        #[circuit_breaker]
        fn limited<'life0, 'life1, 'async_trait>(
            &'life0 self,
            limit: &'life1 u32,
        ) -> Pin<Box<dyn Future<Output = Result<u32, Rejected>> + Send + 'async_trait>>
        where
            'life0: 'async_trait,
            'life1: 'async_trait,
            Self: 'async_trait,
        {
            Box::pin(async move {
                let __self = self;
                let __ret: Result<u32, Rejected> = { Ok(*limit) };
                __ret
            })
        }
    }
}

#[coalesce(key = 7)]
fn coalesce_boxed_future() -> Pin<Box<dyn Future<Output = Result<(), ()>>>> {
//~ error at `Pin<Box<dyn Future<Output = Result<(), ()>>>>`: `#[coalesce]` would wrap the creation of this future, not its execution; make the function an `async fn`, in a trait with `#[async_trait]` if needed
    Box::pin(async { Err(()) })
}

#[coalesce(key = 7)]
const fn coalesce_const_fn() -> Result<(), ()> {
//~ error at `const`: `#[coalesce]` does not support a `const fn`: the attribute reads the clock at run time; remove `const`
    Err(())
}

#[coalesce(key = 7)]
fn coalesce_impl_future() -> impl Future<Output = Result<(), ()>> {
//~ error at `impl Future<Output = Result<(), ()>>`: `#[coalesce]` would wrap the creation of this future, not its execution; make the function an `async fn`, in a trait with `#[async_trait]` if needed
    async { Err(()) }
}

mod coalesce_no_body {
    use resilience::coalesce;

    trait Fetch {
        #[coalesce(key = 7)]
        fn fetch() -> Result<(), ()>;
        //~ error at `;`: `#[coalesce]` needs a body; move the attribute to the methods in the `impl` blocks
    }
}

mod coalesce_not_a_function {
    use resilience::coalesce;

    #[coalesce(key = 7)]
    struct Client;
    //~ error at `struct Client;`: `#[coalesce]` needs a function or a method
}

mod hedge_signatures {
    use std::pin::Pin;

    use resilience::hedge;

    #[hedge(after = "50ms", idempotent)]
    fn boxed_future() -> Pin<Box<dyn Future<Output = Result<(), ()>>>> {
    //~ error at `Pin<Box<dyn Future<Output = Result<(), ()>>>>`: `#[hedge]` would wrap the creation of this future, not its execution; make the function an `async fn`, in a trait with `#[async_trait]` if needed
        Box::pin(async { Err(()) })
    }

    #[hedge(after = "50ms", idempotent)]
    const fn const_fn() -> Result<(), ()> {
    //~ error at `const`: `#[hedge]` does not support a `const fn`: the attribute reads the clock at run time; remove `const`
        Err(())
    }

    #[hedge(after = "50ms", idempotent)]
    async fn infallible() -> u32 {
    //~ error at `u32`: a resilience attribute needs a fallible return type, but this function returns `u32`
    //~ label: not a `Result` or an `Option`
    //~ rustc: help: the trait `resilience::Outcome` is not implemented for `u32`
    //~ note: return `Result<T, E>` or `Option<T>`, or implement `resilience::Outcome` for `u32`
    //~ note: a handler of `axum` returns `Response` or `impl IntoResponse`, with the feature `axum` of `resilience-rs`
        7
    }
}

// A lifetime alone makes no method of `#[async_trait]`.
#[retry]
fn future_with_a_lifetime<'id>(id: &'id u32) -> impl Future<Output = Result<u32, ()>> + 'id {
//~ error at `impl Future<Output = Result<u32, ()>> + 'id`: `#[retry]` would wrap the creation of this future, not its execution; make the function an `async fn`, in a trait with `#[async_trait]` if needed
    async { Ok(*id) }
}
