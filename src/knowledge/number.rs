//! Numbers in cells and in running text, whatever separates their digits.

use super::{
    digest::{Digest, Digester},
    words::Word,
};
use std::ops::Range;

/// Fewer digits are in every text.
pub(crate) const LEAST: u32 = 6;
/// More are no number that a person is known by.
pub(crate) const MOST: u32 = 24;
/// Groups that one number is written in, at most: `6222 0212 3456 7890 123`, and a country code.
const GROUPS: usize = 6;

/// Digits, as the places of a hexadecimal number; a final `X` (a check digit of 10) is one too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Number {
    places: u128,
    pub(crate) len: u32,
}

impl Number {
    fn push(&mut self, digit: u8) {
        self.places = self.places << 4 | u128::from(digit);
        self.len += 1;
    }

    fn followed_by(self, other: Self) -> Self {
        Self { places: self.places << (4 * other.len) | other.places, len: self.len + other.len }
    }

    /// A Chinese mobile number without the code of the country.
    fn domestic(self) -> Option<Self> {
        let own = Self { places: self.places & ((1 << 44) - 1), len: 11 };
        let code = self.places >> 44;
        (matches!(self.len, 13 | 15) && code == 0x86 && own.places >> 40 == 1).then_some(own)
    }

    pub(crate) fn digest(self, digester: &Digester) -> Digest {
        digester.number(self.places, self.len)
    }
}

/// The forms of a cell that is a number: as written, or without the code of the country.
pub(crate) fn of_cell(text: &str) -> Option<Vec<Number>> {
    let mut number = Number::default();
    let bytes = text.trim().as_bytes();
    for (index, byte) in bytes.iter().enumerate() {
        match byte {
            b'0'..=b'9' => number.push(byte - b'0'),
            b'x' | b'X' if index + 1 == bytes.len() && number.len >= 9 => number.push(10),
            byte if is_separator(*byte) => {}
            _ => return None,
        }
        if number.len > MOST {
            return None;
        }
    }
    if number.len < LEAST {
        return None;
    }
    if let Some(own) = number.domestic() {
        return Some(vec![own]);
    }
    // `+1 212 555 0100`: many write it without.
    let mut forms = vec![number];
    if text.trim_start().starts_with('+') {
        let code = text.trim_start_matches([' ', '+']).bytes().take_while(u8::is_ascii_digit).count();
        let own = u32::try_from(code).ok().and_then(|code| number.len.checked_sub(code)).filter(|own| *own >= 8);
        forms.extend(own.map(|len| Number { places: number.places & ((1 << (4 * len)) - 1), len }));
    }
    Some(forms)
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b' ' | b'-' | b'.' | b'(' | b')' | b'+' | b'/')
}

/// A number in a text: which words it is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) number: Number,
    pub(crate) words: Range<usize>,
}

/// Calls `each` with every number that words from number `first` on may make: a sequence of groups with separators between, from any group to
/// any other. Returns the index of the first word behind them; `first` itself if it is no group of digits.
pub(crate) fn written(text: &str, words: &[Word], first: usize, mut each: impl FnMut(Written)) -> usize {
    let bytes = text.as_bytes();
    let mut groups: Vec<Number> = Vec::new();
    for word in words.iter().skip(first) {
        let between = match groups.is_empty() {
            true => true,
            false => words
                .get(first + groups.len() - 1)
                .and_then(|last| bytes.get(last.end as usize..word.start as usize))
                .is_some_and(|between| between.len() <= 3 && between.iter().all(|byte| is_separator(*byte))),
        };
        let group = bytes.get(word.start as usize..word.end as usize).filter(|_| between).and_then(group);
        match group {
            Some(group) => groups.push(group),
            None => break,
        }
    }
    for from in 0..groups.len() {
        let mut number = Number::default();
        for (to, group) in groups.iter().enumerate().skip(from).take(GROUPS) {
            if number.len + group.len > MOST {
                break;
            }
            number = number.followed_by(*group);
            if number.len >= LEAST {
                let words = first + from..first + to + 1;
                // Where the code is a group of its own, the number without it is tried anyway.
                if let Some(own) = number.domestic().filter(|_| groups.get(from).is_some_and(|group| group.len > 4)) {
                    each(Written { number: own, words: words.clone() });
                }
                each(Written { number, words });
            }
        }
    }
    first + groups.len()
}

/// The digits of a word that is nothing else.
fn group(word: &[u8]) -> Option<Number> {
    if word.len() > MOST as usize {
        return None;
    }
    let mut number = Number::default();
    for (index, byte) in word.iter().enumerate() {
        match byte {
            b'0'..=b'9' => number.push(byte - b'0'),
            b'x' | b'X' if index + 1 == word.len() && index > 0 => number.push(10),
            _ => return None,
        }
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::words;

    fn found(text: &str, value: &str) -> bool {
        let digester = Digester::new(&[1; 32]);
        let mut all = Vec::new();
        words::read(&digester, text, &mut all);
        let wanted = of_cell(value).expect("a number");
        let (mut at, mut found) = (0, false);
        while at < all.len() {
            at = written(text, &all, at, |written| found |= wanted.contains(&written.number)).max(at + 1);
        }
        found
    }

    #[test]
    fn numbers_are_found_however_they_are_written() {
        for text in [
            "13902468135",
            "139 0246 8135",
            "139-0246-8135",
            "+86 139-0246-8135",
            "8613902468135",
            "tel:(139)02468135, at 5",
            "7 139 0246 8135",
        ] {
            assert!(found(text, "13902468135"), "{text}");
        }
        assert!(found("card 6222 0212 3456 7890 123.", "6222021234567890123"));
        assert!(found("身份证11010119900307213X。", "11010119900307213x"));
        assert!(found("call 212-555-0100 now", "+1 212 555 0100"));
    }

    #[test]
    fn parts_of_longer_numbers_are_others() {
        for text in ["139024681350", "0139 0246 81351", "1390246, 8135"] {
            assert!(!found(text, "13902468135"), "{text}");
        }
    }

    #[test]
    fn cells_with_letters_or_few_digits_are_no_numbers() {
        for text in ["12345", "12a456", "2024年", "", "1234567890123456789012345"] {
            assert_eq!(of_cell(text), None, "{text}");
        }
    }
}
