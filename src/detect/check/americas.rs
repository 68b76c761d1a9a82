//! Identifiers of the United States and Canada.

use super::{
    Check,
    digits::{digits, figures, is_date, luhn, luhn_sum, number, symbols, weighted},
};

/// The checks by name.
pub(super) const TABLE: &[(&str, Check)] = &[
    ("ca-bn", ca_bn),
    ("ca-phn-bc", ca_phn_bc),
    ("ca-health-on", ca_health_on),
    ("ca-ramq", ca_ramq),
    ("ca-sin", ca_sin),
    ("us-aba", us_aba),
    ("us-atin", us_atin),
    ("us-dea", us_dea),
    ("us-ein", us_ein),
    ("us-itin", us_itin),
    ("us-mbi", us_mbi),
    ("us-npi", us_npi),
    ("us-ssn", us_ssn),
];

/// Canada, business number with its program account: Luhn over the first nine digits (CRA).
fn ca_bn(text: &str) -> bool {
    let head: String = text.chars().take_while(|symbol| !symbol.is_ascii_alphabetic()).collect();
    digits::<9>(&head).is_some_and(|d| luhn(&d))
}

/// British Columbia, personal health number: 9, weights 2 4 8 5 10 9 7 3, MOD 11 (BC Ministry of Health).
fn ca_phn_bc(text: &str) -> bool {
    digits::<10>(text).is_some_and(|d| {
        let check = (11 - weighted(&d[1..], &[2, 4, 8, 5, 10, 9, 7, 3]) % 11) % 11;
        d[0] == 9 && check == u32::from(d[9])
    })
}

/// Ontario, health number: Luhn over ten digits; a version of two letters may follow (Ministry of Health).
fn ca_health_on(text: &str) -> bool {
    let head = text.trim_end_matches(|symbol: char| symbol.is_ascii_alphabetic() || symbol == '-' || symbol == ' ');
    digits::<10>(head).is_some_and(|d| d[0] != 0 && luhn(&d))
}

/// Quebec, health insurance number: four letters of the name, birth date (month plus 50 for women), two more (RAMQ).
fn ca_ramq(text: &str) -> bool {
    let Some(s) = symbols::<12>(text) else { return false };
    let Some(d) = figures::<8>(&s[4..]) else { return false };
    let month = number(&d[2..4]);
    let month = if month > 50 { month - 50 } else { month };
    s[..4].iter().all(u8::is_ascii_uppercase) && is_date(2000 + number(&d[..2]), month, number(&d[4..6]))
}

/// Canada, social insurance number: Luhn, not beginning with 0 or 8 (Service Canada).
fn ca_sin(text: &str) -> bool {
    digits::<9>(text).is_some_and(|d| !matches!(d[0], 0 | 8) && luhn(&d))
}

/// United States, ABA routing number: a Federal Reserve district, weights 3 7 1, MOD 10 (ABA routing number policy).
fn us_aba(text: &str) -> bool {
    digits::<9>(text).is_some_and(|d| {
        let district = matches!(number(&d[..2]), 1..=12 | 21..=32 | 61..=72 | 80);
        district && weighted(&d, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10)
    })
}

/// United States, adoption taxpayer number: 9xx-93-xxxx (IRS Pub. 1415).
fn us_atin(text: &str) -> bool {
    digits::<9>(text).is_some_and(|d| d[0] == 9 && d[3..5] == [9, 3])
}

/// United States, DEA registration: the sum of the odd places and twice the even ones ends in the check digit (21 CFR
/// 1301; DEA registration manual).
fn us_dea(text: &str) -> bool {
    let Some(s) = symbols::<9>(text) else { return false };
    figures::<7>(&s[2..]).is_some_and(|d| number(&d) > 0 && weighted(&d, &[1, 2, 1, 2, 1, 2]) % 10 == u32::from(d[6]))
}

