//! The guard on a stream: what hyper reads and writes goes through it.

use super::{Guard, Violation};
use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, Request, StatusCode, Version};
use std::{
    collections::VecDeque,
    fmt::Write as _,
    future::Future,
    io::{self, IoSlice},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep},
};

/// How long a client may take. How long it may be idle between two requests is hyper's to say (`header_read_timeout`).
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From the first byte of a head to its last.
    pub head: Duration,
    /// How long content may be waited for in all, on top of what `body_rate` gives.
    pub body_grace: Duration,
    /// Bytes a second that content has to come at in the long run; 0 for no such rule.
    pub body_rate: u32,
    /// How long a client is listened to after we hung up on it, so that it reads our answer before it learns that we did.
    pub linger: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { head: Duration::from_secs(30), body_grace: Duration::from_secs(60), body_rate: 64, linger: Duration::from_secs(3) }
    }
}

/// Puts a guard on a client's stream. The service must call [`Control::begin`] for every request.
pub fn guard<IO>(io: IO, limits: Limits) -> (Guarded<IO>, Control) {
    let shared = Arc::new(Shared::default());
    let guarded = Guarded {
        io,
        limits,
        guard: Guard::default(),
        held: BytesMut::new(),
        ready: 0,
        refused: Refused::No,
        sending: Bytes::new(),
        closing: Closing::No,
        clock: Clock::default(),
        shared: Arc::clone(&shared),
    };
    (guarded, Control(shared))
}

/// The target of the request that stands for a refused one.
const REFUSED_TARGET: &str = "/.well-known/exeat-refused";

/// The service's side of the guard of one connection.
#[derive(Clone, Debug)]
pub struct Control(Arc<Shared>);

impl Control {
    /// Begins the turn of a request; to be called once for every request, in order, before anything else.
    ///
    /// # Errors
    /// The [`Violation`] if this stands for a request that was refused; answer with [`Violation::fault`].
    pub fn begin<B>(&self, request: &Request<B>) -> Result<Turn, Violation> {
        let mut cell = self.0.lock();
        cell.turn += 1;
        cell.open = true;
        cell.http11 = request.version() == Version::HTTP_11;
        cell.stage = if cell.unflushed { Stage::Dirty } else { Stage::Clear };
        cell.queue.clear();
        if let Some(violation) = cell.refused
            && request.uri().path() == REFUSED_TARGET
        {
            cell.close();
            return Err(violation);
        }
        Ok(Turn { shared: Arc::clone(&self.0), number: cell.turn })
    }

    /// What the client did wrong, if it did: also tells why a body ended in an error.
    pub fn violation(&self) -> Option<Violation> {
        self.0.lock().refused
    }
}

/// A request's turn on its connection: hold it until the response is returned.
#[derive(Debug)]
pub struct Turn {
    shared: Arc<Shared>,
    number: u64,
}

impl Turn {
    /// A handle to send interim responses with.
    pub fn interim(&self) -> Interim {
        Interim { shared: Arc::clone(&self.shared), number: self.number }
    }

    /// The response is a 101, or a 200 to CONNECT: what follows is not HTTP and is not judged.
    pub fn upgrade(self) {
        self.shared.lock().switched = true;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut cell = self.shared.lock();
        cell.close();
        cell.decided = cell.decided.max(self.number);
        cell.wake();
    }
}

/// Sends interim responses (RFC 9110, 15.2) before the final one; from any task.
#[derive(Clone, Debug)]
pub struct Interim {
    shared: Arc<Shared>,
    number: u64,
}

/// How many interim responses may wait.
const MAX_QUEUE: usize = 16;

