//! Charsets: which one some bytes are in, to UTF-8 with the way back, and back.

use crate::text::OffsetMap;
use encoding_rs::{BIG5, EncoderResult, Encoding, GB18030, ISO_2022_JP, SHIFT_JIS, WINDOWS_1252};

/// A charset that we read and write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charset {
    /// UTF-8, and so ASCII.
    Utf8,
    /// UTF-16 or UTF-32 in one byte order.
    Wide(Width, Order),
    /// A charset of the WHATWG Encoding Standard.
    Legacy(&'static Encoding),
}

/// Bytes per code unit of a wide charset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    /// UTF-16.
    Two,
    /// UTF-32.
    Four,
}

/// Byte order of a wide charset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

/// What a charset label stands for.
pub(super) enum Label {
    /// One that we read.
    Known(Charset),
    /// None that we know, and so perhaps one that turns ASCII bytes into other characters.
    Unknown,
}

impl Charset {
    /// The charset of last resort for Western text.
    pub(super) fn latin() -> Self {
        Self::Legacy(WINDOWS_1252)
    }

    /// What `label` names.
    pub(super) fn parse(label: &str) -> Label {
        let known = match label.trim().to_ascii_lowercase().as_str() {
            "utf8mb4" | "utf_8" | "" => Self::Utf8,
            "utf-16be" => Self::Wide(Width::Two, Order::Big),
            "utf-16" | "utf-16le" | "utf16" | "ucs-2" => Self::Wide(Width::Two, Order::Little),
            "utf-32be" => Self::Wide(Width::Four, Order::Big),
            "utf-32" | "utf-32le" | "utf32" | "ucs-4" => Self::Wide(Width::Four, Order::Little),
            other => match Encoding::for_label_no_replacement(other.as_bytes()) {
                Some(encoding) if encoding == encoding_rs::UTF_8 => Self::Utf8,
                Some(encoding) => Self::Legacy(encoding),
                None => return Label::Unknown,
            },
        };
        Label::Known(known)
    }

    /// The charset of `bytes` that are not UTF-8 text, in the light of what the client declares; `None` if they are no text.
    pub(super) fn of_text(bytes: &[u8], declared: Option<&str>) -> Option<Self> {
        if let Some(charset) = Self::of_mark(bytes).or_else(|| Self::wide(bytes)) {
            return Some(charset);
        }
        if let Some(Label::Known(charset)) = declared.map(Self::parse)
            && charset.fits(bytes)
        {
            return Some(charset);
        }
        if is_binary(bytes) { None } else { Self::guess(bytes) }
    }

