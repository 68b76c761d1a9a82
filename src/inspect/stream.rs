//! Bodies that are not held in memory: large ones, and streams whose answer begins before they end.
//!
//! The body is read in overlapping windows. What was read is let go, except for the overlap at the end, which is held back until
//! the next window has been read: so that what stands across two windows is found before its first byte is out. A stream that two
//! sides talk over cannot wait so long; there, everything at hand is read and let go whenever the client pauses, and the overlap
//! is only remembered.
//!
//! Nothing can be replaced in bytes that are already gone: what policy would redact is blocked here.

use super::{Inspection, Inspector, Message};
use crate::{
    budget::Budget,
    content::{self, Decoder, Document},
    detect::Detection,
    finding::{Finding, Gap},
    policy::{Action, Facts, Policy, Verdict},
};
use bytes::{Buf as _, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, header};
use std::{
    collections::{HashSet, VecDeque},
    net::IpAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

/// New text read at one time, bytes.
const WINDOW: usize = 256 << 10;
/// How much is read again with the next window: longer than any finding, a private key of 8192 bits among them.
const OVERLAP: usize = 16 << 10;

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
    /// Set when something new was found or could not be read. If its action is [`Action::Block`], nothing more may go.
    pub news: Option<Inspection>,
}

/// The inspection of one streamed body.
#[derive(Debug)]
pub struct StreamInspector {
    inspector: Arc<Inspector>,
    head: Head,
    framing: Framing,
    decoder: Decoder,
    budget: Budget,
    /// Decoded text that still matters: what was already read (the overlap), then what is new.
    text: Vec<u8>,
    read: usize,
    /// Raw bytes not yet let go, each with the decoded length after it.
    held: VecDeque<(Bytes, u64)>,
    decoded: u64,
    /// gRPC: bytes of a message that is not complete.
    partial: BytesMut,
    seen: HashSet<String>,
    /// Tokens that the model may still read of the stream.
    tokens: usize,
    model: Skipped,
    /// What is known from the head not to be readable, until it has been told.
    untold: Option<Gap>,
}

/// Whether it has been told that the model does not read all of the stream: once is enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Skipped {
    Untold,
    Told,
}

impl StreamInspector {
    /// Begins a body. The head itself has been inspected before. A coding that nobody knows is told with the first step, and the
    /// body is then read as it is, should policy let it pass.
    pub fn new(inspector: Arc<Inspector>, head: Head, framing: Framing) -> Self {
        let decoder = match framing {
            Framing::Bytes => Decoder::new(&head.headers),
            Framing::Grpc => Ok(Decoder::identity()),
        };
        let (decoder, untold) = match decoder {
            Ok(decoder) => (decoder, None),
            Err(gap) => (Decoder::identity(), Some(gap)),
        };
        let tokens = inspector.limits.tokens;
        Self {
            inspector,
            head,
            framing,
            decoder,
            untold,
            // A stream has no end to budget for; each step is bounded by its window instead.
            budget: Budget::new(usize::MAX, None),
            text: Vec::new(),
            read: 0,
            held: VecDeque::new(),
            decoded: 0,
            partial: BytesMut::new(),
            seen: HashSet::new(),
            tokens,
            model: Skipped::Untold,
        }
    }

    /// Whether the model reads the stream: then a step may take a second.
    #[cfg(feature = "model")]
    pub fn is_slow(&self) -> bool {
        self.inspector.may_be_slow(&self.head.hosts)
    }

    /// Takes in the next bytes.
    pub fn push(&mut self, chunk: Bytes) -> Step {
        let untold = self.untold.take().map(|gap| self.gap(gap));
        if untold.as_ref().is_some_and(|news| news.verdict.action == Action::Block) {
            return Step { release: Vec::new(), news: untold };
        }
        let mut step = match self.framing {
            Framing::Bytes => self.push_bytes(chunk),
            Framing::Grpc => self.push_grpc(&chunk),
        };
        match (&mut step.news, untold) {
            (Some(news), Some(untold)) => news.gaps.extend(untold.gaps),
            (none, untold) => *none = none.take().or(untold),
        }
        step
    }

    /// The client pauses: reads everything at hand and lets it go.
    pub fn pause(&mut self) -> Step {
        match self.framing {
            Framing::Bytes if self.held.is_empty() => Step::default(),
            Framing::Bytes => {
                let news = self.read_window();
                self.let_go(u64::MAX, news)
            }
            Framing::Grpc => Step::default(), // whole messages are already gone
        }
    }

    /// The body has ended.
    pub fn finish(&mut self) -> Step {
        match self.framing {
            Framing::Bytes => {
                if let Err(gap) = self.decoder.finish() {
                    let news = Some(self.gap(gap));
                    return self.let_go(u64::MAX, news);
                }
                self.pause()
            }
            Framing::Grpc => {
                let rest = self.partial.split().freeze();
                if rest.is_empty() {
                    return Step::default();
                }
                let news = self.read(&rest.clone()).or_else(|| Some(self.gap(Gap::Malformed)));
                Step::of(vec![rest], news)
            }
        }
    }

    /// Reads text that belongs to the body but travels beside it: trailer fields.
    pub fn aside(&mut self, text: &[u8]) -> Option<Inspection> {
        self.read(text)
    }

