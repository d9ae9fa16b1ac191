//! What HTTP means for a retry.
