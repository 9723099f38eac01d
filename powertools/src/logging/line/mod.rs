//! What a line is made of.

pub(super) mod copy;
pub(super) mod cut;
pub(super) mod debug_form;
pub(super) mod exception;
pub(super) mod fields;
pub(super) mod format;
pub(super) mod indent;
pub(super) mod json;
pub(super) mod keys;
pub(super) mod log_record;
pub(super) mod redact;
pub(super) mod timestamp;
pub(super) mod visitor;
