//! Messages out of frames and into them.

use super::{
    Deflate, Error,
    deflate::{Deflater, Inflater},
    frame::{CloseCode, Header, MAX_CONTROL, Opcode, Peer, apply_mask},
};
use aws_lc_rs::rand;
use bytes::{Buf, Bytes, BytesMut};
use std::fmt;

/// Kind of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8, checked.
    Text,
    /// Anything.
    Binary,
}

/// A whole message, inflated.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Text or binary.
    pub kind: Kind,
    /// Its content.
    pub payload: Bytes,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} of {} bytes", self.kind, self.payload.len())
    }
}

/// The content of a close frame.
#[derive(Clone, PartialEq, Eq)]
pub struct Close {
    /// Why, as a number.
    pub code: CloseCode,
    /// Why, in words; at most 123 bytes.
    pub reason: String,
}

impl fmt::Debug for Close {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "close {}", self.code.number())
    }
}

/// Something whole that a peer sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A message.
    Message(Message),
    /// To be answered with a pong of the same payload, by whoever is at the other end.
    Ping(Bytes),
    /// An answer to a ping.
    Pong(Bytes),
    /// The end of this direction; nothing after it is read.
    Close(Option<Close>),
}

/// Reads what one peer sends.
pub struct Reader {
    from: Peer,
    inflater: Option<Inflater>,
    most: usize,
    input: BytesMut,
    frame: Option<Frame>,
    message: Option<Partial>,
    control: Vec<u8>,
    ended: Option<Ended>,
}

/// A frame whose payload has not all come.
#[derive(Clone, Copy, Debug)]
struct Frame {
    header: Header,
    read: u64,
}

/// A message whose frames have not all come.
struct Partial {
    kind: Kind,
    compressed: bool,
    payload: BytesMut,
}

#[derive(Clone, Copy, Debug)]
enum Ended {
    Closed,
    Failed(Error),
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "reader of the {:?}'s frames", self.from)
    }
}

impl Reader {
    /// A reader of what `from` sends, with messages of at most `most` bytes.
    pub fn new(from: Peer, deflate: Option<&Deflate>, most: usize) -> Self {
        Self {
            from,
            inflater: deflate.map(|deflate| Inflater::new(deflate, from)),
            most,
            input: BytesMut::new(),
            frame: None,
            message: None,
            control: Vec::new(),
            ended: None,
        }
    }

    /// Takes bytes that arrived. Call [`next`](Self::next) until it has nothing more before giving it others, then no more
    /// than a frame header is held besides the message itself.
    pub fn push(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
    }

    /// The next whole thing, if it is there.
    ///
    /// # Errors
    /// What the peer did wrong; from then on always the same.
    #[expect(clippy::should_implement_trait, reason = "an iterator's end would be final; here more bytes may follow")]
    pub fn next(&mut self) -> Result<Option<Event>, Error> {
        match self.ended {
            Some(Ended::Closed) => return Ok(None),
            Some(Ended::Failed(error)) => return Err(error),
            None => {}
        }
        let result = self.read();
        match &result {
            Ok(Some(Event::Close(_))) => self.end(Ended::Closed),
            Err(error) => self.end(Ended::Failed(*error)),
            Ok(_) => {}
        }
        result
    }

    fn end(&mut self, how: Ended) {
        self.ended = Some(how);
        self.input.clear();
        self.message = None;
    }

