//! The end of an event whose handler failed: a report to Lambda, or an answer in its place.

use std::any::Any;
use std::error::Error as StdError;
use std::fmt;

use bytes::Bytes;
use lambda_runtime::{Diagnostic, FunctionResponse};
use serde_json::value::RawValue;

use super::answer::{Answer, Answered, Failed};
use super::lifecycle::{self, Ending, Kind, Outcome};
use crate::deadline;
use crate::error::causes::{Copied, backtrace, unbox};
use crate::error::diagnose::{UNNAMED, bounded, diagnose, diagnose_panic, known_error};
use crate::error::panic::catch;
use crate::invocation::Invocation;

/// Why an event has no response.
#[derive(Debug)]
pub(super) enum Failure<E> {
    /// The handler's error.
    Handler(E),
    /// The time guard of the stack stopped the handler.
    Stopped(Diagnostic),
    /// The handler panicked.
    Panicked(String),
    /// The event or the response does not fit the handler's types.
    Invalid(Diagnostic),
}

impl<E> From<deadline::Error> for Failure<E> {
    fn from(error: deadline::Error) -> Self {
        Self::Stopped(error.into())
    }
}

/// The reply in place of a report to Lambda.
type Reply = FunctionResponse<Box<RawValue>, Bytes>;

/// Returns the diagnostic of a failure, which Lambda and the values of the lifecycle receive, and the
/// reply in its place.
pub(super) fn conclude<E>(
    failure: Failure<E>,
    ending: Option<Ending>,
    answer: Option<Answer>,
) -> (Diagnostic, Option<Reply>)
where
    E: Into<Diagnostic> + fmt::Debug + 'static,
{
    let (diagnostic, kind) = match failure {
        Failure::Handler(error) => {
            // The code of the function's own error can panic.
            return catch(|| conclude_error(error, ending, answer)).unwrap_or_else(|panic| {
                let diagnostic = diagnose_panic(&panic);
                let answered = answered(answer, Kind::Panicked, None);
                end(None, answered.as_ref(), Kind::Panicked, failure_of(&diagnostic));
                (diagnostic, answered.map(|answered| answered.reply))
            });
        }
        Failure::Stopped(diagnostic) => (diagnostic, Kind::Stopped),
        Failure::Panicked(message) => (diagnose_panic(&message), Kind::Panicked),
        Failure::Invalid(diagnostic) => (diagnostic, Kind::Error),
    };
    let answered = answered(answer, kind, None);
    end(ending, answered.as_ref(), kind, failure_of(&diagnostic));
    (diagnostic, answered.map(|answered| answered.reply))
}

fn conclude_error<E>(
    error: E,
    ending: Option<Ending>,
    answer: Option<Answer>,
) -> (Diagnostic, Option<Reply>)
where
    E: Into<Diagnostic> + fmt::Debug + 'static,
{
    let ending = ending.filter(Ending::is_awaited);
    let any: &dyn Any = &error;
    let known = known_error(any);
    let answered = answered(answer, Kind::Error, known);
    if let Some(boxed) = unbox(&error) {
        let diagnostic = diagnose(boxed);
        let backtrace = if ending.is_some() { backtrace(&error) } else { None };
        let failure =
            lifecycle::Failure { error: Some(boxed), backtrace, ..failure_of(&diagnostic) };
        end(ending, answered.as_ref(), Kind::Error, failure);
        return (diagnostic, answered.map(|answered| answered.reply));
    }
    let copy = if ending.is_some() { known.and_then(Copied::of) } else { None };
    let diagnostic = into_diagnostic(error);
    let error = copy.as_ref().map(|copy| copy as _);
    let failure = lifecycle::Failure { error, ..failure_of(&diagnostic) };
    end(ending, answered.as_ref(), Kind::Error, failure);
    (diagnostic, answered.map(|answered| answered.reply))
}

/// Returns a failure of which only the name and the message are known.
fn failure_of(diagnostic: &Diagnostic) -> lifecycle::Failure<'_> {
    lifecycle::Failure { diagnostic, error: None, backtrace: None }
}

fn answered(
    answer: Option<Answer>,
    kind: Kind,
    error: Option<&(dyn StdError + 'static)>,
) -> Option<Answered> {
    catch(|| answer.unwrap_or(answer_of_execution)(&Failed { kind, error })).ok().flatten()
}

/// Answers the failure of a durable execution, which its service reads from the reply.
fn answer_of_execution(_: &Failed<'_>) -> Option<Answered> {
    let reply = Invocation::current()?.execution()?.failure()?.to_owned();
    Some(Answered { reply: FunctionResponse::BufferedResponse(reply), is_failure: true })
}

/// Notifies the values of the failure. An answer to a mistake of the client counts as a success. The
/// runtime logs failures that are reported to Lambda, but not those that are answered, which are logged
/// here.
fn end(
    ending: Option<Ending>,
    answered: Option<&Answered>,
    kind: Kind,
    failure: lifecycle::Failure<'_>,
) {
    let Diagnostic { error_type, error_message } = failure.diagnostic;
    if answered.is_some_and(|answered| !answered.is_failure) {
        tracing::info!(error_type, "the request was rejected: {error_message}");
        if let Some(ending) = ending {
            ending.end(Outcome::Success);
        }
        return;
    }
    let is_logged = ending.is_some_and(|ending| ending.fail(kind, failure));
    if answered.is_some() && !is_logged {
        tracing::error!(error_type, "the request failed: {error_message}");
    }
}

/// Returns the diagnostic of an unboxed error: its own conversion. A string has no name, and
/// receives the one that it would have in a box.
fn into_diagnostic<E: Into<Diagnostic> + 'static>(error: E) -> Diagnostic {
    let any: &dyn Any = &error;
    let is_string = any.is::<String>() || any.is::<&'static str>();
    let mut diagnostic = error.into();
    if is_string {
        diagnostic.error_type = UNNAMED.to_owned();
    }
    bounded(diagnostic)
}
