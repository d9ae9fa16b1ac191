//! Shapes of async functions. Their futures are `Send` if the plain futures are `Send`.

macro_rules! async_shapes {
    (#[$attribute:meta], $failures:expr) => {
        mod async_shapes {
            #[derive(Debug, PartialEq, Eq)]
            pub(super) struct Failed;

            const ENOUGH: u32 = $failures + 1;

            #[allow(unused_imports, reason = "not in the prelude of edition 2021")]
            use std::future::Future;
            use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

            #[derive(Debug, Default)]
            pub(super) struct Calls(AtomicU32);

            impl Calls {
                async fn next(&self) -> Result<u32, Failed> {
                    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                    let calls = self.0.fetch_add(1, Relaxed) + 1;
                    if calls <= $failures { Err(Failed) } else { Ok(calls) }
                }
            }

            const fn sends<T: Send>(future: T) -> T {
                future
            }

            #[$attribute]
            async fn borrowed(text: &str, calls: &Calls) -> Result<usize, Failed> {
                calls.next().await?;
                Ok(text.len())
            }

            #[$attribute]
            async fn owned(text: String, calls: &Calls) -> Result<usize, Failed> {
                calls.next().await?;
                Ok(text.len())
            }

            #[$attribute]
            async fn exclusive(log: &mut Vec<u32>, calls: &Calls) -> Result<usize, Failed> {
                log.push(0);
                calls.next().await?;
                Ok(log.len())
            }

            #[$attribute]
            async fn destructured((a, b): (u32, String), calls: &Calls) -> Result<u32, Failed> {
                calls.next().await?;
                Ok(a + b.parse::<u32>().map_err(|_| Failed)?)
            }

            #[$attribute]
            async fn generic<T, const N: usize>(items: [T; N], calls: &Calls) -> Result<T, Failed>
            where
                T: Clone + Send + Sync,
            {
                calls.next().await?;
                items.first().cloned().ok_or(Failed)
            }

            #[$attribute]
            async fn lifetimes<'a>(
                first: &'a str,
                _second: &str,
                calls: &Calls,
            ) -> Result<&'a str, Failed> {
                calls.next().await?;
                Ok(first)
            }

            #[$attribute]
            async fn impl_trait(
                items: impl Iterator<Item = u32> + Clone + Send + Sync,
                calls: &Calls,
            ) -> Result<impl Iterator<Item = u32> + Send, Failed> {
                calls.next().await?;
                Ok(items.clone().map(|item| item + 1))
            }

            #[$attribute]
            async fn boxed_closure(
                calls: &Calls,
            ) -> Result<Box<dyn Fn(&str) -> usize + Send>, Failed> {
                calls.next().await?;
                Ok(Box::new(|text| text.len()))
            }

            #[$attribute]
            async fn option(calls: &Calls) -> Option<u32> {
                let calls = calls.next().await.ok()?;
                Some(calls)
            }

            #[$attribute]
            async fn early_return(calls: &Calls) -> Result<u32, Failed> {
                let Ok(calls) = calls.next().await else { return Err(Failed) };
                if calls > 0 {
                    return Ok(calls);
                }
                unreachable!()
            }

            #[$attribute]
            async fn question_mark_in_macro(calls: &Calls) -> Result<Vec<u32>, Failed> {
                Ok(vec![calls.next().await?])
            }

            #[$attribute]
            async fn recursive(depth: u32, calls: &Calls) -> Result<u32, Failed> {
                if depth == 0 {
                    return calls.next().await;
                }
                Box::pin(recursive(depth - 1, calls)).await
            }

            #[derive(Debug, Default)]
            pub(super) struct Client {
                calls: Calls,
                log: Vec<u32>,
            }

            impl Client {
                #[$attribute]
                async fn shared(&self, text: &str) -> Result<String, Failed> {
                    self.calls.next().await?;
                    Ok(text.into())
                }

                #[$attribute]
                async fn exclusive(&mut self, text: String) -> Result<usize, Failed> {
                    self.log.push(0);
                    self.calls.next().await?;
                    Ok(self.log.len() + text.len())
                }

                #[$attribute]
                async fn borrows_self(&self) -> Result<&Calls, Failed> {
                    self.calls.next().await?;
                    Ok(&self.calls)
                }
            }

            pub(super) trait Fetch {
                async fn fetch(&mut self, id: u32) -> Result<u32, Failed>;
                fn promised(
                    &mut self,
                    text: String,
                ) -> impl Future<Output = Result<usize, Failed>> + Send;
            }

            impl Fetch for Client {
                #[$attribute]
                async fn fetch(&mut self, id: u32) -> Result<u32, Failed> {
                    self.log.push(id);
                    self.calls.next().await?;
                    Ok(id)
                }

                #[$attribute]
                async fn promised(&mut self, text: String) -> Result<usize, Failed> {
                    self.log.push(0);
                    self.calls.next().await?;
                    Ok(text.len())
                }
            }

            #[async_trait::async_trait]
            pub(super) trait Boxed {
                async fn shared(&self, text: &str) -> Result<usize, Failed>;
                async fn exclusive(
                    &mut self,
                    text: String,
                    (a, b): (u32, u32),
                ) -> Result<u32, Failed>;
                fn calls(&self) -> &Calls;

                #[$attribute]
                async fn provided(&self) -> Option<u32>
                where
                    Self: Sync,
                {
                    self.calls().next().await.ok()
                }
            }

            #[async_trait::async_trait]
            impl Boxed for Client {
                #[$attribute]
                async fn shared(&self, text: &str) -> Result<usize, Failed> {
                    self.calls.next().await?;
                    Ok(text.len())
                }

                #[$attribute]
                async fn exclusive(
                    &mut self,
                    text: String,
                    (a, b): (u32, u32),
                ) -> Result<u32, Failed> {
                    self.log.push(0);
                    if self.calls.next().await.is_err() {
                        return Err(Failed);
                    }
                    Ok(a + b + u32::try_from(text.len()).map_err(|_| Failed)?)
                }

                fn calls(&self) -> &Calls {
                    &self.calls
                }
            }

            #[tokio::test(start_paused = true)]
            async fn free_functions() {
                let calls = Calls::default;
                assert_eq!(sends(borrowed("abc", &calls())).await, Ok(3));
                assert_eq!(sends(owned("abc".into(), &calls())).await, Ok(3));
                assert_eq!(sends(exclusive(&mut Vec::new(), &calls())).await, Ok(ENOUGH as usize));
                assert_eq!(sends(destructured((1, "2".into()), &calls())).await, Ok(3));
                assert_eq!(sends(generic(["a", "b"], &calls())).await, Ok("a"));
                assert_eq!(sends(lifetimes("a", "b", &calls())).await, Ok("a"));
                assert_eq!(sends(impl_trait(0..3, &calls())).await.map(Iterator::sum), Ok(6));
                assert_eq!(sends(boxed_closure(&calls())).await.map(|length| length("abc")), Ok(3));
                assert_eq!(sends(option(&calls())).await, Some(ENOUGH));
                assert_eq!(sends(early_return(&calls())).await, Ok(ENOUGH));
                assert_eq!(sends(question_mark_in_macro(&calls())).await, Ok(vec![ENOUGH]));
                assert_eq!(sends(recursive(0, &calls())).await, Ok(ENOUGH));
            }

            #[tokio::test(start_paused = true)]
            async fn methods() {
                let client = Client::default;
                let enough = ENOUGH as usize;
                assert_eq!(sends(client().shared("a")).await, Ok("a".into()));
                assert_eq!(sends(client().exclusive("a".into())).await, Ok(enough + 1));
                assert!(sends(client().borrows_self()).await.is_ok());
                assert_eq!(sends(Fetch::fetch(&mut client(), 9)).await, Ok(9));
                assert_eq!(sends(client().promised("abc".into())).await, Ok(3));
                assert_eq!(sends(Boxed::shared(&client(), "abc")).await, Ok(3));
                assert_eq!(
                    sends(Boxed::exclusive(&mut client(), "abc".into(), (1, 2))).await,
                    Ok(6)
                );
                assert_eq!(sends(client().provided()).await, Some(ENOUGH));
            }
        }
    };
}

/// An error type without `Send` in a future with `Send`, for attributes that drop the outcome
/// before an `await`.
macro_rules! local_errors {
    (#[$attribute:meta]) => {
        mod local_errors {
            #[derive(Debug, PartialEq)]
            struct Local(std::rc::Rc<str>);

            #[$attribute]
            async fn error_not_send(fails: bool) -> Result<u32, Local> {
                tokio::task::yield_now().await;
                if fails { Err(Local("failed".into())) } else { Ok(7) }
            }

            #[tokio::test(start_paused = true)]
            async fn errors_without_send_allow_a_future_with_send() {
                const fn sends<T: Send>(future: T) -> T {
                    future
                }

                assert_eq!(sends(error_not_send(false)).await, Ok(7));
                assert_eq!(sends(error_not_send(true)).await, Err(Local("failed".into())));
            }
        }
    };
}
