//! Defaults, limits and validation rules of `resilience-rs`: the only place of a default number or
//! time of a key, of a limit of a rule, and of the sentence about a broken rule. A default of the
//! runtime without a key, such as the size of the store in memory, stands beside its use.
//!
//! The macros check literals with these functions, generated code checks constants at compile time,
//! and `validate` methods, such as `RetryPolicy::validate`, check policies built at run time. All
//! rules are `const fn`. There is a module for each attribute.

pub mod bulkhead;
pub mod circuit_breaker;
pub mod duration;
pub mod fallback;
pub mod health;
pub mod hedge;
pub mod hints;
mod idempotency_key;
pub mod idempotency_layer;
pub mod idempotent;
mod invalid;
pub mod keyed;
pub mod name;
mod nearest;
pub mod rate_limit;
pub mod retry;
pub mod settings;
pub mod timeout;

pub use idempotency_key::{KeyError, MAX_IDEMPOTENCY_KEY_LENGTH, idempotency_key};
pub use invalid::{InvalidPolicy, RuleResult};
pub use nearest::nearest;
