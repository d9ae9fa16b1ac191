//! The parts of a breaker: the definition, which breakers for several keys share, and the state.

use core::borrow::Borrow;
use core::ops::Deref;
use std::sync::{Arc, OnceLock};

use super::CircuitBreaker;
use super::cause::Cause;
use super::cursor::Cursor;
use super::events::Hook;
use super::machine::Machine;
use super::settings::Settings;
use super::slots::Slots;
use super::snapshot::StateChange;
use super::word::flags;
use crate::keyed::KeyLabel;
use crate::registry::PolicyFigures;
use crate::settings::Live;
use crate::sync::{AtomicU64, Mutex, Tally, const_fn};

/// The part of a breaker that does not change: the settings of the code, names and hooks.
#[doc(hidden)]
#[derive(Debug)]
pub struct Definition {
    /// The settings of the code.
    pub(super) settings: Settings,
    /// Whether the settings are overridden.
    pub(super) live: Live<Settings>,
    pub(super) on_state_change: Option<fn(&StateChange)>,
    /// The hook made at run time.
    pub(super) hook: Option<Hook>,
    /// Whether the breaker belongs to an annotated function.
    pub(super) listed: bool,
    pub(super) figures: PolicyFigures,
}

/// A place of a [`Definition`]: the definition itself, or an [`Arc`](std::sync::Arc).
#[doc(hidden)]
pub trait Defined: Borrow<Definition> + Send + Sync {}

impl<D: Borrow<Definition> + Send + Sync> Defined for D {}

/// The part of a breaker that calls change.
#[derive(Debug)]
pub(super) struct State {
    /// The state for the fast paths, published at each change.
    pub(super) word: AtomicU64,
    /// The end of the open time, in the clock's nanoseconds. While closed with failures in a row:
    /// the time from which the failures say nothing about the present, in nanoseconds from the
    /// origin of the clock. A call that has read the word of an open breaker and is interrupted
    /// then reads a time of the past, and asks the machine.
    pub(super) until: AtomicU64,
    pub(super) cursor: Cursor,
    pub(super) machine: Mutex<Machine>,
    pub(super) cause: Cause,
    pub(super) rare: OnceLock<Box<Rare>>,
    /// The label of the key in rejections, if the breaker serves one key.
    pub(super) key_label: Option<KeyLabel>,
    /// The rejected calls that the record does not count for this breaker alone.
    pub(super) rejected: Tally,
}

impl State {
    /// Returns the slots of running calls, if the breaker has measured a call.
    #[inline]
    pub(super) fn slots(&self) -> Option<&Slots> {
        self.rare.get().and_then(|rare| rare.slots.as_deref())
    }
}

/// The rare parts, in memory of their own: a breaker for a key stays small.
#[derive(Debug)]
pub(super) struct Rare {
    /// The settings in use, if overridden.
    pub(super) live: Live<Settings>,
    /// The running calls, if the breaker measures calls.
    pub(super) slots: Option<Arc<Slots>>,
}

impl State {
    const_fn! {
        pub(super) fn new(settings: &Settings) -> Self {
            Self {
                word: AtomicU64::new(super::CLOSED | flags(settings, 0)),
                until: AtomicU64::new(0),
                cursor: Cursor::new(),
                machine: Mutex::new(Machine::new()),
                cause: Cause::new(),
                rare: OnceLock::new(),
                key_label: None,
                rejected: Tally::new(0),
            }
        }
    }
}

/// A breaker with its definition in any place. The decisions are methods of this type, so that
/// their code exists once.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'b> {
    pub(super) definition: &'b Definition,
    pub(super) state: &'b State,
}

impl Deref for View<'_> {
    type Target = State;

    #[inline]
    fn deref(&self) -> &State {
        self.state
    }
}

impl<'b> View<'b> {
    /// Returns the rare parts. Allocates their memory.
    #[cold]
    pub(super) fn rare(self) -> &'b Rare {
        self.state.rare.get_or_init(|| {
            // No override turns the measurement on or off.
            let slots = self.definition.settings.slow_call.map(Slots::new).map(Arc::new);
            Box::new(Rare { live: Live::new(), slots })
        })
    }
}

impl<D: Defined> CircuitBreaker<D> {
    #[inline]
    pub(super) fn view(&self) -> View<'_> {
        View { definition: self.definition.borrow(), state: &self.state }
    }
}
