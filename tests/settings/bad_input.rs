//! Bad settings: each is a clear error, and changes nothing.

use std::time::Duration;

use proptest::prelude::*;
use resilience::{
    Bulkhead, CircuitBreaker, RateLimiter, RetryPolicy, SettingOrigin, control,
    load_environment_from, load_settings_json, load_settings_toml, retry, testing,
};

use crate::{alone, reported};

fn toml(text: &str) -> String {
    load_settings_toml("a.toml", text).unwrap_err().to_string()
}

fn json(text: &str) -> String {
    load_settings_json("a.json", text).unwrap_err().to_string()
}

/// The same rule checks the names of attributes, at compile time.
#[test]
fn a_name_that_no_setting_could_use_is_a_mistake_of_a_policy() {
    for (name, reason) in [("", "`name` is empty"), ("a::*", "pattern"), ("a\nb", "control")] {
        let results = [
            RetryPolicy::new().name(name).validate(),
            CircuitBreaker::new().name(name).validate(),
            Bulkhead::new(1).name(name).validate(),
            RateLimiter::new(1, Duration::from_secs(1)).name(name).validate(),
        ];
        for result in results {
            let mistake = result.expect_err("a mistake").to_string();
            assert!(mistake.contains(reason), "{mistake}");
        }
    }
    assert!(RetryPolicy::new().name("payments::charge").validate().is_ok());
}

#[test]
fn mistakes_have_their_line_and_the_fix() {
    let _alone = alone();
    let head = "['bad::x'.retry]\n";
    for (line, message) in [
        ("attempt = 2", "`retry` has no setting `attempt`; did you mean `attempts`?"),
        ("Attempts = 2", "`retry` has no setting `Attempts`; did you mean `attempts`?"),
        ("max_attempts = 5", "no setting `max_attempts`; write `attempts = 5` (total calls, "),
        ("maxAttempts = 5", "no setting `maxAttempts`; write `attempts = 5` (total calls, "),
        ("max_retries = 5", "no setting `max_retries`; write `attempts = 6` (total calls, "),
        ("wait-duration = '2s'", "no setting `wait-duration`; write `base_delay = \"2s\"` ("),
        ("attempts = 0", "`retry.attempts` is 0: `attempts` must be at least 1"),
        ("attempts = -1", "`retry.attempts`: expected a whole number from 0 to 4294967295"),
        ("attempts = 99999999999", "expected a whole number from 0 to 4294967295"),
        ("attempts = 0xffffffffffffffffffffffffffffffffffff", "a number that is too large"),
        ("attempts = [1]", "not a list"),
        ("attempts = 2026-01-01", "not a date"),
        ("factor = nan", "`factor` must be a finite number of at least 1"),
        ("factor = inf", "`factor` must be a finite number of at least 1"),
        ("jitter = -0.5", "a jitter ratio must be between 0 and 1"),
        ("base_delay = '5'", "missing unit: write `\"5ms\"` or `\"5s\"`"),
        ("base_delay = '5 sec'", "unknown unit `sec`; write `\"5s\"`"),
        ("base_delay = '1,5s'", "; write `\"1.5s\"`"),
        ("base_delay = '-5s'", "expected a time like \"200ms\""),
        ("base_delay = '99999999999999999999999d'", "is too long for a duration"),
        ("deadline = '0s'", "`deadline` is zero"),
        ("budget = 0.2", "`retry.budget` cannot change at run time"),
        ("idempotent = false", "`retry.idempotent` cannot change at run time"),
    ] {
        let error = toml(&format!("{head}{line}\n"));
        assert!(error.starts_with("a.toml:2: "), "{line}: {error}");
        assert!(error.contains(message), "{line}: {error}");
    }
    for (text, message) in [
        ("x = 1", "a.toml:1: `x` is no table"),
        ("\n[x]\nretry = 1", "a.toml:3: `retry` is no table"),
        ("[x.retyr]", "a.toml:1: there is no attribute `retyr`; did you mean `retry`?"),
        ("[x.rateLimiter]", "there is no attribute `rateLimiter`; write `rate_limit`"),
        ("[x.circuitBreaker]", "`circuitBreaker`; did you mean `circuit_breaker`?"),
        (
            "[x.circuit_breaker]\nslidingWindowSize = 100",
            "no setting `slidingWindowSize`; write `window = 100` (",
        ),
        ("[x.fallback]\nvalue = 1", "a.toml:2: `fallback.value` cannot change at run time"),
        ("[''.retry]\nattempts = 2", "a.toml:2: the name of a policy is empty"),
        ("[x.retry]\nattempts = 2\nattempts = 3", "a.toml:3: "),
        ("[x.retry]\nattempts = ", "a.toml:2: "),
        ("[x.retry]\nattempts = \n\n", "a.toml:2: "),
        ("[x.retry", "a.toml:1: "),
        ("[x.retry]\nattempts = 2\n[X.retry]\nattempts = 3", "differ only in case"),
    ] {
        let error = toml(text);
        assert!(error.contains(message), "{text}: {error}");
    }
}

