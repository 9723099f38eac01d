//! Which record starts next. Nothing here waits or runs.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// Who may still start after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AfterFailure {
    /// All but those behind it in its order.
    Others,
    /// Those that stand before it in the batch.
    Earlier,
    /// Nobody.
    None,
}

/// The order in which the records of a batch start.
///
/// The earliest record in the batch that may start is always next. A record that has others before
/// it in its order waits for the one right before it, so a failure there stops what is behind.
#[derive(Debug)]
pub(super) struct Plan {
    after_failure: AfterFailure,
    /// Records from here on may not start.
    end: usize,
    /// Records before this have started or wait for one before them in their order.
    cursor: usize,
    /// Records before the cursor that may start now.
    ready: BinaryHeap<Reverse<usize>>,
    /// What is known of each record's order; empty if there is none among them.
    places: Vec<Place>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Place {
    waits: bool,
    next: Option<u32>,
}

impl Plan {
    pub(super) fn new(records: usize, after_failure: AfterFailure) -> Self {
        Self {
            after_failure,
            end: records,
            cursor: 0,
            ready: BinaryHeap::new(),
            places: Vec::new(),
        }
    }

    /// Keeps records of the same order from running side by side.
    pub(super) fn keep_order<'a>(
        mut self,
        orders: impl Iterator<Item = Option<Cow<'a, str>>>,
    ) -> Self {
        let mut last: HashMap<Cow<'a, str>, usize> = HashMap::new();
        for (index, order) in orders.enumerate() {
            let Some(order) = order else { continue };
            if self.places.is_empty() {
                self.places.resize(self.end, Place::default());
            }
            if let Some(before) = last.insert(order, index) {
                // No event is so large that a place in it does not fit.
                self.places[before].next = u32::try_from(index).ok();
                self.places[index].waits = true;
            }
        }
        self
    }

    /// Takes the record that starts next.
    pub(super) fn start(&mut self) -> Option<usize> {
        while self.cursor < self.end && self.waits(self.cursor) {
            self.cursor += 1;
        }
        // Those that are ready stand before the cursor.
        let next = match self.ready.pop() {
            Some(Reverse(index)) => index,
            None => {
                let index = self.cursor;
                self.cursor += 1;
                index
            }
        };
        (next < self.end).then_some(next)
    }

    /// Says how a record ended.
    pub(super) fn finish(&mut self, index: usize, done: bool) {
        if done {
            if let Some(next) = self.places.get(index).and_then(|place| place.next) {
                let next = next as usize;
                self.places[next].waits = false;
                if next < self.cursor {
                    self.ready.push(Reverse(next));
                }
            }
            return;
        }
        match self.after_failure {
            AfterFailure::Others => {}
            AfterFailure::Earlier => self.end = self.end.min(index),
            AfterFailure::None => self.end = 0,
        }
    }

    /// Lets nothing start any more.
    pub(super) fn stop(&mut self) {
        self.end = 0;
    }

    /// True if nothing can start now, whatever the clock says.
    pub(super) fn is_idle(&self) -> bool {
        self.ready.is_empty() && self.cursor >= self.end
    }

    fn waits(&self, index: usize) -> bool {
        self.places.get(index).is_some_and(|place| place.waits)
    }
}
