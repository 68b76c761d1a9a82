//! Bytes to text and back: content codings, formats, and rewriting by splice.

use crate::{
    budget::Budget,
    finding::Gap,
    text::{Edit, OffsetMap, Place, Segment, Span, Syntax},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::borrow::Cow;

/// The text of a message, piece by piece, with the way back to its bytes.
#[derive(Debug)]
pub struct Document<'a> {
    segments: Vec<Segment<'a>>,
}

impl<'a> Document<'a> {
    /// One plain piece of text.
    pub fn plain(text: &'a str) -> Self {
        let segment = Segment { place: Place::Body, syntax: Syntax::Plain, text: Cow::Borrowed(text), map: OffsetMap::identity() };
        Self { segments: vec![segment] }
    }

    /// The pieces, in the order of the message.
    pub fn segments(&self) -> &[Segment<'a>] {
        &self.segments
    }

    /// The text of `span` in segment number `segment`.
    pub fn text(&self, segment: usize, span: Span) -> &str {
        self.segments.get(segment).map_or("", |segment| span.slice(&segment.text))
    }

    /// Where that is, for people.
    pub fn place(&self, _segment: usize, _span: Span) -> String {
        "body".to_owned()
    }

    /// The structural field whose value holds the span.
    pub fn field(&self, _segment: usize, _span: Span) -> Option<Field> {
        None
    }

    /// The parts of the message that `edits` change.
    ///
    /// # Errors
    /// [`RewriteError`] where the format or a signature does not allow it.
    pub fn rewrite(&self, _edits: &[Edit]) -> Result<Rewritten, RewriteError> {
        Err(RewriteError::Unsupported)
    }
}

/// A field of a structured body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its key.
    pub name: String,
    /// Whether the span asked about is the whole value.
    pub whole: bool,
}

/// What to send in place of the original parts; what is absent stays as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rewritten {
    /// Path and query.
    pub target: Option<String>,
    /// Header values.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: Option<Bytes>,
}

/// Why a message cannot be rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RewriteError {
    /// A signature or digest over the content would break.
    #[error("the request is signed, so it cannot be changed")]
    Signed,
    /// The format cannot be written.
    #[error("this format cannot be changed in place")]
    Unsupported,
}

/// Undoes `Content-Encoding`.
///
/// # Errors
/// The [`Gap`] that stops it.
pub fn decode(_headers: &HeaderMap, body: &Bytes, _budget: &mut Budget) -> Result<Bytes, Gap> {
    Ok(body.clone())
}

/// Reads the text out of a message.
pub fn extract<'a>(_target: &'a str, _headers: &'a HeaderMap, body: &'a Bytes, _budget: &mut Budget, _gaps: &mut Vec<Gap>) -> Document<'a> {
    Document::plain(std::str::from_utf8(body).unwrap_or_default())
}

/// Redoes `Content-Encoding` on a rewritten body.
///
/// # Errors
/// [`RewriteError`] where the coding cannot be written.
pub fn encode(_headers: &HeaderMap, rewritten: Rewritten) -> Result<Rewritten, RewriteError> {
    Ok(rewritten)
}
