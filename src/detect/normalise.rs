//! Text as it reads: full-width letters and digits made plain, invisible characters dropped, look-alikes and left-over escapes resolved,
//! with the way back to the original.
//!
//! Most text needs none of it, and then nothing is copied: a test over blocks of 64 bytes that is compiled to SIMD says so. It looks
//! for whole sequences, not lead bytes, so Chinese prose with its full-width punctuation passes.

use super::lookalike;
use crate::text::OffsetMap;

/// A text rewritten, and where its bytes come from.
pub(super) struct Normalised {
    pub(super) text: String,
    pub(super) map: OffsetMap,
}

/// `text` as it reads; `None` if that is `text` itself.
pub(super) fn normalise(text: &str) -> Option<Normalised> {
    let mut at = next_suspect(text.as_bytes(), 0)?;
    let mut done = 0;
    let mut out = Normalised { text: String::new(), map: OffsetMap::starting_at(0) };
    let mut token = lookalike::Token::default();
    loop {
        match change(text, at, &mut token, &out.text, done) {
            Some(Change { source, char }) => {
                if out.text.capacity() == 0 {
                    out.text.reserve(text.len());
                }
                let kept = text.get(done..at).unwrap_or_default();
                out.text.push_str(kept);
                out.map.copied(kept.len());
                out.text.extend(char);
                out.map.replaced(char.map_or(0, char::len_utf8), source);
                at += source;
                done = at;
            }
            // A run of backslashes that escapes nothing is looked at once.
            None => at += text.get(at..).map_or(1, |rest| (rest.len() - rest.trim_start_matches('\\').len()).max(1)),
        }
        match next_suspect(text.as_bytes(), at) {
            Some(next) => at = next,
            None => break,
        }
    }
    if done == 0 {
        return None;
    }
    let rest = text.get(done..).unwrap_or_default();
    out.text.push_str(rest);
    out.map.copied(rest.len());
    Some(out)
}

/// `source` bytes stand for `char`, or for nothing.
struct Change {
    source: usize,
    char: Option<char>,
}

const BLOCK: usize = 64;
/// A sequence is told by its first three bytes.
const AHEAD: usize = 2;

/// The first place from `at` on where a change could begin.
fn next_suspect(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let rest = bytes.get(at..)?;
        let hit = match rest.first_chunk::<{ BLOCK + AHEAD }>() {
            Some(block) => {
                if !block_is_suspect(block) {
                    at += BLOCK;
                    continue;
                }
                rest.windows(1 + AHEAD).take(BLOCK).position(is_suspect)
            }
            None if rest.is_empty() => return None,
            None => {
                let mut last = [0u8; BLOCK + AHEAD];
                last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
                return last.windows(1 + AHEAD).position(is_suspect).filter(|hit| *hit < rest.len()).map(|hit| at + hit);
            }
        };
        match hit {
            Some(hit) => return Some(at + hit),
            None => at += BLOCK,
        }
    }
}

#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "constant offsets into an array, so that the loop becomes SIMD")]
fn block_is_suspect(block: &[u8; BLOCK + AHEAD]) -> bool {
    let mut ascii = 0u8;
    let mut high = 0u8;
    for i in 0..BLOCK {
        ascii |= suspect_ascii(block[i], block[i + 1]);
        high |= block[i];
    }
    if ascii != 0 {
        return true;
    }
    if high < 0x80 {
        return false;
    }
    let mut wide = 0u8;
    for i in 0..BLOCK {
        wide |= suspect_wide(block[i], block[i + 1], block[i + 2]);
    }
    wide != 0
}

fn is_suspect(window: &[u8]) -> bool {
    match *window {
        [a, b, c] => suspect_ascii(a, b) | suspect_wide(a, b, c) != 0,
        _ => false,
    }
}

