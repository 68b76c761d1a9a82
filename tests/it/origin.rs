//! Origins for tests: servers on loopback that say what reached them.

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::{
    body::{Frame, Incoming},
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::{
    ServerConfig, SupportedProtocolVersion,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};
use serde_json::json;
use std::{
    convert::Infallible,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};
use time::OffsetDateTime;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    runtime::Runtime,
};

type Body = BoxBody<Bytes, Infallible>;

/// A test's own CA for origins.
struct Ca {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

static CA: LazyLock<Ca> = LazyLock::new(|| {
    let key = KeyPair::generate().expect("key");
    let mut params = CertificateParams::new(Vec::<String>::new()).expect("params");
    params.distinguished_name.push(rcgen::DnType::CommonName, "Exeat test origins");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let pem = params.self_signed(&key).expect("certificate").pem();
    Ca { pem, issuer: Issuer::new(params, key) }
});

/// The CA that signs the origins' certificates.
pub fn ca_pem() -> &'static str {
    &CA.pem
}

/// What is wrong with an origin's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certificate {
    Good,
    Expired,
    WrongName,
    SelfSigned,
}

/// How an origin behaves.
#[derive(Clone)]
pub struct Kind {
    pub tls: Option<Certificate>,
    pub alpn: &'static [&'static [u8]],
    pub versions: &'static [&'static SupportedProtocolVersion],
    /// Bare repositories, served under `/git/` by `git http-backend`.
    pub cgi_root: Option<PathBuf>,
    /// Files, served under `/files/`.
    pub file_root: Option<PathBuf>,
    /// Where it listens, without port.
    pub at: &'static str,
}

impl Kind {
    /// HTTPS with h2 and http/1.1.
    pub fn https() -> Self {
        Self {
            tls: Some(Certificate::Good),
            alpn: &[b"h2", b"http/1.1"],
            versions: rustls::ALL_VERSIONS,
            cgi_root: None,
            file_root: None,
            at: "127.0.0.1",
        }
    }

    /// HTTPS with http/1.1 alone.
    pub fn https_h1() -> Self {
        Self { alpn: &[b"http/1.1"], ..Self::https() }
    }

    /// Plain HTTP/1.1.
    pub fn http() -> Self {
        Self { tls: None, ..Self::https_h1() }
    }

    /// HTTPS with something wrong in the certificate.
    pub fn bad(certificate: Certificate) -> Self {
        Self { tls: Some(certificate), ..Self::https() }
    }
}

/// A request as it reached an origin.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    pub target: String,
    pub version: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub trailers: Option<HeaderMap>,
    /// Whether the body came to its proper end.
    pub complete: bool,
}

/// What an origin serves, and what it has seen.
struct Site {
    seen: Mutex<Vec<Seen>>,
    cgi_root: Option<PathBuf>,
    file_root: Option<PathBuf>,
}

/// A running origin. It answers `/echo` with what it got as JSON; see [`answer`] for the other paths.
pub struct Origin {
    pub address: SocketAddr,
    site: Arc<Site>,
    is_tls: bool,
    _runtime: Runtime,
}

impl Origin {
    /// Starts one.
    pub fn start(kind: &Kind) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("runtime");
        let listener = runtime.block_on(TcpListener::bind((kind.at, 0))).expect("bound");
        let address = listener.local_addr().expect("address");
        let site = Arc::new(Site { seen: Mutex::new(Vec::new()), cgi_root: kind.cgi_root.clone(), file_root: kind.file_root.clone() });
        let acceptor = kind.tls.map(|certificate| tokio_rustls::TlsAcceptor::from(Arc::new(tls(certificate, kind))));
        let shared = Arc::clone(&site);
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                let (acceptor, site) = (acceptor.clone(), Arc::clone(&shared));
                tokio::spawn(async move {
                    match acceptor {
                        None => http1(TokioIo::new(stream), site).await,
                        Some(acceptor) => {
                            let Ok(tls) = acceptor.accept(stream).await else { return };
                            if tls.get_ref().1.alpn_protocol() == Some(b"h2") {
                                http2(TokioIo::new(tls), site).await;
                            } else {
                                http1(TokioIo::new(tls), site).await;
                            }
                        }
                    }
                });
            }
        });
        Self { address, site, is_tls: kind.tls.is_some(), _runtime: runtime }
    }

    /// The URL of `path` here.
    pub fn url(&self, path: &str) -> String {
        let scheme = if self.is_tls { "https" } else { "http" };
        format!("{scheme}://localhost:{}{path}", self.address.port())
    }

    /// Every request so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.site.seen.lock().expect("lock").clone()
    }

    /// Whether `text` arrived anywhere: in a target, a header or a body.
    pub fn has_seen(&self, text: &str) -> bool {
        let text = text.as_bytes();
        let holds = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text);
        self.seen()
            .iter()
            .any(|seen| holds(seen.target.as_bytes()) || holds(&seen.body) || seen.headers.values().any(|value| holds(value.as_bytes())))
    }
}

