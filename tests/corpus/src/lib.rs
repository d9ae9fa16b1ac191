//! Empty: the package exists for the test.

use {async_trait as _, resilience as _};
