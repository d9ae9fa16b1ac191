//! Shapes of async functions without exclusive arguments, for an attribute that lends the arguments
//! to several attempts at once.

macro_rules! shared_shapes {
    (#[$attribute:meta], $failures:expr) => {
        mod shared_shapes {
            use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

            #[derive(Debug, PartialEq, Eq)]
            pub(super) struct Failed;

            const ENOUGH: u32 = $failures + 1;

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

            #[derive(Debug, Default)]
            pub(super) struct Client {
                calls: Calls,
            }

            impl Client {
                #[$attribute]
                async fn method(&self, text: &str) -> Result<usize, Failed> {
                    self.calls.next().await?;
                    Ok(text.len())
                }
            }

            #[async_trait::async_trait]
            trait Boxed {
                async fn fetch(&self, id: u32) -> Result<u32, Failed>;
            }

            #[async_trait::async_trait]
            impl Boxed for Client {
                #[$attribute]
                async fn fetch(&self, id: u32) -> Result<u32, Failed> {
                    self.calls.next().await?;
                    Ok(id)
                }
            }

            #[tokio::test(start_paused = true)]
            async fn every_shape_works_and_is_send() {
                let calls = Calls::default;
                assert_eq!(sends(borrowed("abc", &calls())).await, Ok(3));
                assert_eq!(sends(owned("abc".into(), &calls())).await, Ok(3));
                assert_eq!(sends(destructured((1, "2".into()), &calls())).await, Ok(3));
                assert_eq!(sends(generic([7, 8], &calls())).await, Ok(7));
                assert_eq!(sends(lifetimes("a", "b", &calls())).await, Ok("a"));
                let counted = calls();
                let items = sends(impl_trait([1, 2].into_iter(), &counted)).await;
                assert_eq!(items.map(Iterator::collect), Ok(vec![2, 3]));
                assert_eq!(sends(option(&calls())).await, Some(ENOUGH));
                assert_eq!(sends(early_return(&calls())).await, Ok(ENOUGH));
                assert_eq!(sends(Client::default().method("abc")).await, Ok(3));
                assert_eq!(sends(Client::default().fetch(9)).await, Ok(9));
            }
        }
    };
}
