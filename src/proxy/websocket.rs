//! WebSocket: the handshake on both HTTP versions, and the messages that follow it.
//!
//! Both sides are ended here. What the client sends is reassembled, inflated, inspected and framed anew; what the server sends is
//! passed on as it comes. A message that policy refuses closes both sides, the client's with 1008 and the reason.

use super::{
    body::{ReplyBody, RequestBody},
    exchange::Exchange,
    failure::UpstreamError,
    headers,
    refuse::Refuser,
    reply::Fault,
    versions::Versions,
    ws::{self, Close, CloseCode, Deflate, Event, Kind, Message, Offer, Peer, Reader, Tracker, Writer},
};
use crate::{gate::Gate, inspect::stream::Head, policy::Action};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, Version, header, request::Parts};
use hyper::{body::Incoming, client::conn::http1, ext::Protocol, upgrade::Upgraded};
use hyper_util::rt::TokioIo;
use std::{io, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf},
    sync::Mutex,
};

/// How long a peer may take to answer a close frame.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);

/// Whether a request opens a WebSocket: by `Upgrade` on HTTP/1.1, by extended `CONNECT` on h2 (RFC 8441).
pub fn is_handshake(parts: &Parts) -> bool {
    let is_extended = parts.extensions.get::<Protocol>().is_some_and(|protocol| protocol.as_str() == "websocket");
    (parts.method == Method::CONNECT && is_extended) || ws::is_handshake(&parts.method, &parts.headers)
}

/// Serves a handshake and, if it succeeds, the connection after it.
pub async fn serve(mut exchange: Exchange, parts: Parts, body: Incoming) -> Response<ReplyBody> {
    let gate = Arc::clone(&exchange.proxy.gate);
    exchange.head.method = Method::GET;
    exchange.head.headers = parts.headers.clone();
    let (head, passed) = gate.pass(exchange.head, Bytes::new()).await;
    match passed.inspection.verdict.action {
        Action::Allow | Action::Log => {}
        // A changed address would open another socket than the one that was asked for.
        Action::Redact | Action::Block => return exchange.refuser.blocked(passed.id, &passed.inspection),
    }
    exchange.head = head;

    let offer = Offer::of(&parts.headers);
    let opened = match open(&exchange, offer.as_ref()).await {
        Ok(opened) => opened,
        Err(Failed::Upstream(error)) => return exchange.refuser.unreachable(&error),
        Err(Failed::Answer) => return exchange.refuser.fault(&Fault::BadAnswer),
    };
    let (server, answer, deflate) = match opened {
        Opened::Refused(response) => return response,
        Opened::Switched { server, headers, deflate } => (server, headers, deflate),
    };

    let response = switching(&parts, &answer, deflate.as_ref());
    let client = hyper::upgrade::on(Request::from_parts(parts, body));
    let relay = Relay { gate, head: exchange.head, refuser: exchange.refuser, most: exchange.proxy.limits.max_memory_bytes, deflate };
    tokio::spawn(async move {
        match client.await {
            Ok(client) => relay.run(TokioIo::new(client), TokioIo::new(server)).await,
            Err(error) => tracing::debug!(%error, "a WebSocket was not taken up"),
        }
    });
    response
}

enum Opened {
    /// The server does not want to: its answer, to be passed on.
    Refused(Response<ReplyBody>),
    Switched {
        server: Upgraded,
        headers: HeaderMap,
        deflate: Option<Deflate>,
    },
}

enum Failed {
    Upstream(UpstreamError),
    Answer,
}

impl<E: Into<UpstreamError>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self::Upstream(error.into())
    }
}

