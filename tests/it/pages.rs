//! The pages for contributors name files that exist.

use std::path::Path;

#[test]
fn every_path_on_a_page_for_contributors_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut paths = 0;
    for page in
        ["CONTRIBUTING.md", "powertools/docs/architecture.md", "powertools/docs/guarantees.md"]
    {
        let text = std::fs::read_to_string(root.join(page)).unwrap();
        // What is in code font, outside of the fenced blocks.
        let prose: String = text.split("```").step_by(2).collect();
        for path in prose.split('`').skip(1).step_by(2).filter(|code| is_path(code)) {
            let exists = |folder: &str| root.join(folder).join(path).exists();
            assert!(exists(".") || exists("powertools/src"), "{page} names {path}");
            paths += 1;
        }
    }
    assert!(paths > 40, "{paths}");
}

fn is_path(code: &str) -> bool {
    let is_name = |char: char| char.is_ascii_alphanumeric() || "/._-".contains(char);
    code.contains('/') && code.chars().all(is_name)
}
