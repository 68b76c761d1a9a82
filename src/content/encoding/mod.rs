//! `Content-Encoding` (RFC 9110, 8.4), undone and redone.
//!
//! A message may be coded several times over. Each coding is a [`Codec`] that turns some input into some output; a
//! [`Decoder`] chains them, draws every produced byte from the one [`Budget`], and so serves whole bodies and streams
//! alike. What follows the end of a coded stream is never dropped: it is another member, or the message is refused.

mod aws_chunked;
mod brotli;
mod deflate;
mod gzip;
mod zstd;

pub(super) use self::gzip::inflate_step;
use super::{RewriteError, Rewritten};
use crate::{budget::Budget, finding::Gap};
use bytes::Bytes;
use http::{HeaderMap, header::CONTENT_ENCODING};
use std::io::Write;

/// Undoes the `Content-Encoding` of a whole body; a cheap clone when there is none.
///
/// # Errors
/// [`Gap::UnknownEncoding`] for a coding that we don't know, a corrupt or cut stream, or bytes after its end;
/// [`Gap::TooLarge`] and [`Gap::TimedOut`] when the budget is spent.
pub fn decode(headers: &HeaderMap, body: &Bytes, budget: &mut Budget) -> Result<Bytes, Gap> {
    let decoder = Decoder::new(headers)?;
    if decoder.is_identity() || body.is_empty() {
        return Ok(body.clone());
    }
    decode_with(decoder, body, budget).map(Bytes::from)
}

/// Undoes one stream with a decoder made for it.
pub(super) fn decode_with(mut decoder: Decoder, coded: &[u8], budget: &mut Budget) -> Result<Vec<u8>, Gap> {
    let mut plain = Vec::new();
    decoder.push(coded, &mut plain, budget)?;
    decoder.finish()?;
    Ok(plain)
}

/// Redoes the `Content-Encoding` on a rewritten body.
///
/// # Errors
/// [`RewriteError::Unsupported`] for a coding that cannot be written.
pub fn encode(headers: &HeaderMap, rewritten: Rewritten) -> Result<Rewritten, RewriteError> {
    let Some(mut body) = rewritten.body else { return Ok(rewritten) };
    for coding in codings(headers).map_err(|_| RewriteError::Unsupported)? {
        body = coding.encode(&body)?;
    }
    Ok(Rewritten { body: Some(body), ..rewritten })
}

/// Undoes `Content-Encoding` piece by piece.
pub struct Decoder {
    /// Outermost coding first.
    stages: Vec<Stage>,
    /// Coded bytes seen.
    fed: usize,
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder").field("stages", &self.stages.len()).field("fed", &self.fed).finish()
    }
}

impl Decoder {
    /// A decoder for a message with these headers.
    ///
    /// # Errors
    /// [`Gap::UnknownEncoding`] for a coding that we don't know; [`Gap::TooLarge`] for too many of them.
    pub fn new(headers: &HeaderMap) -> Result<Self, Gap> {
        let codings = codings(headers)?;
        let stages = codings.iter().rev().map(|coding| coding.decoder().map(Stage::new)).collect::<Result<_, _>>()?;
        Ok(Self { stages, fed: 0 })
    }

    /// A decoder that changes nothing.
    pub fn identity() -> Self {
        Self { stages: Vec::new(), fed: 0 }
    }

    /// A decoder for the one coding `name`, as of a `.gz` file or of gRPC messages.
    pub(super) fn of(name: &str) -> Result<Self, Gap> {
        let stages = Coding::parse(name.trim())?.map(|coding| coding.decoder().map(Stage::new)).transpose()?;
        Ok(Self { stages: stages.into_iter().collect(), fed: 0 })
    }

    /// A decoder for raw DEFLATE alone, as of a ZIP member.
    pub(super) fn raw_deflate() -> Self {
        Self { stages: vec![Stage::new(Box::new(deflate::Deflate::raw()))], fed: 0 }
    }

    /// Whether there is nothing to undo.
    pub fn is_identity(&self) -> bool {
        self.stages.is_empty()
    }

    /// Decodes `input` and appends the result to `out`. After an error the decoder is of no more use.
    ///
    /// # Errors
    /// As [`decode`].
    pub fn push(&mut self, input: &[u8], out: &mut Vec<u8>, budget: &mut Budget) -> Result<(), Gap> {
        // In pieces, so that the ratio is that of what has been read so far: the rest of a bomb must not pay for its start.
        for piece in input.chunks(Stage::BUFFER) {
            self.fed = self.fed.saturating_add(piece.len());
            drive(&mut self.stages, piece, out, budget, self.fed)?;
        }
        Ok(())
    }

