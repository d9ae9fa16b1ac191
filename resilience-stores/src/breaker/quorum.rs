//! The number of processes that open the breakers of a fleet.

/// The number of processes whose breakers must be open before all other processes open the breaker
/// of the same name.
///
/// A process with a broken network, name resolution or certificate sees a healthy dependency fail.
/// Below the quorum, the open breaker of such a process stays local.
///
/// ```
/// use resilience::stores::breaker::Quorum;
///
/// assert_eq!(Quorum::default().of(2), 1);
/// assert_eq!(Quorum::default().of(3), 2);
/// assert_eq!(Quorum::from(5).of(3), 5);
/// assert_eq!(Quorum::from(0.3).of(20), 6);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Quorum {
    /// Two processes, or one process in a fleet of at most two. A store that counts no members does
    /// not know the fleet: two processes.
    #[default]
    Auto,
    /// A number of processes; zero counts as one. A fleet that is smaller than the number never
    /// opens together.
    Processes(u32),
    /// A share of the members of the fleet, rounded up, at least one process. Shares outside of 0
    /// to 1 count as the nearest share.
    Share(f64),
}

impl Quorum {
    /// Returns the number of processes in a fleet with this number of members.
    #[must_use]
    pub fn of(self, members: u32) -> u32 {
        match self {
            Self::Auto => match members {
                1 | 2 => 1,
                _ => 2,
            },
            Self::Processes(processes) => processes.max(1),
            Self::Share(share) => {
                // Between 0 and `members`; a share that is not a number counts as 0.
                let processes = (f64::from(members) * share.clamp(0.0, 1.0)).ceil();
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "the product is between 0 and a `u32`"
                )]
                let processes = processes as u32;
                processes.max(1)
            }
        }
    }
}

impl From<u32> for Quorum {
    fn from(processes: u32) -> Self {
        Self::Processes(processes)
    }
}

impl From<f64> for Quorum {
    fn from(share: f64) -> Self {
        Self::Share(share)
    }
}
