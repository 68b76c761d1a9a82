//! TCP to an origin or through a parent proxy: names resolved, addresses checked, and connected to as checked.

use super::{address, failure::UpstreamError};
use crate::policy::Hosts;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, header};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use ipnet::IpNet;
use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use tokio::net::TcpStream;

/// A proxy behind this one.
#[derive(Clone, Debug)]
pub struct Parent {
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
}

/// Where may be connected to, and which way.
#[derive(Debug)]
pub(super) struct Dial {
    pub(super) allow_private: Vec<IpNet>,
    pub(super) parent: Option<Parent>,
    pub(super) parent_exceptions: Hosts,
    pub(super) connect_timeout: Duration,
    pub(super) own: Vec<SocketAddr>,
}

/// Whether a dialled address is the origin's own, to be checked, or the operator's parent proxy.
#[derive(Clone, Copy)]
pub(super) enum Destined {
    Origin,
    Parent,
}

impl Dial {
    /// Bytes to `host:port`, through the parent proxy where there is one.
    ///
    /// # Errors
    /// [`UpstreamError`].
    pub(super) async fn tunnel(&self, host: &str, port: u16) -> Result<TcpStream, UpstreamError> {
        match self.parent_for(host) {
            Some(parent) => {
                if let Ok(ip) = host.parse::<IpAddr>() {
                    self.check(ip)?;
                }
                let tcp = self.dial(&parent.host, parent.port, Destined::Parent).await?;
                let tunnel = parent_tunnel(tcp, host, port);
                tokio::time::timeout(self.connect_timeout, tunnel).await.map_err(|_| UpstreamError::TimedOut)?
            }
            None => self.dial(host, port, Destined::Origin).await,
        }
    }

    pub(super) async fn dial(&self, host: &str, port: u16, destined: Destined) -> Result<TcpStream, UpstreamError> {
        let found: Vec<SocketAddr> = match host.parse::<IpAddr>() {
            Ok(ip) => vec![SocketAddr::new(ip, port)],
            Err(_) => tokio::time::timeout(self.connect_timeout, tokio::net::lookup_host((host, port)))
                .await
                .map_err(|_| UpstreamError::TimedOut)?
                .map_err(UpstreamError::Dns)?
                .collect(),
        };
        // The checked addresses are the ones connected to: no second look-up in between.
        let allowed: Vec<SocketAddr> = match destined {
            Destined::Parent => found,
            Destined::Origin => {
                let first = found.first().map(SocketAddr::ip);
                let allowed: Vec<_> = found.into_iter().filter(|address| self.check(address.ip()).is_ok()).collect();
                match first {
                    Some(ip) if allowed.is_empty() => return Err(UpstreamError::Private(ip)),
                    _ => allowed,
                }
            }
        };
        let stream = address::connect_any(allowed, self.connect_timeout).await.map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => UpstreamError::TimedOut,
            io::ErrorKind::NotFound => UpstreamError::Dns(error),
            _ => UpstreamError::Connect(error),
        })?;
        match destined {
            Destined::Origin if self.is_own(&stream, port) => Err(UpstreamError::Loop),
            Destined::Origin | Destined::Parent => Ok(stream),
        }
    }

    /// Whether `ip` may be reached.
    fn check(&self, ip: IpAddr) -> Result<(), UpstreamError> {
        if address::is_allowed(ip, &self.allow_private) { Ok(()) } else { Err(UpstreamError::Private(ip)) }
    }

    /// Whether the connection ends at one of our own ports, by whatever address of this machine it was reached.
    fn is_own(&self, stream: &TcpStream, port: u16) -> bool {
        let (Ok(peer), Ok(local)) = (stream.peer_addr(), stream.local_addr()) else { return false };
        let here = address::unmapped(peer.ip()) == address::unmapped(local.ip()) || address::unmapped(peer.ip()).is_loopback();
        self.own.iter().any(|own| own.port() == port && (here || own.ip() == peer.ip()))
    }

    pub(super) fn parent_for(&self, host: &str) -> Option<&Parent> {
        self.parent.as_ref().filter(|_| !self.parent_exceptions.matches(host))
    }
}

/// `CONNECT` through a parent proxy.
async fn parent_tunnel(tcp: TcpStream, host: &str, port: u16) -> Result<TcpStream, UpstreamError> {
    let authority = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let (mut sender, connection) = http1::handshake(TokioIo::new(tcp)).await?;
    let connection = tokio::spawn(connection.with_upgrades());
    let mut request = Request::new(http_body_util::Empty::<Bytes>::new());
    *request.method_mut() = Method::CONNECT;
    let invalid = |_| UpstreamError::Dns(io::Error::from(io::ErrorKind::InvalidInput));
    *request.uri_mut() = authority.parse().map_err(invalid)?;
    request
        .headers_mut()
        .insert(header::HOST, HeaderValue::from_str(&authority).map_err(|_| UpstreamError::Dns(io::ErrorKind::InvalidInput.into()))?);
    let response = sender.send_request(request).await?;
    if !response.status().is_success() {
        connection.abort();
        return Err(UpstreamError::Parent(response.status()));
    }
    let upgraded = hyper::upgrade::on(response).await?;
    match upgraded.downcast::<TokioIo<TcpStream>>() {
        // The origin speaks only after us, so nothing can have been read ahead.
        Ok(parts) if parts.read_buf.is_empty() => Ok(parts.io.into_inner()),
        Ok(_) | Err(_) => Err(UpstreamError::Connect(io::ErrorKind::InvalidData.into())),
    }
}
