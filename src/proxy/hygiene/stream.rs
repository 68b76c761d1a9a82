//! The guard on a stream: what hyper reads and writes goes through it.

use super::{
    Guard, Violation,
    clock::{Begun, Clock},
    turn::{Control, REFUSED_TARGET, Shared, Stage},
};
use bytes::{Buf, Bytes, BytesMut};
use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
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
                    cell.awaits_decision = true;
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
                    let begun = if this.held.is_empty() { Begun::No } else { Begun::Yes };
                    let violation = ready!(this.clock.poll_late(cx, &this.guard, begun, &this.limits));
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
            let request = format!("GET {REFUSED_TARGET} HTTP/1.1\r\nHost: exeat.invalid\r\nConnection: close\r\n\r\n");
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
            cell.written = true;
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

#[cfg(test)]
mod tests;
