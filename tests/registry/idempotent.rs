//! Idempotent calls.

use resilience::{PolicyKind, Rejected, idempotent};

use crate::policy;

#[test]
fn idempotent_calls_count_executions_replays_and_rejections() {
    #[idempotent(key = key, name = "registry.charge", scope = "global", ttl = "1h")]
    fn charge(key: &str, cents: u64) -> Result<u64, Rejected> {
        Ok(cents)
    }
    let key = "0123456789abcdef";
    assert_eq!(charge(key, 5), Ok(5));
    assert_eq!(charge(key, 5), Ok(5));
    assert!(charge(key, 6).is_err());
    assert!(charge("", 6).is_err());
    let report = policy("registry.charge");
    assert_eq!(report.kind, PolicyKind::Idempotent);
    assert_eq!(report.count("resilience.calls", &["executed"]), 1);
    assert_eq!(report.count("resilience.calls", &["replayed"]), 1);
    assert_eq!(report.count("resilience.calls", &["rejected"]), 2);
    assert_eq!(report.count("resilience.rejections", &["mismatch"]), 1);
    assert_eq!(report.count("resilience.rejections", &[]), 2);
    assert_eq!(report.setting("ttl"), Some("1h"));
    assert!(report.location.file.ends_with("idempotent.rs"));
}
