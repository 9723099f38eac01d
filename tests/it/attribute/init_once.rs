//! Values that are made once, by the attribute.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU32, Ordering};

use lambda_runtime::Error;
use powertools::{init, init_once};

#[tokio::test]
async fn the_first_caller_initialises_the_value_for_all() {
    static MADE: AtomicU32 = AtomicU32::new(0);

    #[init_once]
    async fn table() -> Result<String, Error> {
        tokio::task::yield_now().await;
        MADE.fetch_add(1, Ordering::Relaxed);
        Ok("orders".to_owned())
    }

    let tasks: Vec<_> = (0..100).map(|_| tokio::spawn(table())).collect();
    let first = table().await.unwrap();
    for task in tasks {
        assert!(std::ptr::eq(task.await.unwrap().unwrap(), first));
    }
    assert_eq!((first.as_str(), MADE.load(Ordering::Relaxed)), ("orders", 1));
}

#[tokio::test]
async fn a_failure_is_not_kept() {
    static TRIES: AtomicU32 = AtomicU32::new(0);

    #[init_once]
    async fn table() -> Result<u32, Error> {
        match TRIES.fetch_add(1, Ordering::Relaxed) {
            0 => Err("not yet".into()),
            tries => Ok(tries),
        }
    }

    assert_eq!(table().await.unwrap_err().to_string(), "not yet");
    assert_eq!(*table().await.unwrap(), 1);
    assert_eq!(*table().await.unwrap(), 1);
}

#[test]
fn a_sync_function_has_its_own_value() {
    static MADE: AtomicU32 = AtomicU32::new(0);

    #[init_once]
    fn one() -> Result<u32, Error> {
        Ok(MADE.fetch_add(1, Ordering::Relaxed))
    }

    #[init_once]
    fn other() -> Result<u32, Error> {
        Ok(one()? + 10)
    }

    assert_eq!((*other().unwrap(), *one().unwrap()), (10, 0));
    assert_eq!(MADE.load(Ordering::Relaxed), 1);
}

trait Table {
    const NAME: &'static str;

    #[init_once]
    fn provided() -> Result<String, Error> {
        Ok(Self::NAME.to_owned())
    }
}

struct Orders;

impl Table for Orders {
    const NAME: &'static str = "orders";
}

struct Carts;

impl Table for Carts {
    const NAME: &'static str = "carts";
}

struct Shop<T>(PhantomData<T>);

impl<T: Table> Shop<T> {
    #[init_once]
    async fn table() -> Result<String, Error> {
        Ok(T::NAME.to_owned())
    }

    #[init_once]
    fn table_now() -> Result<String, Error> {
        Ok(T::NAME.to_owned())
    }
}

#[tokio::test]
async fn types_do_not_get_the_values_of_each_other() {
    let values = [
        Shop::<Orders>::table().await,
        Shop::<Carts>::table().await,
        Shop::<Orders>::table_now(),
        Shop::<Carts>::table_now(),
        Orders::provided(),
        Carts::provided(),
    ];
    for value in values {
        let error = value.unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(init::Error::Generic { .. })), "{error}");
    }
}

struct Borrowed<'a>(&'a str);

impl Borrowed<'_> {
    #[init_once]
    async fn limit() -> Result<usize, Error> {
        Ok(Borrowed("limit").0.len())
    }
}

mod elsewhere {
    use super::{Carts, Error, init_once};

    impl Carts {
        #[init_once]
        pub(super) fn limit() -> Result<usize, Error> {
            Ok(7)
        }
    }
}

impl<T> Shop<T> {
    async fn limit() -> u32 {
        #[init_once]
        async fn limit() -> Result<u32, Error> {
            Ok(9)
        }

        *limit().await.unwrap()
    }
}

#[tokio::test]
async fn a_function_of_one_type_or_of_none_has_one_value() {
    assert_eq!((*Borrowed::limit().await.unwrap(), *Carts::limit().unwrap()), (5, 7));
    assert_eq!((Shop::<Orders>::limit().await, Shop::<Carts>::limit().await), (9, 9));
}

#[tokio::test]
async fn a_warm_up_takes_the_accessor() {
    use powertools::Powertools;
    use powertools::testing::FakeRuntime;
    use serde_json::{Value, json};

    static MADE: AtomicU32 = AtomicU32::new(0);

    #[init_once]
    async fn number() -> Result<u32, Error> {
        Ok(MADE.fetch_add(1, Ordering::Relaxed) + 1)
    }

    let handler = async |_: lambda_runtime::LambdaEvent<Value>| {
        assert_eq!(MADE.load(Ordering::Relaxed), 1, "it was made before the first event");
        Ok::<_, Error>(*number().await?)
    };
    let lambda = FakeRuntime::new();
    let _function = lambda.run(Powertools::new(handler).warm_up("number", number).run());
    assert_eq!(lambda.invoke(json!({})).await.json::<u32>(), 1);
}
