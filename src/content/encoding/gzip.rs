//! gzip (RFC 1952), any number of members.

use super::Codec;
use crate::finding::Gap;
use flate2::{Crc, Decompress, FlushDecompress, Status};

/// Decodes gzip members one after the other, with their checksums; zero bytes may pad the end.
#[derive(Default)]
pub(super) struct Gzip {
    state: State,
}

#[derive(Default)]
enum State {
    /// Nothing seen.
    #[default]
    Empty,
    Header(Vec<u8>),
    Body(Box<(Decompress, Crc)>),
    Trailer(Vec<u8>, Box<Crc>),
    /// A member has ended.
    Between,
    /// Zeros after the last member.
    Padding,
}

impl Codec for Gzip {
    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<(usize, usize), Gap> {
        match &mut self.state {
            State::Empty | State::Between | State::Padding if input.is_empty() => Ok((0, 0)),
            State::Between | State::Padding if input.first() == Some(&0) => {
                self.state = State::Padding;
                Ok((input.iter().take_while(|byte| **byte == 0).count(), 0))
            }
            State::Padding => Err(Gap::UnknownEncoding),
            State::Empty | State::Between => {
                self.state = State::Header(Vec::new());
                self.step(input, out)
            }
            State::Header(head) => {
                let before = head.len();
                head.extend(input.iter().take(MAX_HEADER.saturating_sub(before) + 1));
                match header_len(head)? {
                    Some(len) => {
                        self.state = State::Body(Box::new((Decompress::new(false), Crc::new())));
                        Ok((len.saturating_sub(before), 0))
                    }
                    None if head.len() > MAX_HEADER => Err(Gap::UnknownEncoding),
                    None => Ok((head.len() - before, 0)),
                }
            }
            State::Body(body) => {
                let (inflate, crc) = body.as_mut();
                let (read, written, ended) = inflate_step(inflate, input, out)?;
                crc.update(out.get(..written).unwrap_or_default());
                if ended {
                    self.state = State::Trailer(Vec::new(), Box::new(std::mem::take(crc)));
                }
                Ok((read, written))
            }
            State::Trailer(trailer, crc) => {
                let before = trailer.len();
                trailer.extend(input.iter().take(8 - before));
                let read = trailer.len() - before;
                if let Ok(bytes) = <[u8; 8]>::try_from(trailer.as_slice()) {
                    if u64::from_le_bytes(bytes) != u64::from(crc.sum()) | u64::from(crc.amount()) << 32 {
                        return Err(Gap::UnknownEncoding);
                    }
                    self.state = State::Between;
                }
                Ok((read, 0))
            }
        }
    }

    fn is_complete(&self) -> bool {
        matches!(self.state, State::Empty | State::Between | State::Padding)
    }
}

/// Room for the optional fields of a member's header.
const MAX_HEADER: usize = 8 << 10;

/// The length of the member header that `head` begins with, once it is all there.
fn header_len(head: &[u8]) -> Result<Option<usize>, Gap> {
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    const HEADER_CRC: u8 = 2;
    const RESERVED: u8 = 0xe0;

    if head.iter().zip([0x1f, 0x8b, 8]).any(|(byte, magic)| *byte != magic) {
        return Err(Gap::UnknownEncoding);
    }
    let Some(flags) = head.get(3).copied() else { return Ok(None) };
    if flags & RESERVED != 0 {
        return Err(Gap::UnknownEncoding);
    }
    let mut at = 10;
    if flags & EXTRA != 0 {
        let Some([low, high]) = head.get(at..at + 2) else { return Ok(None) };
        at += 2 + usize::from(u16::from_le_bytes([*low, *high]));
    }
    for flag in [NAME, COMMENT] {
        if flags & flag != 0 {
            let Some(len) = head.get(at..).and_then(|rest| memchr::memchr(0, rest)) else { return Ok(None) };
            at += len + 1;
        }
    }
    if flags & HEADER_CRC != 0 {
        at += 2;
    }
    Ok((at <= head.len()).then_some(at))
}

/// One step of `inflate`: bytes read, bytes written, and whether the stream has ended.
pub(in crate::content) fn inflate_step(inflate: &mut Decompress, input: &[u8], out: &mut [u8]) -> Result<(usize, usize, bool), Gap> {
    let (read, written) = (inflate.total_in(), inflate.total_out());
    let status = inflate.decompress(input, out, FlushDecompress::None).map_err(|_| Gap::UnknownEncoding)?;
    let count = |total: u64, before: u64| usize::try_from(total - before).map_err(|_| Gap::UnknownEncoding);
    Ok((count(inflate.total_in(), read)?, count(inflate.total_out(), written)?, status == Status::StreamEnd))
}
