//! The modules of the crate import each other in one direction.
//!
//! `powertools/docs/architecture.md` has the layers. The test reads the paths that begin with
//! `crate::` in the code, and so sees also those that are not in a `use`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The layers, from the bottom up. A module imports those below it.
const LAYERS: &[&[&str]] = &[
    &["carries", "clock", "hex", "path"],
    &["environment"],
    &["json"],
    &["error"],
    &["process"],
    &["invocation"],
    &["events"],
    &["aws"],
    // The rooms.
    &[
        "batch",
        "custom_resource",
        "deadline",
        "feature_flags",
        "http",
        "idempotency",
        "init",
        "logging",
        "metrics",
        "parameters",
        "validation",
    ],
    // The roof.
    &["runtime", "macro_support"],
    &["testing"],
    &["guide"],
];

/// The edges between the modules of one layer.
const SIDEWAYS: &[(&str, &str)] = &[
    ("batch", "idempotency"),
    ("custom_resource", "deadline"),
    ("http", "idempotency"),
    ("http", "metrics"),
    ("http", "validation"),
];

#[test]
fn imports_run_downwards() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../powertools/src");
    let mut wrong = BTreeSet::new();
    let mut edges = 0;
    for file in files(&source) {
        let place = file.strip_prefix(&source).unwrap();
        let from = place.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
        if from == "lib" || place.iter().any(|part| part == "tests" || part == "tests.rs") {
            continue;
        }
        for to in imports(&code(&fs::read_to_string(&file).unwrap())) {
            edges += 1;
            if !is_allowed(from, &to) {
                wrong.insert(format!("{} imports {to}", place.display()));
            }
        }
    }
    assert!(edges > 150, "the imports are seen: {edges}");
    assert!(wrong.is_empty(), "imports that run up or sideways: {wrong:#?}");
}

#[test]
fn an_import_that_runs_up_or_sideways_is_seen() {
    let seen = |from, text| imports(text).iter().all(|to| is_allowed(from, to));
    assert!(seen("runtime", "use crate::{clock, logging::{Logging, observer}};"));
    assert!(seen("batch", "use crate::idempotency::Error;"));
    assert!(!seen("idempotency", "use crate::batch::Error;"));
    assert!(!seen("error", "use crate::{clock, runtime::Lifecycle};"));
    assert!(!seen("invocation", "fn f() { crate::deadline::Deadline::current() }"));
    // The re-exports at the top are for users: inside, `lib.rs` is imported by nothing.
    assert!(!seen("runtime", "use crate::Clock;"));
    assert!(!seen("error", "use crate::unheard_of;"));
    assert_eq!(
        code("/// crate::runtime\nuse crate::json;\n#[cfg(test)]\nmod tests {}"),
        "use crate::json;\n"
    );
}

fn is_allowed(from: &str, to: &str) -> bool {
    let layer = |module: &str| LAYERS.iter().position(|layer| layer.contains(&module));
    match (layer(from), layer(to)) {
        (Some(above), Some(below)) => from == to || above > below || SIDEWAYS.contains(&(from, to)),
        _ => false,
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The code without its comments and without the tests at its end.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.map(|line| format!("{line}\n")).collect()
}

/// The modules that the paths in `text` lead to, as far as these begin at the crate.
fn imports(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (start, _) in text.match_indices("crate::") {
        // `$crate` is for the code of others, and `x_crate` something else.
        if text[..start].ends_with(['$', '_']) {
            continue;
        }
        let path = &text[start + "crate::".len()..];
        match path.strip_prefix('{') {
            Some(group) => found.extend(first_names(group)),
            None => found.extend(first_name(path)),
        }
    }
    found
}

/// The names at the beginnings of the paths in a group.
fn first_names(group: &str) -> Vec<String> {
    let mut names = Vec::new();
    let (mut depth, mut begins) = (0, true);
    for (index, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => begins = true,
            _ if begins && !character.is_whitespace() => {
                names.extend(first_name(&group[index..]));
                begins = false;
            }
            _ => {}
        }
    }
    names
}

fn first_name(path: &str) -> Option<String> {
    let end = path.find(|character: char| character != '_' && !character.is_alphanumeric());
    let name = &path[..end.unwrap_or(path.len())];
    if name.is_empty() {
        return None;
    }
    Some(if name == "register_lambda_error" { "error" } else { name }.to_owned())
}
