// Values of a wrong type.

use resilience::{Bulkhead, Rejected, bulkhead, rate_limit};

#[rate_limit(rate = 10, cost = text.len())]
//~ rustc: error[E0308] at `text.len()`: mismatched types
//~ rustc: label: expected `u32`, found `usize`
//~ rustc: label: expected due to this
//~ rustc: help: you can convert a `usize` to a `u32` and panic if the converted value doesn't fit
fn cost_of_another_type(text: &str) -> Result<(), Rejected> {
    Ok(drop(text))
}

#[rate_limit(rate = 10, burst = 5, cost = 5, settle = |out| out.len())]
//~ rustc: error[E0599] at `len`: no method named `len` found for reference `&Result<(), resilience::Rejected>` in the current scope
//~ rustc: label: method not found in `&Result<(), resilience::Rejected>`
fn settle_of_another_type() -> Result<(), Rejected> {
    Ok(())
}

#[bulkhead(max = 10, key = id, settings = |limit: Bulkhead| 5)]
//~ rustc: error[E0308] at `5`: mismatched types
//~ rustc: label: expected `Bulkhead`, found integer
fn settings_of_another_type(id: u32) -> Result<(), Rejected> {
    Ok(drop(id))
}

struct Hidden;

#[bulkhead(max = 10, key = id, key_label = Hidden)]
//~ error at `Hidden`: `Hidden` doesn't implement `std::fmt::Display`
//~ rustc: label: unsatisfied trait bound
//~ rustc: help: the trait `std::fmt::Display` is not implemented for `Hidden`
//~ rustc: note: required for `&Hidden` to implement `std::fmt::Display`
fn label_without_text(id: u32) -> Result<(), Rejected> {
    Ok(drop(id))
}
