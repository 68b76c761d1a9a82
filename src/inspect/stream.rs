//! Bodies that are not held in memory: large ones, and streams whose answer begins before they end.
//!
//! The body is read piece by piece ([`content::Stream`]). What was read is let go, except for the overlap at the end, which is held
//! back until the next window has been read: so that what stands across two windows is found before its first byte is out. A
//! stream that two sides talk over cannot wait so long; there, everything at hand is read and let go whenever the client pauses,
//! and the overlap is only remembered.
//!
//! Nothing can be replaced in bytes that are already gone: what policy would redact is blocked here.

use super::{Inspection, Inspector, Message, watch::Watch};
use crate::{
    budget::Budget,
    content::{self, Batch, Decoder},
    finding::Gap,
};
use bytes::{Buf as _, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, header};
use std::{collections::VecDeque, net::IpAddr, sync::Arc};

/// Content codings are undone so many bytes at a time.
const DECODED_AT_ONCE: usize = 16 << 10;
/// With so many bytes held back, what has been gathered is read although it is little.
const MUCH_HELD: usize = 1 << 20;
/// More than reading ever has to hold back.
const MOST_HELD: usize = 8 << 20;
/// Less than this is read in no time.
const BRIEF: usize = 64 << 10;

/// How the body is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Bytes.
    Bytes,
    /// gRPC messages, each with a prefix of five bytes.
    Grpc,
}

/// The owned head of a streamed request.
#[derive(Clone, Debug)]
pub struct Head {
    /// Who sends it.
    pub client: IpAddr,
    /// The authenticated user.
    pub user: Option<Arc<str>>,
    /// Every name of the destination.
    pub hosts: Vec<String>,
    /// The method.
    pub method: Method,
    /// Path and query.
    pub target: String,
    /// All headers.
    pub headers: HeaderMap,
}

impl Head {
    /// The message of this head and `body`.
    pub fn message<'a>(&'a self, body: &'a Bytes) -> Message<'a> {
        Message {
            client: self.client,
            user: self.user.as_deref(),
            hosts: &self.hosts,
            method: &self.method,
            target: &self.target,
            headers: &self.headers,
            body,
        }
    }
}

/// What may go on after some bytes came in.
#[derive(Debug, Default)]
pub struct Step {
    /// Bytes as they were sent, in order.
    pub release: Vec<Bytes>,
    /// Set when something new was found or could not be read. If its action is to block, nothing more may go.
    pub news: Option<Inspection>,
}

/// The inspection of one streamed body.
#[derive(Debug)]
pub struct StreamInspector {
    watch: Watch,
    framing: Framing,
    decoder: Decoder,
    content: content::Stream,
    budget: Budget,
    /// Raw bytes not yet let go, each with the length of the decoded body after it.
    held: VecDeque<(Bytes, u64)>,
    held_len: usize,
    /// gRPC: bytes of a message that is not complete.
    partial: BytesMut,
}

impl StreamInspector {
    /// Begins a body. The head itself has been inspected before. A coding that nobody knows is told with the first step, and the
    /// body is then read as it is, should policy let it pass.
    pub fn new(inspector: Arc<Inspector>, head: Head, framing: Framing) -> Self {
        let decoder = match framing {
            Framing::Bytes => Decoder::new(&head.headers),
            Framing::Grpc => Ok(Decoder::identity()),
        };
        let content = content::Stream::new(&head.headers);
        let mut watch = Watch::new(inspector, head);
        let decoder = decoder.unwrap_or_else(|gap| {
            watch.gap(gap);
            Decoder::identity()
        });
        Self {
            watch,
            framing,
            decoder,
            content,
            // A stream has no end to budget for; each step is bounded by its window instead.
            budget: Budget::new(usize::MAX, None),
            held: VecDeque::new(),
            held_len: 0,
            partial: BytesMut::new(),
        }
    }

    /// Whether the model reads the stream: then a step may take a second.
    #[cfg(feature = "model")]
    pub fn is_slow(&self) -> bool {
        self.watch.inspector.may_be_slow(&self.watch.head.hosts)
    }

    /// Takes in the next bytes.
    pub fn push(&mut self, chunk: Bytes) -> Step {
        match self.framing {
            Framing::Bytes => self.push_bytes(chunk),
            Framing::Grpc => self.push_grpc(&chunk),
        }
    }

    /// The client pauses: reads everything at hand and lets it go, unless nobody answers before the end.
    pub fn pause(&mut self) -> Step {
        match self.framing {
            Framing::Bytes if self.held.is_empty() || self.content.is_patient() => Step::default(),
            Framing::Bytes => {
                let Self { content, budget, watch, .. } = self;
                content.pause(budget, &mut |batch| watch.read(batch));
                self.let_go(u64::MAX)
            }
            Framing::Grpc => Step::default(), // whole messages are already gone
        }
    }

