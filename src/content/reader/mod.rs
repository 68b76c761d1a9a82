//! Which format some bytes are in, and their text into the document.
//!
//! A declared type is a hint and never trusted alone: a form that holds JSON is read as JSON, JSON that does not parse is
//! also read as plain text, and what declares nothing is sniffed.

mod compound;
mod heads;

use super::{
    charset::{self, Charset, Label},
    document::{Access, Container, Document, Input, Origin, Source, Structure, Wrapping},
    escape::Style,
    form, git, json, magic,
    magic::Magic,
    media_type::MediaType,
    multipart, raw,
    stream::Batch,
    xml,
};
use crate::{
    budget::Budget,
    finding::Gap,
    text::{OffsetMap, Place, Segment, Syntax},
};
use http::{
    HeaderMap,
    header::{CONTENT_TYPE, HeaderName},
};
use std::{borrow::Cow, ops::Range, sync::OnceLock};

/// Reads a whole message; what could not be read is appended to `gaps`.
pub(super) fn read_message<'a>(
    target: &'a str,
    headers: &'a HeaderMap,
    body: &'a [u8],
    budget: &mut Budget,
    gaps: &mut Vec<Gap>,
) -> Document<'a> {
    let input = Input::new(target, headers, body);
    let header_values = input.header_values.clone();
    let mut document = Document { segments: Vec::new(), origins: Vec::new(), containers: Vec::new(), input };
    let mut reader = Reader { document: &mut document, budget, gaps, headers };
    reader.read_url(Place::Url, Source::Target, target);
    for (index, (name, value)) in header_values.into_iter().enumerate() {
        reader.read_header(index, name, value.as_bytes());
    }
    let hint = MediaType::parse(&reader.header(&CONTENT_TYPE));
    reader.read(&Content {
        source: Source::Body,
        offset: 0,
        bytes: body,
        keep: std::convert::identity,
        place: Place::Body,
        hint,
        field: None,
        access: Access::ReadWrite,
    });
    document
}

/// Reads a batch of a streamed body.
pub(super) fn read_batch<'a>(batch: &'a Batch, headers: &'a HeaderMap, budget: &mut Budget, gaps: &mut Vec<Gap>) -> Document<'a> {
    let input = Input { target: "", headers: None, header_values: Vec::new(), body: &batch.text };
    let mut document = Document { segments: Vec::new(), origins: Vec::new(), containers: Vec::new(), input };
    let mut reader = Reader { document: &mut document, budget, gaps, headers };
    let all = Content {
        source: Source::Body,
        offset: 0,
        bytes: &batch.text,
        keep: std::convert::identity,
        place: Place::Body,
        hint: MediaType::default(),
        field: None,
        access: Access::ReadOnly,
    };
    for piece in &batch.pieces {
        reader.read_piece(&all, piece);
    }
    document
}

/// Reads content into a document, on a budget.
struct Reader<'r, 'a> {
    document: &'r mut Document<'a>,
    budget: &'r mut Budget,
    gaps: &'r mut Vec<Gap>,
    headers: &'r HeaderMap,
}

/// Some bytes to read.
struct Content<'b, 'a> {
    source: Source,
    /// Where in the source they begin.
    offset: usize,
    bytes: &'b [u8],
    /// How text borrowed from them gets into the document: as it is, or, from a container, as a copy.
    keep: fn(Cow<'b, str>) -> Cow<'a, str>,
    place: Place,
    hint: MediaType,
    /// The field whose value they are.
    field: Option<String>,
    access: Access,
}

impl<'b, 'a> Content<'b, 'a> {
    /// A piece of it, of another type.
    fn piece(&self, range: Range<usize>, hint: MediaType) -> Self {
        let bytes = self.bytes.get(range.clone()).unwrap_or_default();
        Self { offset: self.offset + range.start, bytes, place: self.place.clone(), hint, field: self.field.clone(), ..*self }
    }
}

/// More pieces than any honest message has. Each costs some hundred bytes beside its text.
const MAX_SEGMENTS: usize = 1 << 16;

impl<'a> Reader<'_, 'a> {
    fn gap(&mut self, gap: Gap) {
        if !self.gaps.contains(&gap) {
            self.gaps.push(gap);
        }
    }

