//! WebSocket messages on both HTTP versions, frame by frame.

use crate::{
    exeat::{CARD, Exeat},
    origin::{Kind, Origin},
    wire,
};
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::Empty;
use hyper::{
    client::conn::{http1, http2},
    ext::Protocol,
    upgrade::Upgraded,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;

/// A client's end of a WebSocket.
struct Socket(TokioIo<Upgraded>);

impl Socket {
    /// Opens `/ws` by `Upgrade` (RFC 6455) or, on h2, by extended `CONNECT` (RFC 8441).
    async fn open(exeat: &Exeat, origin: &Origin, alpn: &[u8]) -> Self {
        let authority = format!("localhost:{}", origin.address.port());
        let tunnel = wire::tunnel(exeat, &authority);
        tunnel.set_nonblocking(true).expect("set");
        let tls = tokio_rustls::TlsConnector::from(Arc::new(wire::client_config(exeat, &[alpn])));
        let tls = tls.connect("localhost".try_into().expect("a name"), TcpStream::from_std(tunnel).expect("async")).await.expect("TLS");
        let io = TokioIo::new(tls);
        let request = Request::builder().header("sec-websocket-version", "13");
        let response = if alpn == b"h2" {
            let (mut sender, connection) = http2::handshake(TokioExecutor::new(), io).await.expect("h2");
            tokio::spawn(connection);
            let request = request.method(Method::CONNECT).uri(format!("https://{authority}/ws"));
            let mut request = request.body(Empty::<Bytes>::new()).expect("a request");
            request.extensions_mut().insert(Protocol::from_static("websocket"));
            // The server says in its first frame that it knows extended CONNECT.
            let mut answer = sender.send_request(request.clone()).await;
            for _ in 0..100 {
                if answer.is_ok() {
                    break;
                }
                tokio::task::yield_now().await;
                answer = sender.send_request(request.clone()).await;
            }
            let response = answer.expect("an answer");
            assert_eq!(response.status(), StatusCode::OK);
            response
        } else {
            let (mut sender, connection) = http1::handshake(io).await.expect("h1");
            tokio::spawn(connection.with_upgrades());
            let request = request.uri("/ws").header("host", &authority).header("connection", "Upgrade").header("upgrade", "websocket");
            let request = request.header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==").body(Empty::<Bytes>::new()).expect("a request");
            let response = sender.send_request(request).await.expect("an answer");
            assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
            assert_eq!(response.headers()["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
            response
        };
        Self(TokioIo::new(hyper::upgrade::on(response).await.expect("switched")))
    }

    /// Sends `payload` in `pieces` frames, masked as a client's have to be.
    async fn send(&mut self, kind: u8, payload: &[u8], pieces: usize) {
        let size = payload.len().div_ceil(pieces);
        let mut frames = Vec::new();
        for (index, piece) in payload.chunks(size).enumerate() {
            let end = if (index + 1) * size >= payload.len() { 0x80 } else { 0 };
            let mask = [7, 1, 200, u8::try_from(index).expect("few")];
            frames.extend([end | if index == 0 { kind } else { 0 }, 0x80 | u8::try_from(piece.len()).expect("short")]);
            frames.extend(mask);
            frames.extend(piece.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        }
        self.0.write_all(&frames).await.expect("sent");
        self.0.flush().await.expect("sent");
    }

    /// Kind and payload of the next frame.
    async fn receive(&mut self) -> (u8, Vec<u8>) {
        let receive = async {
            let mut head = [0; 2];
            self.0.read_exact(&mut head).await.expect("a frame");
            assert!(head[1] < 126, "short and not masked");
            let mut payload = vec![0; usize::from(head[1])];
            self.0.read_exact(&mut payload).await.expect("a payload");
            (head[0] & 0x0f, payload)
        };
        tokio::time::timeout(Duration::from_secs(20), receive).await.expect("in time")
    }
}

fn talk_over(alpn: &[u8]) {
    let exeat = Exeat::start();
    let origin = Origin::start(&Kind::https());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("runtime");
    runtime.block_on(async {
        let mut socket = Socket::open(&exeat, &origin, alpn).await;
        socket.send(TEXT, "hello 你好".as_bytes(), 1).await;
        assert_eq!(socket.receive().await, (TEXT, "hello 你好".as_bytes().to_vec()));
        socket.send(TEXT, format!("charge my visa card {CARD} today").as_bytes(), 4).await;
        let (kind, echo) = socket.receive().await;
        let echo = String::from_utf8(echo).expect("text");
        assert!(kind == TEXT && echo.starts_with("charge my visa card [") && echo.ends_with("] today"), "{echo}");
        socket.send(BINARY, &[0, 1, 254, 255], 1).await;
        assert_eq!(socket.receive().await, (BINARY, vec![0, 1, 254, 255]));
        socket.send(BINARY, &[b"\x00\xff charge my visa card ", CARD.as_bytes(), b" today \xfe"].concat(), 2).await;
        let (kind, reason) = socket.receive().await;
        assert_eq!((kind, &reason[..2]), (CLOSE, &1008_u16.to_be_bytes()[..]));
    });
    assert!(!origin.has_seen(CARD));
    let actions: Vec<_> = exeat.events().iter().map(|event| event["action"].clone()).collect();
    assert_eq!(actions, ["block", "redact"]);
}

#[test]
fn messages_are_read_after_an_upgrade() {
    talk_over(b"http/1.1");
}

#[test]
fn messages_are_read_on_h2() {
    talk_over(b"h2");
}