/// 1 if an escape may begin with `a`, `b`.
#[inline(always)]
fn suspect_ascii(a: u8, b: u8) -> u8 {
    let yes = u8::from;
    // No name that we know begins later.
    let named = yes(b.wrapping_sub(b'a') <= b'q' - b'a');
    let hex = yes(b.wrapping_sub(b'0') < 10) | yes((b | 0x20).wrapping_sub(b'a') < 6);
    let percent = yes(a == b'%') & hex;
    let reference = yes(a == b'&') & (yes(b == b'#') | named);
    let backslash = yes(a == b'\\');
    let soft_break = yes(a == b'=') & (yes(b == b'\n') | yes(b == b'\r'));
    percent | reference | backslash | soft_break
}

/// 1 if a character to fold or drop may begin with `a`, `b`, `c`.
#[inline(always)]
fn suspect_wide(a: u8, b: u8, c: u8) -> u8 {
    let yes = u8::from;
    let from = |byte: u8, first: u8, last: u8| u8::from(byte.wrapping_sub(first) <= last - first);
    // U+FF01.. without the punctuation of Chinese prose, which rules know as it is
    let full = yes(b == 0xBC) & (from(c, 0x8B, 0x8B) | from(c, 0x8D, 0x99) | yes(c == 0x9D) | from(c, 0xA0, 0xBA) | yes(c == 0xBF));
    let ef = yes(a == 0xEF) & (full | (yes(b == 0xBD) & from(c, 0x81, 0x9A)) | (yes(b == 0xBB) & yes(c == 0xBF)));
    let spaces_and_marks = yes(b == 0x80) & (from(c, 0x80, 0x92) | from(c, 0xAA, 0xAF));
    let e2 = yes(a == 0xE2) & (spaces_and_marks | (yes(b == 0x81) & from(c, 0x9F, 0xA9)) | yes(b == 0x91));
    let e3 = yes(a == 0xE3) & yes(b == 0x80) & yes(c == 0x80);
    let letters = from(a, 0xCE, 0xD1);
    let digits = (yes(a == 0xD9) & from(b, 0xA0, 0xA9)) | (yes(a == 0xDB) & from(b, 0xB0, 0xB9)) | (yes(a == 0xE0) & yes(b == 0xA5));
    let latin1 = yes(a == 0xC2) & (yes(b == 0xA0) | yes(b == 0xAD));
    let mathematical = yes(a == 0xF0) & yes(b == 0x9D);
    let tags = yes(a == 0xF3) & yes(b == 0xA0);
    ef | e2 | e3 | letters | digits | latin1 | mathematical | tags
}

/// What becomes of the text at `at`. `before` is what was written so far, up to `done`.
fn change(text: &str, at: usize, token: &mut lookalike::Token, before: &str, done: usize) -> Option<Change> {
    let bytes = text.as_bytes();
    let rest = bytes.get(at..)?;
    match rest.first()? {
        b'%' => percent(rest),
        b'&' => reference(text.get(at..)?),
        b'\\' => backslash(text.get(at..)?),
        b'=' => soft_break(bytes, at),
        _ => {
            let char = text.get(at..)?.chars().next()?;
            let source = char.len_utf8();
            if is_space(char) {
                let previous = if at == done { before.as_bytes().last() } else { at.checked_sub(1).and_then(|at| bytes.get(at)) };
                return previous.is_some_and(u8::is_ascii_alphanumeric).then_some(Change { source, char: Some(' ') });
            }
            match lookalike::plain(char) {
                Some(plain) => Some(Change { source, char: plain }),
                None => token.fold(text, at, char).map(|char| Change { source, char: Some(char) }),
            }
        }
    }
}

fn is_space(char: char) -> bool {
    matches!(char, '\u{A0}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}')
}

/// `%41`, `%2541`, `%E4%B8%AD`: one character.
fn percent(rest: &[u8]) -> Option<Change> {
    let mut decoded = [0u8; 4];
    let mut source = 0;
    for len in 1..=decoded.len() {
        let mut digits = rest.get(source..)?.strip_prefix(b"%")?;
        let mut taken = 1;
        // A percent sign that was itself escaped, however often.
        while let Some(inner) =
            digits.strip_prefix(b"25").filter(|inner| inner.get(..2).is_some_and(|next| next.iter().all(u8::is_ascii_hexdigit)))
        {
            (digits, taken) = (inner, taken + 2);
        }
        let byte = hex(digits.get(..2)?)?;
        *decoded.get_mut(len - 1)? = u8::try_from(byte).ok()?;
        source += taken + 2;
        if let Ok(text) = std::str::from_utf8(decoded.get(..len)?) {
            return printable(text.chars().next()?).map(|char| Change { source, char: Some(char) });
        }
    }
    None
}

