//! Each rule at its limit: the last values that pass, and the first values that fail.

#![allow(clippy::wildcard_imports, reason = "a test names all rules of an attribute")]

use core::time::Duration;

use resilience_rules::settings::{MAX_FILE, Raw, Value, attribute, keys, read, shown};
use resilience_rules::{
    RuleResult, bulkhead, circuit_breaker, duration, fallback, hedge, idempotent, keyed, nearest,
    rate_limit, retry, timeout,
};

const NO_TIME: Duration = Duration::ZERO;
const SHORT: Duration = Duration::from_nanos(1);
const LONG: Duration = Duration::from_nanos(2);

/// Checks the values on both sides of the limit, where the second side names the key.
#[track_caller]
fn limit<const P: usize, const F: usize>(key: &str, pass: [RuleResult; P], fail: [RuleResult; F]) {
    assert!(pass.iter().all(Result::is_ok), "{key}: {pass:?}");
    for broken in fail {
        let message = broken.expect_err(key).to_string();
        assert!(message.contains(key), "{key}: {message}");
    }
}

#[test]
fn rules_of_retry() {
    use retry::*;
    limit("`attempts`", [attempts(1)], [attempts(0)]);
    limit("`attempts = 1`", [retries(0), retries(2)], [retries(1)]);
    limit(
        "`initial_delay`",
        [initial_within_deadline(SHORT, LONG)],
        [initial_within_deadline(LONG, LONG)],
    );
    limit(
        "`initial_delay`",
        [initial_within_timeout(SHORT, LONG)],
        [initial_within_timeout(LONG, LONG)],
    );
    limit("`delay`", [delay_within_timeout(SHORT, LONG)], [delay_within_timeout(LONG, LONG)]);
    limit(
        "`factor`",
        [factor(1.0), factor(f64::MAX)],
        [factor(0.99), factor(f64::INFINITY), factor(f64::NAN)],
    );
    limit("jitter", [jitter(0.0), jitter(1.0)], [jitter(-0.01), jitter(1.01), jitter(f64::NAN)]);
    limit(
        "`max_delay`",
        [jitter_within_max(SHORT, SHORT, LONG)],
        [jitter_within_max(SHORT, LONG, LONG)],
    );
    limit("a list of delays", [delays(&[NO_TIME])], [delays(&[])]);
    limit("`base_delay`", [base_within_max(LONG, LONG)], [base_within_max(LONG, SHORT)]);
    limit("`deadline`", [deadline(SHORT)], [deadline(NO_TIME)]);
    limit("`base_delay`", [base_within_deadline(SHORT, LONG)], [base_within_deadline(LONG, LONG)]);
    limit("`budget`", [budget(0.001), budget(1.0)], [budget(0.0), budget(1.01), budget(f64::NAN)]);
}

#[test]
fn the_width_of_a_jitter_ratio() {
    let base = Duration::from_secs(3);
    for (ratio, width) in [(0.5, 1500), (1.0, 3000), (7.0, 3000), (0.0, 0), (-1.0, 0)] {
        assert_eq!(retry::ratio_width(base, ratio), Duration::from_millis(width), "{ratio}");
    }
    assert_eq!(retry::ratio_width(base, f64::NAN), NO_TIME);
}

#[test]
fn rules_of_circuit_breaker() {
    use circuit_breaker::*;
    limit("`failure_threshold`", [failure_threshold(1)], [failure_threshold(0)]);
    limit(
        "`failure_threshold` (3)",
        [threshold_within_window(2, 2)],
        [threshold_within_window(3, 2)],
    );
    let shares = |rule: fn(f64) -> RuleResult| {
        let pass = [rule(0.001), rule(1.0)];
        (pass, [rule(0.0), rule(-0.5), rule(1.01), rule(f64::NAN)])
    };
    for (key, rule) in
        [("`failure_rate`", failure_rate as fn(f64) -> _), ("`slow_rate`", slow_rate)]
    {
        let (pass, fail) = shares(rule);
        limit(key, pass, fail);
    }
    limit("`slow_call`", [slow_call(SHORT)], [slow_call(NO_TIME)]);
    limit("`min_calls`", [min_calls(1)], [min_calls(0)]);
    limit("`min_calls` (3)", [min_calls_within_window(2, 2)], [min_calls_within_window(3, 2)]);
    limit("`window`", [window(1), window(MAX_WINDOW)], [window(0), window(MAX_WINDOW + 1)]);
    limit("`window`", [window_time(SHORT)], [window_time(NO_TIME)]);
    limit("`reset_timeout`", [reset_timeout(SHORT)], [reset_timeout(NO_TIME)]);
    limit("`reset_timeout` (2ns)", [reset_within_max(LONG, LONG)], [reset_within_max(LONG, SHORT)]);
    limit(
        "`jitter`",
        [open_jitter(0.0), open_jitter(1.0)],
        [open_jitter(-0.01), open_jitter(1.01), open_jitter(f64::NAN)],
    );
    limit("`recovery`", [recovery(SHORT)], [recovery(NO_TIME)]);
    limit(
        "`max_open`",
        [max_open(0.001), max_open(0.999)],
        [max_open(0.0), max_open(1.0), max_open(f64::NAN)],
    );
    limit("`success_threshold`", [success_threshold(1)], [success_threshold(0)]);
    limit("`half_open_calls` (1)", [trial_calls_suffice(2, 2)], [trial_calls_suffice(2, 1)]);
}

