//! Where digits are: the only places at which rules without keywords can match; and numbers that were taken apart or written out.

use std::ops::Range;

/// How far around a digit or `@` such a rule may reach.
const MARGIN: usize = 40;
/// A region with fewer digits concerns no rule.
const FEWEST: usize = 4;
const BLOCK: usize = 64;

/// The stretches of `bytes` around digits and `@`, in order, apart from one another.
pub(super) fn regions(bytes: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut blocks = bytes.chunks(BLOCK).enumerate().filter(|(_, block)| concerns(block)).map(|(index, _)| index * BLOCK).peekable();
    std::iter::from_fn(move || {
        loop {
            let first = blocks.next()?;
            let mut last = first;
            while let Some(next) = blocks.next_if(|next| *next <= last + 2 * BLOCK) {
                last = next;
            }
            let inner = bytes.get(first..(last + BLOCK).min(bytes.len())).unwrap_or_default();
            if inner.contains(&b'@') || inner.iter().filter(|byte| byte.is_ascii_digit()).count() >= FEWEST {
                return Some(first.saturating_sub(MARGIN)..(last + BLOCK + MARGIN).min(bytes.len()));
            }
        }
    })
}

/// Whether the block holds a digit or an `@`; without branches, so that it is compiled to SIMD.
fn concerns(block: &[u8]) -> bool {
    block.iter().fold(0u8, |any, byte| any | u8::from(byte.wrapping_sub(b'0') < 10) | u8::from(*byte == b'@')) != 0
}

/// A number that does not stand in the text as its digits.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Spelled {
    /// Its digits.
    pub(super) digits: String,
    /// Where it stands.
    pub(super) range: Range<usize>,
    pub(super) how: How,
}

/// How a number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// `6 2 2 8`, `138.0013.8000`, `6228-48-04`.
    Apart,
    /// Over several lines.
    Lines,
    /// `一三八`, `壹叁捌`.
    Chinese,
}

/// Identifiers have at least as many digits when taken apart,
const FEWEST_APART: usize = 10;
/// and at most as many.
const MOST_APART: usize = 40;

/// The numbers in `region` whose digits stand in groups, all joined alike.
pub(super) fn apart(bytes: &[u8], region: Range<usize>, out: &mut Vec<Spelled>) {
    let mut at = region.start;
    while at < region.end {
        if !is_digit(bytes, at) || at.checked_sub(1).is_some_and(|before| is_word(bytes, before)) {
            at += 1;
            continue;
        }
        let start = at;
        let mut end = at;
        let mut joint: Option<&[u8]> = None;
        let mut groups = Vec::new();
        loop {
            let group = end;
            while is_digit(bytes, end) {
                end += 1;
            }
            groups.push(group..end);
            let next = (end..bytes.len().min(end + 4)).find(|at| is_digit(bytes, *at)).unwrap_or(end);
            let between = bytes.get(end..next).unwrap_or_default();
            if between.is_empty() || !is_joint(between) || *joint.get_or_insert(between) != between || groups.len() > MOST_APART {
                break;
            }
            end = next;
        }
        at = end.max(at + 1);
        let last = bytes.get(end).copied().filter(|byte| matches!(byte, b'X' | b'x'));
        let end = end + usize::from(last.is_some());
        let total: usize = groups.iter().map(|group| group.len()).sum();
        let dotted_quad = joint == Some(b".") && groups.len() == 4 && groups.iter().all(|group| group.len() <= 3);
        if groups.len() > 1 && (FEWEST_APART..=MOST_APART).contains(&total) && !is_word(bytes, end) && !dotted_quad {
            let digits = groups.into_iter().flatten().filter_map(|at| bytes.get(at)).copied().chain(last).map(char::from).collect();
            let how = if joint.is_some_and(|joint| joint.contains(&b'\n')) { How::Lines } else { How::Apart };
            out.push(Spelled { digits, range: start..end, how });
        }
    }
}

fn is_joint(bytes: &[u8]) -> bool {
    matches!(bytes, b" " | b"-" | b"." | b"_" | b"/" | b"  " | b" - " | b"\n" | b"\r\n" | b" \n" | b"\xC2\xB7" | b", " | b"," | b"\t")
}

