//! What the attributes accept, and what they say of the rest.

use std::process::Command;

/// The compiler whose messages are in `tests/ui/fail`: others have other words.
const COMPILER: &str = "rustc 1.95.";

#[test]
fn attributes() {
    let cases = trybuild::TestCases::new();
    cases.pass("../tests/ui/pass/*.rs");
    if compiler().starts_with(COMPILER) {
        cases.compile_fail("../tests/ui/fail/*.rs");
    } else {
        eprintln!("messages are compared on {COMPILER} only, and this is {}", compiler());
    }
}

fn compiler() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().expect("runs rustc");
    String::from_utf8(output.stdout).expect("its version is text")
}
