use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use super::Point;

/// Everything that happened while an [`EventSource`](super::EventSource) delivered its records.
///
/// A test that panics while it holds one, as by a failed assertion, writes it to the standard
/// error, with the seed that makes it happen again.
#[derive(Debug, PartialEq)]
pub struct History {
    pub(super) seed: u64,
    pub(super) records: Vec<String>,
    pub(super) steps: Vec<Step>,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// When: the simulated time since the start.
    pub at: Duration,
    /// What.
    pub what: Happening,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Happening {
    /// The function received a batch.
    #[non_exhaustive]
    Delivered {
        /// The number of the invocation, from 1.
        invocation: usize,
        /// The records, in the order in which the event has them.
        records: Vec<Received>,
    },
    /// The function recorded an [effect](super::Effects).
    #[non_exhaustive]
    Effect {
        /// The invocation that had it; `None` if it is unknown.
        invocation: Option<usize>,
        /// The name that the function gave it.
        name: String,
    },
    /// An invocation ended.
    #[non_exhaustive]
    Ended {
        /// The number of the invocation.
        invocation: usize,
        /// How.
        end: End,
    },
    /// The mapping was finished with a record: it is never delivered again.
    #[non_exhaustive]
    Settled {
        /// The record's id.
        record: String,
        /// Its outcome.
        fate: Fate,
    },
}

/// A record in a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Received {
    /// The id: that of the message, the sequence number, the resume token, `topic-partition@offset`, or
    /// `queue#place` for RabbitMQ.
    pub id: String,
    /// The number of its deliveries, including this one.
    pub attempt: u32,
}

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// The function replied, and the mapping reports these records as failed. Empty where it
    /// ignores the reply.
    Replied(Vec<String>),
    /// The function replied, and the mapping could not read it: the whole batch is delivered again.
    /// With the reason.
    Unreadable(String),
    /// The function returned this error: the whole batch is delivered again.
    Failed(String),
    /// The function panicked: the whole batch is delivered again.
    Panicked,
    /// The function was ended here. What it did after its last await counts as not replied.
    Crashed(Point),
    /// The function was ended at its timeout.
    TimedOut,
    /// The function replied, but the reply was lost on its way: the whole batch is delivered again.
    ReplyLost,
}

impl End {
    /// Returns true if the function was ended in its work, and may have died between any two steps.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        matches!(self, Self::Crashed(_) | Self::TimedOut)
    }
}

/// The final outcome of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fate {
    /// Processed: the message was deleted, the checkpoint is behind the record.
    Done,
    /// Moved to the dead-letter queue.
    DeadLettered,
    /// Given up and reported to the destination for failures.
    SentToDestination,
    /// Given up without a destination: lost.
    Discarded,
}

/// An invocation and the records that it received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivery<'a> {
    /// The number of the invocation, from 1.
    pub invocation: usize,
    /// When it started: the simulated time since the start.
    pub at: Duration,
    /// The records, in the order in which the event has them.
    pub records: &'a [Received],
}

impl History {
    /// Returns the seed, for [`EventSource::seed`](super::EventSource::seed).
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Returns everything, in the order in which it happened.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Returns the ids of all records, in the order in which they were sent.
    pub fn records(&self) -> impl Iterator<Item = &str> {
        self.records.iter().map(String::as_str)
    }

