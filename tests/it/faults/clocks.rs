//! Clients whose clocks differ.
//!
//! Leases and expirations are instants on the clock of their writer, and are judged by the clock of
//! their reader. So everything that can go wrong is bounded by the difference:
//!
//! - for a reader that is ahead of its writer, a lease ends earlier by the difference: what remains
//!   is its length and the grace, less the difference. A lease that is shorter protects nothing from
//!   that reader, and both do the work; the first one then receives `LeaseLost`.
//! - for a reader that is behind, the claim of a dead writer holds longer by the difference.
//! - for a reader that is ahead, a result expires earlier by the difference, and later for one that
//!   is behind.
//! - the deadline of an invocation is an instant on the clock of Lambda. A function whose clock is
//!   ahead by more than its timeout concludes that no time remains, and rejects the work (`NoTime`).
//!   One that is behind concludes that it has more time; its lease still ends by Lambda's clock.

use std::time::{Duration, SystemTime};

use powertools::Clock;
use powertools::idempotency::{DynamoDbStore, Error, Idempotency, OnInterrupt};
use powertools::testing::{ManualClock, invocation};
use powertools_tests::emulators::Emulator;
use tokio::sync::Notify;

use super::{MILLI, SECOND, World, number, on_each};

/// How far each clock is off.
const OFF: Duration = Duration::from_secs(120);
const BETWEEN: Duration = Duration::from_secs(240);
const LEASE: Duration = Duration::from_secs(300);
/// The default, by which a claim outlasts its lease.
const GRACE: Duration = SECOND;

#[tokio::test]
async fn a_lease_is_shorter_by_the_difference_for_a_client_that_is_ahead() {
    on_each(async |emulator| {
        let skewed = Skewed::new(emulator).await;
        skewed.die(&skewed.behind).await;

        skewed.time.advance(LEASE + GRACE - BETWEEN);
        let refused = charge(&skewed.ahead).await;
        assert!(matches!(refused, Err(Error::InProgress { .. })), "{refused:?}");
        skewed.time.advance(MILLI);
        assert_eq!(charge(&skewed.ahead).await.unwrap(), "charged");
    })
    .await;
}

#[tokio::test]
async fn a_claim_holds_longer_by_the_difference_for_a_client_that_is_behind() {
    on_each(async |emulator| {
        let skewed = Skewed::new(emulator).await;
        skewed.die(&skewed.ahead).await;

        skewed.time.advance(LEASE + GRACE + BETWEEN);
        let refused = charge(&skewed.behind).await;
        assert!(matches!(refused, Err(Error::InProgress { .. })), "{refused:?}");
        skewed.time.advance(MILLI);
        assert_eq!(charge(&skewed.behind).await.unwrap(), "charged");
    })
    .await;
}

#[tokio::test]
async fn a_lease_shorter_than_the_difference_does_not_protect_from_a_client_that_is_ahead() {
    on_each(async |emulator| {
        let skewed = Skewed::new(emulator).await;
        let short = skewed.client(-1, |options| options.lease(BETWEEN - GRACE - MILLI));
        let overtaken = short
            .run("charge", "order-1", async {
                assert_eq!(charge(&skewed.ahead).await.unwrap(), "charged");
                Ok::<_, Error>("charged too".to_owned())
            })
            .await;
        // The work was done twice. The second one's result is kept, and the first one knows.
        assert!(matches!(overtaken, Err(Error::LeaseLost { .. })), "{overtaken:?}");
        assert_eq!(charge_as(&skewed.behind, "again").await.unwrap(), "charged");
    })
    .await;
}

#[tokio::test]
async fn a_result_expires_earlier_or_later_by_the_difference() {
    on_each(async |emulator| {
        let hour = 3600 * SECOND;
        let skewed = Skewed::new(emulator).await;
        assert_eq!(
            charge_as(&skewed.behind, "by the one behind").await.unwrap(),
            "by the one behind"
        );
        skewed.time.advance(hour - BETWEEN);
        assert_eq!(charge_as(&skewed.ahead, "new").await.unwrap(), "by the one behind");
        skewed.time.advance(SECOND);
        assert_eq!(charge_as(&skewed.ahead, "new").await.unwrap(), "new");

        skewed.time.advance(hour + BETWEEN);
        assert_eq!(charge_as(&skewed.behind, "newer").await.unwrap(), "new");
        skewed.time.advance(SECOND);
        assert_eq!(charge_as(&skewed.behind, "newer").await.unwrap(), "newer");
    })
    .await;
}

#[tokio::test]
async fn deadlines_are_measured_by_the_clock_of_lambda() {
    on_each(async |emulator| {
        let skewed = Skewed::new(emulator).await;
        let deadline = skewed.time.now() + 30 * SECOND;
        let deliver = async |direction| {
            let client = skewed.client(direction, |options| options);
            let work = async { Ok::<_, Error>(skewed.world.only_record().await) };
            let charged = client.run("charge", "order-1", work);
            invocation().deadline(deadline).build().scope(charged).await
        };
        // Ahead by more than the timeout: nothing runs, and nothing is claimed.
        let refused = deliver(1).await;
        assert!(matches!(refused, Err(Error::NoTime { .. })), "{refused:?}");
        assert_eq!(skewed.world.records().await.len(), 0);

        // Behind: the lease still ends a second after the deadline.
        let record = deliver(-1).await.unwrap();
        let end = deadline + SECOND;
        let end = end.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
        assert_eq!(u128::from(number(&record["in_progress_expiration"])), end);
    })
    .await;
}

/// Two clients of one table, two minutes ahead and two minutes behind.
struct Skewed {
    world: World,
    /// The right time.
    time: ManualClock,
    ahead: Idempotency<DynamoDbStore>,
    behind: Idempotency<DynamoDbStore>,
}

impl Skewed {
    async fn new(emulator: &Emulator) -> Self {
        let time = ManualClock::new(SystemTime::UNIX_EPOCH + 1_800_000_000 * SECOND);
        let world = World::new(emulator).await;
        let client = |direction| client(&world, &time, direction, |options| options.lease(LEASE));
        Self { ahead: client(1), behind: client(-1), world, time }
    }

    fn client(&self, direction: i32, options: Options) -> Idempotency<DynamoDbStore> {
        client(&self.world, &self.time, direction, options)
    }

    /// Claims, begins to work, and is gone.
    async fn die(&self, client: &Idempotency<DynamoDbStore>) {
        let began = Notify::new();
        let work = async {
            began.notify_one();
            std::future::pending::<Result<String, Error>>().await
        };
        tokio::select! {
            outcome = client.run("charge", "order-1", work) => panic!("{outcome:?}"),
            () = began.notified() => {}
        }
    }
}

type Options = fn(
    powertools::idempotency::Builder<DynamoDbStore>,
) -> powertools::idempotency::Builder<DynamoDbStore>;

fn client(
    world: &World,
    time: &ManualClock,
    direction: i32,
    options: Options,
) -> Idempotency<DynamoDbStore> {
    let time = time.clone();
    let clock = Clock::from_fn(move || match direction {
        ..0 => time.now() - OFF,
        0 => time.now(),
        1.. => time.now() + OFF,
    });
    world.other(|builder| options(builder.clock(clock).on_interrupt(OnInterrupt::Hold)))
}

async fn charge(client: &Idempotency<DynamoDbStore>) -> Result<String, Error> {
    charge_as(client, "charged").await
}

async fn charge_as(client: &Idempotency<DynamoDbStore>, result: &str) -> Result<String, Error> {
    client.run("charge", "order-1", async { Ok(result.to_owned()) }).await
}
