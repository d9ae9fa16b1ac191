//! Reports a rejection, or a circuit that has opened, to the outer layers of the same function. The
//! error type of the function need not carry the rejection.

use core::future::{Future, poll_fn};
use core::pin::pin;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use core::time::Duration;

use crate::classify::{Classify, Effect, FailureClass, FailureKind};
use crate::clock::{self, Delay};
use crate::rejected::{Rejected, RejectedKind};

/// The class of the last rejection, the open time of a circuit that the attempt has left open, and
/// the effect of earlier attempts, packed into one word; zero if there was none.
///
/// The word lives on the stack of the outermost layer that reads the signal. The word is atomic
/// only to keep a future that borrows the signal `Send`.
#[derive(Debug, Default)]
pub struct RejectionSignal(AtomicU64);

/// The state of a signal, without the earlier attempts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SignalState(u64);

// From the low end: whether there is a rejection, the fields of the class, whether a circuit is
// open, the effect of earlier attempts, and the nanoseconds of the delay plus one, or of the open
// time, up to 104 days. One field serves both times: an open circuit replaces the delay of a
// rejection, because the circuit would reject the next attempt.
const PRESENT: u64 = 1;
/// The call waits in a queue, or after a rejection. The bit has this meaning only without
/// `PRESENT`: a rejection ends the wait.
const IN_QUEUE: u64 = 1 << 1;
/// The call waits between two attempts, after a failure. The bit has this meaning only without
/// `PRESENT`.
const IN_DELAY: u64 = 1 << 2;
const IS_REJECTION: u64 = 1 << 1;
const IS_ONCE: u64 = 1 << 2;
const IS_NEUTRAL: u64 = 1 << 3;
const KIND_SHIFT: u32 = 4;
const EFFECT_SHIFT: u32 = 6;
const IS_OPEN: u64 = 1 << 8;
const EARLIER_SHIFT: u32 = 9;
const TIME_SHIFT: u32 = 11;
const CLASS: u64 = IS_OPEN - 1;
const EFFECT: u64 = 0b11 << EFFECT_SHIFT;
const EARLIER: u64 = 0b11 << EARLIER_SHIFT;

impl RejectionSignal {
    /// Returns a signal without a rejection.
    #[inline]
    #[must_use]
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Records the rejection that the inner layer is about to return. Returns the rejection, which
    /// does not claim that nothing was sent if an earlier attempt was sent.
    #[cold]
    #[must_use]
    pub fn set(&self, mut rejected: Rejected) -> Rejected {
        if rejected.kind() == RejectedKind::TimedOut {
            let class = self.timed_out();
            if class.is_neutral {
                rejected.set_effect(class.effect);
            }
            self.set_class(class);
        } else {
            self.set_kind(rejected.kind(), rejected.retry_after());
        }
        self.mark(&mut rejected);
        rejected
    }

    /// Returns the class of a timeout. While no attempt runs, the time runs out in this process,
    /// and the effect of the call is that of the earlier attempts.
    fn timed_out(&self) -> FailureClass {
        let class = RejectedKind::TimedOut.class(None);
        match self.0.load(Relaxed) & CLASS {
            IN_QUEUE => class.effect(self.earlier()).neutral(),
            IN_DELAY => class.effect(self.earlier()),
            _ => class,
        }
    }

    /// Records a rejection of this kind.
    #[inline]
    pub(crate) fn set_kind(&self, kind: RejectedKind, retry_after: Option<Duration>) {
        self.set_class(kind.class(retry_after));
    }

    #[inline]
    fn set_class(&self, class: FailureClass) {
        let earlier = self.0.load(Relaxed) & EARLIER;
        let open = self.open_for();
        self.0.store(pack(class) | earlier, Relaxed);
        if !open.is_zero() {
            self.set_open_for(open);
        }
    }

    /// Changes the rejection for the caller of the function: the effect of the call is that of the
    /// attempt with the most effect. By reference, because a rejection that two branches return is
    /// moved.
    #[inline]
    pub(crate) fn mark(&self, rejected: &mut Rejected) {
        // Most often there is no earlier attempt with an effect, and the class is not computed.
        if self.earlier() == Effect::NotSent {
            return;
        }
        if let Some(effect) = self.effect_of_call(rejected.classify().effect) {
            rejected.set_effect(effect);
        }
    }

