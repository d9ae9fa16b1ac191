//! `#[fallback]`: a replacement for a failure.
#![allow(
    clippy::items_after_statements,
    clippy::needless_pass_by_value,
    clippy::unwrap_used,
    reason = "functions under test are defined next to their calls, and a test may panic"
)]

mod plan;
mod stale;

use std::cell::Cell;

use resilience::{FailureClass, fallback};

#[derive(Clone, Debug, PartialEq)]
enum Failure {
    Down,
    Wrong,
}

fn fails(failure: Failure) -> Result<u32, Failure> {
    Err(failure)
}

fn is_down(failure: &Failure) -> bool {
    *failure == Failure::Down
}

#[test]
fn a_value_replaces_a_failure() {
    #[fallback(value = 7)]
    fn call(failure: Option<Failure>) -> Result<u32, Failure> {
        failure.map_or(Ok(1), Err)
    }
    assert_eq!(call(None), Ok(1));
    assert_eq!(call(Some(Failure::Down)), Ok(7));
}

#[test]
fn a_value_is_computed_only_if_needed() {
    #[fallback(value = { made.set(made.get() + 1); made.get() })]
    fn call(ok: bool, made: &Cell<u32>) -> Result<u32, Failure> {
        if ok { Ok(0) } else { Err(Failure::Down) }
    }
    let made = Cell::new(0);
    assert_eq!(call(true, &made), Ok(0));
    assert_eq!(made.get(), 0);
    assert_eq!(call(false, &made), Ok(1));
}

#[test]
fn on_selects_errors() {
    #[fallback(value = 7, on = is_down)]
    fn by_bool(failure: Failure) -> Result<u32, Failure> {
        fails(failure)
    }
    #[fallback(value = 7, on = |failure| match failure {
        Failure::Down => FailureClass::throttled(None),
        Failure::Wrong => FailureClass::permanent(),
    })]
    fn by_class(failure: Failure) -> Result<u32, Failure> {
        fails(failure)
    }
    for call in [by_bool, by_class] {
        assert_eq!(call(Failure::Down), Ok(7));
        assert_eq!(call(Failure::Wrong), Err(Failure::Wrong));
    }
}

#[test]
fn a_function_gets_the_error_by_value_and_may_use_the_arguments() {
    fn cached(failure: Failure) -> u32 {
        if failure == Failure::Down { 7 } else { 8 }
    }
    #[fallback(with = cached)]
    fn path(failure: Failure) -> Result<u32, Failure> {
        fails(failure)
    }
    #[fallback(with = |failure| format!("{text}: {failure:?}"))]
    fn closure(text: String) -> Result<String, Failure> {
        if text.is_empty() { Ok(text.clone()) } else { Err(Failure::Down) }
    }
    struct Cache(u32);
    impl Cache {
        #[fallback(with = |_| self.0)]
        fn method(&mut self) -> Result<u32, Failure> {
            self.0 += 1;
            fails(Failure::Down)
        }
    }
    assert_eq!((path(Failure::Down), path(Failure::Wrong)), (Ok(7), Ok(8)));
    assert_eq!(closure("a".into()), Ok("a: Down".into()));
    assert_eq!(Cache(1).method(), Ok(2));
}

#[test]
fn with_may_return_the_type_of_the_function() {
    #[fallback(with = |failure| if failure == Failure::Down { Ok(7) } else { Err(failure) })]
    fn result(failure: Failure) -> Result<u32, Failure> {
        fails(failure)
    }
    #[fallback(value = Some(7))]
    fn option() -> Option<u32> {
        None
    }
    #[fallback(value = 7)]
    fn plain_option() -> Option<u32> {
        None
    }
    assert_eq!(result(Failure::Down), Ok(7));
    assert_eq!(result(Failure::Wrong), Err(Failure::Wrong));
    assert_eq!((option(), plain_option()), (Some(7), Some(7)));
}

