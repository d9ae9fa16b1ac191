// An error type that depends on a type parameter without a `Classify` bound: the attribute cannot see
// whether the concrete type has a classification.

use resilience::{Classify, Rejected, circuit_breaker, idempotent, retry};

#[retry]
fn parameter<E>(error: impl Fn() -> E) -> Result<(), E> {
//~ error at `E`: `E` depends on a type parameter, so its classification is unknown here
//~ label: add `on = …` to the attribute, or a `Classify` bound
//~ note: select the failures in the attribute: `on = |error| …`, or `on = |_| true` for every failure
//~ note: or add a bound, so that the attribute uses the classification of the type: `E: resilience::Classify`
//~ help: consider restricting type parameter `E` with trait `KnownClass`
    Err(error())
}

#[retry]
async fn parameter_of_an_async_function<E: Unpin>(error: impl Fn() -> E) -> Result<(), E> {
//~ error at `E`: `E` depends on a type parameter, so its classification is unknown here
//~ label: add `on = …` to the attribute, or a `Classify` bound
//~ note: select the failures in the attribute: `on = |error| …`, or `on = |_| true` for every failure
//~ note: or add a bound, so that the attribute uses the classification of the type: `E: resilience::Classify`
//~ help: consider further restricting type parameter `E` with trait `KnownClass`
    Err(error())
}

#[retry]
fn boxed_parameter<E>(error: impl Fn() -> E) -> Result<(), Box<E>> {
//~ error at `Box`: `Box<E>` depends on a type parameter, so its classification is unknown here
//~ label: add `on = …` to the attribute, or a `Classify` bound
//~ rustc: help: the trait `resilience_core::probe::KnownClass` is not implemented for `Box<E>`
//~ note: select the failures in the attribute: `on = |error| …`, or `on = |_| true` for every failure
//~ note: or add a bound, so that the attribute uses the classification of the type: `Box<E>: resilience::Classify`
//~ help: consider introducing a `where` clause, but there might be an alternative better way to express this requirement
    Err(Box::new(error()))
}

#[circuit_breaker]
fn parameter_under_a_breaker<E: From<Rejected>>(error: impl Fn() -> E) -> Result<(), E> {
//~ error at `E`: `E` depends on a type parameter, so its classification is unknown here
//~ label: add `on = …` to the attribute, or a `Classify` bound
//~ note: select the failures in the attribute: `on = |error| …`, or `on = |_| true` for every failure
//~ note: or add a bound, so that the attribute uses the classification of the type: `E: resilience::Classify`
//~ help: consider further restricting type parameter `E` with trait `KnownClass`
    Err(error())
}

#[idempotent(key = 1, scope = "global", fingerprint())]
fn parameter_of_an_idempotent_call<E: From<Rejected>>(error: impl Fn() -> E) -> Result<(), E> {
//~ error at `E`: `E` depends on a type parameter, so its classification is unknown here
//~ label: add `on = …` to the attribute, or a `Classify` bound
//~ note: select the failures in the attribute: `on = |error| …`, or `on = |_| true` for every failure
//~ note: or add a bound, so that the attribute uses the classification of the type: `E: resilience::Classify`
//~ help: consider further restricting type parameter `E` with trait `KnownClass`
    Err(error())
}

#[retry]
fn part_of_another_type<T>(sender: &std::sync::mpsc::Sender<T>, value: impl Fn() -> T) -> Result<(), std::sync::mpsc::SendError<T>> {
//~ error at `std`: `SendError<T>` depends on a type parameter, so its classification is unknown here
//~ label: add `on = …` to the attribute, or a `Classify` bound
//~ rustc: help: the trait `resilience_core::probe::KnownClass` is not implemented for `SendError<T>`
//~ note: select the failures in the attribute: `on = |error| …`, or `on = |_| true` for every failure
//~ note: or add a bound, so that the attribute uses the classification of the type: `SendError<T>: resilience::Classify`
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
    //~ error at `Wrapper`: `Wrapper<E>` depends on a type parameter, so its classification is unknown here
    //~ label: add `on = …` to the attribute, or a `Classify` bound
    //~ rustc: help: the trait `resilience_core::probe::KnownClass` is not implemented for `Wrapper<E>`
    //~ note: select the failures in the attribute: `on = |error| …`, or `on = |_| true` for every failure
    //~ note: or add a bound, so that the attribute uses the classification of the type: `Wrapper<E>: resilience::Classify`
    //~ help: consider introducing a `where` clause, but there might be an alternative better way to express this requirement
        Err(Wrapper(error()))
    }
}

