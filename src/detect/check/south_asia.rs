//! Identifiers of South Asia: India, Pakistan, Sri Lanka.

use super::{
    Check,
    digits::{digits, figures, luhn, number, symbols, value, verhoeff},
};

/// The checks by name.
pub(super) const TABLE: &[(&str, Check)] = &[
    ("in-aadhaar", in_aadhaar),
    ("in-driver", in_driver),
    ("in-epic", in_epic),
    ("in-gstin", in_gstin),
    ("in-pan", in_pan),
    ("lk-nic", lk_nic),
    ("pk-cnic", pk_cnic),
];

/// India, Aadhaar: first digit from 2, no palindrome, Verhoeff (UIDAI).
fn in_aadhaar(text: &str) -> bool {
    digits::<12>(text).is_some_and(|d| d[0] > 1 && !d.iter().eq(d.iter().rev()) && verhoeff(&d))
}

/// India, driver licence: state, office, year of issue, serial (MoRTH, Sarathi).
fn in_driver(text: &str) -> bool {
    symbols::<15>(text).is_some_and(|s| {
        figures::<13>(&s[2..]).is_some_and(|d| (1950..2100).contains(&number(&d[2..6])) && number(&d[..2]) > 0 && number(&d[6..]) > 0)
    })
}

/// India, elector's photo identity card: three letters and seven digits with Luhn (ECI).
fn in_epic(text: &str) -> bool {
    symbols::<10>(text).is_some_and(|s| figures::<7>(&s[3..]).is_some_and(|d| number(&d) > 0 && luhn(&d)))
}

/// India, GSTIN: state, PAN, entity, Z, Luhn in base 36 (CBIC, GST rules).
fn in_gstin(text: &str) -> bool {
    let Some(s) = symbols::<15>(text) else { return false };
    let (Some(state), Some(pan)) = (figures::<2>(&s[..2]), s.get(2..12)) else { return false };
    let [body @ .., check] = s;
    let sum: u32 =
        body.iter().enumerate().map(|(i, symbol)| value(*symbol) * (1 + i as u32 % 2)).map(|product| product / 36 + product % 36).sum();
    matches!(number(&state), 1..=38 | 97 | 99) && is_pan(pan) && (36 - sum % 36) % 36 == value(check)
}

/// India, PAN: five letters, the fourth a kind of holder, four digits, a letter (Income-tax rule 114).
fn in_pan(text: &str) -> bool {
    symbols::<10>(text).is_some_and(|s| is_pan(&s))
}

fn is_pan(s: &[u8]) -> bool {
    let letters = |part: Option<&[u8]>| part.is_some_and(|part| part.iter().all(u8::is_ascii_uppercase));
    let kind = s.get(3).is_some_and(|symbol| b"ABCEFGHJKLPT".contains(symbol));
    let serial = s.get(5..9).and_then(figures::<4>).is_some_and(|d| number(&d) > 0 && d != [1, 2, 3, 4]);
    letters(s.get(..5)) && kind && serial && letters(s.get(9..))
}

/// Sri Lanka, NIC: year and day of the year (plus 500 for women), old with V or X, new with 12 digits (DRP); the check
/// digit's rule is not published.
fn lk_nic(text: &str) -> bool {
    let day = |day: u64| matches!(day, 1..=366 | 501..=866);
    symbols::<10>(text).is_some_and(|s| matches!(s[9], b'V' | b'X') && figures::<9>(&s[..9]).is_some_and(|d| day(number(&d[2..5]))))
        || digits::<12>(text).is_some_and(|d| (1900..2030).contains(&number(&d[..4])) && day(number(&d[4..7])))
}

/// Pakistan, CNIC: province 1 to 7, last digit never 0 (NADRA); it has no check digit.
fn pk_cnic(text: &str) -> bool {
    digits::<13>(text).is_some_and(|d| matches!(d[0], 1..=7) && d[1] > 0 && d[12] > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::check::digits::corruption::all_caught;

    #[test]
    fn published_numbers_pass_and_no_single_digit_error_does() {
        all_caught(in_aadhaar, &["2341 2341 2346"]);
        all_caught(in_gstin, &["27AAPFU0939F1ZV"]);
        all_caught(in_epic, &["WKH1186253"]);
    }

    #[test]
    fn structured_numbers_need_their_structure() {
        assert!(in_pan("ACUPA7085R") && !in_pan("ACUDA7085R") && !in_pan("ACUPA0000R"));
        assert!(in_driver("MH14 20110062821") && !in_driver("MH14 18110062821"));
        assert!(lk_nic("853400937V") && lk_nic("198534000937") && !lk_nic("854400937V") && !lk_nic("198540000937"));
        assert!(pk_cnic("34201-0891231-8") && !pk_cnic("84201-0891231-8") && !pk_cnic("34201-0891231-0"));
        assert!(!in_aadhaar("1341 2341 2346"));
    }
}
