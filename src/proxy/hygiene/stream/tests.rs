use super::*;
use crate::proxy::reply::{RequestFacts, fault};
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

const QUICK: Limits = Limits {
    head: Duration::from_millis(40),
    body_grace: Duration::from_millis(40),
    body_rate: 1_000_000,
    linger: Duration::from_millis(200),
};

/// What the service of these tests was asked.
#[derive(Debug, Default)]
struct Seen(AtomicUsize);

/// Answers with what the client did wrong, or echoes method, path and content. Paths choose what else happens.
async fn serve(control: Control, seen: Arc<Seen>, mut request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let refuse = |violation: Violation, request: &Request<Incoming>| {
        let facts = RequestFacts { method: request.method(), uri: request.uri(), host: "", headers: request.headers() };
        fault(&violation.fault(), "01J", None, &facts).map(Full::new)
    };
    let turn = match control.begin(&request) {
        Ok(turn) => turn,
        Err(violation) => return Ok(refuse(violation, &request)),
    };
    seen.0.fetch_add(1, Ordering::SeqCst);
    let mut hints = HeaderMap::new();
    hints.insert(header::LINK, "</a.css>; rel=preload".parse().expect("value"));
    match request.uri().path() {
        "/hint" => turn.interim().send(StatusCode::EARLY_HINTS, &hints),
        "/hint-from-a-task" => {
            let interim = turn.interim();
            let (done, wait) = tokio::sync::oneshot::channel();
            tokio::spawn(async move {
                interim.send(StatusCode::EARLY_HINTS, &hints);
                interim.send(StatusCode::PROCESSING, &HeaderMap::new());
                interim.send(StatusCode::CONTINUE, &HeaderMap::new());
                tokio::task::yield_now().await;
                let _ = done.send(());
            });
            wait.await.expect("task");
        }
        "/hint-too-late" => {
            let interim = turn.interim();
            drop(turn);
            interim.send(StatusCode::EARLY_HINTS, &hints);
            return Ok(Response::new(Full::new(Bytes::from_static(b"late"))));
        }
        _ => {}
    }
    if request.method() == Method::CONNECT {
        if request.uri().host() == Some("refused") {
            let mut response = Response::new(Full::default());
            *response.status_mut() = StatusCode::FORBIDDEN;
            return Ok(response);
        }
        let upgrade = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            let mut io = TokioIo::new(upgrade.await.expect("upgrade"));
            let mut buf = [0; 64];
            while let Ok(count @ 1..) = io.read(&mut buf).await {
                io.write_all(&buf[..count]).await.expect("write");
            }
        });
        turn.upgrade();
        return Ok(Response::new(Full::default()));
    }
    let text = format!("{} {} ", request.method(), request.uri());
    match request.body_mut().collect().await {
        Ok(body) => Ok(Response::new(Full::new(Bytes::from([text.as_bytes(), &body.to_bytes()].concat())))),
        Err(_) => Ok(refuse(control.violation().expect("violation"), &request)),
    }
}

fn start<IO: AsyncRead + AsyncWrite + Unpin + Send + 'static>(io: IO, limits: Limits) -> Arc<Seen> {
    let seen = Arc::new(Seen::default());
    let (guarded, control) = guard(io, limits);
    let service = {
        let seen = Arc::clone(&seen);
        service_fn(move |request| serve(control.clone(), Arc::clone(&seen), request))
    };
    tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(guarded), service).with_upgrades());
    seen
}

fn connect(limits: Limits) -> (DuplexStream, Arc<Seen>) {
    let (client, server) = duplex(64 * 1024);
    (client, start(server, limits))
}

/// Everything that comes back until the connection is closed for `stream`, written in pieces of `size`.
async fn talk(stream: &[u8], size: usize) -> (String, usize) {
    let (mut client, seen) = connect(Limits::default());
    for piece in stream.chunks(size) {
        if client.write_all(piece).await.is_err() {
            break; // it has hung up, as it should after a violation
        }
        if size < stream.len() {
            tokio::task::yield_now().await;
        }
    }
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.expect("read");
    (answer, seen.0.load(Ordering::SeqCst))
}

async fn read_until(client: &mut DuplexStream, end: &str) -> String {
    let mut got = Vec::new();
    while !got.ends_with(end.as_bytes()) {
        got.push(client.read_u8().await.expect("byte"));
    }
    String::from_utf8(got).expect("text")
}

#[tokio::test]
async fn proper_requests_reach_the_service_however_they_are_split() {
    let stream =
        b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloPOST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
        3\r\nabc\r\n2;x\r\nde\r\n0\r\nx-t: 1\r\n\r\nGET /c HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    for size in [stream.len(), 1, 2, 3, 7, 40] {
        let (answer, seen) = talk(stream, size).await;
        assert_eq!(seen, 3, "{size}: {answer}");
        for text in ["POST /a hello", "POST /b abcde", "GET /c "] {
            assert!(answer.contains(text), "{size}: {answer}");
        }
    }
}

#[tokio::test]
async fn a_violation_is_answered_in_order_and_never_seen_by_the_service() {
    let stream = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n\
        0\r\n\r\nGET /c HTTP/1.1\r\nHost: a\r\n\r\n";
    for size in [stream.len(), 1, 5, 30] {
        let (answer, seen) = talk(stream, size).await;
        assert_eq!(seen, 1, "{answer}");
        let (first, second) = answer.split_once("GET /a ").expect("first answer");
        assert!(first.starts_with("HTTP/1.1 200"), "{first}");
        assert!(second.starts_with("HTTP/1.1 400"), "{second}");
        assert!(second.contains("connection: close") && second.contains("both Content-Length and Transfer-Encoding"), "{second}");
        assert!(!second.contains("/c"), "{second}");
    }
}

