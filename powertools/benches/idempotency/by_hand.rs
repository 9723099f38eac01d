use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lru::LruCache;
use powertools::Clock;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

const HOUR: u64 = 60 * 60 * 1000;
const LEASE: u64 = 15 * 60 * 1000;

/// The floor: what one would write for one function, without what makes it safe under faults.
#[derive(Default)]
pub(crate) struct ByHand {
    records: Mutex<HashMap<String, Record>>,
}

struct Record {
    owner: String,
    end: u64,
    data: Option<String>,
}

impl ByHand {
    /// Does `work` unless it was done under this key.
    pub(crate) async fn run<R: Serialize + DeserializeOwned>(
        &self,
        name: &str,
        key: &str,
        work: impl Future<Output = R>,
    ) -> R {
        let key = derive(name, key);
        let owner = owner();
        if let Some(data) = self.claim(&key, &owner) {
            return serde_json::from_str(&data).unwrap();
        }
        let result = work.await;
        self.complete(&key, &owner, serde_json::to_string(&result).unwrap());
        result
    }

    fn claim(&self, key: &str, owner: &str) -> Option<String> {
        let now = now();
        let mut records = self.records();
        if let Some(record) = records.get(key)
            && record.end >= now
        {
            return Some(record.data.clone().expect("nobody else works on it"));
        }
        let record = Record { owner: owner.to_owned(), end: now + LEASE, data: None };
        records.insert(key.to_owned(), record);
        None
    }

    fn complete(&self, key: &str, owner: &str, data: String) {
        let now = now();
        let mut records = self.records();
        let record = records.get_mut(key).filter(|record| record.owner == owner).unwrap();
        record.end = now + HOUR;
        record.data = Some(data);
    }

    fn records(&self) -> MutexGuard<'_, HashMap<String, Record>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The floor of the local cache.
pub(crate) struct Cache(Mutex<LruCache<String, (u64, String)>>);

impl Cache {
    pub(crate) fn new(entries: NonZeroUsize) -> Self {
        Self(Mutex::new(LruCache::new(entries)))
    }

    pub(crate) fn put<R: Serialize>(&self, name: &str, key: &str, result: &R) {
        let data = serde_json::to_string(result).unwrap();
        self.0.lock().unwrap().put(derive(name, key), (now() + HOUR, data));
    }

    pub(crate) fn get<R: DeserializeOwned>(&self, name: &str, key: &str) -> Option<R> {
        let key = derive(name, key);
        let mut cache = self.0.lock().unwrap();
        let (end, data) = cache.get(&key)?;
        (*end >= now()).then(|| serde_json::from_str(data).unwrap())
    }
}

/// The toolkit's own key of a text: the same hash of the same bytes.
pub(crate) fn derive(name: &str, key: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";

    let text = serde_json::to_vec(&(name, (), key)).unwrap();
    let mut derived = String::with_capacity(name.len() + 4 + 64);
    derived.push_str(name);
    derived.push_str("#n1:");
    for byte in Sha256::digest(text) {
        derived.push(char::from(DIGITS[usize::from(byte >> 4)]));
        derived.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    derived
}

fn owner() -> String {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).unwrap();
    format!("{:032x}", u128::from_ne_bytes(bits))
}

fn now() -> u64 {
    let since = Clock::system().now().duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(since.as_millis()).unwrap()
}
