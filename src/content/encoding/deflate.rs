//! `deflate`: zlib (RFC 1950) by the standard, raw DEFLATE (RFC 1951) by some clients.

use super::{Codec, gzip::inflate_step};
use crate::finding::Gap;
use flate2::Decompress;

/// Decodes either; the first two bytes tell which.
#[derive(Default)]
pub(super) struct Deflate {
    state: State,
}

#[derive(Default)]
enum State {
    #[default]
    Empty,
    First(u8),
    Body(Box<Decompress>),
    Done,
}

impl Deflate {
    /// For a stream that is known to be raw.
    pub(super) fn raw() -> Self {
        Self { state: State::Body(Box::new(Decompress::new(false))) }
    }
}

impl Codec for Deflate {
    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<(usize, usize), Gap> {
        match &mut self.state {
            State::Empty => {
                let Some(first) = input.first() else { return Ok((0, 0)) };
                self.state = State::First(*first);
                Ok((1, 0))
            }
            State::First(first) => {
                let first = *first;
                let Some(second) = input.first() else { return Ok((0, 0)) };
                let zlib = first & 0x0f == 8 && u16::from_be_bytes([first, *second]) % 31 == 0;
                let mut body = Box::new(Decompress::new(zlib));
                let (read, written, ended) = inflate_step(&mut body, &[first, *second], out)?;
                if read != 2 {
                    return Err(Gap::UnknownEncoding);
                }
                self.state = if ended { State::Done } else { State::Body(body) };
                Ok((1, written))
            }
            State::Body(body) => {
                let (read, written, ended) = inflate_step(body, input, out)?;
                if ended {
                    self.state = State::Done;
                }
                Ok((read, written))
            }
            State::Done => Ok((0, 0)),
        }
    }

    fn is_complete(&self) -> bool {
        matches!(self.state, State::Empty | State::Done)
    }
}
