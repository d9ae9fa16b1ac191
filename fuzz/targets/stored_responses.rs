//! Stored responses: no bytes make the reader panic, and a response that was read is written as the same bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../resilience-http/src/idempotent/record.rs"]
#[allow(dead_code, reason = "the target only reads and writes")]
mod record;

fuzz_target!(|bytes: &[u8]| {
    match record::read_record(bytes.to_vec()) {
        Some(Ok(response)) => {
            let again = record::read_record(response.write()).expect("what was written").expect("a response");
            assert_eq!(again.status, response.status);
            assert_eq!(again.headers, response.headers);
            assert_eq!(again.body, response.body);
            assert_eq!(again.trailers, response.trailers);
        }
        Some(Err(reason)) => assert_eq!(reason.write(), bytes),
        None => {}
    }
});
