//! The randomness of the models. The draws of the library come from the library's generator.

use std::f64::consts::TAU;
use std::time::Duration;

/// `SplitMix64`, with the second normal draw of the Box-Muller method.
#[derive(Debug)]
pub(crate) struct Random {
    state: u64,
    spare: Option<f64>,
}

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { state: seed, spare: None }
    }

    /// Returns any number: a seed for another generator.
    pub(crate) const fn word(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// Returns a uniform draw from `[0, 1)`.
    pub(crate) fn uniform(&mut self) -> f64 {
        f64::from((self.word() >> 32) as u32) / (f64::from(u32::MAX) + 1.0)
    }

    /// Returns true with the probability `p`.
    pub(crate) fn chance(&mut self, p: f64) -> bool {
        self.uniform() < p
    }

    /// Returns a normal draw with mean 0 and deviation 1.
    pub(crate) fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        // The logarithm excludes zero.
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        let (sine, cosine) = (TAU * self.uniform()).sin_cos();
        self.spare = Some(radius * sine);
        radius * cosine
    }

    /// Returns a uniform draw up to `most`, in whole microseconds.
    pub(crate) fn micros(&mut self, most: u32) -> Duration {
        Duration::from_micros(self.word() % (u64::from(most) + 1))
    }

    pub(crate) fn one_of<T: Copy, const N: usize>(&mut self, these: [T; N]) -> T {
        let which = self.word() % N as u64;
        these[usize::try_from(which).unwrap_or_default()]
    }
}