async fn http1<T: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static>(io: T, site: Arc<Site>) {
    let service = service_fn(move |request| answer(request, Arc::clone(&site)));
    let _ = http1::Builder::new().timer(TokioTimer::new()).serve_connection(io, service).with_upgrades().await;
}

async fn http2<T: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static>(io: T, site: Arc<Site>) {
    let service = service_fn(move |request| answer(request, Arc::clone(&site)));
    let _ = http2::Builder::new(TokioExecutor::new()).serve_connection(io, service).await;
}

/// What the paths do: `/echo` JSON of the request; `/events` server-sent events, one at once and one that comes only when the client has
/// left; `/ws` a WebSocket that echoes; `/altsvc` an `Alt-Svc`; `/trailers` response trailers; `/talk` echoes each piece of the body as it comes; all others 200 `ok`.
async fn answer(mut request: Request<Incoming>, site: Arc<Site>) -> Result<Response<Body>, Infallible> {
    if request.uri().path() == "/ws" {
        return Ok(websocket(&mut request, site));
    }
    let (parts, mut body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    if path == "/talk" {
        let pieces = futures_util::stream::unfold(body, |mut body| async move {
            let frame = body.frame().await?.ok()?;
            let data = frame.into_data().ok()?;
            Some((Ok(Frame::data(data)), body))
        });
        return Ok(Response::new(BodyExt::boxed(StreamBody::new(SyncStream(Box::pin(pieces))))));
    }
    let mut data = Vec::new();
    let mut trailers = None;
    let mut complete = true;
    while let Some(frame) = body.frame().await {
        match frame.map(Frame::into_data) {
            Ok(Ok(bytes)) => data.extend_from_slice(&bytes),
            Ok(Err(frame)) => trailers = frame.into_trailers().ok(),
            Err(_) => {
                complete = false;
                break;
            }
        }
    }
    let record = Seen {
        method: parts.method.to_string(),
        target: parts.uri.to_string(),
        version: format!("{:?}", parts.version),
        headers: parts.headers,
        body: data.into(),
        trailers,
        complete,
    };
    let echo = json!({
        "method": record.method, "target": record.target, "version": record.version, "complete": record.complete,
        "headers": record.headers.iter().map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into())).collect::<serde_json::Map<_, _>>(),
        "trailers": record.trailers.iter().flatten().map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into())).collect::<serde_json::Map<_, _>>(),
        "body": String::from_utf8_lossy(&record.body), "length": record.body.len(),
    });
    let is_complete = record.complete;
    site.seen.lock().expect("lock").push(record.clone());
    if let (Some(root), true, Some(rest)) = (&site.cgi_root, is_complete, path.strip_prefix("/git/")) {
        return Ok(git_backend(root, rest, &record).await);
    }
    if let (Some(root), Some(rest)) = (&site.file_root, path.strip_prefix("/files/")) {
        return Ok(file(root, rest));
    }
    Ok(match path.as_str() {
        "/echo" => {
            let mut response = whole(echo.to_string());
            response.headers_mut().insert(header::CONTENT_TYPE, "application/json".parse().expect("value"));
            response
        }
        "/events" => events(),
        "/altsvc" => {
            let mut response = whole("ok".to_owned());
            response.headers_mut().insert(header::ALT_SVC, "h3=\":443\"; ma=86400".parse().expect("value"));
            response
        }
        "/trailers" => {
            let trailers = HeaderMap::from_iter([("x-checksum".parse().expect("name"), "abc".parse().expect("value"))]);
            let frames = [Ok(Frame::data(Bytes::from_static(b"ok"))), Ok(Frame::trailers(trailers))];
            let mut response = Response::new(BodyExt::boxed(StreamBody::new(futures_util::stream::iter(frames))));
            response.headers_mut().insert(header::TRAILER, "x-checksum".parse().expect("value"));
            response
        }
        "/missing" => {
            let mut response = whole("not here".to_owned());
            *response.status_mut() = StatusCode::NOT_FOUND;
            response
        }
        _ => whole("ok".to_owned()),
    })
}

/// A file below `root`; `index.html` for a directory.
fn file(root: &Path, rest: &str) -> Response<Body> {
    let mut path = root.join(rest);
    if path.is_dir() {
        path.push("index.html");
    }
    match std::fs::read(&path) {
        Ok(bytes) => {
            let kind = if path.extension().is_some_and(|extension| extension == "html") { "text/html" } else { "application/octet-stream" };
            let mut response = Response::new(Full::new(Bytes::from(bytes)).boxed());
            response.headers_mut().insert(header::CONTENT_TYPE, kind.parse().expect("value"));
            response
        }
        Err(_) => {
            let mut response = whole("not here".to_owned());
            *response.status_mut() = StatusCode::NOT_FOUND;
            response
        }
    }
}

