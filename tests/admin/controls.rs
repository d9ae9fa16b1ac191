//! The commands of the page by requests: all policies, states, keys and settings.

use std::sync::PoisonError;
use std::time::Duration;

use axum::http::StatusCode;
use reqwest::blocking::Client;
use resilience::{
    CircuitBreaker, CircuitState, Keyed, RateLimiter, Rejected, circuit_breaker, control, register,
};
use serde_json::{Value, json};

use crate::routes::{command, data, get, send};
use crate::{LISTS, controlled, every, serve_guarded, state_of};

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn a_breaker_is_forced_with_an_expiry_and_released() {
    controlled!(changed, "controls::changed");
    let address = serve_guarded();
    for (action, time, state) in [
        ("force_open", Value::Null, "forced open"),
        ("force_open", json!("10m"), "forced open"),
        ("force_closed", json!("10m"), "disabled"),
        ("release", Value::Null, "closed"),
        ("force_closed", Value::Null, "disabled"),
        ("reset", Value::Null, "closed"),
    ] {
        let body = json!({ "action": action, "name": "controls::changed", "for": time });
        let response = command(address, "ann", &body).send().expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        let answer: Value = response.json().expect("JSON");
        assert_eq!(answer, json!({ "reached": 1, "unreachable": [] }));
        assert_eq!(state_of("controls::changed"), state);
    }
    let body = json!({ "action": "force_open", "name": "controls::changed", "for": "10m" });
    assert_eq!(send(command(address, "ann", &body)).0, 200);
    let rejected = changed().expect_err("forced open");
    assert!(rejected.retry_after().is_some_and(|time| time > Duration::from_secs(590)));
}

#[test]
fn a_rate_limiter_is_drained_and_reset() {
    static LIMITER: RateLimiter = RateLimiter::new(5, HOUR).name("controls::limiter");
    register(&LIMITER);
    let address = serve_guarded();
    let act = |action| {
        let body = json!({ "action": action, "name": "controls::limiter", "kind": "rate_limit" });
        assert_eq!(send(command(address, "ann", &body)), (200, String::new()));
    };
    act("drain");
    assert!(LIMITER.try_acquire().is_err());
    act("reset");
    assert!(LIMITER.try_acquire().is_ok());
}

#[test]
fn policies_are_switched_off_and_put_in_shadow_mode_by_pattern() {
    static BREAKER: CircuitBreaker =
        CircuitBreaker::new().failure_threshold(1).name("controls::switched::breaker");
    static LIMITER: RateLimiter = RateLimiter::new(1, HOUR).name("controls::switched::limiter");
    register(&BREAKER);
    register(&LIMITER);
    BREAKER.trip();
    assert!(LIMITER.try_acquire().is_ok());
    let address = serve_guarded();
    let are_admitted = || (BREAKER.try_acquire().is_ok(), LIMITER.try_acquire().is_ok());
    for (action, expected) in
        [("shadow", true), ("unshadow", false), ("disable", true), ("enable", false)]
    {
        let body = json!({ "action": action, "name": "controls::switched::*" });
        assert_eq!(send(command(address, "ann", &body)), (200, String::new()));
        assert_eq!(are_admitted(), (expected, expected), "{action}");
    }
}

#[test]
fn a_key_is_controlled_and_looked_up_alone() {
    static HOSTS: Keyed<CircuitBreaker> =
        Keyed::new(20, || CircuitBreaker::new().name("controls::hosts"));
    register(&HOSTS);
    let host = |name: &str| HOSTS.get_with(name, |breaker| breaker.key_label(name));
    let (first, second) = (host("a&b=c"), host("d"));
    let address = serve_guarded();
    let body = json!({ "action": "force_open", "name": "controls::hosts", "key": "a&b=c" });
    assert_eq!(send(command(address, "ann", &body)), (200, String::new()));
    assert_eq!((first.state(), second.state()), (CircuitState::ForcedOpen, CircuitState::Closed));
    let rejected = first.try_acquire().map(drop);
    assert!(rejected.is_err());
    let key = data(address, "/key?name=controls::hosts&kind=circuit_breaker&key=a%26b%3Dc");
    assert_eq!(
        (&key["key"], &key["state"], &key["rejected"]),
        (&json!("a&b=c"), &json!("forced-open"), &json!(1))
    );
    for query in [
        "name=controls::hosts&kind=circuit_breaker&key=unknown",
        "name=controls::hosts&kind=rate_limit&key=d",
        "name=controls::other&kind=circuit_breaker&key=d",
    ] {
        let response = get(address, &format!("/key?{query}"));
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{query}");
    }
    let wrong = get(address, "/key?name=controls::hosts&kind=explosion&key=d");
    assert_eq!(wrong.status(), StatusCode::BAD_REQUEST);
}

