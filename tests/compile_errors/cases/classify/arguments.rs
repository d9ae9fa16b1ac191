// Mistakes in the arguments.

mod field_of_transient {
    use resilience::Classify;

    #[derive(Classify)]
    enum ApiError {
        #[transient(after)]
        //~ error at `after`: `#[transient]` takes no field; `#[throttled(field)]` takes the one with the delay
        Down { after: std::time::Duration },
    }
}

mod no_such_field {
    use resilience::Classify;

    #[derive(Classify)]
    enum ApiError {
        #[throttled(retry_after)]
        //~ error at `retry_after`: there is no such field; there are `after`
        Down { after: Option<std::time::Duration> },
    }
}

mod no_word {
    use resilience::Classify;

    #[derive(Classify)]
    enum ApiError {
        #[transient]
        Down,
        NotFound,
        //~ error at `NotFound`: what does `NotFound` mean? write `#[transient]`, `#[throttled]`, `#[permanent]` or `#[forward]` above it, or one of them above the enum for all that have none
    }
}

mod struct_without_word {
    use resilience::Classify;

    #[derive(Classify)]
    struct ApiError;
    //~ error at `ApiError`: write `#[transient]`, `#[throttled]`, `#[permanent]` or `#[forward]` above it
}

mod two_words {
    use resilience::Classify;

    #[derive(Classify)]
    enum ApiError {
        #[transient]
        #[permanent]
        //~ error at `#[permanent]`: one word is enough: a failure has one meaning
        Down,
    }
}

mod unknown_sent {
    use resilience::Classify;

    #[derive(Classify)]
    enum ApiError {
        #[transient(effect = "never")]
        //~ error at `"never"`: unknown effect `"never"`; there are `"not_sent"`, `"refused"`, `"unknown"`, `"applied"`
        Down,
    }
}

mod which_field {
    use resilience::Classify;

    #[derive(Classify)]
    enum ApiError {
        #[forward]
        //~ error at `forward`: which field? a variant with one field is forwarded to it, others name it: `#[forward(source)]`
        Down(std::io::Error, u32),
    }
}

mod wrong_helper {
    use resilience::Classify;

    #[derive(Classify)]
    #[classify(transient)]
    //~ error at `transient`: `#[classify]` has no `transient`: write `#[transient]`
    enum ApiError {
        #[permanent]
        Down,
    }
}
