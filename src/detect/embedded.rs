//! Text inside text: base64, base32 and hex runs that decode to something readable.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use std::ops::Range;

/// Text within text within text, but not deeper.
pub(super) const DEPTH: usize = 3;
/// Shorter runs hide nothing that a rule would find.
const SHORTEST: usize = 24;
const STEP: usize = 8;
const BLOCK: usize = 64;
/// Lines of wrapped base64 are at least as long (RFC 2045: 76, PEM: 64).
const SHORTEST_LINE: usize = 60;

/// The runs of `bytes` that could be encoded text.
pub(super) fn runs(bytes: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            at = next_step(bytes, at)?;
            let before = bytes.get(..at).unwrap_or_default().iter().rev().take(STEP).take_while(|byte| is_encoded(**byte)).count();
            let start = at - before;
            let end = end_of(bytes, start);
            at = (end / STEP * STEP).max(at + STEP);
            if end - start >= SHORTEST {
                return Some(start..end);
            }
        }
    })
}

/// The first place from `at` on, in steps, from which two whole steps of a run stand: a run of 24 holds two.
fn next_step(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let rest = bytes.get(at..).filter(|rest| rest.len() >= 2 * STEP)?;
        // Spaces, quotes, commas and all beyond ASCII are told by one comparison; few blocks need the others.
        if full_steps(rest, |byte| byte.cast_signed() >= b'+'.cast_signed()).is_some()
            && let Some(step) = full_steps(rest, is_encoded)
        {
            return Some(at + step * STEP);
        }
        at += BLOCK;
    }
}

/// The first of two steps at the beginning of `bytes` of which `belongs` holds throughout.
#[inline(always)]
fn full_steps(bytes: &[u8], belongs: impl Fn(u8) -> bool) -> Option<usize> {
    // Compiled to SIMD: of which bytes it holds; then, of which steps.
    let mut holds = [0u8; BLOCK + STEP];
    match bytes.first_chunk::<{ BLOCK + STEP }>() {
        Some(block) => holds.iter_mut().zip(block).for_each(|(holds, byte)| *holds = 0u8.wrapping_sub(u8::from(belongs(*byte)))),
        None => holds.iter_mut().zip(bytes).for_each(|(holds, byte)| *holds = 0u8.wrapping_sub(u8::from(belongs(*byte)))),
    }
    let full = |pair: &[[u8; STEP]]| pair.iter().all(|step| u64::from_ne_bytes(*step) == u64::MAX);
    holds.as_chunks::<STEP>().0.windows(2).position(full)
}

/// Where the run from `start` ends; whole lines of a wrapped one are one run.
fn end_of(bytes: &[u8], start: usize) -> usize {
    let (mut line, mut end) = (start, start);
    loop {
        while bytes.get(end).is_some_and(|byte| is_encoded(*byte)) {
            end += 1;
        }
        let breaks = match bytes.get(end..end + 2) {
            Some(b"\r\n") => 2,
            Some([b'\n', _]) => 1,
            _ => 0,
        };
        if breaks == 0
            || end - line < SHORTEST_LINE
            || !(end - line).is_multiple_of(4)
            || !bytes.get(end + breaks).is_some_and(|byte| is_encoded(*byte))
        {
            break;
        }
        end += breaks;
        line = end;
    }
    end + bytes.get(end..).unwrap_or_default().iter().take(6).take_while(|byte| **byte == b'=').count()
}

#[inline(always)]
pub(super) fn is_encoded(byte: u8) -> bool {
    let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    let digit = byte.wrapping_sub(b'0') < 10;
    letter | digit | (byte == b'+') | (byte == b'/') | (byte == b'-') | (byte == b'_')
}

/// The text that `run` encodes; `None` if it reads as none.
pub(super) fn decode(run: &str) -> Option<String> {
    let joined: String;
    let run = if run.contains('\n') {
        joined = run.split_ascii_whitespace().collect();
        &joined
    } else {
        run
    };
    let run = run.trim_end_matches('=');
    let whole = decode_one(run);
    // A path or a name may stand before it.
    whole.or_else(|| {
        let longest = run.split('/').max_by_key(|part| part.len())?;
        (longest.len() >= SHORTEST && longest.len() < run.len()).then(|| decode_one(longest))?
    })
}

