//! Identifiers of northern and eastern Europe: the Nordic and Baltic countries, Poland to Bulgaria, the former Yugoslavia,
//! Belarus, Kazakhstan, Moldova, Russia, Ukraine.

use super::{
    Check,
    digits::{digits, figures, is_date, is_ddmmyy, is_yymmdd, luhn, mod_11_10, number, remainder, symbols, value, weighted},
};

/// The checks by name.
pub(super) const TABLE: &[(&str, Check)] = &[
    ("al-nipt", al_nipt),
    ("baltic-personal-code", baltic_personal_code),
    ("bg-egn", bg_egn),
    ("by-personal", by_personal),
    ("cz-birth-number", cz_birth_number),
    ("dk-cpr", dk_cpr),
    ("fi-hetu", fi_hetu),
    ("hr-oib", hr_oib),
    ("hu-company-tax", hu_company_tax),
    ("hu-personal", hu_personal),
    ("hu-taj", hu_taj),
    ("hu-tax", hu_tax),
    ("is-kennitala", is_kennitala),
    ("jmbg", jmbg),
    ("kz-iin", kz_iin),
    ("lv-personal-code", lv_personal_code),
    ("md-idnp", md_idnp),
    ("no-fnr", no_fnr),
    ("pl-id-card", pl_id_card),
    ("pl-nip", pl_nip),
    ("pl-passport", pl_passport),
    ("pl-pesel", pl_pesel),
    ("pl-regon", pl_regon),
    ("ro-cnp", ro_cnp),
    ("rs-pib", rs_pib),
    ("ru-inn", ru_inn),
    ("ru-ogrn", ru_ogrn),
    ("ru-passport", ru_passport),
    ("ru-snils", ru_snils),
    ("se-orgnr", se_orgnr),
    ("se-personnummer", se_personnummer),
    ("ua-edrpou", ua_edrpou),
    ("ua-rnokpp", ua_rnokpp),
];

/// Albania, NIPT: a decade letter, the day of a year's registration, a serial and a letter (DPT).
fn al_nipt(text: &str) -> bool {
    symbols::<10>(text).is_some_and(|s| matches!(s[0], b'A'..=b'M') && figures::<8>(&s[1..9]).is_some() && s[9].is_ascii_uppercase())
}

