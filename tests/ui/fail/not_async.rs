use powertools::idempotency::{Error, Idempotency, MemoryStore};
use powertools::idempotent;

type Records = Idempotency<MemoryStore>;

#[idempotent(key = id, with = records)]
fn charge(records: &Records, id: u64) -> Result<u64, Error> {
    Ok(id)
}

struct Orders(Records);

impl Orders {
    #[idempotent(key = id, with = self.0, name = "charge")]
    fn charge<'a>(
        &'a self,
        id: u64,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<u64, Error>> + Send + 'a>> {
        Box::pin(async move { Ok(id) })
    }
}

fn main() {
    let _ = (charge, Orders::charge);
}
