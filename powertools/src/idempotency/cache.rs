use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;

use super::{Data, Key, Record};
use crate::runtime;

/// Finished records, kept in the memory of this process, so that a replay needs no request.
///
/// The least recently used records make room for new ones when there are too many of them or they
/// take too many bytes. After a SnapStart restore the cache begins empty. Clones share their
/// records, and operations on different tables can share a cache.
///
/// Keep it for as long as the process lives, in a `static` or beside the store: one that is made
/// anew for each event never has what is asked for.
#[derive(Clone, Debug)]
pub struct LocalCache(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    max_bytes: usize,
    content: Mutex<Content>,
}

#[derive(Debug)]
struct Content {
    records: LruCache<Place, Arc<Record>>,
    bytes: usize,
    /// How often this process had been restored when the first of the records was put here.
    restores: u64,
}

type Place = (Arc<str>, Key);

impl LocalCache {
    /// Makes a cache for at most `max_entries` records that take at most `max_bytes` together.
    #[must_use]
    pub fn new(max_entries: NonZeroUsize, max_bytes: usize) -> Self {
        let records = LruCache::new(max_entries);
        let content = Content { records, bytes: 0, restores: runtime::restores() };
        Self(Arc::new(Inner { max_bytes, content: Mutex::new(content) }))
    }

    pub(super) fn get(&self, scope: &Arc<str>, key: &Key) -> Option<Arc<Record>> {
        self.content().records.get(&(scope.clone(), key.clone())).cloned()
    }

    pub(super) fn put(&self, scope: &Arc<str>, key: &Key, record: Arc<Record>) {
        let size = size(key, &record);
        if size > self.0.max_bytes {
            return;
        }
        let mut content = self.content();
        let replaced = content.records.push((scope.clone(), key.clone()), record);
        content.bytes += size;
        if let Some(((_, key), record)) = replaced {
            content.bytes -= self::size(&key, &record);
        }
        while content.bytes > self.0.max_bytes {
            let Some(((_, key), record)) = content.records.pop_lru() else { break };
            content.bytes -= self::size(&key, &record);
        }
    }

    pub(super) fn remove(&self, scope: &Arc<str>, key: &Key) {
        let mut content = self.content();
        if let Some(record) = content.records.pop(&(scope.clone(), key.clone())) {
            content.bytes -= size(key, &record);
        }
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        let mut content = self.0.content.lock().unwrap_or_else(PoisonError::into_inner);
        let restores = runtime::restores();
        if content.restores != restores {
            content.records.clear();
            content.bytes = 0;
            content.restores = restores;
        }
        content
    }
}

/// What a record takes, near enough: its texts and a fixed part.
fn size(key: &Key, record: &Record) -> usize {
    let data = match &record.data {
        Some(Data::Text(text)) => text.len(),
        Some(Data::Value(value)) => value.to_string().len(),
        None => 0,
    };
    let texts = [&record.owner, &record.validation, &record.not_stored];
    let texts: usize = texts.into_iter().flatten().map(String::len).sum();
    key.as_str().len() + data + texts + 128
}
