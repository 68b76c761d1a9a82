//! Bodies that are not held in memory, read as they come: files in windows, the parts of multipart bodies, the members of
//! archives, compressed files, and the objects of a `git push`.
//!
//! What ends within [`WHOLE`] is read as it is in a body that is held, format and all. What is longer is read as plain text in
//! windows that overlap. Memory is constant: text is collected in a [`Batch`] and read when that is full, and what contains other
//! content (a ZIP archive, a gzip file, a pack) is undone step by step.
//!
//! The caller lets the body go on behind the reading: everything before [`Stream::settled`] has been read, and nothing that is
//! still to be read began there.

mod buffer;
mod file;
mod inflate;
mod parts;
mod zip;

pub(super) use self::{
    file::File,
    inflate::{Inflate, Progress, Wrapper},
};

use super::media_type::MediaType;
use crate::{budget::Budget, finding::Gap, text::Place};
use http::{HeaderMap, header::CONTENT_TYPE};
use std::ops::Range;

/// New text read at one time, bytes.
pub(super) const WINDOW: usize = 256 << 10;
/// How much is read again with the next window: longer than any finding, a private key of 8192 bits among them.
pub(super) const OVERLAP: usize = 16 << 10;
/// Files up to this size are gathered and read as a whole.
pub(super) const WHOLE: usize = 1 << 20;

/// Text that waits to be read, piece by piece.
#[derive(Debug, Default)]
pub struct Batch {
    pub(super) text: Vec<u8>,
    pub(super) pieces: Vec<Piece>,
    gaps: Vec<Gap>,
    /// Offset in the body of the first byte that this was read from.
    from: Option<u64>,
}

/// One of the texts in a [`Batch`].
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) range: Range<usize>,
    pub(super) about: About,
    pub(super) extent: Extent,
}

/// What is known of some content before it is read.
#[derive(Clone, Debug)]
pub(super) struct About {
    pub(super) place: Place,
    pub(super) hint: MediaType,
    /// The field whose value it is.
    pub(super) field: Option<String>,
}

impl About {
    /// Content called `name` in places.
    pub(super) fn part(name: &str) -> Self {
        Self { place: Place::Part(name.to_owned()), hint: MediaType::default(), field: None }
    }
}

/// How much of some content a piece is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// All of it, so its format can be told.
    Whole,
    /// A window.
    Part,
}

impl Batch {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty() && self.gaps.is_empty()
    }

    /// Takes out what could not be read on the way here.
    pub fn take_gaps(&mut self) -> Vec<Gap> {
        std::mem::take(&mut self.gaps)
    }
}

/// What readers of content write to.
pub(super) struct Out<'o> {
    /// Offset in the body of what is being read.
    pub(super) at: u64,
    pub(super) budget: &'o mut Budget,
    batch: &'o mut Batch,
    read: &'o mut dyn FnMut(Batch),
}

impl Out<'_> {
    /// Says that something could not be read.
    pub(super) fn gap(&mut self, gap: Gap) {
        if !self.batch.gaps.contains(&gap) {
            self.batch.gaps.push(gap);
        }
    }

    /// Hands over a piece, read from the body from offset `from` on.
    pub(super) fn piece(&mut self, about: &About, extent: Extent, bytes: &[u8], from: u64) {
        if bytes.is_empty() {
            return;
        }
        let start = self.batch.text.len();
        self.batch.text.extend_from_slice(bytes);
        self.batch.pieces.push(Piece { range: start..start + bytes.len(), about: about.clone(), extent });
        self.batch.from = Some(self.batch.from.map_or(from, |first| first.min(from)));
        // Tiny pieces cost more than their bytes.
        if self.batch.text.len() + self.batch.pieces.len() * 64 >= WINDOW {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if !self.batch.is_empty() {
            (self.read)(std::mem::take(self.batch));
        }
    }

    /// Lets `f` write as if it were read from offset `at` on.
    pub(super) fn from<T>(&mut self, at: u64, f: impl FnOnce(&mut Self) -> T) -> T {
        let now = std::mem::replace(&mut self.at, at);
        let result = f(self);
        self.at = now;
        result
    }
}

