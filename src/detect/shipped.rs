//! The rules that Exeat ships, one line a file.

use super::RuleFile;

/// Every file of `rules/`.
pub(super) const FILES: &[RuleFile<'static>] = &[
    file("rules/americas.toml", include_str!("../../rules/americas.toml")),
    file("rules/asia-pacific.toml", include_str!("../../rules/asia-pacific.toml")),
    file("rules/business.toml", include_str!("../../rules/business.toml")),
    file("rules/china.toml", include_str!("../../rules/china.toml")),
    file("rules/europe.toml", include_str!("../../rules/europe.toml")),
    file("rules/finance.toml", include_str!("../../rules/finance.toml")),
    file("rules/global.toml", include_str!("../../rules/global.toml")),
    file("rules/greater-china.toml", include_str!("../../rules/greater-china.toml")),
    file("rules/health.toml", include_str!("../../rules/health.toml")),
    file("rules/middle-east-africa.toml", include_str!("../../rules/middle-east-africa.toml")),
    file("rules/network.toml", include_str!("../../rules/network.toml")),
    file("rules/secrets-ai.toml", include_str!("../../rules/secrets-ai.toml")),
    file("rules/secrets-china.toml", include_str!("../../rules/secrets-china.toml")),
    file("rules/secrets-cloud.toml", include_str!("../../rules/secrets-cloud.toml")),
    file("rules/secrets-code.toml", include_str!("../../rules/secrets-code.toml")),
    file("rules/secrets-generic.toml", include_str!("../../rules/secrets-generic.toml")),
    file("rules/secrets-keys.toml", include_str!("../../rules/secrets-keys.toml")),
    file("rules/secrets-saas.toml", include_str!("../../rules/secrets-saas.toml")),
];

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
