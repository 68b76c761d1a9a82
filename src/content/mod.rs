//! Bytes to text and back: content codings, formats, and rewriting by splice.
//!
//! [`decode`] undoes the `Content-Encoding`. [`extract`] reads the text out of a message: a [`Document`] of segments, each
//! with a map back to the bytes it was read from. [`Document::rewrite`] splices replacements into those bytes, escaped as
//! their place demands, and [`encode`] codes the body again. What could not be read is a [`Gap`].
//!
//! A file for every format (`json`, `form`, `xml`, `multipart`, `archive`, `git`, `grpc`, `raw`) knows that format and nothing
//! else; `reader` decides which one it is, and `rewrite` is the same for all. A body that is not held in memory comes through a
//! [`Stream`], batch by batch.

mod archive;
mod charset;
mod document;
mod encoding;
mod escape;
mod form;
mod git;
mod grpc;
mod headers;
mod json;
mod magic;
mod media_type;
mod multipart;
mod place;
mod raw;
mod reader;
mod rewrite;
mod signed;
mod stream;
mod transfer;
mod xml;

#[cfg(test)]
mod tests;

pub use self::{
    document::{Document, Field},
    encoding::{Decoder, decode, encode},
    headers::READ as HEADERS_READ,
    rewrite::{RewriteError, Rewritten},
    stream::{Batch, Stream},
};

use crate::{budget::Budget, finding::Gap};
use bytes::Bytes;
use http::HeaderMap;

/// Reads the text out of a message: its `target` (path and query), the [headers that carry text](HEADERS_READ), and the
/// `body` without its `Content-Encoding`. What could not be read is appended to `gaps`.
pub fn extract<'a>(target: &'a str, headers: &'a HeaderMap, body: &'a Bytes, budget: &mut Budget, gaps: &mut Vec<Gap>) -> Document<'a> {
    reader::read_message(target, headers, body, budget, gaps)
}

/// Reads the text out of a batch of a [`Stream`]; none of it can be written.
pub fn extract_batch<'a>(batch: &'a Batch, headers: &'a HeaderMap, budget: &mut Budget, gaps: &mut Vec<Gap>) -> Document<'a> {
    reader::read_batch(batch, headers, budget, gaps)
}
