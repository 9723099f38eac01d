//! What the logs know of one invocation.

use std::cell::Cell;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

mod appended;
pub(super) mod buffer;
pub(super) mod ending;
pub(super) mod spanned;

use self::appended::Appended;
use self::buffer::{Buffer, Owner};
use self::ending::Ending;
use super::line::fields::{Fields, Inner};
use super::settings::{Settings, Shared};
use crate::error::panic::catch;
use crate::invocation::{Invocation, RecordIdentity};
use crate::json::{cut, write};

/// The bytes of what identifies an event or a record.
const IDENTIFIER: usize = 256;

/// A value of the [`Invocation`]: one for the event, and one for each record that logs.
#[derive(Default)]
pub(super) struct State {
    /// A random number from 0 to 1: an invocation below the rate is sampled.
    share: OnceLock<f64>,
    /// What identifies the record, as it is written in a line.
    record: OnceLock<Fields>,
    changing: Mutex<Changing>,
}

#[derive(Default)]
pub(super) struct Changing {
    /// The fields of the invocation as they are written in a line, after the first one. The event has
    /// them, and a record with a correlation id of its own.
    head: Vec<u8>,
    pub(super) appended: Appended,
    correlation_id: Option<String>,
    /// The record's number among those that keep lines.
    owner: Owner,
    pub(super) event: OfEvent,
}

/// What only the event has, and no record.
#[derive(Default)]
pub(super) struct OfEvent {
    /// Kept lines, and the settings by which they are written.
    kept: Option<(Shared, Buffer)>,
    /// The settings of the output that holds lines.
    holds: Option<Shared>,
    /// How many records keep lines.
    owners: Owner,
    pub(super) ending: Ending,
    /// The handler has ended: nothing is kept any more.
    pub(super) ended: bool,
}

impl OfEvent {
    /// Ends a watch. Returns the output to flush, if no other watch is active.
    pub(super) fn end(&mut self, watch: u64) -> Option<Shared> {
        self.ending.end(watch);
        self.ended = !self.ending.is_watched();
        if self.ended { self.holds.take() } else { None }
    }
}

impl State {
    pub(super) fn lock(&self) -> MutexGuard<'_, Changing> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The decision for an invocation, which its request id makes.
    pub(super) fn is_sampled(&self, invocation: &Invocation, rate: f64) -> bool {
        *self.share.get_or_init(|| share(invocation.request_id())) < rate
    }
}

/// A number from 0 to 1 and never 1, always the same one for a request id.
fn share(request_id: &str) -> f64 {
    let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(request_id);
    // The upper 53 bits.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit into a double")]
    let share = (hash >> 11) as f64 / (1_u64 << 53) as f64;
    share
}

/// Where a line is written: in the handler of a record, or elsewhere in an invocation.
pub(super) struct Place<'a> {
    invocation: &'a Invocation,
    event: &'a State,
    /// That of the record, or else of the event.
    own: &'a State,
}

impl<'a> Place<'a> {
    pub(super) fn of(invocation: &'a Invocation) -> Self {
        let event = invocation.local();
        let own = if invocation.is_for_record() { invocation.record_local() } else { event };
        Self { invocation, event, own }
    }

    fn is_record(&self) -> bool {
        !std::ptr::eq(self.event, self.own)
    }

    /// The decision for the invocation, if there is a rate.
    pub(super) fn is_sampled(&self, rate: f64) -> Option<bool> {
        (rate > 0.0).then(|| self.event.is_sampled(self.invocation, rate))
    }

    /// Writes the fields of the invocation and then its keys that `fields` does not have, from the
    /// outside in: those of the process, the event and the record.
    pub(super) fn write(
        &self,
        sampled: Option<bool>,
        settings: &Settings,
        fields: &Fields,
        out: &mut Vec<u8>,
    ) {
        let inner = Inner::new(fields);
        if !self.is_record() {
            let mut event = self.event.lock();
            event.write_head(self.invocation, sampled, settings, out);
            if event.appended.is_empty() {
                return settings.persistent().write_without(&inner, out);
            }
            drop(event);
            return self.event.write_keys(&mut std::iter::empty(), &inner, settings, out);
        }
        self.find_record(settings);
        // The correlation id is that of the innermost scope that has one.
        let scopes = || self.invocation.locals::<State>();
        let with_id = scopes().find(|scope| scope.lock().correlation_id.is_some());
        let head = with_id.unwrap_or(self.event);
        head.lock().write_head(self.invocation, sampled, settings, out);
        self.own.write_keys(&mut scopes().skip(1), &inner, settings, out);
    }