#[test]
fn json_mistakes_have_their_line() {
    let _alone = alone();
    for (text, message) in [
        ("{\n \"x\": {\"retry\": {\n\"attempts\": 0\n}}}", "a.json:3: `retry.attempts` is 0"),
        ("{\n \"x\": {\"retry\": {\"attempts\": 2,\n\"factor\": 0.5}}}", "a.json:3: "),
        ("{\n\"x\": {\"retry\": {\"attempts\": null}}}", "a.json:2: "),
        ("{\n\"x\": {\"retry\": {\"attempts\": -1}}}", "expected a whole number from 0"),
        ("{\n\"x\": 7}", "a.json:2: `x` is no object"),
        ("[]", "a.json:1: the file is no object"),
        ("7", "a.json:1: the file is no object"),
        ("{\"x\": {\"retry\": {\"attempts\": 2}}", "a.json:1: "),
        ("{\"x\": {}, \n\"x\": {}}", "a.json:2: duplicate key `x`"),
        ("", "a.json:1: "),
        ("{} {}", "a.json:1: "),
    ] {
        let error = json(text);
        assert!(error.contains(message), "{text}: {error}");
    }
    let deep = "{\"a\":".repeat(10_000);
    assert!(json(&deep).contains("a.json:1: "));
    let deep = format!("a = {}", "[".repeat(100_000));
    assert!(toml(&deep).contains("a.toml:1: "));
}

#[test]
fn variables_are_named_in_their_mistakes() {
    let _alone = alone();
    let error = |name: &str, value: &str| load_environment_from([(name, value)]).unwrap_err();
    let message = error("RESILIENCE__X__RETRY__ATTEMPT", "2").to_string();
    let expected = "RESILIENCE__X__RETRY__ATTEMPT: `retry` has no setting `attempt`; did you mean \
                    `attempts`?";
    assert_eq!(message, expected);
    let message = error("RESILIENCE__X__RETRY__MAX_ATTEMPTS", "5").to_string();
    let expected = "RESILIENCE__X__RETRY__MAX_ATTEMPTS: `retry` has no setting `max_attempts`; write \
                    `attempts = 5` (total calls, the first included)";
    assert_eq!(message, expected);
    let message = error("RESILIENCE__X__RETRY__WAIT_DURATION", "2s").to_string();
    assert!(message.contains("write `base_delay = \"2s\"`"), "{message}");
    assert!(error("RESILIENCE__X__RETRY__ATTEMPTS", "two").to_string().contains("not \"two\""));
    assert!(error("RESILIENCE__X__RETRY__FACTOR", "NaN").to_string().contains("finite number"));
    assert!(error("RESILIENCE__RETRY", "2").to_string().contains("expected policy, attribute"));
    assert!(error("RESILIENCE__X__RETRYY__ATTEMPTS", "2").to_string().contains("did you mean"));
    let twice = [("RESILIENCE__X__RETRY__ATTEMPTS", "2"), ("RESILIENCE__x__RETRY__ATTEMPTS", "3")];
    let error = load_environment_from(twice).unwrap_err().to_string();
    assert!(error.contains("differs only in case"), "{error}");
}

