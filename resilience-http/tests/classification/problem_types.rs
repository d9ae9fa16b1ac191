//! Problem types of the IETF draft for `RateLimit`.

use std::time::Duration;

use http::StatusCode;
use resilience::http::Classifier;
use resilience::{Effect, FailureClass};

use crate::headers;

const REGISTRY: &str = "https://iana.org/assignments/http-problem-types#";
const RULES: Classifier = Classifier::new();

#[test]
fn a_known_type_overrides_the_status() {
    let refused = FailureClass::throttled(None).effect(Effect::Refused);
    for (problem, status, expected) in [
        ("quota-exceeded", 429, refused),
        ("temporary-reduced-capacity", 503, refused),
        ("abnormal-usage-detected", 429, FailureClass::permanent().effect(Effect::Refused)),
        ("another", 503, FailureClass::transient()),
        ("another", 400, FailureClass::permanent()),
    ] {
        let status = StatusCode::from_u16(status).expect("a status");
        let class = RULES.problem(&format!("{REGISTRY}{problem}"), status, &headers(&[]));
        assert_eq!(class, expected, "{problem}");
    }
    let capacity = StatusCode::SERVICE_UNAVAILABLE;
    for elsewhere in ["about:blank", "", "quota-exceeded", "https://shop.example/quota-exceeded"] {
        assert_eq!(RULES.problem(elsewhere, capacity, &headers(&[])), FailureClass::transient());
    }
}

#[test]
fn headers_set_the_delay_and_can_forbid_a_retry() {
    let problem = format!("{REGISTRY}temporary-reduced-capacity");
    let of = |rules: Classifier, pairs| {
        rules.problem(&problem, StatusCode::SERVICE_UNAVAILABLE, &headers(pairs))
    };
    let class = of(RULES, &[("retry-after", "40"), ("ratelimit", r#""default";r=0;t=7"#)]);
    assert_eq!(class.after, Some(Duration::from_secs(40)));
    let class = of(RULES, &[("ratelimit", r#""default";r=0;t=7"#)]);
    assert_eq!(class.after, Some(Duration::from_secs(7)));
    let clamped = RULES.clamp_retry_after(Duration::from_secs(5));
    let class = of(clamped, &[("retry-after", "40")]);
    assert_eq!(class.after, Some(Duration::from_secs(5)));
    assert_eq!(of(RULES, &[("x-should-retry", "false")]), FailureClass::permanent());
}