    fn of_mark(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xff, 0xfe, 0, 0, ..] => Some(Self::Wide(Width::Four, Order::Little)),
            [0, 0, 0xfe, 0xff, ..] => Some(Self::Wide(Width::Four, Order::Big)),
            [0xff, 0xfe, ..] => Some(Self::Wide(Width::Two, Order::Little)),
            [0xfe, 0xff, ..] => Some(Self::Wide(Width::Two, Order::Big)),
            _ => None,
        }
    }

    /// UTF-16 or UTF-32 without a mark: nearly every unit of the first few thousand is Latin, CJK or full-width.
    fn wide(bytes: &[u8]) -> Option<Self> {
        const SAMPLE: usize = 4096;
        if bytes.len() < 4 || !bytes.len().is_multiple_of(2) {
            return None;
        }
        let sample = bytes.get(..bytes.len().min(SAMPLE))?;
        [(Width::Four, Order::Little), (Width::Four, Order::Big), (Width::Two, Order::Little), (Width::Two, Order::Big)]
            .into_iter()
            .find_map(|(width, order)| {
                let charset = Self::Wide(width, order);
                let (mut usual, mut narrow, mut total) = (0, 0, 0);
                for (char, _) in wide_chars(sample, width, order) {
                    total += 1;
                    usual += usize::from(matches!(char, ' '..='~' | '\t' | '\n' | '\r' | '\u{a0}'..='\u{24f}' | '\u{2010}'..='\u{2030}'
                        | '\u{3000}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{ff00}'..='\u{ff65}'));
                    narrow += usize::from(char.is_ascii() && !matches!(char, '\0'));
                }
                // Without ASCII among it (a line break at least), two-byte CJK is too easily something else.
                (usual * 100 >= total * 95 && total > 0 && narrow > 0).then_some(charset)
            })
    }

    /// Whether `bytes` are well-formed in this charset.
    fn fits(self, bytes: &[u8]) -> bool {
        match self {
            Self::Utf8 => std::str::from_utf8(bytes).is_ok(),
            Self::Wide(width, order) => {
                !wide_chars(bytes, width, order).any(|(char, _)| char == char::REPLACEMENT_CHARACTER || char == '\0')
            }
            Self::Legacy(encoding) => encoding.decode_without_bom_handling_and_without_replacement(bytes).is_some(),
        }
    }

    /// The likeliest legacy charset, by how many double bytes are frequent characters in it.
    fn guess(bytes: &[u8]) -> Option<Self> {
        let sample = bytes.get(..bytes.len().min(64 << 10)).unwrap_or(bytes);
        let gb = |lead, trail| matches!(lead, 0xb0..=0xd7 | 0xa1 | 0xa3) && trail >= 0xa1;
        let big5 = |lead, trail| matches!(lead, 0xa1 | 0xa4..=0xc6) && matches!(trail, 0x40..=0x7e | 0xa1..=0xfe);
        let japanese = |lead, trail| {
            matches!((lead, trail), (0x82, 0x9f..=0xf1) | (0x83, 0x40..=0x96) | (0x81, 0x40..=0x5b) | (0x88..=0x97, 0x40..=0xfc))
        };
        // Of equals the last one wins.
        let candidates = [(score(sample, japanese), SHIFT_JIS), (score(sample, big5), BIG5), (score(sample, gb), GB18030)];
        let best = candidates.into_iter().max_by_key(|(score, _)| *score);
        let high = sample.iter().filter(|byte| **byte >= 0x80).count();
        match best {
            // A text that was cut in a character does not fit, but scores.
            Some((score, encoding)) if score >= 90 || score >= 70 && Self::Legacy(encoding).fits(bytes) => Some(Self::Legacy(encoding)),
            _ if high * 3 <= sample.len() => Some(Self::latin()),
            _ => None,
        }
    }

    /// `text` in this charset; what it lacks becomes `?`.
    pub(super) fn encode(self, text: &str) -> Vec<u8> {
        match self {
            Self::Utf8 => text.as_bytes().to_vec(),
            Self::Wide(Width::Two, order) => text.encode_utf16().flat_map(|unit| order.bytes(unit.to_be_bytes())).collect(),
            Self::Wide(Width::Four, order) => text.chars().flat_map(|char| order.bytes(u32::from(char).to_be_bytes())).collect(),
            Self::Legacy(encoding) => encode_legacy(encoding, text),
        }
    }
}

impl Order {
    fn bytes<const N: usize>(self, mut big: [u8; N]) -> [u8; N] {
        if self == Self::Little {
            big.reverse();
        }
        big
    }
}

/// How many percent of the double bytes in `bytes` are `frequent`.
fn score(bytes: &[u8], frequent: impl Fn(u8, u8) -> bool) -> usize {
    let (mut pairs, mut hits) = (0usize, 0usize);
    let mut rest = bytes.iter();
    while let Some(lead) = rest.by_ref().find(|byte| **byte >= 0x80) {
        pairs += 1;
        hits += usize::from(rest.next().is_some_and(|trail| frequent(*lead, *trail)));
    }
    (hits * 100).checked_div(pairs).unwrap_or_default()
}

