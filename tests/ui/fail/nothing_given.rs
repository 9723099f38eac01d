use powertools::idempotency::Error;
use powertools::idempotent;

#[idempotent]
async fn charge(id: u64) -> Result<u64, Error> {
    Ok(id)
}

fn main() {
    let _ = charge;
}
