//! XML and HTML: one text with character references and CDATA decoded; tags, attributes and comments stay in it.
//!
//! Entities are never expanded: what a DTD declares is scanned where it stands.

use super::escape::{Role, Slot, Style};
use crate::text::OffsetMap;
use std::{borrow::Cow, ops::Range};

/// `source` with character references and CDATA sections decoded.
pub(super) fn read(source: &str) -> (Cow<'_, str>, OffsetMap) {
    let mut map = OffsetMap::identity();
    if memchr::memchr(b'&', source.as_bytes()).is_none() && !source.contains(CDATA) {
        map.copied(source.len());
        return (source.into(), map);
    }
    let mut decoded = Decoded { source, text: String::with_capacity(source.len()), map, at: 0 };
    scan(source, |kind, range| match kind {
        // The markers of a CDATA section are dropped, other markup stays.
        Kind::Cdata => {
            decoded.replace(range.start - CDATA.len()..range.start, "");
            decoded.replace(range.end..(range.end + CDATA_END.len()).min(source.len()), "");
        }
        Kind::Text | Kind::Attribute => {
            let piece = source.get(range.clone()).unwrap_or_default();
            for found in memchr::memchr_iter(b'&', piece.as_bytes()) {
                if let Some((char, len)) = piece.get(found..).and_then(read_reference) {
                    let start = range.start + found;
                    decoded.replace(start..start + len, char.encode_utf8(&mut [0; 4]));
                }
            }
        }
        Kind::Comment => {}
    });
    decoded.replace(source.len()..source.len(), "");
    (decoded.text.into(), decoded.map)
}

struct Decoded<'a> {
    source: &'a str,
    text: String,
    map: OffsetMap,
    /// How far the source has been read.
    at: usize,
}

impl Decoded<'_> {
    /// Copies up to `range` and puts `with` in its place.
    fn replace(&mut self, range: Range<usize>, with: &str) {
        let copied = self.source.get(self.at..range.start).unwrap_or_default();
        self.text.push_str(copied);
        self.map.copied(copied.len());
        self.text.push_str(with);
        self.map.replaced(with.len(), range.len());
        self.at = range.end;
    }
}

/// What can be written to in XML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Attribute,
    Cdata,
    Comment,
}

const CDATA: &str = "<![CDATA[";
const CDATA_END: &str = "]]>";

/// Tells `meet` every stretch of content in order, and returns whether the document is well-formed as far as its tags go.
fn scan(source: &str, mut meet: impl FnMut(Kind, Range<usize>)) -> bool {
    let bytes = source.as_bytes();
    let mut open: Vec<&str> = Vec::new();
    let mut well_formed = true;
    let mut at = 0;
    while at < bytes.len() {
        let rest = source.get(at..).unwrap_or_default();
        let text = memchr::memchr(b'<', rest.as_bytes()).unwrap_or(rest.len());
        if text > 0 {
            meet(Kind::Text, at..at + text);
            at += text;
            continue;
        }
        let until = |end: &str, start: usize| rest.get(start..).and_then(|rest| rest.find(end)).map(|found| start + found);
        let (len, complete) = if rest.starts_with("<!--") {
            let end = until("-->", 4);
            meet(Kind::Comment, at + 4..at + end.unwrap_or(rest.len()).max(4));
            (end.map_or(rest.len(), |end| end + 3), end.is_some())
        } else if rest.starts_with(CDATA) {
            let end = until(CDATA_END, CDATA.len());
            meet(Kind::Cdata, at + CDATA.len()..at + end.unwrap_or(rest.len()));
            (end.map_or(rest.len(), |end| end + CDATA_END.len()), end.is_some())
        } else if rest.starts_with("<?") {
            let end = until("?>", 2);
            (end.map_or(rest.len(), |end| end + 2), end.is_some())
        } else if rest.starts_with("<!") {
            let end = declaration_len(rest);
            (end.unwrap_or(rest.len()), end.is_some())
        } else if let Some(name) = rest.strip_prefix("</") {
            let end = until(">", 2);
            let name = name.get(..end.unwrap_or(rest.len()).saturating_sub(2)).unwrap_or_default().trim_end();
            well_formed &= open.pop() == Some(name);
            (end.map_or(rest.len(), |end| end + 1), end.is_some())
        } else if rest.get(1..).is_some_and(|name| name.starts_with(|char: char| char.is_alphabetic() || matches!(char, '_' | ':'))) {
            let tag = read_tag(rest, |range| meet(Kind::Attribute, at + range.start..at + range.end));
            if !tag.empty {
                open.push(tag.name);
            }
            (tag.len, tag.complete)
        } else {
            // A stray `<`, as in HTML.
            meet(Kind::Text, at..at + 1);
            (1, false)
        };
        well_formed &= complete;
        at += len;
    }
    well_formed && open.is_empty()
}

