//! The division of a rate by the demands of the members.

use super::lease_store::Share;

/// Each member keeps at least a fair share divided by this number, so that the first calls of an
/// idle member find something. All idle members together keep at most this part of the rate.
const IDLE_PART: u64 = 20;

/// Returns the share of a member: max-min fairness. No member gets more than its demand while
/// another member gets less, and members with equal demands get equal shares. If the demands leave
/// something, the members divide the rest equally.
pub(super) fn fair_share(own: Share, others: &[Share]) -> Share {
    let members = u64::try_from(others.len()).unwrap_or(u64::MAX).saturating_add(1);
    let whole = u64::from(Share::WHOLE.billionths());
    let least = whole / IDLE_PART / members;
    let demand = |share: &Share| u64::from(share.billionths()).max(least);
    let own = demand(&own);
    let mut demands: Vec<u64> = others.iter().map(demand).collect();
    demands.push(own);
    demands.sort_unstable();
    let (mut rest, mut waiting) = (whole, members);
    for demand in demands {
        let fair = rest / waiting;
        if demand > fair {
            return to_share(own.min(fair));
        }
        rest -= demand;
        waiting -= 1;
    }
    to_share(own.saturating_add(rest / members))
}

fn to_share(billionths: u64) -> Share {
    Share::from_billionths(u32::try_from(billionths).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(demands: &[f64]) -> Vec<f64> {
        let whole = f64::from(Share::WHOLE.billionths());
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most a whole"
        )]
        let demands: Vec<Share> =
            demands.iter().map(|demand| Share::from_billionths((demand * whole) as u32)).collect();
        let all = (0..demands.len()).map(|own| {
            let mut others = demands.clone();
            let own = others.remove(own);
            f64::from(fair_share(own, &others).billionths()) / whole
        });
        all.collect()
    }

    #[test]
    fn the_shares_never_exceed_the_rate_and_leave_nothing_much() {
        for demands in [
            vec![0.0],
            vec![1.0],
            vec![1.0; 7],
            vec![0.0; 1000],
            vec![0.3, 0.3, 0.4],
            vec![0.9, 0.01, 0.5, 0.5, 0.0, 0.0],
            (0..100).map(|n| f64::from(n) / 100.0).collect(),
        ] {
            let sum: f64 = shares(&demands).iter().sum();
            assert!((0.999..1.000_000_001).contains(&sum), "{demands:?} {sum}");
        }
    }

    #[test]
    fn a_busy_member_gets_what_idle_members_do_not_use() {
        let shares = shares(&[1.0, 0.0, 0.0, 0.0]);
        assert!(shares[0] > 0.96 && shares[1] > 0.01, "{shares:?}");
    }

    #[test]
    fn small_demands_are_met_and_large_demands_are_equal() {
        let shares = shares(&[0.1, 0.2, 0.9, 0.8]);
        for (share, expected) in shares.iter().zip([0.1, 0.2, 0.35, 0.35]) {
            assert!((share - expected).abs() < 1e-6, "{shares:?}");
        }
    }

    #[test]
    fn what_the_demands_leave_is_divided_equally() {
        let shares = shares(&[0.1, 0.3]);
        for (share, expected) in shares.iter().zip([0.4, 0.6]) {
            assert!((share - expected).abs() < 1e-6, "{shares:?}");
        }
    }
}