#[tokio::test(start_paused = true)]
async fn with_may_be_async_on_async_functions() {
    async fn replica(failure: Failure) -> Result<u32, Failure> {
        tokio::task::yield_now().await;
        if failure == Failure::Down { Ok(7) } else { Err(failure) }
    }
    #[fallback(with = replica)]
    async fn path(failure: Failure) -> Result<u32, Failure> {
        tokio::task::yield_now().await;
        fails(failure)
    }
    #[fallback(with = |failure| async move {
        tokio::task::yield_now().await;
        assert_eq!(failure, Failure::Down);
        id + 1
    })]
    async fn block(id: u32) -> Result<u32, Failure> {
        fails(Failure::Down)
    }
    #[fallback(with = async |_| { tokio::task::yield_now().await; id + 2 })]
    async fn closure(id: u32) -> Result<u32, Failure> {
        fails(Failure::Down)
    }
    #[fallback(with = |_| id + 3)]
    async fn sync(id: u32) -> Result<u32, Failure> {
        fails(Failure::Down)
    }
    assert_eq!(path(Failure::Down).await, Ok(7));
    assert_eq!(path(Failure::Wrong).await, Err(Failure::Wrong));
    assert_eq!((block(1).await, closure(1).await, sync(1).await), (Ok(2), Ok(3), Ok(4)));
}

#[test]
fn an_argument_that_only_the_body_needs_is_moved() {
    #[fallback(value = String::new())]
    fn consumed(text: String) -> Result<String, Failure> {
        Ok(text)
    }
    #[fallback(value = String::new())]
    async fn consumed_later(text: String) -> Result<String, Failure> {
        std::future::ready(()).await;
        Ok(text)
    }
    assert_eq!(consumed("a".into()), Ok("a".into()));
    assert_eq!(futures::executor::block_on(consumed_later("a".into())), Ok("a".into()));
}

#[test]
fn with_may_borrow_borrowed_arguments() {
    #[fallback(value = None)]
    fn first(items: &mut [u32]) -> Result<Option<&mut u32>, Failure> {
        items.first_mut().map(Some).ok_or(Failure::Down)
    }
    let mut items = [1, 2];
    *first(&mut items).unwrap().unwrap() = 5;
    assert_eq!(items, [5, 2]);
}

#[test]
fn on_ok_replaces_values() {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "a predicate borrows")]
    fn by_status(status: &u16) -> FailureClass {
        FailureClass::from(*status >= 500)
    }
    #[fallback(value = 304, on_ok = by_status)]
    fn get(answer: Result<u16, Failure>) -> Result<u16, Failure> {
        answer
    }
    #[fallback(value = Ok(worst), on = is_down, on_ok = |status| *status >= worst)]
    async fn later(answer: Result<u16, Failure>, worst: u16) -> Result<u16, Failure> {
        std::future::ready(()).await;
        answer
    }
    #[fallback(value = { made.set(made.get() + 1); 7 }, on_ok = |left| *left == 0)]
    fn option(left: Option<u32>, made: &Cell<u32>) -> Option<u32> {
        left
    }
    assert_eq!((get(Ok(200)), get(Ok(404)), get(Ok(503))), (Ok(200), Ok(404), Ok(304)));
    assert_eq!(get(Err(Failure::Wrong)), Ok(304));
    let later = |answer| futures::executor::block_on(later(answer, 400));
    assert_eq!((later(Ok(200)), later(Ok(404))), (Ok(200), Ok(400)));
    assert_eq!(later(Err(Failure::Down)), Ok(400));
    assert_eq!(later(Err(Failure::Wrong)), Err(Failure::Wrong));
    let made = Cell::new(0);
    assert_eq!((option(Some(1), &made), made.get()), (Some(1), 0));
    assert_eq!((option(Some(0), &made), option(None, &made)), (Some(7), Some(7)));
    assert_eq!(made.get(), 2);
}

#[test]
fn a_closure_replaces_the_failure_of_a_type_without_a_name() {
    #[fallback(with = |failure| Err(if is_down(&failure) { Failure::Wrong } else { failure }))]
    fn call(up: bool) -> Result<impl Iterator<Item = u32>, Failure> {
        if up { Ok(0..3) } else { Err(Failure::Down) }
    }
    #[fallback(with = |failure| async move { Err(failure) })]
    async fn wait(up: bool) -> Result<impl Iterator<Item = u32>, Failure> {
        if up { Ok(0..3) } else { Err(Failure::Down) }
    }
    assert_eq!(call(true).map(Iterator::sum), Ok(3));
    assert_eq!(call(false).map(Iterator::sum::<u32>), Err(Failure::Wrong));
    assert_eq!(futures::executor::block_on(wait(true)).map(Iterator::sum), Ok(3));
    let failed = futures::executor::block_on(wait(false));
    assert_eq!(failed.map(Iterator::sum::<u32>), Err(Failure::Down));
}
