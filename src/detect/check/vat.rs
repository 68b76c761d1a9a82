//! Value added tax numbers of the European Union, Great Britain, Norway and Switzerland, with their country prefix.
//!
//! Formats: European Commission, VIES FAQ Q11. Check digits: the Commission's "VAT number algorithms" (DG TAXUD, BMF
//! "Konstruktionsregeln der UID") and the national laws named at each function.

use super::{
    Check,
    digits::{digits, figures, luhn, mod_11_10, number, remainder, symbols, value, weighted},
    europe, europe_east,
};

/// The checks by name.
pub(super) const TABLE: &[(&str, Check)] = &[
    ("at-vat", at),
    ("be-vat", be),
    ("bg-vat", bg),
    ("ch-uid", ch),
    ("cy-vat", cy),
    ("cz-vat", cz),
    ("de-vat", de),
    ("dk-vat", dk),
    ("ee-vat", ee),
    ("es-vat", es),
    ("fi-vat", fi),
    ("fr-vat", fr),
    ("gb-vat", gb),
    ("gr-vat", gr),
    ("hr-vat", hr),
    ("hu-vat", hu),
    ("ie-vat", ie),
    ("it-vat", it),
    ("lt-vat", lt),
    ("lu-vat", lu),
    ("lv-vat", lv),
    ("mt-vat", mt),
    ("nl-vat", nl),
    ("no-vat", no),
    ("pl-vat", pl),
    ("pt-vat", pt),
    ("ro-vat", ro),
    ("se-vat", se),
    ("si-vat", si),
    ("sk-vat", sk),
];

/// What follows the country prefix, which may be missing.
fn after<'a>(text: &'a str, prefix: &str) -> &'a str {
    text.strip_prefix(prefix).unwrap_or(text).trim_start_matches([' ', '-', '.'])
}

/// Austria, `ATU` and 8 digits: Luhn sum plus 4 (BMF).
fn at(text: &str) -> bool {
    let Some(d) = digits::<8>(after(text, "ATU")) else { return false };
    let [body @ .., check] = d;
    let doubled = |digit: u8| u32::from(digit / 5 + digit * 2 % 10);
    let sum: u32 = body.iter().enumerate().map(|(i, digit)| if i % 2 == 1 { doubled(*digit) } else { u32::from(*digit) }).sum();
    (10 - (sum + 4) % 10) % 10 == u32::from(check)
}

/// Belgium, 10 digits: 97 minus the remainder of the first eight (KBO/BCE).
fn be(text: &str) -> bool {
    digits::<10>(after(text, "BE")).is_some_and(|d| d[0] < 2 && (number(&d[..8]) + number(&d[8..])).is_multiple_of(97))
}