    /// Returns the effect of a call whose last attempt has an effect, if an earlier attempt had
    /// more effect.
    #[inline]
    pub(crate) fn effect_of_call(&self, of_attempt: Effect) -> Option<Effect> {
        let earlier = self.earlier();
        (code(of_attempt) < code(earlier)).then_some(earlier)
    }

    /// Returns the effect of the attempts before the current attempt.
    #[inline]
    fn earlier(&self) -> Effect {
        effect_of(self.0.load(Relaxed) >> EARLIER_SHIFT)
    }

    /// Records that a circuit below rejects every call for this time.
    #[cold]
    pub(crate) fn set_open_for(&self, open: Duration) {
        let time = clock::nanos(open.max(self.open_for())).min(u64::MAX >> TIME_SHIFT);
        let rest = self.0.load(Relaxed) & (CLASS | EARLIER);
        self.0.store(rest | IS_OPEN | time << TIME_SHIFT, Relaxed);
    }

    /// Returns for how long a circuit below rejects every call; zero if no circuit is known to be
    /// open.
    #[must_use]
    pub fn open_for(&self) -> Duration {
        let word = self.0.load(Relaxed);
        let time = if word & IS_OPEN != 0 { word >> TIME_SHIFT } else { 0 };
        Duration::from_nanos(time)
    }

    /// Awaits the permit of an inner layer. A timeout outside that ends the wait is a timeout in a
    /// queue of this process.
    pub async fn in_queue<F: Future>(&self, acquire: F) -> F::Output {
        let mut acquire = pin!(acquire);
        let mut waited = false;
        let earlier = self.0.load(Relaxed) & EARLIER;
        self.0.store(IN_QUEUE | earlier, Relaxed);
        let permit = poll_fn(|cx| {
            let permit = acquire.as_mut().poll(cx);
            waited |= permit.is_pending();
            permit
        })
        .await;
        if waited {
            // A timeout that is due ends the call here, before the body starts.
            Delay::start(Duration::ZERO).0.wait().await;
        }
        self.clear();
        permit
    }

    /// Returns whether the call waits in a queue or after a rejection, before its body starts.
    pub(crate) fn is_in_queue(&self) -> bool {
        self.0.load(Relaxed) & CLASS == IN_QUEUE
    }

    /// Removes the rejection, and keeps the effect of earlier attempts.
    #[inline]
    pub fn clear(&self) {
        self.0.store(self.0.load(Relaxed) & EARLIER, Relaxed);
    }

    /// Ends an attempt of a retry that makes another attempt: the call waits until
    /// [`clear`](Self::clear). `earlier` is the effect of the attempts so far.
    pub(crate) fn start_delay(&self, earlier: Effect, after_rejection: bool) {
        let wait = if after_rejection { IN_QUEUE } else { IN_DELAY };
        self.0.store(wait | code(earlier) << EARLIER_SHIFT, Relaxed);
    }

    /// Ends the attempts of a retry: the class of a last rejection becomes the class of the call,
    /// with the effect of the attempt with the most effect.
    pub(crate) fn end_attempts(&self) {
        let word = self.0.load(Relaxed);
        if word & PRESENT != 0 {
            let [last, earlier] = [EFFECT_SHIFT, EARLIER_SHIFT].map(|shift| word >> shift & 0b11);
            self.0.store(word & !EFFECT | last.max(earlier) << EFFECT_SHIFT, Relaxed);
        }
    }

    /// Returns the signal of an attempt among several at the same time.
    #[inline]
    #[must_use]
    pub fn of_attempt(&self) -> Self {
        Self(AtomicU64::new(self.0.load(Relaxed) & EARLIER))
    }

    /// Takes the state of the signal of an attempt among several at the same time.
    #[inline]
    pub fn copy(&self, attempt: &Self) {
        self.0.store(attempt.0.load(Relaxed), Relaxed);
    }

    /// Returns the state, for the signals of other calls with the same outcome.
    pub(crate) fn state(&self) -> SignalState {
        SignalState(self.0.load(Relaxed) & !EARLIER)
    }

    /// Takes the state of the call whose outcome this call returns, and keeps the effect of the
    /// earlier attempts of this call.
    pub(crate) fn take_state(&self, SignalState(state): SignalState) {
        self.0.store(self.0.load(Relaxed) & EARLIER | state, Relaxed);
    }