    /// Says that the message has ended.
    ///
    /// # Errors
    /// [`Gap::UnknownEncoding`] if a coded stream has not.
    pub fn finish(&mut self) -> Result<(), Gap> {
        if self.fed == 0 || self.stages.iter().all(|stage| stage.codec.is_complete()) { Ok(()) } else { Err(Gap::UnknownEncoding) }
    }
}

/// One coding, undone step by step.
trait Codec: Send {
    /// Decodes some of `input` into some of `out`; returns how much of each was used. No progress at all on non-empty
    /// input means that the stream has ended and the rest does not belong to it.
    ///
    /// # Errors
    /// [`Gap::UnknownEncoding`] when it does not decode.
    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<(usize, usize), Gap>;

    /// Whether a message may end here.
    fn is_complete(&self) -> bool;
}

struct Stage {
    codec: Box<dyn Codec>,
    buffer: Vec<u8>,
    produced: usize,
}

impl Stage {
    /// Decoded in pieces of this size, so that codings inside one another need constant memory.
    const BUFFER: usize = 32 << 10;

    fn new(codec: Box<dyn Codec>) -> Self {
        Self { codec, buffer: Vec::new(), produced: 0 }
    }
}

fn drive(stages: &mut [Stage], mut input: &[u8], out: &mut Vec<u8>, budget: &mut Budget, fed: usize) -> Result<(), Gap> {
    let Some((stage, inner)) = stages.split_first_mut() else {
        out.extend_from_slice(input);
        return Ok(());
    };
    stage.buffer.resize(Stage::BUFFER, 0);
    loop {
        let (read, written) = stage.codec.step(input, &mut stage.buffer)?;
        stage.produced = stage.produced.saturating_add(written);
        budget.spend(written, stage.produced, fed)?;
        input = input.get(read..).unwrap_or_default();
        drive(inner, stage.buffer.get(..written).unwrap_or_default(), out, budget, fed)?;
        if input.is_empty() && written < Stage::BUFFER {
            return Ok(());
        }
        if read == 0 && written == 0 {
            return Err(Gap::UnknownEncoding);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
    AwsChunked,
}

/// The codings of a message in the order in which they were applied.
fn codings(headers: &HeaderMap) -> Result<Vec<Coding>, Gap> {
    let mut list = Vec::new();
    for value in headers.get_all(CONTENT_ENCODING) {
        for name in value.to_str().map_err(|_| Gap::UnknownEncoding)?.split(',') {
            list.extend(Coding::parse(name.trim())?);
        }
    }
    if list.len() > Budget::DEPTH {
        return Err(Gap::TooLarge);
    }
    // It frames the transfer, so it is outermost wherever the client lists it ("aws-chunked,gzip" is the usual order).
    list.sort_by_key(|coding| *coding == Coding::AwsChunked);
    Ok(list)
}

impl Coding {
    fn parse(name: &str) -> Result<Option<Self>, Gap> {
        match name.to_ascii_lowercase().as_str() {
            // Not registered, and seen in the wild on plain bodies: AWS clients say "amz-1.0", others name a charset here.
            "" | "identity" | "none" | "binary" | "amz-1.0" | "utf-8" | "utf8" => Ok(None),
            "gzip" | "x-gzip" => Ok(Some(Self::Gzip)),
            "deflate" => Ok(Some(Self::Deflate)),
            "br" => Ok(Some(Self::Brotli)),
            "zstd" => Ok(Some(Self::Zstd)),
            "aws-chunked" => Ok(Some(Self::AwsChunked)),
            _ => Err(Gap::UnknownEncoding),
        }
    }

    fn decoder(self) -> Result<Box<dyn Codec>, Gap> {
        Ok(match self {
            Self::Gzip => Box::new(gzip::Gzip::default()),
            Self::Deflate => Box::new(deflate::Deflate::default()),
            Self::Brotli => Box::new(brotli::Brotli::default()),
            Self::Zstd => Box::new(zstd::Zstd::new()?),
            Self::AwsChunked => Box::new(aws_chunked::AwsChunked::default()),
        })
    }

    fn encode(self, body: &[u8]) -> Result<Bytes, RewriteError> {
        let level = flate2::Compression::default();
        let coded = match self {
            Self::Gzip => {
                let mut writer = flate2::write::GzEncoder::new(Vec::new(), level);
                writer.write_all(body).and_then(|()| writer.finish())
            }
            Self::Deflate => {
                let mut writer = flate2::write::ZlibEncoder::new(Vec::new(), level);
                writer.write_all(body).and_then(|()| writer.finish())
            }
            Self::Brotli => brotli::encode(body),
            Self::Zstd => ::zstd::bulk::compress(body, ::zstd::DEFAULT_COMPRESSION_LEVEL),
            // Every chunk carries a signature of the client's.
            Self::AwsChunked => return Err(RewriteError::Signed),
        };
        coded.map(Bytes::from).map_err(|_| RewriteError::Unsupported)
    }
}

#[cfg(test)]
mod tests;