    /// Finds out what identifies the record, once. No lock is held: its code is the user's, and can log.
    fn find_record(&self, settings: &Settings) {
        thread_local! {
            /// This thread is finding it out: the lines of the user's code do without it.
            static FINDS: Cell<bool> = const { Cell::new(false) };
        }
        if self.own.record.get().is_some() || FINDS.replace(true) {
            return;
        }
        // A panic has its own line. This one is written without what is not known.
        let record = catch(|| record(self.invocation, settings)).unwrap_or_default();
        FINDS.set(false);
        // Another thread can have been earlier.
        let _ = self.own.record.set(record);
    }

    /// Keeps a line for later.
    pub(super) fn keep(&self, line: &[u8], settings: &Shared) {
        let owner = self.owner();
        let event = &mut self.event.lock().event;
        if !event.ended {
            let kept = || (settings.clone(), Buffer::default());
            let (_, buffer) = event.kept.get_or_insert_with(kept);
            buffer.push(owner, line, settings.buffer);
        }
    }

    /// Hands a line to the output to be written with others, if it can be and the handler has an end
    /// that will write them before the reply. Returns false if the line is to be written now.
    pub(super) fn hold(&self, line: &[u8], settings: &Shared) -> bool {
        if !settings.output.holds() {
            return false;
        }
        let mut state = self.event.lock();
        let OfEvent { holds, ending, .. } = &mut state.event;
        if !ending.comes_before_reply() {
            return false;
        }
        if holds.is_none() {
            *holds = Some(settings.clone());
            let settings = settings.clone();
            self.invocation.on_stop(move || settings.output.flush());
        }
        // Under the lock, so that the end of the handler comes before or after this line.
        let is_due = settings.output.hold(line);
        drop(state);
        if is_due {
            settings.output.flush();
        }
        true
    }

    /// Takes out the lines that are kept: those of the record, or all of the event.
    pub(super) fn take_kept(&self) -> Option<(Shared, Buffer)> {
        if !self.is_record() {
            return self.event.lock().event.kept.take();
        }
        let owner = self.owner();
        let event = &mut self.event.lock().event;
        event.kept.as_mut().map(|(settings, buffer)| (settings.clone(), buffer.take(owner)))
    }

    /// The number of the record; 0 outside of records.
    fn owner(&self) -> Owner {
        if !self.is_record() {
            return 0;
        }
        let mut own = self.own.lock();
        if own.owner == 0 {
            let event = &mut self.event.lock().event;
            event.owners += 1;
            own.owner = event.owners;
        }
        own.owner
    }
}

impl State {
    /// Writes the keys of the process, of the outer scopes, and then these, each without the names
    /// of inner ones.
    fn write_keys(
        &self,
        outers: &mut dyn Iterator<Item = &State>,
        inner: &Inner<'_>,
        settings: &Settings,
        out: &mut Vec<u8>,
    ) {
        let unknown = Fields::default();
        let record = self.record.get().unwrap_or(&unknown);
        let mut changing = self.lock();
        let style = settings.style();
        let appended = changing.appended.fields(&style);
        let (of_record, of_outer) = (inner.and(appended), inner.and(appended));
        let of_outer = of_outer.and(record);
        match outers.next() {
            Some(outer) => outer.write_keys(outers, &of_outer, settings, out),
            None => settings.persistent().write_without(&of_outer, out),
        }
        record.write_without(&of_record, out);
        appended.write_without(inner, out);
    }
}

