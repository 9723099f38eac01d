//! Values in the life of a process.

use std::fs;

use powertools::testing::FakeRuntime;
use serde_json::json;
use tokio::process::Command;

#[tokio::test]
async fn a_restore_empties_the_cache() {
    let folder = std::env::temp_dir().join(format!("powertools-{}-restore", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("password"), "before the snapshot").unwrap();
    let lambda = FakeRuntime::new()
        .env("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
        .env("VALUES", folder.to_str().unwrap());
    let function = lambda.spawn(Command::new(env!("CARGO_BIN_EXE_values"))).unwrap();
    // A fetch that ran during the snapshot is not waited for.
    let outcome = lambda.invoke(json!("late")).await;
    assert_eq!(outcome.json::<String>(), "after the restore");
    let outcome = lambda.invoke(json!("read")).await;
    assert_eq!(outcome.json::<String>(), "after the restore");
    // Nor is its failure remembered.
    let outcome = lambda.invoke(json!("broken")).await;
    assert_eq!(outcome.json::<String>(), "after the restore");
    function.kill().await;
    fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn sixteen_threads_fetch_once_for_each_rotation_and_see_no_half_of_one() {
    let folder = std::env::temp_dir().join(format!("powertools-{}-rotate", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("password"), "from the file").unwrap();
    let lambda = FakeRuntime::new().env("VALUES", folder.to_str().unwrap());
    let function = lambda.spawn(Command::new(env!("CARGO_BIN_EXE_values"))).unwrap();
    let outcome = lambda.invoke(json!("rotate")).await;
    // One of them before the first rotation, unless no caller came so early.
    let fetches = outcome.json::<String>();
    let expected = ["300 fetches in 300 rotations", "301 fetches in 300 rotations"];
    assert!(expected.contains(&fetches.as_str()), "{fetches}");
    function.kill().await;
    fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn what_the_function_installs_is_read_by_warm_ups_and_handlers() {
    let folder = std::env::temp_dir().join(format!("powertools-{}-install", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("password"), "from the file").unwrap();
    let lambda = FakeRuntime::new().env("VALUES", folder.to_str().unwrap());
    let function = lambda.spawn(Command::new(env!("CARGO_BIN_EXE_values"))).unwrap();
    // The warm-up has read it: the file is not needed any more.
    let first = lambda.invoke(json!("forget")).await;
    assert_eq!(first.json::<String>(), "from the file");
    let second = lambda.invoke(json!("read")).await;
    assert_eq!(second.json::<String>(), "from the file");
    function.kill().await;
    fs::remove_dir_all(folder).unwrap();
}
