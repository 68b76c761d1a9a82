//! DEFLATE streams inside other formats, which end where they say and not where the bytes do.

use super::Out;
use crate::{content::encoding::inflate_step, finding::Gap};
use flate2::Decompress;

/// Inflates one stream after the other.
pub(in crate::content) struct Inflate {
    inflate: Decompress,
    buffer: Vec<u8>,
    wrapper: Wrapper,
    /// Of all streams.
    fed: usize,
    produced: usize,
}

/// What is around the DEFLATE data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::content) enum Wrapper {
    /// Nothing (RFC 1951).
    Raw,
    /// zlib's header and checksum (RFC 1950).
    Zlib,
}

/// Whether a stream goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::content) enum Progress {
    /// It needs more input.
    More,
    /// It has ended; the rest of the input does not belong to it.
    Ended,
}

impl Inflate {
    const BUFFER: usize = 32 << 10;

    pub(in crate::content) fn new(wrapper: Wrapper) -> Self {
        Self { inflate: Decompress::new(wrapper == Wrapper::Zlib), buffer: vec![0; Self::BUFFER], wrapper, fed: 0, produced: 0 }
    }

    /// The next stream begins.
    pub(in crate::content) fn restart(&mut self) {
        self.inflate.reset(self.wrapper == Wrapper::Zlib);
    }

    /// Bytes that the present stream has produced.
    pub(in crate::content) fn total(&self) -> u64 {
        self.inflate.total_out()
    }

    /// Inflates `input`, hands what comes to `take` and returns how much of the input belongs to the stream.
    ///
    /// # Errors
    /// [`Gap::UnknownEncoding`] if it does not inflate, [`Gap::TooLarge`] and [`Gap::TimedOut`] when the budget is spent.
    pub(in crate::content) fn push(
        &mut self,
        input: &[u8],
        out: &mut Out<'_>,
        mut take: impl FnMut(&[u8], &mut Out<'_>),
    ) -> Result<(usize, Progress), Gap> {
        let mut used = 0;
        loop {
            let rest = input.get(used..).unwrap_or_default();
            let (read, written, ended) = inflate_step(&mut self.inflate, rest, &mut self.buffer)?;
            used += read;
            self.fed = self.fed.saturating_add(read);
            self.produced = self.produced.saturating_add(written);
            out.budget.spend(written, self.produced, self.fed)?;
            take(self.buffer.get(..written).unwrap_or_default(), out);
            if ended {
                return Ok((used, Progress::Ended));
            }
            if used >= input.len() && written < Self::BUFFER {
                return Ok((used, Progress::More));
            }
            if read == 0 && written == 0 {
                return Err(Gap::UnknownEncoding);
            }
        }
    }
}
