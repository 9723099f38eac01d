use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::{BoxFuture, ready};

use crate::parameters::{Content, Fetched, Kind, Request, Source, SourceError, SourceErrorKind};

/// Values in memory, by their names, for tests. Clones share them.
///
/// ```
/// use powertools::parameters::Memory;
///
/// let memory = Memory::new().with("/orders/url", "https://example.com");
/// memory.put("/orders/url", "https://example.org");
/// ```
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<BTreeMap<String, Stored>>>);

struct Stored {
    content: Content,
    version: u64,
}

impl Memory {
    /// Creates an empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value.
    #[must_use]
    pub fn with(self, name: impl Into<String>, content: impl Into<Content>) -> Self {
        self.put(name, content);
        self
    }

    /// Sets a value. Its version is the number of times that it was set.
    pub fn put(&self, name: impl Into<String>, content: impl Into<Content>) {
        let mut values = self.values();
        let name = name.into();
        let version = values.get(&name).map_or(0, |stored| stored.version) + 1;
        values.insert(name, Stored { content: content.into(), version });
    }

    /// Removes a value.
    pub fn remove(&self, name: &str) {
        self.values().remove(name);
    }

    fn values(&self) -> MutexGuard<'_, BTreeMap<String, Stored>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, request: &Request) -> Option<Fetched> {
        let values = self.values();
        if request.kind == Kind::Path {
            let path = format!("{}/", request.name.trim_end_matches('/'));
            let below = values.iter().filter_map(|(name, stored)| {
                let Content::Text(text) = &stored.content else { return None };
                Some((name.strip_prefix(&path)?.to_owned(), text.clone()))
            });
            return Some(Fetched::new(Content::Map(below.collect())));
        }
        let stored = values.get(&request.name)?;
        Some(Fetched::new(stored.content.clone()).version(stored.version.to_string()))
    }
}

impl Source for Memory {
    fn fetch<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Fetched, SourceError>> {
        let found = self.find(request);
        let missing = || SourceError::new(SourceErrorKind::NotFound, "it is not in memory");
        Box::pin(ready(found.ok_or_else(missing)))
    }

    fn set<'a>(
        &'a self,
        request: &'a Request,
        content: Content,
    ) -> BoxFuture<'a, Result<(), SourceError>> {
        self.put(request.name.clone(), content);
        Box::pin(ready(Ok(())))
    }
}

/// Writes the names, and no values.
impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values().keys()).finish()
    }
}
