//! Identifiers of Turkey, the Middle East and Africa.

use super::{
    Check,
    digits::{digits, figures, is_date, is_yymmdd, is_yyyymmdd, luhn, number, remainder, symbols, value, weighted},
};

/// The checks by name.
pub(super) const TABLE: &[(&str, Check)] = &[
    ("ae-emirates-id", ae_emirates_id),
    ("bh-cpr", bh_cpr),
    ("eg-national", eg_national),
    ("il-identity", il_identity),
    ("ir-national", ir_national),
    ("kw-civil", kw_civil),
    ("ma-ice", ma_ice),
    ("mu-national", mu_national),
    ("qa-qid", qa_qid),
    ("sa-national", sa_national),
    ("tr-tckn", tr_tckn),
    ("tr-vkn", tr_vkn),
    ("tz-nida", tz_nida),
    ("za-id", za_id),
    ("za-tax", za_tax),
];

/// United Arab Emirates, Emirates ID: 784, the year of birth, serial (ICP); the rule of its last digit is not published.
fn ae_emirates_id(text: &str) -> bool {
    digits::<15>(text).is_some_and(|d| d[..3] == [7, 8, 4] && (1900..2040).contains(&number(&d[3..7])) && number(&d[7..]) > 0)
}

/// Bahrain, CPR: year and month of birth, serial (iGA).
fn bh_cpr(text: &str) -> bool {
    digits::<9>(text).is_some_and(|d| (1..=12).contains(&number(&d[2..4])))
}

/// Egypt, national number: century, birth date, governorate, serial (Civil Status law 143/1994); the rule of its last
/// digit is not published.
fn eg_national(text: &str) -> bool {
    digits::<14>(text).is_some_and(|d| {
        let century = match d[0] {
            2 => 1900,
            3 => 2000,
            _ => return false,
        };
        let governorate = matches!(number(&d[7..9]), 1..=4 | 11..=19 | 21..=29 | 31..=35 | 88);
        governorate && is_date(century + number(&d[1..3]), number(&d[3..5]), number(&d[5..7]))
    })
}

/// Israel, identity number of nine digits: Luhn (Population and Immigration Authority).
fn il_identity(text: &str) -> bool {
    digits::<9>(text).is_some_and(|d| luhn(&d))
}

