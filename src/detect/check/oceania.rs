//! Identifiers of Australia and New Zealand.

use super::{
    Check,
    digits::{digits, figures, luhn, number, symbols, value, weighted},
};

/// The checks by name.
pub(super) const TABLE: &[(&str, Check)] = &[
    ("au-abn", au_abn),
    ("au-acn", au_acn),
    ("au-ihi", au_ihi),
    ("au-medicare", au_medicare),
    ("au-tfn", au_tfn),
    ("nz-ird", nz_ird),
    ("nz-nhi", nz_nhi),
];

/// Australia, ABN: one off the first digit, weights 10 1 3 to 19, MOD 89 (Australian Business Register).
fn au_abn(text: &str) -> bool {
    digits::<11>(text).is_some_and(|d| d[0] > 0 && (weighted(&d, &[10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]) - 10).is_multiple_of(89))
}

/// Australia, ACN: weights 8 to 1, MOD 10 (ASIC).
fn au_acn(text: &str) -> bool {
    digits::<9>(text).is_some_and(|d| (10 - weighted(&d, &[8, 7, 6, 5, 4, 3, 2, 1]) % 10) % 10 == u32::from(d[8]))
}

/// Australia, individual healthcare identifier: 800360 and Luhn (AS 5017).
fn au_ihi(text: &str) -> bool {
    digits::<16>(text).is_some_and(|d| d[..6] == [8, 0, 0, 3, 6, 0] && luhn(&d))
}

/// Australia, Medicare card: 2 to 6, weights 1 3 7 9, MOD 10 in the ninth place, issue number (Services Australia).
fn au_medicare(text: &str) -> bool {
    let fits = |d: &[u8]| weighted(d, &[1, 3, 7, 9, 1, 3, 7, 9]) % 10 == d.get(8).copied().map_or(10, u32::from);
    digits::<10>(text).is_some_and(|d| matches!(d[0], 2..=6) && d[9] > 0 && fits(&d))
        || digits::<11>(text).is_some_and(|d| matches!(d[0], 2..=6) && d[9] > 0 && fits(&d))
}

/// Australia, TFN of 9 digits: weights 1 4 3 7 5 8 6 9 10, MOD 11 (ATO).
fn au_tfn(text: &str) -> bool {
    digits::<9>(text).is_some_and(|d| weighted(&d, &[1, 4, 3, 7, 5, 8, 6, 9, 10]).is_multiple_of(11))
}

/// New Zealand, IRD number: weights 3 2 7 6 5 4 3 2, then 7 4 3 2 5 2 7 6, MOD 11 (Inland Revenue, RWT specification).
fn nz_ird(text: &str) -> bool {
    let fits = |d: [u8; 9]| {
        let check = |weights: &[u32]| (11 - weighted(&d, weights) % 11) % 11;
        let first = check(&[3, 2, 7, 6, 5, 4, 3, 2]);
        let check = if first == 10 { check(&[7, 4, 3, 2, 5, 2, 7, 6]) } else { first };
        (10_000_000..150_000_000).contains(&number(&d)) && check == u32::from(d[8])
    };
    digits::<9>(text).is_some_and(fits)
        || digits::<8>(text).is_some_and(|d| {
            let [a, b, c, e, f, g, h, i] = d;
            fits([0, a, b, c, e, f, g, h, i])
        })
}

/// New Zealand, NHI number of three letters (no I, O) and four digits: weights 7 to 2, MOD 11 (HISO 10046).
fn nz_nhi(text: &str) -> bool {
    let Some(s) = symbols::<7>(text) else { return false };
    let Some(d) = figures::<4>(&s[3..]) else { return false };
    let letter = |symbol: u8| value(symbol) - 9 - u32::from(symbol > b'I') - u32::from(symbol > b'O');
    if !s[..3].iter().all(|symbol| symbol.is_ascii_uppercase() && !matches!(symbol, b'I' | b'O')) {
        return false;
    }
    let sum = letter(s[0]) * 7 + letter(s[1]) * 6 + letter(s[2]) * 5 + weighted(&d, &[4, 3, 2]);
    !sum.is_multiple_of(11) && (11 - sum % 11) % 10 == u32::from(d[3])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::check::digits::corruption::{all_caught, most_caught};

    #[test]
    fn published_numbers_pass_and_no_single_digit_error_does() {
        all_caught(au_abn, &["83 914 571 673", "51 824 753 556"]);
        all_caught(au_tfn, &["123 456 782"]);
        all_caught(au_ihi, &["8003608333647261"]);
    }

    #[test]
    fn checks_with_even_weights_or_two_rounds_catch_most() {
        most_caught(au_acn, &["004 085 616", "010 499 966"], 4);
        most_caught(au_medicare, &["2123 45670 1"], 5);
        most_caught(nz_ird, &["49-091-850", "136-410-132"], 8);
        most_caught(nz_nhi, &["ZZZ0016", "JBX3656"], 8);
    }
}
