//! See `listing.rs`.
