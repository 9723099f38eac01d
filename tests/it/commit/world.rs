//! A shop whose orders take lamps from its stock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use powertools::Invocation;
use powertools::idempotency::transaction::{AttributeValue, Item, Put, Update};
use powertools::idempotency::{
    Builder, Call, Commit, Data, EpochMillis, Error, Idempotency, Record, Status,
};
use powertools::testing::{ManualClock, invocation};
use powertools_tests::faulty::FaultyStore;

pub(super) const MILLI: Duration = Duration::from_millis(1);
pub(super) const SECOND: Duration = Duration::from_secs(1);

pub(super) struct Shop {
    pub(super) store: FaultyStore,
    pub(super) clock: ManualClock,
    pub(super) idempotency: Idempotency<FaultyStore>,
    pub(super) runs: Arc<AtomicU32>,
    pub(super) start: SystemTime,
}

impl Shop {
    pub(super) fn new(store: FaultyStore) -> Self {
        Self::with(store, |options| options)
    }

    pub(super) fn with(
        store: FaultyStore,
        options: impl FnOnce(Builder<FaultyStore>) -> Builder<FaultyStore>,
    ) -> Self {
        store.records().create_table("orders", ["id"]);
        store.records().create_table("stock", ["sku"]);
        let lamps = Item::new().set("sku", "lamp").set("count", 3);
        store.records().put_item("stock", lamps).unwrap();
        let start = SystemTime::UNIX_EPOCH + Duration::from_millis(1_800_000_000_000);
        let clock = ManualClock::following_tokio(start);
        let builder = Idempotency::builder(store.clone()).clock(clock.clock());
        let idempotency = options(builder).build().unwrap();
        Self { store, clock, idempotency, runs: Arc::default(), start }
    }

    pub(super) fn call(&self) -> Call<FaultyStore> {
        self.idempotency.operation("order").key("order-7").unwrap()
    }

    pub(super) fn invocation(&self) -> Invocation {
        let clock = self.clock.clock();
        let deadline = clock.now() + 30 * SECOND;
        invocation().clock(clock).deadline(deadline).build()
    }

    /// Orders a lamp in an invocation of 30 seconds.
    pub(super) async fn order(&self) -> Result<String, Error> {
        let runs = self.runs.clone();
        let work = async move {
            let run = runs.fetch_add(1, Ordering::Relaxed) + 1;
            Ok::<_, Error>(order(format!("run {run}")))
        };
        self.invocation().scope(self.call().commit(work)).await
    }

    /// How many lamps are left.
    pub(super) fn lamps(&self) -> AttributeValue {
        self.store.records().items("stock")[0].get("count").unwrap().clone()
    }

    pub(super) fn orders(&self) -> usize {
        self.store.records().items("orders").len()
    }

    /// Asserts that the order has been placed so often.
    #[track_caller]
    pub(super) fn assert_placed(&self, times: usize) {
        let lamps = AttributeValue::from(3 - times);
        assert!(self.lamps() == lamps && self.orders() == times, "{} orders", self.orders());
    }

    pub(super) fn record(&self) -> Option<Record> {
        let mut records = self.store.records().snapshot();
        assert!(records.len() <= 1, "{records:?}");
        records.pop().map(|(_, record)| record)
    }

    /// Completes the record as a function of another toolkit does, which outlived its own claim.
    pub(super) fn complete_elsewhere(&self) {
        let (key, mut record) = self.store.records().snapshot().remove(0);
        record.status = Status::Completed;
        record.expiration = Some(EpochMillis::from(self.clock.now() + 3_600 * SECOND).ceil());
        record.data = Some(Data::Text(r#""theirs""#.to_owned()));
        self.store.records().insert(key, record);
    }

    pub(super) async fn claim(&self) -> powertools::idempotency::Lease<FaultyStore> {
        match self.call().claim::<String>().await.unwrap() {
            powertools::idempotency::Claimed::Lease(lease) => lease,
            powertools::idempotency::Claimed::Replay(result) => panic!("a replay of {result}"),
        }
    }
}

/// An order, and the lamp that it takes.
pub(super) fn order(result: String) -> Commit<String> {
    let lamp = Item::new().set("sku", "lamp");
    Commit::new(result)
        .put(Put::new("orders", Item::new().set("id", "order-7")).if_absent("id"))
        .update(Update::new("stock", lamp).add("count", -1).if_exists("count"))
}

/// Lets tasks that were spawned do what they can do now.
pub(super) async fn settle() {
    tokio::time::sleep(MILLI).await;
}
