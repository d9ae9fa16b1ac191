// Type errors, which the compiler reports after the expansion.

use resilience::timeout;

// A type error in the body reads as in a function without the attribute.
#[timeout("5s")]
async fn type_error() -> Result<String, ()> {
    Ok(5)
    //~ rustc: error[E0308] at `5`: mismatched types
    //~ rustc: label: expected `String`, found integer
    //~ rustc: label: arguments to this enum variant are incorrect
    //~ rustc: help: the type constructed contains `{integer}` due to the type of the argument passed
    //~ rustc: note: tuple variant defined here
    //~ rustc: help: try using a conversion method
}

#[timeout(limit)]
//~ rustc: error[E0308] at `limit`: mismatched types
//~ rustc: label: expected `Duration`, found `u64`
//~ rustc: label: arguments to this function are incorrect
//~ rustc: note: function defined here
async fn wrong_type(limit: u64) -> Result<(), ()> {
    Err(drop(limit))
}
