//! Servers that refuse, and values that are no records: each has a fixed error, and nothing is half done.

use std::time::Instant;

use powertools::idempotency::{Error, Idempotency, RedisStore, StoreErrorKind};
use powertools::testing::invocation;
use powertools_tests::emulators::RedisKind;

use super::{SECOND, World};

#[tokio::test]
async fn an_unreachable_server_is_reported_soon() {
    if let Some(kind) = RedisKind::first() {
        let mut world = World::new(&kind).await;
        world.server.kill();
        let store = RedisStore::new(&world.server.url()).unwrap();
        let start = Instant::now();
        let error = store.warm_up().await.unwrap_err();
        let server = format!("127.0.0.1:{}/0", world.server.port());
        assert_eq!(error.to_string(), format!("the Redis server {server} cannot be reached"));
        assert_eq!(error.kind(), StoreErrorKind::Other);
        let error = world.charge("order").await.unwrap_err();
        assert_eq!(error.error_type(), "Powertools.IdempotencyStore");
        assert!(error.is_retryable());
        assert!(start.elapsed() < SECOND, "{:?}", start.elapsed());
        assert_eq!(world.runs(), 0);
    }
}

#[tokio::test]
async fn a_server_without_memory_refuses_claims_and_results_but_no_releases() {
    for kind in RedisKind::all() {
        let world = World::new(&kind).await;
        world.charge("first").await.unwrap();
        let fill = || world.server.command::<()>(&["CONFIG", "SET", "maxmemory", "1"]);
        let free = || world.server.command::<()>(&["CONFIG", "SET", "maxmemory", "0"]);

        fill();
        let error = world.charge("second").await.unwrap_err();
        assert_eq!(error.error_type(), "Powertools.IdempotencyStore", "on {}", kind.name());
        let Error::Store(cause) = &error else { panic!("{error:?}") };
        let message = cause.to_string();
        assert!(message.ends_with("is out of memory: it has reached its maxmemory"), "{message}");
        assert!(error.is_retryable());
        assert_eq!((world.runs(), world.record("second")), (1, None));
        assert_eq!(world.charge("first").await.unwrap(), "run 1", "a replay writes nothing");
        free();

        let filling = async {
            fill();
            Ok(world.count())
        };
        let error: Error = world.run(2 * SECOND, "third", filling).await.unwrap_err();
        assert_eq!(error.error_type(), "Powertools.IdempotencyNotSaved", "on {}", kind.name());
        assert!(world.record("third").unwrap().contains("INPROGRESS"));
        free();

        let failing = async {
            fill();
            Err(anyhow::anyhow!("no such card"))
        };
        let error = world.run(2 * SECOND, "fourth", failing).await.unwrap_err();
        assert_eq!(error.to_string(), "no such card");
        assert_eq!(world.record("fourth"), None, "it was released on {}", kind.name());
    }
}

#[tokio::test]
async fn a_value_that_is_not_a_record_is_an_error_and_is_kept() {
    for kind in RedisKind::all() {
        let world = World::new(&kind).await;
        let malformed = "Powertools.IdempotencyRecordMalformed";
        for value in ["", "True", "7", "{}", r#"{"status": "COMPLETED", "expiration": "soon"}"#] {
            let _: () = world.server.command(&["SET", &world.key("order"), value]);
            let error = world.charge("order").await.unwrap_err();
            assert_eq!(error.error_type(), malformed, "{value} on {}", kind.name());
            assert!(!error.is_retryable());
            assert_eq!(world.record("order").as_deref(), Some(value));
        }

        let _: () = world.server.command(&["LPUSH", &world.key("list"), "value"]);
        let error = world.charge("list").await.unwrap_err();
        assert_eq!(error.error_type(), malformed, "a list on {}", kind.name());
        let length: u32 = world.server.command(&["LLEN", &world.key("list")]);
        assert_eq!((length, world.runs()), (1, 0));
    }
}

