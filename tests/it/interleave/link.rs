//! The network between a process and the records.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use powertools::Invocation;
use powertools::idempotency::transaction::Write;
use powertools::idempotency::{Claim, Completion, Outcome, Read, Release, Renewal};
use powertools::idempotency::{Record, Store, StoreError, StoreErrorKind};
use powertools::idempotency::{TransactStore, Transacted, Transaction};
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::random::Random;
use super::world::World;

/// How long a request can be on its way: past the end of most leases.
const LATEST: u64 = 6_000;

/// A process's way to the records. Clones belong to the same process.
#[derive(Clone)]
pub(super) struct Link {
    world: Arc<World>,
    reliable: bool,
    cut: Arc<AtomicBool>,
}

#[derive(Clone, Debug)]
pub(super) enum Request {
    Claim(Claim),
    Complete(Completion),
    Renew(Renewal),
    Release(Release),
    Read(Read),
    Transact(Transaction),
}

/// The reply of the records to a request.
pub(super) enum Answer {
    Write(Outcome),
    Read(Option<Record>),
    Transact(Transacted),
}

/// What becomes of one copy of a request.
#[derive(Clone, Copy)]
struct Copy {
    /// When it takes effect; `None` if it is lost.
    there: Option<u64>,
    back: Back,
}

/// What comes back.
#[derive(Clone, Copy)]
enum Back {
    Answer(u64),
    Error(u64, StoreErrorKind),
    Nothing,
}

impl Copy {
    fn draw(random: &mut Random, trouble: u64) -> Self {
        let there = (!random.chance(trouble / 2)).then(|| random.skewed(LATEST));
        let back = random.skewed(1_000);
        let back = if there.is_some() && !random.chance(trouble) {
            Back::Answer(back)
        } else if random.chance(60) {
            // Each of them can hide an earlier copy that took effect.
            let kinds = [StoreErrorKind::Timeout, StoreErrorKind::Throttled, StoreErrorKind::Other];
            Back::Error(back, kinds[random.within(0, 2) as usize])
        } else {
            Back::Nothing
        };
        Self { there, back }
    }
}

impl Link {
    pub(super) fn new(world: Arc<World>, reliable: bool) -> Self {
        Self { world, reliable, cut: Arc::default() }
    }

    /// The process is dead: it sends no more, and hears no more.
    pub(super) fn cut(&self) {
        self.cut.store(true, Ordering::Relaxed);
    }

    async fn alive(&self) {
        if self.cut.load(Ordering::Relaxed) {
            pending().await
        }
    }

    /// Sends a request, as a client does that sends it again when there is no answer.
    async fn send(&self, request: Request) -> Result<Answer, StoreError> {
        self.alive().await;
        let world = &self.world;
        // A task that works for an invocation knows it, whatever the process does by now.
        let invocation = Invocation::current().expect("carried to each task");
        let attempt = invocation.request_id().parse().expect("a number");
        world.sent(attempt, &request);

        let trouble = if self.reliable { 0 } else { world.plan.trouble };
        if world.draw(|random| random.chance(trouble / 8)) {
            return Err(StoreError::new(StoreErrorKind::AccessDenied, "refused at the door"));
        }
        if world.draw(|random| random.chance(trouble)) {
            let (copy, pause) =
                world.draw(|random| (Copy::draw(random, trouble), random.skewed(1_000)));
            drop(self.deliver(attempt, request.clone(), copy));
            sleep(Duration::from_millis(pause)).await;
            self.alive().await;
        }
        let copy = match self.reliable {
            true => Copy { there: Some(1), back: Back::Answer(1) },
            false => world.draw(|random| Copy::draw(random, trouble)),
        };
        let answer = self.deliver(attempt, request, copy);
        let answer = match copy.back {
            Back::Answer(after) => {
                let answer = answer.await.expect("a copy that is not lost has an answer");
                sleep(Duration::from_millis(after)).await;
                Ok(answer)
            }
            Back::Error(after, kind) => {
                sleep(Duration::from_millis(after)).await;
                Err(StoreError::new(kind, "the network failed"))
            }
            Back::Nothing => pending().await,
        };
        self.alive().await;
        if let Ok(answer) = &answer {
            world.heard(attempt, answer);
        }
        answer
    }

    /// Sends one copy of a request. It arrives even if its sender is gone.
    fn deliver(&self, attempt: usize, request: Request, copy: Copy) -> oneshot::Receiver<Answer> {
        let (sender, answer) = oneshot::channel();
        if let Some(there) = copy.there {
            let world = self.world.clone();
            tokio::spawn(async move {
                sleep(Duration::from_millis(there)).await;
                let _ = sender.send(world.arrive(attempt, &request).await);
            });
        }
        answer
    }

    async fn write(&self, request: Request) -> Result<Outcome, StoreError> {
        match self.send(request).await? {
            Answer::Write(outcome) => Ok(outcome),
            Answer::Read(_) | Answer::Transact(_) => unreachable!("a write"),
        }
    }
}

impl TransactStore for Link {
    fn check(&self, _: Option<&Completion>, _: &[Write]) -> Result<(), String> {
        Ok(())
    }

    async fn transact(&self, transaction: &Transaction) -> Result<Transacted, StoreError> {
        match self.send(Request::Transact(transaction.clone())).await? {
            Answer::Transact(transacted) => Ok(transacted),
            Answer::Write(_) | Answer::Read(_) => unreachable!("a transaction"),
        }
    }
}

impl Store for Link {
    fn scope(&self) -> &str {
        "records"
    }

    async fn claim(&self, claim: &Claim) -> Result<Outcome, StoreError> {
        self.write(Request::Claim(claim.clone())).await
    }

    async fn complete(&self, completion: &Completion) -> Result<Outcome, StoreError> {
        self.write(Request::Complete(completion.clone())).await
    }

    async fn renew(&self, renewal: &Renewal) -> Result<Outcome, StoreError> {
        self.write(Request::Renew(renewal.clone())).await
    }

    async fn release(&self, release: &Release) -> Result<Outcome, StoreError> {
        self.write(Request::Release(release.clone())).await
    }

    async fn read(&self, read: &Read) -> Result<Option<Record>, StoreError> {
        match self.send(Request::Read(read.clone())).await? {
            Answer::Read(record) => Ok(record),
            Answer::Write(_) | Answer::Transact(_) => unreachable!("a read"),
        }
    }
}
