//! What the logs know of one invocation.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

mod appended;
pub(super) mod buffer;
pub(super) mod ending;
pub(super) mod spanned;

use self::appended::Appended;
use self::buffer::Buffer;
use self::ending::Ending;
use super::line::fields::Fields;
use super::settings::{Settings, Shared};
use crate::Invocation;
use crate::json::{cut, write};

/// The bytes of a correlation id: it is on every line, and comes from outside.
const CORRELATION_ID: usize = 256;

/// Lives in the [`Invocation`] and goes with it.
#[derive(Default)]
pub(super) struct State {
    /// Where the invocation stands among all, from 0 to 1: what is below the rate is sampled.
    share: OnceLock<f64>,
    changing: Mutex<Changing>,
}

#[derive(Default)]
pub(super) struct Changing {
    /// The fields of the invocation as they stand in a line, once that has been asked for.
    head: Vec<u8>,
    pub(super) appended: Appended,
    correlation_id: Option<String>,
    /// Kept lines, and the settings by which they are written.
    pub(super) kept: Option<(Shared, Buffer)>,
    pub(super) ending: Ending,
    /// The handler has ended: nothing is kept any more.
    pub(super) ended: bool,
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

impl Changing {
    /// Writes the fields of the invocation, and then those appended keys that are in none of
    /// `others`; and before those the keys of the process.
    pub(super) fn write(
        &mut self,
        invocation: &Invocation,
        sampled: Option<bool>,
        settings: &Settings,
        others: &Fields,
        out: &mut Vec<u8>,
    ) {
        if self.head.is_empty() {
            self.head = head(invocation, self.correlation_id.as_deref(), sampled, settings);
        }
        out.extend_from_slice(&self.head);
        if self.appended.is_empty() {
            return settings.persistent.write_without(&[others], out);
        }
        let appended = self.appended.fields(&settings.style());
        settings.persistent.write_without(&[others, appended], out);
        appended.write_without(&[others], out);
    }

    pub(super) fn set_correlation_id(&mut self, mut id: String) {
        if id.len() > CORRELATION_ID {
            id.truncate(cut::beginning(&id, CORRELATION_ID - cut::ELLIPSIS.len()).len());
            id.push_str(cut::ELLIPSIS);
        }
        self.correlation_id = Some(id);
        self.head.clear();
    }

    /// Keeps a line for later.
    pub(super) fn keep(&mut self, line: &[u8], settings: &Shared) {
        let (_, buffer) = self.kept.get_or_insert_with(|| (settings.clone(), Buffer::default()));
        buffer.push(line, settings.buffer);
    }
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