#[test]
fn one_mistake_keeps_every_setting_as_before() {
    #[retry(attempts = 2, name = "bad::state")]
    fn call() -> Result<(), &'static str> {
        Err("down")
    }
    let _alone = alone();
    let _waits = testing::no_waits();
    assert!(call().is_err());
    load_settings_toml("a.toml", "['bad::state'.retry]\nattempts = 4").unwrap();
    let before = Some(("4".to_owned(), SettingOrigin::File));
    assert_eq!(reported("bad::state", "attempts"), before);
    let error = toml("['bad::state'.retry]\nattempts = 7\n['bad::other'.retry]\nattempts = 0");
    assert!(error.starts_with("a.toml:4: "), "{error}");
    assert_eq!(reported("bad::state", "attempts"), before);
    // A policy refuses: the function has no deadline.
    let error = toml("['bad::state'.retry]\nattempts = 7\ndeadline = '5s'");
    assert!(error.starts_with("a.toml:3: `bad::state` (retry): `deadline` cannot"), "{error}");
    assert_eq!(reported("bad::state", "attempts"), before);
    // A half-written file.
    toml("['bad::state'.retry]\nattempts = 7\nbase_de");
    assert_eq!(reported("bad::state", "attempts"), before);
    assert!(control("bad::state").set("retry.attempts", "0").is_err());
    assert_eq!(reported("bad::state", "attempts"), before);
    load_settings_toml("a.toml", "").unwrap();
    assert_eq!(reported("bad::state", "attempts"), Some(("2".into(), SettingOrigin::Code)));
}

#[test]
fn all_mistakes_are_reported_and_the_message_stays_short() {
    let _alone = alone();
    let text: String =
        (0..500).map(|n| format!("[p{n}.retry]\nattempts = 0\n")).collect::<Vec<_>>().concat();
    let error = load_settings_toml("a.toml", &text).unwrap_err();
    assert_eq!(error.problems().len(), 500);
    assert!(error.to_string().lines().count() == 21 && error.to_string().ends_with("and 480 more"));
}

#[test]
fn large_files_are_refused_without_parsing() {
    let _alone = alone();
    let text = "[x.retry]\nattempts = 2\n".repeat(450_000);
    assert!(text.len() > 10_000_000);
    assert_eq!(toml(&text), "a.toml: settings are larger than 1 MiB");
    assert_eq!(json(&text), "a.json: settings are larger than 1 MiB");
    let many: String =
        (0..20_000).map(|n| format!("[p{n}.retry]\nattempts = 2\n")).collect::<Vec<_>>().concat();
    assert!(toml(&many).contains("more than 10000 settings"));
}

#[test]
fn hostile_names_are_escaped_and_cut_in_messages() {
    let _alone = alone();
    let error = toml("[x.\"re\\u001b[31mtry\\n\"]\na = 1");
    assert!(!error.contains('\u{1b}') && error.lines().count() == 1, "{error:?}");
    let long = "x".repeat(100_000);
    let error = toml(&format!("[x.retry]\n{long} = 1"));
    assert!(error.len() < 500, "{}", error.len());
    let error = toml(&format!("[x.retry]\nattempts = '{long}'"));
    assert!(error.len() < 500, "{}", error.len());
    let error = toml(&format!("[{long}.retry]\nattempts = 1"));
    assert!(error.contains("longer than 512 bytes") && error.len() < 500);
    let error = control("x").set(&format!("retry.{long}"), &long).unwrap_err().to_string();
    assert!(error.len() < 500, "{}", error.len());
}

