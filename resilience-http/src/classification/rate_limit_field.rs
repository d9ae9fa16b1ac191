//! The `RateLimit` field of the IETF draft: `"default";r=0;t=30`.

use core::time::Duration;

use http::{HeaderMap, HeaderName, header};
use sfv::{BareItem, List, ListEntry, Parser};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Returns the time until every exhausted limit is refilled.
///
/// A malformed field and a cached response (with an `Age` header) count as absent.
pub(crate) fn time_until_reset(headers: &HeaderMap) -> Option<Duration> {
    if headers.contains_key(header::AGE) {
        return None;
    }
    let mut longest = None;
    for line in headers.get_all(RATE_LIMIT) {
        let entries: List = Parser::new(line.as_bytes()).parse().ok()?;
        for entry in &entries {
            let ListEntry::Item(item) = entry else { return None };
            if !matches!(item.bare_item, BareItem::String(_)) {
                return None;
            }
            let left = unsigned(item.params.get("r")?)?;
            let reset = match item.params.get("t") {
                Some(reset) => Some(unsigned(reset)?),
                None => None,
            };
            if left == 0 {
                longest = longest.max(reset);
            }
        }
    }
    longest.map(Duration::from_secs)
}

fn unsigned(value: &BareItem) -> Option<u64> {
    match value {
        BareItem::Integer(number) => u64::try_from(*number).ok(),
        _ => None,
    }
}
