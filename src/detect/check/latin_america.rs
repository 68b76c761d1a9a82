//! Identifiers of Latin America and the Caribbean.

use super::{
    Check,
    digits::{digits, figures, is_date, is_yymmdd, luhn, number, symbols, value, weighted},
};

/// The checks by name.
pub(super) const TABLE: &[(&str, Check)] = &[
    ("ar-cbu", ar_cbu),
    ("ar-cuit", ar_cuit),
    ("br-cnh", br_cnh),
    ("br-cnpj", br_cnpj),
    ("br-cns", br_cns),
    ("br-cpf", br_cpf),
    ("br-pis", br_pis),
    ("br-renavam", br_renavam),
    ("br-titulo", br_titulo),
    ("cl-rut", cl_rut),
    ("co-nit", co_nit),
    ("cu-identity", cu_identity),
    ("do-cedula", do_cedula),
    ("do-rnc", do_rnc),
    ("ec-cedula", ec_cedula),
    ("ec-ruc", ec_ruc),
    ("gt-cui", gt_cui),
    ("gt-nit", gt_nit),
    ("mx-clabe", mx_clabe),
    ("mx-curp", mx_curp),
    ("mx-ine", mx_ine),
    ("mx-nss", mx_nss),
    ("mx-rfc", mx_rfc),
    ("pe-ruc", pe_ruc),
    ("py-ruc", py_ruc),
    ("sv-dui", sv_dui),
    ("uy-ci", uy_ci),
    ("uy-rut", uy_rut),
    ("ve-rif", ve_rif),
];

/// Argentina, CBU: weights 7 1 3 9 over bank and branch and over the account, MOD 10 (BCRA).
fn ar_cbu(text: &str) -> bool {
    digits::<22>(text).is_some_and(|d| {
        let fits = |part: &[u8], weights: &[u32]| weighted(part, weights).is_multiple_of(10);
        number(&d[..3]) > 0 && fits(&d[..8], &[7, 1, 3, 9, 7, 1, 3, 1]) && fits(&d[8..], &[3, 9, 7, 1, 3, 9, 7, 1, 3, 9, 7, 1, 3, 1])
    })
}