    /// The body has ended.
    pub fn finish(&mut self) -> Step {
        match self.framing {
            Framing::Bytes => {
                if let Err(gap) = self.decoder.finish() {
                    self.watch.gap(gap);
                }
                let Self { content, budget, watch, .. } = self;
                content.finish(budget, &mut |batch| watch.read(batch));
                self.let_go(u64::MAX)
            }
            Framing::Grpc => {
                let rest = self.partial.split().freeze();
                if rest.is_empty() {
                    return Step::default();
                }
                self.watch.text(&rest);
                self.watch.gap(Gap::Malformed);
                Step::of(vec![rest], &mut self.watch)
            }
        }
    }

    /// Reads text that belongs to the body but travels beside it: trailer fields.
    pub fn aside(&mut self, text: &[u8]) -> Step {
        self.watch.text(text);
        Step::of(Vec::new(), &mut self.watch)
    }

    /// Whether taking in `more` bytes may take long enough to be in the way of others.
    pub fn is_busy_with(&self, more: usize) -> bool {
        more + self.held_len >= BRIEF
    }

    fn push_bytes(&mut self, chunk: Bytes) -> Step {
        let Self { content, budget, watch, decoder, .. } = self;
        let mut read = |batch: Batch| watch.read(batch);
        if decoder.is_identity() {
            content.push(&chunk, budget, &mut read);
        } else {
            let mut plain = Vec::new();
            // In small pieces: each may become two hundred times as long.
            for piece in chunk.chunks(DECODED_AT_ONCE) {
                plain.clear();
                let decoded = decoder.push(piece, &mut plain, budget);
                content.push(&plain, budget, &mut read);
                if let Err(gap) = decoded {
                    // Should policy let it pass, the rest is read as it is.
                    *decoder = Decoder::identity();
                    content.gap(gap);
                    content.push(piece, budget, &mut read);
                }
            }
        }
        self.held_len += chunk.len();
        self.held.push_back((chunk, content.at()));
        if self.held_len >= MUCH_HELD {
            content.flush(&mut read);
        }
        let settled = content.settled();
        let waits = self.held.iter().filter(|(_, end)| *end > settled).map(|(chunk, _)| chunk.len()).sum::<usize>();
        if waits > MOST_HELD {
            // So much that says so little is made to exhaust us.
            watch.gap(Gap::TooLarge);
            return self.let_go(u64::MAX);
        }
        self.let_go(settled)
    }

    fn push_grpc(&mut self, chunk: &[u8]) -> Step {
        self.partial.extend_from_slice(chunk);
        let mut release = Vec::new();
        while let Some((prefix, rest)) = self.partial.split_first_chunk::<5>() {
            let [compressed, length @ ..] = *prefix;
            let length = u32::from_be_bytes(length) as usize;
            if length > self.watch.inspector.limits.max_bytes {
                self.watch.gap(Gap::TooLarge);
                break;
            }
            if rest.len() < length {
                break;
            }
            let message = self.partial.split_to(5 + length).freeze();
            let mut payload = message.clone();
            payload.advance(5);
            match self.decompressed(compressed, payload) {
                Ok(payload) => self.watch.text(&payload),
                Err(gap) => self.watch.gap(gap),
            }
            if self.watch.is_refused() {
                break;
            }
            release.push(message);
        }
        Step::of(release, &mut self.watch)
    }

    /// The payload of a message whose first byte is `compressed` (gRPC over HTTP/2, Length-Prefixed-Message).
    fn decompressed(&self, compressed: u8, payload: Bytes) -> Result<Bytes, Gap> {
        match compressed {
            0 => Ok(payload),
            1 => {
                let coding = self.watch.head.headers.get("grpc-encoding").cloned().unwrap_or(HeaderValue::from_static("identity"));
                let headers = HeaderMap::from_iter([(header::CONTENT_ENCODING, coding)]);
                let mut budget = Budget::new(self.watch.inspector.limits.max_bytes, None);
                content::decode(&headers, &payload, &mut budget)
            }
            _ => Err(Gap::UnknownEncoding),
        }
    }

    /// Lets go what ends at or before offset `until` of the decoded body, unless the news is a refusal.
    fn let_go(&mut self, until: u64) -> Step {
        let mut release = Vec::new();
        while let Some((chunk, _)) = self.held.pop_front_if(|(_, end)| *end <= until) {
            self.held_len -= chunk.len();
            release.push(chunk);
        }
        Step::of(release, &mut self.watch)
    }
}

impl Step {
    fn of(release: Vec<Bytes>, watch: &mut Watch) -> Self {
        let release = if watch.is_refused() { Vec::new() } else { release };
        Self { release, news: watch.take_news() }
    }
}
