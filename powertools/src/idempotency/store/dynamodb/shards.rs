//! The composite key of a table with a sort key, and its shards.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use crate::idempotency::Key;

/// The second half of a composite key.
#[derive(Clone, Debug)]
pub(super) struct SortKey {
    /// Its attribute, which holds the idempotency key.
    pub(super) attribute: String,
    /// The value of the first half, to which shards append a number.
    pub(super) partition: String,
    /// The number of partitions over which the records are spread.
    pub(super) shards: u16,
}

impl SortKey {
    pub(super) fn new(attribute: String) -> Self {
        Self { attribute, partition: String::new(), shards: 1 }
    }

    /// Returns the first half of the composite key of a record.
    pub(super) fn partition_of(&self, key: &Key) -> Cow<'_, str> {
        match self.shards {
            // The layout of other toolkits.
            1 => Cow::Borrowed(&self.partition),
            shards => Cow::Owned(format!("{}#{}", self.partition, shard(key.as_str(), shards))),
        }
    }

    /// Returns the name of the partitions in a scope.
    pub(super) fn scope(&self) -> Cow<'_, str> {
        match self.shards {
            1 => Cow::Borrowed(&self.partition),
            shards => Cow::Owned(format!("{}/{shards}", self.partition)),
        }
    }
}

/// Returns the shard of a key. It is part of stored keys, and must never change.
fn shard(key: &str, shards: u16) -> u64 {
    let hash = Sha256::digest(key);
    let start = hash.first_chunk().expect("a hash has 32 bytes");
    u64::from_be_bytes(*start) % u64::from(shards)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What DynamoDB accepts in one partition, in write units a second: *Best practices for designing
    /// and using partition keys effectively* in its developer guide.
    const PARTITION: usize = 1_000;

    #[test]
    fn the_shard_of_a_key_never_changes() {
        // By Python: int.from_bytes(sha256(key).digest()[:8]) % shards
        for (key, shards, expected) in SHARDS {
            assert_eq!(shard(key, shards), expected, "{key}");
        }
    }

    const SHARDS: [(&str, u16, u64); 6] = [
        ("", 8, 4),
        ("charge#1", 8, 3),
        ("charge#1", 64, 27),
        ("orders.charge#n1:é", 64, 32),
        ("k", 1000, 910),
        ("k", 65535, 16285),
    ];

    #[test]
    fn one_shard_is_the_layout_without_shards() {
        let mut key = SortKey::new("sk".to_owned());
        "idem".clone_into(&mut key.partition);
        assert_eq!(key.partition_of(&Key::from("charge#1")), "idem");
        key.shards = 8;
        let number = shard("charge#1", 8);
        assert_eq!(key.partition_of(&Key::from("charge#1")), format!("idem#{number}"));
    }

    /// The figures in the table of the guide are computed here.
    #[test]
    fn the_guide_has_the_figures_of_a_simulated_hot_partition() {
        let rows = [1, 8, 64].map(|shards| {
            let served = [1_000, 4_000, 16_000, 48_000].map(|rate| served(shards, rate));
            let [a, b, c, d] = served.map(|share| format!("{share} %"));
            format!("| {shards} | {} | {a} | {b} | {c} | {d} |", sustained(shards))
        });
        let guide = include_str!("../../../../docs/guide/table_and_iam.md");
        for row in rows {
            assert!(guide.contains(&row), "the guide lacks\n{row}");
        }
    }

    /// Returns the shards of the writes of one second, in order: claims and completions of new keys.
    fn writes(shards: u16) -> impl Iterator<Item = usize> {
        (0..).flat_map(move |work| {
            let shard = shard(&format!("orders.charge#n1:{work:064x}"), shards);
            [shard as usize; 2]
        })
    }

    /// Returns the percentage of `count` writes in one second that is accepted, rounded down.
    fn served(shards: u16, count: usize) -> usize {
        let mut load = vec![0; shards.into()];
        writes(shards).take(count).for_each(|shard| load[shard] += 1);
        let accepted: usize = load.into_iter().map(|load: usize| load.min(PARTITION)).sum();
        accepted * 100 / count
    }

    /// Returns the number of writes in one second that are all accepted, rounded down to hundreds.
    fn sustained(shards: u16) -> usize {
        let mut load = vec![0; shards.into()];
        let fits = |shard: &usize| {
            load[*shard] += 1;
            load[*shard] <= PARTITION
        };
        writes(shards).take_while(fits).count() / 100 * 100
    }
}
