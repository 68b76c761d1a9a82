//! JSON (RFC 8259), also several values in a row: NDJSON, JSON text sequences (RFC 7464), concatenated JSON.
//!
//! A document becomes one text: its own, with the escapes in strings decoded. Keys and values so stand together, and a
//! document without a backslash costs no allocation. The structure is checked on the way and only indexed when somebody
//! asks where a span is ([`Index`]).

mod index;
mod walk;

pub(super) use index::Index;

use crate::text::OffsetMap;
use std::borrow::Cow;

/// Whether `source` is one JSON value or several.
pub(super) fn is_valid(source: &str) -> bool {
    walk::walk(source, &mut walk::Nobody).is_some()
}

/// `source` with the escapes decoded, lone surrogates as U+FFFD. What is no JSON escape stays as it is.
pub(super) fn unescape(source: &str) -> (Cow<'_, str>, OffsetMap) {
    let mut map = OffsetMap::identity();
    let mut found = memchr::memchr(b'\\', source.as_bytes());
    if found.is_none() {
        map.copied(source.len());
        return (source.into(), map);
    }
    let mut text = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(at) = found {
        let (plain, escaped) = rest.split_at_checked(at).unwrap_or((rest, ""));
        text.push_str(plain);
        map.copied(plain.len());
        let consumed = match read_escape(escaped) {
            Some((char, len)) => {
                text.push(char);
                map.replaced(char.len_utf8(), len);
                len
            }
            None => {
                text.push('\\');
                map.copied(1);
                1
            }
        };
        rest = escaped.get(consumed..).unwrap_or_default();
        found = memchr::memchr(b'\\', rest.as_bytes());
    }
    text.push_str(rest);
    map.copied(rest.len());
    (text.into(), map)
}

/// The character that the escape at the start of `source` stands for, and the escape's length.
fn read_escape(source: &str) -> Option<(char, usize)> {
    let char = match source.as_bytes().get(1)? {
        b'n' => '\n',
        b't' => '\t',
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'r' => '\r',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'u' => return read_unicode(source),
        _ => return None,
    };
    Some((char, 2))
}

fn read_unicode(source: &str) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = source.get(at..at + 6)?.strip_prefix("\\u").filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        u16::from_str_radix(digits, 16).ok()
    };
    let first = unit(0)?;
    let pair = [first, unit(6).unwrap_or_default()];
    Some(match char::decode_utf16(pair).next()? {
        Ok(char) if char.len_utf16() == 2 => (char, 12),
        Ok(char) => (char, 6),
        Err(_) => (char::REPLACEMENT_CHARACTER, 6),
    })
}

/// `text` as the inside of a JSON string.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 2);
    for char in text.chars() {
        match char {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            control if control < ' ' => escaped.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Span;
    use proptest::prelude::*;

    #[test]
    fn one_value_or_several_are_json() {
        let lines = "{\"a\":1}\n{\"a\":2}\n";
        for text in [
            "{}",
            "[]",
            " [1, -2.5e+3, true, null, \"x\"] ",
            "\u{feff}{\"a\":{\"a\":[]},\"a\":1}",
            lines,
            "\u{1e}{}\n\u{1e}[]\n",
            "{}{}",
            "12",
        ] {
            assert!(is_valid(text), "{text}");
        }
        for text in
            ["", " ", "{", "[1,]", "{\"a\"}", "{\"a\":1,}", "[1 2]", "]", "{a:1}", "\"\\x\"", "\"abc", "tru", "1-", "a=b&c=d", "{\"a\":1}}"]
        {
            assert!(!is_valid(text), "{text}");
        }
    }

    #[test]
    fn a_million_nested_arrays_do_not_overflow_the_stack() {
        let deep = "[".repeat(1_000_000) + &"]".repeat(1_000_000);
        assert!(is_valid(&deep));
        let index = Index::of(&deep).expect("index");
        assert!(index.path(deep.as_bytes(), 1_000_000..1_000_001).len() < 200);
    }

    #[test]
    fn escapes_are_decoded_and_lead_back() {
        let source = r#"{"a\u0062":"\ud83d\ude00\n\ud83d!\u4e2d"}"#;
        let (text, map) = unescape(source);
        assert_eq!(text, "{\"ab\":\"😀\n\u{fffd}!中\"}");
        let at = text.find('😀').expect("smile");
        assert_eq!(source.get(map.source(Span::of(&text, at, at + 4).expect("span"))), Some(r"\ud83d\ude00"));
    }

    #[test]
    fn a_document_without_escapes_is_borrowed() {
        assert!(matches!(unescape("{\"a\":\"b\"}"), (Cow::Borrowed(_), map) if map.is_identity()));
    }

    proptest! {
        #[test]
        fn escape_and_unescape_are_inverse(text in any::<String>()) {
            let escaped = escape(&text);
            prop_assert_eq!(unescape(&escaped).0, text.as_str());
            prop_assert_eq!(serde_json::from_str::<String>(&format!("\"{escaped}\"")).expect("string"), text);
        }

        #[test]
        fn what_serde_json_accepts_is_accepted(text in "[\\[\\]{}:,\"\\\\ a1.e-]{0,12}") {
            if serde_json::from_str::<serde_json::Value>(&text).is_ok() {
                prop_assert!(is_valid(&text));
            }
        }
    }
}
