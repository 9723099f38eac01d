use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hyper::header::HeaderMap;
use lambda_runtime::Diagnostic;
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;

use super::event::{Deadline, Event};
use super::outcome::{Outcome, Progress, exit_error};
use crate::clock::Clock;
use crate::testing::identifiers;

/// What the functions of one fake runtime share: the events that wait, and who has the others.
#[derive(Debug, Default)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// Notified when an event arrives and when an environment ends.
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Waiting>,
    /// The environments that run.
    environments: HashMap<u64, InEnvironment>,
    init_errors: Vec<Diagnostic>,
    restore_errors: Vec<Diagnostic>,
}

#[derive(Debug)]
struct Waiting {
    event: Event,
    headers: HeaderMap,
    progress: watch::Sender<Progress>,
}

#[derive(Debug, Default)]
struct InEnvironment {
    in_flight: Vec<InFlight>,
    /// The request ids of everything that was ever delivered here.
    delivered: HashSet<String>,
    init_error: Option<Diagnostic>,
    /// It is being ended and gets nothing more.
    ending: bool,
}

#[derive(Debug)]
struct InFlight {
    invocation_id: String,
    request_id: String,
    timeout: Duration,
    timed_out: bool,
    progress: watch::Sender<Progress>,
    timer: Option<AbortHandle>,
}

/// An event on its way to the function.
pub(super) struct Delivery {
    pub(super) headers: HeaderMap,
    pub(super) payload: Bytes,
}

/// Why the service does not take what a function sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No event with this request id was ever delivered here.
    Unknown,
    /// It was answered before, or timed out.
    Stale,
}

impl Shared {
    pub(super) fn send(&self, event: Event, headers: HeaderMap) -> watch::Receiver<Progress> {
        let (progress, receiver) = watch::channel(Progress::Waiting);
        self.state().waiting.push_back(Waiting { event, headers, progress });
        self.changed.notify_waiters();
        receiver
    }

    pub(super) fn init_errors(&self) -> Vec<Diagnostic> {
        self.state().init_errors.clone()
    }

    pub(super) fn restore_errors(&self) -> Vec<Diagnostic> {
        self.state().restore_errors.clone()
    }

    /// Ends the waiting events, which no function will receive.
    pub(super) fn give_up(&self, reason: &str) {
        self.state().give_up(|request_id| exit_error(request_id, reason));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// An environment cannot start, and its events end with the reason.
    fn broken(&mut self, environment: u64, reason: Diagnostic) {
        if let Some(environment) = self.environments.get_mut(&environment) {
            environment.init_error = Some(reason);
        }
    }

    fn give_up(&mut self, diagnostic: impl Fn(&str) -> Diagnostic) {
        for Waiting { event, progress, .. } in self.waiting.drain(..) {
            let outcome = Outcome::Exited(diagnostic(&event.request_id));
            progress.send_replace(Progress::Done(outcome));
        }
    }
}

/// Where one function runs.
pub(super) struct Environment {
    id: u64,
    shared: Arc<Shared>,
    /// The timeout for events that do not set one.
    timeout: Duration,
    /// Whether Lambda ends the function at the deadline of an event.
    killed_at_deadline: bool,
    extensions: Extensions,
    asked: AtomicBool,
    stop: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

/// What the environment sends to extensions.
pub(super) struct Extensions {
    pub(super) function_name: String,
    pub(super) are_refused: bool,
    pub(super) has_one: AtomicBool,
}

impl Environment {
    pub(super) fn new(
        shared: Arc<Shared>,
        timeout: Duration,
        killed_at_deadline: bool,
        extensions: Extensions,
    ) -> Self {
        let id = identifiers::next();
        shared.state().environments.insert(id, InEnvironment::default());
        let (asked, stop) = (AtomicBool::new(false), OnceLock::new());
        Self { id, shared, timeout, killed_at_deadline, extensions, asked, stop }
    }

    pub(super) fn function_name(&self) -> &str {
        &self.extensions.function_name
    }

    /// Takes an extension, or refuses it.
    pub(super) fn register_extension(&self) -> bool {
        let is_taken = !self.extensions.are_refused;
        self.extensions.has_one.fetch_or(is_taken, Ordering::Release);
        is_taken
    }

    /// Returns true if Lambda would send SIGTERM to the processes here before it kills them.
    pub(super) fn has_extension(&self) -> bool {
        self.extensions.has_one.load(Ordering::Acquire)
    }

    /// Sets how the function is ended.
    pub(super) fn stop_with(&self, stop: impl Fn() + Send + Sync + 'static) {
        let _ = self.stop.set(Box::new(stop));
    }

    /// Ends the function, soon. It gets no more events from now on.
    pub(super) fn stop(&self) {
        if let Some(environment) = self.shared.state().environments.get_mut(&self.id) {
            environment.ending = true;
        }
        if let Some(stop) = self.stop.get() {
            stop();
        }
    }

    /// True once the function has requested its first event: its initialisation has ended.
    pub(super) fn is_initialised(&self) -> bool {
        self.asked.load(Ordering::Acquire)
    }

    /// Waits until there is an event: only then Lambda restores a snapshot for it. False when the
    /// environment has ended.
    pub(super) async fn restored(&self) -> bool {
        loop {
            let changed = self.shared.changed.notified();
            {
                let state = self.shared.state();
                let Some(environment) = state.environments.get(&self.id) else { return false };
                if !environment.ending && !state.waiting.is_empty() {
                    return true;
                }
            }
            changed.await;
        }
    }