/// `&#64;`, `&#x40;`, `&amp;#64;`, `&quot;`: one character.
fn reference(rest: &str) -> Option<Change> {
    let mut name = rest.strip_prefix('&')?;
    while let Some(inner) = name.strip_prefix("amp;").filter(|inner| inner.bytes().take(12).any(|byte| byte == b';')) {
        match inner.as_bytes().first() {
            Some(b'#' | b'a'..=b'z') => name = inner,
            _ => break,
        }
    }
    let window = name.as_bytes().get(..name.len().min(12))?;
    let end = window.iter().position(|byte| *byte == b';')?;
    let (name, source) = (name.get(..end)?, rest.len() - name.len() + end + 1);
    let char = match name.strip_prefix('#') {
        Some(number) => {
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            printable(char::from_u32(code)?)?
        }
        None => match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            "nbsp" => ' ',
            "commat" => '@',
            "colon" => ':',
            "equals" => '=',
            "period" => '.',
            "lowbar" => '_',
            "hyphen" => '-',
            _ => return None,
        },
    };
    Some(Change { source, char: Some(char) })
}

/// `\u0041`, `\x41`, `\n`, `\"`, behind any number of backslashes: one character.
fn backslash(rest: &str) -> Option<Change> {
    let escape = rest.trim_start_matches('\\');
    let slashes = rest.len() - escape.len();
    let (char, len) = match escape.as_bytes() {
        [b'n' | b'r', ..] => ('\n', 1),
        [b't', ..] => ('\t', 1),
        [quote @ (b'"' | b'\'' | b'/'), ..] => (char::from(*quote), 1),
        [b'x', high, low, ..] => (char::from_u32(hex(&[*high, *low])?)?, 3),
        [b'u', b'{', ..] => {
            let end = escape.bytes().take(10).position(|byte| byte == b'}')?;
            (char::from_u32(u32::from_str_radix(escape.get(2..end)?, 16).ok()?)?, end + 1)
        }
        [b'u', a, b, c, d, ..] => {
            let unit = hex(&[*a, *b, *c, *d])?;
            match (unit, escape.as_bytes().get(5..)) {
                (0xD800..0xDC00, Some([b'\\', b'u', a, b, c, d, ..])) => {
                    let low = hex(&[*a, *b, *c, *d])?.checked_sub(0xDC00).filter(|low| *low < 0x400)?;
                    (char::from_u32(0x1_0000 + ((unit - 0xD800) << 10) + low)?, 11)
                }
                _ => (char::from_u32(unit)?, 5),
            }
        }
        _ => return None,
    };
    let char = printable(char)?;
    // `\u200b` is as invisible as the character.
    Some(Change { source: slashes + len, char: lookalike::plain(char).unwrap_or(Some(char)) })
}

/// `=` at the end of a quoted-printable line, which is as long as such lines are.
fn soft_break(bytes: &[u8], at: usize) -> Option<Change> {
    let breaks = match bytes.get(at + 1..)? {
        [b'\r', b'\n', ..] => 3,
        [b'\n', ..] => 2,
        _ => return None,
    };
    let line = bytes.get(at.saturating_sub(80)..at)?.iter().rev().take_while(|byte| **byte != b'\n').count();
    (66..=76).contains(&line).then_some(Change { source: breaks, char: None })
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |value, digit| Some(value * 16 + char::from(*digit).to_digit(16)?))
}

