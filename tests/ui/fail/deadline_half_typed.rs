use lambda_runtime::Error;
use powertools::deadline;

#[deadline]
async fn charge(id: u64) -> Result<u64, Error> {
    let receipt = id.
    Ok(id)
}

fn main() {
    let _ = charge;
}
