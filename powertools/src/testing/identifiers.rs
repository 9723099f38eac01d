//! Names and ids in the form that AWS gives them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

pub(super) const REGION: &str = "us-east-1";
pub(super) const ACCOUNT: &str = "123456789012";
pub(super) const FUNCTION_NAME: &str = "test-function";
pub(super) const FUNCTION_VERSION: &str = "$LATEST";
pub(super) const MEMORY_MB: i32 = 128;
pub(super) const LOG_STREAM: &str = "2026/01/01/[$LATEST]00000000000000000000000000000001";

/// Returns a number that no other call in this process gets.
pub(super) fn next() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

/// Returns a new request id, in the form of a UUID.
pub(super) fn request_id() -> String {
    format!("{:08x}-0000-4000-8000-{:012x}", std::process::id(), next())
}

/// Returns a new id, in the form of those of API Gateway for connections, messages and requests.
pub(super) fn gateway_id() -> String {
    format!("{:012x}=", next())
}

/// Returns a new X-Ray trace header, of a trace that is not sampled.
pub(super) fn trace_id() -> String {
    let n = next();
    format!("Root=1-{:08x}-{n:024x};Parent={n:016x};Sampled=0", std::process::id())
}

pub(super) fn function_arn(name: &str) -> String {
    format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}")
}

pub(super) fn log_group(function_name: &str) -> String {
    format!("/aws/lambda/{function_name}")
}

/// Returns the time in whole milliseconds since 1970; zero for anything before.
pub(super) fn epoch_millis(at: SystemTime) -> u64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
