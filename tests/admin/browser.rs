//! The page in headless Chromium.

use std::sync::{Arc, OnceLock, PoisonError};

use axum::Router;
use axum::http::{Request, StatusCode};
use axum::middleware::{self, Next};
use resilience::admin::Admin;
use resilience::{
    Bulkhead, BulkheadPermit, CircuitBreaker, CircuitState, Keyed, RateLimiter, Rejected,
    RetryBudget, circuit_breaker, control, policies_matching, register, retry, testing,
};

use crate::driver::Browser;
use crate::{HOSTILE, LISTS, controlled, search, serve, state_of};

static BUDGET: RetryBudget = RetryBudget::new();
static UPLOADS: Bulkhead = Bulkhead::new(8).name("uploads");
static EMAILS: RateLimiter = RateLimiter::new(20, std::time::Duration::from_secs(1)).name("emails");

#[retry(attempts = 4, budget = &BUDGET, name = "quotes")]
fn quote(fails: bool) -> Result<u32, &'static str> {
    if fails { Err("down") } else { Ok(1) }
}

#[circuit_breaker(key = tenant, key_label = tenant, failure_threshold = 1, name = "tenants")]
fn tenant_call(tenant: &str) -> Result<(), std::io::Error> {
    Err(std::io::Error::other(tenant.to_owned()))
}

/// Serves a page whose controls every request from the page may use.
fn serve_open() -> String {
    let admin = Admin::new().authorize(|_| Some("the page"));
    format!("http://{}/admin", serve(Router::new().nest("/admin", admin.router())))
}

/// Makes a policy of each kind, with figures. Six permits of `uploads` stay in use.
fn make_policies() {
    static PERMITS: OnceLock<Vec<BulkheadPermit<'static>>> = OnceLock::new();
    PERMITS.get_or_init(|| {
        register(&UPLOADS);
        register(&EMAILS);
        let _waits = testing::no_waits();
        for index in 0..30 {
            let _ = quote(index % 3 == 0);
            let _ = EMAILS.try_acquire();
        }
        (0..6).map(|_| UPLOADS.try_acquire().expect("8 permits")).collect()
    });
}

fn setting_of(name: &str, setting: &str) -> String {
    let policies = policies_matching(name);
    policies[0].setting(setting).expect("a setting").to_owned()
}

const CARD: &str =
    "document.querySelector('[data-name=\"search\"][data-kind=\"circuit_breaker\"]')";

#[test]
fn a_breaker_opens_in_view_and_is_closed_by_a_click() {
    let Some(browser) = Browser::start(1280, 900, false) else { return };
    let _lists = LISTS.read().unwrap_or_else(PoisonError::into_inner);
    make_policies();
    assert_eq!(search(false).ok(), Some(1));
    let address = serve_open();
    browser.open(&address);
    let pill = |text: &str| format!("{CARD}.querySelector('.pill').textContent === '{text}'");
    browser.wait_until(&pill("closed"));
    browser.run("window.sameDocument = true", &[]);

    for _ in 0..3 {
        search(true).expect_err("down");
    }
    assert_eq!(state_of("search"), "open");
    browser.wait_until(&pill("open"));
    browser.wait_until("document.querySelector('#health').textContent.includes('degraded')");
    browser.wait_until("document.querySelector('#events').textContent.includes('closed → open')");
    search(true).expect_err("rejected");
    browser.wait_until(&format!("/rejected\\s*1/.test({CARD}.innerText)"));
    // Two more answers, so that the curves have points.
    browser.wait_until(&format!("{CARD}.querySelector('.calls').points.length > 2"));
    browser.picture("wide");

    browser.click("[data-name=\"search\"] [data-action=\"release\"]");
    browser.wait_until(&pill("closed"));
    assert_eq!(state_of("search"), "closed");
    assert_eq!(search(false).ok(), Some(1));
    browser.fill("[data-name=\"search\"] [data-field=\"for\"]", "10m");
    browser.click("[data-name=\"search\"] [data-action=\"force_open\"]");
    browser.wait_until(&pill("forced open"));
    assert_eq!(state_of("search"), "forced open");
    let rejected = search(false).expect_err("forced open").to_string();
    assert!(rejected.contains("retry after"), "a state with an expiry: {rejected}");
    browser.wait_until(
        "/force open for 10m.*by the page/s.test(document.querySelector('#history').innerText)",
    );
    browser.click("[data-name=\"search\"] [data-action=\"reset\"]");
    browser.wait_until(&pill("closed"));
    assert_eq!(browser.run("return window.sameDocument === true", &[]), true, "no reload");
    assert_eq!(browser.console(), [""; 0]);
}

