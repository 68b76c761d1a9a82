//! A message as text: segments, and where each comes from.

use super::{
    charset::Charset,
    escape::{Role, Slot, Style},
    form, headers, json,
    place::{is_blank, readable},
    xml,
};
use crate::text::{OffsetMap, Place, Segment, Span, Syntax};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::{borrow::Cow, fmt, ops::Range, sync::OnceLock};

/// The text of a message, piece by piece, with the way back to its bytes.
pub struct Document<'a> {
    pub(super) segments: Vec<Segment<'a>>,
    /// One for each segment.
    pub(super) origins: Vec<Origin>,
    pub(super) containers: Vec<Container>,
    pub(super) input: Input<'a>,
}

impl fmt::Debug for Document<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("segments", &self.segments).finish_non_exhaustive()
    }
}

impl<'a> Document<'a> {
    /// One plain piece of text.
    pub fn plain(text: &'a str) -> Self {
        let input = Input { target: "", headers: None, header_values: Vec::new(), body: text.as_bytes() };
        let segment = Segment { place: Place::Body, syntax: Syntax::Plain, text: Cow::Borrowed(text), map: OffsetMap::identity() };
        let origin = Origin::new(Source::Body, 0..text.len(), Style::Plain, None, Access::ReadWrite);
        Self { segments: vec![segment], origins: vec![origin], containers: Vec::new(), input }
    }

    /// The pieces, in the order of the message.
    pub fn segments(&self) -> &[Segment<'a>] {
        &self.segments
    }

    /// The text of `span` in segment number `segment`.
    pub fn text(&self, segment: usize, span: Span) -> &str {
        self.segments.get(segment).map_or("", |segment| span.slice(&segment.text))
    }

    /// Where that is, for people: `$.messages[0].content`, `field "note"`, `url`, `header referer`, `part "cv.txt"`, `body`.
    /// Names that may themselves be confidential are not shown.
    pub fn place(&self, segment: usize, span: Span) -> String {
        let Some((segment, origin)) = self.segments.get(segment).zip(self.origins.get(segment)) else { return String::new() };
        let inner = match segment.syntax {
            Syntax::Json => self.json(origin).map(|index| index.path(self.bytes(origin), origin.local(segment.map.source(span)))),
            Syntax::UrlEncoded => {
                self.field_at(segment, origin, span).and_then(|(name, _)| Some(format!("field \"{}\"", readable(&name)?)))
            }
            Syntax::Plain | Syntax::Xml | Syntax::Raw => None,
        };
        match (&segment.place, inner) {
            (Place::Url, _) => "url".to_owned(),
            (Place::Header(name), _) => format!("header {name}"),
            (Place::Body, inner) => inner.unwrap_or_else(|| "body".to_owned()),
            (Place::Part(name), Some(inner)) => format!("part \"{name}\" {inner}"),
            (Place::Part(name), None) => format!("part \"{name}\""),
        }
    }

    /// The structural field whose value holds the span: a JSON member, a form field, a query parameter, a text part.
    pub fn field(&self, segment: usize, span: Span) -> Option<Field> {
        let (segment, origin) = self.segments.get(segment).zip(self.origins.get(segment))?;
        if let Some((name, whole)) = self.field_at(segment, origin, span) {
            return Some(Field { name, whole });
        }
        let name = origin.field.clone()?;
        let text = &segment.text;
        let blank = |range: Range<usize>| text.get(range).is_some_and(is_blank);
        Some(Field { name, whole: blank(0..span.start()) && blank(span.end()..text.len()) })
    }

    /// Where in its text the strings of a JSON segment stand, without keys and quotes; none for other segments.
    pub fn strings(&self, segment: usize) -> Vec<Range<usize>> {
        let Some((segment, origin)) = self.segments.get(segment).zip(self.origins.get(segment)) else { return Vec::new() };
        let text = |local: usize| segment.map.text_of(origin.range.start + local);
        let whole = |range: &Range<usize>| segment.text.get(range.clone()).is_some();
        let strings = self.json(origin).into_iter().flat_map(json::Index::strings);
        strings.map(|inside| text(inside.start)..text(inside.end)).filter(whole).collect()
    }

    fn field_at(&self, segment: &Segment<'_>, origin: &Origin, span: Span) -> Option<(String, bool)> {
        let range = origin.local(segment.map.source(span));
        match origin.structure {
            Structure::Json(_) => self.json(origin)?.field(self.bytes(origin), range),
            Structure::Form(kind, _) => form::field(std::str::from_utf8(self.bytes(origin)).ok()?, kind, range),
            Structure::Xml(_) | Structure::None(_) => None,
        }
    }

