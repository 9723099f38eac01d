//! What is under a key, for how long, and with how many commands.

use std::collections::HashMap;
use std::time::Duration;

use powertools::idempotency::{
    Claim, Completion, Data, EpochMillis, EpochSeconds, KeyCodec, Outcome, Renewal, Store,
};
use powertools::testing::store_suite;
use powertools_tests::emulators::RedisKind;

use super::World;

const NOW: u64 = 1_800_000_000_400;

/// A claim at a time far from that of the server, which holds for 30 seconds, and its completion.
pub(super) fn claimed(key: &str) -> (Claim, Completion) {
    let mut claim = store_suite::claim(key, EpochMillis(NOW));
    claim.expiration = EpochSeconds(NOW / 1000 + 60);
    claim.validation = Some("hash".to_owned());
    let mut completion = store_suite::completion(&claim);
    completion.expiration = EpochSeconds(NOW / 1000 + 600);
    completion.data = Some(Data::Text(r#"{"ok": true}"#.to_owned()));
    (claim, completion)
}

#[tokio::test]
async fn records_are_json_that_the_server_deletes_when_they_have_expired() {
    for kind in RedisKind::all() {
        let world = World::new(&kind).await;
        let store = &world.store;
        // By the clock of the claim, whatever that of the server says.
        let kept = |key: &str| world.server.command::<i64>(&["PTTL", key]);
        let is_kept = |key: &str, milliseconds: i64| {
            let kept = kept(key);
            let range = milliseconds - 5_000..=milliseconds;
            assert!(range.contains(&kept), "{kept} of {milliseconds} on {}", kind.name());
        };

        let (claim, completion) = claimed("key");
        assert_eq!(store.claim(&claim).await.unwrap(), Outcome::Applied);
        let owner = claim.owner.as_str();
        let times = r#""expiration":1800000060,"in_progress_expiration":1800000030400"#;
        let end = r#""validation":"hash"}"#;
        let text = format!(r#"{{"owner":"{owner}","status":"INPROGRESS",{times},{end}"#);
        assert_eq!(world.server.get("key"), Some(text));
        is_kept("key", 60_600);

        let mut renewal: Renewal = store_suite::renewal(&claim);
        renewal.expiration = EpochSeconds(NOW / 1000 + 90);
        assert_eq!(store.renew(&renewal).await.unwrap(), Outcome::Applied);
        let times = r#""expiration":1800000090,"in_progress_expiration":1800000060400"#;
        let text = format!(r#"{{"owner":"{owner}","status":"INPROGRESS",{times},{end}"#);
        assert_eq!(world.server.get("key"), Some(text));
        is_kept("key", 90_600);

        assert_eq!(store.complete(&completion).await.unwrap(), Outcome::Applied);
        let end = r#""validation":"hash","data":"{\"ok\": true}"}"#;
        let text =
            format!(r#"{{"owner":"{owner}","status":"COMPLETED","expiration":1800000600,{end}"#);
        assert_eq!(world.server.get("key"), Some(text));
        is_kept("key", 600_600);
    }
}

#[tokio::test]
async fn a_completion_with_the_expiration_of_its_claim_is_kept_for_the_same_time() {
    for kind in RedisKind::all() {
        let world = World::new(&kind).await;
        let (claim, mut completion) = claimed("key");
        completion.expiration = claim.expiration;
        assert_eq!(world.store.claim(&claim).await.unwrap(), Outcome::Applied);
        assert_eq!(world.store.complete(&completion).await.unwrap(), Outcome::Applied);
        let record = world.server.get("key").unwrap();
        let completed = r#""COMPLETED","expiration":1800000060,"validation":"hash","data":"#;
        assert!(record.contains(completed), "{record}");
        let kept = world.server.command::<i64>(&["PTTL", "key"]);
        assert!((55_600..=60_600).contains(&kept), "{kept} on {}", kind.name());

        // What has no end keeps none, or has that of the completion.
        let (claim, mut completion) = claimed("endless");
        completion.expiration = claim.expiration;
        assert_eq!(world.store.claim(&claim).await.unwrap(), Outcome::Applied);
        let _: u32 = world.server.command(&["PERSIST", "endless"]);
        assert_eq!(world.store.complete(&completion).await.unwrap(), Outcome::Applied);
        let kept = world.server.command::<i64>(&["PTTL", "endless"]);
        let range = if completes_by_script(&world) { -1..=-1 } else { 55_600..=60_600 };
        assert!(range.contains(&kept), "{kept} on {}", kind.name());
    }
}

/// A replica of an older version would drop a write with a condition that it does not know.
#[tokio::test]
async fn what_a_server_logs_and_replicates_has_no_conditions() {
    for kind in RedisKind::all() {
        let log = ["--appendonly", "yes", "--appendfsync", "always"];
        let world = World::with(&kind, &log, |options| options).await;
        let (claim, completion) = claimed("key");
        assert_eq!(world.store.claim(&claim).await.unwrap(), Outcome::Applied);
        assert_eq!(world.store.complete(&completion).await.unwrap(), Outcome::Applied);
        let log = world.server.append_only_file();
        assert!(log.contains("COMPLETED"), "{log}");
        for condition in ["IFEQ", "NX", "EVAL"] {
            assert!(!log.contains(&format!("\r\n{condition}")), "{}: {log}", kind.name());
        }
    }
}

#[tokio::test]
async fn a_record_that_expires_sooner_is_deleted_sooner() {
    if let Some(kind) = RedisKind::first() {
        let world = World::new(&kind).await;
        let (claim, mut completion) = claimed("key");
        assert_eq!(world.store.claim(&claim).await.unwrap(), Outcome::Applied);
        // Before the time at which it was claimed.
        completion.expiration = EpochSeconds(NOW / 1000 - 10);
        assert_eq!(world.store.complete(&completion).await.unwrap(), Outcome::Applied);
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(world.server.get("key"), None);
    }
}

#[tokio::test]
async fn values_of_the_typescript_toolkit_are_values() {
    if let Some(kind) = RedisKind::first() {
        let world = World::with(&kind, &[], |it| it.codec(KeyCodec::TypeScript)).await;
        assert_eq!(world.charge("order").await.unwrap(), "run 1");
        let record = world.record("order").unwrap();
        assert!(record.ends_with(r#","data":"run 1"}"#), "{record}");
    }
}

#[tokio::test]
async fn a_first_call_is_two_commands_and_a_replay_one() {
    for kind in RedisKind::all() {
        let world = World::new(&kind).await;
        let commands = || {
            let processed = world.server.command::<String>(&["INFO", "commandstats"]);
            let calls = |line: &str| {
                let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(':')?;
                let calls = rest.split("calls=").nth(1)?.split(',').next()?.parse().ok()?;
                Some((name.to_owned(), calls))
            };
            processed.lines().filter_map(calls).collect::<HashMap<String, u32>>()
        };
        let since = |before: &HashMap<String, u32>| {
            let counts = ["set", "evalsha", "eval", "get", "del"];
            let now = commands();
            let calls = |name: &str| {
                let [now, before] = [&now, before].map(|it| it.get(name).copied().unwrap_or(0));
                now - before
            };
            counts.map(calls)
        };
        // It shows which commands the server knows.
        world.charge("first").await.unwrap();
        let before = commands();
        world.charge("second").await.unwrap();
        // A script has a GET and a SET inside.
        let claims_by_script = kind.name() == "Redis 6";
        let first = match (claims_by_script, completes_by_script(&world)) {
            (true, _) => [2, 2, 0, 2, 0],
            (false, true) => [2, 1, 0, 1, 0],
            (false, false) => [2, 0, 0, 0, 0],
        };
        assert_eq!(since(&before), first, "on {}", kind.name());
        let before = commands();
        world.charge("second").await.unwrap();
        let replay = if claims_by_script { [0, 1, 0, 1, 0] } else { [1, 0, 0, 0, 0] };
        assert_eq!(since(&before), replay, "on {}", kind.name());
    }
}

/// Servers before Redis 8.4 and Valkey 8.1 have no command for a completion.
fn completes_by_script(world: &World) -> bool {
    world.server.name() != "Valkey" && world.server.version() < (8, 4)
}
