//! Zstandard (RFC 8878), any number of frames.

use super::Codec;
use crate::finding::Gap;
use zstd::stream::raw::{DParameter, Decoder, Operation};

/// Decodes frames one after the other. The window is at most 8 MiB (RFC 9659). Skippable frames are refused: their
/// content would pass unread.
pub(super) struct Zstd {
    decoder: Decoder<'static>,
    /// The first bytes of a frame until its magic number is known.
    magic: Vec<u8>,
    in_frame: bool,
}

const WINDOW_LOG_MAX: u32 = 23;
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

impl Zstd {
    pub(super) fn new() -> Result<Self, Gap> {
        let mut decoder = Decoder::new().map_err(|_| Gap::UnknownEncoding)?;
        decoder.set_parameter(DParameter::WindowLogMax(WINDOW_LOG_MAX)).map_err(|_| Gap::UnknownEncoding)?;
        Ok(Self { decoder, magic: Vec::new(), in_frame: false })
    }

    fn run(&mut self, input: &[u8], out: &mut [u8]) -> Result<(usize, usize), Gap> {
        let status = self.decoder.run_on_buffers(input, out).map_err(|error| {
            // The one message in the library for a window beyond the limit.
            if error.to_string().contains("too much memory") { Gap::TooLarge } else { Gap::UnknownEncoding }
        })?;
        self.in_frame = status.remaining != 0;
        Ok((status.bytes_read, status.bytes_written))
    }
}

impl Codec for Zstd {
    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<(usize, usize), Gap> {
        if self.in_frame {
            return self.run(input, out);
        }
        let before = self.magic.len();
        self.magic.extend(input.iter().take(MAGIC.len() - before));
        let read = self.magic.len() - before;
        if self.magic.iter().zip(MAGIC).any(|(byte, magic)| *byte != magic) {
            return Err(Gap::UnknownEncoding);
        }
        if self.magic.len() < MAGIC.len() {
            return Ok((read, 0));
        }
        self.magic.clear();
        let (taken, written) = self.run(&MAGIC, out)?;
        self.in_frame = true;
        if taken == MAGIC.len() { Ok((read, written)) } else { Err(Gap::UnknownEncoding) }
    }

    fn is_complete(&self) -> bool {
        !self.in_frame && self.magic.is_empty()
    }
}
