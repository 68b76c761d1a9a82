//! `aws-chunked`: the framing of streamed uploads to S3 and its likes, `size;chunk-signature=...` before each chunk.

use super::Codec;
use crate::finding::Gap;

/// Takes the framing off. Trailers are checksums and signatures; anything else after the last chunk is refused.
#[derive(Default)]
pub(super) struct AwsChunked {
    state: State,
    line: Vec<u8>,
}

#[derive(Clone, Copy, Default)]
enum State {
    /// Nothing seen.
    #[default]
    Empty,
    /// In the line before a chunk.
    Size,
    /// In a chunk; bytes left.
    Data(usize),
    /// In the line break after one.
    DataEnd,
    /// After the chunk of size 0.
    Trailer,
}

const MAX_LINE: usize = 1024;

impl AwsChunked {
    /// Takes bytes up to a line feed; the line without its end once it is whole, and how many bytes were taken.
    fn take_line(&mut self, input: &[u8]) -> Result<(Option<Vec<u8>>, usize), Gap> {
        let end = memchr::memchr(b'\n', input);
        let read = end.map_or(input.len(), |at| at + 1);
        self.line.extend(input.iter().take(read));
        if self.line.len() > MAX_LINE {
            return Err(Gap::UnknownEncoding);
        }
        let line = end.map(|_| std::mem::take(&mut self.line));
        Ok((line.map(|line| line.trim_ascii_end().to_vec()), read))
    }
}

impl Codec for AwsChunked {
    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<(usize, usize), Gap> {
        if input.is_empty() {
            return Ok((0, 0));
        }
        match self.state {
            State::Empty | State::Size => {
                self.state = State::Size;
                let (line, read) = self.take_line(input)?;
                if let Some(line) = line {
                    let size = line.split(|byte| *byte == b';').next().and_then(|size| std::str::from_utf8(size).ok());
                    let size = size.and_then(|size| usize::from_str_radix(size, 16).ok()).ok_or(Gap::UnknownEncoding)?;
                    self.state = if size == 0 { State::Trailer } else { State::Data(size) };
                }
                Ok((read, 0))
            }
            State::Data(left) => {
                let count = left.min(input.len()).min(out.len());
                for (to, from) in out.iter_mut().zip(input.iter().take(count)) {
                    *to = *from;
                }
                self.state = if count == left { State::DataEnd } else { State::Data(left - count) };
                Ok((count, count))
            }
            State::DataEnd => {
                let (line, read) = self.take_line(input)?;
                if let Some(line) = line {
                    if !line.is_empty() {
                        return Err(Gap::UnknownEncoding);
                    }
                    self.state = State::Size;
                }
                Ok((read, 0))
            }
            State::Trailer => {
                let (line, read) = self.take_line(input)?;
                if line.is_some_and(|line| !line.is_empty() && !line.to_ascii_lowercase().starts_with(b"x-amz-")) {
                    return Err(Gap::UnknownEncoding);
                }
                Ok((read, 0))
            }
        }
    }

    fn is_complete(&self) -> bool {
        matches!(self.state, State::Empty | State::Trailer) && self.line.is_empty()
    }
}
