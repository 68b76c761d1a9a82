//! Where digits are: the only places at which rules without keywords can match; and numbers that were taken apart or written out.

use std::ops::Range;

/// How far around its digits and `@` a match may reach in any text,
const MARGIN: usize = 16;
/// and in text without spaces, as tokens and addresses are.
const FARTHEST: usize = 256;
/// A region with fewer digits concerns no rule,
const FEWEST: usize = 4;
/// unless one of them stands in a token as long as the shortest address of a coin.
const LONG_TOKEN: usize = 26;
const BLOCK: usize = 64;
/// Digits in neighbouring parts of blocks are taken together.
const PART: usize = 16;

/// The stretches of `bytes` around digits and `@`, in order and apart.
pub(super) fn regions(bytes: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut groups = groups(bytes).peekable();
    std::iter::from_fn(move || {
        loop {
            let group = groups.next()?;
            let (mut digits, mut counts) = count(bytes, &group);
            let mut region = widened(bytes, &group);
            while let Some(next) = groups.next_if(|next| next.start <= region.end + MARGIN) {
                let more = count(bytes, &next);
                (digits, counts) = (digits + more.0, counts || more.1);
                region.end = widened(bytes, &next).end.max(region.end);
            }
            if digits >= FEWEST || counts {
                return Some(region);
            }
        }
    })
}

/// From the first digit or `@` to the last of those that stand close together.
fn groups(bytes: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let blocks = bytes.chunks(BLOCK).enumerate().filter(|(_, block)| concerns(block));
    let parts =
        blocks.flat_map(|(index, block)| block.chunks(PART).enumerate().map(move |(part, bytes)| (index * BLOCK + part * PART, bytes)));
    let mut parts = parts.filter(|(_, part)| concerns(part)).map(|(start, _)| start).peekable();
    std::iter::from_fn(move || {
        let first = parts.next()?;
        let mut last = first;
        while let Some(next) = parts.next_if(|next| *next <= last + PART) {
            last = next;
        }
        let inner = bytes.get(first..(last + PART).min(bytes.len())).unwrap_or_default();
        Some(first + inner.iter().position(is_trigger)?..first + inner.iter().rposition(is_trigger)? + 1)
    })
}

/// How many digits a group has, and whether it counts however few they are.
fn count(bytes: &[u8], group: &Range<usize>) -> (usize, bool) {
    let inner = bytes.get(group.clone()).unwrap_or_default();
    let digits = inner.iter().filter(|byte| byte.is_ascii_digit()).count();
    let counts = digits < FEWEST && (digits < inner.len() && inner.contains(&b'@') || is_in_long_token(bytes, group));
    (digits, counts)
}

/// Whether letters and digits alone stand in and around the group, many of them.
fn is_in_long_token(bytes: &[u8], group: &Range<usize>) -> bool {
    let in_token = |byte: &&u8| byte.is_ascii_alphanumeric();
    let after = bytes.get(group.start..).unwrap_or_default().iter().take(LONG_TOKEN).take_while(in_token).count();
    let before = bytes.get(..group.start).unwrap_or_default().iter().rev().take(LONG_TOKEN).take_while(in_token).count();
    before + after >= LONG_TOKEN
}

/// As far as a match around the group may reach.
fn widened(bytes: &[u8], group: &Range<usize>) -> Range<usize> {
    let joined = |byte: &&u8| byte.is_ascii_graphic() || matches!(byte, b'\n' | b'\r');
    let before = bytes.get(..group.start).unwrap_or_default().iter().rev().take(FARTHEST).take_while(joined).count();
    let after = bytes.get(group.end..).unwrap_or_default().iter().take(FARTHEST).take_while(joined).count();
    (group.start - before).saturating_sub(MARGIN)..(group.end + after + MARGIN).min(bytes.len())
}

