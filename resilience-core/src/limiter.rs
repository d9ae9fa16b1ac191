//! The common methods of bulkhead and rate limiter.

/// Adds `name`, `at`, `key_label`, `run` and `run_async` to a limiter with the fields `name` and
/// `key`, and with the methods `acquire` and `acquire_blocking`.
///
/// The fields may be part of a field `$part`, with a method of the same name, whose type is a
/// parameter `$place` of the limiter.
macro_rules! limiter {
    ($limiter:ident, $kind:ident $(, $part:ident, $place:ident: $bound:ident)?) => {
        impl $limiter {
            /// Sets the name in rejections. Default: the name of the attribute.
            pub const fn name(mut self, name: &'static str) -> Self {
                self$(.$part)?.name = Some(name);
                self
            }

            /// Sets a name made at run time. The process stores each different name once and
            /// never frees the name, at most 10 000 names; further names become `"(other)"`. For
            /// names from a configuration, not for names from requests: use
            /// [`key_label`](Self::key_label) for these.
            pub fn named(self, name: impl AsRef<str>) -> Self {
                self.name($crate::name::intern(name.as_ref()))
            }

            /// Sets the name of the annotated function, unless a name is set, and the number of
            /// layers outside.
            #[doc(hidden)]
            pub const fn at(mut self, name: &'static str, depth: u8) -> Self {
                self$(.$part)?.figures.depth = depth;
                self$(.$part)?.settings.is_annotated = true;
                if self$(.$part)?.name.is_none() {
                    self$(.$part)?.name = Some(name);
                }
                self
            }

            /// Gives the registry access to the policy of an annotated function.
            #[doc(hidden)]
            pub const fn in_static(mut self, itself: $crate::registry::Itself) -> Self {
                self$(.$part)?.figures.itself = Some(itself);
                self
            }

            /// Sets the label of the key in rejections and events, for a policy that serves one
            /// key. A label longer than 64 bytes is cut. Default: no label.
            pub fn key_label(mut self, label: impl core::fmt::Display) -> Self {
                self$(.$part)?.key = Some($crate::keyed::KeyLabel::new(label));
                self
            }
        }

        impl$(<$place: $bound>)? $limiter$(<$place>)? {
            fn name_or_default(&self) -> &'static str {
                self$(.$part())?.name.unwrap_or($crate::registry::PolicyKind::$kind.as_str())
            }

            /// Returns a rejection with the name and the key of this policy.
            fn rejection(
                &self,
                kind: $crate::rejected::RejectedKind,
                retry_after: Option<core::time::Duration>,
            ) -> $crate::Rejected {
                let name = self.name_or_default();
                $crate::Rejected::by_policy(kind, name, retry_after, self$(.$part())?.key.as_ref())
            }

            /// Counts and returns the rejection of a call after its deadline.
            fn overdue(&self) -> Option<$crate::Rejected> {
                let name = self.name_or_default();
                let rejected = $crate::context::overdue(name, self$(.$part())?.key.as_ref())?;
                $crate::registry::policy::count_overdue(self);
                Some(rejected)
            }

            /// Runs `body` under a permit. Waiting for the permit
            /// [blocks](Self::acquire_blocking) the thread. A rejection becomes the outcome.
            pub fn run<O, By>(&self, body: impl FnOnce() -> O) -> O
            where
                O: $crate::Outcome<Err: $crate::FromRejected<By>>,
            {
                match self.acquire_blocking() {
                    Ok(_permit) => body(),
                    Err(rejected) => $crate::rejected::reject(rejected),
                }
            }

            /// Awaits `body` under a permit, after [waiting](Self::acquire) for the permit. A
            /// rejection becomes the outcome.
            pub async fn run_async<O, By>(&self, body: impl Future<Output = O>) -> O
            where
                O: $crate::Outcome<Err: $crate::FromRejected<By>>,
            {
                match self.acquire().await {
                    Ok(_permit) => body.await,
                    Err(rejected) => $crate::rejected::reject(rejected),
                }
            }
        }

        impl$(<$place: $bound>)? AsRef<Self> for $limiter$(<$place>)? {
            fn as_ref(&self) -> &Self {
                self
            }
        }
    };
}
pub(crate) use limiter;
