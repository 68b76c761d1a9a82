//! permessage-deflate (RFC 7692): parameters, and the two halves of the codec.

use super::{Error, Peer};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use http::HeaderValue;

/// The parameters that both ends agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deflate {
    /// The server forgets its window after every message.
    pub server_no_context_takeover: bool,
    /// The client does.
    pub client_no_context_takeover: bool,
    /// Base-2 logarithm of the server's window, 8 to 15; absent is 15.
    pub server_max_window_bits: Option<u8>,
    /// Of the client's.
    pub client_max_window_bits: Option<u8>,
}

impl Deflate {
    /// The value of `Sec-WebSocket-Extensions` that tells the client.
    pub fn header(&self) -> HeaderValue {
        let mut text = "permessage-deflate".to_owned();
        if self.server_no_context_takeover {
            text.push_str("; server_no_context_takeover");
        }
        if self.client_no_context_takeover {
            text.push_str("; client_no_context_takeover");
        }
        if let Some(bits) = self.server_max_window_bits {
            text.push_str(&format!("; server_max_window_bits={bits}"));
        }
        if let Some(bits) = self.client_max_window_bits {
            text.push_str(&format!("; client_max_window_bits={bits}"));
        }
        HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("permessage-deflate"))
    }

    fn forgets(&self, sender: Peer) -> bool {
        match sender {
            Peer::Client => self.client_no_context_takeover,
            Peer::Server => self.server_no_context_takeover,
        }
    }

    fn window_bits(&self, sender: Peer) -> u8 {
        match sender {
            Peer::Client => self.client_max_window_bits,
            Peer::Server => self.server_max_window_bits,
        }
        .unwrap_or(15)
    }
}

/// What a sync flush ends with; it is not sent.
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// Inflates the messages of one sender.
#[derive(Debug)]
pub(super) struct Inflater {
    stream: Decompress,
    forgets: bool,
}

impl Inflater {
    pub(super) fn new(deflate: &Deflate, sender: Peer) -> Self {
        // The largest window reads what was written with any smaller one.
        Self { stream: Decompress::new(false), forgets: deflate.forgets(sender) }
    }

    /// The message that `compressed` holds, of at most `most` bytes.
    pub(super) fn inflate(&mut self, compressed: &[u8], most: usize) -> Result<Vec<u8>, Error> {
        let mut out = Vec::new();
        self.feed(compressed, most, &mut out)?;
        self.feed(&TAIL, most, &mut out)?;
        if self.forgets {
            self.stream.reset(false);
        }
        Ok(out)
    }

    fn feed(&mut self, mut input: &[u8], most: usize, out: &mut Vec<u8>) -> Result<(), Error> {
        loop {
            if out.len() > most {
                return Err(Error::TooLarge);
            }
            if out.capacity() == out.len() {
                // One byte over the limit is enough to know.
                let room = (input.len() * 4).max(out.len()).clamp(256, 1 << 20);
                out.reserve_exact(room.min(most + 1 - out.len()));
            }
            let (before_in, before_out) = (self.stream.total_in(), out.len());
            let status = self.stream.decompress_vec(input, out, FlushDecompress::Sync).map_err(|_| Error::BadDeflate)?;
            let used = usize::try_from(self.stream.total_in() - before_in).map_err(|_| Error::BadDeflate)?;
            input = input.get(used..).unwrap_or_default();
            match status {
                // A block marked as the last one; some senders end every message so.
                Status::StreamEnd => {
                    self.stream.reset(false);
                    if input.is_empty() {
                        return Ok(());
                    }
                }
                Status::Ok | Status::BufError => {
                    let full = out.capacity() == out.len();
                    if !full && input.is_empty() {
                        return Ok(());
                    }
                    if !full && used == 0 && out.len() == before_out {
                        return Err(Error::BadDeflate);
                    }
                }
            }
        }
    }
}

/// Deflates the messages of one sender.
#[derive(Debug)]
pub(super) struct Deflater {
    stream: Compress,
    forgets: bool,
}