/// Characters of text; an escaped control character stays escaped.
fn printable(char: char) -> Option<char> {
    (!char.is_control() || matches!(char, '\n' | '\r' | '\t')).then_some(char)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Span;
    use proptest::prelude::*;

    fn read(text: &str) -> String {
        normalise(text).map_or_else(|| text.to_owned(), |normalised| normalised.text)
    }

    #[test]
    fn ordinary_text_is_not_copied() {
        for text in [
            "plain, English 100% sure & so on; a = b\n",
            "中文，标点：全角！“引号”——破折号…（括号）。",
            "Обычный русский текст, как он есть",
            "　　段落",
        ] {
            let text = text.repeat(9);
            assert!(normalise(&text).is_none(), "{text}");
        }
    }

    #[test]
    fn full_width_letters_and_digits_become_plain() {
        assert_eq!(read("手机：１３８００１３８０００，ａｂ＠ｃ．ｃｏｍ"), "手机：13800138000，ab@c.com");
        assert_eq!(read("𝟏𝟑𝟖 𝐤𝐞𝐲 ١٢٣ 123\u{A0}456"), "138 key 123 123 456");
        assert_eq!(read("①②③ ① 一"), "123 ① 一");
    }

    #[test]
    fn invisible_characters_are_dropped() {
        assert_eq!(read("1\u{200B}3\u{2060}8\u{AD}0\u{202E}0\u{FEFF}1"), "138001");
    }

    #[test]
    fn look_alikes_in_latin_words_become_latin() {
        assert_eq!(read("pаsswоrd АKIA"), "password AKIA");
        assert_eq!(read("пароль: сорока"), "пароль: сорока");
    }

    #[test]
    fn escapes_are_undone_however_often_they_were_made() {
        assert_eq!(read("a%40b.c a%2540b a%25252540b %E4%B8%AD %zz 100%"), "a@b.c a@b a@b 中 %zz 100%");
        assert_eq!(read("a&#64;b &#x40; &amp;#64; &amp;amp;quot; &amp; &copy= &x"), "a@b @ @ \" & &copy= &x");
        assert_eq!(read(r#"\u0041\u4e2d \x41 \\\\n \" \ud83d\ude00 \u{41} \q"#), "A中 A \n \" 😀 A \\q");
    }

    #[test]
    fn quoted_printable_lines_are_joined_and_code_is_not() {
        let line = "x".repeat(70);
        assert_eq!(read(&format!("{line}sec=\nret")), format!("{line}secret"));
        assert_eq!(read("KEY=\nOTHER=1"), "KEY=\nOTHER=1");
    }

    #[test]
    fn offsets_lead_back() {
        let text = "id：１１０%31０";
        let normalised = normalise(text).expect("changes");
        assert_eq!(normalised.text, "id：11010");
        let span = Span::of(&normalised.text, 5, 10).expect("span");
        assert_eq!(&text[normalised.map.source(span)], "１１０%31０");
    }

    #[test]
    fn a_million_nested_escapes_take_linear_time() {
        for piece in ["\\", "%25", "&amp;", "\\u005c", "а", "=\n", "&#38;"] {
            let _ = normalise(&piece.repeat(300_000));
        }
    }

    proptest! {
        #[test]
        fn every_text_maps_back_onto_itself(parts in proptest::collection::vec(prop_oneof!["[ -~]{0,20}", "１|２|а|\u{200b}|%41|&#65;|\\\\n|中|，|=\n|\\\\u0041|𝟏", "\\PC{0,8}"], 0..20)) {
            let text: String = parts.concat();
            if let Some(normalised) = normalise(&text) {
                if let Some(span) = Span::of(&normalised.text, 0, normalised.text.len()) {
                    let source = normalised.map.source(span);
                    prop_assert!(source.end <= text.len() && text.is_char_boundary(source.start) && text.is_char_boundary(source.end));
                }
                for (at, char) in normalised.text.char_indices() {
                    let source = normalised.map.source(Span::of(&normalised.text, at, at + char.len_utf8()).expect("span"));
                    prop_assert!(text.get(source).is_some_and(|source| !source.is_empty()));
                }
            }
        }
    }
}