/// Iran, national code: weights 10 to 2, MOD 11 (National Organization for Civil Registration).
fn ir_national(text: &str) -> bool {
    digits::<10>(text).is_some_and(|d| {
        let rest = weighted(&d, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11;
        number(&d[..3]) > 0 && u32::from(d[9]) == if rest < 2 { rest } else { 11 - rest }
    })
}

/// Kuwait, civil number: century, birth date, serial, weights 2 1 6 3 7 9 10 5 8 4 2, MOD 11 (PACI).
fn kw_civil(text: &str) -> bool {
    digits::<12>(text).is_some_and(|d| {
        let check = 11 - weighted(&d, &[2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]) % 11;
        matches!(d[0], 1..=3) && is_yymmdd(&d[1..7]) && check == u32::from(d[11])
    })
}

/// Morocco, ICE of companies: MOD 97 (decree 2-11-63).
fn ma_ice(text: &str) -> bool {
    digits::<15>(text).is_some_and(|d| number(&d[..9]) > 0 && remainder(&d, 97) == 0)
}

/// Mauritius, national identity number: initial, birth date, serial, weights 14 to 2, MOD 17 (MNIC).
fn mu_national(text: &str) -> bool {
    let Some(s) = symbols::<14>(text) else { return false };
    let Some(d) = figures::<6>(&s[1..7]) else { return false };
    let sum: u32 = s[..13].iter().zip((2..=14).rev()).map(|(symbol, weight)| value(*symbol) * weight).sum();
    let dated = is_date(2000 + number(&d[4..]), number(&d[2..4]), number(&d[..2]));
    s[0].is_ascii_uppercase() && dated && figures::<5>(&s[7..12]).is_some() && (17 - sum % 17) % 17 == value(s[13])
}

/// Qatar, QID: century, year of birth, ISO 3166 country number, serial (Ministry of Interior); it has no published check.
fn qa_qid(text: &str) -> bool {
    digits::<11>(text).is_some_and(|d| matches!(d[0], 2 | 3) && (4..=894).contains(&number(&d[3..6])) && number(&d[6..]) > 0)
}

/// Saudi Arabia, national identity (1) and iqama (2): Luhn (Absher, National Information Center).
fn sa_national(text: &str) -> bool {
    digits::<10>(text).is_some_and(|d| matches!(d[0], 1 | 2) && luhn(&d))
}

/// Turkey, T.C. kimlik numarası: two check digits, MOD 10 (law 5490, NVI).
fn tr_tckn(text: &str) -> bool {
    digits::<11>(text).is_some_and(|d| {
        let odd = weighted(&d, &[1, 0, 1, 0, 1, 0, 1, 0, 1]);
        let even = weighted(&d, &[0, 1, 0, 1, 0, 1, 0, 1, 0]);
        let first = (odd * 7 + 100 - even) % 10;
        let second = (odd + even + first) % 10;
        d[0] != 0 && first == u32::from(d[9]) && second == u32::from(d[10])
    })
}

/// Turkey, VKN tax number: each digit plus its place, doubled as often, MOD 9, MOD 10 (GİB).
fn tr_vkn(text: &str) -> bool {
    digits::<10>(text).is_some_and(|d| {
        let [body @ .., check] = d;
        let each = body.iter().zip((1..=9u32).rev()).map(|(digit, place)| {
            let moved = (u32::from(*digit) + place) % 10;
            let doubled = moved * 2_u32.pow(place) % 9;
            if moved != 0 && doubled == 0 { 9 } else { doubled }
        });
        (10 - each.sum::<u32>() % 10) % 10 == u32::from(check)
    })
}

/// Tanzania, NIDA number: birth date, postcode, serial, two check digits whose rule is not published.
fn tz_nida(text: &str) -> bool {
    digits::<20>(text).is_some_and(|d| is_yyyymmdd(&d[..8]) && number(&d[8..13]) > 0)
}

/// South Africa, identity number: birth date, sex and serial, citizenship 0 to 2, Luhn (Identification Act 68 of 1997).
fn za_id(text: &str) -> bool {
    digits::<13>(text).is_some_and(|d| is_yymmdd(&d[..6]) && d[10] <= 2 && luhn(&d))
}

/// South Africa, tax reference number: 0, 1, 2, 3 or 9, Luhn (SARS).
fn za_tax(text: &str) -> bool {
    digits::<10>(text).is_some_and(|d| matches!(d[0], 0..=3 | 9) && luhn(&d))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::check::digits::corruption::{all_caught, most_caught};

    #[test]
    fn published_numbers_pass_and_no_single_digit_error_does() {
        all_caught(il_identity, &["039337423"]);
        all_caught(ma_ice, &["001561191000066"]);
        all_caught(sa_national, &["1082593649"]);
        all_caught(tr_tckn, &["17291716060"]);
        all_caught(za_id, &["7503305044089"]);
        all_caught(za_tax, &["0001339050"]);
    }

    #[test]
    fn checks_that_fold_ten_catch_nearly_all() {
        most_caught(ir_national, &["0499370899", "0790419904"], 8);
        most_caught(kw_civil, &["285010112307"], 20);
        most_caught(mu_national, &["D1203851234564"], 20);
        most_caught(tr_vkn, &["4540536920"], 5);
    }

    #[test]
    fn structured_numbers_need_their_structure() {
        assert!(ae_emirates_id("784-1979-1234562-1") && !ae_emirates_id("785-1979-1234562-1") && !ae_emirates_id("784-1879-1234562-1"));
        assert!(eg_national("29001011234567") && !eg_national("49001011234567") && !eg_national("29013011234567"));
        assert!(qa_qid("28535601234") && !qa_qid("48535601234") && bh_cpr("920512340") && !bh_cpr("921512340"));
        assert!(tz_nida("19840723-11101-00001-26") && !tz_nida("19841323-11101-00001-26"));
    }
}
