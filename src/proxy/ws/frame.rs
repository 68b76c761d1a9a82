//! Frames: headers read and written, payloads masked.

use super::Error;

/// An end of a WebSocket connection. What a client sends is masked, what a server sends is not (RFC 6455, 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// The one that opened the connection.
    Client,
    /// The one that accepted it.
    Server,
}

/// A status code of a close frame (RFC 6455, 7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloseCode(u16);

impl CloseCode {
    /// 1000.
    pub const NORMAL: Self = Self(1000);
    /// 1001: the server is shutting down, or the page was left.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// 1007: not UTF-8, or not to be inflated.
    pub const BAD_PAYLOAD: Self = Self(1007);
    /// 1008: what policy refuses.
    pub const POLICY: Self = Self(1008);
    /// 1009.
    pub const TOO_LARGE: Self = Self(1009);
    /// 1011.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// 1013: try again later.
    pub const TRY_AGAIN: Self = Self(1013);

    /// The code, if it may stand in a close frame.
    pub fn of(number: u16) -> Option<Self> {
        matches!(number, 1000..=1003 | 1007..=1014 | 3000..=4999).then_some(Self(number))
    }

    /// The number.
    pub fn number(self) -> u16 {
        self.0
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opcode {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

impl Opcode {
    fn of(bits: u8) -> Option<Self> {
        Some(match bits {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return None,
        })
    }

    fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0,
            Self::Text => 1,
            Self::Binary => 2,
            Self::Close => 8,
            Self::Ping => 9,
            Self::Pong => 10,
        }
    }

    pub(super) fn is_control(self) -> bool {
        match self {
            Self::Continuation | Self::Text | Self::Binary => false,
            Self::Close | Self::Ping | Self::Pong => true,
        }
    }
}

/// The header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) is_final: bool,
    /// RSV1: the message is compressed.
    pub(super) compressed: bool,
    pub(super) opcode: Opcode,
    pub(super) mask: Option<[u8; 4]>,
    pub(super) length: u64,
}

/// Most bytes of a control frame's payload.
pub(super) const MAX_CONTROL: usize = 125;

impl Header {
    /// The header at the start of `bytes` and its length; `None` if more bytes are needed.
    pub(super) fn parse(bytes: &[u8], from: Peer) -> Result<Option<(Self, usize)>, Error> {
        let &[first, second, ref rest @ ..] = bytes else { return Ok(None) };
        if first & 0x30 != 0 {
            return Err(Error::Protocol("a reserved bit is set"));
        }
        let opcode = Opcode::of(first & 0x0f).ok_or(Error::Protocol("unknown opcode"))?;
        let (is_final, compressed) = (first & 0x80 != 0, first & 0x40 != 0);
        if opcode.is_control() {
            if !is_final {
                return Err(Error::Protocol("a control frame is fragmented"));
            }
            if compressed {
                return Err(Error::Protocol("a control frame is compressed"));
            }
            if second & 0x7f > 125 {
                return Err(Error::Protocol("a control frame is too long"));
            }
        }
        match (from, second & 0x80 != 0) {
            (Peer::Client, false) => return Err(Error::Protocol("a client's frame is not masked")),
            (Peer::Server, true) => return Err(Error::Protocol("a server's frame is masked")),
            (Peer::Client, true) | (Peer::Server, false) => {}
        }
        let (length, rest, extended) = match second & 0x7f {
            126 => {
                let Some((bytes, rest)) = rest.split_first_chunk() else { return Ok(None) };
                let length = u64::from(u16::from_be_bytes(*bytes));
                if length < 126 {
                    return Err(Error::Protocol("a length is not in its shortest form"));
                }
                (length, rest, 2)
            }
            127 => {
                let Some((bytes, rest)) = rest.split_first_chunk() else { return Ok(None) };
                let length = u64::from_be_bytes(*bytes);
                if length < 65_536 || length >> 63 != 0 {
                    return Err(Error::Protocol("a length is not in its shortest form"));
                }
                (length, rest, 8)
            }
            short => (u64::from(short), rest, 0),
        };
        let (mask, size) = match from {
            Peer::Client => match rest.first_chunk() {
                Some(mask) => (Some(*mask), 2 + extended + 4),
                None => return Ok(None),
            },
            Peer::Server => (None, 2 + extended),
        };
        Ok(Some((Self { is_final, compressed, opcode, mask, length }, size)))
    }

    /// Appends the header.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.push(if self.is_final { 0x80 } else { 0 } | if self.compressed { 0x40 } else { 0 } | self.opcode.bits());
        let masked = if self.mask.is_some() { 0x80 } else { 0 };
        match (u8::try_from(self.length), u16::try_from(self.length)) {
            (Ok(length @ ..=125), _) => out.push(masked | length),
            (_, Ok(length)) => {
                out.push(masked | 126);
                out.extend_from_slice(&length.to_be_bytes());
            }
            (_, Err(_)) => {
                out.push(masked | 127);
                out.extend_from_slice(&self.length.to_be_bytes());
            }
        }
        out.extend(self.mask.iter().flatten());
    }
}