/// Returns the value and the origin of a setting.
fn reported(address: std::net::SocketAddr, name: &str, kind: &str, key: &str) -> (String, String) {
    let policies = data(address, "/policies");
    let mut policies = policies.as_array().expect("a list").iter();
    let policy = policies.find(|it| it["name"] == name && it["kind"] == kind).expect("listed");
    let settings = policy["settings"].as_array().expect("a list");
    let setting = settings.iter().find(|it| it["name"] == key);
    let text =
        |field| setting.and_then(|setting| setting[field].as_str()).unwrap_or_default().to_owned();
    (text("value"), text("origin"))
}

#[test]
fn every_setting_that_the_page_offers_is_changed_and_taken_back() {
    let _lists = LISTS.write().unwrap_or_else(PoisonError::into_inner);
    every::list();
    let address = serve_guarded();
    let values = every::valid_values();
    let offered = data(address, "/settings");
    let mut seen = 0;
    for (kind, keys) in offered["keys"].as_object().expect("a table") {
        for key in keys.as_array().expect("a list") {
            let name = key["name"].as_str().expect("a name");
            let path = format!("{kind}.{name}");
            let value = values.get(path.as_str()).unwrap_or_else(|| panic!("no value of {path}"));
            let policy = every::policy(&path);
            let before = reported(address, policy, kind, name);
            let set = json!({
                "action": "set", "name": policy, "kind": kind, "setting": path, "value": value,
            });
            assert_eq!(send(command(address, "ann", &set)), (200, String::new()), "{path}");
            let live = ((*value).to_owned(), "live".to_owned());
            assert_eq!(reported(address, policy, kind, name), live, "{path}");
            let unset = json!({ "action": "unset", "name": policy, "setting": path });
            assert_eq!(send(command(address, "ann", &unset)), (200, String::new()), "{path}");
            assert_eq!(reported(address, policy, kind, name), before, "{path}");
            seen += 1;
        }
    }
    assert_eq!(seen, values.len());
}

#[test]
fn a_wrong_value_is_refused_with_the_message_of_the_rules() {
    every::list();
    let address = serve_guarded();
    for (setting, value) in [
        ("retry.attempts", "0"),
        ("retry.attempts", "many"),
        ("retry.atempts", "3"),
        ("retyr.attempts", "3"),
        ("retry.base_delay", "5"),
        ("retry.base_delay", "2m"),
        ("circuit_breaker.failure_rate", "1.5"),
        ("bulkhead.max", "-1"),
        ("rate_limit.per", "0ms"),
        ("timeout.limit", "0s"),
        ("idempotent.ttl", "1h"),
        ("attempts", "3"),
    ] {
        let expected = control(every::NAME).set(setting, value).expect_err("a mistake").to_string();
        let body =
            json!({ "action": "set", "name": every::NAME, "setting": setting, "value": value });
        assert_eq!(send(command(address, "ann", &body)), (400, expected), "{setting} = {value}");
    }
}

