// Type errors, which the compiler reports after the expansion.

mod forward_to_stranger {
    use resilience::Classify;

    #[derive(Classify)]
    enum ApiError {
        #[forward]
        Down(std::io::Error),
        //~ error at `std`: `std::io::Error` has no classification to forward
        //~ label: needs `Classify`, or a function with the class
        //~ rustc: help: the trait `resilience_core::classify::ForwardedClass` is not implemented for `std::io::Error`
        //~ note: if `std::io::Error` is a type of your crate, add `#[derive(resilience::Classify)]` to the type
        //~ note: if `std::io::Error` is the error of another crate, add a function: `#[forward(with = resilience::http::classify)]` for `reqwest`, `hyper`, `tonic` and `std::io`, `#[forward(with = resilience::stores::sqlx::classify)]` for `sqlx`, `#[forward(with = |error| …)]` for any other
        //~ note: if every failure has the same class, write `#[transient]` or `#[permanent]` in place of `#[forward]`
    }
}

mod not_a_delay {
    use resilience::Classify;

    #[derive(Classify)]
    enum ApiError {
        #[throttled(0)]
        Down(u64),
        //~ error at `u64`: `u64` is not a delay
        //~ label: needs `Duration` or `Option<Duration>`
        //~ rustc: help: the trait `resilience::__private::RetryDelay` is not implemented for `u64`
    }
}