fn decode_one(run: &str) -> Option<String> {
    let bytes = run.as_bytes();
    if bytes.len().is_multiple_of(2) && bytes.iter().all(u8::is_ascii_hexdigit) {
        return readable(hex(bytes));
    }
    if bytes.iter().all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7')) {
        return readable(base32(bytes));
    }
    // One word, however long, is no base64.
    if !bytes.iter().any(u8::is_ascii_uppercase) || !bytes.iter().any(u8::is_ascii_lowercase) {
        return None;
    }
    let url = bytes.iter().any(|byte| matches!(byte, b'-' | b'_'));
    let engine = if url { &URL } else { &STANDARD };
    // An image is told by its first bytes.
    readable(engine.decode(bytes.get(..bytes.len().min(32) / 4 * 4)?).ok()?)?;
    let end = if bytes.len() % 4 == 1 { bytes.len() - 1 } else { bytes.len() };
    readable(engine.decode(bytes.get(..end)?).ok()?)
}

const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true);

fn hex(bytes: &[u8]) -> Vec<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).unwrap_or_default() as u8;
    bytes.chunks_exact(2).map(|pair| pair.iter().fold(0, |value, byte| value << 4 | digit(byte))).collect()
}

/// RFC 4648 section 6; what is left over of the last byte is dropped.
fn base32(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() * 5 / 8);
    let (mut bits, mut held) = (0u32, 0u32);
    for byte in bytes {
        let value = if byte.is_ascii_digit() { byte - b'2' + 26 } else { byte.wrapping_sub(b'A') };
        bits = bits << 5 | u32::from(value & 31);
        held += 5;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
        }
    }
    out
}

/// The text of `bytes`, if they are UTF-8 (its last character may be cut) or UTF-16 and nearly all of it is visible.
fn readable(bytes: Vec<u8>) -> Option<String> {
    let zeros = bytes.iter().skip(1).step_by(2).filter(|byte| **byte == 0).count();
    let text = if zeros * 3 > bytes.len() {
        let units = bytes.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit));
        char::decode_utf16(units).collect::<Result<String, _>>().ok()?
    } else {
        match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let (valid, len) = (error.utf8_error().valid_up_to(), error.as_bytes().len());
                let mut bytes = error.into_bytes();
                bytes.truncate(valid);
                (len - valid < 4).then(|| String::from_utf8(bytes).ok())??
            }
        }
    };
    let invisible = text.chars().filter(|char| char.is_control() && !matches!(char, '\n' | '\r' | '\t')).count();
    (text.len() >= 12 && invisible * 20 <= text.len()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

    const TEXT: &str = "my password is hunter2, keep it secret";

    fn decoded(text: &str) -> Vec<String> {
        runs(text.as_bytes()).filter_map(|run| decode(&text[run])).collect()
    }

    #[test]
    fn every_encoding_is_read_at_every_place() {
        let hex: String = TEXT.bytes().map(|byte| format!("{byte:02x}")).collect();
        for code in [
            BASE64_STANDARD.encode(TEXT),
            BASE64_URL_SAFE_NO_PAD.encode(TEXT),
            hex,
            "NV4SA4DBONZXO33SMQQGS4ZANB2W45DFOIZCYIDLMVSXAIDJOQQHGZLDOJSXI===".to_owned(),
        ] {
            for lead in 0..20 {
                assert_eq!(decoded(&format!("{}\"{code}\" x", " ".repeat(lead))), [TEXT], "{code}");
            }
        }
    }

    #[test]
    fn wrapped_base64_is_one_run() {
        let code = BASE64_STANDARD.encode(TEXT.repeat(5));
        let lines: Vec<_> = code.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).expect("ascii")).collect();
        assert_eq!(decoded(&lines.join("\r\n")), [TEXT.repeat(5)]);
    }

    #[test]
    fn utf_16_and_chinese_are_text_too() {
        let utf16: Vec<u8> = TEXT.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decoded(&BASE64_STANDARD.encode(utf16)), [TEXT]);
        assert_eq!(decoded(&BASE64_STANDARD.encode("身份证号码是这个数字，请保密")), ["身份证号码是这个数字，请保密"]);
    }

    #[test]
    fn names_hashes_and_pictures_are_no_text() {
        for text in [
            "aVeryLongIdentifierNameInSomeProgram",
            "d41d8cd98f00b204e9800998ecf8427ed41d8cd98f00b204",
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ",
            &"A".repeat(99),
        ] {
            assert_eq!(decoded(text), Vec::<String>::new(), "{text}");
        }
    }
}
