//! Hygiene: generated names do not collide with names of the user.

macro_rules! hygiene {
    (#[$attribute:meta], $failures:expr) => {
        #[allow(
            non_upper_case_globals,
            dead_code,
            unused_macros,
            reason = "names that collide on purpose"
        )]
        #[allow(clippy::items_after_statements, reason = "names that collide on purpose")]
        mod hygiene {
            // Modules and types that shadow the standard library.
            mod core {}
            mod std {}
            mod resilience {}
            mod tokio {}
            struct Option;
            struct Ok;
            struct Err;
            struct Some;
            struct None;
            struct Duration;
            trait Future {}
            trait Clone {}
            trait Into {}
            macro_rules! concat {
                () => {};
            }
            macro_rules! module_path {
                () => {};
            }

            #[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::cmp::PartialEq)]
            struct Failed;

            /// A shadowed `Result`, and functions named like its variants.
            type Result<T> = ::core::result::Result<T, Failed>;

            const state: u32 = 1;

            mod argument_named_state {
                #[$attribute]
                pub(super) fn call(
                    state: &::core::cell::Cell<u32>,
                    resilience: u32,
                ) -> ::core::result::Result<u32, super::Failed> {
                    if super::fails(state) {
                        ::core::result::Result::Err(super::Failed)
                    } else {
                        ::core::result::Result::Ok(resilience)
                    }
                }
            }

            const __RESILIENCE: u32 = 1;

            fn fails(count: &::core::cell::Cell<u32>) -> bool {
                count.set(count.get() + 1);
                count.get() <= $failures
            }

            #[$attribute]
            fn names_of_generated_locals(
                attempt: &::core::cell::Cell<u32>,
                result: u32,
                out: u32,
                delay: u32,
                pause: u32,
                counter: u32,
                policy: u32,
                next: u32,
                error: u32,
            ) -> Result<u32> {
                if fails(attempt) {
                    return ::core::result::Result::Err(Failed);
                }
                // Hygiene does not separate a generated local from an item of the user.
                const POLICY: u32 = 1;
                ::core::result::Result::Ok(
                    result + out + delay + pause + counter + policy + next + error + state + POLICY,
                )
            }

            #[test]
            fn shadowed_names() {
                let attempt = ::core::cell::Cell::new(0);
                assert_eq!(
                    names_of_generated_locals(&attempt, 1, 1, 1, 1, 1, 1, 1, 1),
                    ::core::result::Result::Ok(10)
                );
            }

            #[test]
            fn names_like_variants() {
                let result = argument_named_state::call(&::core::cell::Cell::new(0), 5);
                assert_eq!(result, ::core::result::Result::Ok(5));
            }

            /// Blanket traits with methods named like methods of the runtime, by reference and by
            /// value.
            mod blanket_by_reference {
                trait Blanket {
                    fn class(&self) {}
                    fn shown(&self) {}
                    fn answer(&self) {}
                    fn succeeded(&self) {}
                    fn retrying(&self) {}
                    fn clear(&self) {}
                    fn set(&self) {}
                    fn attempt(&self) {}
                    fn bound(&self) {}
                    fn borrowed(&self) {}
                    fn at(&self) {}
                    fn name(&self) {}
                    fn enter(&self) {}
                    fn enter_timed(&self) {}
                    fn success(&self) {}
                    fn try_acquire(&self) {}
                    fn acquire(&self) {}
                    fn acquire_blocking(&self) {}
                    fn handle(&self) {}
                    fn windowed(&self) {}
                    fn run(&self) {}
                    fn settle(&self) {}
                    fn get(&self) {}
                    fn on_interrupted(&self) {}
                    fn wait(&self) {}
                    fn is_ok(&self) {}
                    fn as_result(&self) {}
                    fn record(&self) {}
                    fn blame(&self) {}
                }
                impl<T: ?::core::marker::Sized> Blanket for T {}

                #[$attribute]
                fn call(count: &::core::cell::Cell<u32>) -> super::Result<u32> {
                    if super::fails(count) {
                        ::core::result::Result::Err(super::Failed)
                    } else {
                        ::core::result::Result::Ok(7)
                    }
                }

                #[test]
                fn blanket_traits_change_nothing() {
                    let count = ::core::cell::Cell::new(0);
                    assert_eq!(call(&count), ::core::result::Result::Ok(7));
                }
            }

            mod blanket_by_value {
                trait Blanket: ::core::marker::Sized {
                    fn class(self) {}
                    fn shown(self) {}
                    fn answer(self) {}
                    fn succeeded(self) {}
                    fn retrying(self) {}
                    fn clear(self) {}
                    fn set(self) {}
                    fn attempt(self) {}
                    fn bound(self) {}
                    fn borrowed(self) {}
                    fn at(self) {}
                    fn name(self) {}
                    fn enter(self) {}
                    fn enter_timed(self) {}
                    fn success(self) {}
                    fn try_acquire(self) {}
                    fn acquire(self) {}
                    fn acquire_blocking(self) {}
                    fn handle(self) {}
                    fn windowed(self) {}
                    fn run(self) {}
                    fn settle(self) {}
                    fn get(self) {}
                    fn on_interrupted(self) {}
                    fn wait(self) {}
                    fn record(self) {}
                    fn blame(self) {}
                }
                impl<T> Blanket for T {}

                #[$attribute]
                fn call(count: &::core::cell::Cell<u32>) -> super::Result<u32> {
                    if super::fails(count) {
                        ::core::result::Result::Err(super::Failed)
                    } else {
                        ::core::result::Result::Ok(7)
                    }
                }

                #[test]
                fn blanket_traits_change_nothing() {
                    let count = ::core::cell::Cell::new(0);
                    assert_eq!(call(&count), ::core::result::Result::Ok(7));
                }
            }

            #[$attribute]
            async fn asynchronous(state_: &::core::cell::Cell<u32>, out: u32) -> Result<u32> {
                async {}.await;
                if fails(state_) {
                    ::core::result::Result::Err(Failed)
                } else {
                    ::core::result::Result::Ok(out)
                }
            }

            #[test]
            fn shadowed_names_in_async_functions() {
                let count = ::core::cell::Cell::new(0);
                let future = asynchronous(&count, 3);
                assert_eq!(::futures::executor::block_on(future), ::core::result::Result::Ok(3));
            }

            /// Labels of the body do not collide with generated labels.
            #[$attribute]
            fn labels(count: &::core::cell::Cell<u32>) -> Result<u32> {
                let mut turns = 0;
                'layer: loop {
                    loop {
                        turns += 1;
                        if turns == 3 {
                            break 'layer;
                        }
                        break;
                    }
                }
                if fails(count) {
                    ::core::result::Result::Err(Failed)
                } else {
                    ::core::result::Result::Ok(turns)
                }
            }

            #[test]
            fn labels_of_the_body() {
                assert_eq!(labels(&::core::cell::Cell::new(0)), ::core::result::Result::Ok(3));
            }
        }
    };
}