    fn push_bytes(&mut self, chunk: Bytes) -> Step {
        let before = self.text.len();
        let decoded = self.decoder.push(&chunk, &mut self.text, &mut self.budget);
        self.decoded += (self.text.len() - before) as u64;
        self.held.push_back((chunk, self.decoded));
        if let Err(gap) = decoded {
            let news = Some(self.gap(gap));
            return self.let_go(u64::MAX, news);
        }
        if self.text.len() - self.read < WINDOW {
            return Step::default();
        }
        let news = self.read_window();
        self.let_go(self.decoded.saturating_sub(OVERLAP as u64), news)
    }

    fn push_grpc(&mut self, chunk: &[u8]) -> Step {
        self.partial.extend_from_slice(chunk);
        let mut step = Step::default();
        loop {
            let Some((prefix, rest)) = self.partial.split_first_chunk::<5>() else { return step };
            let [compressed, length @ ..] = *prefix;
            let length = u32::from_be_bytes(length) as usize;
            if length > self.inspector.limits.max_bytes {
                return Step::of(step.release, Some(self.gap(Gap::TooLarge)));
            }
            if rest.len() < length {
                return step;
            }
            let message = self.partial.split_to(5 + length).freeze();
            let mut payload = message.clone();
            payload.advance(5);
            let news = match self.decompressed(compressed, payload) {
                Ok(payload) => self.read(&payload),
                Err(gap) => Some(self.gap(gap)),
            };
            let stop = news.as_ref().is_some_and(|news| news.verdict.action == Action::Block);
            step.news = news.or(step.news);
            if stop {
                return step;
            }
            step.release.push(message);
        }
    }

    /// The payload of a message whose first byte is `compressed` (gRPC over HTTP/2, Length-Prefixed-Message).
    fn decompressed(&self, compressed: u8, payload: Bytes) -> Result<Bytes, Gap> {
        match compressed {
            0 => Ok(payload),
            1 => {
                let coding = self.head.headers.get("grpc-encoding").cloned().unwrap_or(HeaderValue::from_static("identity"));
                let headers = HeaderMap::from_iter([(header::CONTENT_ENCODING, coding)]);
                let mut budget = Budget::new(self.inspector.limits.max_bytes, None);
                content::decode(&headers, &payload, &mut budget)
            }
            _ => Err(Gap::UnknownEncoding),
        }
    }

    fn read_window(&mut self) -> Option<Inspection> {
        let text = std::mem::take(&mut self.text);
        let news = self.read(&text);
        self.text = text.get(text.len().saturating_sub(OVERLAP)..).unwrap_or_default().to_vec();
        self.read = self.text.len();
        news
    }

    /// What is new in `bytes`; a bug of ours on the way is a gap, as in [`Inspector::inspect`].
    fn read(&mut self, bytes: &[u8]) -> Option<Inspection> {
        catch_unwind(AssertUnwindSafe(|| self.look(bytes))).unwrap_or_else(|_| Some(self.gap(Gap::Panicked)))
    }

    fn look(&mut self, bytes: &[u8]) -> Option<Inspection> {
        let text = String::from_utf8_lossy(bytes);
        let document = Document::plain(&text);
        let deadline = std::time::Instant::now() + self.inspector.limits.deadline;
        let mut budget = Budget::new(usize::MAX, Some(deadline)).with_tokens(self.tokens);
        let body = Bytes::new();
        let (readers, policy) = (&self.inspector.readers, &self.inspector.policy);
        let at = self.head.message(&body).whereabouts();
        let mut detection = readers.read(&document, at, policy, &self.head.hosts, &mut budget);
        self.tokens = budget.tokens_left();
        if detection.gap == Some(Gap::ModelSkipped) && std::mem::replace(&mut self.model, Skipped::Told) == Skipped::Told {
            detection.gap = None;
        }
        let Detection { findings, suppressed, gap } = detection;
        let gaps: Vec<Gap> = gap.into_iter().collect();
        let verdict = without_redaction(&self.inspector.policy, &Facts::of(&self.head.message(&body)), &document, &findings, &gaps);
        let mut found = self.inspector.describe(&document, findings, &verdict);
        found.retain(|found| self.seen.insert(found.digest.clone()));
        let is_news = !found.is_empty() || !gaps.is_empty() || verdict.action == Action::Block;
        is_news.then_some(Inspection { verdict, findings: found, suppressed, gaps, rewritten: None })
    }

    fn gap(&self, gap: Gap) -> Inspection {
        self.inspector.unread(&self.head.message(&Bytes::new()), gap)
    }

    /// Lets go what ends at or before decoded offset `until`, unless the news is a refusal.
    fn let_go(&mut self, until: u64, news: Option<Inspection>) -> Step {
        if news.as_ref().is_some_and(|news| news.verdict.action == Action::Block) {
            self.held.clear();
            return Step { release: Vec::new(), news };
        }
        let mut release = Vec::new();
        while self.held.front().is_some_and(|(_, end)| *end <= until) {
            release.extend(self.held.pop_front().map(|(chunk, _)| chunk));
        }
        Step { release, news }
    }
}

impl Step {
    fn of(release: Vec<Bytes>, news: Option<Inspection>) -> Self {
        match &news {
            Some(inspection) if inspection.verdict.action == Action::Block => Self { release: Vec::new(), news },
            _ => Self { release, news },
        }
    }
}

fn without_redaction(policy: &Policy, facts: &Facts<'_>, document: &Document<'_>, findings: &[Finding], gaps: &[Gap]) -> Verdict {
    let mut verdict = policy.decide(facts, document, findings, gaps);
    if verdict.action == Action::Redact {
        verdict.block_instead(content::RewriteError::Unsupported);
    }
    verdict
}