struct Tag<'a> {
    name: &'a str,
    len: usize,
    empty: bool,
    complete: bool,
}

/// The start tag at the start of `source`; `value` is told where the attribute values are.
fn read_tag(source: &str, mut value: impl FnMut(Range<usize>)) -> Tag<'_> {
    let name_end = source.find(|char: char| char.is_whitespace() || matches!(char, '>' | '/')).unwrap_or(source.len());
    let name = source.get(1..name_end).unwrap_or_default();
    let mut at = name_end;
    let mut after_equals = false;
    while let Some(byte) = source.as_bytes().get(at).copied() {
        match byte {
            b'>' => return Tag { name, len: at + 1, empty: source.as_bytes().get(at.saturating_sub(1)) == Some(&b'/'), complete: true },
            b'"' | b'\'' => {
                let inside = source.as_bytes().get(at + 1..).unwrap_or_default();
                let len = memchr::memchr(byte, inside);
                value(at + 1..at + 1 + len.unwrap_or(inside.len()));
                at += len.map_or(inside.len() + 1, |len| len + 2);
                after_equals = false;
            }
            byte if byte.is_ascii_whitespace() => at += 1,
            _ if after_equals => {
                // Unquoted, as HTML has it.
                let rest = source.get(at..).unwrap_or_default();
                let len = rest.find(|char: char| char.is_ascii_whitespace() || char == '>').unwrap_or(rest.len());
                value(at..at + len);
                at += len;
                after_equals = false;
            }
            byte => {
                after_equals = byte == b'=';
                at += 1;
            }
        }
    }
    Tag { name, len: source.len(), empty: true, complete: false }
}

/// The length of `<!DOCTYPE ...>` with its internal subset, or of another declaration.
fn declaration_len(source: &str) -> Option<usize> {
    let (mut subset, mut quote, mut nested) = (0usize, None, 0usize);
    for (at, byte) in source.bytes().enumerate().skip(2) {
        match (quote, byte) {
            (Some(open), byte) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'[') => subset += 1,
            (None, b']') => subset = subset.saturating_sub(1),
            (None, b'<') => nested += 1,
            (None, b'>') if nested > 0 => nested -= 1,
            (None, b'>') if subset == 0 => return Some(at + 1),
            (None, _) => {}
        }
    }
    None
}

/// The character that the reference at the start of `source` stands for, and its length.
fn read_reference(source: &str) -> Option<(char, usize)> {
    const LONGEST: usize = 12;
    let end = source.bytes().take(LONGEST).position(|byte| byte == b';')?;
    let name = source.get(1..end)?;
    let char = match name.strip_prefix('#') {
        Some(digits) => {
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(code)?
        }
        None => named(name)?,
    };
    Some((char, end + 1))
}

/// The references that XML knows, and those of HTML that stand for characters of ordinary text.
fn named(name: &str) -> Option<char> {
    Some(match name {
        "amp" | "AMP" => '&',
        "lt" | "LT" => '<',
        "gt" | "GT" => '>',
        "quot" | "QUOT" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        "commat" => '@',
        "period" => '.',
        "comma" => ',',
        "colon" => ':',
        "semi" => ';',
        "sol" => '/',
        "bsol" => '\\',
        "num" => '#',
        "dollar" => '$',
        "percnt" => '%',
        "plus" => '+',
        "equals" => '=',
        "lowbar" => '_',
        "hyphen" | "dash" => '\u{2010}',
        "excl" => '!',
        "quest" => '?',
        "lpar" => '(',
        "rpar" => ')',
        "Tab" => '\t',
        "NewLine" => '\n',
        _ => return None,
    })
}

