use powertools::idempotency::{Error, Idempotency, MemoryStore, Store};
use powertools::idempotent;

type Idempotencies = Idempotency<MemoryStore>;

#[idempotent(key = id, with = idempotency)]
async fn generic<S: Store>(idempotency: &Idempotency<S>, id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[idempotent(key = parts, with = idempotency)]
async fn sized<'a, const N: usize>(
    idempotency: &'a Idempotencies,
    parts: [u8; N],
) -> Result<u8, Error>
where
    [u8; N]: serde::Serialize,
{
    Ok(parts[0])
}

#[idempotent(key = id.to_string(), with = idempotency)]
async fn anonymous(idempotency: &Idempotencies, id: impl ToString) -> Result<String, Error> {
    Ok(id.to_string())
}

struct Orders(Idempotencies);

impl Orders {
    #[idempotent(key = id, with = self.0)]
    async fn method(&self, id: u64) -> Result<u64, Error> {
        Ok(id)
    }
}

#[idempotent(key = id, with = idempotency)]
async fn borrowed<'a>(idempotency: &'a Idempotencies, id: u64) -> Result<u64, Error> {
    Ok(id)
}

fn main() {
    let _ = (generic::<MemoryStore>, sized::<1>, Orders::method, borrowed);
    drop(anonymous(&Idempotency::new(MemoryStore::new()).unwrap(), 7));
}
