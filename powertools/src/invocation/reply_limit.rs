//! How large a reply may be.

use super::{Invocation, LARGEST_REPLY};

/// The most bytes of a reply that is not streamed, and what takes no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReplyLimit {
    pub(crate) bytes: usize,
    pub(crate) of: &'static str,
}

impl ReplyLimit {
    pub(crate) const LAMBDA: Self = Self { bytes: LARGEST_REPLY, of: "Lambda" };
}

impl Invocation {
    /// Sets the limit of the reply to this event, below that of Lambda. The first one counts.
    #[cfg(feature = "http")]
    pub(crate) fn limit_reply(&self, limit: ReplyLimit) {
        let _ = self.event().reply_limit.set(limit);
    }

    /// Returns the limit of the reply to this event.
    pub(crate) fn reply_limit(&self) -> ReplyLimit {
        self.event().reply_limit.get().copied().unwrap_or(ReplyLimit::LAMBDA)
    }
}
