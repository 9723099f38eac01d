use std::rc::Rc;

use lambda_runtime::Error;
use powertools::init_once;

type Answer = Option<u64>;

#[init_once]
async fn hidden_non_result() -> Answer {
    Some(7)
}

#[init_once]
async fn wrong_error() -> Result<u64, String> {
    Ok(7)
}

#[init_once]
async fn not_sync() -> Result<Rc<u64>, Error> {
    Ok(Rc::new(7))
}

#[init_once]
async fn wrong_value() -> Result<u64, Error> {
    Ok("seven")
}

fn main() {
    let _ = (hidden_non_result, wrong_error, not_sync, wrong_value);
}
