//! The way out: connections made, verified, kept and reused.

pub use super::dial::Parent;

use super::{
    body::{ReplyBody, RequestBody},
    dial::{Destined, Dial},
    failure::UpstreamError,
    pool::{Checkout, Pool},
    reply::CertificateFault,
    versions::{Memory, Versions},
};
use crate::policy::Hosts;
use http::{Request, Response, Uri, header};
use http_body::Body as _;
use hyper::{
    body::Incoming,
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use ipnet::IpNet;
use rustls::{
    ClientConfig, RootCertStore,
    client::Resumption,
    pki_types::{CertificateDer, InvalidDnsNameError, ServerName},
};
use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_util::either::Either;

/// Flow-control window towards and from an h2 origin: a long fat pipe's worth.
const STREAM_WINDOW: u32 = 2 << 20;
const CONNECTION_WINDOW: u32 = 8 << 20;
const MAX_HEADER_LIST: u32 = 256 << 10;

/// What a request goes to: the routing key of the connection pool.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Destination {
    /// Whether TLS is spoken.
    pub scheme: Scheme,
    /// The host to connect to: a name or an address, lower case, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The name to ask for and to verify in TLS; the host unless the client's SNI says otherwise.
    pub tls_name: String,
}

/// The scheme of a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Plain.
    Http,
    /// TLS.
    Https,
}

impl Scheme {
    /// `http` or `https`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// What [`Upstream`] is made of.
#[derive(Debug)]
pub struct UpstreamOptions {
    /// Roots to trust beside the platform's.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// Private networks that may be reached.
    pub allow_private: Vec<IpNet>,
    /// The parent proxy.
    pub parent: Option<Parent>,
    /// Hosts that are reached without it.
    pub parent_exceptions: Hosts,
    /// For a name, TCP and TLS each.
    pub connect_timeout: Duration,
    /// For an answer to begin; zero means no bound.
    pub response_timeout: Duration,
    /// Addresses of our own that must not be reached through us.
    pub own: Vec<SocketAddr>,
}

/// Makes and keeps connections to origins.
#[derive(Debug)]
pub struct Upstream {
    tls: TlsConnector2,
    pool: Pool,
    /// What origins chose in ALPN.
    pub spoken: Memory,
    dial: Dial,
    response_timeout: Duration,
}

/// The two client configurations: any HTTP version, and HTTP/1.1 only (WebSocket).
struct TlsConnector2 {
    any: TlsConnector,
    http1: TlsConnector,
}

impl fmt::Debug for TlsConnector2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsConnector2")
    }
}

/// A fresh connection, plain or TLS.
pub type Stream = Either<TcpStream, Box<TlsStream<TcpStream>>>;

