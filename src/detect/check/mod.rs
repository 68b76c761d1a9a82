//! Validators that rules name in `check`: checksums and structure that a pattern cannot express.

mod americas;
mod asia;
mod digits;
mod europe;
mod europe_east;
mod latin_america;
mod mea;
mod oceania;
mod south_asia;
mod vat;

/// Whether the text of a candidate can be what its rule says; never panics.
pub type Check = fn(&str) -> bool;

/// Every table of checks.
const TABLES: &[&[(&str, Check)]] = &[
    vat::TABLE,
    europe::TABLE,
    europe_east::TABLE,
    americas::TABLE,
    latin_america::TABLE,
    asia::TABLE,
    south_asia::TABLE,
    oceania::TABLE,
    mea::TABLE,
];

/// The check of that name.
pub fn named(name: &str) -> Option<Check> {
    TABLES.iter().copied().flatten().find(|(known, _)| *known == name).map(|(_, check)| *check)
}