/// The handshake with the server, on a connection of its own.
async fn open(exchange: &Exchange, offer: Option<&Offer>) -> Result<Opened, Failed> {
    let key = ws::new_key();
    let mut request = Request::new(RequestBody::empty());
    *request.uri_mut() = exchange.head.target.parse::<Uri>().map_err(|_| Failed::Answer)?;
    *request.headers_mut() = exchange.head.headers.clone();
    let fields = request.headers_mut();
    headers::for_origin(fields, &exchange.to);
    fields.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    fields.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    fields.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    fields.insert(header::SEC_WEBSOCKET_KEY, HeaderValue::from_str(&key).map_err(|_| Failed::Answer)?);
    fields.remove(header::SEC_WEBSOCKET_EXTENSIONS);
    if let Some(offer) = offer {
        fields.insert(header::SEC_WEBSOCKET_EXTENSIONS, offer.header());
    }

    let stream = exchange.proxy.upstream.connect(&exchange.to, Versions::Http1).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection.with_upgrades());
    let response = sender.send_request(request).await?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        let mut response = response.map(|body| ReplyBody::Upstream { body, lease: None, refused: None });
        headers::for_client(response.headers_mut());
        return Ok(Opened::Refused(response));
    }
    let answer = response.headers().clone();
    let accepted = answer.get(header::SEC_WEBSOCKET_ACCEPT).is_some_and(|value| value.as_bytes() == ws::accept(&key).as_bytes());
    let deflate = Offer::agreed(offer, &answer).map_err(|_| Failed::Answer)?;
    if !accepted {
        return Err(Failed::Answer);
    }
    Ok(Opened::Switched { server: hyper::upgrade::on(response).await?, headers: answer, deflate })
}

/// The answer that opens the client's side: the server's own fields, with ours for what we negotiated.
fn switching(parts: &Parts, server: &HeaderMap, deflate: Option<&Deflate>) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::whole(Bytes::new()));
    let mut fields = server.clone();
    headers::for_client(&mut fields);
    fields.remove(header::SEC_WEBSOCKET_ACCEPT);
    fields.remove(header::SEC_WEBSOCKET_EXTENSIONS);
    if let Some(deflate) = deflate {
        fields.insert(header::SEC_WEBSOCKET_EXTENSIONS, deflate.header());
    }
    if parts.version != Version::HTTP_2 {
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        fields.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        fields.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        let key = parts.headers.get(header::SEC_WEBSOCKET_KEY).and_then(|key| key.to_str().ok()).unwrap_or_default();
        if let Ok(accept) = HeaderValue::from_str(&ws::accept(key)) {
            fields.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
        }
    }
    *response.headers_mut() = fields;
    response
}

/// An open WebSocket.
struct Relay {
    gate: Arc<Gate>,
    head: Head,
    refuser: Refuser,
    most: usize,
    deflate: Option<Deflate>,
}

type Io = TokioIo<Upgraded>;

/// The way to the client: the server's frames as they come, and a close frame of ours between two of them.
struct ToClient {
    out: WriteHalf<Io>,
    tracker: Tracker,
    /// To be written at the next border between frames.
    close: Option<Vec<u8>>,
}

impl Relay {
    async fn run(self, client: Io, server: Io) {
        let (from_client, out) = tokio::io::split(client);
        let (from_server, to_server) = tokio::io::split(server);
        let to_client = Arc::new(Mutex::new(ToClient { out, tracker: Tracker::new(Peer::Server), close: None }));
        let down = pass_down(from_server, Arc::clone(&to_client));
        let up = self.pass_up(from_client, to_server, to_client);
        tokio::pin!(down, up);
        // Whichever side ends first, the other gets the time to say goodbye.
        let ended = tokio::select! {
            ended = &mut down => { let _ = tokio::time::timeout(CLOSE_LIMIT, up).await; ended }
            ended = &mut up => { let _ = tokio::time::timeout(CLOSE_LIMIT, down).await; ended }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a WebSocket ended early");
        }
    }