fn is_digit(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_some_and(u8::is_ascii_digit)
}

fn is_word(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

/// Fewer Chinese numerals in a row are an amount or a year.
const FEWEST_NUMERALS: usize = 7;
/// Every run of that many is hit by one of the places so far apart.
const STEP: usize = 12;

/// The numbers that are written in Chinese numerals, digit by digit.
pub(super) fn chinese(text: &str, out: &mut Vec<Spelled>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        // The first character that begins at or after `at`.
        let begin = (at..at + 3).find(|at| text.is_char_boundary(*at)).unwrap_or(at);
        if numeral(bytes, begin).is_none() {
            at += STEP;
            continue;
        }
        let mut start = begin;
        while let Some(before) = start.checked_sub(3).filter(|before| numeral(bytes, *before).is_some()) {
            start = before;
        }
        let mut digits = String::new();
        let mut end = start;
        while let Some(digit) = numeral(bytes, end) {
            digits.push(digit);
            end += 3;
        }
        if (FEWEST_NUMERALS..=MOST_APART).contains(&digits.len()) {
            out.push(Spelled { digits, range: start..end, how: How::Chinese });
        }
        at = end.max(at + STEP);
    }
}

/// The digit that a three-byte character at `at` stands for (GB/T 15835: numerals, and the capital forms of cheques).
fn numeral(bytes: &[u8], at: usize) -> Option<char> {
    let char = std::str::from_utf8(bytes.get(at..at + 3)?).ok()?;
    Some(match char {
        "零" | "〇" | "○" => '0',
        "一" | "壹" | "幺" => '1',
        "二" | "贰" | "貳" | "两" => '2',
        "三" | "叁" | "參" => '3',
        "四" | "肆" => '4',
        "五" | "伍" => '5',
        "六" | "陆" | "陸" => '6',
        "七" | "柒" => '7',
        "八" | "捌" => '8',
        "九" | "玖" => '9',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_hold_the_digits_and_what_stands_near() {
        let text = format!("{}12345{}", "x".repeat(500), "y".repeat(500));
        let all: Vec<_> = regions(text.as_bytes()).collect();
        assert_eq!(all.len(), 1);
        assert!(all[0].start <= 500 - MARGIN && all[0].end >= 505 + MARGIN && all[0].len() < 300, "{all:?}");
        assert_eq!(regions(b"only 3 words").count(), 0);
        assert_eq!(regions(b"a@b").count(), 1);
    }

    fn spelled(text: &str) -> Vec<(String, How)> {
        let mut out = Vec::new();
        apart(text.as_bytes(), 0..text.len(), &mut out);
        chinese(text, &mut out);
        out.into_iter().map(|number| (number.digits, number.how)).collect()
    }

    #[test]
    fn digits_taken_apart_are_put_together() {
        assert_eq!(spelled("tel 1 3 8 0 0 1 3 8 0 0 0."), [("13800138000".to_owned(), How::Apart)]);
        assert_eq!(spelled("138.0013.8000"), [("13800138000".to_owned(), How::Apart)]);
        assert_eq!(spelled("13800\n138000"), [("13800138000".to_owned(), How::Lines)]);
        assert_eq!(spelled("110101-19900307-213X"), [("11010119900307213X".to_owned(), How::Apart)]);
    }

    #[test]
    fn dates_addresses_and_lists_of_numbers_stay_apart() {
        for text in ["2024-01-02 03:04:05", "192.168.100.100", "12 13-14 15.16", "1.2.3"] {
            assert_eq!(spelled(text), [], "{text}");
        }
    }

    #[test]
    fn chinese_numerals_are_digits_wherever_they_stand() {
        for lead in 0..20 {
            let text = format!("{}电话一三八零〇壹叁捌零零零", "文".repeat(lead));
            assert_eq!(spelled(&text), [("13800138000".to_owned(), How::Chinese)], "{text}");
        }
        assert_eq!(spelled("二〇二六年一月"), []);
    }
}
