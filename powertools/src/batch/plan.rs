//! Decides which record starts next. Nothing here waits or runs.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// Which records may still start after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AfterFailure {
    /// All but those after it in its order.
    Others,
    /// The records before it in the batch.
    Earlier,
    /// None.
    None,
}

/// The order in which the records of a batch start.
///
/// The earliest record in the batch that may start is always next. A record with others before it
/// in its order waits for the one right before it, so a failure stops the rest of its order.
#[derive(Debug)]
pub(super) struct Plan {
    after_failure: AfterFailure,
    /// Records from here on may not start.
    end: usize,
    /// Records before this have started or wait for one before them in their order.
    cursor: usize,
    /// Records before the cursor that may start now.
    ready: BinaryHeap<Reverse<usize>>,
    /// The group of each record; empty if no record has one.
    places: Vec<Place>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Place {
    waits: bool,
    /// The next record of its order, until it is known that it must not start.
    next: Option<u32>,
    /// Whether the next one started together with it.
    is_next_started: bool,
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

    /// Prevents records of the same order from running concurrently.
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

    /// Returns the record that starts next.
    pub(super) fn start(&mut self) -> Option<usize> {
        while self.cursor < self.end && self.waits(self.cursor) {
            self.cursor += 1;
        }
        // The ready records are before the cursor.
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

    /// Returns the records that start next, in the order of the batch: at most as many as this.
    ///
    /// Records of one order can be among them, one after another.
    pub(super) fn start_chunk(&mut self, most: usize) -> Vec<usize> {
        let mut chunk = Vec::new();
        while chunk.len() < most
            && let Some(index) = self.start()
        {
            chunk.push(index);
            self.release_next(index);
        }
        for index in &chunk {
            let Some(place) = self.places.get_mut(*index) else { continue };
            let Some(next) = place.next.map(|next| next as usize) else { continue };
            place.is_next_started = chunk.binary_search(&next).is_ok();
            if !place.is_next_started {
                self.places[next].waits = true;
            }
        }
        let Self { ready, places, .. } = self;
        ready.retain(|Reverse(index)| !places[*index].waits);
        chunk
    }

    /// Notes how a record ended: those of a chunk in their order.
    pub(super) fn finish(&mut self, index: usize, done: bool) {
        if done {
            return self.release_next(index);
        }
        match self.after_failure {
            AfterFailure::Others => self.end_order(index),
            AfterFailure::Earlier => self.end = self.end.min(index),
            AfterFailure::None => self.end = 0,
        }
    }

    /// Prevents all further records from starting.
    pub(super) fn stop(&mut self) {
        self.end = 0;
        self.ready.clear();
    }

    /// Returns true if no record can start now.
    pub(super) fn is_idle(&self) -> bool {
        self.ready.is_empty() && self.cursor >= self.end
    }

    /// Allows the next record of the same order to start.
    fn release_next(&mut self, index: usize) {
        if let Some(place) = self.places.get(index)
            && !place.is_next_started
            && let Some(next) = place.next
        {
            let next = next as usize;
            self.places[next].waits = false;
            if next < self.cursor {
                self.ready.push(Reverse(next));
            }
        }
    }

    /// Prevents the rest of an order from starting, however those after `index` end that are in its chunk.
    fn end_order(&mut self, mut index: usize) {
        while let Some(next) = self.places.get_mut(index).and_then(|place| place.next.take()) {
            index = next as usize;
        }
    }

    fn waits(&self, index: usize) -> bool {
        self.places.get(index).is_some_and(|place| place.waits)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A batch, and what its records do once they run.
    #[derive(Clone, Debug)]
    struct Case {
        /// The order of each record, and whether it fails.
        records: Vec<(Option<u8>, bool)>,
        concurrency: usize,
        after_failure: AfterFailure,
        /// Which of the running records ends next, again and again.
        ends: Vec<prop::sample::Index>,
        /// The step before which the time is exhausted.
        stop: Option<usize>,
    }

    fn cases() -> impl Strategy<Value = Case> {
        let record = (prop::option::of(0..4_u8), prop::bool::weighted(0.2));
        let after_failure = prop_oneof![
            Just(AfterFailure::Others),
            Just(AfterFailure::Earlier),
            Just(AfterFailure::None),
        ];
        (
            prop::collection::vec(record, 0..24),
            1..6_usize,
            after_failure,
            prop::collection::vec(any::<prop::sample::Index>(), 24),
            prop::option::weighted(0.3, 0..24_usize),
        )
            .prop_map(|(records, concurrency, after_failure, ends, stop)| Case {
                records,
                concurrency,
                after_failure,
                ends,
                stop,
            })
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum State {
        NotStarted,
        Running,
        Done,
        Failed,
    }

    /// Applies the rules to all records each time: returns which record may start next, if those of
    /// `chunk` start together with it.
    fn next_by_the_rules(case: &Case, states: &[State], chunk: &[usize]) -> Option<usize> {
        (0..states.len()).find(|&index| {
            let (order, _) = case.records[index];
            let in_order = (0..index)
                .filter(|&before| order.is_some() && case.records[before].0 == order)
                .all(|before| states[before] == State::Done || chunk.contains(&before));
            let failed = |index: usize| states[index] == State::Failed;
            let stopped = match case.after_failure {
                AfterFailure::Others => false,
                AfterFailure::Earlier => (0..index).any(failed),
                AfterFailure::None => (0..states.len()).any(failed),
            };
            states[index] == State::NotStarted && in_order && !stopped
        })
    }

    fn plan(case: &Case) -> Plan {
        let orders = case.records.iter().map(|(order, _)| order.map(|n| n.to_string().into()));
        Plan::new(case.records.len(), case.after_failure).keep_order(orders)
    }

    #[test]
    fn a_chunk_has_records_of_an_order_one_after_another_and_the_rest_waits_for_it() {
        let orders = ["a", "a", "b", "a", "a"].map(|order| Some(order.into()));
        let mut plan = Plan::new(5, AfterFailure::Others).keep_order(orders.into_iter());
        assert_eq!(plan.start_chunk(3), [0, 1, 2]);
        assert_eq!(plan.start_chunk(3), [0; 0], "the rest waits for 1");
        plan.finish(0, true);
        assert!(plan.is_idle());
        plan.finish(1, true);
        plan.finish(2, true);
        assert_eq!(plan.start_chunk(1), [3]);
        assert!(plan.is_idle(), "4 waits for 3");
        plan.finish(3, false);
        assert!(plan.is_idle());
    }

    #[test]
    fn no_record_starts_after_a_stop() {
        let orders = [Some("a".into()), Some("a".into()), None];
        let mut plan = Plan::new(3, AfterFailure::Others).keep_order(orders.into_iter());
        assert_eq!((plan.start(), plan.start()), (Some(0), Some(2)));
        plan.finish(0, true);
        assert!(!plan.is_idle(), "the second one is ready");

        plan.stop();
        assert!(plan.is_idle());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn records_start_by_the_rules(case in cases()) {
            let mut plan = plan(&case);
            let mut states = vec![State::NotStarted; case.records.len()];
            for (step, end) in case.ends.iter().enumerate() {
                if case.stop == Some(step) {
                    plan.stop();
                }
                let running = |states: &[State]| {
                    let all = 0..states.len();
                    all.filter(|&index| states[index] == State::Running).collect::<Vec<_>>()
                };
                while running(&states).len() < case.concurrency {
                    let stopped = case.stop.is_some_and(|stop| stop <= step);
                    let expected =
                        if stopped { None } else { next_by_the_rules(&case, &states, &[]) };
                    let idle = plan.is_idle();
                    let next = plan.start();
                    prop_assert_eq!(next, expected);
                    prop_assert!(next.is_none() || !idle);
                    let Some(index) = next else { break };
                    states[index] = State::Running;
                }
                let running = running(&states);
                if running.is_empty() {
                    break;
                }
                let index = running[end.index(running.len())];
                let done = !case.records[index].1;
                states[index] = if done { State::Done } else { State::Failed };
                plan.finish(index, done);
            }
        }

        #[test]
        fn chunks_start_by_the_rules(case in cases(), most in 1..6_usize) {
            let mut plan = plan(&case);
            let mut states = vec![State::NotStarted; case.records.len()];
            let mut running: Vec<Vec<usize>> = Vec::new();
            for end in &case.ends {
                while running.len() < case.concurrency {
                    let mut expected = Vec::new();
                    while expected.len() < most
                        && let Some(index) = next_by_the_rules(&case, &states, &expected)
                    {
                        states[index] = State::Running;
                        expected.push(index);
                    }
                    prop_assert_eq!(&plan.start_chunk(most), &expected);
                    if expected.is_empty() {
                        break;
                    }
                    running.push(expected);
                }
                if running.is_empty() {
                    break;
                }
                let mut broken = Vec::new();
                for index in running.remove(end.index(running.len())) {
                    let (order, fails) = case.records[index];
                    let follows = order.is_some() && broken.contains(&order);
                    if fails || follows {
                        broken.push(order);
                    }
                    states[index] = if fails || follows { State::Failed } else { State::Done };
                    plan.finish(index, !fails);
                }
            }
        }

        #[test]
        fn without_failures_everything_starts(case in cases()) {
            let mut plan = plan(&case);
            let mut started = 0;
            while let Some(index) = plan.start() {
                started += 1;
                plan.finish(index, true);
            }
            prop_assert_eq!(started, case.records.len());
            prop_assert!(plan.is_idle());
        }
    }
}
