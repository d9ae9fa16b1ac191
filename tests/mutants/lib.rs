//! Empty: the package exists for the tests.