/// Masks or unmasks `payload` in place, which begins `at` bytes into its frame.
pub(super) fn apply_mask(payload: &mut [u8], mask: [u8; 4], at: u64) {
    let mut mask = mask;
    mask.rotate_left((at % 4) as usize);
    let [a, b, c, d] = mask;
    let block = [a, b, c, d, a, b, c, d, a, b, c, d, a, b, c, d];
    let mut blocks = payload.chunks_exact_mut(16);
    for chunk in &mut blocks {
        chunk.iter_mut().zip(block).for_each(|(byte, key)| *byte ^= key);
    }
    blocks.into_remainder().iter_mut().zip(block).for_each(|(byte, key)| *byte ^= key);
}

/// Follows frames that are passed on unread, to know where a frame of our own may stand.
#[derive(Debug)]
pub struct Tracker {
    from: Peer,
    header: Vec<u8>,
    left: u64,
}

impl Tracker {
    /// A tracker of what `from` sends.
    pub fn new(from: Peer) -> Self {
        Self { from, header: Vec::new(), left: 0 }
    }

    /// Follows `bytes`, which come next. Returns how many of them end the last whole frame, if one ends in them.
    ///
    /// # Errors
    /// [`Error::Protocol`] where these are no frames.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Option<usize>, Error> {
        let mut at = 0;
        let mut border = None;
        while at < bytes.len() {
            let rest = bytes.get(at..).unwrap_or_default();
            if self.left > 0 {
                let run = usize::try_from(self.left).map_or(rest.len(), |left| left.min(rest.len()));
                self.left -= run as u64;
                at += run;
            } else {
                let held = self.header.len();
                self.header.extend(rest.iter().take(14 - held.min(14)));
                match Header::parse(&self.header, self.from)? {
                    None => return Ok(border),
                    Some((header, size)) => {
                        at += size - held;
                        self.left = header.length;
                        self.header.clear();
                    }
                }
            }
            if self.left == 0 {
                border = Some(at);
            }
        }
        Ok(border)
    }

    /// Whether a frame may stand here.
    pub fn is_between_frames(&self) -> bool {
        self.left == 0 && self.header.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_survives_the_way_there_and_back() {
        for length in [0, 1, 125, 126, 65_535, 65_536, u64::from(u32::MAX)] {
            for (mask, from) in [(Some([1, 2, 3, 4]), Peer::Client), (None, Peer::Server)] {
                let header = Header { is_final: true, compressed: true, opcode: Opcode::Text, mask, length };
                let mut out = Vec::new();
                header.write(&mut out);
                assert_eq!(Header::parse(&out, from), Ok(Some((header, out.len()))));
                for cut in 0..out.len() {
                    assert_eq!(Header::parse(&out[..cut], from), Ok(None));
                }
            }
        }
    }

    fn refused(bytes: &[u8], from: Peer) {
        assert!(matches!(Header::parse(bytes, from), Err(Error::Protocol(_))), "{bytes:x?}");
    }

    #[test]
    fn frames_keep_the_rules() {
        refused(&[0xa1, 0x00], Peer::Server); // RSV2
        refused(&[0x91, 0x00], Peer::Server); // RSV3
        refused(&[0x83, 0x00], Peer::Server); // reserved opcode
        refused(&[0x8b, 0x00], Peer::Server);
        refused(&[0x09, 0x00], Peer::Server); // fragmented ping
        refused(&[0xc9, 0x00], Peer::Server); // compressed ping
        refused(&[0x88, 126, 0, 200], Peer::Server); // long close
        refused(&[0x81, 0x00], Peer::Client); // unmasked client
        refused(&[0x81, 0x80, 0, 0, 0, 0], Peer::Server); // masked server
        refused(&[0x81, 126, 0, 125], Peer::Server); // longer than need be
        refused(&[0x81, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff], Peer::Server);
        refused(&[0x81, 127, 0x80, 0, 0, 0, 0, 1, 0, 0], Peer::Server);
    }

    #[test]
    fn masking_does_not_depend_on_the_cut() {
        let plain: Vec<u8> = (0..100).collect();
        let mask = [0x37, 0xfa, 0x21, 0x3d];
        let mut whole = plain.clone();
        apply_mask(&mut whole, mask, 0);
        for cut in 0..plain.len() {
            let mut cut_up = plain.clone();
            let (left, right) = cut_up.split_at_mut(cut);
            apply_mask(left, mask, 0);
            apply_mask(right, mask, cut as u64);
            assert_eq!(cut_up, whole);
        }
        assert!(plain.iter().enumerate().all(|(at, byte)| whole[at] == byte ^ mask[at % 4]));
    }

    #[test]
    fn a_tracker_knows_the_borders_in_any_split() {
        let mut stream = vec![0x81, 3, b'a', b'b', b'c', 0x89, 0];
        Header { is_final: true, compressed: false, opcode: Opcode::Binary, mask: None, length: 300 }.write(&mut stream);
        stream.resize(stream.len() + 300, 0);
        let borders = [5, 7, stream.len()];
        for size in 1..20 {
            let mut tracker = Tracker::new(Peer::Server);
            let mut at = 0;
            for piece in stream.chunks(size) {
                let last = tracker.feed(piece).expect("frames").map(|border| at + border);
                let expected = borders.iter().copied().filter(|border| (at + 1..=at + piece.len()).contains(border)).max();
                assert_eq!(last, expected);
                at += piece.len();
                assert_eq!(tracker.is_between_frames(), borders.contains(&at), "{at}");
            }
        }
    }
}