trait Api {
    type Error;

    fn raw(&self) -> Result<(), Self::Error>;

    #[retry]
    fn associated_type(&self) -> Result<(), Self::Error> {
    //~ error at `Self`: `<Self as Api>::Error` depends on a type parameter, so its classification is unknown here
    //~ label: add `on = …` to the attribute, or a `Classify` bound
    //~ rustc: help: the trait `resilience_core::probe::KnownClass` is not implemented for `<Self as Api>::Error`
    //~ note: select the failures in the attribute: `on = |error| …`, or `on = |_| true` for every failure
    //~ note: or add a bound, so that the attribute uses the classification of the type: `<Self as Api>::Error: resilience::Classify`
    //~ help: consider further restricting the associated type
        self.raw()
    }

    #[retry]
    fn boxed_associated_type(&self) -> Result<(), Box<Self::Error>> {
    //~ error at `Box`: `Box<<Self as Api>::Error>` depends on a type parameter, so its classification is unknown here
    //~ label: add `on = …` to the attribute, or a `Classify` bound
    //~ rustc: help: the trait `resilience_core::probe::KnownClass` is not implemented for `Box<<Self as Api>::Error>`
    //~ note: select the failures in the attribute: `on = |error| …`, or `on = |_| true` for every failure
    //~ note: or add a bound, so that the attribute uses the classification of the type: `Box<<Self as Api>::Error>: resilience::Classify`
    //~ help: consider introducing a `where` clause, but there might be an alternative better way to express this requirement
        self.raw().map_err(Box::new)
    }
}

#[retry]
fn associated_type_of_a_parameter<A: Api>(api: &A) -> Result<(), A::Error> {
//~ error at `A`: `<A as Api>::Error` depends on a type parameter, so its classification is unknown here
//~ label: add `on = …` to the attribute, or a `Classify` bound
//~ rustc: help: the trait `resilience_core::probe::KnownClass` is not implemented for `<A as Api>::Error`
//~ note: select the failures in the attribute: `on = |error| …`, or `on = |_| true` for every failure
//~ note: or add a bound, so that the attribute uses the classification of the type: `<A as Api>::Error: resilience::Classify`
//~ help: consider further restricting the associated type
    api.raw()
}

struct Client<E, Failure>(E, Failure);

impl<E: Clone, Failure: Clone> Client<E, Failure> {
    #[retry]
    fn parameter_of_the_impl_block(&self) -> Result<(), E> {
    //~ error at `E`: `E` depends on a type parameter, so its classification is unknown here
    //~ label: add `on = …` to the attribute, or a `Classify` bound
    //~ note: select the failures in the attribute: `on = |error| …`, or `on = |_| true` for every failure
    //~ note: or add a bound, so that the attribute uses the classification of the type: `E: resilience::Classify`
    //~ help: consider further restricting type parameter `E` with trait `KnownClass`
        Err(self.0.clone())
    }

    #[retry]
    fn boxed_parameter_of_the_impl_block(&self) -> Result<(), Box<Failure>> {
    //~ error at `Box`: `Box<Failure>` depends on a type parameter, so its classification is unknown here
    //~ label: add `on = …` to the attribute, or a `Classify` bound
    //~ rustc: help: the trait `resilience_core::probe::KnownClass` is not implemented for `Box<Failure>`
    //~ note: select the failures in the attribute: `on = |error| …`, or `on = |_| true` for every failure
    //~ note: or add a bound, so that the attribute uses the classification of the type: `Box<Failure>: resilience::Classify`
    //~ help: consider introducing a `where` clause, but there might be an alternative better way to express this requirement
    //~ help: consider introducing a `where` clause, but there might be an alternative better way to express this requirement
        Err(Box::new(self.1.clone()))
    }
}