    fn read(&mut self) -> Result<Option<Event>, Error> {
        loop {
            let mut frame = match self.frame {
                Some(frame) => frame,
                None => {
                    let Some((header, size)) = Header::parse(&self.input, self.from)? else { return Ok(None) };
                    self.begin(&header)?;
                    self.input.advance(size);
                    Frame { header, read: 0 }
                }
            };
            let left = frame.header.length - frame.read;
            let run = usize::try_from(left).map_or(self.input.len(), |left| left.min(self.input.len()));
            let mut payload = self.input.split_to(run);
            if let Some(mask) = frame.header.mask {
                apply_mask(&mut payload, mask, frame.read);
            }
            frame.read += run as u64;
            if frame.header.opcode.is_control() {
                self.control.extend_from_slice(&payload);
            } else if let Some(message) = &mut self.message {
                if message.payload.is_empty() {
                    message.payload = payload;
                } else {
                    message.payload.extend_from_slice(&payload);
                }
            }
            if frame.read < frame.header.length {
                self.frame = Some(frame);
                return Ok(None);
            }
            self.frame = None;
            if let Some(event) = self.finish(&frame.header)? {
                return Ok(Some(event));
            }
        }
    }

    /// Checks a header against what came before it.
    fn begin(&mut self, header: &Header) -> Result<(), Error> {
        let kind = match header.opcode {
            Opcode::Close | Opcode::Ping | Opcode::Pong => return Ok(()),
            Opcode::Continuation if header.compressed => return Err(Error::Protocol("a continuation is marked as compressed")),
            Opcode::Continuation if self.message.is_none() => return Err(Error::Protocol("a continuation of nothing")),
            Opcode::Continuation => None,
            Opcode::Text => Some(Kind::Text),
            Opcode::Binary => Some(Kind::Binary),
        };
        if let Some(kind) = kind {
            if self.message.is_some() {
                return Err(Error::Protocol("a message begins within another"));
            }
            if header.compressed && self.inflater.is_none() {
                return Err(Error::Protocol("a reserved bit is set"));
            }
            self.message = Some(Partial { kind, compressed: header.compressed, payload: BytesMut::new() });
        }
        let so_far = self.message.as_ref().map_or(0, |message| message.payload.len());
        match usize::try_from(header.length) {
            Ok(length) if length <= self.most.saturating_sub(so_far) => Ok(()),
            Ok(_) | Err(_) => Err(Error::TooLarge),
        }
    }

    /// What the end of a frame completes.
    fn finish(&mut self, header: &Header) -> Result<Option<Event>, Error> {
        match header.opcode {
            Opcode::Ping => Ok(Some(Event::Ping(self.take_control()))),
            Opcode::Pong => Ok(Some(Event::Pong(self.take_control()))),
            Opcode::Close => {
                let payload = self.take_control();
                close(&payload).map(|close| Some(Event::Close(close)))
            }
            Opcode::Continuation | Opcode::Text | Opcode::Binary if !header.is_final => Ok(None),
            Opcode::Continuation | Opcode::Text | Opcode::Binary => {
                let Some(message) = self.message.take() else { return Ok(None) };
                let payload = match &mut self.inflater {
                    Some(inflater) if message.compressed => Bytes::from(inflater.inflate(&message.payload, self.most)?),
                    Some(_) | None => message.payload.freeze(),
                };
                if message.kind == Kind::Text && std::str::from_utf8(&payload).is_err() {
                    return Err(Error::BadText);
                }
                Ok(Some(Event::Message(Message { kind: message.kind, payload })))
            }
        }
    }

    fn take_control(&mut self) -> Bytes {
        Bytes::from(std::mem::take(&mut self.control))
    }
}

/// The content of a close frame (RFC 6455, 5.5.1).
fn close(payload: &[u8]) -> Result<Option<Close>, Error> {
    if payload.is_empty() {
        return Ok(None);
    }
    let (code, reason) = payload.split_first_chunk().ok_or(Error::Protocol("a close frame of one byte"))?;
    let code = CloseCode::of(u16::from_be_bytes(*code)).ok_or(Error::Protocol("a close code that may not be sent"))?;
    let reason = std::str::from_utf8(reason).map_err(|_| Error::BadText)?.to_owned();
    Ok(Some(Close { code, reason }))
}

/// Writes what one peer is sent.
pub struct Writer {
    to: Peer,
    deflater: Option<Deflater>,
    masks: Masks,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "writer to the {:?}", self.to)
    }
}

/// Shorter messages do not gain by compression.
const WORTH_DEFLATING: usize = 48;

