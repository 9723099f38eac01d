use lambda_runtime::Context;
use powertools::{Clock, Invocation};
use std::time::{Duration, SystemTime};
use tokio::time::Instant;
pub struct ManualClock(Clock);
impl ManualClock {
    pub fn following_tokio(at: SystemTime) -> Self {
        let start = Instant::now();
        Self(Clock::from_fn(move || at + (Instant::now() - start)))
    }
    pub fn clock(&self) -> Clock {
        self.0.clone()
    }
}
pub struct B {
    c: Context,
    clock: Clock,
    d: Option<SystemTime>,
}
pub fn invocation() -> B {
    B { c: Context::default(), clock: Clock::system(), d: None }
}
impl B {
    pub fn clock(mut self, c: Clock) -> Self {
        self.clock = c;
        self
    }
    pub fn deadline(mut self, d: SystemTime) -> Self {
        self.d = Some(d);
        self
    }
    pub fn tenant_id(mut self, t: &str) -> Self {
        self.c.tenant_id = Some(t.into());
        self
    }
    pub fn build(mut self) -> Invocation {
        if let Some(d) = self.d {
            self.c.deadline = d
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap_or(Duration::from_millis(1))
                .as_millis() as u64;
        }
        Invocation::with_clock(&self.c, self.clock)
    }
}