    /// Returns the invocations, in the order in which they started.
    pub fn deliveries(&self) -> impl Iterator<Item = Delivery<'_>> {
        self.steps.iter().filter_map(|step| match &step.what {
            Happening::Delivered { invocation, records } => {
                Some(Delivery { invocation: *invocation, at: step.at, records })
            }
            _ => None,
        })
    }

    /// Returns the invocations that received this record.
    pub fn deliveries_of(&self, record: &str) -> impl Iterator<Item = Delivery<'_>> {
        self.deliveries()
            .filter(move |delivery| delivery.records.iter().any(|received| received.id == record))
    }

    /// How an invocation ended. `None` if there was none with this number.
    #[must_use]
    pub fn end(&self, invocation: usize) -> Option<&End> {
        self.steps.iter().find_map(|step| match &step.what {
            Happening::Ended { invocation: ended, end } if *ended == invocation => Some(end),
            _ => None,
        })
    }

    /// Returns the outcome of a record. `None` if it had none when the run reached its
    /// [longest](super::EventSource::max_invocations).
    #[must_use]
    pub fn fate(&self, record: &str) -> Option<Fate> {
        self.settled().find_map(|(settled, fate)| (settled == record).then_some(fate))
    }

    /// Returns the records that were processed, in the order in which the mapping finished with
    /// them.
    #[must_use]
    pub fn done(&self) -> Vec<&str> {
        self.with_fate(Fate::Done)
    }

    /// Returns the records that were moved to the dead-letter queue, in this order.
    #[must_use]
    pub fn dead_lettered(&self) -> Vec<&str> {
        self.with_fate(Fate::DeadLettered)
    }

    /// Returns the records that were reported to the destination for failures, in this order.
    #[must_use]
    pub fn sent_to_destination(&self) -> Vec<&str> {
        self.with_fate(Fate::SentToDestination)
    }

    /// Returns the records that were given up and are lost, in this order.
    #[must_use]
    pub fn discarded(&self) -> Vec<&str> {
        self.with_fate(Fate::Discarded)
    }

    /// Returns the records that the mapping was not finished with when the run reached its
    /// [longest](super::EventSource::max_invocations).
    #[must_use]
    pub fn unsettled(&self) -> Vec<&str> {
        let settled: HashSet<_> = self.settled().map(|(record, _)| record).collect();
        self.records().filter(|record| !settled.contains(record)).collect()
    }

    /// Returns the names of all effects, in the order in which they happened.
    #[must_use]
    pub fn effects(&self) -> Vec<&str> {
        self.steps
            .iter()
            .filter_map(|step| match &step.what {
                Happening::Effect { name, .. } => Some(name.as_str()),
                _ => None,
            })
            .collect()
    }

    /// Returns the names of all effects, each once, in the order in which they happened first.
    #[must_use]
    pub fn first_effects(&self) -> Vec<&str> {
        let mut seen = HashSet::new();
        self.effects().into_iter().filter(|name| seen.insert(*name)).collect()
    }

    fn settled(&self) -> impl Iterator<Item = (&str, Fate)> {
        self.steps.iter().filter_map(|step| match &step.what {
            Happening::Settled { record, fate } => Some((record.as_str(), *fate)),
            _ => None,
        })
    }

    fn with_fate(&self, wanted: Fate) -> Vec<&str> {
        self.settled().filter(|(_, fate)| *fate == wanted).map(|(record, _)| record).collect()
    }
}

/// The form for the standard error: the seed, and a line for each step.
impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "history of seed {}:", self.seed)?;
        for Step { at, what } in &self.steps {
            write!(f, "{:>10.3} s  ", at.as_secs_f64())?;
            match what {
                Happening::Delivered { invocation, records } => {
                    write!(f, "invocation {invocation} gets")?;
                    for Received { id, attempt } in records {
                        write!(f, " {id} (attempt {attempt})")?;
                    }
                }
                Happening::Effect { invocation: Some(invocation), name } => {
                    write!(f, "invocation {invocation} has the effect {name:?}")?;
                }
                Happening::Effect { invocation: None, name } => write!(f, "effect {name:?}")?,
                Happening::Ended { invocation, end } => {
                    write!(f, "invocation {invocation} ends: {end:?}")?;
                }
                Happening::Settled { record, fate } => write!(f, "{record}: {fate:?}")?,
            }
            writeln!(f)?;
        }
        match self.unsettled() {
            unsettled if unsettled.is_empty() => Ok(()),
            unsettled => writeln!(f, "not settled: {}", unsettled.join(" ")),
        }
    }
}

impl Drop for History {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{self}");
        }
    }
}
