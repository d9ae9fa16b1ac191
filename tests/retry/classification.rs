//! The classification of errors behind pointers, and of types that depend on a type parameter.

use std::cell::Cell;
use std::fmt::Debug;
use std::rc::Rc;
use std::sync::Arc;

use resilience::{Classify, FailureClass, retry, testing};

use crate::count;

#[derive(Clone, Copy, Debug, PartialEq, Classify)]
#[permanent]
struct NotFound;

/// Returns the number of attempts.
fn attempts<E>(call: impl FnOnce(&Cell<u32>) -> Result<(), E>) -> u32 {
    let _guard = testing::no_waits();
    let calls = Cell::new(0);
    assert!(call(&calls).is_err());
    calls.get()
}

#[test]
fn a_pointer_has_the_class_of_the_target() {
    #[retry]
    fn boxed(calls: &Cell<u32>) -> Result<(), Box<NotFound>> {
        count(calls);
        Err(Box::new(NotFound))
    }
    #[retry]
    fn arc(calls: &Cell<u32>) -> Result<(), Arc<NotFound>> {
        count(calls);
        Err(Arc::new(NotFound))
    }
    #[retry]
    fn rc(calls: &Cell<u32>) -> Result<(), Rc<NotFound>> {
        count(calls);
        Err(Rc::new(NotFound))
    }
    #[retry]
    fn reference(calls: &Cell<u32>) -> Result<(), &'static NotFound> {
        count(calls);
        Err(&NotFound)
    }
    #[retry]
    fn trait_object(calls: &Cell<u32>) -> Result<(), Box<dyn Classify>> {
        count(calls);
        Err(Box::new(NotFound))
    }
    #[retry]
    async fn asynchronous(calls: &Cell<u32>) -> Result<(), Box<NotFound>> {
        count(calls);
        Err(Box::new(NotFound))
    }
    assert_eq!(attempts(boxed), 1);
    assert_eq!(attempts(arc), 1);
    assert_eq!(attempts(rc), 1);
    assert_eq!(attempts(reference), 1);
    assert_eq!(attempts(trait_object), 1);
    assert_eq!(attempts(|calls| futures::executor::block_on(asynchronous(calls))), 1);
}

#[test]
fn a_forwarded_pointer_has_the_class_of_the_target() {
    #[derive(Debug, Classify)]
    enum ApiError {
        #[forward]
        Boxed(Box<NotFound>),
        #[forward]
        Shared(Arc<NotFound>),
    }
    assert_eq!(ApiError::Boxed(Box::new(NotFound)).classify(), FailureClass::permanent());
    assert_eq!(ApiError::Shared(Arc::new(NotFound)).classify(), FailureClass::permanent());
}

#[test]
fn a_pointer_to_an_unclassified_error_is_transient() {
    #[retry]
    fn boxed(calls: &Cell<u32>) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        count(calls);
        Err("down".into())
    }
    #[retry]
    fn text(calls: &Cell<u32>) -> Result<(), Box<str>> {
        count(calls);
        Err("down".into())
    }
    #[retry]
    fn io(calls: &Cell<u32>) -> Result<(), Arc<std::io::Error>> {
        count(calls);
        Err(Arc::new(std::io::ErrorKind::Other.into()))
    }
    assert_eq!((attempts(boxed), attempts(text), attempts(io)), (3, 3, 3));
}

#[test]
fn a_type_parameter_with_a_bound_has_the_class_of_the_argument() {
    #[retry]
    fn bare<E: Classify>(calls: &Cell<u32>, error: impl Fn() -> E) -> Result<(), E> {
        count(calls);
        Err(error())
    }
    #[retry]
    fn boxed<E>(calls: &Cell<u32>, error: impl Fn() -> E) -> Result<(), Box<E>>
    where
        E: Classify + Debug,
    {
        count(calls);
        Err(Box::new(error()))
    }
    #[retry]
    async fn asynchronous<E: Classify>(
        calls: &Cell<u32>,
        error: impl Fn() -> E,
    ) -> Result<(), Arc<E>> {
        count(calls);
        Err(Arc::new(error()))
    }
    assert_eq!(attempts(|calls| bare(calls, || NotFound)), 1);
    assert_eq!(attempts(|calls| boxed(calls, || NotFound)), 1);
    let call = |calls: &Cell<u32>| futures::executor::block_on(asynchronous(calls, || NotFound));
    assert_eq!(attempts(call), 1);
}

trait Api {
    type Error: Classify;
    type Unclassified;

    fn raw(&self) -> Result<(), Self::Error>;

    #[retry]
    fn call(&self, calls: &Cell<u32>) -> Result<(), Self::Error> {
        count(calls);
        self.raw()
    }