/// Whether `bytes` hold what no text holds.
pub(super) fn is_binary(bytes: &[u8]) -> bool {
    let sample = bytes.get(..bytes.len().min(64 << 10)).unwrap_or(bytes);
    let control = sample.iter().filter(|byte| matches!(byte, 0..=8 | 0xe..=0x1a | 0x1c..=0x1f | 0x7f)).count();
    control * 50 > sample.len() || memchr::memchr(0, bytes).is_some()
}

/// `bytes` as text, with the map back. What is malformed becomes U+FFFD.
pub(super) fn decode(bytes: &[u8], charset: Charset) -> (String, OffsetMap) {
    let mut map = OffsetMap::identity();
    let mut text = String::with_capacity(bytes.len());
    match charset {
        Charset::Utf8 => {
            for chunk in bytes.utf8_chunks() {
                text.push_str(chunk.valid());
                map.copied(chunk.valid().len());
                if !chunk.invalid().is_empty() {
                    text.push(char::REPLACEMENT_CHARACTER);
                    map.replaced(char::REPLACEMENT_CHARACTER.len_utf8(), chunk.invalid().len());
                }
            }
        }
        Charset::Wide(width, order) => {
            for (char, len) in wide_chars(bytes, width, order) {
                text.push(char);
                map.replaced(char.len_utf8(), len);
            }
        }
        Charset::Legacy(encoding) => decode_legacy(bytes, encoding, &mut text, &mut map),
    }
    (text, map)
}

/// The characters of UTF-16 or UTF-32, each with its length in bytes.
fn wide_chars(bytes: &[u8], width: Width, order: Order) -> impl Iterator<Item = (char, usize)> {
    let size = match width {
        Width::Two => 2,
        Width::Four => 4,
    };
    let mut units = bytes.chunks(size).map(move |chunk| {
        let digits = |value: u32, byte: &u8| value << 8 | u32::from(*byte);
        let unit = match order {
            Order::Little => chunk.iter().rev().fold(0, digits),
            Order::Big => chunk.iter().fold(0, digits),
        };
        (if chunk.len() == size { unit } else { u32::MAX }, chunk.len())
    });
    let mut pending = None;
    std::iter::from_fn(move || {
        let (unit, len) = pending.take().or_else(|| units.next())?;
        if width == Width::Two && (0xd800..0xdc00).contains(&unit) {
            let next = units.next();
            if let Some((low, low_len)) = next.filter(|(low, _)| (0xdc00..0xe000).contains(low)) {
                let char = char::from_u32(0x10000 + ((unit - 0xd800) << 10 | (low - 0xdc00)));
                return Some((char.unwrap_or(char::REPLACEMENT_CHARACTER), len + low_len));
            }
            pending = next;
        }
        Some((char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER), len))
    })
}

fn decode_legacy(bytes: &[u8], encoding: &'static Encoding, text: &mut String, map: &mut OffsetMap) {
    // Fed byte by byte where it is not ASCII, since the decoder does not say which bytes a character came from.
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut out = [0u8; 32];
    let mut rest = bytes;
    let mut taken = 0;
    while let Some((first, tail)) = rest.split_first() {
        if taken == 0 && encoding != ISO_2022_JP {
            let plain = rest.iter().take_while(|byte| byte.is_ascii()).count();
            if plain > 0 {
                let (ascii, tail) = rest.split_at_checked(plain).unwrap_or((rest, &[]));
                text.extend(ascii.iter().copied().map(char::from));
                map.copied(plain);
                rest = tail;
                continue;
            }
        }
        let (_, _, written, _) = decoder.decode_to_utf8(&[*first], &mut out, tail.is_empty());
        taken += 1;
        rest = tail;
        if written > 0 || tail.is_empty() {
            text.push_str(out.get(..written).and_then(|out| std::str::from_utf8(out).ok()).unwrap_or_default());
            map.replaced(written, taken);
            taken = 0;
        }
    }
}

