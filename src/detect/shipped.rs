//! The rules that Exeat ships, one line a file.

use super::RuleFile;

/// Every file of `rules/`.
pub(super) const FILES: &[RuleFile<'static>] = &[file("rules/global.toml", include_str!("../../rules/global.toml"))];

const fn file(name: &'static str, text: &'static str) -> RuleFile<'static> {
    RuleFile { name, text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_in_the_rules_directory_is_shipped() {
        let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
        for entry in std::fs::read_dir(directory).expect("rules/") {
            let name = format!("rules/{}", entry.expect("entry").file_name().to_string_lossy());
            assert!(FILES.iter().any(|file| file.name == name), "{name} has no line in src/detect/shipped.rs");
        }
    }
}
