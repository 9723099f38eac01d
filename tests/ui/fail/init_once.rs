use lambda_runtime::Error;
use powertools::init_once;

#[init_once]
async fn argument(name: &str) -> Result<String, Error> {
    Ok(name.to_owned())
}

#[init_once]
async fn generic<T: Default>() -> Result<T, Error> {
    Ok(T::default())
}

#[init_once]
async fn no_result() -> String {
    String::new()
}

#[init_once]
async fn nothing() {}

#[init_once]
async fn unnamed() -> Result<impl Sized, Error> {
    Ok(7)
}

#[init_once(key = 7)]
async fn option() -> Result<u64, Error> {
    Ok(7)
}

#[init_once]
const fn constant() -> Result<u64, Error> {
    Ok(7)
}

#[init_once]
struct Client;

struct Orders;

impl Orders {
    #[init_once]
    async fn method(&self) -> Result<u64, Error> {
        Ok(7)
    }
}

fn main() {
    let _ = (argument, generic::<u8>, no_result, nothing, unnamed, option, constant);
    let _ = (Client, Orders::method);
}
