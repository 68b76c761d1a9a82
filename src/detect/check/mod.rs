//! Validators that rules name in `check`: check digits, regions, dates, decoded headers.
//!
//! A check strips the separators itself, never panics, and says which standard it follows.

mod americas;
mod asia;
mod cn;
mod crypto;
mod digits;
mod europe;
mod europe_east;
mod finance;
mod global;
mod latin_america;
mod mea;
mod mnemonic;
mod network;
mod oceania;
mod passwords;
mod secrets;
mod south_asia;
mod vat;
mod wording;

pub(super) use passwords::{is_masked, is_template};

/// Whether the text of a candidate is valid.
pub type Check = fn(&str) -> bool;

/// The validators, one table a family.
const TABLES: &[&[(&str, Check)]] = &[
    americas::TABLE,
    asia::TABLE,
    cn::TABLE,
    crypto::TABLE,
    europe::TABLE,
    europe_east::TABLE,
    finance::TABLE,
    global::TABLE,
    latin_america::TABLE,
    mea::TABLE,
    mnemonic::TABLE,
    network::TABLE,
    oceania::TABLE,
    passwords::TABLE,
    secrets::TABLE,
    south_asia::TABLE,
    vat::TABLE,
    wording::TABLE,
    super::random::TABLE,
];

/// The validator that rules call `name`.
pub fn named(name: &str) -> Option<Check> {
    TABLES.iter().flat_map(|table| table.iter()).find(|(known, _)| *known == name).map(|(_, check)| *check)
}

/// Whether the check of this name asks if a value looks drawn, and not whether it is valid.
pub(super) fn judges_looks(name: &str) -> bool {
    matches!(name, "hugging-face-token" | "mixed-token" | "random" | "real-token" | "strong-token")
}

/// The names of all validators.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLES.iter().flat_map(|table| table.iter()).map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_taken_twice() {
        let mut names: Vec<_> = names().collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn no_check_panics_on_odd_text() {
        for text in ["", "0", "中文", "１２３", "\u{0}", "a-b-c", &"9".repeat(5000), "ÄÖÜ12345678", "----", "0000000000000000000"] {
            for (_, check) in TABLES.iter().flat_map(|table| table.iter()) {
                let _ = check(text);
            }
        }
    }
}
