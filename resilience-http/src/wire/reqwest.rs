//! The context in requests of `reqwest`.

use http::HeaderMap;

use super::ContextHeaders;

/// Adds the context of the running code to a request of `reqwest`.
pub trait WithContext: Sized {
    /// Sets the headers of [`ContextHeaders::new`]: the time left, the attempt and the priority.
    /// Call this method last: the time left is the time at this call.
    ///
    /// ```
    /// # use resilience::http::WithContext;
    /// # let client = reqwest::Client::new();
    /// use core::time::Duration;
    /// use resilience::context::Context;
    ///
    /// Context::new().deadline(Duration::from_secs(5), "import").run(|| {
    ///     let request = client.get("http://inventory.test/items").with_context().build()?;
    ///     assert!(request.headers().contains_key("x-request-timeout-ms"));
    ///     Ok::<(), reqwest::Error>(())
    /// })?;
    /// # Ok::<(), reqwest::Error>(())
    /// ```
    #[must_use]
    fn with_context(self) -> Self {
        self.with_context_in(&ContextHeaders::new())
    }

    /// Sets the headers with these names.
    #[must_use]
    fn with_context_in(self, names: &ContextHeaders) -> Self;
}

macro_rules! builders {
    ($(#[$feature:meta] $builder:ty),*) => {
        $(
            #[$feature]
            impl WithContext for $builder {
                fn with_context_in(self, names: &ContextHeaders) -> Self {
                    let mut headers = HeaderMap::new();
                    names.write(&mut headers);
                    self.headers(headers)
                }
            }
        )*
    };
}

builders! {
    #[cfg(feature = "reqwest")] reqwest::RequestBuilder,
    #[cfg(feature = "reqwest-blocking")] reqwest::blocking::RequestBuilder,
    #[cfg(feature = "reqwest-012")] reqwest_012::RequestBuilder,
    #[cfg(feature = "reqwest-012-blocking")] reqwest_012::blocking::RequestBuilder
}