/// Estonia and Lithuania: century and sex, birth date, serial; weights 1 to 9 then 3 on, MOD 11 in two rounds (EVS 585;
/// Lithuanian law VIII-2000).
fn baltic_personal_code(text: &str) -> bool {
    digits::<11>(text).is_some_and(|d| {
        let first = weighted(&d, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11;
        let check = if first == 10 { weighted(&d, &[3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11 % 10 } else { first };
        matches!(d[0], 3..=6) && is_yymmdd(&d[1..7]) && check == u32::from(d[10])
    })
}

/// Bulgaria, EGN: birth date (month plus 20 or 40 for other centuries), weights 2 4 8 5 10 9 7 3 6, MOD 11 (GRAO).
pub(super) fn bg_egn(text: &str) -> bool {
    digits::<10>(text).is_some_and(|d| {
        let (year, month, day) = (number(&d[..2]), number(&d[2..4]), number(&d[4..6]));
        let dated = match month {
            41..=52 => is_date(2000 + year, month - 40, day),
            21..=32 => is_date(1800 + year, month - 20, day),
            month => is_date(1900 + year, month, day),
        };
        dated && weighted(&d, &[2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11 % 10 == u32::from(d[9])
    })
}

/// Belarus, personal number: century and sex, birth date, region letter, serial, citizenship; weights 7 3 1, MOD 10
/// (Council of Ministers decree 1452 of 1998).
fn by_personal(text: &str) -> bool {
    let Some(s) = symbols::<14>(text) else { return false };
    let (Some(head), Some(_)) = (figures::<7>(&s[..7]), figures::<3>(&s[8..11])) else { return false };
    let sum: u32 = s[..13].iter().zip([7, 3, 1].iter().cycle()).map(|(symbol, weight)| value(*symbol) * weight).sum();
    matches!(head[0], 1..=6) && is_ddmmyy(&head[1..]) && sum % 10 == value(s[13])
}

/// Czechia and Slovakia, rodné číslo: divisible by 11 (since 1954), month plus 50 for women, plus 20 when serials ran out
/// (act 133/2000 Sb.; act 301/1995 Z. z.).
pub(super) fn cz_birth_number(text: &str) -> bool {
    let dated = |d: &[u8], century: u64| {
        let packed = d.get(..6).map_or(0, number);
        let month = packed / 100 % 50;
        let month = if month > 20 { month - 20 } else { month };
        is_date(century + packed / 10_000, month, packed % 100)
    };
    digits::<10>(text).is_some_and(|d| {
        let year = number(&d[..2]);
        let rest = remainder(&d[..9], 11);
        let early = (54..85).contains(&year) && rest == 10 && d[9] == 0;
        dated(&d, if year < 54 { 2000 } else { 1900 }) && (rest == u32::from(d[9]) || early)
    }) || digits::<9>(text).is_some_and(|d| number(&d[..2]) < 54 && number(&d[6..]) > 0 && dated(&d, 1900))
}

/// Denmark, CPR number: a birth date; the check digit is no longer kept since 2007 (CPR-kontoret).
fn dk_cpr(text: &str) -> bool {
    digits::<10>(text).is_some_and(|d| is_ddmmyy(&d[..6]) && number(&d[6..]) > 0)
}

/// Finland, henkilötunnus: birth date, century sign, serial 002 to 899, MOD 31 (act 661/2009; new signs of 2023).
fn fi_hetu(text: &str) -> bool {
    let mut kept = text.char_indices().filter(|(i, _)| *i != 6).map(|(_, symbol)| symbol);
    let mut s = [0; 10];
    for slot in &mut s {
        let Some(symbol) = kept.next().filter(char::is_ascii_alphanumeric) else { return false };
        *slot = symbol.to_ascii_uppercase() as u8;
    }
    let Some(d) = figures::<9>(&s[..9]) else { return false };
    let letter = b"0123456789ABCDEFHJKLMNPRSTUVWXY".get((number(&d) % 31) as usize).copied();
    kept.next().is_none() && is_ddmmyy(&d[..6]) && (2..900).contains(&number(&d[6..])) && letter == Some(s[9])
}

/// Croatia, OIB: ISO/IEC 7064 MOD 11,10 (law on the OIB, NN 60/08).
pub(super) fn hr_oib(text: &str) -> bool {
    digits::<11>(text).is_some_and(|d| mod_11_10(&d))
}

/// Hungary, a company's tax number: the VAT number, kind of taxation 1 to 5, county (NAV, act CL of 2017).
fn hu_company_tax(text: &str) -> bool {
    digits::<11>(text).is_some_and(|d| {
        let keyed = weighted(&d, &[9, 7, 3, 1, 9, 7, 3, 1]).is_multiple_of(10);
        keyed && matches!(d[8], 1..=5) && matches!(number(&d[9..]), 2..=20 | 22..=44 | 51)
    })
}

/// Hungary, personal number: sex and century, birth date, serial; weights 1 to 10, MOD 11, turned round for births from
/// 1997 (act XX of 1996).
fn hu_personal(text: &str) -> bool {
    digits::<11>(text).is_some_and(|d| {
        let old = weighted(&d, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) % 11;
        let new = weighted(&d, &[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]) % 11;
        let check = u32::from(d[10]);
        matches!(d[0], 1..=8) && is_yymmdd(&d[1..7]) && (old == check || new == check)
    })
}

/// Hungary, TAJ social security number: weights 3 7, MOD 10 (act XX of 1996).
fn hu_taj(text: &str) -> bool {
    digits::<9>(text).is_some_and(|d| weighted(&d, &[3, 7, 3, 7, 3, 7, 3, 7]) % 10 == u32::from(d[8]))
}

/// Hungary, a person's tax number: 8, days since 1867, serial; weights 1 to 9, MOD 11 (act XX of 1996).
fn hu_tax(text: &str) -> bool {
    digits::<10>(text).is_some_and(|d| d[0] == 8 && weighted(&d, &[1, 2, 3, 4, 5, 6, 7, 8, 9]) % 11 == u32::from(d[9]))
}

/// Iceland, kennitala: birth date (day plus 40 for companies), weights 3 2 7 6 5 4 3 2, MOD 11, century 9 or 0 (Þjóðskrá).
fn is_kennitala(text: &str) -> bool {
    digits::<10>(text).is_some_and(|d| {
        let [a, b, c, e, f, g, ..] = d;
        let dated = is_ddmmyy(&[if a > 3 { a - 4 } else { a }, b, c, e, f, g]);
        matches!(d[9], 0 | 9) && a < 8 && dated && weighted(&d, &[3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
    })
}

/// Slovenia (EMŠO), Serbia, Bosnia, North Macedonia, Montenegro (JMBG): ddmmyyy, region, serial; weights 7 to 2 twice, MOD
/// 11 (Yugoslav law of 1976).
fn jmbg(text: &str) -> bool {
    digits::<13>(text).is_some_and(|d| {
        let year = number(&d[4..7]);
        let dated = is_date(if year < 800 { 2000 + year } else { 1000 + year }, number(&d[2..4]), number(&d[..2]));
        let check = (11 - weighted(&d, &[7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11 % 10;
        !(100..880).contains(&year) && dated && check == u32::from(d[12])
    })
}

/// Kazakhstan, IIN or BIN: weights 1 to 11, MOD 11, then 3 to 11, 1, 2 (government decree 565 of 2003); a birth date, or
/// a registration month and kind.
fn kz_iin(text: &str) -> bool {
    digits::<12>(text).is_some_and(|d| {
        let first = weighted(&d, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]) % 11;
        let check = if first == 10 { weighted(&d, &[3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2]) % 11 } else { first };
        let person = is_yymmdd(&d[..6]) && d[6] <= 6;
        let company = matches!(number(&d[2..4]), 1..=12) && matches!(d[4], 4..=6) && d[5] <= 4;
        (person || company) && check == u32::from(d[11])
    })
}

/// Latvia, personas kods: birth date and century, weights 10 5 8 4 2 1 6 3 7 9, MOD 11; or 32 and on without a date, since
/// 2017 (PMLP).
pub(super) fn lv_personal_code(text: &str) -> bool {
    digits::<11>(text).is_some_and(|d| {
        let check = (1 + weighted(&d, &[10, 5, 8, 4, 2, 1, 6, 3, 7, 9])) % 11 % 10;
        let dated = is_ddmmyy(&d[..6]) && d[6] <= 2;
        (dated && check == u32::from(d[10])) || (d[0] == 3 && d[1] >= 2)
    })
}

/// Moldova, IDNP or IDNO: weights 7 3 1, MOD 10 (government decision 333 of 2002).
fn md_idnp(text: &str) -> bool {
    digits::<13>(text)
        .is_some_and(|d| matches!(d[0], 0..=2) && weighted(&d, &[7, 3, 1, 7, 3, 1, 7, 3, 1, 7, 3, 1]) % 10 == u32::from(d[12]))
}

/// Norway, fødselsnummer and D number (day plus 40): two MOD 11 digits (Skatteetaten).
fn no_fnr(text: &str) -> bool {
    digits::<11>(text).is_some_and(|d| {
        let [a, b, c, e, f, g, ..] = d;
        let dated = is_ddmmyy(&[a % 4, b, c, e, f, g]) && a < 8;
        let first = (11 - weighted(&d, &[3, 7, 6, 1, 8, 9, 4, 5, 2]) % 11) % 11;
        let second = (11 - weighted(&d, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11;
        dated && first == u32::from(d[9]) && second == u32::from(d[10])
    })
}

/// Poland, identity card: three letters, a check digit over 7 3 1 9 7 3 1 7 3, five digits (MSWiA).
fn pl_id_card(text: &str) -> bool {
    symbols::<9>(text).is_some_and(|s| {
        let sum: u32 = s.iter().zip([7, 3, 1, 9, 7, 3, 1, 7, 3]).map(|(symbol, weight)| value(*symbol) * weight).sum();
        s[..3].iter().all(u8::is_ascii_uppercase) && figures::<6>(&s[3..]).is_some() && sum.is_multiple_of(10)
    })
}

/// Poland, NIP: weights 6 5 7 2 3 4 5 6 7, MOD 11 (act of 13 October 1995).
pub(super) fn pl_nip(text: &str) -> bool {
    digits::<10>(text).is_some_and(|d| d[0] != 0 && weighted(&d, &[6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11 == u32::from(d[9]))
}

/// Poland, passport: two letters, a check digit over 7 3 9 1 7 3 1 7 3, six digits (MSWiA).
fn pl_passport(text: &str) -> bool {
    symbols::<9>(text).is_some_and(|s| {
        let sum: u32 = s.iter().zip([7, 3, 9, 1, 7, 3, 1, 7, 3]).map(|(symbol, weight)| value(*symbol) * weight).sum();
        s[..2].iter().all(u8::is_ascii_uppercase) && figures::<7>(&s[2..]).is_some() && sum.is_multiple_of(10)
    })
}

/// Poland, PESEL: birth date (month plus 20 per century), weights 1 3 7 9, MOD 10 (act of 24 September 2010).
fn pl_pesel(text: &str) -> bool {
    digits::<11>(text).is_some_and(|d| {
        let (year, month) = (number(&d[..2]), number(&d[2..4]));
        let century = match month / 20 {
            0 => 1900,
            1 => 2000,
            4 => 1800,
            _ => return false,
        };
        let sum = weighted(&d, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]);
        is_date(century + year, month % 20, number(&d[4..6])) && sum.is_multiple_of(10)
    })
}

/// Poland, REGON: 9 digits with weights 8 9 2 3 4 5 6 7, or 14 with 2 4 8 5 0 9 7 3 6 1 2 4 8, MOD 11 (GUS).
fn pl_regon(text: &str) -> bool {
    let short = |d: &[u8]| weighted(d, &[8, 9, 2, 3, 4, 5, 6, 7]) % 11 % 10;
    let long = [2, 4, 8, 5, 0, 9, 7, 3, 6, 1, 2, 4, 8];
    digits::<9>(text).is_some_and(|d| short(&d) == u32::from(d[8]))
        || digits::<14>(text).is_some_and(|d| short(&d) == u32::from(d[8]) && weighted(&d, &long) % 11 % 10 == u32::from(d[13]))
}

/// Romania, CNP: sex and century, birth date, county; weights 2 7 9 1 4 6 3 5 8 2 7 9, MOD 11 (law 105/1996).
fn ro_cnp(text: &str) -> bool {
    digits::<13>(text).is_some_and(|d| {
        let check = match weighted(&d, &[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11 {
            10 => 1,
            check => check,
        };
        let county = matches!(number(&d[7..9]), 1..=48 | 51 | 52 | 70 | 80..=83);
        matches!(d[0], 1..=9) && is_yymmdd(&d[1..7]) && county && check == u32::from(d[12])
    })
}

/// Serbia, PIB: ISO/IEC 7064 MOD 11,10 (Poreska uprava).
fn rs_pib(text: &str) -> bool {
    digits::<9>(text).is_some_and(|d| d[0] != 0 && mod_11_10(&d))
}

/// Russia, INN: 10 digits for companies, 12 for persons with two check digits (FNS order MMV-7-6/435).
fn ru_inn(text: &str) -> bool {
    digits::<10>(text).is_some_and(|d| weighted(&d, &[2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10 == u32::from(d[9]))
        || digits::<12>(text).is_some_and(|d| {
            let first = weighted(&d, &[7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10;
            let second = weighted(&d, &[3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10;
            first == u32::from(d[10]) && second == u32::from(d[11])
        })
}

/// Russia, OGRN (13 digits, MOD 11) and OGRNIP (15 digits, MOD 13) (Ministry of Finance order 165n).
fn ru_ogrn(text: &str) -> bool {
    digits::<13>(text).is_some_and(|d| matches!(d[0], 1 | 5) && number(&d[..12]) % 11 % 10 == u64::from(d[12]))
        || digits::<15>(text).is_some_and(|d| d[0] == 3 && number(&d[..14]) % 13 % 10 == u64::from(d[14]))
}

/// Russia, passport: region code, year of the blank (97 to 99, 00 on), number (government decree 828 of 1997).
fn ru_passport(text: &str) -> bool {
    digits::<10>(text).is_some_and(|d| {
        let (region, year) = (number(&d[..2]), number(&d[2..4]));
        (1..=99).contains(&region) && (year <= 40 || year >= 97) && number(&d[4..]) > 0
    })
}

/// Russia, SNILS: weights 9 to 1, MOD 101 (PFR decree 192p).
fn ru_snils(text: &str) -> bool {
    digits::<11>(text).is_some_and(|d| {
        let sum = weighted(&d, &[9, 8, 7, 6, 5, 4, 3, 2, 1]) % 101 % 100;
        number(&d[..9]) > 1_001_998 && u64::from(sum) == number(&d[9..])
    })
}

/// Sweden, organisation number: third digit from 2, Luhn (law 1974:174).
fn se_orgnr(text: &str) -> bool {
    digits::<10>(text).is_some_and(|d| d[0] != 0 && d[2] >= 2 && luhn(&d))
}

/// Sweden, personnummer and samordningsnummer (day plus 60), 10 or 12 digits: Luhn over the last ten (law 1991:481).
fn se_personnummer(text: &str) -> bool {
    let text = text.replace('+', "-");
    let fits = |d: &[u8; 10]| {
        let [a, b, c, e, f, g, ..] = *d;
        is_yymmdd(&[a, b, c, e, if f > 5 { f - 6 } else { f }, g]) && luhn(d)
    };
    digits::<10>(&text).is_some_and(|d| fits(&d))
        || digits::<12>(&text).is_some_and(|d| {
            let [century, decade, rest @ ..] = d;
            matches!([century, decade], [1, 8 | 9] | [2, 0]) && fits(&rest)
        })
}

/// Ukraine, EDRPOU: weights 1 to 7 (or 7, 1 to 6), MOD 11 in two rounds (Derzhstat).
fn ua_edrpou(text: &str) -> bool {
    digits::<8>(text).is_some_and(|d| {
        let weights: [u32; 7] = if matches!(d[0], 3..=5) { [7, 1, 2, 3, 4, 5, 6] } else { [1, 2, 3, 4, 5, 6, 7] };
        let first = weighted(&d, &weights) % 11;
        let check = if first == 10 { weighted(&d, &weights.map(|weight| weight + 2)) % 11 % 10 } else { first };
        check == u32::from(d[7])
    })
}

/// Ukraine, RNOKPP: days since 1900, serial; weights -1 5 7 9 4 6 10 5 7, MOD 11 (Ministry of Finance order 822).
fn ua_rnokpp(text: &str) -> bool {
    digits::<10>(text).is_some_and(|d| {
        // 10 is -1 MOD 11.
        weighted(&d, &[10, 5, 7, 9, 4, 6, 10, 5, 7]) % 11 % 10 == u32::from(d[9]) && number(&d[..5]) > 5_000
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::check::digits::corruption::{all_caught, most_caught};

    #[test]
    fn published_numbers_pass_and_no_single_digit_error_does() {
        all_caught(fi_hetu, &["131052-308T"]);
        all_caught(hr_oib, &["33392005961"]);
        all_caught(no_fnr, &["151086 95088"]);
        all_caught(pl_nip, &["856-734-62-15"]);
        all_caught(pl_pesel, &["44051401359"]);
        all_caught(rs_pib, &["101134702"]);
        all_caught(se_orgnr, &["556036-0793"]);
        all_caught(se_personnummer, &["880320-0016", "670919-9530"]);
        all_caught(md_idnp, &["1008600038413"]);
        all_caught(pl_id_card, &["ABA300000"]);
    }

    #[test]
    fn checks_that_fold_ten_catch_nearly_all() {
        most_caught(baltic_personal_code, &["36805280109", "33309240064"], 20);
        most_caught(bg_egn, &["8032056031"], 20);
        most_caught(by_personal, &["3160388A035PB1"], 9);
        most_caught(cz_birth_number, &["710319/2745"], 20);
        most_caught(hu_personal, &["1-800101-0016"], 8);
        most_caught(hu_taj, &["111111110"], 10);
        most_caught(hu_tax, &["8071592153"], 30);
        most_caught(is_kennitala, &["120174-3399", "450401-3150"], 20);
        most_caught(jmbg, &["0101006500006"], 20);
        most_caught(kz_iin, &["950740000130"], 8);
        most_caught(lv_personal_code, &["161175-19997"], 8);
        most_caught(pl_passport, &["EC0000002", "ZS0000177"], 12);
        most_caught(pl_regon, &["192598184", "12345678512347"], 10);
        most_caught(ro_cnp, &["1630615123457"], 20);
        most_caught(ru_inn, &["123456789047", "7707083893", "500100732259"], 10);
        most_caught(ru_ogrn, &["1027700132195", "304500116000157"], 10);
        most_caught(ru_snils, &["112-233-445 95"], 30);
        most_caught(ua_edrpou, &["32855961"], 8);
        most_caught(ua_rnokpp, &["1759013776"], 10);
    }

    #[test]
    fn a_birth_date_must_be_one() {
        assert!(dk_cpr("211062-5629") && !dk_cpr("311162-5629"));
        assert!(se_personnummer("19880320-0016") && se_personnummer("880320+0016") && !se_personnummer("883320-0016"));
        assert!(fi_hetu("131052A308T") && !fi_hetu("310252-308Y") && !fi_hetu("131052-901T"));
        assert!(!cz_birth_number("1103492745") && cz_birth_number("530312/123") && !cz_birth_number("590312/123"));
        assert!(!is_kennitala("320174-3399") && !ru_passport("4550 123456"));
        assert!(hu_company_tax("12892312-2-42") && !hu_company_tax("12892313-2-42") && !hu_company_tax("12892312-7-42"));
        assert!(al_nipt("J91402501L") && !al_nipt("Z22218003V"));
    }
}
