//! Identifiers of traces and spans, and which traces are sampled.

use std::cell::{Cell, RefCell};
use std::time::UNIX_EPOCH;

use opentelemetry::trace::{Link, SpanId, SpanKind, TraceContextExt, TraceId};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{
    IdGenerator, Sampler, SamplingDecision, SamplingResult, ShouldSample,
};
use powertools::process::restores;

/// What the event determines of the trace that is being started.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Given {
    /// The trace to continue without a span in it.
    pub(crate) trace: Option<TraceId>,
    /// The sampling decision of the sender, if no span of the sender contains it.
    pub(crate) sampled: Option<bool>,
    /// The sender left the decision to others.
    pub(crate) is_deferred: bool,
}

thread_local! {
    static KEPT: RefCell<Kept> = const { RefCell::new(Kept::NONE) };
    static GIVEN: Cell<Given> = const {
        Cell::new(Given { trace: None, sampled: None, is_deferred: false })
    };
}

/// Starts a root span with what the event determines.
pub(crate) fn with<T>(given: Given, start: impl FnOnce() -> T) -> T {
    GIVEN.set(given);
    let started = start();
    GIVEN.set(Given::default());
    started
}

/// Creates identifiers from the random numbers of the operating system: a generator in the process would
/// repeat them after a restore from a snapshot.
#[derive(Debug)]
pub(crate) struct Random;

impl IdGenerator for Random {
    /// Begins with the time in seconds, as X-Ray requires.
    fn new_trace_id(&self) -> TraceId {
        if let Some(given) = GIVEN.get().trace {
            return given;
        }
        let mut bytes = random::<16>();
        let now = opentelemetry::time::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // X-Ray's time has 32 bits.
        let seconds = u32::try_from(now.as_secs()).unwrap_or(u32::MAX);
        bytes[..4].copy_from_slice(&seconds.to_be_bytes());
        TraceId::from_bytes(bytes)
    }

    fn new_span_id(&self) -> SpanId {
        let kept = KEPT.try_with(|kept| kept.borrow_mut().next(restores()));
        // Fails while the thread ends.
        SpanId::from_bytes(kept.unwrap_or_else(|_| random()))
    }
}

/// Random numbers for the next spans of a thread: one system call for 32 of them. Those from before a restore
/// are dropped, since other environments have them too.
#[derive(Clone)]
struct Kept {
    bytes: [u8; 256],
    used: usize,
    restores: u64,
}

impl Kept {
    const NONE: Self = Self { bytes: [0; 256], used: 256, restores: 0 };

    /// Returns the next one, in a process that was restored so often.
    fn next(&mut self, restores: u64) -> [u8; 8] {
        if self.used == self.bytes.len() || self.restores != restores {
            *self = Self { bytes: random(), used: 0, restores };
        }
        let next = self.bytes[self.used..].first_chunk().copied().unwrap_or_default();
        self.used += 8;
        match next {
            [0, 0, 0, 0, 0, 0, 0, 0] => random(),
            next => next,
        }
    }
}

/// Creates an identifier of an environment.
pub(crate) fn instance() -> String {
    TraceId::from_bytes(random()).to_string()
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    while bytes.iter().all(|byte| *byte == 0) {
        // Without random bytes the identifiers are zero, and the spans are dropped as invalid.
        if getrandom::fill(&mut bytes).is_err() {
            break;
        }
    }
    bytes
}

/// Samples by the decision of the sender, if that is enabled and there is one, otherwise by its own rule.
#[derive(Clone, Debug)]
pub(crate) struct Sampling {
    pub(crate) by_parent: bool,
    pub(crate) rule: Sampler,
}

impl ShouldSample for Sampling {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let given = GIVEN.get();
        let by_rule = || self.rule.should_sample(parent, trace, name, kind, attributes, links);
        if !self.by_parent {
            return by_rule();
        }
        let span = parent.map(|parent| parent.span().span_context().clone());
        let sampled = match span.filter(|span| span.is_valid()) {
            Some(_) if given.is_deferred => return by_rule(),
            Some(span) => {
                let trace_state = span.trace_state().clone();
                return result(span.is_sampled(), trace_state);
            }
            None => given.sampled,
        };
        sampled.map_or_else(by_rule, |sampled| result(sampled, Default::default()))
    }
}

fn result(sampled: bool, trace_state: opentelemetry::trace::TraceState) -> SamplingResult {
    let decision = match sampled {
        true => SamplingDecision::RecordAndSample,
        false => SamplingDecision::Drop,
    };
    SamplingResult { decision, attributes: Vec::new(), trace_state }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use powertools::Clock;

    use super::*;

    #[test]
    fn a_trace_begins_with_the_second_of_its_start() {
        let now = || Clock::system().now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let before = now();
        let trace = Random.new_trace_id().to_bytes();
        let seconds = u64::from(u32::from_be_bytes(trace[..4].try_into().unwrap()));
        assert!((before..=now()).contains(&seconds), "{seconds}");
    }

    #[test]
    fn environments_of_one_snapshot_have_other_ids_than_it_and_each_other() {
        let mut snapshot = Kept::NONE;
        // There are some left.
        snapshot.next(0);
        let environments = [(snapshot.clone(), 0), (snapshot.clone(), 1), (snapshot, 1)];
        let mut seen = HashSet::new();
        for (mut kept, restores) in environments {
            // More than are kept at a time.
            assert!((0..100).all(|_| seen.insert(kept.next(restores))), "an id is there twice");
        }
    }
}