fn encode_legacy(encoding: &'static Encoding, text: &str) -> Vec<u8> {
    let mut encoder = encoding.new_encoder();
    let mut bytes = Vec::new();
    let mut out = [0u8; 1024];
    let mut rest = text;
    loop {
        let (result, read, written) = encoder.encode_from_utf8_without_replacement(rest, &mut out, true);
        bytes.extend(out.iter().take(written));
        rest = rest.get(read..).unwrap_or_default();
        match result {
            EncoderResult::InputEmpty => return bytes,
            EncoderResult::OutputFull => {}
            EncoderResult::Unmappable(_) => bytes.push(b'?'),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Span;
    use proptest::prelude::*;

    fn all() -> Vec<Charset> {
        let mut all = vec![Charset::Utf8];
        all.extend([Width::Two, Width::Four].into_iter().flat_map(|w| [Charset::Wide(w, Order::Little), Charset::Wide(w, Order::Big)]));
        all.extend([GB18030, BIG5, SHIFT_JIS, WINDOWS_1252, encoding_rs::EUC_KR, ISO_2022_JP].map(Charset::Legacy));
        all
    }

    #[test]
    fn the_charset_of_a_text_is_found() {
        let chinese = "客户张三的身份证号码是一一零，请尽快联系。\n";
        for charset in [Charset::Legacy(GB18030), Charset::Wide(Width::Two, Order::Little), Charset::Wide(Width::Two, Order::Big)] {
            assert_eq!(Charset::of_text(&charset.encode(chinese), None), Some(charset));
        }
        assert_eq!(
            Charset::of_text(&Charset::Legacy(BIG5).encode("客戶張三的身分證號碼是這個，請盡快聯絡我們。"), None),
            Some(Charset::Legacy(BIG5))
        );
        assert_eq!(
            Charset::of_text(&Charset::Legacy(SHIFT_JIS).encode("こんにちは、これはテストです。"), None),
            Some(Charset::Legacy(SHIFT_JIS))
        );
        assert_eq!(Charset::of_text(b"caf\xe9 au lait", None), Some(Charset::latin()));
        for charset in all().into_iter().filter(|charset| matches!(charset, Charset::Wide(..))) {
            assert_eq!(Charset::of_text(&charset.encode("password: hunter2"), None), Some(charset));
        }
        assert_eq!(Charset::of_text(b"\x00\x01\xff\xd8\x12binary\x00", None), None);
    }

    #[test]
    fn what_a_charset_lacks_becomes_a_question_mark() {
        assert_eq!(Charset::latin().encode("[邮箱]é"), b"[??]\xe9");
    }

    #[test]
    fn malformed_bytes_become_replacement_characters() {
        let (text, map) = decode(b"a\xff\xffb", Charset::Utf8);
        assert_eq!(text, "a\u{fffd}\u{fffd}b");
        assert_eq!(map.source_of(1..4), 1..2);
        assert_eq!(decode(&[0x00, 0xd8, 0x41, 0x00, 0x42], Charset::Wide(Width::Two, Order::Little)).0, "\u{fffd}A\u{fffd}");
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes_and_each_character_leads_back(text in "[ -~中文字符あいう한é€]{0,30}") {
            for charset in all() {
                let bytes = charset.encode(&text);
                let (decoded, map) = decode(&bytes, charset);
                if !decoded.contains('?') {
                    prop_assert_eq!(&decoded, &text, "{:?}", charset);
                }
                for (at, char) in decoded.char_indices() {
                    let range = map.source(Span::of(&decoded, at, at + char.len_utf8()).expect("span"));
                    let own = charset.encode(&char.to_string());
                    if charset != Charset::Legacy(ISO_2022_JP) {
                        prop_assert_eq!(&bytes[range], own.as_slice());
                    }
                }
            }
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            for charset in all() {
                decode(&bytes, charset);
            }
            Charset::of_text(&bytes, Some("big5"));
        }
    }
}