#[test]
fn a_refused_click_shows_the_reason_and_changes_nothing() {
    let Some(browser) = Browser::start(1024, 700, false) else { return };
    controlled!(locked, "browser::locked");
    let admin = Admin::new().authorize(|_| None::<String>);
    let address = serve(Router::new().nest("/admin", admin.router()));
    browser.open(&format!("http://{address}/admin"));
    browser.wait_until("document.querySelector('[data-name=\"browser::locked\"]')");
    browser.click("[data-name=\"browser::locked\"] [data-action=\"force_open\"]");
    browser.wait_until(
        "document.querySelector('#message').textContent === 'the request is not authorized'",
    );
    assert_eq!(state_of("browser::locked"), "closed");
}

#[test]
fn a_page_that_only_reads_has_no_buttons() {
    let Some(browser) = Browser::start(1024, 700, false) else { return };
    controlled!(read_only, "browser::read_only");
    let address = serve(Router::new().nest("/admin", Admin::new().router()));
    browser.open(&format!("http://{address}/admin"));
    browser.wait_until("document.querySelector('[data-name=\"browser::read_only\"]')");
    let visible = "return [...document.querySelectorAll('button, input, select')]\
        .filter(it => it.checkVisibility()).length";
    assert_eq!(browser.run(visible, &[]), 0);
    browser.wait_until("document.querySelector('[data-name=\"browser::read_only\"] details td')");
}

#[test]
fn hostile_names_and_keys_are_shown_as_text() {
    let Some(browser) = Browser::start(390, 844, false) else { return };
    let _lists = LISTS.read().unwrap_or_else(PoisonError::into_inner);
    make_policies();
    let by_hand = Arc::new(CircuitBreaker::new().name(HOSTILE));
    register(&by_hand);
    by_hand.force_open();
    let keys = [HOSTILE, "javascript:alert(1)", "\u{202e}reversed\u{0}", "{{nonce}}"];
    for key in keys {
        tenant_call(key).expect_err("fails");
        tenant_call(key).expect_err("rejected");
    }
    tenant_call(&"long ".repeat(200)).expect_err("fails");
    let address = serve_open();
    // Changes after the start of the page stand in the list of events, with their keys.
    let fresh = format!("<b>{HOSTILE}</b>");
    tenant_call(&fresh).expect_err("fails");
    browser.open(&address);
    browser.wait_until("document.querySelector('[data-name=\"tenants\"] td')");
    browser.wait_until("document.querySelector('#events').textContent.includes('tenants [<b>')");
    let title = browser.run("return document.title", &[]);
    assert_eq!(title, "Resilience");
    let elements =
        "return document.querySelectorAll('img, b, iframe, object, a[href^=javascript]').length";
    assert_eq!(browser.run(elements, &[]), 0, "markup of a key became an element");
    assert_eq!(browser.run("return document.scripts.length", &[]), 1);
    let is_shown = "return [...document.querySelectorAll('.name, td')].some(it => it.textContent === arguments[0])";
    for text in [HOSTILE, "javascript:alert(1)", "{{nonce}}"] {
        assert_eq!(browser.run(is_shown, &[text]), true, "{text} is not shown");
    }
    assert_eq!(browser.console(), [""; 0]);
}

/// Opens the settings of a card.
fn open_settings(browser: &Browser, card: &str) {
    browser.wait_until(&format!("document.querySelector('{card} form.setting')"));
    browser.click(&format!("{card} > details:last-of-type > summary"));
}

