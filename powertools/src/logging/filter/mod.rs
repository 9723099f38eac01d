//! Which events become lines.

pub(super) mod admission;
mod base;
#[cfg(feature = "env-filter")]
mod by_span;
#[cfg(not(feature = "env-filter"))]
#[path = "by_no_span.rs"]
mod by_span;
pub(super) mod levels;

use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Filter};
use tracing_subscriber::registry::LookupSpan;

use self::base::Base;
use self::levels::Level;
use super::settings::{Settings, Shared};
use super::state::State;
use super::state::spanned::invocation_of;
use crate::invocation::Invocation;

/// [`Admission`] as the filter of this layer alone, so that other layers have their own.
pub(super) struct Admit(pub(super) Shared);

impl Admit {
    fn base(&self) -> &Base {
        &self.0.admission.base
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Filter<S> for Admit {
    fn enabled(&self, metadata: &Metadata<'_>, context: &Context<'_, S>) -> bool {
        let admission = &self.0.admission;
        if admission.admits(metadata, context.clone()) || admission.keeps_span(metadata) {
            return true;
        }
        let Settings { buffer, sample_rate, .. } = *self.0;
        let is_sampled = |invocation: &Invocation| {
            invocation.local::<State>().is_sampled(invocation, sample_rate)
        };
        admission.is_debug_line(metadata)
            && (buffer > 0
                || Invocation::with_current(is_sampled).unwrap_or_else(|| {
                    let scope = context.lookup_current().map(|span| span.scope());
                    invocation_of(scope).as_ref().is_some_and(is_sampled)
                }))
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        let admission = &self.0.admission;
        let base = Filter::<S>::callsite_enabled(self.base(), metadata);
        if admission.level == Level::Fatal {
            Interest::never()
        } else if admission.keeps_span(metadata) {
            Interest::always()
        } else if admission.may_admit(metadata) && !base.is_never() {
            base
        } else if admission.is_debug_line(metadata) {
            // Every invocation buffers these lines, and the layer drops those outside of one.
            // Whether an invocation is sampled is checked for each line.
            if self.0.buffer > 0 { Interest::always() } else { Interest::sometimes() }
        } else {
            Interest::never()
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        let admission = &self.0.admission;
        if admission.level == Level::Fatal {
            return Some(LevelFilter::OFF);
        }
        let base = admission.cap;
        let debug = if admission.debug { LevelFilter::DEBUG } else { LevelFilter::INFO };
        Some(base.max(debug))
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        self.base().on_new_span(attributes, id, context);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        self.base().on_record(id, values, context);
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        self.base().on_enter(id, context);
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        self.base().on_exit(id, context);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        self.base().on_close(id, context);
    }
}
