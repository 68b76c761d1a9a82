//! One request and its answer: read, inspected, sent on, answered.

use super::{
    AccessLog, Proxy,
    body::{Refused, ReplyBody, RequestBody},
    headers,
    intake::{self, Intake},
    pump::{self, Load},
    refuse::Refuser,
    upstream::{Destination, Scheme},
    websocket,
};
use crate::{
    content::RewriteError,
    finding::Gap,
    gate::{Passed, StreamRecord},
    inspect::{
        Inspection,
        stream::{Framing, Head},
    },
    policy::Action,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, Version, header, request::Parts};
use hyper::body::Incoming;
use std::{net::IpAddr, sync::Arc};
use tokio::sync::oneshot;

use super::hygiene::Interim;

/// Larger packs are read as they come, object by object, in place of being held.
const LARGEST_PUSH_IN_MEMORY: usize = 256 << 10;

/// What is known of a connection before its first request.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The client's address.
    pub client: IpAddr,
    /// The authenticated user.
    pub user: Option<Arc<str>>,
    /// Where requests go.
    pub route: Route,
    /// Where interim answers can be written, on HTTP/1.
    pub interim: Option<Interim>,
}

/// Where the requests of a connection go.
#[derive(Clone, Debug)]
pub enum Route {
    /// Each request names its destination (absolute form).
    Named,
    /// Inside a tunnel: where `CONNECT` said, whatever the request says.
    Tunnel {
        /// What is spoken inside.
        scheme: Scheme,
        /// Host of the `CONNECT` request.
        host: String,
        /// Its port.
        port: u16,
        /// The name in the ClientHello.
        sni: Option<String>,
    },
}

/// Serves one request.
pub async fn serve(proxy: Arc<Proxy>, origin: Origin, request: Request<Incoming>) -> Response<ReplyBody> {
    let client = origin.client;
    let (mut parts, body) = request.into_parts();
    let refuser = Refuser::new(&proxy, &parts);
    let (to, hosts) = match destination(&origin.route, &parts) {
        Ok(found) => found,
        Err(wrong) => return refuser.bad_request(wrong),
    };
    let refuser = refuser.to(&to);
    headers::host_from_target(&mut parts.headers, &parts.uri);
    let target = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let exchange = Exchange {
        head: Head {
            client: origin.client,
            user: origin.user.clone(),
            hosts,
            method: parts.method.clone(),
            target,
            headers: HeaderMap::new(),
        },
        interim: origin.interim,
        refuser,
        to,
        proxy,
    };
    let line = match exchange.proxy.access_log {
        AccessLog::Off => None,
        AccessLog::On => Some((exchange.head.user.clone(), parts.method.clone(), exchange.to.host.clone())),
    };
    let response =
        if websocket::is_handshake(&parts) { websocket::serve(exchange, parts, body).await } else { exchange.run(parts, body).await };
    if let Some((user, method, host)) = line {
        tracing::info!(%client, user = user.as_deref(), %method, %host, status = response.status().as_u16(), "request");
    }
    response
}

/// One exchange under way.
pub(super) struct Exchange {
    pub(super) proxy: Arc<Proxy>,
    pub(super) to: Destination,
    /// Its headers are filled in when the message is inspected.
    pub(super) head: Head,
    pub(super) refuser: Refuser,
    interim: Option<Interim>,
}

