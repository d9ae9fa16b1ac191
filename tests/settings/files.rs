//! Settings from files and from the environment.

use resilience::SettingOrigin::{Code, Environment, File, Live};
use resilience::{
    control, load_environment, load_environment_from, load_settings, load_settings_json,
    load_settings_toml, pending_settings, retry, testing,
};

use crate::{alone, reported};

fn nothing() -> [(&'static str, &'static str); 0] {
    []
}

#[test]
fn live_wins_over_environment_over_file_over_code() {
    #[retry(attempts = 2, name = "files::order")]
    fn call() -> Result<(), &'static str> {
        Err("down")
    }
    let _alone = alone();
    let _waits = testing::no_waits();
    assert!(call().is_err());
    let attempts = || reported("files::order", "attempts").unwrap();
    assert_eq!(attempts(), ("2".into(), Code));
    load_settings_toml("a.toml", "['files::order'.retry]\nattempts = 3").unwrap();
    assert_eq!(attempts(), ("3".into(), File));
    load_environment_from([("RESILIENCE__FILES__ORDER__RETRY__ATTEMPTS", "4")]).unwrap();
    assert_eq!(attempts(), ("4".into(), Environment));
    control("files::order").set("retry.attempts", "5").unwrap();
    assert_eq!(attempts(), ("5".into(), Live));
    load_settings_toml("a.toml", "['files::order'.retry]\nattempts = 6").unwrap();
    load_environment_from(nothing()).unwrap();
    assert_eq!(attempts(), ("5".into(), Live));
    control("files::order").unset("retry.attempts").unwrap();
    assert_eq!(attempts(), ("6".into(), File));
    load_settings_toml("a.toml", "").unwrap();
    assert_eq!(attempts(), ("2".into(), Code));
}

#[test]
fn a_name_wins_over_patterns_and_a_longer_pattern_over_a_shorter() {
    let _alone = alone();
    let _waits = testing::no_waits();
    let call = |name: &'static str| {
        let policy = resilience::RetryPolicy::new().name(name);
        let mut calls = 0;
        let _: Result<(), ()> = policy.run(|| {
            calls += 1;
            Err(())
        });
        calls
    };
    let text = "
        ['files::deep::one'.retry]
        attempts = 4
        ['*'.retry]
        attempts = 1
        ['files::deep::*'.retry]
        attempts = 5
        ['files::*'.retry]
        attempts = 2
    ";
    load_settings_toml("a.toml", text).unwrap();
    let counts = ["files::deep::one", "files::deep::two", "files::other", "unrelated"].map(call);
    load_settings_toml("a.toml", "").unwrap();
    assert_eq!(counts, [4, 5, 2, 1]);
}

#[test]
fn toml_and_json_read_alike_and_report_unknown_names() {
    let _alone = alone();
    let toml = "
        ['files::alike'.retry]
        attempts = 5
        base_delay = '200ms'
        jitter = 0.5
        ['files::alike'.circuit_breaker]
        shadow = true
    ";
    let loaded = load_settings_toml("a.toml", toml).unwrap();
    assert_eq!(loaded.settings, 4);
    let pending = |source: &str| {
        let mut pending: Vec<_> = pending_settings()
            .into_iter()
            .filter(|pending| pending.target == "files::alike")
            .inspect(|pending| {
                assert!(pending.source.as_ref().unwrap().starts_with(source), "{pending:?}");
            })
            .map(|pending| (pending.kind, pending.change))
            .collect();
        pending.sort();
        pending
    };
    let from_toml = pending("a.toml:");
    assert_eq!(from_toml.len(), 4);
    let json = r#"{ "files::alike": {
        "retry": { "attempts": 5, "base_delay": "200ms", "jitter": 0.5 },
        "circuit_breaker": { "shadow": true }
    } }"#;
    let loaded = load_settings_json("a.json", json).unwrap();
    let unmatched = ["files::alike.retry", "files::alike.circuit_breaker"];
    assert_eq!((loaded.settings, loaded.unmatched), (4, unmatched.map(String::from).to_vec()));
    assert_eq!(pending("a.json"), from_toml);
    load_settings_toml("a.toml", "").unwrap();
}

#[test]
fn names_with_other_characters_are_spelled_with_underscores_in_variables() {
    let _alone = alone();
    let _waits = testing::no_waits();
    let call = || {
        let policy = resilience::RetryPolicy::new().name("payment-gateway eu::v2");
        let mut calls = 0;
        let _: Result<(), ()> = policy.run(|| {
            calls += 1;
            Err(())
        });
        calls
    };
    let variables = [
        ("RESILIENCE__PAYMENT_GATEWAY_EU__V2__RETRY__ATTEMPTS", "4"),
        ("RESILIENCE_OTHER", "7"),
        ("PATH", "/bin"),
    ];
    let loaded = load_environment_from(variables).unwrap();
    assert_eq!((loaded.settings, call()), (1, 4));
    load_environment_from(nothing()).unwrap();
    assert_eq!(call(), 3);
}

