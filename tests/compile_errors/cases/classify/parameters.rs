// An error type that depends on a type parameter without a `Classify` bound: the attribute cannot
// see whether the concrete type has a classification.

use resilience::{Classify, Rejected, circuit_breaker, idempotent, retry};

#[retry]
fn parameter<E>(error: impl Fn() -> E) -> Result<(), E> {
//~ error at `E`: `E` has no classification
//~ label: needs `Classify`
//~ note: if `E` is a type of your crate, add `#[derive(resilience::Classify)]`, or implement `resilience::Classify`
//~ note: if `E` is the error of another crate, add a function to the attribute: `on = resilience::http::classify`, or `on = |error| …`
//~ note: a type that depends on a type parameter needs the bound `E: resilience::Classify`, or `on = …` in the attribute, such as `on = |_| true` for every failure
//~ help: consider restricting type parameter `E` with trait `Classify`
    Err(error())
}

#[retry]
async fn parameter_of_an_async_function<E: Unpin>(error: impl Fn() -> E) -> Result<(), E> {
//~ error at `E`: `E` has no classification
//~ label: needs `Classify`
//~ note: if `E` is a type of your crate, add `#[derive(resilience::Classify)]`, or implement `resilience::Classify`
//~ note: if `E` is the error of another crate, add a function to the attribute: `on = resilience::http::classify`, or `on = |error| …`
//~ note: a type that depends on a type parameter needs the bound `E: resilience::Classify`, or `on = …` in the attribute, such as `on = |_| true` for every failure
//~ help: consider further restricting type parameter `E` with trait `Classify`
    Err(error())
}

#[retry]
fn boxed_parameter<E>(error: impl Fn() -> E) -> Result<(), Box<E>> {
//~ error at `Box`: `E` has no classification
//~ label: needs `Classify`
//~ note: if `E` is a type of your crate, add `#[derive(resilience::Classify)]`, or implement `resilience::Classify`
//~ note: if `E` is the error of another crate, add a function to the attribute: `on = resilience::http::classify`, or `on = |error| …`
//~ note: a type that depends on a type parameter needs the bound `E: resilience::Classify`, or `on = …` in the attribute, such as `on = |_| true` for every failure
//~ rustc: note: required for `Box<E>` to implement `resilience::Classify`
//~ help: consider restricting type parameter `E` with trait `Classify`
    Err(Box::new(error()))
}

#[circuit_breaker]
fn parameter_under_a_breaker<E: From<Rejected>>(error: impl Fn() -> E) -> Result<(), E> {
//~ error at `E`: `E` has no classification
//~ label: needs `Classify`
//~ note: if `E` is a type of your crate, add `#[derive(resilience::Classify)]`, or implement `resilience::Classify`
//~ note: if `E` is the error of another crate, add a function to the attribute: `on = resilience::http::classify`, or `on = |error| …`
//~ note: a type that depends on a type parameter needs the bound `E: resilience::Classify`, or `on = …` in the attribute, such as `on = |_| true` for every failure
//~ help: consider further restricting type parameter `E` with trait `Classify`
    Err(error())
}

#[idempotent(key = 1, scope = "global", fingerprint())]
fn parameter_of_an_idempotent_call<E: From<Rejected>>(error: impl Fn() -> E) -> Result<(), E> {
//~ error at `E`: `E` has no classification
//~ label: needs `Classify`
//~ note: if `E` is a type of your crate, add `#[derive(resilience::Classify)]`, or implement `resilience::Classify`
//~ note: if `E` is the error of another crate, add a function to the attribute: `on = resilience::http::classify`, or `on = |error| …`
//~ note: a type that depends on a type parameter needs the bound `E: resilience::Classify`, or `on = …` in the attribute, such as `on = |_| true` for every failure
//~ help: consider further restricting type parameter `E` with trait `Classify`
    Err(error())
}

#[retry]
fn part_of_another_type<T>(sender: &std::sync::mpsc::Sender<T>, value: impl Fn() -> T) -> Result<(), std::sync::mpsc::SendError<T>> {
//~ error at `std`: `SendError<T>` has no classification
//~ label: needs `Classify`
//~ rustc: help: the trait `resilience::Classify` is not implemented for `SendError<T>`
//~ note: if `SendError<T>` is a type of your crate, add `#[derive(resilience::Classify)]`, or implement `resilience::Classify`
//~ note: if `SendError<T>` is the error of another crate, add a function to the attribute: `on = resilience::http::classify`, or `on = |error| …`
//~ note: a type that depends on a type parameter needs the bound `SendError<T>: resilience::Classify`, or `on = …` in the attribute, such as `on = |_| true` for every failure
    sender.send(value())
}

mod generic_wrapper {
    use super::*;

    struct Wrapper<E>(E);

    impl<E: Classify> Classify for Wrapper<E> {
        fn classify(&self) -> resilience::FailureClass {
            self.0.classify()
        }
    }

