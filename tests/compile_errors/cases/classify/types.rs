// Type errors, which the compiler reports after the expansion.

mod forward_to_stranger {
    use resilience::Classify;

    #[derive(Classify)]
    enum ApiError {
        #[forward]
        Down(std::io::Error),
        //~ error at `std`: `std::io::Error` has no classification
        //~ label: needs `Classify`
        //~ rustc: help: the trait `Classify` is not implemented for `std::io::Error`
        //~ note: add `#[derive(resilience::Classify)]`, or implement `resilience::Classify` for `std::io::Error`
        //~ note: a type that depends on a type parameter needs the bound `std::io::Error: resilience::Classify`, or `on = …` in the attribute, such as `on = |_| true` for every failure
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