/// Hygiene for an attribute of async functions only.
macro_rules! async_hygiene {
    (#[$attribute:meta], $failures:expr) => {
        #[allow(non_upper_case_globals, dead_code, reason = "names that collide on purpose")]
        mod hygiene {
            // Modules and types that shadow the standard library.
            mod core {}
            mod std {}
            mod resilience {}
            mod tokio {}
            struct Option;
            struct Ok;
            struct Err;
            struct Some;
            struct None;
            struct Duration;
            trait Future {}

            #[derive(::core::fmt::Debug, ::core::cmp::PartialEq)]
            struct Failed;

            type Result<T> = ::core::result::Result<T, Failed>;

            const limit: u32 = 1;

            fn fails(count: &::core::cell::Cell<u32>) -> bool {
                count.set(count.get() + 1);
                count.get() <= $failures
            }

            /// Blanket traits with methods named like methods of the runtime, by reference and by
            /// value.
            mod blanket_by_reference {
                trait Blanket {
                    fn class(&self) {}
                    fn shown(&self) {}
                    fn answer(&self) {}
                    fn succeeded(&self) {}
                    fn retrying(&self) {}
                    fn clear(&self) {}
                    fn set(&self) {}
                    fn attempt(&self) {}
                    fn bound(&self) {}
                    fn borrowed(&self) {}
                    fn at(&self) {}
                    fn name(&self) {}
                    fn enter(&self) {}
                    fn enter_timed(&self) {}
                    fn success(&self) {}
                    fn try_acquire(&self) {}
                    fn acquire(&self) {}
                    fn acquire_blocking(&self) {}
                    fn handle(&self) {}
                    fn windowed(&self) {}
                    fn run(&self) {}
                    fn settle(&self) {}
                    fn get(&self) {}
                    fn on_interrupted(&self) {}
                    fn wait(&self) {}
                    fn is_ok(&self) {}
                    fn as_result(&self) {}
                    fn record(&self) {}
                    fn blame(&self) {}
                }
                impl<T: ?::core::marker::Sized> Blanket for T {}

                #[$attribute]
                async fn call(count: &::core::cell::Cell<u32>) -> super::Result<u32> {
                    if super::fails(count) {
                        ::core::result::Result::Err(super::Failed)
                    } else {
                        ::core::result::Result::Ok(7)
                    }
                }

                #[test]
                fn blanket_traits_change_nothing() {
                    let count = ::core::cell::Cell::new(0);
                    assert_eq!(
                        ::futures::executor::block_on(call(&count)),
                        ::core::result::Result::Ok(7)
                    );
                }
            }

            mod blanket_by_value {
                trait Blanket: ::core::marker::Sized {
                    fn class(self) {}
                    fn shown(self) {}
                    fn answer(self) {}
                    fn succeeded(self) {}
                    fn retrying(self) {}
                    fn clear(self) {}
                    fn set(self) {}
                    fn attempt(self) {}
                    fn bound(self) {}
                    fn borrowed(self) {}
                    fn at(self) {}
                    fn name(self) {}
                    fn enter(self) {}
                    fn enter_timed(self) {}
                    fn success(self) {}
                    fn try_acquire(self) {}
                    fn acquire(self) {}
                    fn acquire_blocking(self) {}
                    fn handle(self) {}
                    fn windowed(self) {}
                    fn run(self) {}
                    fn settle(self) {}
                    fn get(self) {}
                    fn on_interrupted(self) {}
                    fn wait(self) {}
                    fn record(self) {}
                    fn blame(self) {}
                }
                impl<T> Blanket for T {}

                #[$attribute]
                async fn call(count: &::core::cell::Cell<u32>) -> super::Result<u32> {
                    if super::fails(count) {
                        ::core::result::Result::Err(super::Failed)
                    } else {
                        ::core::result::Result::Ok(7)
                    }
                }

                #[test]
                fn blanket_traits_change_nothing() {
                    let count = ::core::cell::Cell::new(0);
                    assert_eq!(
                        ::futures::executor::block_on(call(&count)),
                        ::core::result::Result::Ok(7)
                    );
                }
            }

            #[$attribute]
            async fn names_of_generated_locals(
                count: &::core::cell::Cell<u32>,
                out: u32,
                rejected: u32,
            ) -> Result<u32> {
                async {}.await;
                count.set(count.get() + 1);
                if count.get() <= $failures {
                    return ::core::result::Result::Err(Failed);
                }
                ::core::result::Result::Ok(out + rejected + limit)
            }

            #[test]
            fn shadowed_names() {
                let count = ::core::cell::Cell::new(0);
                let result = ::futures::executor::block_on(names_of_generated_locals(&count, 1, 1));
                assert_eq!(result, ::core::result::Result::Ok(3));
            }
        }
    };
}