/// Argentina, CUIT and CUIL: kind, weights 5 4 3 2 7 6 5 4 3 2, MOD 11 (AFIP RG 10/97).
fn ar_cuit(text: &str) -> bool {
    digits::<11>(text).is_some_and(|d| {
        let check = match 11 - weighted(&d, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11 {
            11 => 0,
            10 => 9,
            check => check,
        };
        matches!(number(&d[..2]), 20 | 23 | 24 | 25 | 26 | 27 | 30 | 33 | 34 | 50 | 51 | 55) && check == u32::from(d[10])
    })
}

/// Brazil, CNH: weights 9 to 1 and 1 to 9, MOD 11, the second lowered by two when the first overflows (DENATRAN).
fn br_cnh(text: &str) -> bool {
    digits::<11>(text).is_some_and(|d| {
        let (first, second) = (weighted(&d, &[9, 8, 7, 6, 5, 4, 3, 2, 1]) % 11, weighted(&d, &[1, 2, 3, 4, 5, 6, 7, 8, 9]) % 11);
        let lowered = if first == 10 { (second + 9) % 11 } else { second };
        let fold = |check: u32| if check == 10 { 0 } else { check };
        fold(first) == u32::from(d[9]) && (fold(lowered) == u32::from(d[10]) || (first == 10 && fold(second) == u32::from(d[10])))
    })
}

/// Brazil, CNPJ, with letters from July 2026: each symbol's ASCII code less 48, weights 2 to 9, MOD 11 twice (IN RFB
/// 2.229/2024).
fn br_cnpj(text: &str) -> bool {
    let Some(s) = symbols::<14>(text) else { return false };
    let check = |body: &[u8]| -> u32 {
        let sum: u32 = body.iter().rev().zip((2..=9).cycle()).map(|(symbol, weight)| u32::from(*symbol - b'0') * weight).sum();
        (11 - sum % 11) % 11 % 10
    };
    let same = s.iter().all(|symbol| *symbol == s[0]);
    !same && figures::<2>(&s[12..]).is_some() && check(&s[..12]) == value(s[12]) && check(&s[..13]) == value(s[13])
}

/// Brazil, CNS health card: 1, 2, 7, 8 or 9, weights 15 to 1, MOD 11 (DATASUS).
fn br_cns(text: &str) -> bool {
    digits::<15>(text).is_some_and(|d| {
        matches!(d[0], 1 | 2 | 7..=9) && weighted(&d, &[15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
    })
}

/// Brazil, CPF: weights 10 to 2 and 11 to 2, MOD 11 (IN RFB 1.548/2015).
fn br_cpf(text: &str) -> bool {
    digits::<11>(text).is_some_and(|d| {
        let check = |sum: u32| (11 - sum % 11) % 11 % 10;
        check(weighted(&d, &[10, 9, 8, 7, 6, 5, 4, 3, 2])) == u32::from(d[9])
            && check(weighted(&d, &[11, 10, 9, 8, 7, 6, 5, 4, 3, 2])) == u32::from(d[10])
    })
}

/// Brazil, PIS, PASEP and NIS: weights 3 2 9 8 7 6 5 4 3 2, MOD 11 (Caixa).
fn br_pis(text: &str) -> bool {
    digits::<11>(text).is_some_and(|d| {
        let check = (11 - weighted(&d, &[3, 2, 9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 11 % 10;
        check == u32::from(d[10])
    })
}

/// Brazil, RENAVAM vehicle number: weights 3 2 9 8 7 6 5 4 3 2, times ten, MOD 11 (DENATRAN).
fn br_renavam(text: &str) -> bool {
    digits::<11>(text).is_some_and(|d| weighted(&d, &[3, 2, 9, 8, 7, 6, 5, 4, 3, 2]) * 10 % 11 % 10 == u32::from(d[10]))
}

/// Brazil, voter's number: weights 2 to 9, then the state with 7 8 9, MOD 11, no 0 in São Paulo and Minas Gerais (TSE
/// resolution 21.538).
fn br_titulo(text: &str) -> bool {
    digits::<12>(text).is_some_and(|d| {
        let state = number(&d[8..10]);
        let fold = |check: u32| match check {
            10 => 0,
            0 if state < 3 => 1,
            check => check,
        };
        let first = fold(weighted(&d, &[2, 3, 4, 5, 6, 7, 8, 9]) % 11);
        let second = fold((weighted(&d[8..10], &[7, 8]) + first * 9) % 11);
        (1..=28).contains(&state) && first == u32::from(d[10]) && second == u32::from(d[11])
    })
}

/// Chile, RUN and RUT: weights 2 to 7 from the right, MOD 11, 10 is K (DFL 3 of 1969, SII).
fn cl_rut(text: &str) -> bool {
    let fits = |s: &[u8]| {
        let Some((check, body)) = s.split_last() else { return false };
        let sum: u32 = body.iter().rev().zip((2..=7).cycle()).map(|(symbol, weight)| value(*symbol) * weight).sum();
        let expected = match 11 - sum % 11 {
            11 => b'0',
            10 => b'K',
            check => b'0' + check as u8,
        };
        body.iter().all(u8::is_ascii_digit) && body.iter().any(|symbol| Some(symbol) != body.first()) && *check == expected
    };
    symbols::<9>(text).is_some_and(|s| fits(&s)) || symbols::<8>(text).is_some_and(|s| fits(&s))
}

/// Colombia, NIT: prime weights from the right, MOD 11 (DIAN).
fn co_nit(text: &str) -> bool {
    digits::<10>(text).is_some_and(|d| {
        let rest = weighted(&d, &[41, 37, 29, 23, 19, 17, 13, 7, 3]) % 11;
        u32::from(d[9]) == if rest < 2 { rest } else { 11 - rest }
    })
}

/// Cuba, carné de identidad: birth date, century, serial (Ministerio del Interior).
fn cu_identity(text: &str) -> bool {
    digits::<11>(text).is_some_and(|d| is_yymmdd(&d[..6]))
}

/// Dominican Republic, cédula: Luhn (JCE).
fn do_cedula(text: &str) -> bool {
    digits::<11>(text).is_some_and(|d| luhn(&d))
}

/// Dominican Republic, RNC: weights 7 9 8 6 5 4 3 2, MOD 11 (DGII).
fn do_rnc(text: &str) -> bool {
    digits::<9>(text).is_some_and(|d| {
        let rest = weighted(&d, &[7, 9, 8, 6, 5, 4, 3, 2]) % 11;
        (10 - rest) % 9 + 1 == u32::from(d[8])
    })
}

/// Ecuador, cédula: province, third digit up to 6, Luhn (Registro Civil).
fn ec_cedula(text: &str) -> bool {
    digits::<10>(text).is_some_and(|d| matches!(number(&d[..2]), 1..=24 | 30) && d[2] < 7 && luhn(&d))
}

/// Ecuador, RUC: a cédula and 001, or a public (6) or private (9) body with MOD 11 (SRI).
fn ec_ruc(text: &str) -> bool {
    digits::<13>(text).is_some_and(|d| {
        let natural = d[2] < 7 && luhn(&d[..10]);
        let public = d[2] == 6 && weighted(&d[..9], &[3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11);
        let private = d[2] == 9 && weighted(&d[..10], &[4, 3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11);
        matches!(number(&d[..2]), 1..=24 | 30) && number(&d[10..]) > 0 && (natural || public || private)
    })
}

/// Guatemala, CUI of the DPI: weights 2 to 9, MOD 11, then department and municipality (RENAP).
fn gt_cui(text: &str) -> bool {
    digits::<13>(text).is_some_and(|d| {
        let department = number(&d[9..11]);
        weighted(&d, &[2, 3, 4, 5, 6, 7, 8, 9]) % 11 == u32::from(d[8]) && (1..=22).contains(&department) && number(&d[11..]) > 0
    })
}

/// Guatemala, NIT: weights 2 on from the right, MOD 11, 10 is K (SAT).
fn gt_nit(text: &str) -> bool {
    let fits = |s: &[u8]| {
        let Some((check, body)) = s.split_last() else { return false };
        let sum: u32 = body.iter().rev().zip(2..).map(|(symbol, weight)| value(*symbol) * weight).sum();
        let expected = (11 - sum % 11) % 11;
        body.iter().all(u8::is_ascii_digit) && if expected == 10 { *check == b'K' } else { expected == value(*check) }
    };
    symbols::<9>(text).is_some_and(|s| fits(&s))
        || symbols::<8>(text).is_some_and(|s| fits(&s))
        || symbols::<7>(text).is_some_and(|s| fits(&s))
}

/// Mexico, CLABE: weights 3 7 1, each product MOD 10 (Banxico, ABM).
fn mx_clabe(text: &str) -> bool {
    digits::<18>(text).is_some_and(|d| {
        let sum: u32 = d[..17].iter().zip([3, 7, 1].iter().cycle()).map(|(digit, weight)| u32::from(*digit) * weight % 10).sum();
        (10 - sum % 10) % 10 == u32::from(d[17])
    })
}

/// Mexico, CURP: birth date, sex, state, weights 18 to 2 over an alphabet with Ñ, MOD 10 (RENAPO).
fn mx_curp(text: &str) -> bool {
    const STATES: &[u8] = b"ASBCBSCCCHCLCMCSDFDGGRGTHGJCMCMNMSNENLNTOCPLQRQTSLSPSRTCTLTSVZYNZS";
    let Some(s) = symbols::<18>(text) else { return false };
    let Some(d) = figures::<6>(&s[4..10]) else { return false };
    let spaced = |symbol: u8| value(symbol) + u32::from(symbol > b'N');
    let sum: u32 = s[..17].iter().zip((2..=18).rev()).map(|(symbol, weight)| spaced(*symbol) * weight).sum();
    let century = if s[16].is_ascii_digit() { 1900 } else { 2000 };
    is_date(century + number(&d[..2]), number(&d[2..4]), number(&d[4..]))
        && matches!(s[10], b'H' | b'M' | b'X')
        && STATES.chunks(2).any(|state| *state == s[11..13])
        && (10 - sum % 10) % 10 == value(s[17])
}

/// Mexico, clave de elector: six consonants, birth date, state, sex, homonym key (INE).
fn mx_ine(text: &str) -> bool {
    let Some(s) = symbols::<18>(text) else { return false };
    let (Some(d), Some(_)) = (figures::<8>(&s[6..14]), figures::<3>(&s[15..])) else { return false };
    matches!(s[14], b'H' | b'M') && is_yymmdd(&d[..6]) && matches!(number(&d[6..]), 1..=32 | 87 | 88)
}

/// Mexico, social security number: Luhn (IMSS).
fn mx_nss(text: &str) -> bool {
    digits::<11>(text).is_some_and(|d| number(&d[..2]) > 0 && luhn(&d))
}

/// Mexico, RFC: date, weights 13 to 2 over an alphabet with & and Ñ, MOD 11, 10 is A (SAT, Anexo 1-A).
fn mx_rfc(text: &str) -> bool {
    let rank = |symbol: char| match symbol.to_ascii_uppercase() {
        '&' => Some(24),
        'Ñ' | 'ñ' => Some(38),
        symbol if symbol.is_ascii_alphanumeric() => Some(value(symbol as u8) + u32::from(symbol > 'N')),
        _ => None,
    };
    let mut ranks = [37; 13];
    let count = text.chars().filter_map(rank).count();
    if !(12..=13).contains(&count) {
        return false;
    }
    for (slot, rank) in ranks.iter_mut().skip(13 - count).zip(text.chars().filter_map(rank)) {
        *slot = rank;
    }
    let date = ranks[4..10].iter().try_fold(0, |packed, rank| (*rank < 10).then_some(packed * 10 + u64::from(*rank)));
    let dated = date.is_some_and(|packed| is_date(2000 + packed / 10_000, packed / 100 % 100, packed % 100));
    let sum: u32 = ranks[..12].iter().zip((2..=13).rev()).map(|(rank, weight)| rank * weight).sum();
    dated && (11 - sum % 11) % 11 == ranks[12]
}

/// Peru, RUC: 10, 15, 16, 17 or 20, weights 5 4 3 2 7 6 5 4 3 2, MOD 11 (SUNAT).
fn pe_ruc(text: &str) -> bool {
    digits::<11>(text).is_some_and(|d| {
        let check = (11 - weighted(&d, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 10;
        matches!(number(&d[..2]), 10 | 15..=17 | 20) && check == u32::from(d[10])
    })
}

/// Paraguay, RUC: weights 2 on from the right, MOD 11 (SET).
fn py_ruc(text: &str) -> bool {
    let fits = |d: &[u8]| {
        let Some((check, body)) = d.split_last() else { return false };
        let sum: u32 = body.iter().rev().zip(2..).map(|(digit, weight)| u32::from(*digit) * weight).sum();
        (11 - sum % 11) % 11 % 10 == u32::from(*check)
    };
    digits::<9>(text).is_some_and(|d| fits(&d))
        || digits::<8>(text).is_some_and(|d| fits(&d))
        || digits::<7>(text).is_some_and(|d| fits(&d))
}

/// El Salvador, DUI: weights 9 to 2, MOD 10 (RNPN).
fn sv_dui(text: &str) -> bool {
    digits::<9>(text).is_some_and(|d| (10 - weighted(&d, &[9, 8, 7, 6, 5, 4, 3, 2]) % 10) % 10 == u32::from(d[8]))
}

/// Uruguay, cédula: weights 2 9 8 7 6 3 4, MOD 10 (DNIC).
fn uy_ci(text: &str) -> bool {
    digits::<8>(text).is_some_and(|d| (10 - weighted(&d, &[2, 9, 8, 7, 6, 3, 4]) % 10) % 10 == u32::from(d[7]))
}

/// Uruguay, RUT: 01 to 22, serial, 001, weights 4 3 2 9 8 7 6 5 4 3 2, MOD 11 (DGI).
fn uy_rut(text: &str) -> bool {
    digits::<12>(text).is_some_and(|d| {
        let check = (11 - weighted(&d, &[4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 11;
        matches!(number(&d[..2]), 1..=22) && d[8..11] == [0, 0, 1] && check == u32::from(d[11])
    })
}

/// Venezuela, RIF: kind, weights 4 3 2 7 6 5 4 3 2, MOD 11 (SENIAT).
fn ve_rif(text: &str) -> bool {
    let Some(s) = symbols::<10>(text) else { return false };
    let Some(d) = figures::<9>(&s[1..]) else { return false };
    let kind = match s[0] {
        b'V' => 4,
        b'E' => 8,
        b'J' | b'C' => 12,
        b'P' => 16,
        b'G' => 20,
        _ => return false,
    };
    let check = match 11 - (kind + weighted(&d, &[3, 2, 7, 6, 5, 4, 3, 2])) % 11 {
        10 | 11 => 0,
        check => check,
    };
    check == u32::from(d[8])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::check::digits::corruption::{all_caught, most_caught};

    #[test]
    fn published_numbers_pass_and_no_single_digit_error_does() {
        all_caught(ar_cbu, &["2850590940090418135201"]);
        all_caught(br_cnpj, &["12ABC34501DE35"]);
        all_caught(cl_rut, &["76086428-5", "12.531.909-2"]);
        all_caught(do_cedula, &["001-1391820-5"]);
        all_caught(ec_cedula, &["171430710-3"]);
        all_caught(gt_nit, &["576937-K"]);
        all_caught(mx_clabe, &["032180000118359719"]);
        all_caught(mx_nss, &["02 05 84 1237 6"]);
        all_caught(uy_rut, &["21-100342-001-7"]);
    }

    #[test]
    fn checks_that_fold_ten_catch_nearly_all() {
        most_caught(ar_cuit, &["20-05536168-2"], 8);
        most_caught(br_cnh, &["62472927637"], 20);
        most_caught(br_cnpj, &["16.727.230/0001-97"], 20);
        most_caught(br_cpf, &["390.533.447-05", "529.982.247-25"], 20);
        most_caught(br_cns, &["898 0011 6060 6074"], 15);
        most_caught(br_pis, &["120.64217.20-9"], 8);
        most_caught(br_renavam, &["00639884962"], 8);
        most_caught(br_titulo, &["004356870906"], 8);
        most_caught(co_nit, &["213.123.432-1"], 15);
        most_caught(do_rnc, &["1-01-85004-3"], 8);
        most_caught(ec_ruc, &["1792060346001"], 3);
        most_caught(gt_cui, &["2530 92264 0101"], 4);
        most_caught(mx_curp, &["BOXW310820HNERXN09"], 15);
        most_caught(mx_rfc, &["GODE561231GR8", "MAB9307148T4"], 8);
        most_caught(pe_ruc, &["20512333797"], 8);
        most_caught(py_ruc, &["80028061-0", "9991603"], 8);
        most_caught(sv_dui, &["00016297-5"], 8);
        most_caught(uy_ci, &["1.234.567-2"], 8);
        most_caught(ve_rif, &["V-11470283-4"], 8);
    }

    #[test]
    fn structured_numbers_need_their_structure() {
        assert!(mx_ine("GMVLMR80070501M100") && !mx_ine("GMVLMR80130501M100") && !mx_ine("GMVLMR80074001M100"));
        assert!(cu_identity("91021027775") && !cu_identity("91023127775"));
        assert!(!mx_curp("BOXW310820HXXRXN09") && !mx_rfc("GODE561331GR8"));
    }
}