/// Lines of settings that are nearly valid.
fn nearly_valid() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just("['fuzz::a'.retry]".to_owned()),
        Just("['fuzz::*'.circuit_breaker]".to_owned()),
        Just("[fuzz.bulkhead]".to_owned()),
        (
            prop_oneof![
                Just("attempts"),
                Just("base_delay"),
                Just("window"),
                Just("max"),
                Just("jitter"),
                Just("fallback")
            ],
            prop_oneof![
                any::<i64>().prop_map(|n| n.to_string()),
                any::<f64>().prop_map(|n| n.to_string()),
                "'[0-9]{0,25}(ms|s|d|x|)'",
                Just("nan".to_owned()),
                Just("true".to_owned()),
                "\"[^\"\\\\]{0,8}\"",
            ]
        )
            .prop_map(|(key, value)| format!("{key} = {value}")),
        "[ -~]{0,20}",
    ];
    proptest::collection::vec(line, 0..12).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_toml_is_read_or_refused_with_a_place(text in nearly_valid()) {
        let _alone = alone();
        match load_settings_toml("a.toml", &text) {
            Ok(_) => { load_settings_toml("a.toml", "").unwrap(); }
            Err(error) => for problem in error.problems() {
                let source = problem.source.as_ref().unwrap();
                let line: usize = source.strip_prefix("a.toml:").unwrap().parse().unwrap();
                prop_assert!(line >= 1 && line <= text.lines().count() + 1);
                prop_assert!(!problem.message.is_empty());
            }
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        let _alone = alone();
        for load in [load_settings_toml, load_settings_json] {
            if load("a", &text).is_ok() {
                load_settings_toml("a", "").unwrap();
            }
        }
        let _ = control(&text).unset(&text);
        let _ = load_environment_from([(format!("RESILIENCE__{text}"), text)]);
        load_environment_from([("", "")]).unwrap();
    }

    #[test]
    fn any_json_is_read_or_refused(
        path in proptest::collection::vec("[a-z_:*]{0,12}", 0..5),
        number in any::<f64>(),
    ) {
        let _alone = alone();
        let mut text = number.to_string();
        for name in path {
            text = format!("{{\"{name}\": {text}}}");
        }
        if load_settings_json("a.json", &text).is_ok() {
            load_settings_toml("a", "").unwrap();
        }
    }
}

#[test]
fn a_refused_setting_has_its_line_among_the_settings_of_all_policies() {
    #[retry(attempts = 2, name = "bad::line")]
    fn call() -> Result<(), &'static str> {
        Err("down")
    }
    let _alone = alone();
    let _waits = testing::no_waits();
    assert!(call().is_err());
    let text = "['bad::line'.retry]\ndeadline = '5s'\nfactor = 3\n\
                ['bad::next'.retry]\ndeadline = '5s'\n";
    let error = toml(text);
    assert!(error.starts_with("a.toml:2: `bad::line` (retry): `deadline`"), "{error}");
    assert_eq!(error.lines().count(), 1);
}

#[test]
fn the_first_twenty_mistakes_in_json_have_a_line() {
    let _alone = alone();
    let wrong: Vec<_> =
        (0..25).map(|n| format!("\"p{n}\": {{\"retry\": {{\"attempts\": 0}}}}")).collect();
    let error = load_settings_json("a.json", &format!("{{\n{}\n}}", wrong.join(",\n")));
    let error = error.unwrap_err();
    let places: Vec<_> =
        error.problems().iter().map(|problem| problem.source.clone().unwrap()).collect();
    let expected: Vec<_> =
        (2..27).map(|n| if n < 22 { format!("a.json:{n}") } else { "a.json".to_owned() }).collect();
    assert_eq!(places, expected);
}

#[test]
fn settings_of_a_mebibyte_are_read() {
    let _alone = alone();
    let text = |bytes: usize| format!("[x.retry]\nattempts = 2\n#{}", "x".repeat(bytes - 24));
    assert_eq!(load_settings_toml("a.toml", &text(1024 * 1024)).unwrap().settings, 1);
    assert_eq!(toml(&text(1024 * 1024 + 1)), "a.toml: settings are larger than 1 MiB");
    load_settings_toml("a.toml", "").unwrap();
}
