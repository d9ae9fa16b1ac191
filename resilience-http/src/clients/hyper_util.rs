//! `hyper_util::client::legacy::Error`.

use std::error::Error as _;

use hyper_util::client::legacy::Error;
use resilience_core::FailureClass;

use super::connect::unconnected;

pub(super) fn class(error: &Error) -> Option<FailureClass> {
    error.is_connect().then(|| unconnected(error.source()))
}