/// The reading of one body.
pub struct Stream {
    body: File,
    batch: Batch,
    at: u64,
    patience: Patience,
}

/// Whether a client that pauses may wait for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Patience {
    /// Nobody answers before the end.
    UntilEnd,
    /// The two sides may be talking.
    None,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream").field("at", &self.at).field("unread", &self.batch.text.len()).finish_non_exhaustive()
    }
}

impl Stream {
    /// Begins the body of a message with these headers. What is pushed is without its `Content-Encoding`.
    pub fn new(headers: &HeaderMap) -> Self {
        let value = headers.get(CONTENT_TYPE).map_or("".into(), |value| String::from_utf8_lossy(value.as_bytes()));
        let hint = MediaType::parse(&value);
        let patience = if hint.is_git_push() || hint.boundary().is_some() { Patience::UntilEnd } else { Patience::None };
        let about = About { place: Place::Body, hint, field: None };
        Self { body: File::new(about, Budget::DEPTH), batch: Batch::default(), at: 0, patience }
    }

    /// Takes in the next bytes; hands full batches to `read`.
    pub fn push(&mut self, bytes: &[u8], budget: &mut Budget, read: &mut dyn FnMut(Batch)) {
        let Self { body, batch, at, .. } = self;
        body.push(bytes, &mut Out { at: *at, budget, batch, read });
        *at += bytes.len() as u64;
    }

    /// Something of what comes next could not be decoded before it got here.
    pub fn gap(&mut self, gap: Gap) {
        self.batch.gaps.push(gap);
    }

    /// Hands everything that is ready to `read`.
    pub fn flush(&mut self, read: &mut dyn FnMut(Batch)) {
        if !self.batch.is_empty() {
            read(std::mem::take(&mut self.batch));
        }
    }

    /// The client pauses: everything at hand is read, unless the other side has nothing to say before the end.
    pub fn pause(&mut self, budget: &mut Budget, read: &mut dyn FnMut(Batch)) {
        if self.patience == Patience::None {
            let Self { body, batch, at, .. } = self;
            body.pause(&mut Out { at: *at, budget, batch, read });
            self.flush(read);
        }
    }

    /// The body has ended.
    pub fn finish(&mut self, budget: &mut Budget, read: &mut dyn FnMut(Batch)) {
        let Self { body, batch, at, .. } = self;
        body.finish(&mut Out { at: *at, budget, batch, read });
        self.flush(read);
    }

    /// Bytes taken in so far.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// The offset before which everything has been read.
    pub fn settled(&self) -> u64 {
        let waiting = [self.batch.from, self.body.waiting_from()];
        waiting.into_iter().flatten().min().unwrap_or(self.at)
    }

    /// Whether the other side has nothing to say before the end, so that a pause means nothing.
    pub fn is_patient(&self) -> bool {
        self.patience == Patience::UntilEnd
    }
}

/// Reads a whole body as a stream into one batch.
pub(super) fn read_all(bytes: &[u8], hint: MediaType, budget: &mut Budget) -> Batch {
    let mut all = Batch::default();
    let mut read = |batch: Batch| {
        let shift = all.text.len();
        all.text.extend_from_slice(&batch.text);
        all.pieces
            .extend(batch.pieces.into_iter().map(|piece| Piece { range: piece.range.start + shift..piece.range.end + shift, ..piece }));
        all.gaps.extend(batch.gaps);
    };
    let mut batch = Batch::default();
    let mut out = Out { at: 0, budget, batch: &mut batch, read: &mut read };
    let mut file = File::new(About { place: Place::Body, hint, field: None }, Budget::DEPTH);
    file.push(bytes, &mut out);
    file.finish(&mut out);
    out.flush();
    all
}

#[cfg(test)]
mod tests;