impl Upstream {
    /// The way out, with these options. The platform's root certificates are read here.
    ///
    /// # Errors
    /// When no root certificate at all can be had.
    pub fn new(options: UpstreamOptions) -> Result<Self, NoRoots> {
        let mut roots = RootCertStore::empty();
        let native = rustls_native_certs::load_native_certs();
        for error in &native.errors {
            tracing::warn!(%error, "a root certificate of the platform cannot be read");
        }
        let (native, _unusable) = roots.add_parsable_certificates(native.certs);
        let (extra, unusable) = roots.add_parsable_certificates(options.extra_roots);
        if unusable > 0 {
            return Err(NoRoots::Unusable(unusable));
        }
        if native + extra == 0 {
            return Err(NoRoots::None);
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut any = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(NoRoots::Tls)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        any.resumption = Resumption::in_memory_sessions(4096);
        let mut http1 = any.clone();
        any.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        http1.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            tls: TlsConnector2 { any: Arc::new(any).into(), http1: Arc::new(http1).into() },
            pool: Pool::default(),
            spoken: Memory::default(),
            dial: Dial {
                allow_private: options.allow_private,
                parent: options.parent,
                parent_exceptions: options.parent_exceptions,
                connect_timeout: options.connect_timeout,
                own: options.own,
            },
            response_timeout: options.response_timeout,
        })
    }

    /// Sends `request` and returns the head of the answer, its body still to come. The URI must be in origin form, `Host` set.
    ///
    /// # Errors
    /// [`UpstreamError`]. A request that an old connection lost before it was read is sent again on a new one.
    pub async fn send(&self, to: &Destination, request: Request<RequestBody>) -> Result<Response<ReplyBody>, UpstreamError> {
        // An upload takes the time that it takes.
        if self.response_timeout.is_zero() || matches!(request.body(), RequestBody::Stream(_)) {
            return self.try_send(to, request).await;
        }
        tokio::time::timeout(self.response_timeout, self.try_send(to, request)).await.map_err(|_| UpstreamError::AnswerTimedOut)?
    }

    async fn try_send(&self, to: &Destination, mut request: Request<RequestBody>) -> Result<Response<ReplyBody>, UpstreamError> {
        loop {
            match self.pool.checkout(to).await {
                Checkout::Http2(mut sender) => {
                    absolute(&mut request, to);
                    match sender.try_send_request(request).await {
                        Ok(response) => return Ok(response.map(|body| ReplyBody::Upstream { body, lease: None, refused: None })),
                        Err(mut error) => {
                            self.pool.forget_http2(to);
                            request = error.take_message().ok_or_else(|| error.into_error())?;
                        }
                    }
                }
                Checkout::Http1(mut sender) => {
                    // An idle connection may have been closed by the origin just now: keep a copy of what may be sent twice.
                    let again = replay(&request);
                    match sender.try_send_request(self.in_form(to, request)).await {
                        Ok(response) => return Ok(self.leased(to, sender, response)),
                        Err(mut error) => match error.take_message().or(again) {
                            Some(unsent) => request = unsent,
                            None => return Err(error.into_error().into()),
                        },
                    }
                }
                Checkout::Connect(permit) => {
                    let stream = self.connect(to, Versions::Any).await?;
                    if speaks_h2(&stream) {
                        self.spoken.learn(to, Versions::Any);
                        let mut sender = http2_handshake(stream).await?;
                        self.pool.share_http2(to, sender.clone());
                        drop(permit);
                        absolute(&mut request, to);
                        let response = sender.send_request(request).await?;
                        return Ok(response.map(|body| ReplyBody::Upstream { body, lease: None, refused: None }));
                    }
                    let mut sender = http1_handshake(stream).await?;
                    self.pool.speaks_http1(to);
                    self.spoken.learn(to, Versions::Http1);
                    drop(permit);
                    let response = sender.send_request(self.in_form(to, request)).await?;
                    return Ok(self.leased(to, sender, response));
                }
            }
        }
    }

    fn leased(&self, to: &Destination, sender: http1::SendRequest<RequestBody>, response: Response<Incoming>) -> Response<ReplyBody> {
        let lease = Lease { pool: self.pool.clone(), to: to.clone(), sender };
        response.map(|body| {
            if body.is_end_stream() {
                lease.give_back();
                return ReplyBody::Whole(None);
            }
            ReplyBody::Upstream { body, lease: Some(lease), refused: None }
        })
    }

    /// A plain request through a parent proxy carries the absolute form (RFC 9112 section 3.2.2).
    fn in_form(&self, to: &Destination, mut request: Request<RequestBody>) -> Request<RequestBody> {
        if to.scheme == Scheme::Http && self.dial.parent_for(&to.host).is_some() {
            absolute(&mut request, to);
        }
        request
    }

    /// A connection of its own, TLS where the scheme says so.
    ///
    /// # Errors
    /// [`UpstreamError`].
    pub async fn connect(&self, to: &Destination, versions: Versions) -> Result<Stream, UpstreamError> {
        let tcp = match (self.dial.parent_for(&to.host), to.scheme) {
            (Some(parent), Scheme::Http) => self.dial.dial(&parent.host, parent.port, Destined::Parent).await?,
            (Some(_), Scheme::Https) | (None, _) => self.dial.tunnel(&to.host, to.port).await?,
        };
        if to.scheme == Scheme::Http {
            return Ok(Stream::Left(tcp));
        }
        let name = ServerName::try_from(to.tls_name.clone())
            .map_err(|InvalidDnsNameError { .. }| UpstreamError::Certificate(CertificateFault::WrongName))?;
        let connector = match versions {
            Versions::Any => &self.tls.any,
            Versions::Http1 => &self.tls.http1,
        };
        let handshake = tokio::time::timeout(self.dial.connect_timeout, connector.connect(name, tcp));
        let tls = handshake.await.map_err(|_| UpstreamError::TimedOut)?.map_err(UpstreamError::of_tls)?;
        Ok(Stream::Right(Box::new(tls)))
    }

    /// Bytes to `host:port`, through the parent proxy where there is one.
    ///
    /// # Errors
    /// [`UpstreamError`].
    pub async fn tunnel(&self, host: &str, port: u16) -> Result<TcpStream, UpstreamError> {
        self.dial.tunnel(host, port).await
    }

    /// Closes idle connections that are past their time.
    pub fn sweep(&self) {
        self.pool.sweep();
    }
}

