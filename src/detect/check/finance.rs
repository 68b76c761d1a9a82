//! Check digits of money: cards and accounts.

use super::Check;

pub(super) const TABLE: &[(&str, Check)] = &[("luhn", luhn), ("iban", iban)];

/// The Luhn check digit over all digits of `text` (ISO/IEC 7812-1 annex B).
pub(super) fn luhn(text: &str) -> bool {
    let mut sum = 0u32;
    let mut count = 0usize;
    for digit in text.bytes().rev().filter(u8::is_ascii_digit).map(|byte| u32::from(byte - b'0')) {
        sum += match (count % 2, digit) {
            (0, digit) => digit,
            (_, digit) if digit > 4 => digit * 2 - 9,
            (_, digit) => digit * 2,
        };
        count += 1;
    }
    count > 1 && sum.is_multiple_of(10)
}

/// MOD 97-10 over a rearranged IBAN of the length that its country uses (ISO 13616, ISO 7064).
fn iban(text: &str) -> bool {
    let mut letters = [0u8; 34];
    let mut len = 0;
    for byte in text.bytes().filter(u8::is_ascii_alphanumeric) {
        let Some(slot) = letters.get_mut(len) else { return false };
        *slot = byte.to_ascii_uppercase();
        len += 1;
    }
    let Some((head, tail)) = letters.get(..len).and_then(|all| all.split_at_checked(4)) else { return false };
    let Some(country) = head.get(..2) else { return false };
    if !IBAN_LENGTHS.iter().any(|(code, length)| code.as_bytes() == country && *length == len) {
        return false;
    }
    let remainder = tail.iter().chain(head).fold(0u32, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        _ => (rest * 100 + u32::from(byte - b'A') + 10) % 97,
    });
    remainder == 1
}

/// Length of an IBAN by country (SWIFT IBAN registry).
const IBAN_LENGTHS: &[(&str, usize)] = &[
    ("AD", 24),
    ("AE", 23),
    ("AL", 28),
    ("AT", 20),
    ("AZ", 28),
    ("BA", 20),
    ("BE", 16),
    ("BG", 22),
    ("BH", 22),
    ("BI", 27),
    ("BR", 29),
    ("BY", 28),
    ("CH", 21),
    ("CR", 22),
    ("CY", 28),
    ("CZ", 24),
    ("DE", 22),
    ("DJ", 27),
    ("DK", 18),
    ("DO", 28),
    ("EE", 20),
    ("EG", 29),
    ("ES", 24),
    ("FI", 18),
    ("FK", 18),
    ("FO", 18),
    ("FR", 27),
    ("GB", 22),
    ("GE", 22),
    ("GI", 23),
    ("GL", 18),
    ("GR", 27),
    ("GT", 28),
    ("HR", 21),
    ("HU", 28),
    ("IE", 22),
    ("IL", 23),
    ("IQ", 23),
    ("IS", 26),
    ("IT", 27),
    ("JO", 30),
    ("KW", 30),
    ("KZ", 20),
    ("LB", 28),
    ("LC", 32),
    ("LI", 21),
    ("LT", 20),
    ("LU", 20),
    ("LV", 21),
    ("LY", 25),
    ("MC", 27),
    ("MD", 24),
    ("ME", 22),
    ("MK", 19),
    ("MN", 20),
    ("MR", 27),
    ("MT", 31),
    ("MU", 30),
    ("NI", 28),
    ("NL", 18),
    ("NO", 15),
    ("OM", 23),
    ("PK", 24),
    ("PL", 28),
    ("PS", 29),
    ("PT", 25),
    ("QA", 29),
    ("RO", 24),
    ("RS", 22),
    ("RU", 33),
    ("SA", 24),
    ("SC", 31),
    ("SD", 18),
    ("SE", 24),
    ("SI", 19),
    ("SK", 24),
    ("SM", 27),
    ("SO", 23),
    ("ST", 25),
    ("SV", 28),
    ("TL", 23),
    ("TN", 24),
    ("TR", 26),
    ("UA", 29),
    ("VA", 22),
    ("VG", 24),
    ("XK", 20),
    ("YE", 30),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn luhn_takes_published_numbers_and_no_neighbour() {
        for good in ["4111 1111 1111 1111", "5500-0000-0000-0004", "49927398716"] {
            assert!(luhn(good), "{good}");
        }
        for bad in ["4111 1111 1111 1112", "49927398717", "", "0"] {
            assert!(!luhn(bad), "{bad}");
        }
    }

    #[test]
    fn iban_takes_the_registry_examples_and_no_neighbour() {
        for good in ["DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432", "NO9386011117947", "FR1420041010050500013M02606"] {
            assert!(iban(good), "{good}");
        }
        for bad in ["DE88 3704 0044 0532 0130 00", "GB82WEST1234569876543", "XX89370400440532013000", "DE", ""] {
            assert!(!iban(bad), "{bad}");
        }
    }
}
