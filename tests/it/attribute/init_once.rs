//! Values that are made once, by the attribute.

use std::sync::atomic::{AtomicU32, Ordering};

use lambda_runtime::Error;
use powertools::init_once;

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
