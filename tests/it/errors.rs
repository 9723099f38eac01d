//! One rule for the errors of all modules: each is known as one of this toolkit.

use std::fs;
use std::path::{Path, PathBuf};

/// An error that is not registered could be permanent, and send a record away for good.
#[test]
fn every_error_type_of_this_toolkit_is_registered() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../powertools/src");
    let mut files = Vec::new();
    collect(&source, &mut files);
    // The errors of JSON are registered further up, since their module lies below that of errors.
    let all: String = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let mut found = 0;
    for file in files {
        let code = fs::read_to_string(&file).unwrap();
        let code = code.split("#[cfg(test)]").next().unwrap();
        let mut lines = code.lines();
        while let Some(line) = lines.next() {
            if !(line.starts_with("#[derive(") && line.contains("thiserror::Error")) {
                continue;
            }
            let item = lines.by_ref().find(|line| !line.starts_with("#[")).unwrap_or_default();
            let Some(item) = item.strip_prefix("pub ") else { continue };
            let Some(name) = item.split([' ', '<', '(']).nth(1) else { continue };
            let code = if name == "Error" { code } else { &all };
            let code: String = code.split_whitespace().collect();
            let is_registered = ["name_in_lambda", "without_name"].iter().any(|by| {
                ["(", "(crate::json::"].iter().any(|path| {
                    [")", ","].iter().any(|end| code.contains(&format!("{by}!{path}{name}{end}")))
                })
            });
            assert!(is_registered, "{} has {name}", file.display());
            found += 1;
        }
    }
    assert!(found >= 10, "{found} errors were found");
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}