/// What `git http-backend` says (RFC 3875).
async fn git_backend(root: &Path, rest: &str, request: &Seen) -> Response<Body> {
    let query = request.target.split_once('?').map_or("", |(_, query)| query);
    let value = |name: header::HeaderName| request.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let mut child = tokio::process::Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", format!("/{rest}"))
        .env("QUERY_STRING", query)
        .env("REQUEST_METHOD", &request.method)
        .env("CONTENT_TYPE", value(header::CONTENT_TYPE))
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", value(header::CONTENT_ENCODING))
        .env("REMOTE_USER", "tester")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("git runs");
    let mut input = child.stdin.take().expect("piped");
    tokio::io::AsyncWriteExt::write_all(&mut input, &request.body).await.expect("taken");
    drop(input);
    let output = child.wait_with_output().await.expect("ended").stdout;
    let end = output.windows(4).position(|four| four == b"\r\n\r\n").expect("a CGI head");
    let mut response = Response::new(Full::new(Bytes::copy_from_slice(&output[end + 4..])).boxed());
    for line in String::from_utf8_lossy(&output[..end]).lines() {
        let (name, value) = line.split_once(": ").expect("a field");
        if name == "Status" {
            *response.status_mut() = value[..3].parse().expect("a status");
        } else {
            response.headers_mut().insert(header::HeaderName::try_from(name).expect("name"), value.parse().expect("value"));
        }
    }
    response
}

/// Takes up a WebSocket that sends back every message of one short frame.
fn websocket(request: &mut Request<Incoming>, site: Arc<Site>) -> Response<Body> {
    let key = request.headers()[header::SEC_WEBSOCKET_KEY].to_str().expect("a key").to_owned();
    let upgrade = hyper::upgrade::on(request);
    tokio::spawn(async move {
        let mut socket = TokioIo::new(upgrade.await.expect("switched"));
        let mut head = [0; 6];
        while socket.read_exact(&mut head).await.is_ok() {
            let (kind, length, mask) = (head[0], head[1] & 0x7f, [head[2], head[3], head[4], head[5]]);
            let mut payload = vec![0; usize::from(length)];
            assert!(length < 126 && socket.read_exact(&mut payload).await.is_ok(), "short frames");
            payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
            let body = Bytes::copy_from_slice(&payload);
            let (method, target, version) = ("WEBSOCKET".to_owned(), "/ws".to_owned(), String::new());
            let seen = Seen { method, target, version, headers: HeaderMap::new(), body, trailers: None, complete: true };
            site.seen.lock().expect("lock").push(seen);
            let frame = [&[kind, length][..], &payload].concat();
            if socket.write_all(&frame).await.is_err() || kind & 0x0f == 8 {
                return;
            }
        }
    });
    let mut response = Response::new(BodyExt::boxed(http_body_util::Empty::new()));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let text = format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
    let accept = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, digest);
    for (name, value) in [(header::CONNECTION, "Upgrade"), (header::UPGRADE, "websocket"), (header::SEC_WEBSOCKET_ACCEPT, &accept)] {
        response.headers_mut().insert(name, value.parse().expect("a value"));
    }
    response
}

fn whole(text: String) -> Response<Body> {
    Response::new(Full::new(Bytes::from(text)).boxed())
}

/// One event at once, then silence: the connection stays open for as long as the client does.
fn events() -> Response<Body> {
    let first = futures_util::stream::iter([Ok(Frame::data(Bytes::from_static(b"data: first\n\n")))]);
    let never = futures_util::stream::pending();
    let mut response = Response::new(BodyExt::boxed(StreamBody::new(futures_util::StreamExt::chain(first, never))));
    response.headers_mut().insert(header::CONTENT_TYPE, "text/event-stream".parse().expect("value"));
    response
}

/// A stream that is only ever polled from one task.
struct SyncStream<S>(std::pin::Pin<Box<S>>);

impl<S: futures_util::Stream> futures_util::Stream for SyncStream<S> {
    type Item = S::Item;

    fn poll_next(mut self: std::pin::Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> std::task::Poll<Option<S::Item>> {
        self.0.as_mut().poll_next(cx)
    }
}

fn tls(certificate: Certificate, kind: &Kind) -> ServerConfig {
    let key = KeyPair::generate().expect("key");
    let names = match certificate {
        Certificate::WrongName => vec!["elsewhere.example".to_owned()],
        Certificate::Good | Certificate::Expired | Certificate::SelfSigned => {
            vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned(), "origin.test".to_owned()]
        }
    };
    let mut params = CertificateParams::new(names).expect("params");
    let now = OffsetDateTime::now_utc();
    (params.not_before, params.not_after) = match certificate {
        Certificate::Expired => (now - Duration::from_secs(20 * 86_400), now - Duration::from_secs(86_400)),
        Certificate::Good | Certificate::WrongName | Certificate::SelfSigned => {
            (now - Duration::from_secs(3600), now + Duration::from_secs(86_400))
        }
    };
    let signed = match certificate {
        Certificate::SelfSigned => params.self_signed(&key),
        Certificate::Good | Certificate::Expired | Certificate::WrongName => params.signed_by(&key, &CA.issuer),
    };
    let chain = vec![CertificateDer::from(signed.expect("certificate").der().to_vec())];
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(kind.versions)
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("certificate and key");
    config.alpn_protocols = kind.alpn.iter().map(|name| name.to_vec()).collect();
    config
}