impl Changing {
    /// Writes the fields of the invocation with the correlation id of this scope.
    fn write_head(
        &mut self,
        invocation: &Invocation,
        sampled: Option<bool>,
        settings: &Settings,
        out: &mut Vec<u8>,
    ) {
        if self.head.is_empty() {
            let id = self.correlation_id.as_deref();
            self.head = head(invocation, id, sampled, settings);
        }
        out.extend_from_slice(&self.head);
    }

    pub(super) fn set_correlation_id(&mut self, id: String) {
        self.correlation_id = Some(shortened(id));
        self.head.clear();
    }
}

/// Returns an id, truncated since it is on every line.
fn shortened(mut id: String) -> String {
    if id.len() > IDENTIFIER {
        id.truncate(cut::beginning(&id, IDENTIFIER - cut::ELLIPSIS.len()).len());
        id.push_str(cut::ELLIPSIS);
    }
    id
}

/// `,"record":"m-1","attempt":2,"group":"customer-7"`
fn record(invocation: &Invocation, settings: &Settings) -> Fields {
    let mut fields = Fields::default();
    let Some(RecordIdentity { identifier, attempt, group, .. }) = invocation.record() else {
        return fields;
    };
    let style = settings.style();
    let text = |fields: &mut Fields, name: &'static str, value: String| {
        fields.put(name.into(), &style, |out| write::string(out, &shortened(value)));
    };
    text(&mut fields, "record", identifier);
    if let Some(attempt) = attempt {
        fields.put("attempt".into(), &style, |out| write::integer(out, attempt));
    }
    if let Some(group) = group {
        text(&mut fields, "group", group);
    }
    fields
}

/// `,"cold_start":true,"function_name":…`
fn head(
    invocation: &Invocation,
    correlation_id: Option<&str>,
    sampled: Option<bool>,
    settings: &Settings,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    let text = |out: &mut Vec<u8>, name: &str, value: &str| {
        settings.format.name(out, name);
        settings.redaction.string(out, name, value);
    };
    if let Some(sampled) = sampled {
        settings.format.name(&mut out, "sampled");
        write::boolean(&mut out, sampled);
    }
    settings.format.name(&mut out, "cold_start");
    write::boolean(&mut out, invocation.is_cold_start());
    text(&mut out, "function_name", invocation.function_name());
    settings.format.name(&mut out, "function_memory_size");
    write::integer(&mut out, invocation.memory_mb());
    text(&mut out, "function_arn", invocation.function_arn());
    text(&mut out, "function_request_id", invocation.request_id());
    if let Some(id) = correlation_id {
        text(&mut out, "correlation_id", id);
    }
    if let Some(header) = invocation.xray_trace_id() {
        text(&mut out, "xray_trace_id", root(header));
    }
    if let Some(tenant) = invocation.tenant_id() {
        text(&mut out, "tenant_id", tenant);
    }
    out
}

/// The trace of an X-Ray header `Root=1-…;Parent=…;Sampled=1`.
fn root(header: &str) -> &str {
    let mut parts = header.split(';').map(str::trim);
    parts.find_map(|part| part.strip_prefix("Root=")).unwrap_or(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_true_to_its_number() {
        for rate in [0.0, 0.001, 0.01, 0.25, 1.0] {
            let ids = 200_000_u32;
            let sampled = (0..ids).filter(|id| share(&format!("8476a536-{id:08}")) < rate).count();
            let expected = rate * f64::from(ids);
            // Five standard deviations.
            let slack = 5.0 * (expected * (1.0 - rate)).sqrt();
            let sampled = f64::from(u32::try_from(sampled).unwrap());
            assert!((sampled - expected).abs() <= slack, "{rate}: {sampled} of {ids}");
        }
    }

    #[test]
    fn the_trace_is_found_in_its_header() {
        assert_eq!(root("Root=1-5759e988-bd86;Parent=53995c3f;Sampled=1"), "1-5759e988-bd86");
        assert_eq!(root("Self=1-2;Root=1-5759e988"), "1-5759e988");
        assert_eq!(root("1-5759e988"), "1-5759e988");
    }
}
