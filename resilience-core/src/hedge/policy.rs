//! Hedged calls by hand.

use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::pin::Pin;
use core::time::Duration;

use resilience_rules::{InvalidPolicy, hedge as rules};

use super::{Hedge, HedgeSlot, Latencies, hedge};
use crate::budget::{RetryBudget, Spending};
use crate::classify::{FailureClass, FailureKind};
use crate::const_check::ensure;
use crate::event::HedgeEvent;
use crate::name::intern;
use crate::outcome::Outcome;
use crate::registry::{Hedges, PolicyKind};
use crate::rejection_signal::RejectionSignal;

/// Starts a second attempt of a call while the first still runs, and returns the first success:
/// [`#[hedge]`](https://docs.rs/resilience-rs/latest/resilience/attr.hedge.html) by hand.
///
/// The body must be safe to repeat: two attempts run at once. All attempts run in the task of the
/// caller, each in a box of its own. The defaults are those of the attribute: one hedge, and a
/// budget of the policy of 10 % of the calls and 10 a second. Every value is accepted without a
/// panic.
///
/// ```
/// use core::time::Duration;
/// use resilience::HedgePolicy;
/// use std::cell::Cell;
///
/// static SEARCH: HedgePolicy = HedgePolicy::after(Duration::from_millis(50)).name("search");
///
/// # let runtime = tokio::runtime::Builder::new_current_thread()
/// #     .enable_time().start_paused(true).build().unwrap();
/// # runtime.block_on(async {
/// let attempts = Cell::new(0);
/// let result: Result<u32, String> = SEARCH
///     .run_async(|| async {
///         let attempt = attempts.replace(attempts.get() + 1);
///         tokio::time::sleep(Duration::from_millis(if attempt == 0 { 2000 } else { 10 })).await;
///         Ok(attempt)
///     })
///     .await;
/// assert_eq!(result, Ok(1));
/// # });
/// ```
#[must_use = "a policy has no effect until a call runs"]
pub struct HedgePolicy {
    hedge: Hedge,
    latencies: Option<Latencies>,
    own_budget: RetryBudget,
    budget: Option<&'static RetryBudget>,
    /// The number of hedges and the quantile as given, for [`validate`](Self::validate).
    given: (u8, Option<u32>),
}

type WithoutHook<'p, T, E, On> = Hedged<'p, T, E, On, fn(&T) -> FailureClass, fn(&HedgeEvent)>;

impl HedgePolicy {
    /// Creates a policy with this delay before each hedge.
    #[track_caller]
    pub const fn after(delay: Duration) -> Self {
        Self::new(Hedges { max: rules::MAX, delay, quantile: 0 }, None)
    }

    /// Creates a policy whose delay is a quantile of the latencies of its successful calls, such as
    /// 0.95. Values outside of 0.5 to 0.999 count as the nearer bound. The policy takes about 2 kB.
    #[track_caller]
    pub const fn after_quantile(quantile: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast of a float saturates, and the bounds follow"
        )]
        let thousandths = (quantile * 1000.0 + 0.5) as u32;
        let quantile = match thousandths {
            0..500 => 500,
            500..=999 => thousandths,
            _ => 999,
        };
        let hedges = Hedges { max: rules::MAX, delay: rules::WARM_UP, quantile };
        let mut policy = Self::new(hedges, Some(Latencies::new()));
        policy.given.1 = Some(thousandths);
        policy
    }

    #[track_caller]
    const fn new(hedges: Hedges, latencies: Option<Latencies>) -> Self {
        let hedge = Hedge::new(hedges.max).at(PolicyKind::Hedge.as_str(), 0).with(hedges);
        let own_budget = RetryBudget::ratio(rules::BUDGET);
        Self { hedge, latencies, own_budget, budget: None, given: (hedges.max, None) }
    }

    /// Sets the delay until the quantile is learned, from 20 successes on. Default: one second.
    /// Without a quantile, sets the delay.
    pub const fn warm_up(mut self, delay: Duration) -> Self {
        self.hedge = self.hedge.with(Hedges { delay, ..self.hedge.settings });
        self
    }

    /// Sets the number of attempts beside the first, at most 9. Default: 1.
    pub const fn max(mut self, max: u8) -> Self {
        self.given.0 = max;
        #[expect(clippy::cast_possible_truncation, reason = "the largest number is 9")]
        let max = if max as u32 > rules::LARGEST_MAX { rules::LARGEST_MAX as u8 } else { max };
        self.hedge = self.hedge.with(Hedges { max, ..self.hedge.settings });
        self
    }

    /// Sets the budget for the hedges, which retries may share.
    pub const fn budget(mut self, budget: &'static RetryBudget) -> Self {
        self.budget = Some(budget);
        self
    }

    /// Returns the first rule that the settings break, for settings from a file. The rules and
    /// their messages are those of `#[hedge]`.
    ///
    /// ```
    /// use core::time::Duration;
    /// use resilience::HedgePolicy;
    ///
    /// let policy = HedgePolicy::after(Duration::ZERO);
    /// let error = policy.validate().unwrap_err();
    /// assert!(error.to_string().starts_with("`after` is zero"));
    /// ```
    ///
    /// # Errors
    /// [`InvalidPolicy`]: a delay of zero, a quantile outside 0.5 to 0.999, no hedge or more than
    /// 9, or a budget with a broken rule.
    pub const fn validate(&self) -> Result<(), InvalidPolicy> {
        let (max, quantile) = self.given;
        let delay = self.hedge.settings.delay;
        if let Some(quantile) = quantile {
            ensure!(rules::quantile(quantile), rules::warm_up(delay));
        } else {
            ensure!(rules::after(delay));
        }
        ensure!(rules::max_hedges(max as u32));
        match self.budget {
            Some(budget) => budget.validate(),
            None => Ok(()),
        }
    }

    /// Sets the name in events and logs. Default: `"hedge"`.
    pub const fn name(mut self, name: &'static str) -> Self {
        self.hedge.site.name = name;
        self
    }

    /// Sets a name made at run time. The process stores each different name once and never frees
    /// the name, at most 10 000 names; further names become `"(other)"`.
    pub fn named(self, name: impl AsRef<str>) -> Self {
        self.name(intern(name.as_ref()))
    }

    /// Awaits the first success of the attempts, or the failure of all attempts. Every error is
    /// transient: a failure starts the next attempt at once.
    pub async fn run_async<O, F>(&self, body: impl Fn() -> F) -> O
    where
        O: Outcome,
        F: Future<Output = O>,
    {
        self.on(|_: &O::Err| true).run_async(body).await
    }

    /// Sets the class of an error: a predicate from the error to `bool` or [`FailureClass`]. A
    /// permanent failure ends the call. `E::classify` recognizes local rejections, which count as
    /// no attempt.
    pub fn on<T, E, C: Into<FailureClass>>(
        &self,
        on: impl Fn(&E) -> C,
    ) -> WithoutHook<'_, T, E, impl Fn(&E) -> FailureClass> {
        Hedged {
            policy: self,
            on: move |error: &E| on(error).into(),
            on_ok: |_| FailureClass::permanent(),
            on_hedge: |_| {},
            classifies: PhantomData,
        }
    }
}