/// United States, employer identification number: a prefix that the IRS gives out (IRS, valid EIN prefixes).
fn us_ein(text: &str) -> bool {
    digits::<9>(text).is_some_and(|d| {
        let prefix = number(&d[..2]);
        matches!(prefix, 1..=6 | 10..=16 | 20..=27 | 30..=48 | 50..=68 | 71..=77 | 80..=88 | 90..=95 | 98 | 99)
    })
}

/// United States, individual taxpayer number: 9, fourth and fifth digit 50 to 65, 70 to 88, 90 to 92, 94 to 99 (IRS Pub. 1915).
fn us_itin(text: &str) -> bool {
    digits::<9>(text).is_some_and(|d| d[0] == 9 && matches!(number(&d[3..5]), 50..=65 | 70..=88 | 90..=92 | 94..=99))
}

/// United States, Medicare beneficiary identifier: a class for each place, no S, L, O, I, B, Z (CMS, MBI format).
fn us_mbi(text: &str) -> bool {
    let letter = |symbol: u8| symbol.is_ascii_uppercase() && !matches!(symbol, b'S' | b'L' | b'O' | b'I' | b'B' | b'Z');
    let digit = |symbol: u8| symbol.is_ascii_digit();
    symbols::<11>(text).is_some_and(|s| {
        let classes = "dabdabdaadd".bytes();
        s[0] != b'0'
            && s.iter().zip(classes).all(|(symbol, class)| match class {
                b'd' => digit(*symbol),
                b'a' => letter(*symbol),
                _ => digit(*symbol) || letter(*symbol),
            })
    })
}

/// United States, national provider identifier: 1 or 2, Luhn with 80840 before it (45 CFR 162.406).
fn us_npi(text: &str) -> bool {
    // The Luhn sum of the prefix 80840 before ten digits is 24.
    digits::<10>(text).is_some_and(|d| matches!(d[0], 1 | 2) && (luhn_sum(&d) + 24).is_multiple_of(10))
}

/// United States, social security number: no area 000, 666 or 9xx, no group 00, no serial 0000 (SSA POMS RM 10201.035).
fn us_ssn(text: &str) -> bool {
    digits::<9>(text).is_some_and(|d| {
        let (area, group, serial) = (number(&d[..3]), number(&d[3..5]), number(&d[5..]));
        !matches!(area, 0 | 666 | 900..) && group > 0 && serial > 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::check::digits::corruption::{all_caught, most_caught};

    #[test]
    fn published_numbers_pass_and_no_single_digit_error_does() {
        all_caught(ca_sin, &["123-456-782", "130 692 544"]);
        all_caught(ca_phn_bc, &["9698 658 215"]);
        all_caught(ca_health_on, &["9876 543 217"]);
        all_caught(us_aba, &["021000021", "111000025", "061000104"]);
        all_caught(us_npi, &["1234567893", "1245319599"]);
        most_caught(us_dea, &["BB1388568", "AP5836727"], 20);
        assert!(ca_bn("12302 6635 RC 0001") && !ca_bn("12302 6634 RC 0001"));
    }

    #[test]
    fn numbers_that_are_never_given_out_are_refused() {
        assert!(us_ssn("536-90-4399") && us_ssn("078-05-1120"));
        for text in ["000-12-3456", "666-12-3456", "900-12-3456", "536-00-4399", "536-90-0000", "123-45-6789"] {
            assert!(!us_ssn(text), "{text}");
        }
        assert!(us_itin("912-90-3456") && !us_itin("912-93-3456") && !us_itin("812-90-3456"));
        assert!(us_atin("912-93-3456") && us_ein("91-1144442") && !us_ein("07-1144442"));
    }

    #[test]
    fn structured_numbers_need_their_structure() {
        assert!(us_mbi("1EG4-TE5-MK73") && !us_mbi("1SG4-TE5-MK73") && !us_mbi("0EG4-TE5-MK73"));
        assert!(ca_ramq("DOEJ 8052 1517") && !ca_ramq("DOEJ 8013 1517") && !ca_sin("812 345 678"));
    }
}