    /// Waits for the next event. `None` when the environment has ended.
    pub(super) async fn next(self: &Arc<Self>) -> Option<Delivery> {
        self.asked.store(true, Ordering::Release);
        loop {
            // Made before looking, so that nothing comes unseen between the look and the wait.
            let changed = self.shared.changed.notified();
            {
                let mut state = self.shared.state();
                let State { waiting, environments, .. } = &mut *state;
                let environment = environments.get_mut(&self.id)?;
                // A process that is being killed is not told that it ends, as in Lambda.
                if !environment.ending
                    && let Some(waiting) = waiting.pop_front()
                {
                    return Some(self.deliver(environment, waiting));
                }
            }
            changed.await;
        }
    }

    fn deliver(self: &Arc<Self>, to: &mut InEnvironment, waiting: Waiting) -> Delivery {
        let Waiting { event, mut headers, progress } = waiting;
        let now = Clock::system().now();
        let (deadline, timeout) = match event.deadline {
            Some(Deadline::At(at)) => (at, at.duration_since(now).ok()),
            Some(Deadline::After(timeout)) => (now + timeout, Some(timeout)),
            None => (now + self.timeout, Some(self.timeout)),
        };
        let invocation_id = format!("{:016x}", identifiers::next());
        headers.insert("lambda-runtime-deadline-ms", identifiers::epoch_millis(deadline).into());
        let id = invocation_id.parse().expect("hexadecimal digits fit a header");
        headers.insert("lambda-runtime-invocation-id", id);

        let timer = timeout.map(|timeout| {
            let (environment, id) = (self.clone(), invocation_id.clone());
            let expire = async move {
                tokio::time::sleep(timeout).await;
                environment.expire(&id);
            };
            tokio::spawn(expire).abort_handle()
        });
        progress.send_replace(Progress::Delivered);
        to.delivered.insert(event.request_id.clone());
        to.in_flight.push(InFlight {
            invocation_id,
            request_id: event.request_id,
            timeout: timeout.unwrap_or_default(),
            timed_out: false,
            progress,
            timer,
        });
        Delivery { headers, payload: event.payload }
    }

    /// Stores the outcome of an event.
    pub(super) fn answer(
        &self,
        request_id: &str,
        invocation_id: Option<&str>,
        outcome: Outcome,
    ) -> Result<(), Refusal> {
        let mut state = self.shared.state();
        let environment = state.environments.get_mut(&self.id).ok_or(Refusal::Stale)?;
        let meant = |event: &InFlight| {
            event.request_id == request_id
                && invocation_id.is_none_or(|id| event.invocation_id == id)
                && !event.timed_out
        };
        match environment.in_flight.iter().position(meant) {
            Some(index) => {
                environment.in_flight.swap_remove(index).done(outcome);
                Ok(())
            }
            None if environment.delivered.contains(request_id) => Err(Refusal::Stale),
            None => Err(Refusal::Unknown),
        }
    }

    /// Takes the error that the function reports from its initialisation.
    pub(super) fn init_error(&self, diagnostic: Diagnostic) {
        let mut state = self.shared.state();
        state.init_errors.push(diagnostic.clone());
        state.broken(self.id, diagnostic);
    }

    /// Takes the error that the function reports from its restore.
    pub(super) fn restore_error(&self, diagnostic: Diagnostic) {
        let mut state = self.shared.state();
        state.restore_errors.push(diagnostic.clone());
        state.broken(self.id, diagnostic);
    }

    /// Ends the time of an event.
    fn expire(&self, invocation_id: &str) {
        let mut state = self.shared.state();
        let Some(environment) = state.environments.get_mut(&self.id) else { return };
        let in_flight = &mut environment.in_flight;
        let expired = |event: &InFlight| event.invocation_id == invocation_id;
        let Some(index) = in_flight.iter().position(expired) else { return };

        if self.killed_at_deadline {
            // The outcome follows when the function is gone for certain, so that a test that sees
            // it can deliver the event again.
            in_flight[index].timed_out = true;
            drop(state);
            self.stop();
        } else {
            in_flight.swap_remove(index).time_out();
        }
    }

    /// Ends the environment: its function is gone.
    pub(super) fn close(&self, reason: &str) {
        let mut state = self.shared.state();
        let Some(environment) = state.environments.remove(&self.id) else { return };
        let diagnostic = |request_id: &str| match &environment.init_error {
            Some(diagnostic) => diagnostic.clone(),
            None => exit_error(request_id, reason),
        };
        for event in environment.in_flight {
            if event.timed_out {
                event.time_out();
            } else {
                let outcome = Outcome::Exited(diagnostic(&event.request_id));
                event.done(outcome);
            }
        }
        if state.environments.is_empty() {
            state.give_up(diagnostic);
        }
        drop(state);
        self.shared.changed.notify_waiters();
    }

    /// Waits until the environment has ended.
    pub(super) async fn closed(&self) {
        loop {
            let changed = self.shared.changed.notified();
            if !self.shared.state().environments.contains_key(&self.id) {
                return;
            }
            changed.await;
        }
    }
}

impl InFlight {
    fn done(self, outcome: Outcome) {
        if let Some(timer) = self.timer {
            timer.abort();
        }
        self.progress.send_replace(Progress::Done(outcome));
    }

    fn time_out(self) {
        let outcome = Outcome::TimedOut(Diagnostic {
            error_type: "Sandbox.Timedout".to_owned(),
            error_message: format!(
                "RequestId: {} Error: Task timed out after {:.2} seconds",
                self.request_id,
                self.timeout.as_secs_f64()
            ),
        });
        self.done(outcome);
    }
}