impl Interim {
    /// Queues an interim response. It is dropped if the final one has begun, the client speaks HTTP/1.0, too many wait, or the status is
    /// not a hint: 100 is hyper's and 101 is no hint.
    pub fn send(&self, status: StatusCode, headers: &HeaderMap) {
        if !status.is_informational() || matches!(status, StatusCode::CONTINUE | StatusCode::SWITCHING_PROTOCOLS) {
            return;
        }
        let mut head = format!("HTTP/1.1 {} {}\r\n", status.as_str(), status.canonical_reason().unwrap_or_default()).into_bytes();
        for (name, value) in headers {
            head.extend_from_slice(name.as_str().as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(value.as_bytes());
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(b"\r\n");
        let mut cell = self.shared.lock();
        if cell.open && cell.turn == self.number && cell.http11 && cell.queue.len() < MAX_QUEUE {
            cell.queue.push_back(Bytes::from(head));
            cell.wake();
        }
    }
}

/// What the stream and the service tell each other.
#[derive(Debug, Default)]
struct Shared(Mutex<Cell>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Cell> {
        // A panic elsewhere leaves no half-done change here.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct Cell {
    /// Number of the current turn.
    turn: u64,
    /// Whether its response has not been returned yet.
    open: bool,
    http11: bool,
    /// Number of the last turn that left the connection HTTP.
    decided: u64,
    /// Whether it is no longer HTTP.
    switched: bool,
    refused: Option<Violation>,
    queue: VecDeque<Bytes>,
    stage: Stage,
    /// Whether hyper has written since it flushed.
    unflushed: bool,
    /// Of the connection's task.
    waker: Option<Waker>,
}

/// Whether an interim response may be written now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// No: the final response has begun, or there is no request.
    #[default]
    Closed,
    /// Not yet: hyper may hold back bytes of the response before, or has written part of a `100 Continue`.
    Dirty,
    /// Yes: everything that hyper had is written, and the next byte begins a response.
    Clear,
}

impl Cell {
    fn close(&mut self) {
        self.open = false;
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn wait(&mut self, cx: &Context<'_>) {
        if !self.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            self.waker = Some(cx.waker().clone());
        }
    }

    fn take_queue(&mut self) -> Bytes {
        match self.queue.len() {
            0 => Bytes::new(),
            1 => self.queue.pop_front().unwrap_or_default(),
            _ => self.queue.drain(..).collect::<Vec<_>>().concat().into(),
        }
    }
}

/// A client's stream under guard.
#[derive(Debug)]
pub struct Guarded<IO> {
    io: IO,
    limits: Limits,
    guard: Guard,
    /// Bytes read and not handed on.
    held: BytesMut,
    /// How many of them may be.
    ready: usize,
    refused: Refused,
    /// What is left of interim responses being written.
    sending: Bytes,
    closing: Closing,
    clock: Clock,
    shared: Arc<Shared>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    No,
    /// Between requests: hyper was given a request in its place.
    Told,
    /// Within a request's content.
    InContent(Violation),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closing {
    No,
    /// Our side is closed; the client is listened to until then.
    Lingering(Instant),
    Done,
}

impl<IO: AsyncRead + Unpin> AsyncRead for Guarded<IO> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            if buf.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
            if this.ready > 0 {
                let count = this.ready.min(buf.remaining()).min(this.held.len());
                buf.put_slice(this.held.get(..count).unwrap_or_default());
                this.held.advance(count);
                this.ready -= count;
                return Poll::Ready(Ok(()));
            }
            match this.refused {
                Refused::No => {}
                // hyper closes the connection once that is answered; until then there is nothing to read.
                Refused::Told => return Poll::Pending,
                Refused::InContent(violation) => return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, violation))),
            }
            if this.guard.is_undecided() {
                let mut cell = this.shared.lock();
                if cell.switched {
                    this.guard.switch_off();
                } else if cell.decided >= this.guard.requests() {
                    this.guard.resume();
                } else {
                    cell.wait(cx);
                    return Poll::Pending;
                }
            }
            if !this.held.is_empty() {
                match this.guard.feed(&this.held) {
                    Ok(0) => {}
                    Ok(count) => {
                        this.ready = count;
                        continue;
                    }
                    Err(violation) => {
                        this.refuse(violation);
                        continue;
                    }
                }
            }
            let before = buf.filled().len();
            match Pin::new(&mut this.io).poll_read(cx, buf) {
                Poll::Pending => {
                    let violation = ready!(this.clock.poll_late(cx, &this.guard, !this.held.is_empty(), &this.limits));
                    this.refuse(violation);
                    continue;
                }
                Poll::Ready(result) => result?,
            }
            this.clock.arrived();
            let fresh = buf.filled().get(before..).unwrap_or_default();
            if fresh.is_empty() {
                return Poll::Ready(Ok(())); // the client has closed; a head that it left unfinished concerns nobody
            }
            if !this.held.is_empty() {
                this.held.extend_from_slice(fresh);
                buf.set_filled(before);
                continue;
            }
            // The common case: judged where it lies, handed on without a copy.
            match this.guard.feed(fresh) {
                Ok(count) => {
                    this.held.extend_from_slice(fresh.get(count..).unwrap_or_default());
                    buf.set_filled(before + count);
                    if count > 0 {
                        return Poll::Ready(Ok(()));
                    }
                }
                Err(violation) => {
                    buf.set_filled(before);
                    this.refuse(violation);
                }
            }
        }
    }
}

impl<IO> Guarded<IO> {
    /// The stream itself, and what was read from it and not handed on: for a connection that is no longer HTTP.
    pub fn into_parts(self) -> (IO, Bytes) {
        (self.io, self.held.freeze())
    }

    fn refuse(&mut self, violation: Violation) {
        self.shared.lock().refused = Some(violation);
        self.held.clear();
        if self.guard.is_in_head() {
            let mut request = String::new();
            let _ = write!(request, "GET {REFUSED_TARGET} HTTP/1.1\r\nHost: exeat.invalid\r\nConnection: close\r\n\r\n");
            self.held.extend_from_slice(request.as_bytes());
            self.ready = self.held.len();
            self.refused = Refused::Told;
        } else {
            self.refused = Refused::InContent(violation);
        }
    }
}

/// hyper's own interim response, whole.
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

impl<IO: AsyncWrite + Unpin> Guarded<IO> {
    fn poll_sending(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.sending.is_empty() {
            let count = ready!(Pin::new(&mut self.io).poll_write(cx, &self.sending))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sending.advance(count);
        }
        Poll::Ready(Ok(()))
    }

