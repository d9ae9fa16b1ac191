//! Settings that a policy refuses at its first call.

use resilience::SettingOrigin::{Code, File};
use resilience::{
    RetryPolicy, bulkhead, control, load_settings_toml, pending_settings, policies, retry, testing,
};

use crate::{alone, reported, second};

#[test]
fn a_later_policy_that_refuses_a_setting_is_reported() {
    #[retry(attempts = 2, name = "live::refuses")]
    fn refuses() -> Result<(), &'static str> {
        Err("down")
    }
    let _alone = alone();
    control("live::refuses").set("retry.deadline", "1s").unwrap();
    let _waits = testing::no_waits();
    assert!(refuses().is_err());
    let pending = pending_settings();
    let pending = pending.iter().find(|pending| pending.target == "live::refuses").unwrap();
    assert!(pending.problem.as_ref().unwrap().contains("no `deadline` in the code"));
    assert_eq!(reported("live::refuses", "attempts"), Some(("2".into(), Code)));
    control("live::refuses").unset("retry.deadline").unwrap();
}

#[test]
fn a_refused_setting_blocks_no_change_of_another_policy() {
    #[retry(attempts = 2, name = "live::blocked")]
    fn refuses() -> Result<(), &'static str> {
        Err("down")
    }
    #[retry(attempts = 2, name = "live::free")]
    fn accepts() -> Result<(), &'static str> {
        Err("down")
    }
    let _alone = alone();
    let _waits = testing::no_waits();
    control("live::blocked").set("retry.deadline", "1s").unwrap();
    assert!(refuses().is_err() && accepts().is_err());
    control("live::free").set("retry.attempts", "5").unwrap();
    control("live::free").unset("retry.attempts").unwrap();
    load_settings_toml("a.toml", "['live::free'.retry]\nattempts = 4").unwrap();
    assert_eq!(reported("live::free", "attempts"), Some(("4".into(), File)));
    // A change of the policy itself has no effect, and is pending with the reason.
    let changed = control("live::blocked").set("retry.attempts", "5").unwrap();
    assert!(changed.is_pending());
    let problems =
        pending_settings().into_iter().filter(|pending| pending.target == "live::blocked");
    let problems: Vec<_> = problems.map(|pending| pending.problem.unwrap_or_default()).collect();
    assert!(problems.len() == 2 && problems.iter().all(|problem| problem.contains("`deadline`")));
    control("live::blocked").unset("retry.attempts").unwrap();
    load_settings_toml("a.toml", "['live::*'.retry]\nattempts = 3").unwrap();
    assert_eq!(reported("live::free", "attempts"), Some(("3".into(), File)));
    assert_eq!(reported("live::blocked", "attempts"), Some(("2".into(), Code)));
    control("live::blocked").unset("retry.deadline").unwrap();
    load_settings_toml("a.toml", "").unwrap();
}

#[test]
fn a_policy_that_refuses_settings_can_be_controlled_and_blocks_no_change() {
    #[retry(attempts = 4, base_delay = "1ms", max_delay = "5s", name = "refusing::a")]
    fn refusing(calls: &mut u32) -> Result<(), ()> {
        *calls += 1;
        Err(())
    }
    #[retry(attempts = 4, base_delay = "1ms", max_delay = "5s", name = "refusing::b")]
    fn accepting(calls: &mut u32) -> Result<(), ()> {
        *calls += 1;
        Err(())
    }
    let _alone = alone();
    let _waits = testing::no_waits();
    // Both are refused at the first call: the function sets no deadline, and delays end at 5 s.
    control("refusing::a").set("retry.deadline", "9s").expect("no policy of the name");
    control("refusing::a").set("retry.base_delay", "50s").expect("no policy of the name");
    let calls = |function: fn(&mut u32) -> Result<(), ()>| {
        let mut calls = 0;
        function(&mut calls).map_or(calls, |()| 0)
    };
    assert_eq!((calls(refusing), calls(accepting)), (4, 4));
    let changed = control("refusing::*").set("retry.attempts", 2).expect("one policy accepts");
    assert_eq!(changed.reached, 1);
    assert_eq!((calls(refusing), calls(accepting)), (4, 2));
    let file = "[\"refusing::*\".retry]\nmax_delay = \"4s\"\n";
    for _ in 0..2 {
        load_settings_toml("resilience.toml", file).expect("one policy accepts");
    }
    let disabled = control("refusing::a").disable().expect("a switch");
    assert_eq!((disabled.reached, calls(refusing)), (1, 1));
    // The switch has an effect, so it is not pending.
    let pending = pending_settings().into_iter().filter(|pending| pending.target == "refusing::a");
    let ignored: Vec<_> = pending.map(|pending| pending.change).collect();
    assert_eq!(ignored, ["deadline = 9s", "base_delay = 50s"]);
    control("refusing::a").enable().expect("a switch");
    control("refusing::a").unset("retry.deadline").expect("a live value");
    assert_eq!(calls(refusing), 4);
    control("refusing::a").unset("retry.base_delay").expect("a live value");
    assert_eq!(calls(refusing), 2);
    let refused = control("refusing::a").set("retry.base_delay", "50s").unwrap_err();
    assert!(refused.to_string().contains("`refusing::a` (retry): `base_delay`"), "{refused}");
    load_settings_toml("resilience.toml", "").expect("no settings");
}

/// A policy by hand accepts every value of the code, such as those of a configuration.
#[test]
fn a_policy_by_hand_that_breaks_a_rule_refuses_settings_that_keep_the_mistake() {
    let _alone = alone();
    let _waits = testing::no_waits();
    let policy = RetryPolicy::new().attempts(2);
    let policy = policy.base_delay(9 * second()).max_delay(second()).name("refused::by_hand");
    let calls = || {
        let mut calls = 0;
        let _: Result<(), ()> = policy.run(|| {
            calls += 1;
            Err(())
        });
        calls
    };
    assert_eq!(calls(), 2);
    let error = control("refused::by_hand").set("retry.attempts", 3).unwrap_err().to_string();
    assert!(error.contains("`base_delay` (9s) is longer than `max_delay` (1s)"), "{error}");
    control("refused::by_hand").set("retry.max_delay", "10s").unwrap();
    control("refused::by_hand").set("retry.attempts", 3).unwrap();
    assert_eq!(calls(), 3);
}

#[test]
fn a_policy_that_refuses_a_switch_can_be_switched_off() {
    #[bulkhead(max = 1, shadow, name = "refusing::watched")]
    fn watched(inner: &dyn Fn() -> u32) -> u32 {
        inner()
    }
    let _alone = alone();
    // Refused at the first call: the function has no way to reject.
    control("refusing::watched").shadow(false).expect("no policy of the name");
    let running = || watched(&|| u32::from(watched(&|| 7) == 7));
    assert_eq!(running(), 1);
    let rejections = || {
        let report = policies().into_iter().find(|policy| policy.name == "refusing::watched");
        report.expect("a policy").count("resilience.shadow_rejections", &[])
    };
    assert_eq!(rejections(), 1);
    control("refusing::watched").disable().expect("a switch");
    assert_eq!((running(), rejections()), (1, 1));
}