#[test]
fn a_file_is_read_by_its_extension() {
    let _alone = alone();
    let folder = std::env::temp_dir().join(format!("resilience-settings-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (toml, json) = (folder.join("a.toml"), folder.join("a.json"));
    std::fs::write(&toml, "['files::path'.timeout]\nlimit = '2s'").unwrap();
    std::fs::write(&json, r#"{"files::path": {"timeout": {"limit": "2s"}}}"#).unwrap();
    assert_eq!(load_settings(&toml).unwrap().settings, 1);
    assert_eq!(load_settings(&json).unwrap().settings, 1);
    let error = load_settings(folder.join("missing.toml")).unwrap_err().to_string();
    assert!(error.contains("missing.toml: cannot be read: "), "{error}");
    std::fs::write(&toml, "\n\n\u{fe}".replace('\u{fe}', "")).unwrap();
    std::fs::write(&toml, b"# one\n# two\n\xff").unwrap();
    let error = load_settings(&toml).unwrap_err().to_string();
    assert!(error.contains("line 3 is not UTF-8"), "{error}");
    std::fs::remove_dir_all(&folder).unwrap();
    load_settings_toml("a.toml", "").unwrap();
}

#[test]
fn a_file_may_begin_with_a_mark_of_the_byte_order() {
    let _alone = alone();
    let json = r#"{ "files::marked": { "retry": { "attempts": 5 } } }"#;
    let toml = "['files::marked'.retry]\nattempts = 5";
    assert_eq!(load_settings_json("a.json", &format!("\u{feff}{json}")).unwrap().settings, 1);
    assert_eq!(load_settings_toml("a.toml", &format!("\u{feff}{toml}")).unwrap().settings, 1);
    load_settings_toml("a.toml", "").unwrap();
}

/// The variables of a process are those of all its tests, so this test runs in a child process.
#[cfg(unix)]
#[test]
fn the_variables_of_the_process_are_loaded() {
    use std::os::unix::ffi::OsStrExt as _;

    const NAME: &str = "RESILIENCE__FILES__VARIABLES__RETRY__ATTEMPTS";
    const OTHER: &str = "RESILIENCE__FILES__BYTES__RETRY__ATTEMPTS";
    #[retry(attempts = 2, name = "files::variables")]
    fn call() -> Result<(), &'static str> {
        Err("down")
    }
    let test = "files::the_variables_of_the_process_are_loaded";
    if std::env::var_os(NAME).is_some() {
        let _waits = testing::no_waits();
        assert!(call().is_err());
        if std::env::var_os(OTHER).is_some() {
            let error = load_environment().unwrap_err().to_string();
            assert_eq!(error, format!("{OTHER}: the value is not UTF-8"));
            assert_eq!(reported("files::variables", "attempts"), Some(("2".into(), Code)));
        } else {
            assert_eq!(load_environment().unwrap().settings, 1);
            assert_eq!(reported("files::variables", "attempts"), Some(("7".into(), Environment)));
        }
        return;
    }
    let child = |bytes: Option<&[u8]>| {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", test, "--quiet"]).env(NAME, "7");
        if let Some(bytes) = bytes {
            child.env(OTHER, std::ffi::OsStr::from_bytes(bytes));
        }
        child.output().unwrap()
    };
    for bytes in [None, Some(&[b'7', 0xff][..])] {
        let output = child(bytes);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

/// The order in the file does not count, nor the order of the alphabet.
#[test]
fn the_most_literal_pattern_wins_and_then_the_name() {
    let _alone = alone();
    let attempts = |text: &str| {
        load_settings_toml("a.toml", text).unwrap();
        reported("specific::name", "attempts")
    };
    let _waits = testing::no_waits();
    let policy = resilience::RetryPolicy::new().name("specific::name");
    let _: Result<(), ()> = policy.run(|| Err(()));
    let table = |name: &str, attempts: u32| format!("['{name}'.retry]\nattempts = {attempts}\n");
    for (weak, strong) in
        [("s*", "*:name"), ("specific::name*", "specific::name"), ("***e", "sp*"), ("s*e", "*name")]
    {
        for text in [table(weak, 4) + &table(strong, 5), table(strong, 5) + &table(weak, 4)] {
            assert_eq!(attempts(&text), Some(("5".into(), File)), "{text}");
        }
    }
    load_settings_toml("a.toml", "").unwrap();
}

#[test]
fn a_pending_setting_names_its_file() {
    let _alone = alone();
    let source = || {
        let is_it = |pending: &resilience::PendingSetting| pending.target == "files::source";
        pending_settings().into_iter().find(is_it).unwrap().source
    };
    load_settings_toml("a.toml", "\n['files::source'.retry]\nattempts = 2").unwrap();
    assert_eq!(source().as_deref(), Some("a.toml:3"));
    // Mistakes alone have a line in JSON.
    let json = "{\n\"files::source\": { \"retry\": { \"attempts\": 5 } } }";
    load_settings_json("a.json", json).unwrap();
    assert_eq!(source().as_deref(), Some("a.json"));
    load_settings_toml("a.toml", "").unwrap();
}
