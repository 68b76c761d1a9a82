//! Identifiers of East and South-East Asia: Indonesia, Japan, Korea, Malaysia, Mongolia, Singapore, Thailand, Vietnam.

use super::{
    Check,
    digits::{digits, figures, is_date, is_yymmdd, luhn, number, symbols, weighted},
};

/// The checks by name.
pub(super) const TABLE: &[(&str, Check)] = &[
    ("id-nik", id_nik),
    ("id-npwp", id_npwp),
    ("jp-corporate", jp_corporate),
    ("jp-driver", jp_driver),
    ("jp-my-number", jp_my_number),
    ("kr-brn", kr_brn),
    ("kr-corporate", kr_corporate),
    ("kr-foreigner", kr_foreigner),
    ("kr-rrn", kr_rrn),
    ("mn-register", mn_register),
    ("my-mykad", my_mykad),
    ("sg-nric", sg_nric),
    ("sg-uen", sg_uen),
    ("th-national", th_national),
    ("vn-cccd", vn_cccd),
    ("vn-mst", vn_mst),
];

/// Indonesia, NIK: province, city, district, birth date (day plus 40 for women), serial (law 24/2013); it has no check digit.
fn id_nik(text: &str) -> bool {
    digits::<16>(text).is_some_and(|d| {
        let province = matches!(number(&d[..2]), 11..=19 | 21 | 31..=36 | 51..=53 | 61..=65 | 71..=76 | 81 | 82 | 91..=97);
        let day = number(&d[6..8]);
        let day = if day > 40 { day - 40 } else { day };
        province && is_date(2000 + number(&d[10..12]), number(&d[8..10]), day) && number(&d[2..6]) > 0 && number(&d[12..]) > 0
    })
}

/// Indonesia, NPWP of 15 digits: Luhn over the first nine (DJP).
fn id_npwp(text: &str) -> bool {
    digits::<15>(text).is_some_and(|d| luhn(&d[..9]))
}

/// Japan, corporate number: first digit 9 less the weighted sum (1 2 from the right) MOD 9 (ordinance on corporate
/// numbers, art. 2; National Tax Agency).
fn jp_corporate(text: &str) -> bool {
    digits::<13>(text).is_some_and(|d| {
        let sum = weighted(&d[1..], &[2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1]);
        9 - sum % 9 == u32::from(d[0])
    })
}

/// Japan, driver licence: a public safety commission and the year (National Police Agency); its check digit is not published.
fn jp_driver(text: &str) -> bool {
    digits::<12>(text).is_some_and(|d| matches!(number(&d[..2]), 10..=97))
}