#[test]
fn rules_of_the_other_attributes() {
    limit("`max`", [bulkhead::max(1)], [bulkhead::max(0)]);
    limit("`queue`", [bulkhead::queue_of_wait(1)], [bulkhead::queue_of_wait(0)]);
    limit("`wait`", [bulkhead::wait_in_queue(SHORT)], [bulkhead::wait_in_queue(NO_TIME)]);
    limit(
        "`queue`",
        [bulkhead::queue_and_wait(0, NO_TIME), bulkhead::queue_and_wait(1, SHORT)],
        [bulkhead::queue_and_wait(0, SHORT), bulkhead::queue_and_wait(1, NO_TIME)],
    );
    limit("timeout", [timeout::limit(SHORT)], [timeout::limit(NO_TIME)]);
    limit(
        "`wait`",
        [timeout::wait_within_limit(LONG, LONG)],
        [timeout::wait_within_limit(LONG, SHORT)],
    );
    limit("`rate`", [rate_limit::rate(1)], [rate_limit::rate(0)]);
    limit("`per`", [rate_limit::per(SHORT)], [rate_limit::per(NO_TIME)]);
    limit("`burst`", [rate_limit::burst(1)], [rate_limit::burst(0)]);
    limit("`stale`", [fallback::stale(SHORT)], [fallback::stale(NO_TIME)]);
    limit("`max_keys`", [keyed::max_keys(1)], [keyed::max_keys(0)]);
    limit("`after`", [hedge::after(SHORT)], [hedge::after(NO_TIME)]);
    limit("`warm_up`", [hedge::warm_up(SHORT)], [hedge::warm_up(NO_TIME)]);
    limit(
        "quantile",
        [hedge::quantile(500), hedge::quantile(999)],
        [hedge::quantile(499), hedge::quantile(1000)],
    );
    limit(
        "`max`",
        [hedge::max_hedges(1), hedge::max_hedges(hedge::LARGEST_MAX)],
        [hedge::max_hedges(0), hedge::max_hedges(hedge::LARGEST_MAX + 1)],
    );
    limit(
        "`after`",
        [hedge::after_within_timeout(SHORT, LONG)],
        [hedge::after_within_timeout(LONG, LONG)],
    );
}

#[test]
fn rules_of_idempotent() {
    use idempotent::*;
    limit("`ttl`", [ttl(SHORT)], [ttl(NO_TIME)]);
    limit("`lease`", [lease(SHORT)], [lease(NO_TIME)]);
    limit("`max_renewal`", [max_renewal(SHORT)], [max_renewal(NO_TIME)]);
    limit(
        "`max_renewal`",
        [lease_within_max_renewal(LONG, LONG)],
        [lease_within_max_renewal(LONG, SHORT), lease_within_max_renewal(NO_TIME, NO_TIME)],
    );
    limit("`store_timeout`", [store_timeout(SHORT)], [store_timeout(NO_TIME)]);
    limit(
        "`ttl`",
        [lease_within_ttl(SHORT, LONG)],
        [lease_within_ttl(LONG, LONG), lease_within_ttl(NO_TIME, NO_TIME)],
    );
    limit("`lease` is zero", [], [lease_within_ttl(NO_TIME, LONG)]);
}

#[test]
fn defaults_that_are_products() {
    assert_eq!(idempotent::TTL, Duration::from_secs(86_400));
    assert_eq!(idempotent::MAX_OUTCOME, 262_144);
    assert_eq!(MAX_FILE, 1_048_576);
}

#[test]
fn a_message_has_the_values_and_their_origin() {
    let broken = circuit_breaker::threshold_within_window(3, 2).expect_err("a broken rule");
    let text = broken.second_is_default().to_string();
    assert!(text.starts_with("`failure_threshold` (3) is greater than `window` (default 2)"));
    assert!(broken.message().starts_with("`failure_threshold` is greater than `window`"));
    let time = |seconds| {
        let time = Duration::from_secs(seconds);
        retry::base_within_max(time, SHORT).expect_err("a broken rule").to_string()
    };
    for (seconds, text) in [(1, "1s"), (60, "1m"), (3600, "1h"), (7384, "2h3m4s"), (9000, "2h30m")]
    {
        assert!(time(seconds).starts_with(&format!("`base_delay` ({text}) is")), "{seconds}");
    }
}

