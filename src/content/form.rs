//! `application/x-www-form-urlencoded` and URLs: percent-decoding as one text, fields by `&` and `=`.

use super::{
    charset::{self, Charset},
    escape::{Role, Slot, Style},
    place::is_blank,
};
use crate::text::OffsetMap;
use std::{borrow::Cow, ops::Range};

/// What is urlencoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A body: fields from the first byte on.
    Form,
    /// A URL or its path and query: fields between `?` and `#`.
    Url,
}

/// How a space is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Space {
    /// `+`
    Plus,
    /// `%20`
    Percent,
}

/// `source` percent-decoded, and the charset that its bytes were in.
pub(super) fn read<'a>(source: &'a str, kind: Kind, declared: Option<&str>) -> (Cow<'a, str>, OffsetMap, Charset) {
    let query = query(source, kind);
    let mut map = OffsetMap::identity();
    if memchr::memchr2(b'%', b'+', source.as_bytes()).is_none() {
        map.copied(source.len());
        return (source.into(), map, Charset::Utf8);
    }
    let mut bytes = Vec::with_capacity(source.len());
    let mut at = 0;
    let mut rest = source;
    while let Some(found) = memchr::memchr2(b'%', b'+', rest.as_bytes()) {
        let (plain, escaped) = rest.split_at_checked(found).unwrap_or((rest, ""));
        bytes.extend_from_slice(plain.as_bytes());
        map.copied(found);
        at += found;
        let before = bytes.len();
        let consumed = if escaped.starts_with('+') {
            bytes.push(if query.contains(&at) { b' ' } else { b'+' });
            1
        } else if let Some(byte) = escaped.get(1..3).and_then(hex) {
            bytes.push(byte);
            3
        } else if let Some((char, len)) = read_escape_function(escaped) {
            bytes.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
            len
        } else {
            bytes.push(b'%');
            1
        };
        match bytes.len() - before {
            // Byte for byte, as a plus for a space: no need to remember it.
            written if written == consumed => map.copied(consumed),
            written => map.replaced(written, consumed),
        }
        at += consumed;
        rest = escaped.get(consumed..).unwrap_or_default();
    }
    bytes.extend_from_slice(rest.as_bytes());
    map.copied(rest.len());
    match String::from_utf8(bytes) {
        Ok(text) => (text.into(), map, Charset::Utf8),
        Err(error) => {
            let charset = Charset::of_text(error.as_bytes(), declared).unwrap_or(Charset::latin());
            let (text, to_bytes) = charset::decode(error.as_bytes(), charset);
            (text.into(), to_bytes.through(&map), charset)
        }
    }
}

fn hex(digits: &str) -> Option<u8> {
    if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) { u8::from_str_radix(digits, 16).ok() } else { None }
}

/// `%uXXXX`, as the old JavaScript function `escape` writes it.
fn read_escape_function(source: &str) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = source.get(at..at + 6)?.strip_prefix("%u").filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        u16::from_str_radix(digits, 16).ok()
    };
    match char::decode_utf16([unit(0)?, unit(6).unwrap_or_default()]).next()? {
        Ok(char) => Some((char, char.len_utf16() * 6)),
        Err(_) => Some((char::REPLACEMENT_CHARACTER, 6)),
    }
}

/// `bytes` percent-encoded.
pub(super) fn escape(bytes: &[u8], space: Space) -> String {
    let mut escaped = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => escaped.push(char::from(*byte)),
            b' ' if space == Space::Plus => escaped.push('+'),
            other => escaped.push_str(&format!("%{other:02X}")),
        }
    }
    escaped
}

/// Whether `text` can only be a urlencoded form: nothing that would have had to be encoded, and something that was.
pub(super) fn looks_like_form(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._*+%&=[]~!'()/:,@".contains(&byte);
    let named = |pair: &str| pair.split_once('=').is_some_and(|(name, _)| !name.is_empty());
    let text = text.trim_ascii_end();
    text.contains('=') && text.bytes().all(plain) && text.split('&').all(named)
}

/// Whether reading `text` as a form changes anything but the meaning of `+`.
pub(super) fn has_escapes(text: &str) -> bool {
    memchr::memchr_iter(b'%', text.as_bytes())
        .any(|at| text.get(at + 1..at + 3).and_then(hex).is_some() || text.get(at + 1..).is_some_and(|rest| rest.starts_with('u')))
}

/// Where the fields are.
fn query(source: &str, kind: Kind) -> Range<usize> {
    match kind {
        Kind::Form => 0..source.len(),
        Kind::Url => {
            let end = source.find('#').unwrap_or(source.len());
            let start = source.get(..end).and_then(|url| url.find('?')).map_or(end, |at| at + 1);
            start..end
        }
    }
}