impl Exchange {
    async fn run(mut self, parts: Parts, body: Incoming) -> Response<ReplyBody> {
        if parts.method == Method::CONNECT {
            return self.refuser.bad_request("CONNECT inside a tunnel is not supported");
        }
        // gRPC-Web is a plain request; gRPC proper is a stream on h2, message by message.
        let kind = parts.headers.get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
        let is_grpc = kind.starts_with(b"application/grpc") && !kind.starts_with(b"application/grpc-web");
        let two_way = is_grpc && parts.version == Version::HTTP_2;
        // A pack is many times as long as it looks.
        let is_push = kind == b"application/x-git-receive-pack-request";
        let most = if is_push { LARGEST_PUSH_IN_MEMORY } else { usize::MAX }.min(self.proxy.limits.max_memory_bytes);
        self.head.headers = parts.headers;
        let intake = if two_way { Intake::Stream { first: Bytes::new(), rest: body } } else { intake::read(body, most, &self.proxy).await };
        match intake {
            Intake::Whole { data, trailers, budget } => {
                let response = self.whole(data, trailers).await;
                drop(budget);
                response
            }
            Intake::Stream { first, rest } => {
                let framing = if two_way { Framing::Grpc } else { Framing::Bytes };
                self.streamed(first, rest, framing, None).await
            }
            Intake::Slow => self.refuser.slow(),
            Intake::Overloaded { first, rest } => self.overloaded(first, rest).await,
            Intake::Broken => self.refuser.bad_request("the body ended early or is not well-formed"),
        }
    }

    /// A body that is there in full: nothing goes out before the verdict.
    async fn whole(mut self, data: Bytes, trailers: Option<HeaderMap>) -> Response<ReplyBody> {
        let proxy = Arc::clone(&self.proxy);
        let aside = match trailers.as_ref().filter(|fields| !fields.is_empty()) {
            Some(fields) => Some(self.trailers(fields).await),
            None => None,
        };
        let (head, passed) = proxy.gate.pass_with(self.head, data.clone(), aside).await;
        self.head = head;
        let Passed { id, inspection } = passed;
        match inspection.verdict.action {
            Action::Block => self.refuser.blocked_body(id, &inspection, &data),
            Action::Allow | Action::Log => self.forward(RequestBody::Whole { data: Some(data), trailers }, None).await,
            Action::Redact => {
                let rewritten = inspection.rewritten.unwrap_or_default();
                if let Some(target) = rewritten.target {
                    self.head.target = target;
                }
                // Every value of a changed name is there, in order.
                for (name, _) in &rewritten.headers {
                    self.head.headers.remove(name);
                }
                for (name, value) in rewritten.headers {
                    self.head.headers.append(name, value);
                }
                let data = rewritten.body.unwrap_or(data);
                if self.head.headers.contains_key(header::CONTENT_LENGTH) {
                    self.head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(data.len()));
                }
                let mut response = self.forward(RequestBody::Whole { data: Some(data), trailers }, None).await;
                if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
                    response.headers_mut().insert(super::reply::REQUEST_ID, id);
                }
                response
            }
        }
    }

    /// Trailer fields are content as well; what policy would redact there is blocked.
    async fn trailers(&self, fields: &HeaderMap) -> Inspection {
        let mut text = Vec::new();
        for (name, value) in fields {
            text.extend_from_slice(name.as_str().as_bytes());
            text.extend_from_slice(b": ");
            text.extend_from_slice(value.as_bytes());
            text.push(b'\n');
        }
        let mut head = self.head.clone();
        head.headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"))]);
        let (_, mut inspection) = self.proxy.gate.inspect(head, text.into()).await;
        if inspection.verdict.action == Action::Redact {
            inspection.verdict.block_instead(RewriteError::Unsupported);
            inspection.rewritten = None;
        }
        inspection
    }

    /// A body that is inspected as it comes; `part` is what is known before.
    async fn streamed(mut self, first: Bytes, rest: Incoming, framing: Framing, part: Option<Inspection>) -> Response<ReplyBody> {
        let proxy = Arc::clone(&self.proxy);
        // The head first: address and headers are content too.
        let (head, mut inspection) = proxy.gate.inspect(self.head, Bytes::new()).await;
        self.head = head;
        if let Some(part) = part {
            inspection.add(part);
        }
        if inspection.verdict.action == Action::Redact {
            inspection.verdict.block_instead(RewriteError::Unsupported);
        }
        let mut record = StreamRecord::new();
        proxy.gate.note(&mut record, &self.head, inspection).await;
        if let Some(refusal) = record.refusal() {
            let response = self.refuser.blocked_body(record.id, refusal, &first);
            proxy.gate.conclude(record, &self.head).await;
            return response;
        }
        let stream = proxy.gate.stream(self.head.clone(), framing);
        let load = Load { head: self.head.clone(), refuser: self.refuser.clone(), stream, record, first, rest };
        let (body, refused) = pump::start(proxy, load);
        self.forward(body, Some(refused)).await
    }

    /// No memory was free for the body: refused, or read in windows where policy does not mind.
    async fn overloaded(self, first: Bytes, rest: Incoming) -> Response<ReplyBody> {
        let overloaded = self.proxy.gate.inspector().unread(&self.head.message(&Bytes::new()), Gap::Overloaded);
        self.streamed(first, rest, Framing::Bytes, Some(overloaded)).await
    }

    /// Sends the request on and brings the answer back.
    async fn forward(self, body: RequestBody, refused: Option<pump::Refusals>) -> Response<ReplyBody> {
        let mut request = Request::new(body);
        *request.method_mut() = self.head.method;
        let Ok(uri) = self.head.target.parse::<Uri>() else { return self.refuser.bad_request("the target is no valid path") };
        *request.uri_mut() = uri;
        *request.headers_mut() = self.head.headers;
        headers::for_origin(request.headers_mut(), &self.to);
        if let Some(interim) = self.interim {
            hyper::ext::on_informational(&mut request, move |hint| {
                interim.send(hint.status(), &headers::of_interim(hint.headers()));
            });
        }
        let (answer, watch) = match refused {
            None => (self.proxy.upstream.send(&self.to, request).await, None),
            Some(pump::Refusals { early, late }) => {
                let mut sending = Box::pin(self.proxy.upstream.send(&self.to, request));
                tokio::select! {
                    biased;
                    Ok(pump::Instead { response, after }) = early => {
                        drop(sending);
                        let _ = after.await; // an error is the usual way: nobody has more to say
                        return response;
                    }
                    answer = &mut sending => (answer, Some(late)),
                }
            }
        };
        match answer {
            Ok(response) => for_client(response, watch),
            Err(error) => self.refuser.unreachable(&error),
        }
    }
}