    /// From the client to the server, message by message.
    async fn pass_up(mut self, mut from: ReadHalf<Io>, mut to: WriteHalf<Io>, client: Arc<Mutex<ToClient>>) -> io::Result<()> {
        let mut reader = Reader::new(Peer::Client, self.deflate.as_ref(), self.most);
        let mut writer = Writer::new(Peer::Server, self.deflate.as_ref());
        let mut input = vec![0; 16 << 10];
        let mut out = Vec::new();
        loop {
            let count = from.read(&mut input).await?;
            if count == 0 {
                return to.shutdown().await;
            }
            reader.push(input.get(..count).unwrap_or_default());
            loop {
                let close = match reader.next() {
                    Ok(None) => break,
                    Ok(Some(Event::Message(message))) => match self.inspect(message).await {
                        Ok(message) => {
                            writer.message(message.kind, &message.payload, &mut out);
                            None
                        }
                        Err(close) => Some(close),
                    },
                    Ok(Some(event @ (Event::Ping(_) | Event::Pong(_) | Event::Close(_)))) => {
                        writer.event(&event, &mut out);
                        None
                    }
                    Err(error) => Some(Close { code: error.close_code(), reason: error.to_string() }),
                };
                if let Some(close) = close {
                    writer.close(Some(&Close { code: CloseCode::GOING_AWAY, reason: String::new() }), &mut out);
                    let _ = to.write_all(&out).await;
                    let _ = to.shutdown().await;
                    return client.lock().await.close(&close).await;
                }
            }
            to.write_all(&out).await?;
            to.flush().await?;
            out.clear();
        }
    }

    /// The message to pass on, perhaps redacted, or what to close with.
    async fn inspect(&mut self, message: Message) -> Result<Message, Close> {
        let kind = match message.kind {
            Kind::Text => HeaderValue::from_static("text/plain; charset=utf-8"),
            Kind::Binary => HeaderValue::from_static("application/octet-stream"),
        };
        // The address was inspected with the handshake: only the message is new.
        let head = Head { target: String::new(), headers: HeaderMap::from_iter([(header::CONTENT_TYPE, kind)]), ..self.head.clone() };
        let (_, passed) = self.gate.pass(head, message.payload.clone()).await;
        match passed.inspection.verdict.action {
            Action::Allow | Action::Log => Ok(message),
            Action::Redact => {
                let payload = passed.inspection.rewritten.and_then(|rewritten| rewritten.body).unwrap_or(message.payload);
                Ok(Message { kind: message.kind, payload })
            }
            Action::Block => Err(Close { code: CloseCode::POLICY, reason: self.refuser.close_reason(passed.id, &passed.inspection) }),
        }
    }
}

/// From the server to the client, unread.
async fn pass_down(mut from: ReadHalf<Io>, to: Arc<Mutex<ToClient>>) -> io::Result<()> {
    let mut input = vec![0; 16 << 10];
    loop {
        let count = from.read(&mut input).await?;
        let mut to = to.lock().await;
        if count == 0 {
            return to.out.shutdown().await;
        }
        if !to.pass(input.get(..count).unwrap_or_default()).await? {
            return Ok(());
        }
    }
}

impl ToClient {
    /// Passes on `bytes` of the server; false once our own close frame has gone out.
    async fn pass(&mut self, bytes: &[u8]) -> io::Result<bool> {
        let border = self.tracker.feed(bytes).map_err(io::Error::other)?;
        match (self.close.take(), border) {
            (Some(close), Some(border)) => {
                self.out.write_all(bytes.get(..border).unwrap_or_default()).await?;
                self.out.write_all(&close).await?;
                self.out.shutdown().await?;
                Ok(false)
            }
            (close, _) => {
                self.close = close;
                self.out.write_all(bytes).await?;
                self.out.flush().await?;
                Ok(true)
            }
        }
    }

    /// Closes with `close`, now or when the frame under way is over.
    async fn close(&mut self, close: &Close) -> io::Result<()> {
        let mut frame = Vec::new();
        Writer::new(Peer::Client, None).close(Some(close), &mut frame);
        if self.tracker.is_between_frames() {
            self.out.write_all(&frame).await?;
            self.out.shutdown().await
        } else {
            self.close = Some(frame);
            Ok(())
        }
    }
}
