//! `Content-Transfer-Encoding` of a part (RFC 2045), base64 in general, and encoded words in headers (RFC 2047).

use super::charset::{self, Charset, Label};
use crate::text::OffsetMap;
use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// How a part's body is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transfer {
    /// As it is.
    Identity,
    /// base64, possibly in lines.
    Base64,
    /// quoted-printable.
    QuotedPrintable,
}

impl Transfer {
    /// What a header value says; unknown ones are taken as identity, since the bytes are then scanned raw.
    pub(super) fn parse(value: &str) -> Self {
        match value.trim().to_ascii_lowercase().as_str() {
            "base64" => Self::Base64,
            "quoted-printable" => Self::QuotedPrintable,
            _ => Self::Identity,
        }
    }
}

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true),
);

/// `bytes` decoded from base64, standard or URL-safe, white space ignored, several padded ones in a row joined.
pub(super) fn decode_base64(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut clean = Vec::with_capacity(bytes.len());
    clean.extend(bytes.iter().filter(|byte| !byte.is_ascii_whitespace()).map(|byte| match byte {
        b'-' => b'+',
        b'_' => b'/',
        other => *other,
    }));
    let mut decoded = Vec::with_capacity(clean.len() / 4 * 3 + 3);
    for piece in clean.split_inclusive(|byte| *byte == b'=').filter(|piece| *piece != b"=") {
        let piece = piece.strip_suffix(b"=").unwrap_or(piece);
        LENIENT.decode_vec(piece, &mut decoded).ok()?;
    }
    Some(decoded)
}

/// `bytes` in base64, in lines as long as those of `original`.
pub(super) fn encode_base64(bytes: &[u8], original: &[u8]) -> Vec<u8> {
    let encoded = base64::engine::general_purpose::STANDARD.encode(bytes).into_bytes();
    let Some(first) = memchr::memchr(b'\n', original.trim_ascii_end()) else { return encoded };
    let (line, ending): (usize, &[u8]) = match first.checked_sub(1).and_then(|at| original.get(at)) {
        Some(b'\r') => (first - 1, b"\r\n"),
        _ => (first, b"\n"),
    };
    encoded.chunks(line.max(4)).collect::<Vec<_>>().join(ending)
}

/// `bytes` decoded from quoted-printable, with the map back.
pub(super) fn decode_quoted_printable(bytes: &[u8]) -> (Vec<u8>, OffsetMap) {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut map = OffsetMap::identity();
    let mut rest = bytes;
    while let Some(found) = memchr::memchr(b'=', rest) {
        let (plain, escaped) = rest.split_at_checked(found).unwrap_or((rest, &[]));
        decoded.extend_from_slice(plain);
        map.copied(found);
        let byte =
            escaped.get(1..3).and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let len = match (byte, escaped) {
            (Some(byte), _) => {
                decoded.push(byte);
                map.replaced(1, 3);
                3
            }
            (None, [_, b'\r', b'\n', ..]) => {
                map.replaced(0, 3);
                3
            }
            (None, [_, b'\n', ..]) => {
                map.replaced(0, 2);
                2
            }
            (None, _) => {
                decoded.push(b'=');
                map.copied(1);
                1
            }
        };
        rest = escaped.get(len..).unwrap_or_default();
    }
    decoded.extend_from_slice(rest);
    map.copied(rest.len());
    (decoded, map)
}

/// `bytes` in quoted-printable, for putting among other text.
pub(super) fn encode_quoted_printable(bytes: &[u8]) -> Vec<u8> {
    bytes
        .iter()
        .flat_map(|byte| match byte {
            b'=' | 0..=31 | 127.. => format!("={byte:02X}").into_bytes(),
            plain => vec![*plain],
        })
        .collect()
}

/// `header` with its encoded words (`=?charset?B?...?=`) decoded, and the map back; `None` if it has none.
pub(super) fn decode_words(header: &str) -> Option<(String, OffsetMap)> {
    let mut text = String::new();
    let mut map = OffsetMap::identity();
    let mut rest = header;
    let mut last_was_word = false;
    while let Some(found) = rest.find("=?") {
        let (plain, word) = rest.split_at_checked(found)?;
        let read = read_word(word);
        // White space between two words only separates them.
        if last_was_word && read.is_some() && plain.trim().is_empty() {
            map.replaced(0, plain.len());
        } else {
            text.push_str(plain);
            map.copied(plain.len());
        }
        last_was_word = read.is_some();
        let (decoded, len) = read.unwrap_or_else(|| ("=?".to_owned(), 2));
        map.replaced(decoded.len(), len);
        text.push_str(&decoded);
        rest = word.get(len..)?;
    }
    if map.is_identity() && text.is_empty() {
        return None;
    }
    text.push_str(rest);
    map.copied(rest.len());
    Some((text, map))
}

fn read_word(source: &str) -> Option<(String, usize)> {
    let mut fields = source.strip_prefix("=?")?.splitn(4, '?');
    let (label, coding, content, tail) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    if !tail.starts_with('=') {
        return None;
    }
    let bytes = match coding {
        "B" | "b" => decode_base64(content.as_bytes())?,
        "Q" | "q" => decode_quoted_printable(content.replace('_', " ").as_bytes()).0,
        _ => return None,
    };
    let label = label.split('*').next()?; // RFC 2231 appends a language
    let Label::Known(charset) = Charset::parse(label) else { return None };
    Some((charset::decode(&bytes, charset).0, source.len() - tail.len() + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn base64_is_read_as_it_is_found_in_the_wild() {
        assert_eq!(decode_base64(b"aGVs\r\nbG8=").as_deref(), Some(&b"hello"[..]));
        assert_eq!(decode_base64(b"aGVsbG8").as_deref(), Some(&b"hello"[..]));
        assert_eq!(decode_base64(b"aGVsbG8=aGVsbG8=").as_deref(), Some(&b"hellohello"[..]));
        assert_eq!(decode_base64(b"aA==aA==").as_deref(), Some(&b"hh"[..]));
        assert_eq!(decode_base64(b"a*b"), None);
        assert_eq!(encode_base64(b"hello world", b"aGVs\r\nbG8="), b"aGVs\r\nbG8g\r\nd29y\r\nbGQ=");
    }

    #[test]
    fn soft_line_breaks_join() {
        let (decoded, map) = decode_quoted_printable(b"pass=\r\nword=3Dx=zz=");
        assert_eq!(decoded, b"password=x=zz=");
        assert_eq!(map.source_of(0..8), 0..11);
        assert_eq!(map.source_of(8..9), 11..14);
    }

    #[test]
    fn encoded_words_are_decoded() {
        let header = "Re: =?UTF-8?B?5byg5LiJ?= =?utf-8?Q?=E7=9A=84_x?= end";
        let (text, map) = decode_words(header).expect("words");
        assert_eq!(text, "Re: 张三的 x end");
        assert_eq!(header.get(map.source_of(4..10)), Some("=?UTF-8?B?5byg5LiJ?="));
        assert_eq!(decode_words("plain"), None);
        assert_eq!(decode_words("a =? b").map(|(text, _)| text).as_deref(), Some("a =? b"));
    }

    proptest! {
        #[test]
        fn both_come_back(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(decode_base64(&encode_base64(&bytes, b"")), Some(bytes.clone()));
            prop_assert_eq!(decode_base64(&encode_base64(&bytes, b"aaaaaaaa\naaaa")), Some(bytes.clone()));
            prop_assert_eq!(decode_quoted_printable(&encode_quoted_printable(&bytes)).0, bytes);
        }
    }
}
