//! Errors of the layers of `tower`.

use std::error::Error;

use resilience_core::__internal::downcast;
use resilience_core::{Classify, FailureClass, Rejected, RejectedKind};
use tower::load_shed::error::Overloaded;

/// Returns the class of a call that `load_shed` rejected: the service did not see the call.
pub(super) fn classify(error: &(dyn Error + 'static)) -> Option<FailureClass> {
    downcast::<Overloaded>(error)?;
    Some(Rejected::new(RejectedKind::BulkheadFull, "load_shed", None).classify())
}