    /// Returns the class of the rejection, if there was one.
    #[cold]
    pub fn class(&self) -> Option<FailureClass> {
        unpack(self.0.load(Relaxed))
    }
}

fn pack(class: FailureClass) -> u64 {
    let FailureClass { kind, effect, after, is_rejection, is_once, is_neutral } = class;
    let kind = match kind {
        FailureKind::Transient => 0,
        FailureKind::Throttled => 1,
        FailureKind::Permanent => 2,
    };
    let after = match after {
        Some(after) => clock::nanos(after).saturating_add(1),
        None => 0,
    };
    let after = after.min(u64::MAX >> TIME_SHIFT);
    let rejection = if is_rejection { IS_REJECTION } else { 0 };
    let once = if is_once { IS_ONCE } else { 0 };
    let neutral = if is_neutral { IS_NEUTRAL } else { 0 };
    let flags = PRESENT | rejection | once | neutral;
    flags | kind << KIND_SHIFT | code(effect) << EFFECT_SHIFT | after << TIME_SHIFT
}

/// Returns the code of an effect. Of two attempts of a call, the greater code is that of the call.
const fn code(effect: Effect) -> u64 {
    match effect {
        Effect::NotSent => 0,
        Effect::Refused => 1,
        Effect::Unknown => 2,
        Effect::Applied => 3,
    }
}

/// Returns the effect of the lowest two bits.
const fn effect_of(code: u64) -> Effect {
    match code & 0b11 {
        0 => Effect::NotSent,
        1 => Effect::Refused,
        2 => Effect::Unknown,
        _ => Effect::Applied,
    }
}