#[test]
fn units_of_durations() {
    for (text, nanos) in [
        ("1ns", 1),
        ("1us", 1_000),
        ("1ms", 1_000_000),
        ("1s", 1_000_000_000),
        ("1m", 60_000_000_000),
        ("1h", 3_600_000_000_000),
        ("1d", 86_400_000_000_000),
        ("2d3h", 183_600_000_000_000),
        ("1500ms", 1_500_000_000),
        ("0.25s", 250_000_000),
        ("1.5ms", 1_500_000),
    ] {
        assert_eq!(duration::parse(text), Ok(Duration::from_nanos(nanos)), "{text}");
    }
    for (text, message) in [
        ("1m1m", "`m` follows a smaller or equal unit"),
        ("7 minutes", "unknown unit `minutes`; write `\"7m\"`"),
        ("-1s", "cannot be negative: write `\"1s\"`"),
        ("7", "missing unit: write `\"7ms\"` or `\"7s\"`"),
        ("s", "expected a duration"),
        ("18446744073709551615d", "is too long"),
        ("18446744073709551615s1000ms", "`1000ms` is too long"),
    ] {
        let mistake = duration::parse(text).expect_err(text);
        assert!(mistake.contains(message), "{text}: {mistake}");
    }
}

#[test]
fn the_nearest_word_is_at_most_two_edits_away() {
    for (word, known, expected) in [
        ("retri", &["retries", "retry"][..], Some("retry")),
        ("atempts", &["attempts"], Some("attempts")),
        ("attemptss", &["attempts"], Some("attempts")),
        ("ettempts", &["attempts"], Some("attempts")),
        ("abcd", &["abxy"], Some("abxy")),
        ("abc", &["axy"], None),
        ("ab", &["ax"], Some("ax")),
        ("abcdefgh", &["abcdexyz"], None),
        ("attemptsabc", &["attempts"], None),
        ("attempts", &["attemptsabc"], None),
        ("", &["a"], None),
        ("wait", &[], None),
    ] {
        assert_eq!(nearest(word, known), expected, "{word}");
    }
}

#[test]
fn texts_of_settings() {
    assert_eq!(shown("a\tb"), "a\\tb");
    assert_eq!(shown(&"x".repeat(80)), "x".repeat(80));
    assert_eq!(shown(&"x".repeat(81)), format!("{}…", "x".repeat(80)));
    assert_eq!(Raw::Text(&"x".repeat(40)).to_string(), format!("{:?}", "x".repeat(40)));
    assert_eq!(Raw::Plain(&"x".repeat(41)).to_string(), format!("\"{}…\"", "x".repeat(40)));
    assert_eq!(attribute("bulkhead"), Ok("bulkhead"));
    let message = attribute("idempotent").expect_err("no settings");
    assert!(message.contains("cannot change at run time: records in the store"), "{message}");
    let names: Vec<_> = keys("timeout").iter().map(|key| key.name).collect();
    assert_eq!(names, ["limit", "enabled"]);
    assert!(keys("idempotent").is_empty());
    let key = |of: &str, name| *keys(of).iter().find(|key| key.name == name).expect("a key");
    assert_eq!(key("bulkhead", "shadow").choices(), ["true", "false"]);
    assert_eq!(key("circuit_breaker", "on_cancel").choices(), ["ignore", "failure"]);
    assert!(key("bulkhead", "max").choices().is_empty());
    let forms = "a whole number from 0 to 4294967295, or a time like \"200ms\"";
    assert_eq!(key("circuit_breaker", "window").expects(), forms);
    assert_eq!(key("retry", "factor").expects(), "a number");
    assert_eq!(key("retry", "enabled").expects(), "`true` or `false`");
    assert_eq!(key("circuit_breaker", "on_cancel").expects(), "`ignore`, `failure`");
}

#[test]
fn forms_of_settings() {
    let value = |of, key, raw| read(of, key, raw).map(|(_, value)| value);
    assert_eq!(value("retry", "factor", Raw::Whole(2)), Ok(Value::Number(2.0)));
    assert_eq!(value("retry", "factor", Raw::Number(1.5)), Ok(Value::Number(1.5)));
    assert_eq!(value("bulkhead", "shadow", Raw::Plain("false")), Ok(Value::Flag(false)));
    assert_eq!(value("timeout", "limit", Raw::Plain("1ns")), Ok(Value::Time(SHORT)));
    let word = Ok(Value::Word("failure"));
    assert_eq!(value("circuit_breaker", "on_cancel", Raw::Plain(" failure ")), word);
    for (of, key, raw, message) in [
        ("timeout", "limit", Raw::Plain("soon"), "expected a time like"),
        ("bulkhead", "max", Raw::Plain("7x"), "expected a whole number"),
        ("bulkhead", "budget", Raw::Whole(1), "has no setting"),
        ("retry", "max_keys", Raw::Whole(1), "has no setting"),
        ("rate_limit", "shared", Raw::Whole(1), "other processes use the name"),
    ] {
        let mistake = value(of, key, raw).expect_err(key);
        assert!(mistake.contains(message), "{of}.{key}: {mistake}");
    }
}
