//! Shapes of sync functions.

macro_rules! shapes {
    (#[$attribute:meta], $failures:expr) => {
        mod shapes {
            use std::collections::HashMap;
            use std::fmt::{Debug, Display};
            use std::hash::Hash;

            #[derive(Debug, PartialEq, Eq)]
            pub(super) struct Failed;

            /// Counts attempts and fails the first few.
            #[derive(Clone, Debug, Default)]
            pub(super) struct Calls(std::rc::Rc<std::cell::Cell<u32>>);

            impl Calls {
                fn next(&self) -> Result<u32, Failed> {
                    self.0.set(self.0.get() + 1);
                    if self.0.get() <= $failures { Err(Failed) } else { Ok(self.0.get()) }
                }
            }

            const ENOUGH: u32 = $failures + 1;

            // Free functions: borrowed, owned, `&mut`, destructured, generic.

            #[$attribute]
            fn borrowed(text: &str, calls: &Calls) -> Result<usize, Failed> {
                calls.next()?;
                Ok(text.len())
            }

            #[$attribute]
            fn owned(text: String, calls: Calls) -> Result<usize, Failed> {
                calls.next()?;
                Ok(text.len())
            }

            #[$attribute]
            fn exclusive(log: &mut Vec<u32>, calls: &Calls) -> Result<usize, Failed> {
                log.push(0);
                calls.next()?;
                Ok(log.len())
            }

            #[$attribute]
            fn destructured(
                (a, [b, ..]): (u32, [u32; 2]),
                Pair { left, right: other }: Pair,
                _: u8,
                calls: &Calls,
            ) -> Result<u32, Failed> {
                calls.next()?;
                Ok(a + b + left + other)
            }

            pub(super) struct Pair {
                left: u32,
                right: u32,
            }

            #[$attribute]
            fn generic<K, V, const N: usize>(
                map: &HashMap<K, V>,
                keys: [K; N],
                calls: &Calls,
            ) -> Result<[Option<V>; N], Failed>
            where
                K: Eq + Hash + Debug,
                V: Clone,
            {
                calls.next()?;
                Ok(std::array::from_fn(|index| map.get(&keys[index]).cloned()))
            }

            #[$attribute]
            fn lifetimes<'a>(
                first: &'a str,
                second: &'a str,
                calls: &Calls,
            ) -> Result<&'a str, Failed> {
                calls.next()?;
                Ok(if first.is_empty() { second } else { first })
            }

            #[$attribute]
            fn impl_trait(
                items: impl Iterator<Item = u32> + Clone,
                calls: &Calls,
            ) -> Result<impl Iterator<Item = u32>, Failed> {
                calls.next()?;
                Ok(items.clone().map(|item| item * 2))
            }

            #[$attribute]
            fn boxed_closure(calls: &Calls) -> Result<Box<dyn Fn(&str) -> usize>, Failed> {
                calls.next()?;
                Ok(Box::new(|text| text.len()))
            }

            #[$attribute]
            fn option(calls: &Calls) -> Option<u32> {
                let calls = calls.next().ok()?;
                Some(calls)
            }

            #[$attribute]
            fn boxed_error(calls: &Calls) -> Result<u32, Box<dyn std::error::Error>> {
                calls.next().map_err(|Failed| "failed")?;
                Ok("7".parse()?)
            }

            /// Doc comments, `#[must_use]`, `#[inline]` and `#[cfg]` stay.
            #[$attribute]
            #[must_use = "it counts"]
            #[inline]
            #[cfg(all())]
            pub(crate) fn decorated(calls: &Calls) -> Option<u32> {
                #![allow(unused_must_use, reason = "an inner attribute stays as well")]
                calls.next().ok()
            }

            #[$attribute]
            #[cfg(any())]
            fn compiled_out() -> Nothing {}

            #[$attribute]
            extern "Rust" fn extern_fn(calls: &Calls) -> Result<u32, Failed> {
                calls.next()
            }

            #[$attribute]
            fn recursive(depth: u32, calls: &Calls) -> Result<u32, Failed> {
                if depth == 0 { calls.next() } else { recursive(depth - 1, calls) }
            }

            #[$attribute]
            fn early_return(calls: &Calls) -> Result<u32, Failed> {
                let Ok(calls) = calls.next() else { return Err(Failed) };
                if calls > 0 {
                    return Ok(calls);
                }
                unreachable!()
            }

            #[$attribute]
            fn question_mark_in_macro(calls: &Calls) -> Result<Vec<u32>, Failed> {
                Ok(vec![calls.next()?])
            }

            #[$attribute]
            fn r#raw(r#type: u32, calls: &Calls) -> Result<u32, Failed> {
                calls.next()?;
                Ok(r#type)
            }

            #[test]
            fn free_functions() {
                let calls = Calls::default;
                assert_eq!(borrowed("abc", &calls()), Ok(3));
                assert_eq!(owned("abc".into(), calls()), Ok(3));
                assert_eq!(exclusive(&mut Vec::new(), &calls()), Ok(ENOUGH as usize));
                assert_eq!(
                    destructured((1, [2, 0]), Pair { left: 3, right: 4 }, 0, &calls()),
                    Ok(10)
                );
                assert_eq!(
                    generic(&HashMap::from([("a", 1)]), ["a", "b"], &calls()),
                    Ok([Some(1), None])
                );
                assert_eq!(lifetimes("", "b", &calls()), Ok("b"));
                assert_eq!(impl_trait(0..3, &calls()).map(Iterator::sum), Ok(6));
                assert_eq!(boxed_closure(&calls()).map(|length| length("abc")), Ok(3));
                assert_eq!(option(&calls()), Some(ENOUGH));
                assert_eq!(boxed_error(&calls()).ok(), Some(7));
                assert_eq!(decorated(&calls()), Some(ENOUGH));
                assert_eq!(extern_fn(&calls()), Ok(ENOUGH));
                assert_eq!(recursive(0, &calls()), Ok(ENOUGH));
                assert_eq!(early_return(&calls()), Ok(ENOUGH));
                assert_eq!(question_mark_in_macro(&calls()), Ok(vec![ENOUGH]));
                assert_eq!(raw(5, &calls()), Ok(5));
                let calls = calls();
                assert!(recursive(3, &calls).is_ok());
            }

            // Methods, inherent and of traits, with `impl Trait`, and provided ones.

            #[derive(Clone, Debug, Default)]
            pub(super) struct Client<T> {
                calls: Calls,
                log: Vec<u32>,
                item: T,
            }

            impl<T: Clone + Display> Client<T> {
                #[$attribute]
                fn shared(&self, suffix: &str) -> Result<String, Failed> {
                    self.calls.next()?;
                    Ok(format!("{}{suffix}", self.item))
                }

                #[$attribute]
                fn exclusive(&mut self) -> Result<usize, Failed> {
                    self.log.push(0);
                    self.touch();
                    self.calls.next()?;
                    Ok(self.log.len())
                }

                #[$attribute]
                fn borrows_self(&self) -> Result<&T, Failed> {
                    self.calls.next()?;
                    Ok(&self.item)
                }

                #[$attribute]
                fn associated(calls: &Calls, item: T) -> Result<Self, Failed> {
                    calls.next()?;
                    Ok(Self { calls: calls.clone(), log: Vec::new(), item: item.clone() })
                }

                #[$attribute]
                fn boxed_self(self: Box<Self>) -> Result<usize, Failed> {
                    self.calls.next()?;
                    Ok(self.log.len())
                }

                fn touch(&mut self) {
                    self.log.push(1);
                }
            }

            pub(super) trait Fetch {
                type Item;
                fn fetch(&mut self, id: u32) -> Result<Self::Item, Failed>;
                fn calls(&self) -> &Calls;

                #[$attribute]
                fn provided(&self) -> Result<u32, Failed> {
                    self.calls().next()
                }
            }

            impl<T: Clone> Fetch for Client<T> {
                type Item = (u32, T);

                #[$attribute]
                fn fetch(&mut self, id: u32) -> Result<Self::Item, Failed> {
                    self.log.push(id);
                    self.calls.next()?;
                    Ok((id, self.item.clone()))
                }

                fn calls(&self) -> &Calls {
                    &self.calls
                }
            }

            #[test]
            fn methods() {
                let client = || Client { item: 'x', ..Client::default() };
                assert_eq!(client().shared("y"), Ok("xy".into()));
                assert_eq!(client().exclusive(), Ok(2 * ENOUGH as usize));
                assert_eq!(client().borrows_self(), Ok(&'x'));
                assert_eq!(
                    Client::associated(&Calls::default(), 'z').map(|client| client.item),
                    Ok('z')
                );
                assert_eq!(Box::new(client()).boxed_self(), Ok(0));
                assert_eq!(client().fetch(9), Ok((9, 'x')));
                assert_eq!(client().provided(), Ok(ENOUGH));
            }

            // A macro passes a body on in an invisible group.

            #[rustfmt::skip]
                            macro_rules! make {
                                ($name:ident($arg:ident: $type:ty) -> $returns:ty $body:block) => {
                                    #[$attribute]
                                    fn $name($arg: $type) -> $returns $body
                                };
                            }

            make! { from_macro(calls: &Calls) -> Result<u32, Failed> { calls.next() } }

            #[test]
            fn in_a_macro() {
                assert_eq!(from_macro(&Calls::default()), Ok(ENOUGH));
            }
        }
    };
}