    #[retry(on = |_| true)]
    fn with_on(
        &self,
        calls: &Cell<u32>,
        error: impl Fn() -> Self::Unclassified,
    ) -> Result<(), Self::Unclassified> {
        count(calls);
        Err(error())
    }
}

struct Store;

impl Api for Store {
    type Error = NotFound;
    type Unclassified = NotFound;

    fn raw(&self) -> Result<(), NotFound> {
        Err(NotFound)
    }
}

#[test]
fn an_associated_type_has_the_class_of_the_type() {
    #[retry]
    fn generic<A: Api>(calls: &Cell<u32>, api: &A) -> Result<(), A::Error> {
        count(calls);
        api.raw()
    }
    assert_eq!(attempts(|calls| Store.call(calls)), 1);
    assert_eq!(attempts(|calls| generic(calls, &Store)), 1);
    assert_eq!(attempts(|calls| Store.with_on(calls, || NotFound)), 3);
}

#[test]
fn a_concrete_associated_type_needs_no_bound() {
    trait Connect {
        type Error;

        fn connect(&self, calls: &Cell<u32>) -> Result<(), Self::Error>;
        fn boxed(&self, calls: &Cell<u32>) -> Result<(), Box<Self::Error>>;
    }
    struct Client<E>(E);
    impl Connect for Client<NotFound> {
        type Error = NotFound;

        #[retry]
        fn connect(&self, calls: &Cell<u32>) -> Result<(), Self::Error> {
            count(calls);
            Err(self.0)
        }
        #[retry]
        fn boxed(&self, calls: &Cell<u32>) -> Result<(), Box<Self::Error>> {
            count(calls);
            Err(Box::new(self.0))
        }
    }
    impl Connect for Client<&'static str> {
        type Error = &'static str;

        #[retry]
        fn connect(&self, calls: &Cell<u32>) -> Result<(), Self::Error> {
            count(calls);
            Err(self.0)
        }
        #[retry]
        fn boxed(&self, calls: &Cell<u32>) -> Result<(), Box<Self::Error>> {
            count(calls);
            Err(Box::new(self.0))
        }
    }
    assert_eq!(attempts(|calls| Client(NotFound).connect(calls)), 1);
    assert_eq!(attempts(|calls| Client(NotFound).boxed(calls)), 1);
    assert_eq!(attempts(|calls| Client("down").connect(calls)), 3);
    assert_eq!(attempts(|calls| Client("down").boxed(calls)), 3);
}

#[test]
fn a_parameter_of_the_impl_block_with_a_bound_has_the_class_of_the_argument() {
    struct Client<E>(E);
    impl<E: Classify + Clone> Client<E> {
        #[retry]
        fn call(&self, calls: &Cell<u32>) -> Result<(), E> {
            count(calls);
            Err(self.0.clone())
        }
    }
    impl<Failure: Classify + Clone> Client<Box<Failure>> {
        #[retry]
        fn boxed(&self, calls: &Cell<u32>) -> Result<(), Box<Failure>> {
            count(calls);
            Err(self.0.clone())
        }
    }
    assert_eq!(attempts(|calls| Client(NotFound).call(calls)), 1);
    assert_eq!(attempts(|calls| Client(Box::new(NotFound)).boxed(calls)), 1);
}

/// A type with one letter that is no parameter.
#[test]
fn a_concrete_error_with_a_short_name_needs_no_bound() {
    #[derive(Debug)]
    struct E;
    #[retry]
    fn call(calls: &Cell<u32>) -> Result<(), E> {
        count(calls);
        Err(E)
    }
    assert_eq!(attempts(call), 3);
}

/// An alias hides the error type from the attribute, but not from the compiler.
#[test]
fn the_value_of_an_alias_may_be_a_type_parameter() {
    type ApiResult<T> = Result<T, NotFound>;
    #[retry]
    fn call<T: From<u8>>(calls: &Cell<u32>) -> ApiResult<T> {
        if count(calls) > 9 { Ok(T::from(7)) } else { Err(NotFound) }
    }
    assert_eq!(attempts(|calls| call::<u32>(calls).map(drop)), 1);
}

/// A predicate among the arguments is borrowed by each attempt, also if it is not `Copy`.
#[test]
fn a_generic_predicate_among_the_arguments_is_called_for_each_failure() {
    #[retry(attempts = 4, base_delay = "1ms", on = predicate)]
    fn call<F: Fn(&u32) -> bool>(calls: &Cell<u32>, predicate: F) -> Result<(), u32> {
        Err(count(calls))
    }
    let transient = String::from("1");
    assert_eq!(attempts(|calls| call(calls, move |error| error.to_string() == transient)), 2);
}