#[test]
fn a_setting_is_changed_by_its_form_and_taken_back() {
    let Some(browser) = Browser::start(1280, 900, false) else { return };
    let _lists = LISTS.read().unwrap_or_else(PoisonError::into_inner);
    make_policies();
    browser.open(&serve_open());
    let card = "[data-name=\"quotes\"]";
    open_settings(&browser, card);
    let form = format!("{card} [data-setting=\"attempts\"]");
    let field = |part: &str| format!("document.querySelector('{form} {part}')");
    browser.wait_until(&format!("{}.value === '4'", field("input")));

    browser.fill(&format!("{form} input"), "9");
    browser.click(&format!("{form} button"));
    browser.wait_until(&format!("{}.textContent === 'live'", field("small")));
    assert_eq!(setting_of("quotes", "attempts"), "9");

    // A refused value stays in the field, with the message of the rules.
    browser.fill(&format!("{form} input"), "0");
    browser.click(&format!("{form} button"));
    let expected = control("quotes").set("retry.attempts", "0").expect_err("a mistake").to_string();
    let script = "return document.querySelector('#message').textContent";
    browser.wait_until("document.querySelector('#message').textContent !== ''");
    assert_eq!(browser.run(script, &[]), expected);
    let next = format!("{}.value === '0'", field("input"));
    browser.wait_until(&next);
    assert_eq!(setting_of("quotes", "attempts"), "9");
    browser.picture("settings");

    browser.click(&format!("{form} [data-action=\"unset\"]"));
    browser.wait_until(&format!("{}.value === '4'", field("input")));
    assert_eq!(setting_of("quotes", "attempts"), "4");
    browser.wait_until(
        "document.querySelector('#history').textContent.includes('unset retry.attempts')",
    );
    assert_eq!(browser.console_except("400"), [""; 0]);
}

#[test]
fn limits_are_drained_put_in_shadow_mode_and_switched_off_by_clicks() {
    static LIMIT: RateLimiter =
        RateLimiter::new(5, std::time::Duration::from_secs(3600)).name("browser::limit");
    let Some(browser) = Browser::start(1280, 900, false) else { return };
    let _lists = LISTS.read().unwrap_or_else(PoisonError::into_inner);
    register(&LIMIT);
    browser.open(&serve_open());
    let card = "[data-name=\"browser::limit\"]";
    browser.wait_until(&format!("document.querySelector('{card} [data-action=drain]')"));
    let click = |action: &str| browser.click(&format!("{card} [data-action=\"{action}\"]"));
    let mode = |text: &str| {
        browser.wait_until(&format!(
            "[...document.querySelectorAll('{card} .pill')].some(it => !it.hidden && it.textContent === '{text}')"
        ));
    };
    // The history contains the changes of other tests too.
    let recorded = |change: &str| {
        browser.wait_until(&format!(
            "[...document.querySelectorAll('#history li')].some(it => it.textContent.includes('browser::limit{change}'))"
        ));
    };
    click("drain");
    recorded("drain");
    assert!(LIMIT.try_acquire().is_err());
    click("shadow");
    mode("shadow");
    assert!(LIMIT.try_acquire().is_ok());
    click("disable");
    mode("off");
    click("enable");
    mode("shadow");
    click("unshadow");
    browser.wait_until(&format!("document.querySelector('{card} [data-action=shadow]')"));
    assert!(LIMIT.try_acquire().is_err());
    click("reset");
    recorded("reset");
    assert!(LIMIT.try_acquire().is_ok());
    assert_eq!(browser.console(), [""; 0]);
}

#[test]
fn a_key_is_looked_up_and_controlled_alone() {
    static SHARDS: Keyed<CircuitBreaker> =
        Keyed::new(50, || CircuitBreaker::new().name("browser::shards"));
    let Some(browser) = Browser::start(1280, 900, false) else { return };
    let _lists = LISTS.read().unwrap_or_else(PoisonError::into_inner);
    register(&SHARDS);
    let shard = |name: &str| SHARDS.get_with(name, |breaker| breaker.key_label(name));
    let all: Vec<_> = (0..20).map(|number| shard(&format!("shard {number}"))).collect();
    browser.open(&serve_open());
    let card = "[data-name=\"browser::shards\"]";
    browser.wait_until(&format!("document.querySelector('{card} [data-action=look]')"));
    let found = |text: &str| {
        browser.wait_until(&format!(
            "document.querySelector('{card} [data-found]').textContent.includes('{text}')"
        ));
    };
    browser.fill(&format!("{card} [data-field=\"key\"]"), "shard 17");
    browser.click(&format!("{card} [data-action=\"look\"]"));
    found("closed");
    browser.click(&format!("{card} [data-action=\"force_open\"]"));
    browser
        .wait_until("document.querySelector('#history').textContent.includes('of key shard 17')");
    browser.click(&format!("{card} [data-action=\"look\"]"));
    found("forced open");
    let open = all.iter().filter(|it| it.state() == CircuitState::ForcedOpen).count();
    assert_eq!((open, shard("shard 17").state()), (1, CircuitState::ForcedOpen));
    browser.fill(&format!("{card} [data-field=\"key\"]"), "shard 99");
    browser.click(&format!("{card} [data-action=\"look\"]"));
    found("no such key");
}