/// The field whose value holds `span`: its decoded name, and whether the span is all of the value.
pub(super) fn field(source: &str, kind: Kind, span: Range<usize>) -> Option<(String, bool)> {
    let query = query(source, kind);
    let pair = pair_at(source, &query, span.start)?;
    let text = source.get(pair.clone())?;
    let (name, value) = text.split_once('=')?;
    let start = pair.end - value.len();
    if span.start < start || span.end > pair.end {
        return None;
    }
    let blank = |range: Range<usize>| source.get(range).is_some_and(|text| is_blank(&read(text, Kind::Form, None).0));
    Some((read(name, Kind::Form, None).0.into_owned(), blank(start..span.start) && blank(span.end..pair.end)))
}

/// The `name=value` around offset `at` of the query.
fn pair_at(source: &str, query: &Range<usize>, at: usize) -> Option<Range<usize>> {
    let before = source.get(query.start..at)?;
    let after = source.get(at..query.end)?;
    let start = memchr::memrchr(b'&', before.as_bytes()).map_or(query.start, |found| query.start + found + 1);
    let end = memchr::memchr(b'&', after.as_bytes()).map_or(query.end, |found| at + found);
    Some(start..end)
}

/// What of `span` may be replaced: names and values of fields, and the rest of a URL.
pub(super) fn slots(source: &str, kind: Kind, charset: Charset, span: Range<usize>) -> Vec<Slot> {
    let query = query(source, kind);
    let mut slots = Vec::new();
    let mut add = |range: Range<usize>, role: Role, style: Style| {
        let range = range.start.max(span.start)..range.end.min(span.end);
        if range.start < range.end {
            slots.push(Slot { range, role, style });
        }
    };
    let has_query = query.start > 0 && query.start < query.end;
    add(0..if has_query { query.start - 1 } else { query.start }, Role::Value, Style::Url(charset));
    let mut at = query.start.max(span.start);
    while at < query.end.min(span.end) {
        let Some(pair) = pair_at(source, &query, at) else { break };
        let equals = source.get(pair.clone()).and_then(|text| text.find('=')).map(|found| pair.start + found);
        add(pair.start..equals.unwrap_or(pair.end), if equals.is_some() { Role::Key } else { Role::Value }, Style::Form(charset));
        add(equals.map_or(pair.end, |equals| equals + 1)..pair.end, Role::Value, Style::Form(charset));
        at = pair.end + 1;
    }
    add((query.end + 1).min(source.len())..source.len(), Role::Value, Style::Url(charset));
    slots
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Span;
    use proptest::prelude::*;

    #[test]
    fn a_plus_is_a_space_only_in_a_query() {
        assert_eq!(read("/a+b?c=d+e%20f#g+h", Kind::Url, None).0, "/a+b?c=d e f#g+h");
        assert_eq!(read("a=1+2%2B3", Kind::Form, None).0, "a=1 2+3");
    }

    #[test]
    fn bad_escapes_stay_and_old_ones_are_read() {
        assert_eq!(read("a=100%&b=%zz&c=%4", Kind::Form, None).0, "a=100%&b=%zz&c=%4");
        assert_eq!(read("a=%u4E2D%ud83d%ude00", Kind::Form, None).0, "a=中😀");
    }

    #[test]
    fn a_gbk_form_is_read_and_leads_back() {
        let source = "name=%D5%C5%C8%FD%81A&x=1";
        let (text, map, charset) = read(source, Kind::Form, Some("gbk"));
        assert_eq!(text, "name=张三丄&x=1");
        assert_eq!(source.get(map.source(Span::of(&text, 8, 11).expect("span"))), Some("%C8%FD"));
        assert_eq!(Style::Form(charset).write("三"), "%C8%FD");
    }

    #[test]
    fn fields_are_found_by_their_separators() {
        let url = "/p?q=a%3Db&token=%20T%20#f";
        let at = url.find('T').expect("T");
        assert_eq!(field(url, Kind::Url, at..at + 1), Some(("token".to_owned(), true)));
        assert_eq!(field(url, Kind::Url, 5..6), Some(("q".to_owned(), false)));
        assert_eq!(field(url, Kind::Url, 1..2), None);
        assert_eq!(field("a%20b=c", Kind::Form, 6..7), Some(("a b".to_owned(), true)));
    }

    #[test]
    fn separators_are_never_replaced() {
        let source = "/p?ab=cd&ef=gh#ij";
        let texts: Vec<_> = slots(source, Kind::Url, Charset::Utf8, 1..source.len()).into_iter().map(|slot| &source[slot.range]).collect();
        assert_eq!(texts, ["p", "ab", "cd", "ef", "gh", "ij"]);
    }

    proptest! {
        #[test]
        fn escape_and_read_are_inverse(text in any::<String>()) {
            for space in [Space::Plus, Space::Percent] {
                let escaped = escape(text.as_bytes(), space);
                prop_assert_eq!(read(&escaped, Kind::Form, None).0, text.as_str());
            }
        }

        #[test]
        fn reading_never_panics_and_maps_every_character(source in "[a-z%&=+0-9A-F?#]{0,40}") {
            for kind in [Kind::Form, Kind::Url] {
                let (text, map, _) = read(&source, kind, None);
                for (at, char) in text.char_indices() {
                    let range = map.source(Span::of(&text, at, at + char.len_utf8()).expect("span"));
                    prop_assert!(source.get(range).is_some());
                }
            }
        }
    }
}