impl Writer {
    /// A writer to `to`.
    pub fn new(to: Peer, deflate: Option<&Deflate>) -> Self {
        let sender = match to {
            Peer::Client => Peer::Server,
            Peer::Server => Peer::Client,
        };
        Self { to, deflater: deflate.and_then(|deflate| Deflater::new(deflate, sender)), masks: Masks::default() }
    }

    /// Appends a message, as one frame.
    pub fn message(&mut self, kind: Kind, payload: &[u8], out: &mut Vec<u8>) {
        let opcode = match kind {
            Kind::Text => Opcode::Text,
            Kind::Binary => Opcode::Binary,
        };
        let deflated = match &mut self.deflater {
            Some(deflater) if payload.len() >= WORTH_DEFLATING => deflater.deflate(payload),
            Some(_) | None => None,
        };
        match deflated {
            Some(deflated) => self.frame(opcode, Coding::Deflated, &deflated, out),
            None => self.frame(opcode, Coding::Plain, payload, out),
        }
    }

    /// Appends a ping; a longer payload than a control frame holds is cut.
    pub fn ping(&mut self, payload: &[u8], out: &mut Vec<u8>) {
        self.frame(Opcode::Ping, Coding::Plain, payload.get(..MAX_CONTROL).unwrap_or(payload), out);
    }

    /// Appends a pong; a longer payload than a control frame holds is cut.
    pub fn pong(&mut self, payload: &[u8], out: &mut Vec<u8>) {
        self.frame(Opcode::Pong, Coding::Plain, payload.get(..MAX_CONTROL).unwrap_or(payload), out);
    }

    /// Appends a close frame; a longer reason than it holds is cut between characters.
    pub fn close(&mut self, close: Option<&Close>, out: &mut Vec<u8>) {
        let mut payload = Vec::new();
        if let Some(close) = close {
            payload.extend_from_slice(&close.code.number().to_be_bytes());
            let end = (0..=close.reason.len().min(MAX_CONTROL - 2)).rev().find(|&end| close.reason.is_char_boundary(end)).unwrap_or(0);
            payload.extend_from_slice(close.reason.get(..end).unwrap_or_default().as_bytes());
        }
        self.frame(Opcode::Close, Coding::Plain, &payload, out);
    }

    /// Appends any event as it came.
    pub fn event(&mut self, event: &Event, out: &mut Vec<u8>) {
        match event {
            Event::Message(message) => self.message(message.kind, &message.payload, out),
            Event::Ping(payload) => self.ping(payload, out),
            Event::Pong(payload) => self.pong(payload, out),
            Event::Close(close) => self.close(close.as_ref(), out),
        }
    }

    fn frame(&mut self, opcode: Opcode, coding: Coding, payload: &[u8], out: &mut Vec<u8>) {
        let mask = match self.to {
            Peer::Client => None,
            Peer::Server => Some(self.masks.next()),
        };
        out.reserve(payload.len() + 14);
        Header { is_final: true, compressed: coding == Coding::Deflated, opcode, mask, length: payload.len() as u64 }.write(out);
        let start = out.len();
        out.extend_from_slice(payload);
        if let (Some(mask), Some(written)) = (mask, out.get_mut(start..)) {
            apply_mask(written, mask, 0);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Plain,
    Deflated,
}

/// Unpredictable masks (RFC 6455, 10.3), drawn some at a time.
#[derive(Debug, Default)]
struct Masks(Vec<u8>);

impl Masks {
    fn next(&mut self) -> [u8; 4] {
        if self.0.len() < 4 {
            self.0.resize(256, 0);
            // The generator of the process cannot fail once it has been seeded, which TLS did.
            let _ = rand::fill(&mut self.0);
        }
        let at = self.0.len() - 4;
        let mask = self.0.last_chunk().copied().unwrap_or_default();
        self.0.truncate(at);
        mask
    }
}

#[cfg(test)]
mod tests;
