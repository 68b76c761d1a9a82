//! The forward proxy: connections in, requests through the gate, answers back.
//!
//! ```text
//! listener -> outer HTTP/1.1 -> CONNECT -> tunnel -> TLS | HTTP | opaque -> exchange
//!                            -> absolute form -----------------------------> exchange
//! ```

mod address;
pub mod auth;
pub mod authority;
mod body;
mod dial;
mod exchange;
pub mod failure;
mod headers;
pub mod hygiene;
mod in_turn;
mod intake;
mod listener;
mod pool;
mod pump;
mod refuse;
pub mod reply;
mod tunnel;
mod tunnelled;
pub mod upstream;
mod versions;
mod websocket;
pub mod ws;

pub use listener::serve;

use crate::{gate::Gate, policy::Hosts};
use auth::Users;
use authority::Authority;
use ipnet::IpNet;
use std::{sync::Arc, time::Duration};
use tokio::sync::Semaphore;
use upstream::Upstream;

/// Everything that a connection needs, shared by all of them.
#[derive(Debug)]
pub struct Proxy {
    /// Where every message passes.
    pub gate: Arc<Gate>,
    /// Certificates for clients.
    pub authority: Authority,
    /// Connections to origins.
    pub upstream: Upstream,
    /// Tunnels to these hosts are passed on unread.
    pub bypass: Hosts,
    /// Networks whose clients are served.
    pub allow_clients: Vec<IpNet>,
    /// Who may use the proxy; everybody if absent.
    pub users: Option<Users>,
    /// Whom a refused person can ask.
    pub contact: Option<String>,
    /// Whether every request leaves a line in the log.
    pub access_log: AccessLog,
    /// Sizes and times.
    pub limits: Limits,
    /// What is left of what clients share.
    pub shared: Shared,
}

/// What all clients draw on: memory for bodies, and connections.
#[derive(Debug)]
pub struct Shared {
    /// In [`intake::UNIT`]s.
    body_memory: Arc<Semaphore>,
    connections: Arc<Semaphore>,
}

impl Shared {
    /// All that `limits` grants.
    pub fn of(limits: &Limits) -> Self {
        let memory = (limits.body_memory_bytes / intake::UNIT).min(Semaphore::MAX_PERMITS);
        let connections = limits.max_connections.min(Semaphore::MAX_PERMITS);
        Self { body_memory: Arc::new(Semaphore::new(memory)), connections: Arc::new(Semaphore::new(connections)) }
    }
}

/// Bounds on what clients can make the proxy hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bodies above this size are streamed.
    pub max_memory_bytes: usize,
    /// All bodies in memory at one time, bytes.
    pub body_memory_bytes: usize,
    /// Connections at one time.
    pub max_connections: usize,
    /// A request head has to be complete within this time.
    pub head: Duration,
    /// A body may pause for this long.
    pub body_idle: Duration,
    /// A body has to come at this rate on the whole, bytes a second.
    pub body_min_rate: u64,
    /// A connection without a request is closed after this time.
    pub idle: Duration,
}

impl Limits {
    /// What the guard of an HTTP/1 connection is told.
    fn guard(&self) -> hygiene::Limits {
        hygiene::Limits { head: self.head, body_rate: u32::try_from(self.body_min_rate).unwrap_or(u32::MAX), ..hygiene::Limits::default() }
    }
}

/// Whether requests leave a trace in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessLog {
    /// No: nobody's browsing history is kept.
    Off,
    /// A line for each.
    On,
}