/// Japan, individual number (My Number): weights 6 5 4 3 2 7 6 5 4 3 2, MOD 11 (MIC ordinance 85 of 2014, art. 5).
fn jp_my_number(text: &str) -> bool {
    digits::<12>(text).is_some_and(|d| {
        let rest = weighted(&d, &[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
        u32::from(d[11]) == if rest < 2 { 0 } else { 11 - rest }
    })
}

/// Korea, business registration number: weights 1 3 7 1 3 7 1 3 5 and the carry of the last, MOD 10 (National Tax Service).
fn kr_brn(text: &str) -> bool {
    digits::<10>(text).is_some_and(|d| {
        let sum = weighted(&d, &[1, 3, 7, 1, 3, 7, 1, 3, 5]) + u32::from(d[8]) * 5 / 10;
        number(&d[..3]) > 100 && number(&d[3..5]) > 0 && (10 - sum % 10) % 10 == u32::from(d[9])
    })
}

/// Korea, corporate registration number: weights 1 2, MOD 10 (Supreme Court rule on corporate registration).
fn kr_corporate(text: &str) -> bool {
    digits::<13>(text).is_some_and(|d| {
        let sum = weighted(&d, &[1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2]);
        (10 - sum % 10) % 10 == u32::from(d[12])
    })
}

/// Korea, foreigner registration: birth date and 5 to 8; numbers since October 2020 carry no check digit.
fn kr_foreigner(text: &str) -> bool {
    digits::<13>(text).is_some_and(|d| is_yymmdd(&d[..6]) && matches!(d[6], 5..=8))
}

/// Korea, resident registration: birth date and 1 to 4, weights 2 to 9 and 2 to 5, MOD 11; numbers given out since
/// October 2020 carry no check digit, so births from then on need none (Resident Registration Act, rule art. 2).
fn kr_rrn(text: &str) -> bool {
    digits::<13>(text).is_some_and(|d| {
        let check = (11 - weighted(&d, &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]) % 11) % 10;
        let born = number(&d[..6]);
        let unchecked = matches!(d[6], 3 | 4) && (201_001..400_000).contains(&born);
        is_yymmdd(&d[..6]) && matches!(d[6], 1..=4) && (unchecked || check == u32::from(d[12]))
    })
}

/// Mongolia, register number: two Cyrillic letters, birth date (month plus 20 from 2000), two digits.
fn mn_register(text: &str) -> bool {
    let tail = text.trim_start_matches(|symbol: char| symbol.is_alphabetic() || symbol == ' ');
    digits::<8>(tail).is_some_and(|d| {
        let month = number(&d[2..4]);
        let month = if month > 20 { month - 20 } else { month };
        is_date(2000 + number(&d[..2]), month, number(&d[4..6]))
    })
}

/// Malaysia, MyKad: birth date and place of birth (JPN); it has no check digit.
fn my_mykad(text: &str) -> bool {
    digits::<12>(text).is_some_and(|d| {
        let place = matches!(number(&d[6..8]), 1..=16 | 21..=59 | 60..=68 | 71 | 72 | 74..=79 | 82..=93 | 98 | 99);
        place && is_yymmdd(&d[..6])
    })
}

/// Singapore, NRIC and FIN (S, T, F, G, M): weights 2 7 6 5 4 3 2, plus 4 for T and G, 3 for M, MOD 11 (ICA).
fn sg_nric(text: &str) -> bool {
    let Some(s) = symbols::<9>(text) else { return false };
    let Some(d) = figures::<7>(&s[1..8]) else { return false };
    let (more, letters) = match s[0] {
        b'S' => (0, b"JZIHGFEDCBA"),
        b'T' => (4, b"JZIHGFEDCBA"),
        b'F' => (0, b"XWUTRQPNMLK"),
        b'G' => (4, b"XWUTRQPNMLK"),
        b'M' => (3, b"XWUTRQPNJLK"),
        _ => return false,
    };
    let place = (more + weighted(&d, &[2, 7, 6, 5, 4, 3, 2])) % 11;
    d.iter().any(|digit| *digit != d[0]) && letters.get(place as usize) == Some(&s[8])
}

/// Singapore, UEN of businesses (9 symbols), local companies (10, beginning with a year) and others (10, R, S or T) (ACRA).
fn sg_uen(text: &str) -> bool {
    let pick = |letters: &[u8], place: u32| letters.get((place % 11) as usize).copied();
    let business =
        |s: [u8; 9]| figures::<8>(&s[..8]).is_some_and(|d| pick(b"XMKECAWLJDB", weighted(&d, &[10, 4, 9, 3, 8, 2, 7, 1])) == Some(s[8]));
    let company = |s: [u8; 10]| {
        figures::<9>(&s[..9]).is_some_and(|d| {
            let year = (1850..2100).contains(&number(&d[..4]));
            year && pick(b"ZKCMDNERGWH", weighted(&d, &[10, 8, 6, 4, 9, 7, 5, 3, 1])) == Some(s[9])
        })
    };
    let other = |s: [u8; 10]| {
        const ALPHABET: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWX0123456789";
        let rank = |symbol: u8| ALPHABET.iter().position(|other| *other == symbol).unwrap_or_default() as u32;
        let sum: u32 = s[..9].iter().zip([4, 3, 5, 3, 10, 2, 2, 5, 7]).map(|(symbol, weight)| rank(*symbol) * weight).sum();
        let digits = figures::<2>(&s[1..3]).is_some() && figures::<4>(&s[5..9]).is_some();
        matches!(s[0], b'R'..=b'T') && digits && s[3..5].iter().all(u8::is_ascii_uppercase) && pick(ALPHABET, sum + 6) == Some(s[9])
    };
    symbols::<9>(text).is_some_and(business) || symbols::<10>(text).is_some_and(|s| company(s) || other(s))
}

/// Thailand, national and taxpayer number: weights 13 to 2, MOD 11 (Department of Provincial Administration).
fn th_national(text: &str) -> bool {
    digits::<13>(text).is_some_and(|d| {
        let sum = weighted(&d, &[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
        d[0] != 9 && (11 - sum % 11) % 10 == u32::from(d[12])
    })
}

/// Vietnam, citizen number: province, century and sex, year, serial (decree 137/2015/NĐ-CP); it has no check digit.
fn vn_cccd(text: &str) -> bool {
    digits::<12>(text).is_some_and(|d| matches!(number(&d[..3]), 1..=96) && d[3] <= 3 && number(&d[6..]) > 0)
}

/// Vietnam, tax number: prime weights 31 29 23 19 17 13 7 5 3, MOD 11 (circular 105/2020/TT-BTC).
fn vn_mst(text: &str) -> bool {
    let fits = |d: &[u8]| {
        let check = 10 - weighted(d, &[31, 29, 23, 19, 17, 13, 7, 5, 3]) % 11;
        d.get(9).is_some_and(|digit| u32::from(*digit) == check)
    };
    digits::<10>(text).is_some_and(|d| fits(&d)) || digits::<13>(text).is_some_and(|d| fits(&d) && number(&d[10..]) > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::check::digits::corruption::{all_caught, most_caught};

    #[test]
    fn published_numbers_pass_and_no_single_digit_error_does() {
        all_caught(sg_nric, &["S1234567D", "T1234567J", "F1234567N", "G1234567X", "M1234567K"]);
        all_caught(sg_uen, &["00192200M", "197401143C"]);
    }

    #[test]
    fn checks_that_fold_ten_catch_nearly_all() {
        most_caught(id_npwp, &["01.312.166.0-091.000"], 2);
        most_caught(jp_corporate, &["5-8356-7825-6246"], 9);
        most_caught(jp_my_number, &["1234 5678 9018"], 8);
        most_caught(kr_brn, &["116-82-00276", "124-81-00998"], 20);
        most_caught(kr_corporate, &["130111-0006246"], 15);
        most_caught(kr_rrn, &["880320-1234564"], 8);
        most_caught(sg_uen, &["S16FC0121D", "T01FC6132D"], 8);
        most_caught(th_national, &["3100600445635", "1-2345-45678-78-1"], 8);
        most_caught(vn_mst, &["0100233488"], 20);
    }

    #[test]
    fn structured_numbers_need_their_structure() {
        assert!(id_nik("3273014503920007") && !id_nik("3273013513920007") && !id_nik("2073014503920007"));
        assert!(my_mykad("770305-02-1234") && !my_mykad("771305-02-1234") && !my_mykad("770305-17-1234"));
        assert!(kr_foreigner("900101-5123456") && !kr_foreigner("901301-5123456") && !kr_foreigner("900101-1123456"));
        assert!(kr_rrn("201205-3123456") && !kr_rrn("201305-3123456"));
        assert!(vn_cccd("001203004567") && !vn_cccd("097203004567") && !vn_cccd("001903004567"));
        assert!(jp_driver("309512345670") && !jp_driver("009512345670") && !jp_driver("989512345670"));
        assert!(mn_register("УЮ92042315") && !mn_register("УЮ92993315"));
    }
}
