//! Identifiers of western and southern Europe: Austria, Belgium, France, Germany, Greece, Ireland, Italy, Luxembourg, the
//! Netherlands, Portugal, Spain, Switzerland, the United Kingdom.

use super::{
    Check,
    digits::{digits, figures, is_date, is_ddmmyy, is_yyyymmdd, luhn, luhn_sum, mod_11_10, number, symbols, value, verhoeff, weighted},
};

/// The checks by name.
pub(super) const TABLE: &[(&str, Check)] = &[
    ("at-social", at_social),
    ("be-national", be_national),
    ("ch-ahv", ch_ahv),
    ("de-health-insurance", de_health_insurance),
    ("de-pension", de_pension),
    ("de-tax-id", de_tax_id),
    ("document-7-3-1", document_7_3_1),
    ("es-cif", es_cif),
    ("es-dni", es_dni),
    ("es-nie", es_nie),
    ("es-social", es_social),
    ("fr-nir", fr_nir),
    ("fr-siren", fr_siren),
    ("fr-siret", fr_siret),
    ("fr-tax", fr_tax),
    ("gb-driver", gb_driver),
    ("gb-nhs", gb_nhs),
    ("gb-nino", gb_nino),
    ("gb-utr", gb_utr),
    ("gr-afm", gr_afm),
    ("gr-amka", gr_amka),
    ("ie-pps", ie_pps),
    ("it-codice-fiscale", it_codice_fiscale),
    ("lu-matricule", lu_matricule),
    ("nl-bsn", nl_bsn),
    ("pt-cc", pt_cc),
    ("pt-nif", pt_nif),
    ("pt-niss", pt_niss),
];

