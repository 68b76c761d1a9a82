//! Text and places in it: the leaf types that every stage of inspection shares.
//!
//! Text is UTF-8 and offsets are bytes. What was changed on the way from a body to its text (an escape decoded, a
//! charset converted, a full-width digit folded) is remembered in an [`OffsetMap`], so that a finding always leads
//! back to the bytes that the client sent.

use std::{borrow::Cow, fmt, ops::Range};

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

    /// What is left before and behind `other`, which belongs to the same text.
    pub fn without(self, other: Self) -> [Option<Self>; 2] {
        let part = |start: usize, end: usize| (start < end).then_some(Self { start, end });
        [part(self.start, self.end.min(other.start)), part(self.start.max(other.end), self.end)]
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
    /// The printable runs of bytes of no known format: much of it is noise.
    Raw,
}

/// A piece of text read out of a message, with the way back to its bytes.
#[derive(Clone)]
pub struct Segment<'a> {
    /// Where it comes from.
    pub place: Place,
    /// What it is a piece of.
    pub syntax: Syntax,
    /// The decoded text.
    pub text: Cow<'a, str>,
    /// From offsets of `text` to offsets of what it was read from: the decoded body, the URL, the header's value, or a
    /// decoded part of the body.
    pub map: OffsetMap,
}

impl fmt::Debug for Segment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never the text: it may be what must not be logged.
        f.debug_struct("Segment").field("place", &self.place).field("syntax", &self.syntax).field("len", &self.text.len()).finish()
    }
}

/// Replace `span` of segment number `segment` by `replacement`, given as plain text: escaping is the content layer's.
#[derive(Clone, PartialEq, Eq)]
pub struct Edit {
    /// Index into the document's segments.
    pub segment: usize,
    /// What to replace, in the segment's text.
    pub span: Span,
    /// What to put there.
    pub replacement: String,
}

impl fmt::Debug for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never the replacement: a mask shows some of the text.
        f.debug_struct("Edit").field("segment", &self.segment).field("span", &self.span).finish_non_exhaustive()
    }
}

/// A monotone map from the bytes of a text to the bytes of the source it was made of.
///
/// Text and source are equal byte for byte except for *replaced* pieces, where some source bytes (an escape, perhaps
/// none) stand for some text bytes (perhaps none) as a whole. Only these are stored, so a megabyte with three escapes
/// costs three entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OffsetMap {
    /// Source offset of the first byte; the pieces count from there.
    base: usize,
    replaced: Vec<Replaced>,
    /// Lengths so far, while the map grows.
    text_len: usize,
    source_len: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Replaced {
    text: usize,
    text_len: usize,
    source: usize,
    source_len: usize,
}

impl OffsetMap {
    /// The map of a text that is its source.
    pub fn identity() -> Self {
        Self::default()
    }

    /// An empty map whose first byte stands at source offset `source`; grow it with [`copied`](Self::copied) and
    /// [`replaced`](Self::replaced).
    pub fn starting_at(source: usize) -> Self {
        Self { base: source, ..Self::default() }
    }

    /// `len` bytes follow that stand for one another byte for byte.
    pub fn copied(&mut self, len: usize) {
        self.text_len += len;
        self.source_len += len;
    }

    /// `source` bytes follow that became `text` bytes; either may be 0.
    pub fn replaced(&mut self, text: usize, source: usize) {
        if text > 0 || source > 0 {
            self.replaced.push(Replaced { text: self.text_len, text_len: text, source: self.source_len, source_len: source });
            self.text_len += text;
            self.source_len += source;
        }
    }

    /// Whether text and source are the same.
    pub fn is_identity(&self) -> bool {
        self.base == 0 && self.replaced.is_empty()
    }

    /// The same map into a source that has `offset` more bytes in front.
    #[must_use]
    pub fn shifted(mut self, offset: usize) -> Self {
        self.base += offset;
        self
    }

    /// The source bytes that `span` of the text stands for: the smallest range of whole pieces' bytes that holds it.
    pub fn source(&self, span: Span) -> Range<usize> {
        self.source_of(span.range())
    }