#[test]
fn a_change_before_the_first_call_is_pending_and_has_an_author() {
    let _lists = LISTS.read().unwrap_or_else(PoisonError::into_inner);
    let address = serve_guarded();
    let body = json!({
        "action": "set", "name": "controls::later", "setting": "retry.attempts", "value": "4",
    });
    let response = command(address, "ann\n", &body).send();
    assert!(response.is_err(), "a header has no line breaks");
    let answer = command(address, "<b>ann", &body).send().expect("an answer");
    let answer: Value = answer.json().expect("JSON");
    assert_eq!(answer["reached"], 0);
    let settings = data(address, "/settings");
    let pending = settings["pending"].as_array().expect("a list");
    let pending = pending.iter().find(|it| it["target"] == "controls::later").expect("pending");
    assert_eq!(
        (&pending["kind"], &pending["change"], &pending["origin"]),
        (&json!("retry"), &json!("attempts = 4"), &json!("live"))
    );
    let history = settings["history"].as_array().expect("a list");
    let change = history.iter().find(|it| it["target"] == "controls::later").expect("kept");
    assert_eq!(
        (&change["by"], &change["change"], &change["reached"]),
        (&json!("<b>ann"), &json!("retry.attempts = 4"), &json!(0))
    );
    assert!(change["at"]["secs_since_epoch"].as_u64() > Some(1_700_000_000), "{change}");
}

#[test]
fn a_policy_by_hand_without_registration_is_named_in_the_refusal() {
    let hand = CircuitBreaker::new().failure_threshold(1).name("controls::hand");
    hand.try_acquire().expect("closed").failure();
    let body = json!({ "action": "release", "name": "controls::hand" });
    let (status, reason) = send(command(serve_guarded(), "ann", &body));
    assert_eq!(status, 400);
    assert!(reason.contains("`controls::hand` cannot be reached: pass"), "{reason}");
}

#[test]
fn a_wrong_command_is_refused_with_the_reason() {
    controlled!(wrong, "controls::wrong");
    let address = serve_guarded();
    let refused = |mut body: Value| {
        if let Value::Object(fields) = &mut body {
            fields.entry("name").or_insert_with(|| json!("controls::wrong"));
        }
        let (status, reason) = send(command(address, "ann", &body));
        assert_eq!(status, 400, "{body}");
        assert!(!reason.is_empty() && reason.len() < 400, "a reason of {} bytes", reason.len());
        reason
    };
    for (body, part) in [
        (json!({ "action": "explode" }), "unknown variant `explode`"),
        (json!({}), "missing field `action`"),
        (json!({ "action": "reset", "extra": 1 }), "unknown field `extra`"),
        (json!({ "action": "reset", "kind": "fuse" }), "unknown variant `fuse`"),
        (json!({ "action": "reset", "for": "1m" }), "`reset` takes no time"),
        (json!({ "action": "reset", "value": "1" }), "`set` takes `setting` and `value`"),
        (json!({ "action": "set", "setting": "retry.attempts" }), "`set` takes `setting`"),
        (json!({ "action": "disable", "for": "1m" }), "the other actions take none"),
        (json!({ "action": "force_open", "for": "soon" }), "`for`: "),
        (json!({ "action": "force_open", "for": "0s" }), "is zero"),
        (json!({ "action": "drain" }), "`drain` is for rate limiters"),
        (json!({ "action": "disable", "key": "a" }), "settings have no keys"),
        (json!({ "action": "reset", "name": "" }), "is empty"),
        (json!({ "action": "reset", "name": "x".repeat(10_000) }), "longer than 512 bytes"),
        (json!({ "action": "unset", "setting": "retry.attempts" }), "has no live value"),
        (json!("text"), "invalid type"),
    ] {
        let reason = refused(body);
        assert!(reason.contains(part), "{reason}");
    }
    for body in ["", "{", "[]"] {
        let request = command(address, "ann", &Value::Null).body(body);
        assert_eq!(send(request).0, 400, "{body}");
    }
    let huge = json!({ "action": "reset", "name": "x".repeat(3_000_000) });
    let huge = command(address, "ann", &huge).send().expect("an answer");
    assert_eq!(huge.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let read = Client::new().get(format!("http://{address}/admin/control")).send();
    assert_eq!(read.expect("an answer").status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(state_of("controls::wrong"), "closed");
}
