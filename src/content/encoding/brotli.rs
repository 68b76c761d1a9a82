//! Brotli (RFC 7932).

use super::Codec;
use crate::finding::Gap;
use brotli::{BrotliDecompressStream, BrotliResult, BrotliState, enc::StandardAlloc};

type State = BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>;

/// Decodes one Brotli stream. The window is at most 16 MiB: the large-window extension is not a content coding.
pub(super) struct Brotli {
    state: Box<State>,
    started: bool,
    ended: bool,
}

impl Default for Brotli {
    fn default() -> Self {
        let state = State::new_strict(StandardAlloc::default(), StandardAlloc::default(), StandardAlloc::default());
        Self { state: Box::new(state), started: false, ended: false }
    }
}

impl Codec for Brotli {
    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<(usize, usize), Gap> {
        if self.ended {
            return Ok((0, 0));
        }
        self.started |= !input.is_empty();
        let (mut available_in, mut read, mut available_out, mut written, mut total) = (input.len(), 0, out.len(), 0, 0);
        let result =
            BrotliDecompressStream(&mut available_in, &mut read, input, &mut available_out, &mut written, out, &mut total, &mut self.state);
        match result {
            BrotliResult::ResultSuccess => self.ended = true,
            BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => {}
            BrotliResult::ResultFailure => return Err(Gap::UnknownEncoding),
        }
        Ok((read, written))
    }

    fn is_complete(&self) -> bool {
        self.ended || !self.started
    }
}

/// Codes `body` at the quality that servers use for live content.
pub(super) fn encode(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let params = brotli::enc::BrotliEncoderParams { quality: 5, size_hint: body.len(), ..Default::default() };
    let mut coded = Vec::new();
    brotli::BrotliCompress(&mut &body[..], &mut coded, &params)?;
    Ok(coded)
}
