use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::{BoxFuture, ready};

use crate::parameters::{
    Content, Fetched, Kind, Request, Source, SourceError, SourceErrorKind, Version,
};

/// Values in memory, by their names, for tests. Clones share them.
///
/// The versions of a value are numbered from 1, each time that it is set. They are also the ids of versions of
/// a secret, whose stages are `AWSCURRENT` and `AWSPREVIOUS`. There are no labels. A path has the values below
/// it, as in Systems Manager.
///
/// ```
/// use powertools::parameters::Memory;
///
/// let memory = Memory::new().with("/orders/url", "https://example.com");
/// memory.put("/orders/url", "https://example.org");
/// ```
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<BTreeMap<String, Vec<Content>>>>);

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

    /// Sets a value: its next version.
    pub fn put(&self, name: impl Into<String>, content: impl Into<Content>) {
        self.values().entry(name.into()).or_default().push(content.into());
    }

    /// Removes a value with all its versions.
    pub fn remove(&self, name: &str) {
        self.values().remove(name);
    }

    fn values(&self) -> MutexGuard<'_, BTreeMap<String, Vec<Content>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, request: &Request) -> Result<Fetched, SourceError> {
        let values = self.values();
        if request.kind == Kind::Path {
            request.check_current()?;
            let below = values.iter().filter_map(|(name, versions)| {
                let Content::Text(text) = versions.last()? else { return None };
                Some((request.below(name)?.to_owned(), text.clone()))
            });
            return Ok(Fetched::new(Content::Map(below.collect())));
        }
        let versions = values.get(&request.name).map(Vec::as_slice).unwrap_or_default();
        let number = match request.version {
            Version::Current | Version::Stage("AWSCURRENT") => Some(versions.len()),
            Version::Stage("AWSPREVIOUS") => versions.len().checked_sub(1),
            Version::Number(number) => usize::try_from(number).ok(),
            Version::Id(id) => id.parse().ok(),
            Version::Label(_) | Version::Stage(_) => {
                let message = "values in memory have no labels, and no other stages";
                return Err(SourceError::new(SourceErrorKind::Unsupported, message));
            }
        };
        let found = number.and_then(|number| Some((number, versions.get(number.checked_sub(1)?)?)));
        let (number, content) = found
            .ok_or_else(|| SourceError::new(SourceErrorKind::NotFound, "it is not in memory"))?;
        Ok(Fetched::new(content.clone()).version(number.to_string()))
    }
}

impl Source for Memory {
    fn fetch<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Fetched, SourceError>> {
        Box::pin(ready(self.find(request)))
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
