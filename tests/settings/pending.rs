//! Pending settings.

use resilience::SettingOrigin::{File, Live};
use resilience::{
    Rejected, SettingOrigin, bulkhead, control, load_settings_toml, pending_settings,
};

use crate::alone;

/// Returns the pending settings of a name: the kind, the setting and the origin.
fn pending(name: &str) -> Vec<(String, String, SettingOrigin)> {
    let of_name = pending_settings().into_iter().filter(|pending| pending.target == name);
    let parts = of_name.map(|pending| (pending.kind, pending.change, pending.origin));
    parts.map(|(kind, change, origin)| (kind.unwrap().to_string(), change, origin)).collect()
}

fn setting(kind: &str, change: &str, origin: SettingOrigin) -> (String, String, SettingOrigin) {
    (kind.to_owned(), change.to_owned(), origin)
}

#[test]
fn a_flag_of_all_kinds_waits_for_no_policy_beside_a_bulkhead_of_the_name() {
    #[bulkhead(max = 4, name = "pending::all")]
    fn call() -> Result<(), Rejected> {
        Ok(())
    }
    let _alone = alone();
    resilience::count_successes();
    call().unwrap();
    control("pending::all").disable().unwrap();
    assert_eq!(pending("pending::all"), []);
}

#[test]
fn a_setting_of_one_kind_waits_for_a_policy_of_the_kind() {
    #[bulkhead(max = 4, name = "pending::one")]
    fn call() -> Result<(), Rejected> {
        Ok(())
    }
    let _alone = alone();
    resilience::count_successes();
    call().unwrap();
    let set = |setting, value| control("pending::one").set(setting, value).unwrap();
    set("bulkhead.max", "3");
    set("hedge.max", "1");
    set("retry.enabled", "false");
    let live = [setting("hedge", "max = 1", Live), setting("retry", "enabled = false", Live)];
    assert_eq!(pending("pending::one"), live);
    // The flag of a file is for one kind, also beside a live flag of all kinds.
    control("pending::one").enable().unwrap();
    load_settings_toml("a.toml", "['pending::one'.retry]\nenabled = true").unwrap();
    let expected = [setting("retry", "enabled = true", File), setting("hedge", "max = 1", Live)];
    assert_eq!(pending("pending::one"), expected);
    load_settings_toml("a.toml", "").unwrap();
}
