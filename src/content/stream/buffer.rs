//! Text that is gathered until it is read, and where in the body it came from.

use super::{OVERLAP, Out};
use std::collections::VecDeque;

/// Some text of which the beginning may have been read already.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    /// Length of the start that has been read: the overlap.
    read: usize,
    /// Lengths before which the text came from before an offset of the body, in order of both.
    marks: VecDeque<(usize, u64)>,
}

impl Buffer {
    pub(super) fn push(&mut self, bytes: &[u8], out: &Out<'_>) {
        if !bytes.is_empty() {
            if self.marks.back().is_none_or(|(_, at)| *at != out.at) {
                self.marks.push_back((self.bytes.len(), out.at));
            }
            self.bytes.extend_from_slice(bytes);
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How much of it is new.
    pub(super) fn unread(&self) -> usize {
        self.bytes.len() - self.read
    }

    /// The offset of the body where it begins; `None` if it is empty.
    pub(super) fn from(&self) -> Option<u64> {
        self.marks.front().map(|(_, at)| *at)
    }

    /// All of it has been read: keeps the overlap.
    pub(super) fn keep_overlap(&mut self) {
        // An even length keeps UTF-16 in step.
        let gone = self.bytes.len().saturating_sub(OVERLAP) & !1;
        self.bytes.drain(..gone);
        self.read = self.bytes.len();
        while self.marks.get(1).is_some_and(|(len, _)| *len <= gone) {
            self.marks.pop_front();
        }
        for (len, _) in &mut self.marks {
            *len = len.saturating_sub(gone);
        }
    }

    /// Nothing of it matters any more, except that the overlap stays to be read again.
    pub(super) fn forget_origin(&mut self) {
        self.marks.clear();
    }

    /// Takes everything out.
    pub(super) fn take(&mut self) -> Vec<u8> {
        self.marks.clear();
        self.read = 0;
        std::mem::take(&mut self.bytes)
    }
}