#[test]
fn a_name_without_a_policy_is_shown_as_pending() {
    let Some(browser) = Browser::start(1280, 900, false) else { return };
    browser.open(&serve_open());
    browser.wait_until("!document.querySelector('#by-name').hidden");
    browser.click("#by-name > summary");
    browser.fill("#by-name [name=target]", "browser::nobody::*");
    browser.fill("#by-name [name=setting]", "retry.attempts");
    browser.fill("#by-name [name=value]", "5");
    browser.click("#by-name [name=set]");
    browser.wait_until(
        "document.querySelector('#pending').textContent.includes('browser::nobody::*')",
    );
    browser.wait_until("document.querySelector('#message').textContent.startsWith('pending')");
    browser.click("#by-name [name=unset]");
    browser.wait_until(
        "!document.querySelector('#pending').checkVisibility() || !document.querySelector('#pending').textContent.includes('browser::nobody')",
    );
}

#[test]
fn the_page_fits_a_phone() {
    let Some(browser) = Browser::start(390, 844, true) else { return };
    make_policies();
    for _ in 0..2 {
        tenant_call("acme-with-a-long-name-without-any-place-to-break-the-line")
            .expect_err("fails");
    }
    let address = serve_open();
    browser.open(&address);
    browser.wait_until("document.querySelector('[data-name=\"uploads\"] meter').value === 6");
    browser.wait_until("document.querySelector('[data-name=\"tenants\"] td')");
    // All forms are in view.
    browser.run("document.querySelectorAll('details').forEach(it => { it.open = true; })", &[]);
    browser.wait_until(
        "document.querySelector('[data-name=\"quotes\"] form.setting input').checkVisibility()",
    );
    let overflow = browser.run(
        "return document.documentElement.scrollWidth - document.documentElement.clientWidth",
        &[],
    );
    assert_eq!(overflow, 0, "the page scrolls to the side");
    let small = browser.run(
        "return [...document.querySelectorAll('button, input, select')].filter(it => it.checkVisibility() && it.getBoundingClientRect().height < 32).length",
        &[],
    );
    assert_eq!(small, 0, "buttons too small for a finger");
    browser.picture("narrow");
}

#[cfg(feature = "duration-histograms")]
#[test]
fn the_durations_of_a_function_are_shown() {
    #[retry(attempts = 2, name = "browser::timed")]
    fn timed(clock: &testing::Clock, millis: u64) -> Result<u32, &'static str> {
        clock.advance(std::time::Duration::from_millis(millis));
        Ok(1)
    }
    let Some(browser) = Browser::start(1280, 900, false) else { return };
    resilience::count_successes();
    let clock = testing::clock();
    for millis in [20, 20, 20, 400] {
        assert_eq!(timed(&clock, millis), Ok(1));
    }
    browser.open(&serve_open());
    let card = "document.querySelector('[data-name=\"browser::timed\"][data-kind=function]')";
    browser.wait_until(&format!(
        "/mean\\s*115 ms\\s*p50\\s*≤ 25 ms\\s*p95\\s*≤ 500 ms/.test({card}.innerText)"
    ));
}

/// A router at the root, behind a layer that adds a header, as an application with a login has.
#[test]
fn the_page_works_at_the_root_and_tells_a_lost_connection() {
    let Some(browser) = Browser::start(800, 600, false) else { return };
    let is_down = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let down = Arc::clone(&is_down);
    let fail = middleware::from_fn(move |request: Request<axum::body::Body>, next: Next| {
        let is_down = down.load(std::sync::atomic::Ordering::Relaxed);
        async move { if is_down { Err(StatusCode::BAD_GATEWAY) } else { Ok(next.run(request).await) } }
    });
    let address = serve(Admin::new().router().layer(fail));
    browser.open(&format!("http://{address}/"));
    browser.wait_until("document.querySelector('#age').textContent === 'live'");
    is_down.store(true, std::sync::atomic::Ordering::Relaxed);
    browser.wait_until("document.querySelector('#health').textContent === 'no connection'");
    is_down.store(false, std::sync::atomic::Ordering::Relaxed);
    browser.wait_until("document.querySelector('#health').textContent !== 'no connection'");
}