#[tokio::test]
async fn errors_of_users_without_access_contain_no_passwords() {
    for kind in RedisKind::all() {
        let server = kind.start(&["--requirepass", "right-password"]);
        let admin =
            redis::Client::open(format!("redis://:right-password@127.0.0.1:{}", server.port()));
        let mut admin = admin.unwrap().get_connection().unwrap();
        let reader = ["SETUSER", "reader", "on", ">word", "~*", "+get", "+role"];
        redis::cmd("ACL").arg(&reader).exec(&mut admin).unwrap();

        let cases = [
            ("", "requires a password"),
            (":wrong-password@", "does not accept the user name or password"),
            ("nobody:wrong-password@", "does not accept the user name or password"),
            (
                "reader:word@",
                "denies a command; the user needs GET, SET, DEL, PTTL, EVAL and EVALSHA on the keys",
            ),
        ];
        for (user, problem) in cases {
            let url = format!("redis://{user}127.0.0.1:{}", server.port());
            let store = RedisStore::new(&url).unwrap();
            let warmed = store.warm_up().await.map_err(|error| error.to_string());
            // Who may ask for the role is in.
            let refused = warmed.err().is_some_and(|message| message.ends_with(problem));
            assert_eq!(refused, !user.starts_with("reader"), "{user}");
            let idempotency = Idempotency::new(store).unwrap();
            let invocation = invocation().remaining(5 * SECOND).build();
            let work = async { Ok::<_, Error>(()) };
            let error = invocation.scope(idempotency.run("charge", "order", work)).await;
            let error = error.unwrap_err();
            assert_eq!(error.error_type(), "Powertools.IdempotencyStoreAccessDenied", "{user}");
            assert!(!error.is_retryable());
            let Error::Store(cause) = &error else { panic!("{error:?}") };
            assert!(cause.to_string().ends_with(problem), "{cause} on {}", kind.name());
            let all = format!("{error:?}{:?}", idempotency);
            assert!(!all.contains("password@") && !all.contains("wrong-password"), "{all}");
        }
        let right = format!("redis://:right-password@127.0.0.1:{}", server.port());
        RedisStore::new(&right).unwrap().warm_up().await.unwrap();
        let keys: Vec<String> = redis::cmd("KEYS").arg("*").query(&mut admin).unwrap();
        assert!(keys.is_empty(), "{keys:?}");
    }
}

#[tokio::test]
async fn a_server_that_evicts_records_is_refused() {
    for kind in RedisKind::all() {
        let world = World::with(&kind, &["--maxmemory-policy", "allkeys-lru"], |it| it).await;
        let error = world.store.warm_up().await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Invalid);
        let message = error.to_string();
        let problem = "evicts records: its maxmemory-policy is `allkeys-lru`, not `noeviction`";
        assert!(message.ends_with(problem), "{message}");
        let error = world.charge("order").await.unwrap_err();
        assert_eq!(error.error_type(), "Powertools.IdempotencyStoreInvalid", "on {}", kind.name());
        assert_eq!((world.runs(), world.record("order")), (0, None));

        let client = redis::Client::open(world.server.url()).unwrap();
        let connection = client.get_multiplexed_async_connection().await.unwrap();
        let error = RedisStore::with_connection(connection, "orders").warm_up().await.unwrap_err();
        assert!(error.to_string().ends_with(problem), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_reveal_its_policy_is_used() {
    for kind in RedisKind::all() {
        let world = World::with(&kind, &["--rename-command", "CONFIG", ""], |it| it).await;
        assert_eq!(world.charge("order").await.unwrap(), "run 1", "on {}", kind.name());
    }
}

#[test]
fn invalid_urls_are_errors_at_the_start() {
    let cases = [
        ("orders:6379", "it begins with none of redis://, rediss://, valkey://, valkeys://"),
        ("http://orders", "it begins with none of redis://, rediss://, valkey://, valkeys://"),
        ("rediss://orders#insecure", "it has a fragment; TLS is never without verification"),
        ("redis://user:word@/", "Redis URL did not parse"),
        ("redis://user:word@orders/one", "Invalid database number"),
    ];
    for (url, problem) in cases {
        let error = RedisStore::new(url).unwrap_err();
        assert_eq!(error.error_type(), "Powertools.IdempotencyConfig");
        let message = error.to_string();
        assert!(message.contains(problem) && !message.contains("word"), "{message}");
    }
}
