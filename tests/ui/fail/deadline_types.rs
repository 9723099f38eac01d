use lambda_runtime::Error;
use powertools::deadline;

#[deadline]
async fn wrong_error(id: u64) -> Result<u64, String> {
    Ok(id)
}

#[deadline(or = "later")]
async fn wrong_fallback(id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[deadline]
async fn wrong_value(id: u64) -> Result<u64, Error> {
    Ok(id.to_string())
}

fn main() {
    let _ = (wrong_error, wrong_fallback, wrong_value);
}
