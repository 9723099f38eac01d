use lambda_runtime::Error;
use powertools::batch::Message;
use powertools::{batch, deadline};

#[deadline(reserve = "500")]
async fn no_unit(id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[deadline(reserve = "1.5s")]
async fn fraction(id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[deadline(reserve = "s")]
async fn no_number(id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[deadline(reserve = "")]
async fn nothing(id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[deadline(reserve = "18446744073709551615min")]
async fn too_long(id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[deadline(reserve = 500)]
async fn number(id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[deadline(reserve = 1.5)]
async fn float(id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[deadline(reserve = id)]
async fn another_type(id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[batch(sqs, reserve = "1 second")]
async fn of_a_batch(order: Message<u64>) -> Result<(), Error> {
    drop(order);
    Ok(())
}

fn main() {
    let _ = (no_unit, fraction, no_number, nothing, too_long, number, float);
    let _ = (another_type, of_a_batch);
}
