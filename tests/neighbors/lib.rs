//! Attributes beside attributes of other crates: the rows of the table in `docs/ordering.md`. The
//! tests in `tests/` show the places that work. The places below do not compile.
//!
//! `#[cached]` above moves the arguments into the body:
//!
//! ```compile_fail,E0382
//! #[cached::proc_macro::cached(result = true)]
//! #[resilience::retry]
//! async fn load(id: u32, text: String) -> Result<usize, String> {
//!     Ok(text.len() + id as usize)
//! }
//! ```
//!
//! `#[fastrace::trace(enter_on_poll = true)]` above moves the arguments into the body:
//!
//! ```compile_fail,E0382
//! #[fastrace::trace(enter_on_poll = true)]
//! #[resilience::retry]
//! async fn load(text: String) -> Result<usize, String> {
//!     Ok(text.len())
//! }
//! ```
//!
//! `#[async_recursion]` above makes a function that returns a future:
//!
//! ```compile_fail
//! #[async_recursion::async_recursion]
//! #[resilience::retry]
//! async fn load(depth: u32) -> Result<u32, String> {
//!     if depth > 0 { load(depth - 1).await } else { Ok(0) }
//! }
//! ```
//!
//! `#[culpa::throws]` below comes too late: the return type is not fallible yet.
//!
//! ```compile_fail
//! #[resilience::retry]
//! #[culpa::throws(String)]
//! fn load() -> u32 {
//!     7
//! }
//! ```
//!
//! `#[trait_variant::make]` makes a default method a function that returns a future:
//!
//! ```compile_fail
//! #[trait_variant::make(SendApi: Send)]
//! trait Api {
//!     #[resilience::retry]
//!     async fn load(&self, id: u32) -> Result<u32, String> {
//!         Ok(id)
//!     }
//! }
//! ```
//!
//! `#[automock]` copies the attributes of a default method to functions of another shape:
//!
//! ```compile_fail
//! #[mockall::automock]
//! trait Api {
//!     #[resilience::retry]
//!     fn load(&self, id: u32) -> Result<u32, String> {
//!         Ok(id)
//!     }
//! }
//! ```