fn for_client(mut response: Response<ReplyBody>, watch: Option<oneshot::Receiver<Refused>>) -> Response<ReplyBody> {
    headers::for_client(response.headers_mut());
    *response.version_mut() = Version::default();
    if let ReplyBody::Upstream { refused, .. } = response.body_mut() {
        *refused = watch;
    }
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        // Only a WebSocket handshake may switch, and that takes another way.
        *response.status_mut() = StatusCode::BAD_GATEWAY;
    }
    response
}

/// Where a request goes, and every name that the destination goes by.
fn destination(route: &Route, parts: &Parts) -> Result<(Destination, Vec<String>), &'static str> {
    let named = parts.headers.get(header::HOST).map(|host| host.to_str().unwrap_or_default()).map(headers::host_of);
    let authority = parts.uri.authority().map(|authority| headers::host_of(authority.as_str()));
    let (to, sni) = match route {
        Route::Tunnel { scheme, host, port, sni } => {
            let tls_name = sni.clone().unwrap_or_else(|| host.clone());
            (Destination { scheme: *scheme, host: host.clone(), port: *port, tls_name }, sni.clone())
        }
        Route::Named => {
            let scheme = match parts.uri.scheme_str() {
                Some("http") => Scheme::Http,
                Some("https") => Scheme::Https,
                Some(_) => return Err("only http and https can be proxied"),
                None => return Err("this is a proxy: requests need an absolute target, like \"GET http://example.com/ HTTP/1.1\""),
            };
            let host = authority.clone().flatten().ok_or("the target names no host")?;
            let default = if scheme == Scheme::Https { 443 } else { 80 };
            let port = parts.uri.port_u16().unwrap_or(default);
            (Destination { scheme, tls_name: host.clone(), host, port }, None)
        }
    };
    let mut hosts = vec![to.host.clone()];
    let names = [sni, named.map(|named| named.ok_or("the Host header is not valid")).transpose()?, authority.flatten()];
    for name in names.into_iter().flatten() {
        if !hosts.contains(&name) {
            hosts.push(name);
        }
    }
    Ok((to, hosts))
}