/// Bulgaria, 9 digits (companies, BULSTAT) or 10 (a person's EGN, a foreigner's number, others).
fn bg(text: &str) -> bool {
    let text = after(text, "BG");
    digits::<9>(text).is_some_and(|d| bulstat(&d))
        || europe_east::bg_egn(text)
        || digits::<10>(text).is_some_and(|d| {
            let foreigner = weighted(&d, &[21, 19, 17, 13, 11, 9, 7, 3, 1]) % 10;
            let other = (11 - weighted(&d, &[4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11;
            foreigner == u32::from(d[9]) || other == u32::from(d[9])
        })
}

fn bulstat(d: &[u8; 9]) -> bool {
    let first = weighted(d, &[1, 2, 3, 4, 5, 6, 7, 8]) % 11;
    let check = if first == 10 { weighted(d, &[3, 4, 5, 6, 7, 8, 9, 10]) % 11 % 10 } else { first };
    check == u32::from(d[8])
}

/// Switzerland, `CHE` and 9 digits: weights 5 4 3 2 7 6 5 4, MOD 11 (eCH-0097); a suffix MWST, TVA or IVA may follow.
fn ch(text: &str) -> bool {
    let text = after(text, "CHE").trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
    digits::<9>(text).is_some_and(|d| (11 - weighted(&d, &[5, 4, 3, 2, 7, 6, 5, 4]) % 11) % 11 == u32::from(d[8]))
}

/// Cyprus, 8 digits and a letter: odd places translated, MOD 26 (Tax Department, TIC).
fn cy(text: &str) -> bool {
    const ODD: [u32; 10] = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21];
    let Some(s) = symbols::<9>(after(text, "CY")) else { return false };
    let Some(d) = figures::<8>(&s[..8]) else { return false };
    let odd = |digit: u8| ODD.get(usize::from(digit)).copied().unwrap_or_default();
    let sum: u32 = d.iter().enumerate().map(|(i, digit)| if i % 2 == 0 { odd(*digit) } else { u32::from(*digit) }).sum();
    s[..2] != *b"12" && sum % 26 + 10 == value(s[8])
}

/// Czechia, 8 digits (legal entities), 9 beginning with 6 (special cases), or a birth number (DIČ, Ministry of Finance).
fn cz(text: &str) -> bool {
    let text = after(text, "CZ");
    let legal = |d: [u8; 8]| {
        let check = (11 - weighted(&d, &[8, 7, 6, 5, 4, 3, 2]) % 11) % 11;
        d[0] != 9 && if check == 0 { 1 } else { check % 10 } == u32::from(d[7])
    };
    let special = |d: [u8; 9]| {
        let check = (10 + 11 - weighted(&d[1..8], &[8, 7, 6, 5, 4, 3, 2]) % 11) % 11;
        d[0] == 6 && (18 - check) % 10 == u32::from(d[8])
    };
    digits::<8>(text).is_some_and(legal) || digits::<9>(text).is_some_and(special) || europe_east::cz_birth_number(text)
}

/// Germany, 9 digits: ISO/IEC 7064 MOD 11,10 (BZSt).
fn de(text: &str) -> bool {
    digits::<9>(after(text, "DE")).is_some_and(|d| d[0] != 0 && mod_11_10(&d))
}

/// Denmark, 8 digits: the CVR number, weights 2 7 6 5 4 3 2 1, MOD 11.
fn dk(text: &str) -> bool {
    digits::<8>(after(text, "DK")).is_some_and(|d| d[0] != 0 && weighted(&d, &[2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11))
}

/// Estonia, 9 digits: weights 3 7 1, MOD 10.
fn ee(text: &str) -> bool {
    digits::<9>(after(text, "EE")).is_some_and(|d| weighted(&d, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10))
}

/// Spain: a DNI, NIE or CIF (Orden EHA/451/2008).
fn es(text: &str) -> bool {
    let text = after(text, "ES");
    europe::es_dni(text) || europe::es_nie(text) || europe::es_cif(text)
}

/// Finland, 8 digits: the Y-tunnus, weights 7 9 10 5 8 4 2 1, MOD 11.
fn fi(text: &str) -> bool {
    digits::<8>(after(text, "FI")).is_some_and(|d| weighted(&d, &[7, 9, 10, 5, 8, 4, 2, 1]).is_multiple_of(11))
}

/// France, a key of two and the SIREN: (12 + 3 x (SIREN mod 97)) mod 97, or the two-letter key (CGI art. 286 ter).
fn fr(text: &str) -> bool {
    let Some(s) = symbols::<11>(after(text, "FR")) else { return false };
    let Some(siren) = figures::<9>(&s[2..]) else { return false };
    if !luhn(&siren) && siren[..3] != [0, 0, 0] {
        return false;
    }
    if let Some(key) = figures::<2>(&s[..2]) {
        return number(&key) == (number(&siren) * 100 + 12) % 97;
    }
    // The alphabet of the lettered keys has neither I nor O.
    if s[..2].iter().any(|symbol| matches!(symbol, b'I' | b'O')) {
        return false;
    }
    let place = |symbol: u8| value(symbol).saturating_sub(u32::from(symbol > b'I') + u32::from(symbol > b'O'));
    let (first, second) = (place(s[0]), place(s[1]));
    let check = u64::from(if s[0].is_ascii_digit() { first * 24 + second } else { first * 34 + second }) as i64;
    let check = if s[0].is_ascii_digit() { check - 10 } else { check - 100 };
    check >= 0 && (number(&siren) as i64 + 1 + check / 11).rem_euclid(11) == check % 11
}

/// Great Britain and Northern Ireland, 9 or 12 digits: weights 8..2, MOD 97 or 97 with 55 added (HMRC VATREG3700).
fn gb(text: &str) -> bool {
    let text = after(after(text, "GB"), "XI");
    let fits = |d: &[u8]| match (weighted(d, &[8, 7, 6, 5, 4, 3, 2, 10, 1]) % 97, number(d.get(..3).unwrap_or_default())) {
        (0, _) => true,
        (42 | 55, block) => block >= 100,
        _ => false,
    };
    digits::<9>(text).is_some_and(|d| fits(&d)) || digits::<12>(text).is_some_and(|d| fits(&d[..9]))
}

/// Greece, 9 digits: the AFM.
fn gr(text: &str) -> bool {
    europe::gr_afm(after(after(text, "EL"), "GR"))
}

/// Croatia, 11 digits: the OIB.
fn hr(text: &str) -> bool {
    europe_east::hr_oib(after(text, "HR"))
}

/// Hungary, 8 digits: weights 9 7 3 1, MOD 10 (NAV).
fn hu(text: &str) -> bool {
    digits::<8>(after(text, "HU")).is_some_and(|d| weighted(&d, &[9, 7, 3, 1, 9, 7, 3, 1]).is_multiple_of(10))
}

/// Ireland: the PPS check letter, with the old form whose second place is a letter, `+` or `*` (Revenue).
fn ie(text: &str) -> bool {
    let text = after(text, "IE");
    europe::ie_pps(text)
        || symbols::<8>(text).is_some_and(|s| {
            let old = s[1].is_ascii_uppercase() && s[0].is_ascii_digit();
            let Some(rest) = figures::<5>(&s[2..7]) else { return false };
            let sum = weighted(&rest, &[7, 6, 5, 4, 3]) + 2 * value(s[0]);
            old && europe::ie_letter(sum) == s[7]
        })
}

/// Italy, 11 digits: the partita IVA, with its province office (001 to 100, 120, 121, 888, 999) and Luhn.
pub(super) fn it(text: &str) -> bool {
    digits::<11>(after(text, "IT")).is_some_and(|d| {
        let office = number(&d[7..10]);
        number(&d[..7]) > 0 && matches!(office, 1..=100 | 120 | 121 | 888 | 999) && luhn(&d)
    })
}

/// Lithuania, 9 or 12 digits: cyclic weights, MOD 11 in two rounds (VMI).
fn lt(text: &str) -> bool {
    let text = after(text, "LT");
    let nine = |d: [u8; 9]| d[7] == 1 && cyclic(&d[..8]) == u32::from(d[8]);
    let twelve = |d: [u8; 12]| d[10] == 1 && cyclic(&d[..11]) == u32::from(d[11]);
    digits::<9>(text).is_some_and(nine) || digits::<12>(text).is_some_and(twelve)
}

fn cyclic(body: &[u8]) -> u32 {
    let sum = |offset: usize| -> u32 { body.iter().zip(offset..).map(|(digit, i)| u32::from(*digit) * (1 + i as u32 % 9)).sum() };
    let first = sum(0) % 11;
    if first == 10 { sum(2) % 11 % 10 } else { first }
}

/// Luxembourg, 8 digits: the first six MOD 89 (AED).
fn lu(text: &str) -> bool {
    digits::<8>(after(text, "LU")).is_some_and(|d| number(&d[..6]) % 89 == number(&d[6..]))
}

/// Latvia, 11 digits: legal entities, weights 9 1 4 8 3 10 2 5 7 6 1, MOD 11 leaves 3; or a person's dated code (VID).
fn lv(text: &str) -> bool {
    let text = after(text, "LV");
    digits::<11>(text).is_some_and(|d| d[0] > 3 && weighted(&d, &[9, 1, 4, 8, 3, 10, 2, 5, 7, 6, 1]) % 11 == 3)
        || (!text.starts_with('3') || text < "32") && europe_east::lv_personal_code(text)
}

/// Malta, 8 digits: weights 3 4 6 7 8 9 10 1, MOD 37.
fn mt(text: &str) -> bool {
    digits::<8>(after(text, "MT")).is_some_and(|d| d[0] != 0 && weighted(&d, &[3, 4, 6, 7, 8, 9, 10, 1]).is_multiple_of(37))
}

/// Netherlands, 9 digits, `B`, 2 digits: the eleven test of the BSN or RSIN, or ISO/IEC 7064 MOD 97-10 since 2020.
fn nl(text: &str) -> bool {
    let Some(s) = symbols::<12>(after(text, "NL")) else { return false };
    let (Some(body), Some(suffix)) = (figures::<9>(&s[..9]), figures::<2>(&s[10..])) else { return false };
    // MOD 97-10 over "NL" (23, 21), the body, "B" (11) and the suffix.
    let letters = [2, 3, 2, 1];
    let rest = [&letters[..], &body[..], &[1, 1], &suffix[..]]
        .iter()
        .fold(0, |rest, part| part.iter().fold(rest, |rest, digit| (rest * 10 + u32::from(*digit)) % 97));
    s[9] == b'B' && number(&suffix) > 0 && (europe::eleven_test(&body) || rest == 1)
}

/// Norway, 9 digits: the organisation number, weights 3 2 7 6 5 4 3 2, MOD 11 (Brønnøysundregistrene).
fn no(text: &str) -> bool {
    let text = after(text, "NO").trim_end_matches("MVA");
    digits::<9>(text).is_some_and(|d| weighted(&d, &[3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11))
}

/// Poland, 10 digits: the NIP.
fn pl(text: &str) -> bool {
    europe_east::pl_nip(after(text, "PL"))
}

/// Portugal, 9 digits: the NIF.
fn pt(text: &str) -> bool {
    europe::pt_nif(after(text, "PT"))
}

/// Romania, 2 to 10 digits: the CUI, weights 7 5 3 2 1 7 5 3 2 from the right, MOD 11 (ANAF).
fn ro(text: &str) -> bool {
    let text = after(text, "RO");
    let fits = |d: &[u8]| {
        let Some((check, body)) = d.split_last() else { return false };
        let sum: u32 = body.iter().rev().zip([2, 3, 5, 7, 1, 2, 3, 5, 7]).map(|(digit, weight)| u32::from(*digit) * weight).sum();
        d.first() != Some(&0) && sum * 10 % 11 % 10 == u32::from(*check)
    };
    digits::<6>(text).is_some_and(|d| fits(&d))
        || digits::<7>(text).is_some_and(|d| fits(&d))
        || digits::<8>(text).is_some_and(|d| fits(&d))
        || digits::<9>(text).is_some_and(|d| fits(&d))
        || digits::<10>(text).is_some_and(|d| fits(&d))
}

/// Sweden, 12 digits: the organisation or personal number with Luhn, then 01 (Skatteverket).
fn se(text: &str) -> bool {
    digits::<12>(after(text, "SE")).is_some_and(|d| d[10..] == [0, 1] && luhn(&d[..10]))
}

/// Slovenia, 8 digits: weights 8..2, MOD 11 (FURS).
fn si(text: &str) -> bool {
    digits::<8>(after(text, "SI")).is_some_and(|d| {
        let check = 11 - weighted(&d, &[8, 7, 6, 5, 4, 3, 2]) % 11;
        d[0] != 0 && if check == 10 { 0 } else { check } == u32::from(d[7])
    })
}

/// Slovakia, 10 digits: divisible by 11, third digit 2, 3, 4, 7, 8 or 9 (Finančná správa).
fn sk(text: &str) -> bool {
    digits::<10>(after(text, "SK")).is_some_and(|d| d[0] != 0 && matches!(d[2], 2 | 3 | 4 | 7 | 8 | 9) && remainder(&d, 11) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::check::digits::corruption::{all_caught, most_caught};

    #[test]
    fn published_numbers_pass_and_no_single_digit_error_does() {
        all_caught(at, &["ATU13585627"]);
        all_caught(be, &["BE0428759497", "BE 0428.759.497"]);
        all_caught(ch, &["CHE-100.155.212", "CHE-107.787.577 IVA"]);
        all_caught(de, &["DE136695976"]);
        all_caught(dk, &["DK13585628"]);
        all_caught(ee, &["EE100594102"]);
        all_caught(fi, &["FI20774740"]);
        all_caught(gr, &["EL094259216"]);
        all_caught(hr, &["HR33392005961"]);
        all_caught(hu, &["HU12892312"]);
        all_caught(it, &["IT00743110157"]);
        all_caught(lu, &["LU15027442"]);
        all_caught(lv, &["LV40003521600"]);
        all_caught(mt, &["MT11679112"]);
        all_caught(no, &["NO 995 525 828 MVA"]);
        all_caught(pl, &["PL8567346215"]);
        all_caught(pt, &["PT501964843"]);
        all_caught(se, &["SE123456789701"]);
        all_caught(si, &["SI50223054"]);
        all_caught(sk, &["SK2022749619"]);
    }

    #[test]
    fn countries_with_several_forms_or_overlapping_rounds_catch_nearly_all() {
        most_caught(bg, &["BG175074752"], 20);
        most_caught(bg, &["BG7111042925", "BG8032056031"], 4);
        most_caught(cy, &["CY10259033P"], 20);
        most_caught(cz, &["CZ25123891", "CZ7103192745", "CZ640903926"], 8);
        most_caught(es, &["ES54362315K", "ESX2482300W", "ESJ99216582"], 20);
        most_caught(fr, &["FR23334175221", "FR40303265045", "FRK7399859412"], 12);
        most_caught(gb, &["GB980780684"], 30);
        most_caught(ie, &["IE6433435F", "IE6433435OA", "IE8D79739I"], 20);
        most_caught(lt, &["LT119511515", "LT100001919017", "LT100004801610"], 8);
        most_caught(nl, &["NL004495445B01"], 5);
        most_caught(ro, &["RO18547290"], 8);
    }
}
