//! Inside a tunnel: TLS ended with a certificate of ours, plain HTTP, a bypass, or bytes that nobody can read.

use super::{
    Proxy,
    exchange::{self, Origin, Route},
    hygiene::{Guarded, MAX_BUFFER, guard},
    in_turn,
    tunnel::{self, Rewound, Spoken},
    upstream::{Destination, Scheme},
};
use crate::{audit::Outcome, finding::Gap, inspect::stream::Head, policy::Action};
use bytes::Bytes;
use http::{HeaderMap, Method};
use hyper::{
    server::conn::{http1, http2},
    service::service_fn,
    upgrade::Upgraded,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::{convert::Infallible, io, net::IpAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::{LazyConfigAcceptor, rustls::server::Acceptor, server::TlsStream};
use tokio_util::sync::CancellationToken;

const HANDSHAKE_LIMIT: Duration = Duration::from_secs(15);
/// Requests that a client may have under way on one h2 connection.
const MAX_STREAMS: u32 = 250;
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 4 << 20;
const MAX_HEADER_LIST: u32 = 64 << 10;
/// Streams that a client resets before we took them up: the bound of the rapid-reset attack (CVE-2023-44487).
const MAX_RESETS: usize = 50;

/// What `CONNECT` asked for.
#[derive(Clone, Debug)]
pub struct Connect {
    /// Who asks.
    pub client: IpAddr,
    /// The authenticated user.
    pub user: Option<Arc<str>>,
    /// The host, lower case.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// The stream under a tunnel, as hyper hands it back.
type Raw = Rewound<TcpStream>;

/// Serves a tunnel to its end.
pub async fn serve(proxy: Arc<Proxy>, connect: Connect, upgraded: Upgraded, stop: CancellationToken) {
    let Ok(parts) = upgraded.downcast::<TokioIo<Guarded<TcpStream>>>() else { return };
    let (tcp, held) = parts.io.into_inner().into_parts();
    let ahead = [&*parts.read_buf, &*held].concat();
    if let Err(error) = tunnel(proxy, connect, tcp, &ahead, stop).await {
        tracing::debug!(%error, "a tunnel ended early");
    }
}

async fn tunnel(proxy: Arc<Proxy>, connect: Connect, tcp: TcpStream, ahead: &[u8], stop: CancellationToken) -> io::Result<()> {
    let (spoken, mut stream) = tunnel::detect(tcp, ahead).await?;
    if proxy.bypass.matches(&connect.host) && is_bypassed_inside(&proxy, spoken, &mut stream).await? {
        return bypass(&proxy, &connect, stream).await;
    }
    match spoken {
        Spoken::Tls => tls(proxy, connect, stream, stop).await,
        Spoken::Http1 => http1(proxy, origin(&connect, Scheme::Http, None), stream, stop).await,
        Spoken::Http2 => http2(proxy, origin(&connect, Scheme::Http, None), stream, stop).await,
        Spoken::Opaque => opaque(&proxy, &connect, stream).await,
    }
}

/// Whether the name inside a tunnel to a bypassed host is bypassed too: large providers serve all their names at every address, so
/// the name in `CONNECT` alone would open the way to the others unread.
async fn is_bypassed_inside(proxy: &Proxy, spoken: Spoken, stream: &mut Raw) -> io::Result<bool> {
    match spoken {
        Spoken::Tls => {
            let name = tokio::time::timeout(HANDSHAKE_LIMIT, tunnel::server_name(stream)).await??;
            Ok(name.is_none_or(|name| proxy.bypass.matches(&name)))
        }
        Spoken::Http1 | Spoken::Http2 => Ok(false), // plain requests name their host one by one
        Spoken::Opaque => Ok(true),
    }
}

fn origin(connect: &Connect, scheme: Scheme, sni: Option<String>) -> Origin {
    let route = Route::Tunnel { scheme, host: connect.host.clone(), port: connect.port, sni };
    Origin { client: connect.client, user: connect.user.clone(), route, interim: None }
}

async fn tls(proxy: Arc<Proxy>, connect: Connect, stream: Raw, stop: CancellationToken) -> io::Result<()> {
    let started = tokio::time::timeout(HANDSHAKE_LIMIT, LazyConfigAcceptor::new(Acceptor::default(), stream)).await??;
    let sni = started.client_hello().server_name().map(str::to_ascii_lowercase);
    let name = sni.clone().unwrap_or_else(|| connect.host.clone());
    let to = Destination { scheme: Scheme::Https, host: connect.host.clone(), port: connect.port, tls_name: name.clone() };
    let versions = proxy.upstream.spoken.offer(&to, started.client_hello().alpn());
    let config = proxy.authority.tls_for(&name, versions).await.map_err(io::Error::other)?;
    let tls = tokio::time::timeout(HANDSHAKE_LIMIT, started.into_stream(config)).await??;
    let sni = sni.filter(|sni| *sni != connect.host);
    let origin = origin(&connect, Scheme::Https, sni);
    let is_h2 = TlsStream::get_ref(&tls).1.alpn_protocol() == Some(b"h2");
    if is_h2 { http2(proxy, origin, tls, stop).await } else { http1(proxy, origin, tls, stop).await }
}

async fn http1<T>(proxy: Arc<Proxy>, origin: Origin, stream: T, stop: CancellationToken) -> io::Result<()>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (guarded, control) = guard(stream, proxy.limits.guard());
    let idle = proxy.limits.idle;
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(idle)
        .max_buf_size(MAX_BUFFER)
        .pipeline_flush(true)
        .serve_connection(
            TokioIo::new(guarded),
            service_fn(move |request| {
                let (exchanging, mut origin) = (Arc::clone(&proxy), origin.clone());
                let serve = move |request, interim| {
                    origin.interim = Some(interim);
                    exchange::serve(exchanging, origin, request)
                };
                let response = in_turn::serve(Arc::clone(&proxy), control.clone(), request, serve);
                async move { Ok::<_, Infallible>(response.await) }
            }),
        )
        .with_upgrades();
    tokio::pin!(serving);
    tokio::select! {
        ended = serving.as_mut() => ended,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    }
    .map_err(io::Error::other)
}

async fn http2<T>(proxy: Arc<Proxy>, origin: Origin, stream: T, stop: CancellationToken) -> io::Result<()>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let serving = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(MAX_HEADER_LIST)
        .max_pending_accept_reset_streams(MAX_RESETS)
        .max_local_error_reset_streams(MAX_RESETS)
        .keep_alive_interval(Duration::from_secs(60))
        .enable_connect_protocol()
        .serve_connection(
            TokioIo::new(stream),
            service_fn(move |request| {
                let exchange = exchange::serve(Arc::clone(&proxy), origin.clone(), request);
                async move { Ok::<_, Infallible>(exchange.await) }
            }),
        );
    tokio::pin!(serving);
    tokio::select! {
        ended = serving.as_mut() => ended,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    }
    .map_err(io::Error::other)
}

fn head(connect: &Connect) -> Head {
    Head {
        client: connect.client,
        user: connect.user.clone(),
        hosts: vec![connect.host.clone()],
        method: Method::CONNECT,
        target: String::new(),
        headers: HeaderMap::new(),
    }
}

/// Neither TLS nor HTTP: policy decides about bytes that nobody can read.
async fn opaque(proxy: &Arc<Proxy>, connect: &Connect, stream: Raw) -> io::Result<()> {
    let head = head(connect);
    let nothing = Bytes::new();
    let mut inspection = proxy.gate.inspector().unread(&head.message(&nothing), Gap::OpaqueTunnel);
    proxy.gate.record(&head.message(&nothing), &mut inspection, Duration::ZERO).await;
    match inspection.verdict.action {
        Action::Allow | Action::Log => pass(proxy, connect, stream).await,
        Action::Redact | Action::Block => Ok(()),
    }
}

async fn bypass(proxy: &Arc<Proxy>, connect: &Connect, stream: Raw) -> io::Result<()> {
    proxy.gate.metrics().bypassed();
    proxy.gate.record_unread(&head(connect), Outcome::Bypass, "tls.bypass").await;
    pass(proxy, connect, stream).await
}

async fn pass(proxy: &Arc<Proxy>, connect: &Connect, mut stream: Raw) -> io::Result<()> {
    match proxy.upstream.tunnel(&connect.host, connect.port).await {
        Ok(mut origin) => tokio::io::copy_bidirectional(&mut stream, &mut origin).await.map(drop),
        Err(error) => {
            proxy.gate.metrics().upstream_failed();
            tracing::info!(%error, "upstream of a tunnel failed");
            Ok(())
        }
    }
}