/// Why the way out cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum NoRoots {
    /// There are none.
    #[error("no root certificates were found; install ca-certificates, or set upstream.extra_roots")]
    None,
    /// Some of the configured ones are no certificates.
    #[error("{0} certificate(s) of upstream.extra_roots cannot be used")]
    Unusable(usize),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(rustls::Error),
}

fn speaks_h2(stream: &Stream) -> bool {
    match stream {
        Stream::Left(_) => false,
        Stream::Right(tls) => tls.get_ref().1.alpn_protocol() == Some(b"h2"),
    }
}

/// An HTTP/1.1 connection in use; it goes back to the pool when the answer has been read to its end.
#[derive(Debug)]
pub struct Lease {
    pool: Pool,
    to: Destination,
    sender: http1::SendRequest<RequestBody>,
}

impl Lease {
    /// Gives the connection back, once it has noticed itself that the answer is over.
    pub fn give_back(mut self) {
        if self.sender.is_ready() {
            self.pool.keep_http1(&self.to, self.sender);
            return;
        }
        tokio::spawn(async move {
            if self.sender.ready().await.is_ok() {
                self.pool.keep_http1(&self.to, self.sender);
            }
        });
    }
}

async fn http2_handshake(stream: Stream) -> Result<http2::SendRequest<RequestBody>, UpstreamError> {
    let (sender, connection) = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(MAX_HEADER_LIST)
        .keep_alive_interval(Duration::from_secs(60))
        .keep_alive_timeout(Duration::from_secs(20))
        .handshake(TokioIo::new(stream))
        .await?;
    tokio::spawn(connection);
    Ok(sender)
}

async fn http1_handshake(stream: Stream) -> Result<http1::SendRequest<RequestBody>, UpstreamError> {
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

/// h2 wants scheme and authority in the URI, and the authority is the client's `Host` (RFC 9113 section 8.3.1).
fn absolute(request: &mut Request<RequestBody>, to: &Destination) {
    let authority = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or(&to.host);
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let uri = Uri::builder().scheme(to.scheme.as_str()).authority(authority).path_and_query(path).build();
    if let Ok(uri) = uri {
        *request.uri_mut() = uri;
    }
}

/// A copy of a request that may be sent twice: idempotent (RFC 9110 section 9.2.2), its body whole.
fn replay(request: &Request<RequestBody>) -> Option<Request<RequestBody>> {
    if !request.method().is_idempotent() {
        return None;
    }
    let mut copy = Request::new(request.body().replay()?);
    copy.method_mut().clone_from(request.method());
    copy.uri_mut().clone_from(request.uri());
    copy.headers_mut().clone_from(request.headers());
    Some(copy)
}
