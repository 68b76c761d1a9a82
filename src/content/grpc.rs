//! gRPC and Connect message framing: a flag byte, a length of four bytes, a message, and so on.

use super::encoding::{Decoder, decode_with};
use crate::{budget::Budget, finding::Gap};

/// What became of a body of messages.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Messages {
    /// None is compressed: the body can be scanned as it is.
    Plain,
    /// The messages, decompressed, one after the other.
    Unpacked(Vec<u8>),
}

/// The flag of a compressed message.
const COMPRESSED: u8 = 1;
/// The flags of a gRPC-Web trailer and of the end of a Connect stream.
const TRAILER: u8 = 0x80;
const END: u8 = 2;

/// Reads the messages of `body`, compressed by `coding` where their flag says so.
///
/// # Errors
/// [`Gap::Malformed`] if the framing does not fit, or what [`decode`](super::decode) says of a message.
pub(super) fn unpack(body: &[u8], coding: &str, budget: &mut Budget) -> Result<Messages, Gap> {
    let mut any = false;
    frames(body, |flags, _| {
        any |= flags & COMPRESSED != 0;
        Ok(())
    })?;
    if !any {
        return Ok(Messages::Plain);
    }
    let mut unpacked = Vec::new();
    frames(body, |flags, message| {
        if flags & COMPRESSED != 0 {
            unpacked.extend(decode_with(Decoder::of(coding)?, message, budget)?);
        } else {
            unpacked.extend_from_slice(message);
        }
        unpacked.push(b'\n');
        Ok(())
    })?;
    Ok(Messages::Unpacked(unpacked))
}

fn frames(body: &[u8], mut meet: impl FnMut(u8, &[u8]) -> Result<(), Gap>) -> Result<(), Gap> {
    let mut rest = body;
    while !rest.is_empty() {
        let [flags, a, b, c, d, tail @ ..] = rest else { return Err(Gap::Malformed) };
        if flags & !(COMPRESSED | END | TRAILER) != 0 {
            return Err(Gap::Malformed);
        }
        let len = usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])).map_err(|_| Gap::Malformed)?;
        let (message, tail) = tail.split_at_checked(len).ok_or(Gap::Malformed)?;
        meet(*flags, message)?;
        rest = tail;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn frame(flags: u8, message: &[u8]) -> Vec<u8> {
        let len = u32::try_from(message.len()).expect("len").to_be_bytes();
        [&[flags], &len[..], message].concat()
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        writer.write_all(text).expect("write");
        writer.finish().expect("finish")
    }

    #[test]
    fn compressed_messages_are_unpacked_one_by_one() {
        let mut budget = Budget::new(1 << 20, None);
        let body = [frame(1, &gzip(b"one")), frame(0, b"two")].concat();
        assert_eq!(unpack(&body, "gzip", &mut budget), Ok(Messages::Unpacked(b"one\ntwo\n".to_vec())));
        assert_eq!(unpack(&body, "snappy", &mut budget), Err(Gap::UnknownEncoding));
        assert_eq!(unpack(&frame(0, b"two"), "identity", &mut budget), Ok(Messages::Plain));
        assert_eq!(unpack(b"\0\0\0\0\x09x", "gzip", &mut budget), Err(Gap::Malformed));
    }
}