fn is_trigger(byte: &u8) -> bool {
    byte.is_ascii_digit() || *byte == b'@'
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
        let Some(next) = bytes.get(at..region.end).and_then(|rest| rest.iter().position(u8::is_ascii_digit)) else { break };
        let start = at + next;
        let first_end = digits_end(bytes, start);
        at = first_end;
        let Some(joint) = joint(bytes, first_end) else { continue };
        if start.checked_sub(1).is_some_and(|before| is_word(bytes, before)) {
            continue;
        }
        let (mut end, mut total, mut groups, mut longest) = (first_end, first_end - start, 1, first_end - start);
        while groups <= MOST_APART && bytes.get(end..).is_some_and(|rest| rest.starts_with(joint)) && is_digit(bytes, end + joint.len()) {
            let group = end + joint.len();
            end = digits_end(bytes, group);
            (total, groups, longest) = (total + end - group, groups + 1, longest.max(end - group));
        }
        at = end;
        let number = start..end + usize::from(matches!(bytes.get(end), Some(b'X' | b'x')));
        let dotted_quad = joint == b"." && groups == 4 && longest <= 3;
        if (FEWEST_APART..=MOST_APART).contains(&total) && !is_word(bytes, number.end) && !dotted_quad {
            let in_number = |byte: &&u8| byte.is_ascii_digit() || matches!(byte, b'X' | b'x');
            let digits = bytes.get(number.clone()).unwrap_or_default().iter().filter(in_number).copied().map(char::from).collect();
            let how = if joint.contains(&b'\n') { How::Lines } else { How::Apart };
            out.push(Spelled { digits, range: number, how });
        }
    }
}

/// Where the digits from `at` on end.
fn digits_end(bytes: &[u8], at: usize) -> usize {
    at + bytes.get(at..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// What joins the digits before `at` to digits behind it.
fn joint(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let len = (1..4).find(|len| is_digit(bytes, at + len))?;
    bytes.get(at..at + len).filter(|between| is_joint(between))
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
    while let Some(window) = bytes.get(at..at + 5) {
        // The first character that begins here or in the next two bytes.
        let Some(begin) = (0..3).find(|lead| window.get(*lead..lead + 3).is_some_and(|char| numeral(char).is_some())) else {
            at += STEP;
            continue;
        };
        let digit = |at: usize| numeral(bytes.get(at..at + 3)?);
        let mut start = at + begin;
        while let Some(before) = start.checked_sub(3).filter(|before| digit(*before).is_some()) {
            start = before;
        }
        let mut digits = String::new();
        let mut end = start;
        while let Some(digit) = digit(end) {
            digits.push(digit);
            end += 3;
        }
        if (FEWEST_NUMERALS..=MOST_APART).contains(&digits.len()) {
            out.push(Spelled { digits, range: start..end, how: How::Chinese });
        }
        at = end.max(at + STEP);
    }
}

/// The digit that a three-byte character stands for (GB/T 15835: numerals, and the capital forms of cheques).
#[inline(always)]
fn numeral(char: &[u8]) -> Option<char> {
    // E3 80 87 and E4 B8 80 to E9 99 B8: no other lead byte, so that most text leaves here.
    if !matches!(char.first(), Some(0xE2..=0xE9)) {
        return None;
    }
    let [a, b, c] = *char else { return None };
    // Equal to the bytes of a character: a sequence of three that begins with its lead byte is that character.
    Some(match u32::from_be_bytes([0, a, b, c]) {
        0xE9_9B_B6 | 0xE3_80_87 | 0xE2_97_8B => '0',              // 零〇○
        0xE4_B8_80 | 0xE5_A3_B9 | 0xE5_B9_BA => '1',              // 一壹幺
        0xE4_BA_8C | 0xE8_B4_B0 | 0xE8_B2_B3 | 0xE4_B8_A4 => '2', // 二贰貳两
        0xE4_B8_89 | 0xE5_8F_81 | 0xE5_8F_83 => '3',              // 三叁參
        0xE5_9B_9B | 0xE8_82_86 => '4',                           // 四肆
        0xE4_BA_94 | 0xE4_BC_8D => '5',                           // 五伍
        0xE5_85_AD | 0xE9_99_86 | 0xE9_99_B8 => '6',              // 六陆陸
        0xE4_B8_83 | 0xE6_9F_92 => '7',                           // 七柒
        0xE5_85_AB | 0xE6_8D_8C => '8',                           // 八捌
        0xE4_B9_9D | 0xE7_8E_96 => '9',                           // 九玖
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
        assert!(all[0].start <= 500 - MARGIN && all[0].end >= 505 + MARGIN && all[0].len() < 600, "{all:?}");
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
        assert_eq!(
            spelled("零〇○一壹幺二贰貳两三叁參四肆五伍六陆陸七柒八捌九玖"),
            [("00011122223334455666778899".to_owned(), How::Chinese)]
        );
    }
}
