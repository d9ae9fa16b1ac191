// Mistakes in the arguments.

mod field_of_transient {
    use resilience::Classify;

    #[derive(Classify)]
    enum ApiError {
        #[transient(after)]
        //~ error at `after`: `#[transient]` takes no field; write `#[throttled(field)]` to take a delay from a field
        Down { after: std::time::Duration },
    }
}

mod no_such_field {
    use resilience::Classify;

    #[derive(Classify)]
    enum ApiError {
        #[throttled(retry_after)]
        //~ error at `retry_after`: unknown field `retry_after`; expected one of `after`
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
        //~ error at `NotFound`: `NotFound` has no class; write `#[transient]`, `#[throttled]`, `#[permanent]` or `#[forward]` above the variant, or above the enum as the default
    }
}

mod struct_without_word {
    use resilience::Classify;

    #[derive(Classify)]
    struct ApiError;
    //~ error at `ApiError`: the struct has no class; write `#[transient]`, `#[throttled]`, `#[permanent]` or `#[forward]` above it
}

mod two_words {
    use resilience::Classify;

    #[derive(Classify)]
    enum ApiError {
        #[transient]
        #[permanent]
        //~ error at `#[permanent]`: duplicate class; remove all but one of the helper attributes
        Down,
    }
}

mod unknown_effect {
    use resilience::Classify;

    #[derive(Classify)]
    enum ApiError {
        #[transient(effect = "never")]
        //~ error at `"never"`: unknown value `"never"` of `effect`; expected one of `"not_sent"`, `"refused"`, `"unknown"`, `"applied"`
        Down,
    }
}

mod which_field {
    use resilience::Classify;

    #[derive(Classify)]
    enum ApiError {
        #[forward]
        //~ error at `forward`: `#[forward]` needs a field, unless there is exactly one; write `#[forward(source)]`
        Down(std::io::Error, u32),
    }
}

mod wrong_helper {
    use resilience::Classify;

    #[derive(Classify)]
    #[classify(transient)]
    //~ error at `transient`: `#[classify]` has no `transient`; write `#[transient]`
    enum ApiError {
        #[permanent]
        Down,
    }
}

mod unknown_argument {
    use resilience::Classify;

    #[derive(Classify)]
    #[classify(path = crate)]
    //~ error at `path`: `#[classify]` has no `path`; expected `crate`
    enum ApiError {
        #[permanent]
        Down,
    }
}

mod union_type {
    use resilience::Classify;

    #[derive(Classify)]
    union ApiError {
    //~ error at `union`: `Classify` does not support unions; use an enum or a struct
        code: u32,
    }
}
