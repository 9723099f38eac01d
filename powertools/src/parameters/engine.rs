use std::any::{Any, TypeId};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use lru::LruCache;

use super::cell::{Cell, Settings};
use super::content::{Format, Misfit};
use super::{Content, Kind, Parameters, Request, Source};

/// How many values are cached beyond those that declarations hold. The least recently used ones are
/// evicted.
const CAPACITY: usize = 1000;

/// The sources and the cache that declarations use.
pub(crate) struct Engine {
    id: u64,
    sources: Sources,
    pub(super) settings: Settings,
    cells: Mutex<LruCache<Key, Arc<dyn AnyCell>>>,
}

/// The source of each kind of value.
#[derive(Clone, Debug)]
pub(super) struct Sources {
    pub(super) parameters: Arc<dyn Source>,
    pub(super) secrets: Arc<dyn Source>,
    pub(super) configurations: Arc<dyn Source>,
}

/// What identifies a cached value: the request with the type, and what the declaration says of it.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) request: Request,
    pub(super) format: Format,
    pub(super) max_age: Option<Duration>,
    pub(super) value: TypeId,
}

/// A cell of any type.
trait AnyCell: Any + Send + Sync {
    fn forget(&self);
}

impl<T: Send + Sync + 'static> AnyCell for Cell<T> {
    fn forget(&self) {
        self.invalidate();
    }
}

tokio::task_local! {
    /// The engine of a test.
    static SCOPED: Arc<Engine>;
}

/// The engine of the program, where no test has its own.
static INSTALLED: ArcSwapOption<Engine> = ArcSwapOption::const_empty();
/// Its id; zero if none is installed.
static INSTALLED_ID: AtomicU64 = AtomicU64::new(0);

/// Returns the engine where none is installed.
fn default() -> &'static Arc<Engine> {
    static DEFAULT: OnceLock<Arc<Engine>> = OnceLock::new();

    let mut problem = None;
    let engine = DEFAULT.get_or_init(|| {
        let (engine, error) = Engine::new(Parameters::new());
        problem = error;
        Arc::new(engine)
    });
    // Not inside: a subscriber may read a parameter, too.
    if let Some(error) = problem {
        tracing::warn!("{error}: the default is used");
    }
    engine
}

impl Engine {
    /// Creates an engine, which ignores a variable that is invalid, and returns the error of that.
    pub(crate) fn new(parameters: Parameters) -> (Self, Option<super::Error>) {
        static IDS: AtomicU64 = AtomicU64::new(1);

        let (sources, settings, error) = parameters.into_parts();
        let id = IDS.fetch_add(1, Ordering::Relaxed);
        let cells = Mutex::new(LruCache::unbounded());
        (Self { id, sources, settings, cells }, error)
    }

    /// Makes it the engine of the program.
    pub(crate) fn install(self: &Arc<Self>) {
        INSTALLED.store(Some(self.clone()));
        INSTALLED_ID.store(self.id, Ordering::Release);
    }

    /// Runs `work` with it.
    pub(super) async fn scope<F: Future>(self: Arc<Self>, work: F) -> F::Output {
        SCOPED.scope(self, work).await
    }

    /// Returns the engine of the test, or of the program.
    pub(super) fn current() -> Arc<Self> {
        let scoped = SCOPED.try_with(Arc::clone).ok();
        scoped.or_else(|| INSTALLED.load_full()).unwrap_or_else(|| default().clone())
    }

    /// Returns true if it is the current one.
    #[inline]
    pub(super) fn is_current(id: u64) -> bool {
        let scoped = SCOPED.try_with(|engine| engine.id);
        let current = scoped.unwrap_or_else(|_| INSTALLED_ID.load(Ordering::Acquire));
        // Before one is installed, the default is the current one.
        current == id || current == 0 && default().id == id
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// Waits for the fetches that run, for `time` at most.
    pub(crate) async fn settle(&self, time: Duration) {
        self.settings.running.settle(time).await;
    }

    /// Returns the cached value of `key`, which may be empty.
    pub(super) fn cell<T: Send + Sync + 'static>(
        &self,
        key: Key,
        decode: fn(&Content) -> Result<T, Misfit>,
    ) -> Arc<Cell<T>> {
        let mut cells = self.cells();
        if let Some(cell) = cells.get(&key) {
            let cell: Arc<dyn Any + Send + Sync> = cell.clone();
            if let Ok(cell) = cell.downcast() {
                return cell;
            }
        }
        let source = self.source(key.request.kind).clone();
        let settings = self.settings.clone().max_age(key.max_age);
        let cell = Arc::new(Cell::new(key.request.clone(), decode, source, settings));
        cells.put(key, cell.clone());
        let evicted = evict(&mut cells);
        drop(cells);
        // Without the lock: to drop a value is code of the user.
        drop(evicted);
        cell
    }

    /// Forgets the values that change when this one is set.
    pub(super) fn forget(&self, written: &Request) {
        let source = self.source(written.kind);
        // Kinds can have one source, which has one value for a name.
        self.forget_if(|cached| {
            cached.depends_on(written) && Arc::ptr_eq(self.source(cached.kind), source)
        });
    }

    /// Forgets the values of a request, of all types and ages.
    pub(super) fn invalidate(&self, request: &Request) {
        self.forget_if(|cached| cached == request);
    }

    fn forget_if(&self, is_stale: impl Fn(&Request) -> bool) {
        let cells = self.cells();
        let stale = cells.iter().filter(|(key, _)| is_stale(&key.request));
        let stale: Vec<_> = stale.map(|(_, cell)| cell.clone()).collect();
        drop(cells);
        // Without the lock: to drop a value is code of the user.
        stale.iter().for_each(|cell| cell.forget());
    }

    pub(super) fn source(&self, kind: Kind) -> &Arc<dyn Source> {
        match kind {
            Kind::Parameter | Kind::Path => &self.sources.parameters,
            Kind::Secret => &self.sources.secrets,
            Kind::Configuration => &self.sources.configurations,
        }
    }

    fn cells(&self) -> MutexGuard<'_, LruCache<Key, Arc<dyn AnyCell>>> {
        self.cells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Evicts what is beyond the capacity, and returns it. A cell that a declaration holds, or a fetch, stays: a
/// second one for its key would not be invalidated with it. It does not count either.
fn evict(cells: &mut LruCache<Key, Arc<dyn AnyCell>>) -> Vec<Arc<dyn AnyCell>> {
    let mut evicted = Vec::new();
    // Only beyond it, counting is worth its microseconds.
    if cells.len() <= CAPACITY {
        return evicted;
    }
    let is_held = |cell: &Arc<dyn AnyCell>| Arc::strong_count(cell) > 1;
    let others = cells.iter().filter(|(_, cell)| !is_held(cell)).count();
    while evicted.len() + CAPACITY < others {
        match cells.pop_lru() {
            Some((key, cell)) if is_held(&cell) => {
                cells.put(key, cell);
            }
            Some((_, cell)) => evicted.push(cell),
            None => break,
        }
    }
    evicted
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("sources", &self.sources).finish_non_exhaustive()
    }
}
