use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;

use super::{Data, Json, Key, Record};
use crate::process::restores;

/// Completed records in the memory of this process, so that a replay needs no request.
///
/// The least recently used records are evicted when there are too many of them or they take too many
/// bytes. After a SnapStart restore the cache starts empty, under [`Powertools`](crate::Powertools).
/// Clones share their records, and operations on different tables can share a cache; tables with the
/// same name in two accounts, or at two endpoints, need a cache each.
///
/// Keep it for the lifetime of the process, in a `static` or with the store: a cache that is created
/// for each event never contains a record.
#[derive(Clone, Debug)]
pub struct LocalCache(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    max_bytes: usize,
    content: Mutex<Content>,
}

#[derive(Debug)]
struct Content {
    records: LruCache<Place, Cached>,
    bytes: usize,
    /// The number of restores of this process when the cache was created or last cleared.
    restores: u64,
}

type Place = (Arc<str>, Key);

#[derive(Debug)]
struct Cached {
    record: Arc<Record>,
    /// How many bytes it takes.
    size: usize,
}

impl LocalCache {
    /// Creates a cache for at most `max_entries` records that take at most `max_bytes` together.
    #[must_use]
    pub fn new(max_entries: NonZeroUsize, max_bytes: usize) -> Self {
        let records = LruCache::sparse(max_entries);
        let content = Content { records, bytes: 0, restores: restores() };
        Self(Arc::new(Inner { max_bytes, content: Mutex::new(content) }))
    }

    pub(super) fn get(&self, scope: &Arc<str>, key: &Key) -> Option<Arc<Record>> {
        let mut content = self.0.content();
        Some(content.records.get(&(scope.clone(), key.clone()))?.record.clone())
    }

    pub(super) fn put(&self, scope: &Arc<str>, key: &Key, record: Arc<Record>) {
        let size = size(key, &record);
        if size > self.0.max_bytes {
            return;
        }
        let mut content = self.0.content();
        let place = (scope.clone(), key.clone());
        let replaced = content.records.push(place, Cached { record, size });
        content.bytes += size;
        if let Some((_, replaced)) = replaced {
            content.bytes -= replaced.size;
        }
        while content.bytes > self.0.max_bytes {
            let Some((_, evicted)) = content.records.pop_lru() else { break };
            content.bytes -= evicted.size;
        }
    }

    pub(super) fn remove(&self, scope: &Arc<str>, key: &Key) {
        let mut content = self.0.content();
        if let Some(removed) = content.records.pop(&(scope.clone(), key.clone())) {
            content.bytes -= removed.size;
        }
    }
}

impl Inner {
    fn content(&self) -> MutexGuard<'_, Content> {
        let mut content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        content.clear_if_restored(restores());
        content
    }
}

impl Content {
    /// Removes all records if the process was restored after they were stored.
    fn clear_if_restored(&mut self, restores: u64) {
        if self.restores != restores {
            self.records.clear();
            self.bytes = 0;
            self.restores = restores;
        }
    }
}

/// Returns the approximate size of a record in memory: its strings, its values and a fixed part.
fn size(key: &Key, record: &Record) -> usize {
    let data = match &record.data {
        Some(Data::Text(text)) => text.capacity(),
        Some(Data::Value(value)) => behind(value),
        None => 0,
    };
    let strings = [&record.owner, &record.attempt, &record.validation, &record.not_stored];
    let strings: usize = strings.into_iter().flatten().map(String::capacity).sum();
    key.as_str().len() + data + strings + 128
}

/// Returns how many bytes a value takes beside its own.
fn behind(value: &Json) -> usize {
    match value {
        Json::Null | Json::Bool(_) => 0,
        Json::Number(number) => number.as_str().len(),
        Json::String(text) => text.capacity(),
        Json::Array(items) => {
            items.capacity() * size_of::<Json>() + items.iter().map(behind).sum::<usize>()
        }
        Json::Object(members) => {
            let member = |(name, value): &(String, Json)| name.capacity() + behind(value);
            members.capacity() * size_of::<(String, Json)>()
                + members.iter().map(member).sum::<usize>()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::idempotency::Status;

    #[test]
    fn the_least_recently_used_record_is_evicted() {
        let cache = LocalCache::new(NonZeroUsize::new(2).unwrap(), 10_000);
        for name in ["a", "b"] {
            put(&cache, name, 1);
        }
        assert!(has(&cache, "a"));
        put(&cache, "c", 1);
        assert!(has(&cache, "a") && has(&cache, "c") && !has(&cache, "b"));
    }

    #[test]
    fn records_never_exceed_the_maximum_of_bytes() {
        let cache = LocalCache::new(NonZeroUsize::new(100).unwrap(), 1_000);
        for round in 0..50 {
            put(&cache, &format!("{round}"), 100);
            put(&cache, "replaced", round);
        }
        let content = cache.0.content();
        let sizes = content.records.iter().map(|((_, key), it)| size(key, &it.record));
        let bytes: usize = sizes.sum();
        assert_eq!(content.bytes, bytes);
        assert!(bytes <= 1_000 && content.records.len() >= 3, "{bytes}");
        drop(content);

        put(&cache, "too large", 1_000);
        assert!(!has(&cache, "too large") && has(&cache, "replaced"));
        cache.remove(&scope(), &key("replaced"));
        assert!(!has(&cache, "replaced"));
    }

    #[test]
    fn a_value_counts_as_what_it_takes_in_memory() {
        let cache = LocalCache::new(NonZeroUsize::new(2).unwrap(), 10_000_000);
        let numbers = 10_000;
        let list = format!("[7{}]", ",7".repeat(numbers - 1));
        for list in [list.clone(), format!(r#"{{"numbers":{list}}}"#)] {
            let mut record = Record::new(Status::Completed);
            record.data = Some(Data::Value(list.parse().unwrap()));
            cache.put(&scope(), &key("list"), Arc::new(record));
            let bytes = cache.0.content().bytes;
            assert!(bytes >= numbers * size_of::<Json>(), "{bytes}");
        }
    }

    #[test]
    fn tables_do_not_share_records() {
        let cache = LocalCache::new(NonZeroUsize::new(2).unwrap(), 10_000);
        put(&cache, "a", 1);
        assert!(cache.get(&"another".into(), &key("a")).is_none());
    }

    #[test]
    fn a_restored_process_begins_with_an_empty_cache() {
        let cache = LocalCache::new(NonZeroUsize::new(2).unwrap(), 10_000);
        put(&cache, "a", 1);
        let mut content = cache.0.content();
        content.clear_if_restored(restores());
        assert_eq!(content.records.len(), 1);
        content.clear_if_restored(restores() + 1);
        assert_eq!((content.records.len(), content.bytes), (0, 0));
    }

    fn put(cache: &LocalCache, name: &str, bytes: usize) {
        let mut record = Record::new(Status::Completed);
        record.data = Some(Data::Text("x".repeat(bytes)));
        cache.put(&scope(), &key(name), Arc::new(record));
    }

    fn has(cache: &LocalCache, name: &str) -> bool {
        cache.get(&scope(), &key(name)).is_some()
    }

    fn scope() -> Arc<str> {
        "table".into()
    }

    fn key(name: &str) -> Key {
        name.to_owned().into()
    }
}
