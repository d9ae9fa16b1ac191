//! `hyper_util::client::legacy::Error`.

use std::error::Error as _;

use hyper_util::client::legacy::Error;
use resilience_core::FailureClass;

use super::connect::connect_error;

pub(super) fn classify(error: &Error) -> Option<FailureClass> {
    error.is_connect().then(|| connect_error(error.source()))
}
