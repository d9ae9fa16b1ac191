// Under another path, as a macro of one's own would use it; and a clean caller.
#![deny(warnings)]

mod exports {
    pub use resilience;
}

#[derive(Debug, resilience::Classify)]
#[classify(crate = crate::exports::resilience)]
pub enum ApiError {
    #[transient]
    Down,
    #[permanent]
    NotFound,
}

fn main() {
    use resilience::Classify;
    assert_ne!(ApiError::Down.classify(), ApiError::NotFound.classify());
}
