//! The structure of a JSON text, told token by token, without recursion.

use std::ops::Range;

/// Is told what [`walk`] meets, in order. Ranges are byte offsets; those of strings include the quotes.
pub(super) trait Visit {
    fn open(&mut self, _at: usize, _nest: Nest) {}
    fn close(&mut self, _end: usize) {}
    fn key(&mut self, _token: Range<usize>) {}
    fn string(&mut self, _token: Range<usize>) {}
    fn scalar(&mut self, _token: Range<usize>) {}
}

/// Wants only to know whether the text is valid.
pub(super) struct Nobody;

impl Visit for Nobody {}

/// A kind of container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nest {
    Object,
    Array,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    /// A value, at the top: the text may end here.
    Top,
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    /// A comma or the end of the innermost container.
    Comma,
}

/// Reads `source` from end to end; `None` if it is not a sequence of at least one JSON value.
pub(super) fn walk(source: &str, visit: &mut impl Visit) -> Option<()> {
    let bytes = source.as_bytes();
    let mut nests: Vec<Nest> = Vec::new();
    let mut expect = Expect::Top;
    let mut at = if source.starts_with('\u{feff}') { 3 } else { 0 };
    let mut empty = true;
    loop {
        let Some(byte) = bytes.get(at).copied() else {
            return (expect == Expect::Top && !empty).then_some(());
        };
        match byte {
            b' ' | b'\n' | b'\r' | b'\t' => {
                at += 1;
                continue;
            }
            b'\x1e' if expect == Expect::Top => {
                at += 1;
                continue;
            }
            _ => {}
        }
        expect = match (expect, byte) {
            (Expect::Comma, b',') => {
                at += 1;
                match nests.last()? {
                    Nest::Object => Expect::Key,
                    Nest::Array => Expect::Value,
                }
            }
            (Expect::Colon, b':') => {
                at += 1;
                Expect::Value
            }
            (Expect::Key | Expect::KeyOrEnd, b'"') => {
                let end = string_end(bytes, at + 1)?;
                visit.key(at..end);
                at = end;
                Expect::Colon
            }
            (Expect::Comma | Expect::KeyOrEnd, b'}') | (Expect::Comma | Expect::ValueOrEnd, b']') => {
                let nest = if byte == b'}' { Nest::Object } else { Nest::Array };
                if nests.pop()? != nest {
                    return None;
                }
                at += 1;
                visit.close(at);
                if nests.is_empty() { Expect::Top } else { Expect::Comma }
            }
            (Expect::Top | Expect::Value | Expect::ValueOrEnd, b'{' | b'[') => {
                let nest = if byte == b'{' { Nest::Object } else { Nest::Array };
                visit.open(at, nest);
                nests.push(nest);
                empty = false;
                at += 1;
                if nest == Nest::Object { Expect::KeyOrEnd } else { Expect::ValueOrEnd }
            }
            (Expect::Top | Expect::Value | Expect::ValueOrEnd, _) => {
                let start = at;
                if byte == b'"' {
                    at = string_end(bytes, at + 1)?;
                    visit.string(start..at);
                } else {
                    at += scalar_len(bytes.get(at..)?)?;
                    visit.scalar(start..at);
                }
                empty = false;
                if nests.is_empty() { Expect::Top } else { Expect::Comma }
            }
            (Expect::Key | Expect::KeyOrEnd | Expect::Colon | Expect::Comma, _) => return None,
        };
    }
}

/// One past the closing quote of the string whose inside begins at `at`.
fn string_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    /// Shorter strings end before a vectorised search has begun.
    const SHORT: usize = 12;
    loop {
        let rest = bytes.get(at..)?;
        let hit = match rest.iter().take(SHORT).position(|byte| matches!(byte, b'"' | b'\\')) {
            Some(hit) => hit,
            None => SHORT + memchr::memchr2(b'"', b'\\', rest.get(SHORT..)?)?,
        };
        at += hit + 1;
        if rest.get(hit) == Some(&b'"') {
            return Some(at);
        }
        at += match bytes.get(at)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 1,
            b'u' if bytes.get(at + 1..at + 5)?.iter().all(u8::is_ascii_hexdigit) => 5,
            _ => return None,
        };
    }
}

/// The length of the number or literal that `bytes` begin with.
fn scalar_len(bytes: &[u8]) -> Option<usize> {
    let len = bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')).count();
    let token = bytes.get(..len)?;
    let is_number = || {
        let digits = token.strip_prefix(b"-").unwrap_or(token);
        digits.first().is_some_and(u8::is_ascii_digit)
            && digits.last().is_some_and(u8::is_ascii_digit)
            && digits.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'))
    };
    (matches!(token, b"true" | b"false" | b"null") || is_number()).then_some(len)
}
