//! Rewriting by splice: replacements go into the very bytes that they are for, and all others stay as they are.

use super::{
    document::{Access, Container, Document, Source, Wrapping},
    escape::{Role, Slot},
    signed, transfer,
};
use crate::text::Edit;
use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use std::{collections::BTreeMap, fmt, ops::Range};

/// What to send in place of the original parts; what is absent stays as it was.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Rewritten {
    /// Path and query.
    pub target: Option<String>,
    /// Header values. Where a name occurs several times in the message, all its values are here, in order.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: Option<Bytes>,
}

impl fmt::Debug for Rewritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never the content: what was not redacted is still the user's.
        f.debug_struct("Rewritten")
            .field("target", &self.target.as_ref().map(String::len))
            .field("headers", &self.headers.len())
            .field("body", &self.body.as_ref().map(Bytes::len))
            .finish()
    }
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

impl Document<'_> {
    /// The parts of the message that `edits` change. Edits that overlap or touch are merged; one that reaches across
    /// tokens (two JSON strings, a tag) is cut to what can be replaced without breaking the syntax.
    ///
    /// # Errors
    /// [`RewriteError`] where the format or a signature does not allow it.
    pub fn rewrite(&self, edits: &[Edit]) -> Result<Rewritten, RewriteError> {
        let mut splices: BTreeMap<Source, Vec<Splice>> = BTreeMap::new();
        for edit in edits {
            let (source, new) = self.splices(edit)?;
            splices.entry(source).or_default().extend(new);
        }
        // A container is made after the one that it lies in.
        for (index, container) in self.containers.iter().enumerate().rev() {
            if let Some(inner) = splices.remove(&Source::Container(index)) {
                let original = self.source(container.parent).get(container.range.clone()).unwrap_or_default();
                splices.entry(container.parent).or_default().extend(container.wrap(original, merge(inner))?);
            }
        }
        let mut rewritten = Rewritten::default();
        let mut changed = Vec::new();
        for (source, splices) in splices {
            let bytes = apply(self.source(source), &merge(splices));
            match source {
                Source::Target => rewritten.target = Some(String::from_utf8(bytes).map_err(|_| RewriteError::Unsupported)?),
                Source::Body => rewritten.body = Some(bytes.into()),
                Source::Header(index) => changed.push((index, HeaderValue::from_bytes(&bytes).map_err(|_| RewriteError::Unsupported)?)),
                Source::Container(_) => return Err(RewriteError::Unsupported),
            }
        }
        rewritten.headers = self.headers_with(&changed);
        if let Some(headers) = self.input.headers {
            signed::check(self.input.target, headers, &rewritten)?;
        }
        Ok(rewritten)
    }

    /// What `edit` puts where.
    fn splices(&self, edit: &Edit) -> Result<(Source, Vec<Splice>), RewriteError> {
        let segment = self.segments.get(edit.segment).ok_or(RewriteError::Unsupported)?;
        let origin = self.origins.get(edit.segment).filter(|origin| origin.access == Access::ReadWrite).ok_or(RewriteError::Unsupported)?;
        let slots = self.slots(origin, segment.map.source(edit.span));
        let only_values = slots.iter().any(|slot| slot.role == Role::Value);
        let write = |slot: Slot| Splice { bytes: slot.style.write(&edit.replacement).into_bytes(), range: slot.range };
        let splices: Vec<_> = slots.into_iter().filter(|slot| !only_values || slot.role == Role::Value).map(write).collect();
        // Nothing but structure: leaving it would send what was to go.
        if splices.is_empty() { Err(RewriteError::Unsupported) } else { Ok((origin.source, splices)) }
    }

    /// The headers that change, with the other values of the same names.
    fn headers_with(&self, changed: &[(usize, HeaderValue)]) -> Vec<(HeaderName, HeaderValue)> {
        let values = &self.input.header_values;
        let names: Vec<_> = changed.iter().filter_map(|(index, _)| values.get(*index)).map(|(name, _)| *name).collect();
        let of_them = values.iter().enumerate().filter(|(_, (name, _))| names.contains(name));
        let new = |index: usize| changed.iter().find(|(at, _)| *at == index).map(|(_, value)| value);
        of_them.map(|(index, (name, value))| ((*name).clone(), new(index).unwrap_or(value).clone())).collect()
    }
}

/// Bytes to put in place of others.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Splice {
    range: Range<usize>,
    bytes: Vec<u8>,
}

impl Container {
    /// The same change in `original`, the bytes that the container was decoded from, in offsets of the parent.
    fn wrap(&self, original: &[u8], splices: Vec<Splice>) -> Result<Vec<Splice>, RewriteError> {
        match &self.wrapping {
            Wrapping::Charset(charset, map) => splices
                .into_iter()
                .map(|splice| {
                    let text = std::str::from_utf8(&splice.bytes).map_err(|_| RewriteError::Unsupported)?;
                    Ok(Splice { range: map.source_of(splice.range), bytes: charset.encode(text) })
                })
                .collect(),
            Wrapping::QuotedPrintable(map) => Ok(splices
                .into_iter()
                .map(|splice| Splice { range: map.source_of(splice.range), bytes: transfer::encode_quoted_printable(&splice.bytes) })
                .collect()),
            Wrapping::Base64 => {
                let bytes = transfer::encode_base64(&apply(&self.bytes, &splices), original);
                Ok(vec![Splice { range: self.range.clone(), bytes }])
            }
            Wrapping::ReadOnly => Err(RewriteError::Unsupported),
        }
    }
}

/// Sorts `splices`; of those that overlap the first one's bytes stand for all, and equal ones that touch become one.
fn merge(mut splices: Vec<Splice>) -> Vec<Splice> {
    splices.sort_by_key(|splice| (splice.range.start, std::cmp::Reverse(splice.range.end)));
    let mut merged: Vec<Splice> = Vec::with_capacity(splices.len());
    for splice in splices {
        match merged.last_mut() {
            Some(last) if splice.range.start < last.range.end || (splice.range.start == last.range.end && splice.bytes == last.bytes) => {
                last.range.end = last.range.end.max(splice.range.end);
            }
            _ => merged.push(splice),
        }
    }
    merged
}

/// `bytes` with `splices`, sorted and disjoint, put in.
fn apply(bytes: &[u8], splices: &[Splice]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    for splice in splices {
        out.extend_from_slice(bytes.get(at..splice.range.start).unwrap_or_default());
        out.extend_from_slice(&splice.bytes);
        at = splice.range.end;
    }
    out.extend_from_slice(bytes.get(at..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn splice(range: Range<usize>, text: &str) -> Splice {
        Splice { range, bytes: text.as_bytes().to_vec() }
    }

    #[test]
    fn overlapping_and_equal_touching_splices_merge() {
        let merged = merge(vec![splice(6..8, "B"), splice(2..5, "A"), splice(4..6, "C"), splice(8..9, "B"), splice(9..10, "D")]);
        assert_eq!(merged, [splice(2..6, "A"), splice(6..9, "B"), splice(9..10, "D")]);
        assert_eq!(apply(b"0123456789xy", &merged), b"01ABDxy");
    }
}
