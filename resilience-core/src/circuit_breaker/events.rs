//! The events of a breaker, on their way to the log and to the hook.
//!
//! Events enter the queue under the lock, in the order of the state changes. After unlocking, one
//! thread at a time delivers them, so the order stays. A thread that finds another thread
//! delivering leaves its event to that thread. No event is delivered while the thread unwinds from
//! a panic: the next use of the breaker delivers the event.

use core::fmt;
use std::collections::VecDeque;
use std::sync::Arc;

use super::CircuitState;
use super::definition::View;
use super::registry::DECISIONS;
use super::snapshot::StateChange;
use crate::keyed::{KeyLabel, OpenShare};
use crate::log;
use crate::process_hooks::contained;
use crate::registry::changes;
use crate::sync::lock;

#[derive(Debug)]
enum Event {
    Changed {
        change: StateChange,
        /// Whether calls of this process decided the change.
        is_local: bool,
        /// While the thread of the failed call makes the text of the failure: the generation of the
        /// change. The event and all events behind wait for the text.
        awaits_cause: Option<u32>,
    },
    LowTraffic {
        calls: u32,
        min_calls: u32,
    },
    /// `max_open` keeps the breaker closed.
    HeldClosed(OpenShare),
}

impl Event {
    const fn is_ready(&self) -> bool {
        !matches!(self, Self::Changed { awaits_cause: Some(_), .. })
    }
}

/// The queue, under the lock of the machine.
#[derive(Debug)]
pub(super) struct Events {
    /// The number of the last state change.
    last: u64,
    queue: VecDeque<Event>,
    is_delivering: bool,
}

impl Events {
    pub(super) const fn new() -> Self {
        Self { last: 0, queue: VecDeque::new(), is_delivering: false }
    }

    /// Adds a state change with the next number. With `awaits_cause`, the generation of the change,
    /// the event waits for [`set_cause`](Self::set_cause).
    pub(super) fn changed(
        &mut self,
        change: StateChange,
        is_local: bool,
        awaits_cause: Option<u32>,
    ) {
        self.last = self.last.saturating_add(1);
        let change = StateChange { number: self.last, ..change };
        self.queue.push_back(Event::Changed { change, is_local, awaits_cause });
    }

    /// Sets the text of the failure behind a change, and releases the event.
    pub(super) fn set_cause(&mut self, generation: u32, text: Option<&Arc<str>>) {
        for event in &mut self.queue {
            if let Event::Changed { change, awaits_cause, .. } = event {
                if *awaits_cause == Some(generation) {
                    *awaits_cause = None;
                    change.cause = text.cloned();
                }
            }
        }
    }

    pub(super) fn warn_of_held_breaker(&mut self, share: OpenShare) {
        self.queue.push_back(Event::HeldClosed(share));
    }

    pub(super) fn warn_of_low_traffic(&mut self, calls: u32, min_calls: u32) {
        self.queue.push_back(Event::LowTraffic { calls, min_calls });
    }

    /// Returns whether events wait for the next use of the breaker.
    pub(super) fn are_deferred(&self) -> bool {
        !self.is_delivering && self.queue.front().is_some_and(Event::is_ready)
    }

    /// Returns whether this thread has to deliver the events.
    pub(super) fn start_delivery(&mut self) -> bool {
        let starts = self.are_deferred() && !std::thread::panicking();
        self.is_delivering |= starts;
        starts
    }

    fn next(&mut self) -> Option<Event> {
        let next = if self.queue.front().is_some_and(Event::is_ready) {
            self.queue.pop_front()
        } else {
            None
        };
        self.is_delivering = next.is_some();
        if self.queue.is_empty() {
            // A change of state is rare, so the memory is not kept.
            self.queue = VecDeque::new();
        }
        next
    }
}

impl View<'_> {
    /// Delivers all events. Only for the thread that [`Events::start_delivery`] selected.
    #[cold]
    #[inline(never)]
    pub(super) fn deliver(self) {
        loop {
            let mut machine = lock(&self.machine);
            let Some(event) = machine.extra.changed().and_then(|extra| extra.events.next()) else {
                self.publish(&machine);
                return;
            };
            drop(machine);
            self.deliver_one(event);
        }
    }

    fn deliver_one(self, event: Event) {
        let (change, is_local) = match event {
            Event::Changed { change, is_local, .. } => (change, is_local),
            Event::HeldClosed(OpenShare { open, keys }) => {
                let max_open = self.definition.settings.max_open.unwrap_or_default();
                contained(|| log::held_closed(self.name_or_default(), open, keys, max_open));
                return;
            }
            Event::LowTraffic { calls, min_calls } => {
                let key = self.key_label.as_ref().map(KeyLabel::as_str);
                contained(|| log::low_traffic(self.name_or_default(), key, calls, min_calls));
                return;
            }
        };
        contained(|| log::state_change(&change));
        let is_published = self.definition.settings.shared.is_none() || DECISIONS.has_listener();
        if is_local && change.to == CircuitState::Open && !is_published {
            contained(|| log::unsynchronized(change.name));
        }
        log::deliver_state_change(&change);
        contained(|| changes::publish(&change));
        let hooks = [
            self.definition.on_state_change.is_none_or(|hook| contained(|| hook(&change))),
            self.definition.hook.as_ref().is_none_or(|Hook(hook)| contained(|| hook(&change))),
        ];
        if hooks.contains(&false) {
            contained(|| log::hook_panicked(change.name, "on_state_change"));
        }
    }
}

/// A hook that captures values.
#[derive(Clone)]
pub(super) struct Hook(pub(super) Arc<dyn Fn(&StateChange) + Send + Sync>);

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook")
    }
}