    /// Writes what waits if it may be written before bytes that begin with `first` and are `total` long.
    fn poll_before_write(&mut self, cx: &mut Context<'_>, first: &[u8], total: usize) -> Poll<io::Result<()>> {
        ready!(self.poll_sending(cx))?;
        if self.guard.is_off() {
            return Poll::Ready(Ok(()));
        }
        {
            let mut cell = self.shared.lock();
            cell.unflushed = true;
            if cell.stage != Stage::Clear {
                return Poll::Ready(Ok(()));
            }
            if !first.starts_with(b"HTTP/1.") {
                cell.stage = Stage::Dirty; // not the start of a response after all
                return Poll::Ready(Ok(()));
            }
            self.sending = cell.take_queue();
            // Whatever is written now is written in full before the next flush.
            cell.stage = if total == CONTINUE.len() && first.starts_with(CONTINUE) { Stage::Dirty } else { Stage::Closed };
        }
        self.poll_sending(cx)
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Guarded<IO> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_before_write(cx, buf, buf.len()))?;
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let first = bufs.first().map(|slice| &**slice).unwrap_or_default();
        ready!(self.poll_before_write(cx, first, bufs.iter().map(|slice| slice.len()).sum()))?;
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        ready!(this.poll_sending(cx))?;
        if !this.guard.is_off() {
            // hyper flushes us only when it holds back nothing.
            let mut cell = this.shared.lock();
            cell.unflushed = false;
            if cell.stage == Stage::Dirty {
                cell.stage = if cell.open { Stage::Clear } else { Stage::Closed };
            }
            if cell.stage == Stage::Clear {
                this.sending = cell.take_queue();
                cell.wait(cx);
            }
        }
        ready!(this.poll_sending(cx))?;
        Pin::new(&mut this.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.closing == Closing::No {
            ready!(this.poll_sending(cx))?;
            ready!(Pin::new(&mut this.io).poll_shutdown(cx))?;
            // Closing with unread bytes resets the connection, and a reset can overtake the answer (RFC 9112, 9.6).
            let unread = this.refused != Refused::No || this.guard.is_in_content();
            this.closing = if unread { Closing::Lingering(Instant::now() + this.limits.linger) } else { Closing::Done };
        }
        if let Closing::Lingering(until) = this.closing {
            let mut waste = [0; 4096];
            loop {
                let mut buf = ReadBuf::new(&mut waste);
                match Pin::new(&mut this.io).poll_read(cx, &mut buf) {
                    Poll::Ready(Ok(())) if !buf.filled().is_empty() && Instant::now() < until => {}
                    Poll::Ready(Ok(()) | Err(_)) => break,
                    Poll::Pending => {
                        ready!(this.clock.poll_until(cx, until));
                        break;
                    }
                }
            }
            this.closing = Closing::Done;
        }
        Poll::Ready(Ok(()))
    }
}

/// Measures how long a client keeps us waiting. The timer is armed only when there is something to wait for, and left armed.
#[derive(Debug, Default)]
struct Clock {
    sleep: Option<Pin<Box<Sleep>>>,
    /// Since when nothing has come.
    pending: Option<Instant>,
    /// When the unfinished head began, and its number.
    head: Option<(u64, Instant)>,
    /// How long the content of the request of that number was waited for.
    waited: (u64, Duration),
}

impl Clock {
    /// Ready when the client is too late with what the guard waits for.
    fn poll_late(&mut self, cx: &mut Context<'_>, guard: &Guard, begun: Begun, limits: &Limits) -> Poll<Violation> {
        let request = guard.requests();
        if guard.is_in_head() && begun {
            let since = match self.head {
                Some((number, since)) if number == request => since,
                Some(_) | None => {
                    let now = Instant::now();
                    self.head = Some((request, now));
                    now
                }
            };
            ready!(self.poll_until(cx, since + limits.head));
            return Poll::Ready(Violation::SlowHead);
        }
        if guard.is_in_content() && limits.body_rate > 0 {
            if self.waited.0 != request {
                self.waited = (request, Duration::ZERO);
            }
            let since = *self.pending.get_or_insert_with(Instant::now);
            let earned = Duration::from_millis(guard.content().saturating_mul(1000) / u64::from(limits.body_rate));
            let left = limits.body_grace.saturating_add(earned).saturating_sub(self.waited.1);
            // A long upload earns more than a clock holds.
            ready!(self.poll_until(cx, since + left.min(Duration::from_secs(86_400))));
            return Poll::Ready(Violation::SlowBody);
        }
        Poll::Pending
    }

    fn arrived(&mut self) {
        if let Some(since) = self.pending.take() {
            self.waited.1 += since.elapsed();
        }
    }

    fn poll_until(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if sleep.deadline() > deadline {
            sleep.as_mut().reset(deadline);
        }
        loop {
            ready!(sleep.as_mut().poll(cx));
            if Instant::now() >= deadline {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(deadline);
        }
    }
}

/// Whether a part of a head is there.
type Begun = bool;

#[cfg(test)]
mod tests;