    /// As [`source`](Self::source), for a range that may be empty or cut characters.
    pub fn source_of(&self, text: Range<usize>) -> Range<usize> {
        let start = match self.at(text.start) {
            Some(piece) if text.start < piece.text + piece.text_len => piece.source,
            Some(piece) => piece.source + piece.source_len + (text.start - piece.text - piece.text_len),
            None => text.start,
        };
        let Some(last) = text.end.checked_sub(1).filter(|last| *last >= text.start) else {
            return self.base + start..self.base + start;
        };
        let end = match self.at(last) {
            Some(piece) if last < piece.text + piece.text_len => piece.source + piece.source_len,
            Some(piece) => piece.source + piece.source_len + (text.end - piece.text - piece.text_len),
            None => text.end,
        };
        self.base + start..self.base + end.max(start)
    }

    /// Where in the text the source offset `source` stands; inside of a replaced piece, where that begins.
    pub fn text_of(&self, source: usize) -> usize {
        let source = source.saturating_sub(self.base);
        let before =
            self.replaced.partition_point(|piece| piece.source <= source).checked_sub(1).and_then(|index| self.replaced.get(index));
        match before {
            Some(piece) if source < piece.source + piece.source_len => piece.text,
            Some(piece) => piece.text + piece.text_len + (source - piece.source - piece.source_len),
            None => source,
        }
    }

    /// The last replaced piece that begins at or before text offset `at`.
    fn at(&self, at: usize) -> Option<&Replaced> {
        self.replaced.partition_point(|piece| piece.text <= at).checked_sub(1).and_then(|index| self.replaced.get(index))
    }

    /// The map from this map's text to the source of `inner`, whose text is this map's source.
    #[must_use]
    pub fn through(&self, inner: &Self) -> Self {
        let mut composed = Self::starting_at(inner.base);
        let mut middle = self.base;
        for piece in &self.replaced {
            composed.copy_through(inner, middle..self.base + piece.source);
            middle = self.base + piece.source + piece.source_len;
            let end = inner.source_of(self.base + piece.source..middle).end - inner.base;
            let source_len = if piece.source_len == 0 { 0 } else { end.saturating_sub(composed.source_len) };
            composed.replaced(piece.text_len, source_len);
        }
        composed.copy_through(inner, middle..self.base + self.source_len);
        composed
    }

    /// Appends what `inner` makes of its text `range`.
    fn copy_through(&mut self, inner: &Self, range: Range<usize>) {
        let mut at = range.start;
        let first = inner.replaced.partition_point(|piece| piece.text + piece.text_len <= range.start && piece.text < range.start);
        for piece in inner.replaced.iter().skip(first).take_while(|piece| piece.text < range.end) {
            self.copied(piece.text.saturating_sub(at));
            let text_end = (piece.text + piece.text_len).min(range.end);
            let source_len = (piece.source + piece.source_len).saturating_sub(self.source_len);
            self.replaced(text_end.saturating_sub(piece.text.max(at)), source_len);
            at = text_end.max(at);
        }
        self.copied(range.end.saturating_sub(at));
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
        assert_eq!([0, 2, 5, 8, 9, 10].map(|source| map.text_of(source)), [0, 2, 2, 3, 4, 5]);
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

    #[test]
    fn maps_compose() {
        // source: x%41%42y   middle: xABy   text: x(AB as one)yz? -> the middle's AB became Q
        let mut inner = OffsetMap::starting_at(5);
        inner.copied(1);
        inner.replaced(1, 3);
        inner.replaced(1, 3);
        inner.copied(1);
        let mut outer = OffsetMap::starting_at(0);
        outer.copied(1);
        outer.replaced(1, 2);
        outer.copied(1);
        let both = outer.through(&inner);
        assert_eq!(both.source_of(0..1), 5..6);
        assert_eq!(both.source_of(1..2), 6..12);
        assert_eq!(both.source_of(2..3), 12..13);
        let mut copy = OffsetMap::identity();
        copy.copied(4);
        assert_eq!(copy.through(&inner), inner);
    }

    #[test]
    fn debug_output_holds_no_text() {
        let segment = Segment { place: Place::Body, syntax: Syntax::Plain, text: "s3cret".into(), map: OffsetMap::identity() };
        let span = Span::of("s3cret", 0, 6).expect("span");
        let edit = Edit { segment: 0, span, replacement: "s3c***".to_owned() };
        assert!(!format!("{segment:?}{edit:?}").contains("s3c"));
    }
}