impl fmt::Debug for HedgePolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HedgePolicy").field("hedge", &self.hedge).finish_non_exhaustive()
    }
}

/// A hedged call with predicates and a hook, made by [`HedgePolicy::on`].
#[must_use = "a call has no effect until it runs"]
pub struct Hedged<'p, T, E, On, OnOk, OnHedge> {
    policy: &'p HedgePolicy,
    on: On,
    on_ok: OnOk,
    on_hedge: OnHedge,
    classifies: PhantomData<fn(&T, &E)>,
}

impl<'p, T, E, On, OnOk, OnHedge> Hedged<'p, T, E, On, OnOk, OnHedge> {
    /// Sets the values that are failures: a predicate from the value to `bool` or [`FailureClass`].
    pub fn on_ok<D: Into<FailureClass>>(
        self,
        on_ok: impl Fn(&T) -> D,
    ) -> Hedged<'p, T, E, On, impl Fn(&T) -> FailureClass, OnHedge> {
        let Self { policy, on, on_hedge, classifies, .. } = self;
        Hedged { policy, on, on_ok: move |value: &T| on_ok(value).into(), on_hedge, classifies }
    }

    /// Calls `hook` before each hedge.
    pub fn on_hedge<H: FnMut(&HedgeEvent)>(self, hook: H) -> Hedged<'p, T, E, On, OnOk, H> {
        let Self { policy, on, on_ok, classifies, .. } = self;
        Hedged { policy, on, on_ok, on_hedge: hook, classifies }
    }
}

impl<T, E, On, OnOk, OnHedge> Hedged<'_, T, E, On, OnOk, OnHedge>
where
    On: Fn(&E) -> FailureClass,
    OnOk: Fn(&T) -> FailureClass,
    OnHedge: FnMut(&HedgeEvent),
{
    /// Awaits the first success of the attempts, or the failure of all attempts.
    pub async fn run_async<O, F>(self, body: impl Fn() -> F) -> O
    where
        O: Outcome<Ok = T, Err = E>,
        F: Future<Output = O>,
    {
        let Self { policy, on, on_ok, on_hedge, .. } = self;
        let HedgePolicy { hedge: settings, latencies, own_budget, budget, .. } = policy;
        let spending = Spending::new(Some(budget.unwrap_or(own_budget)));
        let mut slots: Vec<_> = (0..=settings.settings.max).map(|_| slot()).collect();
        let mut slots: Vec<_> = slots.iter_mut().map(Pin::as_mut).collect();
        let attempt = || {
            // The closure may run code of its own before the future.
            let attempt = body();
            async move { (attempt.await, RejectionSignal::new()) }
        };
        let classify = |out: &O| match out.as_result() {
            Ok(value) => Some(on_ok(value)).filter(|class| class.kind != FailureKind::Permanent),
            Err(error) => Some(on(error)),
        };
        let latencies = latencies.as_ref();
        hedge(settings, latencies, spending, &mut slots, attempt, classify, on_hedge).await.0
    }
}

fn slot<F>() -> Pin<Box<HedgeSlot<F>>> {
    Box::pin(HedgeSlot::new())
}

impl<T, E, On, OnOk, OnHedge> fmt::Debug for Hedged<'_, T, E, On, OnOk, OnHedge> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hedged").field("policy", self.policy).finish_non_exhaustive()
    }
}