/// Austria, Sozialversicherungsnummer: fourth digit checks the rest, weights 3 7 9 . 5 8 4 2 1 6, MOD 11, then the
/// birth date, whose month may be 13 to 15 (ASVG § 460d; Dachverband).
fn at_social(text: &str) -> bool {
    digits::<10>(text).is_some_and(|d| {
        let dated = is_ddmmyy(&d[4..]) || matches!(d[6..8], [1, 3..=5]);
        d[0] != 0 && dated && weighted(&d, &[3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11 == u32::from(d[3])
    })
}

/// Belgium, national register and BIS number: 97 minus the remainder of the first nine, 2 put before them for births
/// from 2000 (Royal Decree of 3 April 1984).
fn be_national(text: &str) -> bool {
    digits::<11>(text).is_some_and(|d| {
        let (body, check) = (number(&d[..9]), number(&d[9..]));
        let keyed = 97 - body % 97 == check || (d[0] < 4 && 97 - (body + 2_000_000_000) % 97 == check);
        let (month, day) = (number(&d[2..4]) % 20, number(&d[4..6]));
        keyed && number(&d[2..4]) <= 52 && month <= 12 && day <= 31 && number(&d[6..9]) > 0
    })
}

/// Switzerland, AHV/AVS number: 756 and EAN-13 (AHVG art. 50c).
fn ch_ahv(text: &str) -> bool {
    digits::<13>(text).is_some_and(|d| {
        let sum = weighted(&d, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]);
        d[..3] == [7, 5, 6] && sum.is_multiple_of(10)
    })
}

/// Germany, Krankenversichertennummer: the letter as two digits, weights 1 2 with digit sums, MOD 10 (§ 290 SGB V).
fn de_health_insurance(text: &str) -> bool {
    let Some(s) = symbols::<10>(text) else { return false };
    let Some(d) = figures::<9>(&s[1..]) else { return false };
    s[0].is_ascii_uppercase() && {
        let [body @ .., check] = d;
        let letter = value(s[0]) - 9;
        let sum = digit_sum(letter / 10) + digit_sum(letter % 10 * 2);
        let rest: u32 = body.iter().zip([1, 2, 1, 2, 1, 2, 1, 2]).map(|(digit, weight)| digit_sum(u32::from(*digit) * weight)).sum();
        (sum + rest) % 10 == u32::from(check)
    }
}

/// Germany, Rentenversicherungsnummer: the letter as two digits, weights 2 1 2 5 7 1 2 1 2 1 2 1 with digit sums, MOD 10
/// (VKVV § 4).
fn de_pension(text: &str) -> bool {
    let Some(s) = symbols::<12>(text) else { return false };
    let (Some(head), Some(tail)) = (figures::<8>(&s[..8]), figures::<3>(&s[9..])) else { return false };
    if !s[8].is_ascii_uppercase() {
        return false;
    }
    let letter = (value(s[8]) - 9) as u8;
    let body = [&head[..], &[letter / 10, letter % 10], &tail[..2]].concat();
    let weights = [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1];
    let sum: u32 = body.iter().zip(weights).map(|(digit, weight)| digit_sum(u32::from(*digit) * weight)).sum();
    let (day, month) = (number(&head[2..4]), number(&head[4..6]));
    number(&head[..2]) > 1 && (1..=12).contains(&month) && (1..=31).contains(&day) && sum % 10 == u32::from(tail[2])
}

fn digit_sum(number: u32) -> u32 {
    number / 10 + number % 10
}

/// Germany, steuerliche Identifikationsnummer: MOD 11,10, and of the first ten digits exactly one comes twice or three
/// times (§ 139b AO; BZSt).
fn de_tax_id(text: &str) -> bool {
    digits::<11>(text).is_some_and(|d| {
        let times = |digit: u8| d[..10].iter().filter(|other| **other == digit).count();
        let mut repeated = (0..10).map(times).filter(|times| *times > 1);
        d[0] != 0 && matches!((repeated.next(), repeated.next()), (Some(2 | 3), None)) && mod_11_10(&d)
    })
}

/// A document number of nine symbols and a check digit: weights 7 3 1, MOD 10 (ICAO Doc 9303-3, 4.9).
fn document_7_3_1(text: &str) -> bool {
    symbols::<10>(text).is_some_and(|s| {
        let [body @ .., check] = s;
        let sum: u32 = body.iter().zip([7, 3, 1].iter().cycle()).map(|(symbol, weight)| value(*symbol) * weight).sum();
        sum % 10 == value(check)
    })
}

/// Spain, CIF: Luhn over seven digits, the check a digit or the letter of it (Decreto 2423/1975).
pub(super) fn es_cif(text: &str) -> bool {
    let Some(s) = symbols::<9>(text) else { return false };
    let Some(d) = figures::<7>(&s[1..8]) else { return false };
    let [a, b, c, e, f, g, h] = d;
    let check = (10 - luhn_sum(&[a, b, c, e, f, g, h, 0]) % 10) % 10;
    let letter = b"JABCDEFGHI".get(check as usize).copied();
    match s[0] {
        b'P' | b'Q' | b'R' | b'S' | b'N' | b'W' => Some(s[8]) == letter,
        b'A' | b'B' | b'E' | b'H' => value(s[8]) == check,
        b'C' | b'D' | b'F' | b'G' | b'J' | b'U' | b'V' => Some(s[8]) == letter || value(s[8]) == check,
        _ => false,
    }
}

/// Spain, DNI: the letter of the number MOD 23 (Real Decreto 1553/2005).
pub(super) fn es_dni(text: &str) -> bool {
    let Some(s) = symbols::<9>(text) else { return false };
    figures::<8>(&s[..8]).is_some_and(|d| number(&d) > 0 && Some(s[8]) == es_letter(number(&d)))
}

/// Spain, NIE: X, Y, Z stand for 0, 1, 2, then as the DNI (Orden INT/2058/2008).
pub(super) fn es_nie(text: &str) -> bool {
    let Some(s) = symbols::<9>(text) else { return false };
    let Some(d) = figures::<7>(&s[1..8]) else { return false };
    matches!(s[0], b'X'..=b'Z') && Some(s[8]) == es_letter(u64::from(s[0] - b'X') * 10_000_000 + number(&d))
}

fn es_letter(number: u64) -> Option<u8> {
    b"TRWAGMYFPDXBNJZSQVHLCKE".get((number % 23) as usize).copied()
}

/// Spain, social security number: the first ten digits MOD 97, short serials padded out (TGSS).
fn es_social(text: &str) -> bool {
    digits::<12>(text).is_some_and(|d| {
        let (province, serial, check) = (number(&d[..2]), number(&d[2..10]), number(&d[10..]));
        let body = if serial < 10_000_000 { serial + province * 10_000_000 } else { serial + province * 100_000_000 };
        matches!(province, 1..=53 | 66) && body % 97 == check
    })
}

/// France, NIR: key 97 minus the remainder, Corsica's 2A as 19 and 2B as 18 (INSEE; décret 82-103).
fn fr_nir(text: &str) -> bool {
    let Some(mut s) = symbols::<15>(text) else { return false };
    match (s[5], s[6]) {
        (b'2', b'A') => (s[5], s[6]) = (b'1', b'9'),
        (b'2', b'B') => (s[5], s[6]) = (b'1', b'8'),
        _ => {}
    }
    figures::<15>(&s).is_some_and(|d| {
        let month = number(&d[3..5]);
        matches!(d[0], 1..=4 | 7 | 8)
            && matches!(month, 1..=12 | 20 | 30..=42 | 50..=99)
            && number(&d[5..7]) > 0
            && 97 - number(&d[..13]) % 97 == number(&d[13..])
    })
}

/// France, SIREN: Luhn (INSEE).
fn fr_siren(text: &str) -> bool {
    digits::<9>(text).is_some_and(|d| luhn(&d))
}

/// France, SIRET: Luhn over the SIREN and over all; La Poste's establishments have a digit sum divisible by 5 (INSEE).
fn fr_siret(text: &str) -> bool {
    digits::<14>(text).is_some_and(|d| {
        let post = number(&d[..9]) == 356_000_000 && d.iter().map(|digit| u32::from(*digit)).sum::<u32>().is_multiple_of(5);
        luhn(&d[..9]) && (post || luhn(&d))
    })
}

/// France, numéro fiscal de référence (SPI): the first ten digits MOD 511 (European Commission, TIN country sheet).
fn fr_tax(text: &str) -> bool {
    digits::<13>(text).is_some_and(|d| d[0] < 4 && number(&d[..10]) % 511 == number(&d[10..]))
}

/// Great Britain, driver number: surname, year, month (plus 50 for women), day, initials (DVLA, INF45/1).
fn gb_driver(text: &str) -> bool {
    let Some(s) = symbols::<16>(text) else { return false };
    let Some(d) = figures::<6>(&s[5..11]) else { return false };
    let (month, day) = (number(&d[1..3]), number(&d[3..5]));
    let letters = s[..5].iter().take_while(|symbol| symbol.is_ascii_uppercase()).count();
    letters > 0 && s[..5].iter().skip(letters).all(|symbol| *symbol == b'9') && matches!(month, 1..=12 | 51..=62) && (1..=31).contains(&day)
}

/// United Kingdom, NHS number: weights 10 to 1, MOD 11 (NHS Data Dictionary).
fn gb_nhs(text: &str) -> bool {
    digits::<10>(text).is_some_and(|d| weighted(&d, &[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11))
}

/// United Kingdom, national insurance number: the prefixes that were never given out are refused (HMRC NIM39110).
fn gb_nino(text: &str) -> bool {
    symbols::<9>(text).is_some_and(|s| {
        let unused = matches!(&s[..2], b"BG" | b"GB" | b"NK" | b"KN" | b"TN" | b"NT" | b"ZZ");
        let digits = figures::<6>(&s[2..8]).is_some_and(|d| d != [1, 2, 3, 4, 5, 6] && d.iter().any(|digit| *digit != d[0]));
        !unused && digits && matches!(s[8], b'A'..=b'D')
    })
}

/// United Kingdom, unique taxpayer reference: the first digit checks the rest, weights 6 7 8 9 10 5 4 3 2, MOD 11 (HMRC).
fn gb_utr(text: &str) -> bool {
    digits::<10>(text.trim_end_matches(['K', 'k'])).is_some_and(|d| {
        let rest = weighted(&d[1..], &[6, 7, 8, 9, 10, 5, 4, 3, 2]) % 11;
        u32::from(d[0]) == if rest < 2 { 2 - rest } else { 11 - rest }
    })
}

/// Greece, AFM: powers of two, MOD 11, MOD 10 (AADE).
pub(super) fn gr_afm(text: &str) -> bool {
    digits::<9>(text).is_some_and(|d| weighted(&d, &[256, 128, 64, 32, 16, 8, 4, 2]) % 11 % 10 == u32::from(d[8]))
}

/// Greece, AMKA: birth date and Luhn (IDIKA).
fn gr_amka(text: &str) -> bool {
    digits::<11>(text).is_some_and(|d| is_ddmmyy(&d[..6]) && luhn(&d))
}

/// Ireland, PPS number: weights 8 to 2, 9 for a second letter, MOD 23 (Department of Social Protection).
pub(super) fn ie_pps(text: &str) -> bool {
    let fits = |s: &[u8], second: u8| {
        let Some(d) = s.get(..7).and_then(figures::<7>) else { return false };
        let extra = if matches!(second, b'A' | b'B' | b'H') { 9 * (value(second) - 9) } else { 0 };
        d.iter().any(|digit| *digit != d[0]) && s.get(7) == Some(&ie_letter(weighted(&d, &[8, 7, 6, 5, 4, 3, 2]) + extra))
    };
    symbols::<8>(text).is_some_and(|s| fits(&s, b'W'))
        || symbols::<9>(text).is_some_and(|s| matches!(s[8], b'A' | b'B' | b'H' | b'T' | b'W' | b'X') && fits(&s, s[8]))
}

/// The Irish check letter of a sum.
pub(super) fn ie_letter(sum: u32) -> u8 {
    match (sum % 23) as u8 {
        0 => b'W',
        place => b'A' + place - 1,
    }
}

/// Italy, codice fiscale: odd places translated, MOD 26; a real day (plus 40 for women) of the month letter (DM 12 March
/// 1974).
fn it_codice_fiscale(text: &str) -> bool {
    const ODD: [u32; 26] = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    let Some(s) = symbols::<16>(text) else { return false };
    let plain = |symbol: u8| if symbol.is_ascii_digit() { value(symbol) } else { value(symbol) - 10 };
    let odd = |symbol: u8| ODD.get(plain(symbol) as usize).copied().unwrap_or_default();
    let [body @ .., check] = s;
    let sum: u32 = body.iter().enumerate().map(|(i, symbol)| if i % 2 == 0 { odd(*symbol) } else { plain(*symbol) }).sum();
    let (Some(year), Some(day)) = (figures::<2>(&s[6..8]), figures::<2>(&s[9..11])) else { return false };
    let Some(month) = b"ABCDEHLMPRST".iter().position(|letter| *letter == s[8]) else { return false };
    let day = number(&day);
    let day = if day > 40 { day - 40 } else { day };
    is_date(2000 + number(&year), month as u64 + 1, day) && sum % 26 == plain(check)
}

/// Luxembourg, matricule: birth date, Luhn digit and Verhoeff digit, each over the first eleven (law of 19 June 2013).
fn lu_matricule(text: &str) -> bool {
    digits::<13>(text).is_some_and(|d| {
        let [a, b, c, e, f, g, h, i, j, k, l, _, last] = d;
        let dated = is_yyyymmdd(&d[..8]) || (1893..1900).contains(&number(&d[..4]));
        dated && luhn(&d[..12]) && verhoeff(&[a, b, c, e, f, g, h, i, j, k, l, last])
    })
}

/// Netherlands, BSN: the eleven test (Besluit BSN).
fn nl_bsn(text: &str) -> bool {
    digits::<9>(text).is_some_and(|d| number(&d) > 0 && eleven_test(&d))
}

/// Weights 9 to 2 and minus 1, divisible by 11.
pub(super) fn eleven_test(d: &[u8; 9]) -> bool {
    weighted(d, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11 == u32::from(d[8])
}

/// Portugal, citizen card number: Luhn over base-36 values (Autenticação.gov, Validação de Número de Documento).
fn pt_cc(text: &str) -> bool {
    symbols::<12>(text).is_some_and(|s| {
        let fold = |value: u32| if value > 9 { value - 9 } else { value };
        let sum: u32 = s.iter().enumerate().map(|(i, symbol)| if i % 2 == 0 { fold(value(*symbol) * 2) } else { value(*symbol) }).sum();
        figures::<9>(&s[..9]).is_some() && s[11].is_ascii_digit() && sum.is_multiple_of(10)
    })
}

/// Portugal, NIF: weights 9 to 2, MOD 11 (Decreto-Lei 14/2013).
pub(super) fn pt_nif(text: &str) -> bool {
    digits::<9>(text).is_some_and(|d| {
        let check = (11 - weighted(&d, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 11 % 10;
        d[0] != 0 && (d[0] != 4 || d[1] == 5) && check == u32::from(d[8])
    })
}

/// Portugal, NISS: prime weights, 9 minus the sum MOD 10 (Segurança Social).
fn pt_niss(text: &str) -> bool {
    digits::<11>(text).is_some_and(|d| {
        let sum = weighted(&d, &[29, 23, 19, 17, 13, 11, 7, 5, 3, 2]);
        matches!(d[0], 1 | 2) && 9 - sum % 10 == u32::from(d[10])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::check::digits::corruption::{all_caught, most_caught};

    #[test]
    fn published_numbers_pass_and_no_single_digit_error_does() {
        all_caught(at_social, &["1237 010180"]);
        all_caught(ch_ahv, &["756.9217.0769.85", "7569217076985"]);
        all_caught(de_pension, &["15 070649 C 103"]);
        all_caught(de_tax_id, &["36 574 261 809"]);
        all_caught(es_dni, &["54362315-K", "12345678Z"]);
        all_caught(es_nie, &["X-2482300-W"]);
        all_caught(es_cif, &["J99216582", "B64717838"]);
        all_caught(fr_nir, &["2 95 10 99 126 111 93", "253072B07300470", "253072A07300443"]);
        all_caught(fr_siren, &["404833048", "732 829 320"]);
        all_caught(fr_siret, &["73282932000074"]);
        all_caught(gb_nhs, &["943 476 5919", "943-476-5870"]);
        all_caught(gr_amka, &["01013099997"]);
        all_caught(nl_bsn, &["111222333"]);
        all_caught(lu_matricule, &["1893120105732"]);
        all_caught(pt_cc, &["00000000 0 ZZ4"]);
    }

    #[test]
    fn checks_with_rounding_or_two_readings_catch_nearly_all() {
        most_caught(be_national, &["85.07.30-033.28", "17.07.30-033.84", "98.47.28-997.65"], 30);
        most_caught(de_health_insurance, &["A123456780"], 20);
        most_caught(document_7_3_1, &["T220001293"], 12);
        most_caught(gb_utr, &["1955839661"], 8);
        most_caught(gr_afm, &["094259216"], 10);
        most_caught(ie_pps, &["6433435F", "6433435FT", "6433435OA"], 30);
        most_caught(it_codice_fiscale, &["RCCMNL83S18D969H", "MRTMTT25D09F205Z"], 10);
        most_caught(pt_nif, &["501964843"], 10);
        most_caught(fr_tax, &["3023217600053"], 30);
        most_caught(es_social, &["281234567840"], 30);
        most_caught(pt_niss, &["12981054376"], 10);
    }

    #[test]
    fn corsica_and_the_post_office_are_special() {
        assert!(!fr_nir("253072C07300443"));
        assert!(fr_siret("35600000000048") && fr_siret("35600000049837"));
    }

    #[test]
    fn structured_numbers_need_their_structure() {
        assert!(
            gb_driver("MORGA657054SM9IJ")
                && gb_driver("FOX99 657054 SM9IJ")
                && !gb_driver("MORGA697054SM9IJ")
                && !gb_driver("9MORG657054SM9IJ")
        );
        assert!(gb_nino("AB 12 34 57 C") && !gb_nino("GB 12 34 57 C") && !gb_nino("AB123456C"));
        assert!(!at_social("1237 320180"));
        assert!(!ie_pps("6433435E") && !ie_pps("6433435VH"));
    }
}
