//! A long text in pieces: each reports what begins in its own part and sees some way beyond on both sides.

use super::embedded::is_encoded;
use std::ops::Range;

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// What it sees.
    pub(super) whole: Range<usize>,
    /// What it reports.
    pub(super) own: Range<usize>,
}

/// Bytes that a piece reports on,
const OWN: usize = 512 << 10;
/// sees before, for context,
const BEFORE: usize = 4 << 10;
/// and sees after, for the longest match and its context.
const AFTER: usize = 32 << 10;

/// The pieces of a text, in order.
pub(super) struct Pieces<'t> {
    text: &'t str,
    next: usize,
    /// Where the run of base64 characters begins that goes on at the present piece's start.
    run: usize,
    seen: usize,
}

impl<'t> Pieces<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        Self { text, next: 0, run: 0, seen: 0 }
    }
}

impl Iterator for Pieces<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        let start = self.next;
        let len = self.text.len();
        if start >= len {
            return None;
        }
        // What is left over is not worth a piece of its own.
        let end = if len - start <= OWN + AFTER { len } else { self.border(start + OWN) };
        self.next = end;
        let whole = self.aligned(self.border(start.saturating_sub(BEFORE)))..self.border((end + AFTER).min(len));
        Some(Piece { whole, own: start..end })
    }
}

impl Piece {
    /// Whether what stands at `range` of the text is this piece's to report: it begins in its part, or was cut by its start.
    pub(super) fn reports(&self, range: &Range<usize>) -> bool {
        let cut = range.start == self.whole.start && range.start < self.own.start && range.end > self.own.start;
        self.own.contains(&range.start) || cut
    }
}

impl Pieces<'_> {
    /// `at`, or a little before, so that encoded text which is cut there still decodes.
    fn aligned(&mut self, at: usize) -> usize {
        let since = self.text.as_bytes().get(self.seen..at).unwrap_or_default();
        if let Some(last) = since.iter().rposition(|byte| !is_encoded(*byte)) {
            self.run = self.seen + last + 1;
        }
        self.seen = at;
        at - (at - self.run) % 8
    }

    /// The nearest character border at or before `at`.
    fn border(&self, at: usize) -> usize {
        (0..=at).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_some_piece_s_own() {
        for text in ["", "x", &"x".repeat(OWN), &"中".repeat(OWN)] {
            let pieces: Vec<_> = Pieces::of(text).collect();
            assert_eq!(pieces.iter().map(|piece| piece.own.len()).sum::<usize>(), text.len());
            for pair in pieces.windows(2) {
                assert_eq!(pair[0].own.end, pair[1].own.start);
                assert!(pair[0].whole.end >= pair[0].own.end + AFTER - 3);
            }
        }
    }
}
