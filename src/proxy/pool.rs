//! Connections that are kept for the next request.

use super::{body::RequestBody, upstream::Destination};
use hyper::client::conn::{http1, http2};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// An idle HTTP/1.1 connection is closed after this time; origins commonly close theirs after 60 s or more.
const IDLE: Duration = Duration::from_secs(50);
/// Idle connections kept for one destination.
const IDLE_PER_HOST: usize = 256;
/// Destinations remembered at one time.
const HOSTS: usize = 10_000;

/// The kept connections, by destination. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Pool {
    hosts: Arc<Mutex<HashMap<Destination, Host>>>,
}

/// What is known of one destination.
#[derive(Debug)]
struct Host {
    spoken: Spoken,
    http2: Option<http2::SendRequest<RequestBody>>,
    idle: Vec<(http1::SendRequest<RequestBody>, Instant)>,
    /// One connection at a time is tried while it is unknown what is spoken: a page opens fifty streams at once, and
    /// an h2 origin needs one connection for them all.
    first: Arc<Semaphore>,
    used: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spoken {
    Unknown,
    Http1,
    Http2,
}

/// What to send on.
pub enum Checkout {
    /// A shared h2 connection.
    Http2(http2::SendRequest<RequestBody>),
    /// An idle HTTP/1.1 connection.
    Http1(http1::SendRequest<RequestBody>),
    /// Nothing is at hand: connect. The permit, if any, is held until it is known what the origin speaks.
    Connect(Option<OwnedSemaphorePermit>),
}

impl Pool {
    /// A connection to `to`, or the right to make one.
    pub async fn checkout(&self, to: &Destination) -> Checkout {
        let first = match self.at_hand(to) {
            Ok(checkout) => return checkout,
            Err(first) => first,
        };
        let permit = first.acquire_owned().await.ok();
        // Somebody else may have connected meanwhile.
        match self.at_hand(to) {
            Ok(checkout) => checkout,
            Err(_) => Checkout::Connect(permit),
        }
    }

    fn at_hand(&self, to: &Destination) -> Result<Checkout, Arc<Semaphore>> {
        let mut hosts = self.lock();
        let Some(host) = hosts.get_mut(to) else {
            if hosts.len() >= HOSTS {
                hosts.retain(|_, host| host.is_live());
            }
            return Err(Arc::clone(&hosts.entry(to.clone()).or_insert_with(Host::new).first));
        };
        host.used = Instant::now();
        if let Some(sender) = host.http2.as_ref().filter(|sender| !sender.is_closed()) {
            return Ok(Checkout::Http2(sender.clone()));
        }
        host.http2 = None;
        while let Some((sender, since)) = host.idle.pop() {
            if sender.is_ready() && since.elapsed() < IDLE {
                return Ok(Checkout::Http1(sender));
            }
        }
        match host.spoken {
            Spoken::Http1 => Ok(Checkout::Connect(None)),
            Spoken::Unknown | Spoken::Http2 => Err(Arc::clone(&host.first)),
        }
    }

    /// `sender` serves everybody from now on.
    pub fn share_http2(&self, to: &Destination, sender: http2::SendRequest<RequestBody>) {
        let mut hosts = self.lock();
        let host = hosts.entry(to.clone()).or_insert_with(Host::new);
        host.spoken = Spoken::Http2;
        host.http2 = Some(sender);
    }

    /// The shared connection is of no more use.
    pub fn forget_http2(&self, to: &Destination) {
        if let Some(host) = self.lock().get_mut(to) {
            host.http2 = None;
        }
    }

    /// The destination speaks HTTP/1.1: every request may connect on its own.
    pub fn speaks_http1(&self, to: &Destination) {
        self.lock().entry(to.clone()).or_insert_with(Host::new).spoken = Spoken::Http1;
    }

    /// Keeps an idle connection.
    pub fn keep_http1(&self, to: &Destination, sender: http1::SendRequest<RequestBody>) {
        if sender.is_closed() {
            return;
        }
        let mut hosts = self.lock();
        let host = hosts.entry(to.clone()).or_insert_with(Host::new);
        if host.idle.len() < IDLE_PER_HOST {
            host.idle.push((sender, Instant::now()));
        }
    }

    /// Closes what is past its time and forgets destinations that are no longer used.
    pub fn sweep(&self) {
        self.lock().retain(|_, host| {
            host.idle.retain(|(sender, since)| !sender.is_closed() && since.elapsed() < IDLE);
            host.is_live()
        });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Destination, Host>> {
        // Nothing in here panics half-way through a change.
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Host {
    fn new() -> Self {
        Self { spoken: Spoken::Unknown, http2: None, idle: Vec::new(), first: Arc::new(Semaphore::new(1)), used: Instant::now() }
    }

    fn is_live(&self) -> bool {
        let open = self.http2.as_ref().is_some_and(|sender| !sender.is_closed()) || !self.idle.is_empty();
        let idle_h2 = self.http2.is_some() && self.idle.is_empty() && self.used.elapsed() > 6 * IDLE;
        (open && !idle_h2) || self.used.elapsed() < 2 * IDLE
    }
}