    #[retry]
    fn wrapper<E>(error: impl Fn() -> E) -> Result<(), Wrapper<E>> {
    //~ error at `Wrapper`: `E` has no classification
    //~ label: needs `Classify`
    //~ note: if `E` is a type of your crate, add `#[derive(resilience::Classify)]`, or implement `resilience::Classify`
    //~ note: if `E` is the error of another crate, add a function to the attribute: `on = resilience::http::classify`, or `on = |error| …`
    //~ note: a type that depends on a type parameter needs the bound `E: resilience::Classify`, or `on = …` in the attribute, such as `on = |_| true` for every failure
    //~ rustc: note: required for `Wrapper<E>` to implement `resilience::Classify`
    //~ help: consider restricting type parameter `E` with trait `Classify`
        Err(Wrapper(error()))
    }
}

trait Api {
    type Error;

    fn raw(&self) -> Result<(), Self::Error>;

    #[retry]
    fn associated_type(&self) -> Result<(), Self::Error> {
    //~ error at `Self`: `<Self as Api>::Error` has no classification
    //~ label: needs `Classify`
    //~ rustc: help: the trait `resilience::Classify` is not implemented for `<Self as Api>::Error`
    //~ note: if `<Self as Api>::Error` is a type of your crate, add `#[derive(resilience::Classify)]`, or implement `resilience::Classify`
    //~ note: if `<Self as Api>::Error` is the error of another crate, add a function to the attribute: `on = resilience::http::classify`, or `on = |error| …`
    //~ note: a type that depends on a type parameter needs the bound `<Self as Api>::Error: resilience::Classify`, or `on = …` in the attribute, such as `on = |_| true` for every failure
    //~ help: consider further restricting the associated type
        self.raw()
    }

    #[retry]
    fn boxed_associated_type(&self) -> Result<(), Box<Self::Error>> {
    //~ error at `Box`: `<Self as Api>::Error` has no classification
    //~ label: needs `Classify`
    //~ rustc: help: the trait `resilience::Classify` is not implemented for `<Self as Api>::Error`
    //~ note: if `<Self as Api>::Error` is a type of your crate, add `#[derive(resilience::Classify)]`, or implement `resilience::Classify`
    //~ note: if `<Self as Api>::Error` is the error of another crate, add a function to the attribute: `on = resilience::http::classify`, or `on = |error| …`
    //~ note: a type that depends on a type parameter needs the bound `<Self as Api>::Error: resilience::Classify`, or `on = …` in the attribute, such as `on = |_| true` for every failure
    //~ rustc: note: required for `Box<<Self as Api>::Error>` to implement `resilience::Classify`
    //~ help: consider further restricting the associated type
        self.raw().map_err(Box::new)
    }
}

#[retry]
fn associated_type_of_a_parameter<A: Api>(api: &A) -> Result<(), A::Error> {
//~ error at `A`: `<A as Api>::Error` has no classification
//~ label: needs `Classify`
//~ rustc: help: the trait `resilience::Classify` is not implemented for `<A as Api>::Error`
//~ note: if `<A as Api>::Error` is a type of your crate, add `#[derive(resilience::Classify)]`, or implement `resilience::Classify`
//~ note: if `<A as Api>::Error` is the error of another crate, add a function to the attribute: `on = resilience::http::classify`, or `on = |error| …`
//~ note: a type that depends on a type parameter needs the bound `<A as Api>::Error: resilience::Classify`, or `on = …` in the attribute, such as `on = |_| true` for every failure
//~ help: consider further restricting the associated type
    api.raw()
}

struct Client<E, Failure>(E, Failure);

impl<E: Clone, Failure: Clone> Client<E, Failure> {
    #[retry]
    fn parameter_of_the_impl_block(&self) -> Result<(), E> {
    //~ error at `E`: `E` has no classification
    //~ label: needs `Classify`
    //~ note: if `E` is a type of your crate, add `#[derive(resilience::Classify)]`, or implement `resilience::Classify`
    //~ note: if `E` is the error of another crate, add a function to the attribute: `on = resilience::http::classify`, or `on = |error| …`
    //~ note: a type that depends on a type parameter needs the bound `E: resilience::Classify`, or `on = …` in the attribute, such as `on = |_| true` for every failure
    //~ help: consider further restricting type parameter `E` with trait `Classify`
        Err(self.0.clone())
    }

    #[retry]
    fn boxed_parameter_of_the_impl_block(&self) -> Result<(), Box<Failure>> {
    //~ error at `Box`: `Failure` has no classification
    //~ label: needs `Classify`
    //~ note: if `Failure` is a type of your crate, add `#[derive(resilience::Classify)]`, or implement `resilience::Classify`
    //~ note: if `Failure` is the error of another crate, add a function to the attribute: `on = resilience::http::classify`, or `on = |error| …`
    //~ note: a type that depends on a type parameter needs the bound `Failure: resilience::Classify`, or `on = …` in the attribute, such as `on = |_| true` for every failure
    //~ rustc: note: required for `Box<Failure>` to implement `resilience::Classify`
    //~ help: consider further restricting type parameter `Failure` with trait `Classify`
        Err(Box::new(self.1.clone()))
    }
}