/// `text` as XML text or attribute value.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Whether the tags of `source` are well-formed XML.
pub(super) fn is_well_formed(source: &str) -> bool {
    source.contains('<') && scan(source, |_, _| {})
}

/// Whether `text` begins and ends like XML or HTML.
pub(super) fn looks_like_xml(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}').trim_ascii();
    let starts =
        text.strip_prefix('<').is_some_and(|rest| rest.starts_with(|char: char| char.is_ascii_alphabetic() || matches!(char, '?' | '!')));
    starts && text.ends_with('>')
}

/// Where the content of an XML text is: built on demand.
pub(super) struct Index {
    stretches: Vec<(Range<usize>, Style)>,
}

impl Index {
    /// The index of `source`.
    pub(super) fn of(source: &str) -> Self {
        let mut stretches = Vec::new();
        scan(source, |kind, range| {
            let style = match kind {
                Kind::Text | Kind::Attribute => Style::Xml,
                Kind::Cdata => Style::Cdata,
                Kind::Comment => Style::Comment,
            };
            if !range.is_empty() {
                stretches.push((range, style));
            }
        });
        Self { stretches }
    }

    /// What of `span` may be replaced: text, attribute values, CDATA and comments, but no markup.
    pub(super) fn slots(&self, span: Range<usize>) -> Vec<Slot> {
        let first = self.stretches.partition_point(|(range, _)| range.end <= span.start);
        let inside = self.stretches.iter().skip(first).take_while(|(range, _)| range.start < span.end);
        inside
            .map(|(range, style)| Slot { range: range.start.max(span.start)..range.end.min(span.end), role: Role::Value, style: *style })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn references_and_cdata_are_decoded() {
        let source = "<a b='x&#64;y'>p&amp;q<![CDATA[r&amp;<s>]]>t&commat;&unknown;</a><!-- c&amp; -->";
        let (text, map) = read(source);
        assert_eq!(text, "<a b='x@y'>p&qr&amp;<s>t@&unknown;</a><!-- c&amp; -->");
        let at = text.find("<s>").expect("s");
        assert_eq!(source.get(map.source_of(at..at + 3)), Some("<s>"));
        let at = text.find("x@y").expect("x");
        assert_eq!(source.get(map.source_of(at..at + 3)), Some("x&#64;y"));
    }

    #[test]
    fn entities_are_scanned_where_they_are_declared() {
        let source = "<!DOCTYPE a [<!ENTITY e \"secret>\">]><a>&e;</a>";
        assert_eq!(read(source).0, source);
        assert!(is_well_formed(source));
    }

    #[test]
    fn tags_must_match() {
        for text in ["<a/>", "<a><b x='>'/></a>", "<?xml version='1.0'?><a>x</a>", "<a><!-- <b> --></a>"] {
            assert!(is_well_formed(text), "{text}");
        }
        for text in ["<a>", "<a></b>", "</a>", "a < b", "<a", "text", "<a><![CDATA[x</a>"] {
            assert!(!is_well_formed(text), "{text}");
        }
    }

    #[test]
    fn markup_is_never_replaced() {
        let source = "<a b='c'>d<![CDATA[e]]><!--f--></a>";
        let slots = Index::of(source).slots(0..source.len());
        let texts: Vec<_> = slots.into_iter().map(|slot| &source[slot.range]).collect();
        assert_eq!(texts, ["c", "d", "e", "f"]);
    }

    proptest! {
        #[test]
        fn nothing_panics_and_nothing_is_lost(source in "(<|>|/|!--|-->|<!\\[CDATA\\[|\\]\\]>|&|amp;|#x41;|a|'|\"|=| |\\?|\\[|\\]){0,30}") {
            let (text, map) = read(&source);
            for (at, char) in text.char_indices() {
                prop_assert!(source.get(map.source_of(at..at + char.len_utf8())).is_some());
            }
            is_well_formed(&source);
            Index::of(&source).slots(0..source.len());
        }

        #[test]
        fn escape_and_read_are_inverse(text in "[^\\r]{0,40}") {
            let source = format!("<a>{}</a>", escape(&text));
            let read = read(&source).0.into_owned();
            prop_assert_eq!(read.as_str(), format!("<a>{text}</a>"));
            prop_assert!(is_well_formed(&source));
        }
    }
}
