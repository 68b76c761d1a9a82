//! The digits and letters of a candidate, and the check-digit arithmetic that the national standards share.

/// The `N` digits of `text`; separators are skipped. `None` when there is another character or another number of digits,
/// and when all digits are equal or count up or down: such numbers are samples, not somebody's.
pub(super) fn digits<const N: usize>(text: &str) -> Option<[u8; N]> {
    let found: [u8; N] = collect(text)?;
    let mut out = [0; N];
    for (slot, byte) in out.iter_mut().zip(found) {
        *slot = byte.is_ascii_digit().then(|| byte - b'0')?;
    }
    (!is_run(&out)).then_some(out)
}

/// The `N` ASCII letters and digits of `text`, in upper case; separators are skipped. `None` as in [`digits`].
pub(super) fn symbols<const N: usize>(text: &str) -> Option<[u8; N]> {
    collect(text)
}

fn collect<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut out = [0; N];
    let mut slots = out.iter_mut();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            *slots.next()? = byte.to_ascii_uppercase();
        } else if !matches!(byte, b' ' | b'-' | b'.' | b'/' | b',' | b'_' | b':' | b'(' | b')') {
            return None;
        }
    }
    slots.next().is_none().then_some(out)
}

/// The digits of a part of [`symbols`]; `None` if one is a letter.
pub(super) fn figures<const N: usize>(part: &[u8]) -> Option<[u8; N]> {
    let mut out = [0; N];
    if part.len() != N {
        return None;
    }
    for (slot, byte) in out.iter_mut().zip(part) {
        *slot = byte.is_ascii_digit().then(|| byte - b'0')?;
    }
    Some(out)
}

/// Whether all digits are equal, or each is its neighbour's plus or minus one (9 and 0 are neighbours).
fn is_run(digits: &[u8]) -> bool {
    let step = |by: u8| digits.iter().zip(digits.iter().skip(1)).all(|(a, b)| (a + by) % 10 == *b);
    digits.len() > 3 && (step(0) || step(1) || step(9))
}

/// The value of an upper-case letter or a digit in base 36: `0`..`9` are 0..9, `A`..`Z` are 10..35; 36 for anything else.
pub(super) fn value(symbol: u8) -> u32 {
    match symbol {
        b'0'..=b'9' => u32::from(symbol - b'0'),
        b'A'..=b'Z' => u32::from(symbol - b'A') + 10,
        _ => 36,
    }
}

/// The digits read as one decimal number; up to 19 of them.
pub(super) fn number(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |sum, digit| sum.wrapping_mul(10).wrapping_add(u64::from(*digit)))
}

/// The remainder of the digits, read as one decimal number of any length.
pub(super) fn remainder(digits: &[u8], modulus: u32) -> u32 {
    digits.iter().fold(0, |rest, digit| (rest * 10 + u32::from(*digit)) % modulus)
}

/// The sum of each digit times its weight, from the left.
pub(super) fn weighted(digits: &[u8], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| u32::from(*digit) * weight).sum()
}

/// Luhn, ISO/IEC 7812-1 annex B: whether the last digit is the check digit of the others.
pub(super) fn luhn(digits: &[u8]) -> bool {
    luhn_sum(digits).is_multiple_of(10)
}

/// The Luhn sum with the last digit counted once.
pub(super) fn luhn_sum(digits: &[u8]) -> u32 {
    let doubled = |digit: u32| if digit > 4 { 2 * digit - 9 } else { 2 * digit };
    let each = digits.iter().rev().enumerate();
    each.map(|(i, digit)| if i % 2 == 1 { doubled(u32::from(*digit)) } else { u32::from(*digit) }).sum()
}

/// ISO/IEC 7064 MOD 11,10: whether the last digit is the check digit of the others.
pub(super) fn mod_11_10(digits: &[u8]) -> bool {
    let mut check = 5;
    for digit in digits {
        let twice = if check == 0 { 10 } else { check } * 2 % 11;
        check = (twice + u32::from(*digit)) % 10;
    }
    check == 1
}

/// Verhoeff's dihedral check (J. Verhoeff, 1969): whether the last digit is the check digit of the others.
pub(super) fn verhoeff(digits: &[u8]) -> bool {
    /// The permutation that is applied once more with every place.
    const STEP: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let permuted = |digit: u8, times: usize| (0..times).fold(digit, |digit, _| STEP.get(usize::from(digit)).copied().unwrap_or_default());
    let product = digits.iter().rev().enumerate().fold(0, |left, (i, digit)| dihedral(left, permuted(*digit, i % 8)));
    product == 0
}