#[tokio::test]
async fn what_hyper_would_forgive_is_refused() {
    for head in [
        "GET / HTTP/1.1\nHost: a\n\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        "GET / HTTP/1.1\r\n\r\n",
    ] {
        let (answer, seen) = talk(head.as_bytes(), head.len()).await;
        assert!(answer.starts_with("HTTP/1.1 400") && seen == 0, "{head:?}: {answer}");
    }
}

#[tokio::test]
async fn a_violation_within_content_ends_the_body_in_an_error() {
    for body in ["5\nhello\r\n0\r\n\r\n", "5\r\nhello!\r\n0\r\n\r\n", "0\r\nhost: b\r\n\r\n"] {
        let stream = format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{body}GET /c HTTP/1.1\r\nHost: a\r\n\r\n");
        let (answer, seen) = talk(stream.as_bytes(), stream.len()).await;
        assert!(answer.starts_with("HTTP/1.1 400") && seen == 1 && !answer.contains("/c"), "{answer}");
    }
}

#[tokio::test]
async fn hints_come_before_the_answer_and_behind_the_continue() {
    let (answer, _) = talk(b"GET /hint HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 1000).await;
    let hint = "HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n";
    assert!(answer.starts_with(&format!("{hint}HTTP/1.1 200 OK\r\n")), "{answer}");

    let (answer, _) = talk(b"GET /hint-from-a-task HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 1000).await;
    assert!(answer.starts_with(&format!("{hint}HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\n")), "{answer}");

    let (mut client, _) = connect(Limits::default());
    client.write_all(b"POST /hint HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n").await.expect("write");
    let interim = read_until(&mut client, "Continue\r\n\r\n").await;
    client.write_all(b"ok").await.expect("write");
    let rest = read_until(&mut client, "POST /hint ok").await;
    let all = interim + &rest;
    assert_eq!(all.matches("HTTP/1.1 ").count(), 3, "{all}");
    assert!(all.contains(hint) && all.contains("\r\n\r\nHTTP/1.1 200 OK"), "{all}");
}

#[tokio::test]
async fn a_hint_never_stands_within_an_answer_nor_after_it() {
    // Pipelined: the answer before may still be in hyper's hands when the hint is sent.
    let stream = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /hint HTTP/1.1\r\nHost: a\r\n\r\nGET /hint-too-late HTTP/1.1\r\nHost: a\r\n\r\n\
        GET /hint HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    for size in [stream.len(), 27, 1] {
        let (answer, seen) = talk(stream, size).await;
        assert_eq!(seen, 4);
        let mut rest = answer.as_str();
        let mut bodies = Vec::new();
        while !rest.is_empty() {
            let (head, after) = rest.split_once("\r\n\r\n").expect("head");
            assert!(head.starts_with("HTTP/1.1 "), "{answer}");
            let length =
                head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |text| text.parse().expect("length"));
            let (body, next) = after.split_at(length);
            bodies.extend((length > 0).then_some(body));
            rest = next;
        }
        assert_eq!(bodies, ["GET /a ", "GET /hint ", "late", "GET /hint "]);
    }
}

#[tokio::test]
async fn http_1_0_gets_no_hints() {
    let (answer, _) = talk(b"GET /hint HTTP/1.0\r\n\r\n", 1000).await;
    assert!(answer.starts_with("HTTP/1.0 200") && !answer.contains("103"), "{answer}");
}

#[tokio::test]
async fn after_a_connect_bytes_pass_unjudged() {
    let (mut client, _) = connect(Limits::default());
    // Sent before the answer, as some clients do, and nothing like HTTP.
    client.write_all(b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n\x16\x03\x01\n\0\n").await.expect("write");
    let head = read_until(&mut client, "\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    client.write_all(b"more\n").await.expect("write");
    let mut echo = [0; 11];
    client.read_exact(&mut echo).await.expect("echo");
    assert_eq!(&echo, b"\x16\x03\x01\n\0\nmore\n");
}

#[tokio::test]
async fn after_a_refused_connect_requests_are_judged_again() {
    let stream =
        b"CONNECT refused:443 HTTP/1.1\r\nHost: refused:443\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\n\n";
    for size in [stream.len(), 1] {
        let (answer, seen) = talk(stream, size).await;
        assert!(seen == 2 && answer.starts_with("HTTP/1.1 403") && answer.contains("GET /a HTTP/1.1 400"), "{seen} {answer}");
    }
}

#[tokio::test]
async fn a_head_that_dribbles_in_is_given_up() {
    let (mut client, seen) = connect(QUICK);
    client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n").await.expect("write");
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.expect("read");
    assert!(answer.starts_with("HTTP/1.1 408") && seen.0.load(Ordering::SeqCst) == 0, "{answer}");
}

#[tokio::test]
async fn content_that_dribbles_in_is_given_up() {
    let (mut client, _) = connect(QUICK);
    client.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\nx").await.expect("write");
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.expect("read");
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn a_client_that_still_sends_can_read_the_refusal() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let address = listener.local_addr().expect("address");
    let client = tokio::spawn(async move {
        let mut client = tokio::net::TcpStream::connect(address).await.expect("connect");
        client.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n").await.expect("write");
        for _ in 0..200 {
            client.write_all(&[b'x'; 4096]).await.expect("write");
        }
        client.shutdown().await.expect("shutdown");
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.expect("no reset");
        answer
    });
    let (io, _) = listener.accept().await.expect("accept");
    start(io, Limits::default());
    let answer = client.await.expect("client");
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}