    /// The value of a header, empty if it is absent.
    fn header(&self, name: &HeaderName) -> Cow<'_, str> {
        self.headers.get(name).map_or("".into(), |value| String::from_utf8_lossy(value.as_bytes()))
    }

    /// Reads `content` in whatever format it is.
    fn read<'b>(&mut self, content: &Content<'b, 'a>) {
        let bytes = content.bytes;
        if bytes.is_empty() {
            return;
        }
        if magic::is_encrypted(bytes) {
            self.gap(Gap::Encrypted);
        }
        if content.hint.is_git_push() {
            return self.read_push(content);
        }
        if content.hint.is_git_fetch() && git::is_lines(bytes) {
            return self.read_raw(content, raw::SHORTEST); // no language
        }
        if let Some(boundary) = content.hint.boundary().or_else(|| multipart::sniff(bytes)) {
            return self.read_multipart(content, boundary);
        }
        if let Some(kind) = content.hint.grpc() {
            return self.read_grpc(content, kind);
        }
        match std::str::from_utf8(bytes) {
            Ok(text) if memchr::memchr(0, bytes).is_none() && !self.shifts(content) => self.read_text(content, text),
            _ => match magic::of(bytes) {
                Some(Magic::Media) => {
                    self.gap(Gap::Media);
                    self.read_raw(content, raw::SHORTEST_IN_MEDIA);
                }
                Some(Magic::Zip) => self.read_zip(content),
                Some(Magic::Stream(coding)) => self.read_stream(content, coding),
                None => self.read_other_charset(content),
            },
        }
    }

    /// Whether the declared charset gives ASCII bytes another meaning; one that we cannot undo is a gap.
    fn shifts(&mut self, content: &Content<'_, 'a>) -> bool {
        let Some(label) = content.hint.charset() else { return false };
        match Charset::parse(label) {
            Label::Known(Charset::Legacy(encoding)) => {
                encoding == encoding_rs::ISO_2022_JP && memchr::memchr(0x1b, content.bytes).is_some()
            }
            Label::Known(_) => false,
            Label::Unknown => {
                let label = label.to_ascii_lowercase();
                let shifting = ["utf-7", "unicode-1-1-utf-7", "utf7", "hz", "iso-2022", "ibm", "cp037", "ebcdic", "scsu", "bocu"];
                if shifting.iter().any(|prefix| label.starts_with(prefix)) {
                    self.gap(Gap::UnknownEncoding);
                }
                false
            }
        }
    }

    fn read_other_charset<'b>(&mut self, content: &Content<'b, 'a>) {
        let declared = content.hint.charset();
        let Some(charset) = Charset::of_text(content.bytes, declared) else {
            return self.read_raw(content, raw::SHORTEST);
        };
        if declared.is_some_and(|label| matches!(Charset::parse(label), Label::Unknown)) {
            self.gap(Gap::UnknownEncoding);
        }
        let (text, map) = charset::decode(content.bytes, charset);
        if self.spend(text.len(), content.bytes.len()) {
            let wrapping = Wrapping::Charset(charset, map.shifted(content.offset));
            self.within(content, text.into_bytes(), wrapping, |reader, inside| {
                if let Ok(text) = std::str::from_utf8(inside.bytes) {
                    reader.read_text(inside, text);
                }
            });
        } else {
            self.read_raw(content, raw::SHORTEST);
        }
    }

    /// Reads UTF-8 text in whatever format it is.
    fn read_text<'b>(&mut self, content: &Content<'b, 'a>, text: &'b str) {
        let hint = &content.hint;
        let first = text.trim_start_matches('\u{feff}').trim_ascii_start().bytes().next();
        let like_json = matches!(first, Some(b'{' | b'[' | 0x1e));
        if (like_json || hint.is_json()) && json::is_valid(text) {
            let (decoded, map) = json::unescape(text);
            return self.add(content, Syntax::Json, decoded, map, Structure::Json(OnceLock::new()));
        }
        if hint.is_json() && first.is_some() {
            self.gap(Gap::Malformed);
        }
        if form::looks_like_form(text) && form::has_escapes(text)
            || hint.is_form() && (form::looks_like_form(text) || !text.contains([' ', '\n']))
        {
            let (decoded, map, charset) = form::read(text, form::Kind::Form, hint.charset());
            return self.add(content, Syntax::UrlEncoded, decoded, map, Structure::Form(form::Kind::Form, charset));
        }
        if xml::looks_like_xml(text) || hint.is_xml() || hint.is_html() && text.contains('<') {
            if hint.is_xml() && !xml::is_well_formed(text) {
                self.gap(Gap::Malformed);
            }
            let (decoded, map) = xml::read(text);
            return self.add(content, Syntax::Xml, decoded, map, Structure::Xml(OnceLock::new()));
        }
        if like_json || hint.is_json() {
            // A lenient receiver may still decode the escapes.
            let (decoded, map) = json::unescape(text);
            if let Cow::Owned(_) = decoded {
                self.add(content, Syntax::Json, decoded, map, Structure::None(Style::JsonString));
            }
            return self.add_plain(content, text, Style::JsonString);
        }
        self.add_plain(content, text, Style::Plain);
    }

    fn add_plain<'b>(&mut self, content: &Content<'b, 'a>, text: &'b str, style: Style) {
        let mut map = OffsetMap::identity();
        map.copied(text.len());
        self.add(content, Syntax::Plain, text.into(), map, Structure::None(style));
    }

    /// Reads the printable runs of `content`, which cannot be written.
    fn read_raw<'b>(&mut self, content: &Content<'b, 'a>, shortest: usize) {
        let (text, map) = raw::runs(content.bytes, shortest);
        let content = Content { access: Access::ReadOnly, ..content.piece(0..content.bytes.len(), MediaType::default()) };
        self.add(&content, Syntax::Raw, text.into(), map, Structure::None(Style::Plain));
    }

    /// Appends a segment: all of `content` as `text`.
    fn add<'b>(&mut self, content: &Content<'b, 'a>, syntax: Syntax, text: Cow<'b, str>, map: OffsetMap, structure: Structure) {
        if text.is_empty() {
            return;
        }
        if self.document.segments.len() >= MAX_SEGMENTS {
            return self.gap(Gap::TooLarge);
        }
        let range = content.offset..content.offset + content.bytes.len();
        self.document.segments.push(Segment {
            place: content.place.clone(),
            syntax,
            text: (content.keep)(text),
            map: map.shifted(content.offset),
        });
        self.document.origins.push(Origin {
            source: content.source,
            range,
            structure,
            field: content.field.clone(),
            access: content.access,
        });
    }

    /// Makes `bytes`, decoded from all of `content`, a container and lets `read` read it.
    fn within<'b>(
        &mut self,
        content: &Content<'b, 'a>,
        bytes: Vec<u8>,
        wrapping: Wrapping,
        read: impl FnOnce(&mut Self, &Content<'_, 'a>),
    ) {
        let index = self.document.containers.len();
        let access = match wrapping {
            Wrapping::ReadOnly => Access::ReadOnly,
            Wrapping::Charset(..) | Wrapping::QuotedPrintable(_) | Wrapping::Base64 => content.access,
        };
        let range = content.offset..content.offset + content.bytes.len();
        self.document.containers.push(Container { parent: content.source, range, bytes: Vec::new(), wrapping });
        read(
            self,
            &Content {
                source: Source::Container(index),
                offset: 0,
                bytes: &bytes,
                keep: |text| Cow::Owned(text.into_owned()),
                place: content.place.clone(),
                hint: content.hint.clone(),
                field: content.field.clone(),
                access,
            },
        );
        if let Some(container) = self.document.containers.get_mut(index) {
            container.bytes = bytes;
        }
    }

    /// Lets `read` read something one level deeper; too deep is a gap, and `content` is then read raw.
    fn deeper<'b>(&mut self, content: &Content<'b, 'a>, read: impl FnOnce(&mut Reader<'_, 'a>)) {
        let Self { document, budget, gaps, headers } = self;
        let result = budget.deeper(|budget| {
            read(&mut Reader { document, budget, gaps, headers });
            Ok(())
        });
        if let Err(gap) = result {
            self.gap(gap);
            self.read_raw(content, raw::SHORTEST);
        }
    }

    /// Whether the budget has `produced` bytes for something decoded from `source` bytes; otherwise that is a gap.
    fn spend(&mut self, produced: usize, source: usize) -> bool {
        match self.budget.spend(produced, produced, source) {
            Ok(()) => true,
            Err(gap) => {
                self.gap(gap);
                false
            }
        }
    }
}