impl Deflater {
    /// `None` where the window is too small for zlib, which is no obstacle: compressing is every sender's choice.
    pub(super) fn new(deflate: &Deflate, sender: Peer) -> Option<Self> {
        let bits = deflate.window_bits(sender);
        (9..=15)
            .contains(&bits)
            .then(|| Self { stream: Compress::new_with_window_bits(Compression::fast(), false, bits), forgets: deflate.forgets(sender) })
    }

    /// The compressed form of a message that is not empty; `None` if that fails, and the message goes as it is.
    pub(super) fn deflate(&mut self, message: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(message.len() / 2 + 64);
        let mut input = message;
        loop {
            if out.capacity() - out.len() < 64 {
                out.reserve(out.len().max(256));
            }
            let before = self.stream.total_in();
            self.stream.compress_vec(input, &mut out, FlushCompress::Sync).ok()?;
            let used = usize::try_from(self.stream.total_in() - before).ok()?;
            input = input.get(used..).unwrap_or_default();
            // Room left over means that the flush is complete.
            if input.is_empty() && out.len() < out.capacity() {
                break;
            }
        }
        if self.forgets {
            self.stream.reset();
        }
        let length = out.strip_suffix(&TAIL)?.len();
        out.truncate(length);
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Deflate = Deflate {
        server_no_context_takeover: false,
        client_no_context_takeover: false,
        server_max_window_bits: None,
        client_max_window_bits: None,
    };

    #[test]
    fn the_examples_of_the_rfc_inflate() {
        // RFC 7692, 7.2.3: one block, with takeover, no compression, a final block, two blocks.
        let mut inflater = Inflater::new(&PLAIN, Peer::Server);
        let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        assert_eq!(inflater.inflate(&hello, 99).as_deref(), Ok(&b"Hello"[..]));
        assert_eq!(inflater.inflate(&[0xf2, 0x00, 0x11, 0x00, 0x00], 99).as_deref(), Ok(&b"Hello"[..]));
        assert_eq!(inflater.inflate(&[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00], 99).as_deref(), Ok(&b"Hello"[..]));
        assert_eq!(inflater.inflate(&[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00], 99).as_deref(), Ok(&b"Hello"[..]));
        let two = [0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00];
        assert_eq!(inflater.inflate(&two, 99).as_deref(), Ok(&b"Hello"[..]));
        assert_eq!(inflater.inflate(&[0x00], 99).as_deref(), Ok(&b""[..]));
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let mut deflater = Deflater::new(&PLAIN, Peer::Client).expect("deflater");
        let bomb = deflater.deflate(&vec![0; 64 << 20]).expect("bomb");
        assert!(bomb.len() < 1 << 20, "{}", bomb.len());
        let mut inflater = Inflater::new(&PLAIN, Peer::Client);
        assert_eq!(inflater.inflate(&bomb, 1 << 20), Err(Error::TooLarge));
    }

    #[test]
    fn a_message_of_exactly_the_limit_passes() {
        for length in [1, 255, 256, 257, 4096, 100_000] {
            let message = vec![b'x'; length];
            let compressed = Deflater::new(&PLAIN, Peer::Client).and_then(|mut deflater| deflater.deflate(&message)).expect("deflate");
            assert_eq!(Inflater::new(&PLAIN, Peer::Client).inflate(&compressed, length).map(|out| out.len()), Ok(length));
            assert_eq!(Inflater::new(&PLAIN, Peer::Client).inflate(&compressed, length - 1), Err(Error::TooLarge));
        }
    }

    #[test]
    fn garbage_is_an_error() {
        assert_eq!(Inflater::new(&PLAIN, Peer::Client).inflate(&[0xff; 20], 1000), Err(Error::BadDeflate));
    }

    #[test]
    fn a_window_of_256_bytes_means_that_we_do_not_compress() {
        assert!(Deflater::new(&Deflate { client_max_window_bits: Some(8), ..PLAIN }, Peer::Client).is_none());
        assert!(Deflater::new(&Deflate { client_max_window_bits: Some(9), ..PLAIN }, Peer::Client).is_some());
    }
}