/// The product in the dihedral group of order 10: 0..4 are rotations, 5..9 reflections.
fn dihedral(left: u8, right: u8) -> u8 {
    match (left < 5, right < 5) {
        (true, true) => (left + right) % 5,
        (true, false) => (left + right) % 5 + 5,
        (false, true) => (left + 5 - right) % 5 + 5,
        (false, false) => (left + 5 - right) % 5,
    }
}

/// Whether the Gregorian calendar has the day.
pub(super) fn is_date(year: u64, month: u64, day: u64) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// Whether six digits can be year, month and day of this century or the last one.
pub(super) fn is_yymmdd(digits: &[u8]) -> bool {
    let packed = number(digits);
    digits.len() == 6 && is_date(2000 + packed / 10_000, packed / 100 % 100, packed % 100)
}

/// Whether six digits can be day, month and year of this century or the last one.
pub(super) fn is_ddmmyy(digits: &[u8]) -> bool {
    let packed = number(digits);
    digits.len() == 6 && is_date(2000 + packed % 100, packed / 100 % 100, packed / 10_000)
}

/// Whether eight digits are a year from 1900 to 2099, month and day.
pub(super) fn is_yyyymmdd(digits: &[u8]) -> bool {
    let packed = number(digits);
    digits.len() == 8 && (1900..2100).contains(&(packed / 10_000)) && is_date(packed / 10_000, packed / 100 % 100, packed % 100)
}

#[cfg(test)]
pub(super) mod corruption {
    //! What every check's test shares: a good number passes, its one-digit corruptions do not.

    /// Asserts that `check` accepts every sample, and that of each sample's one-digit corruptions it accepts none.
    pub(in super::super) fn all_caught(check: fn(&str) -> bool, samples: &[&str]) {
        let accepted = accepted(check, samples);
        assert!(accepted.is_empty(), "corruptions pass: {accepted:?}");
    }

    /// As [`all_caught`], for checks that let some through by construction: at most one corruption in `one_in` passes.
    pub(in super::super) fn most_caught(check: fn(&str) -> bool, samples: &[&str], one_in: usize) {
        let count: usize = samples.iter().map(|sample| 9 * sample.bytes().filter(u8::is_ascii_digit).count()).sum();
        let accepted = accepted(check, samples);
        assert!(accepted.len() * one_in <= count, "{} of {count} corruptions pass: {accepted:?}", accepted.len());
    }

    fn accepted(check: fn(&str) -> bool, samples: &[&str]) -> Vec<String> {
        let mut accepted = Vec::new();
        for sample in samples {
            assert!(check(sample), "{sample} is valid");
            for (at, was) in sample.char_indices().filter(|(_, was)| was.is_ascii_digit()) {
                let others = ('0'..='9').filter(|digit| *digit != was);
                let corrupted = others.map(|digit| format!("{}{digit}{}", &sample[..at], &sample[at + 1..]));
                accepted.extend(corrupted.filter(|text| check(text)));
            }
        }
        accepted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_do_not_count_and_other_characters_refuse() {
        assert_eq!(digits::<4>("12-5 8"), Some([1, 2, 5, 8]));
        assert_eq!(digits::<4>("12x58"), None);
        assert_eq!(digits::<4>("12580"), None);
        assert_eq!(symbols::<3>("a-1b"), Some(*b"A1B"));
    }

    #[test]
    fn repeated_and_counting_digits_are_nobodys_number() {
        for text in ["0000000000", "1234567890", "9876543210", "7777777777"] {
            assert_eq!(digits::<10>(text), None, "{text}");
        }
    }

    #[test]
    fn shared_checks_know_their_published_samples() {
        assert!(luhn(&digits::<16>("4111 1111 1111 1111").expect("digits")));
        assert!(mod_11_10(&[7, 9, 4, 6, 2, 3]) && !mod_11_10(&[7, 9, 4, 6, 2, 4]));
        assert!(verhoeff(&[2, 3, 6, 3]) && !verhoeff(&[2, 3, 6, 4]) && !verhoeff(&[3, 2, 6, 3]));
    }

    #[test]
    fn only_days_of_the_calendar_are_dates() {
        assert!(is_yymmdd(&[0, 0, 0, 2, 2, 9]) && !is_yymmdd(&[0, 1, 0, 2, 2, 9]) && !is_yymmdd(&[9, 9, 1, 3, 0, 1]));
        assert!(is_ddmmyy(&[3, 1, 1, 2, 9, 9]) && !is_ddmmyy(&[3, 1, 1, 1, 9, 9]));
        assert!(is_yyyymmdd(&[1, 9, 8, 8, 1, 2, 3, 1]) && !is_yyyymmdd(&[1, 8, 8, 8, 1, 2, 3, 1]));
    }
}
