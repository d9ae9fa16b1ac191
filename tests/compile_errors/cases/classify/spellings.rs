// Other forms of the arguments of the helper attributes.

mod fixed_delay {
    use resilience::Classify;

    #[derive(Classify)]
    enum ApiError {
        #[throttled(retry_after = 5)]
        //~ error at `retry_after`: `#[throttled]` has no `retry_after`; the delay of the server stands in a field: write `#[throttled(field)]`; for a delay that is always the same implement `Classify` by hand, with `FailureClass::throttled(Some(delay))`
        Busy { retry_after: std::time::Duration },
    }
}

mod delay_after {
    use resilience::Classify;

    #[derive(Classify)]
    enum ApiError {
        #[throttled(after = retry_after)]
        //~ error at `after`: `#[throttled]` has no `after`; a field with the delay has no key: write `#[throttled(retry_after)]`
        Busy { retry_after: std::time::Duration },
    }
}

mod field_in_quotes {
    use resilience::Classify;

    #[derive(Classify)]
    enum ApiError {
        #[throttled("retry_after")]
        //~ error at `"retry_after"`: write the name of the field: `#[throttled(retry_after)]`
        Busy { retry_after: std::time::Duration },
    }
}

mod delay_behind_equals {
    use resilience::Classify;

    #[derive(Classify)]
    enum ApiError {
        #[throttled = "5s"]
        //~ error at `"5s"`: the delay of the server stands in a field: write `#[throttled(field)]`; for a delay that is always the same implement `Classify` by hand, with `FailureClass::throttled(Some(delay))`
        Busy { retry_after: std::time::Duration },
    }
}

mod effect_without_key {
    use resilience::Classify;

    #[derive(Classify)]
    enum ApiError {
        #[transient(not_sent)]
        //~ error at `not_sent`: write the key of the word: `#[transient(effect = "not_sent")]`
        Down,
    }
}

mod misspelled_effect {
    use resilience::Classify;

    #[derive(Classify)]
    enum ApiError {
        #[transient(effects = "not_sent")]
        //~ error at `effects`: `#[transient]` has no `effects`; did you mean `effect`?
        Down,
    }
}

mod class_of_field {
    use resilience::Classify;

    #[derive(Classify)]
    enum ApiError {
        #[forward(class = resilience::http::classify)]
        //~ error at `class`: `#[forward]` has no `class`; a function that returns the class is `with = resilience::http::classify`
        Status(u32),
    }
}

mod field_of_self {
    use resilience::Classify;

    #[derive(Classify)]
    enum ApiError {
        #[throttled(self.retry_after)]
        //~ error at `self.retry_after`: write the name of the field: `#[throttled(retry_after)]`
        Busy { retry_after: std::time::Duration },
    }
}

mod field_with_key {
    use resilience::Classify;

    #[derive(Classify)]
    enum ApiError {
        #[throttled(field = retry_after)]
        //~ error at `field`: `#[throttled]` has no `field`; a field with the delay has no key: write `#[throttled(retry_after)]`
        Busy { retry_after: std::time::Duration },
    }
}

mod unknown_key_of_forward {
    use resilience::Classify;

    #[derive(Classify)]
    enum ApiError {
        #[forward(colour = 7)]
        //~ error at `colour`: `#[forward]` has no `colour`; expected one of `with`, `after`
        Status(std::io::Error),
    }
}

mod switch_in_place_of_a_field {
    use resilience::Classify;

    #[derive(Classify)]
    enum ApiError {
        #[forward(true)]
        //~ error at `true`: expected the name of a field, like `#[forward(source)]`
        Status(std::io::Error),
    }
}
