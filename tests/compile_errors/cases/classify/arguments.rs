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

mod field_of_the_default {
    use resilience::Classify;

    #[derive(Classify)]
    #[throttled(retry_after)]
    //~ error at `retry_after`: `#[throttled]` above an enum cannot name a field of a variant; write `#[throttled(retry_after)]` above each variant with this field
    enum ApiError {
        Busy { retry_after: std::time::Duration },
        Overloaded { retry_after: std::time::Duration },
    }
}

mod fields_of_the_default_forward {
    use resilience::Classify;

    #[derive(Classify)]
    #[forward(source, after = delay)]
    //~ error at `source`: `#[forward]` above an enum cannot name a field of a variant; write `#[forward(source, after = delay)]` above each variant with this field
    enum ApiError {
        Busy { source: resilience::FailureClass, delay: std::time::Duration },
    }
}

mod two_fields {
    use resilience::Classify;

    #[derive(Classify)]
    enum ApiError {
        #[throttled(minimum, maximum)]
        //~ error at `maximum`: `#[throttled]` takes one field; remove `minimum` or `maximum`
        Busy { minimum: std::time::Duration, maximum: std::time::Duration },
        #[forward(0, 1)]
        //~ error at `1`: `#[forward]` takes one field; remove `0` or `1`
        Down(resilience::FailureClass, std::time::Duration),
    }
}

mod two_effects {
    use resilience::Classify;

    #[derive(Classify)]
    enum ApiError {
        #[transient(effect = "unknown", effect = "not_sent")]
        //~ error at `effect`: duplicate `effect` in `#[transient]`; remove it
        Down,
    }
}

mod two_functions {
    use resilience::Classify;

    #[derive(Classify)]
    enum ApiError {
        #[forward(with = |_| true, with = |_| false)]
        //~ error at `with`: duplicate `with` in `#[forward]`; remove it
        Down(std::io::Error),
    }
}

mod two_delays {
    use resilience::Classify;

    #[derive(Classify)]
    enum ApiError {
        #[forward(0, after = 1, after = 2)]
        //~ error at `after`: duplicate `after` in `#[forward]`; remove it
        Down(resilience::FailureClass, std::time::Duration, std::time::Duration),
    }
}

mod two_effects_of_the_default {
    use resilience::Classify;

    #[derive(Classify)]
    #[transient(effect = "unknown", effect = "not_sent")]
    //~ error at `effect`: duplicate `effect` in `#[transient]`; remove it
    enum ApiError {
        Down,
        Busy,
    }
}

mod two_paths {
    use resilience::Classify;

    #[derive(Classify)]
    #[classify(crate = ::resilience, crate = ::resilience)]
    //~ error at `crate`: duplicate `crate` in `#[classify]`; remove it
    enum ApiError {
        #[permanent]
        Down,
    }
}

mod class_of_a_field {
    use resilience::Classify;

    #[derive(Classify)]
    #[transient]
    enum ApiError {
        Busy(#[throttled] std::time::Duration),
        //~ error at `#[throttled]`: the class of a field has no effect; remove it, or write `#[throttled(0)]` above the variant
        Down {
            #[forward]
            //~ error at `#[forward]`: the class of a field has no effect; remove it, or write `#[forward(source)]` above the variant
            source: resilience::FailureClass,
        },
    }
}

mod class_of_a_field_of_a_struct {
    use resilience::Classify;

    #[derive(Classify)]
    #[transient]
    struct ApiError {
        #[throttled]
        //~ error at `#[throttled]`: the class of a field has no effect; remove it, or write `#[throttled(retry_after)]` above the struct
        retry_after: std::time::Duration,
    }
}
