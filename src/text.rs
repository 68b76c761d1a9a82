//! Text and places in it: the leaf types that every stage of inspection shares.
//!
//! Text is UTF-8 and offsets are bytes. What was changed on the way from a body to its text (an escape decoded, a
//! charset converted, a full-width digit folded) is remembered in an [`OffsetMap`], so that a finding always leads
//! back to the bytes that the client sent.

use std::{borrow::Cow, ops::Range};

/// A non-empty half-open byte range `start..end` of some text, on character borders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    start: usize,
    end: usize,
}

impl Span {
    /// The span `start..end` of `text`; `None` if it is empty, outside, or cuts a character.
    pub fn of(text: &str, start: usize, end: usize) -> Option<Self> {
        (start < end && text.is_char_boundary(start) && text.is_char_boundary(end)).then_some(Self { start, end })
    }

    /// First byte.
    pub fn start(self) -> usize {
        self.start
    }

    /// One past the last byte.
    pub fn end(self) -> usize {
        self.end
    }

    /// The span as a range, to slice with.
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }

    /// The text that the span covers; empty if `text` is not the text it was made of.
    pub fn slice(self, text: &str) -> &str {
        text.get(self.range()).unwrap_or_default()
    }

    /// Whether the two share a byte.
    pub fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// The smallest span that covers both.
    pub fn union(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// Whether `other` lies wholly inside.
    pub fn covers(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

/// Where in a message some text was found.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// Path and query of the target.
    Url,
    /// A request header, by lower-case name.
    Header(String),
    /// The body, or the whole text of a file.
    Body,
    /// A part of a compound body: a form field, a multipart part, an archive member. Holds its name.
    Part(String),
}

/// How a [`Segment`]'s text stands in its source: what a replacement must be escaped for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Syntax {
    /// Nothing is special.
    Plain,
    /// A JSON document; strings are unescaped in the text.
    Json,
    /// `application/x-www-form-urlencoded`, or the path and query of a URL.
    UrlEncoded,
    /// XML or HTML; character references are decoded in the text.
    Xml,
}

/// A piece of text read out of a message, with the way back to its bytes.
#[derive(Clone, Debug)]
pub struct Segment<'a> {
    /// Where it comes from.
    pub place: Place,
    /// What it is a piece of.
    pub syntax: Syntax,
    /// The decoded text.
    pub text: Cow<'a, str>,
    /// From offsets of `text` to offsets of the source: the decoded body, the URL, or the header's value.
    pub map: OffsetMap,
}

/// Replace `span` of segment number `segment` by `replacement`, given as plain text: escaping is the content layer's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Index into the document's segments.
    pub segment: usize,
    /// What to replace, in the segment's text.
    pub span: Span,
    /// What to put there.
    pub replacement: String,
}

/// A monotone map from the bytes of a text to the bytes of the source it was made of.
///
/// Text and source are cut into the same number of pieces: *copied* ones, equal byte for byte, and *replaced* ones,
/// where some source bytes (an escape, perhaps none) stand for some text bytes as a whole. Only the borders are stored, so
/// a megabyte with three escapes costs seven entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OffsetMap {
    /// Empty for the identity.
    pieces: Vec<Piece>,
    text_len: usize,
    source_len: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    text: usize,
    source: usize,
    copied: bool,
}

impl OffsetMap {
    /// The map of a text that is its source.
    pub fn identity() -> Self {
        Self::default()
    }

    /// An empty map whose first piece begins at source offset `source`; grow it with [`copied`](Self::copied) and
    /// [`replaced`](Self::replaced).
    pub fn starting_at(source: usize) -> Self {
        Self { pieces: vec![Piece { text: 0, source, copied: true }], text_len: 0, source_len: source }
    }

    /// `len` bytes follow that are the same in both.
    pub fn copied(&mut self, len: usize) {
        if len > 0 {
            self.grow(len, len, true);
        }
    }

    /// `source` bytes follow that became `text` bytes; either may be 0.
    pub fn replaced(&mut self, text: usize, source: usize) {
        if text > 0 || source > 0 {
            self.grow(text, source, false);
        }
    }

    fn grow(&mut self, text: usize, source: usize, copied: bool) {
        match self.pieces.last_mut() {
            Some(last) if last.copied && copied => {}
            Some(last) if last.text == self.text_len && last.source == self.source_len => last.copied = copied,
            _ => self.pieces.push(Piece { text: self.text_len, source: self.source_len, copied }),
        }
        self.text_len += text;
        self.source_len += source;
    }

    /// Whether text and source are the same.
    pub fn is_identity(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The source bytes that `span` of the text stands for: the smallest range of whole pieces' bytes that holds it.
    pub fn source(&self, span: Span) -> Range<usize> {
        if self.is_identity() {
            return span.range();
        }
        let first = self.piece_at(span.start);
        let last = self.piece_at(span.end - 1);
        let start = match self.pieces.get(first) {
            Some(piece) if piece.copied => piece.source + (span.start - piece.text),
            Some(piece) => piece.source,
            None => 0,
        };
        let end = match self.pieces.get(last) {
            Some(piece) if piece.copied => piece.source + (span.end - piece.text),
            Some(_) => self.pieces.get(last + 1).map_or(self.source_len, |next| next.source),
            None => self.source_len,
        };
        start..end.max(start)
    }

    /// Index of the last piece that begins at or before text offset `at` and is not empty there.
    fn piece_at(&self, at: usize) -> usize {
        self.pieces.partition_point(|piece| piece.text <= at).saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_never_empty_and_never_cuts_a_character() {
        assert!(Span::of("abc", 1, 1).is_none());
        assert!(Span::of("中文", 0, 2).is_none());
        assert!(Span::of("abc", 1, 9).is_none());
        assert_eq!(Span::of("中文", 3, 6).map(|span| span.slice("中文")), Some("文"));
    }

    #[test]
    fn a_replaced_piece_maps_as_a_whole() {
        // source: ab\u0041cd   text: abAcd
        let mut map = OffsetMap::starting_at(0);
        map.copied(2);
        map.replaced(1, 6);
        map.copied(2);
        let text = "abAcd";
        let source = |start, end| map.source(Span::of(text, start, end).expect("span"));
        assert_eq!(source(0, 2), 0..2);
        assert_eq!(source(2, 3), 2..8);
        assert_eq!(source(1, 4), 1..9);
        assert_eq!(source(4, 5), 9..10);
    }

    #[test]
    fn dropped_source_bytes_belong_to_neither_neighbour_unless_between() {
        // source: 1<zwsp>2   text: 12
        let mut map = OffsetMap::starting_at(10);
        map.copied(1);
        map.replaced(0, 3);
        map.copied(1);
        let source = |start, end| map.source(Span::of("12", start, end).expect("span"));
        assert_eq!(source(0, 1), 10..11);
        assert_eq!(source(1, 2), 14..15);
        assert_eq!(source(0, 2), 10..15);
    }
}
