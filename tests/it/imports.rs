//! Imports point one way only (ARCHITECTURE.md).

use std::{fs, path::Path};

/// Modules of the library, and what each may not name.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("text.rs", &["finding", "content", "detect", "policy", "redact", "inspect", "gate", "audit", "proxy", "admin", "config", "app"]),
    ("finding.rs", &["content", "detect", "policy", "redact", "inspect", "gate", "audit", "proxy", "admin", "config", "app"]),
    ("budget.rs", &["content", "detect", "policy", "redact", "inspect", "gate", "audit", "proxy", "admin", "config", "app"]),
    ("knowledge", &["content", "detect", "learn", "policy", "redact", "inspect", "gate", "audit", "proxy", "admin", "config", "app"]),
    ("learn", &["policy", "redact", "inspect", "gate", "audit", "proxy", "admin", "config", "app"]),
    ("content", &["detect", "policy", "redact", "inspect", "gate", "audit", "proxy", "admin", "config", "app"]),
    ("detect", &["learn", "policy", "redact", "inspect", "gate", "audit", "proxy", "admin", "config", "app"]),
    ("policy", &["gate", "audit", "proxy", "admin", "config", "app"]),
    ("redact.rs", &["gate", "audit", "proxy", "admin", "config", "app"]),
    ("inspect.rs", &["gate", "audit", "proxy", "admin", "config", "app"]),
    ("inspect", &["gate", "audit", "proxy", "admin", "config", "app"]),
    ("audit", &["gate", "proxy", "admin", "config", "app"]),
    ("gate.rs", &["proxy", "admin", "config", "app"]),
    ("proxy", &["admin", "config", "app"]),
    ("admin", &["gate", "proxy", "app"]),
];

#[test]
fn imports_point_one_way() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for (place, forbidden) in FORBIDDEN {
        let path = src.join(place);
        assert!(path.exists(), "{place}");
        for (file, text) in sources(&path) {
            // Tests may build what they need.
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let flat: String = code.split_whitespace().collect();
            for module in *forbidden {
                let named = [format!("crate::{module}::"), format!("crate::{{{module}::"), format!(",{module}::{{")];
                if named.iter().any(|name| flat.contains(name.as_str())) {
                    wrong.push(format!("{file} imports {module}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn sources(path: &Path) -> Vec<(String, String)> {
    if path.is_dir() {
        return fs::read_dir(path).expect("read").flatten().flat_map(|entry| sources(&entry.path())).collect();
    }
    let is_test = path.file_name().is_some_and(|name| name == "tests.rs");
    if is_test || path.extension().is_none_or(|extension| extension != "rs") {
        return Vec::new();
    }
    vec![(path.display().to_string(), fs::read_to_string(path).expect("read"))]
}
