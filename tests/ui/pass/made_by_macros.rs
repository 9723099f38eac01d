//! Functions that a `macro_rules!` macro makes.

#![deny(warnings)]
#![allow(dead_code)]

use lambda_runtime::Error;
use powertools::batch::Message;
use powertools::idempotency::{Idempotency, MemoryStore};
use powertools::{batch, deadline, idempotent, init_once, logged};

type Idempotencies = Idempotency<MemoryStore>;

macro_rules! with_a_body {
    ($(#[$attribute:meta])* $name:ident($argument:ident: $type:ty) -> $result:ty, $body:block) => {
        $(#[$attribute])*
        async fn $name($argument: $type) -> $result $body
    };
}

with_a_body!(#[deadline] in_time(id: u64) -> Result<u64, Error>, { Ok(id + 1) });
with_a_body!(#[logged] #[deadline(reserve = "1s")] both(id: u64) -> Result<u64, Error>, {
    let id = id + 1;
    Ok(id)
});
with_a_body!(#[batch(sqs)] of_a_batch(order: Message<u64>) -> Result<(), Error>, {
    println!("{}", order.body);
    Ok(())
});

macro_rules! around_a_body {
    ($store:ident, $id:ident, $body:block) => {
        #[idempotent(key = $id, with = $store)]
        async fn once($store: &Idempotencies, $id: u64) -> Result<u64, Error> $body

        #[deadline]
        async fn in_time_too($id: u64) -> Result<u64, Error> $body
    };
}

around_a_body!(idempotency, id, { Ok(id) });

macro_rules! made {
    ($body:block) => {
        #[init_once]
        fn limit() -> Result<u64, Error> $body
    };
}

made!({ Ok(7) });

fn main() {}