    /// What of the source bytes `range` may be replaced, in offsets of the source.
    pub(super) fn slots(&self, origin: &Origin, range: Range<usize>) -> Vec<Slot> {
        let local = origin.local(range.clone());
        let text = || std::str::from_utf8(self.bytes(origin)).ok();
        let slots = match &origin.structure {
            Structure::None(style) => return vec![Slot { range, role: Role::Value, style: *style }],
            Structure::Json(_) => self.json(origin).map(|index| index.slots(local)).unwrap_or_default(),
            Structure::Form(kind, charset) => text().map(|text| form::slots(text, *kind, *charset, local)).unwrap_or_default(),
            Structure::Xml(index) => text().map(|text| index.get_or_init(|| xml::Index::of(text)).slots(local)).unwrap_or_default(),
        };
        let shift = |slot: Slot| Slot { range: slot.range.start + origin.range.start..slot.range.end + origin.range.start, ..slot };
        slots.into_iter().map(shift).collect()
    }

    fn json<'o>(&self, origin: &'o Origin) -> Option<&'o json::Index> {
        let Structure::Json(index) = &origin.structure else { return None };
        index.get_or_init(|| std::str::from_utf8(self.bytes(origin)).ok().and_then(json::Index::of)).as_ref()
    }

    /// The bytes that `origin` was read from.
    fn bytes(&self, origin: &Origin) -> &[u8] {
        self.source(origin.source).get(origin.range.clone()).unwrap_or_default()
    }

    pub(super) fn source(&self, source: Source) -> &[u8] {
        match source {
            Source::Target => self.input.target.as_bytes(),
            Source::Header(index) => self.input.header_values.get(index).map_or(&[], |(_, value)| value.as_bytes()),
            Source::Body => self.input.body,
            Source::Container(index) => self.containers.get(index).map_or(&[], |container| container.bytes.as_slice()),
        }
    }
}

/// A field of a structured body.
#[derive(Clone, PartialEq, Eq)]
pub struct Field {
    /// Its key.
    pub name: String,
    /// Whether the span asked about is the whole value.
    pub whole: bool,
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Field").field("name", &readable(&self.name)).field("whole", &self.whole).finish()
    }
}

/// The message that a document was read from.
pub(super) struct Input<'a> {
    pub(super) target: &'a str,
    pub(super) headers: Option<&'a HeaderMap>,
    /// Those that are read.
    pub(super) header_values: Vec<(&'a HeaderName, &'a HeaderValue)>,
    pub(super) body: &'a [u8],
}

impl<'a> Input<'a> {
    pub(super) fn new(target: &'a str, headers: &'a HeaderMap, body: &'a [u8]) -> Self {
        Self { target, headers: Some(headers), header_values: headers::readable(headers), body }
    }
}

/// Some bytes that segments are read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    Target,
    /// Index into the header values.
    Header(usize),
    Body,
    /// Index into the containers.
    Container(usize),
}

/// Bytes that were decoded from others: a part's base64, another charset, a compressed file.
pub(super) struct Container {
    pub(super) parent: Source,
    /// Where in the parent.
    pub(super) range: Range<usize>,
    pub(super) bytes: Vec<u8>,
    pub(super) wrapping: Wrapping,
}

/// How a container's bytes were decoded, and so how they are written back.
pub(super) enum Wrapping {
    /// From another charset; a change is mapped to the parent and encoded.
    Charset(Charset, OffsetMap),
    /// From quoted-printable; likewise.
    QuotedPrintable(OffsetMap),
    /// From base64; written anew as a whole.
    Base64,
    /// Cannot be written.
    ReadOnly,
}

/// Where a segment comes from.
pub(super) struct Origin {
    pub(super) source: Source,
    /// The document or text that the segment is, as a range of the source.
    pub(super) range: Range<usize>,
    pub(super) structure: Structure,
    /// The field whose value the whole segment is.
    pub(super) field: Option<String>,
    pub(super) access: Access,
}

impl Origin {
    pub(super) fn new(source: Source, range: Range<usize>, style: Style, field: Option<String>, access: Access) -> Self {
        Self { source, range, structure: Structure::None(style), field, access }
    }

    /// A range of the source as one of the origin's own.
    fn local(&self, range: Range<usize>) -> Range<usize> {
        range.start.saturating_sub(self.range.start)..range.end.saturating_sub(self.range.start)
    }
}

/// What is known about the inside of a segment; indexes are built when somebody asks.
pub(super) enum Structure {
    /// Nothing; written in one style.
    None(Style),
    /// Valid JSON.
    Json(OnceLock<Option<json::Index>>),
    /// A urlencoded form or URL in a charset.
    Form(form::Kind, Charset),
    /// XML or HTML.
    Xml(OnceLock<xml::Index>),
}

/// Whether a segment's source can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    ReadWrite,
    ReadOnly,
}
