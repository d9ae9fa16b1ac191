//! Names of policies.

/// The number of different names made at run time that a process stores.
pub const MAX_NAMES: usize = 10_000;

/// The name of a policy whose name is not stored.
pub const OTHER: &str = "(other)";