const fn unpack(word: u64) -> Option<FailureClass> {
    if word & PRESENT == 0 {
        return None;
    }
    let mut class = match word >> KIND_SHIFT & 0b11 {
        0 => FailureClass::transient(),
        1 => FailureClass::throttled(None),
        _ => FailureClass::permanent(),
    };
    class.effect = effect_of(word >> EFFECT_SHIFT);
    class.after = match (word >> TIME_SHIFT).checked_sub(1) {
        Some(after) if word & IS_OPEN == 0 => Some(Duration::from_nanos(after)),
        _ => None,
    };
    class.is_rejection = word & IS_REJECTION != 0;
    class.is_once = word & IS_ONCE != 0;
    class.is_neutral = word & IS_NEUTRAL != 0;
    Some(class)
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::task::{Context, Waker};

    #[test]
    fn every_class_survives_the_signal() {
        let longest = Duration::from_nanos((u64::MAX >> TIME_SHIFT) - 1);
        let classes =
            [FailureClass::transient(), FailureClass::throttled(None), FailureClass::permanent()];
        let effects = [Effect::NotSent, Effect::Refused, Effect::Unknown, Effect::Applied];
        for class in classes {
            for effect in effects {
                for after in
                    [None, Some(Duration::ZERO), Some(Duration::from_secs(3)), Some(longest)]
                {
                    for (is_rejection, is_once) in [(true, false), (false, true), (false, false)] {
                        for is_neutral in [false, true] {
                            let flags = FailureClass { is_rejection, is_once, is_neutral, ..class };
                            let class = FailureClass { effect, after, ..flags };
                            assert_eq!(unpack(pack(class)), Some(class));
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_timeout_in_a_queue_is_neutral_and_not_sent() {
        let signal = RejectionSignal::new();
        let timed_out = Rejected::timed_out("api", Duration::from_secs(1));
        signal.0.store(IN_QUEUE, Relaxed);
        assert_eq!(signal.class(), None);
        let _ = signal.set(timed_out.clone());
        let class = signal.class().expect("a rejection");
        assert!(class.is_neutral && class.effect == Effect::NotSent);
        signal.clear();
        let _ = signal.set(timed_out);
        let class = signal.class().expect("a rejection");
        assert!(!class.is_neutral && class.effect == Effect::Unknown);
    }

    #[test]
    fn the_open_time_and_the_class_of_a_timeout_do_not_replace_each_other() {
        let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
        let timed_out = Rejected::timed_out("api", second);
        for opens_first in [true, false] {
            let signal = RejectionSignal::new();
            if opens_first {
                signal.set_open_for(minute);
                assert_eq!(signal.class(), None);
            }
            let _ = signal.set(timed_out.clone());
            if !opens_first {
                signal.set_open_for(minute);
            }
            signal.set_open_for(second);
            let class = signal.class().expect("a rejection");
            assert_eq!((class.kind, class.after), (FailureKind::Transient, None));
            assert_eq!(signal.open_for(), minute);
            signal.clear();
            assert_eq!((signal.class(), signal.open_for()), (None, Duration::ZERO));
        }
    }

    #[test]
    fn a_rejection_after_an_attempt_with_an_effect_has_the_effect_for_the_call_only() {
        let rejected = || Rejected::new(RejectedKind::BulkheadFull, "api", None);
        let effect = |signal: &RejectionSignal| signal.class().expect("a rejection").effect;
        for earlier in [Effect::NotSent, Effect::Refused, Effect::Unknown] {
            let signal = RejectionSignal::new();
            signal.start_delay(earlier, false);
            signal.clear();
            let of_hedge = signal.of_attempt();
            let returned = of_hedge.set(rejected());
            signal.copy(&of_hedge);
            assert_eq!(returned.classify().effect, earlier);
            // A layer of the attempt, such as a rate limit, knows that the body did not run.
            assert_eq!(effect(&signal), Effect::NotSent);
            signal.end_attempts();
            assert_eq!(effect(&signal), earlier);
        }
        let signal = RejectionSignal::new();
        signal.start_delay(Effect::Refused, false);
        signal.clear();
        let _ = signal.set(Rejected::timed_out("api", Duration::from_secs(1)));
        signal.end_attempts();
        assert_eq!(effect(&signal), Effect::Unknown);
    }

    #[test]
    fn a_timeout_in_the_queue_of_a_later_attempt_is_ambiguous() {
        let signal = RejectionSignal::new();
        signal.start_delay(Effect::Unknown, false);
        let waiting = signal.in_queue(core::future::pending::<()>());
        let _ = pin!(waiting).poll(&mut Context::from_waker(Waker::noop()));
        let _ = signal.set(Rejected::timed_out("api", Duration::from_secs(1)));
        let class = signal.class().expect("a rejection");
        assert!(class.is_neutral && class.effect == Effect::Unknown);
    }

    #[test]
    fn a_timeout_between_two_attempts_has_the_effect_of_the_attempts() {
        for earlier in [Effect::NotSent, Effect::Refused, Effect::Unknown] {
            for after_rejection in [false, true] {
                let signal = RejectionSignal::new();
                signal.start_delay(earlier, after_rejection);
                assert_eq!(signal.class(), None);
                let returned = signal.set(Rejected::timed_out("api", Duration::from_secs(1)));
                let class = signal.class().expect("a rejection");
                assert_eq!((class.effect, class.is_neutral), (earlier, after_rejection));
                let is_known = after_rejection && earlier != Effect::Unknown;
                let effect = if is_known { earlier } else { Effect::Unknown };
                assert_eq!(returned.classify().effect, effect);
            }
        }
    }

    #[test]
    fn the_state_of_another_call_keeps_the_own_earlier_attempts() {
        let [leader, follower] = [(); 2].map(|()| RejectionSignal::new());
        leader.start_delay(Effect::Unknown, false);
        leader.clear();
        let _ = leader.set(Rejected::new(RejectedKind::BulkheadFull, "api", None));
        follower.start_delay(Effect::Refused, false);
        follower.take_state(leader.state());
        assert_eq!(follower.class(), leader.class());
        leader.end_attempts();
        follower.end_attempts();
        let effect = |signal: &RejectionSignal| signal.class().expect("a rejection").effect;
        assert_eq!((effect(&leader), effect(&follower)), (Effect::Unknown, Effect::Refused));
    }

    #[test]
    fn a_signal_holds_the_last_rejection() {
        let signal = RejectionSignal::new();
        assert_eq!(signal.class(), None);
        let rejected = Rejected::new(RejectedKind::RateLimited, "api", Some(Duration::MAX));
        let _ = signal.set(rejected);
        let class = signal.class().expect("a rejection");
        let longest = Duration::from_nanos((u64::MAX >> TIME_SHIFT) - 1);
        assert_eq!((class.kind, class.after), (FailureKind::Throttled, Some(longest)));
        signal.clear();
        assert_eq!(signal.class(), None);
    }
}
