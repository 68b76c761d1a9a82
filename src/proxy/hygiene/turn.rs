//! The service's side of the guard, and what the two sides tell each other.

use super::Violation;
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, Version};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Waker},
};

/// The target of the request that stands for a refused one.
pub(super) const REFUSED_TARGET: &str = "/.well-known/exeat-refused";

/// The service's side of the guard of one connection.
#[derive(Clone, Debug)]
pub struct Control(pub(super) Arc<Shared>);

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
        cell.stage = if cell.written { Stage::Dirty } else { Stage::Clear };
        cell.queue.clear();
        if let Some(violation) = cell.refused
            && request.uri().path() == REFUSED_TARGET
        {
            cell.open = false;
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
        cell.open = false;
        cell.decided = cell.decided.max(self.number);
        if std::mem::take(&mut cell.awaits_decision) {
            cell.wake();
        }
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
pub(super) struct Shared(Mutex<Cell>);

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, Cell> {
        // A panic elsewhere leaves no half-done change here.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
pub(super) struct Cell {
    /// Number of the current turn.
    pub(super) turn: u64,
    /// Whether its response has not been returned yet.
    pub(super) open: bool,
    pub(super) http11: bool,
    /// Number of the last turn that left the connection HTTP.
    pub(super) decided: u64,
    /// Whether it is no longer HTTP.
    pub(super) switched: bool,
    pub(super) refused: Option<Violation>,
    pub(super) queue: VecDeque<Bytes>,
    pub(super) stage: Stage,
    /// Whether hyper has written anything yet.
    pub(super) written: bool,
    /// Whether the connection's task waits for the decision on an upgrade.
    pub(super) awaits_decision: bool,
    /// Of the connection's task.
    pub(super) waker: Option<Waker>,
}

/// Whether an interim response may be written now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    /// No: the final response has begun, or there is no request.
    #[default]
    Closed,
    /// Not yet: hyper may hold back bytes of the response before, or has written part of a `100 Continue`.
    Dirty,
    /// Yes: everything that hyper had is written, and the next byte begins a response.
    Clear,
}

impl Cell {
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    pub(super) fn wait(&mut self, cx: &Context<'_>) {
        if !self.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            self.waker = Some(cx.waker().clone());
        }
    }

    pub(super) fn take_queue(&mut self) -> Bytes {
        match self.queue.len() {
            0 => Bytes::new(),
            1 => self.queue.pop_front().unwrap_or_default(),
            _ => self.queue.drain(..).collect::<Vec<_>>().concat().into(),
        }
    }
}
