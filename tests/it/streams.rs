//! Requests that do not end before their answer begins, hints before an answer, and what a reload changes.

use crate::{
    exeat::{CARD, Exeat, Setup, curl, run},
    origin::{Kind, Origin},
    wire,
};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::{
    body::{Frame, Incoming},
    client::conn::http2,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::{
    convert::Infallible,
    io::{Read as _, Write as _},
    net::TcpListener,
    process::Command,
    sync::Arc,
    thread,
    time::Duration,
};
use tokio::{net::TcpStream, sync::mpsc};

/// A request on h2 through the proxy whose body is written piece by piece.
struct Talk {
    pieces: Option<mpsc::Sender<Result<Frame<Bytes>, Infallible>>>,
    response: Response<Incoming>,
}

impl Talk {
    /// Opens `path` with a first piece, and waits for the head of the answer: the body is still open then.
    async fn open(exeat: &Exeat, origin: &Origin, path: &str, kind: &str, first: &'static [u8]) -> Self {
        let authority = format!("localhost:{}", origin.address.port());
        let tunnel = wire::tunnel(exeat, &authority);
        tunnel.set_nonblocking(true).expect("set");
        let tls = tokio_rustls::TlsConnector::from(Arc::new(wire::client_config(exeat, &[b"h2"])));
        let name = "localhost".try_into().expect("a name");
        let tls = tls.connect(name, TcpStream::from_std(tunnel).expect("async")).await.expect("TLS");
        let (mut sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(tls)).await.expect("h2");
        tokio::spawn(connection);
        let (pieces, body) = mpsc::channel(8);
        pieces.send(Ok(Frame::data(Bytes::from_static(first)))).await.expect("open");
        let body = StreamBody::new(futures_util::stream::unfold(body, |mut body| async { Some((body.recv().await?, body)) }));
        let request =
            Request::post(format!("https://{authority}{path}")).header("content-type", kind).body(Box::pin(body)).expect("a request");
        let response =
            tokio::time::timeout(Duration::from_secs(20), sender.send_request(request)).await.expect("in time").expect("an answer");
        Self { pieces: Some(pieces), response }
    }

    async fn say(&self, bytes: Bytes) {
        let _ = self.pieces.as_ref().expect("open").send(Ok(Frame::data(bytes))).await;
    }

    /// The next piece of the answer; `None` at its end or when it breaks off.
    async fn hear(&mut self) -> Option<Frame<Bytes>> {
        let frame = tokio::time::timeout(Duration::from_secs(20), self.response.body_mut().frame()).await.expect("in time");
        frame?.ok()
    }

    async fn hear_bytes(&mut self) -> Option<Bytes> {
        self.hear().await?.into_data().ok()
    }
}

fn grpc(message: &str) -> Bytes {
    let mut bytes = vec![0];
    bytes.extend_from_slice(&u32::try_from(message.len()).expect("short").to_be_bytes());
    bytes.extend_from_slice(message.as_bytes());
    bytes.into()
}

/// Runs the client's side; what starts processes and runtimes stays outside.
fn talking(client: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("runtime").block_on(client);
}

#[test]
fn two_sides_talk_over_one_request_and_a_card_ends_it() {
    let exeat = Exeat::start();
    let origin = Origin::start(&Kind::https());
    talking(async {
        let mut talk = Talk::open(&exeat, &origin, "/talk", "application/octet-stream", b"hello").await;
        assert_eq!(talk.hear_bytes().await.as_deref(), Some(&b"hello"[..]), "the answer comes while the request is open");
        talk.say("你好".into()).await;
        assert_eq!(talk.hear_bytes().await.as_deref(), Some("你好".as_bytes()));
        talk.say(format!("charge my visa card {CARD} today").into()).await;
        assert!(talk.hear().await.is_none(), "cut");
    });
    let actions: Vec<_> = exeat.events().iter().map(|event| event["action"].clone()).collect();
    assert_eq!(actions, ["block"]);
}

#[test]
fn grpc_messages_are_read_one_by_one_and_refused_with_a_status() {
    let exeat = Exeat::start();
    let origin = Origin::start(&Kind::https());
    talking(async {
        let first: &'static [u8] = Box::leak(grpc("first").to_vec().into_boxed_slice());
        let mut talk = Talk::open(&exeat, &origin, "/talk", "application/grpc", first).await;
        assert_eq!(talk.hear_bytes().await, Some(grpc("first")));
        talk.say(grpc("second")).await;
        assert_eq!(talk.hear_bytes().await, Some(grpc("second")));
        talk.say(grpc(&format!("charge my visa card {CARD} today"))).await;
        let trailers = talk.hear().await.expect("a frame").into_trailers().expect("trailers");
        assert_eq!(trailers["grpc-status"], "7");
    });
    assert_eq!(exeat.events()[0]["action"], "block");
}

#[test]
fn early_hints_pass_before_the_answer() {
    let exeat = Exeat::start();
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let port = listener.local_addr().expect("address").port();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        wire::read_head(&mut stream);
        stream.write_all(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n").expect("sent");
        // The answer waits for the client to have the hint: it asks for it by closing its side.
        let _ = stream.read(&mut [0; 1]);
    });
    let mut client = wire::connect(&exeat);
    write!(client, "GET http://localhost:{port}/ HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n").expect("sent");
    let hint = wire::read_head(&mut client).to_ascii_lowercase();
    assert!(hint.starts_with("http/1.1 103 ") && hint.contains("link: </a.css>; rel=preload"), "{hint}");
}

#[test]
fn the_origin_is_told_the_name_that_the_client_asks_for_and_connect_decides_where() {
    let exeat = Exeat::start();
    let origin = Origin::start(&Kind::https());
    let port = origin.address.port();
    for version in ["--http1.1", "--http2"] {
        let way = format!("origin.test:443:localhost:{port}");
        run(curl(&exeat).args([version, "--connect-to", &way, "https://origin.test/echo"]));
        let seen = origin.seen().pop().expect("a request");
        let host = seen.headers.get("host").map(|host| host.to_str().expect("text").to_owned());
        let authority = seen.target.parse::<http::Uri>().ok().and_then(|uri| uri.authority().map(ToString::to_string));
        assert_eq!(authority.or(host).as_deref(), Some("origin.test"), "{version}: {seen:?}");
    }
}

#[test]
fn a_bypassed_tunnel_is_passed_on_and_another_name_inside_it_is_read() {
    let config = "[tls]\nbypass = [\"localhost\"]\n";
    let exeat = Exeat::start_with(&Setup { config, ..Setup::default() });
    let origin = Origin::start(&Kind::https());
    let body = format!("charge my visa card {CARD} today");
    let own = exeat.path("origin-ca.pem");
    run(Command::new("curl").args(["-sS", "-x", &exeat.proxy_url(), "--cacert"]).arg(own).args(["-d", &body, &origin.url("/echo")]));
    assert!(origin.has_seen(CARD), "passed on unread, under the origin's own certificate");
    let before = origin.seen().len();
    let way = format!("origin.test:443:localhost:{}", origin.address.port());
    run(curl(&exeat).args(["-H", "content-type: text/plain", "--connect-to", &way, "-d", &body, "https://origin.test/echo"]));
    let seen = origin.seen().split_off(before);
    assert!(seen.iter().all(|seen| !seen.body.windows(4).any(|four| four == b"4539")), "{seen:?}");
    let actions: Vec<_> = exeat.events().iter().map(|event| event["action"].clone()).collect();
    assert_eq!(actions, ["redact", "bypass"]);
}

#[test]
fn policy_is_reloaded_and_a_wrong_one_leaves_the_old_in_force() {
    let allow = "[[rule]]\nname = \"watch\"\nwhen = { confidence = 0.5 }\naction = \"log\"\n";
    let exeat = Exeat::start_with(&Setup { policy: Some(allow), ..Setup::default() });
    let origin = Origin::start(&Kind::https());
    let status = || run(curl(&exeat).args(["-o", "/dev/null", "-w", "%{http_code}", "-d", "hello", &origin.url("/echo")]));
    let reload = |policy: &str, told: &str| {
        std::fs::write(exeat.path("policy.toml"), policy).expect("written");
        run(Command::new("kill").args(["-HUP", &exeat.pid().to_string()]));
        let since = std::time::Instant::now();
        while !exeat.log().contains(told) {
            assert!(since.elapsed() < Duration::from_secs(20), "{}", exeat.log());
            thread::yield_now();
        }
    };
    assert_eq!(status(), "200");
    reload("[[rule]]\nname = \"closed\"\nwhen = { host = [\"localhost\"] }\naction = \"block\"\n", "rules and policy reloaded");
    assert_eq!(status(), "403");
    reload("[[rule]]\nname = \"broken\"\nacton = \"block\"\n", "the old rules and policy stay in force");
    assert_eq!(status(), "403");
}

#[test]
fn the_allow_list_holds_for_requests_and_is_reloaded() {
    let none = ("allow.toml", "# nothing yet\n");
    let exeat = Exeat::start_with(&Setup { config: "[policy]\nallow = \"allow.toml\"\n", files: &[none], ..Setup::default() });
    let origin = Origin::start(&Kind::https());
    let body = format!("charge my visa card {CARD} today");
    let send = || run(curl(&exeat).args(["-o", "/dev/null", "-H", "content-type: text/plain", "-d", &body, &origin.url("/echo")]));
    send();
    assert!(!origin.has_seen(CARD));
    std::fs::write(exeat.path("allow.toml"), format!("[[allow]]\nname = \"our sample card\"\nvalues = [\"{CARD}\"]\n")).expect("written");
    run(Command::new("kill").args(["-HUP", &exeat.pid().to_string()]));
    let since = std::time::Instant::now();
    while !exeat.log().contains("rules and policy reloaded") {
        assert!(since.elapsed() < Duration::from_secs(20), "{}", exeat.log());
        thread::yield_now();
    }
    send();
    assert!(origin.has_seen(CARD), "what the company allows passes untouched");
}

#[test]
fn what_policy_lets_pass_unread_passes_also_as_a_stream() {
    let policy = "[[rule]]\nname = \"watch\"\nwhen = { confidence = 0.5 }\naction = \"log\"\n[gaps]\nunknown_encoding = \"log\"\n";
    let config = "[inspect]\nmax_memory_bytes = 65536\n";
    let exeat = Exeat::start_with(&Setup { policy: Some(policy), config, ..Setup::default() });
    let origin = Origin::start(&Kind::https());
    let file = exeat.path("large.bin");
    std::fs::write(&file, "uryyb jbeyq ".repeat(20_000)).expect("written");
    let data = format!("@{}", file.display());
    let sent = ["-H", "content-encoding: x-rot13", "-H", "expect:", "-o", "/dev/null", "-w", "%{http_code}", "--data-binary"];
    assert_eq!(run(curl(&exeat).args(sent).args([&data, &origin.url("/echo")])), "200");
    assert_eq!(origin.seen()[0].body.len(), 240_000);
    let event = exeat.events().remove(0);
    assert_eq!((event["action"].as_str(), event["gaps"][0].as_str()), (Some("log"), Some("unknown_encoding")), "{event}");
}

#[test]
fn a_stream_leaves_one_record_that_grows() {
    let exeat = Exeat::start_with(&Setup { config: "[inspect]\nmax_memory_bytes = 65536\nmodel = \"off\"\n", ..Setup::default() });
    let origin = Origin::start(&Kind::https_h1());
    let prose = "the quick brown fox jumps over the lazy dog\n".repeat(40_000);
    let body = format!("write to li.wei@example.org\n{prose}or to anna.schmidt@example.org\n{prose}");
    let send = |body: &str, query: &str| {
        let file = exeat.path("upload.txt");
        std::fs::write(&file, body).expect("written");
        let data = format!("@{}", file.display());
        let sent = ["-H", "content-type: text/plain", "-H", "expect:", "-o", "/dev/null", "-w", "%{http_code}", "--data-binary"];
        run(curl(&exeat).args(sent).args([&data, &origin.url(&format!("/echo?{query}"))]))
    };
    assert_eq!(send(&body, "to=hr%40example.org"), "200");
    let events = exeat.events();
    assert_eq!(events.len(), 1, "{events:?}");
    let places: Vec<_> = events[0]["findings"].as_array().expect("findings").iter().map(|found| found["place"].as_str()).collect();
    assert_eq!(places, [Some("url"), Some("body"), Some("body")]);
    assert_eq!((events[0]["action"].as_str(), events[0]["bytes"].as_u64()), (Some("log"), Some(body.len() as u64)));

    assert_eq!(send(&format!("{body}charge my visa card {CARD} today\n{prose}"), ""), "403");
    let events = exeat.events();
    assert_eq!((events.len(), events[0]["action"].as_str()), (2, Some("block")));
    assert_eq!(events[0]["findings"].as_array().map(Vec::len), Some(3));
    let chain = exeat.get("/api/v1/audit/verify");
    assert_eq!((&chain["intact"], &chain["events"]), (&true.into(), &2.into()), "{chain}");
    assert!(chain["notes"].as_u64() >= Some(3), "the earlier versions are in the chain: {chain}");
}

#[test]
fn a_token_is_a_sign_in_in_its_own_field_and_a_leak_in_a_message() {
    let exeat = Exeat::start();
    let origin = Origin::start(&Kind::https());
    let token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI4MTQ3MjA1NiIsIm5hbWUiOiJMaSBMZWkiLCJpYXQiOjE3NjAwMDAwMDB9.Qk3vZ0mXyT1sLwR8uJpNe5HcAoB7dGfKqI2tVxWzM4E";
    let post = |body: String| {
        run(curl(&exeat).args(["-H", "content-type: application/json", "-d", &body, &origin.url("/echo")]));
        String::from_utf8_lossy(&origin.seen().pop().expect("a request").body).contains(token)
    };
    assert!(post(format!("{{\"id_token\":\"{token}\"}}")), "an app signs in");
    assert!(!post(format!("{{\"messages\":[{{\"role\":\"user\",\"content\":\"{token}\"}}]}}")), "pasted as a whole message");
    assert!(!post(format!("{{\"messages\":[{{\"role\":\"user\",\"content\":\"why is {token} refused?\"}}]}}")));
}

#[test]
fn an_app_may_prove_itself_at_a_token_endpoint() {
    let exeat = Exeat::start();
    let origin = Origin::start(&Kind::https());
    let secret = "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";
    run(curl(&exeat).args(["-d", &format!("grant_type=refresh_token&client_id=a&client_secret={secret}"), &origin.url("/token")]));
    assert!(origin.has_seen(secret));
    let before = origin.seen().len();
    run(curl(&exeat).args(["-d", &format!("note=use {secret} for the demo"), &origin.url("/post")]));
    assert!(!String::from_utf8_lossy(&origin.seen()[before].body).contains(secret));
}

#[test]
fn a_file_that_unpacks_to_more_than_fits_a_message_passes_and_a_bomb_does_not() {
    let exeat = Exeat::start_with(&Setup { config: "[inspect]\nmax_memory_bytes = 65536\nmodel = \"off\"\n", ..Setup::default() });
    let origin = Origin::start(&Kind::https());
    let send = |text: &str| {
        let file = exeat.path("sheet.gz");
        let mut packed = flate2::write::GzEncoder::new(std::fs::File::create(&file).expect("made"), flate2::Compression::best());
        packed.write_all(text.as_bytes()).expect("written");
        packed.finish().expect("whole");
        let data = format!("@{}", file.display());
        let sent =
            ["-H", "content-encoding: gzip", "-H", "content-type: text/csv", "-o", "/dev/null", "-w", "%{http_code}", "--data-binary"];
        run(curl(&exeat).args(sent).args([&data, &origin.url("/echo")]))
    };
    let row = "oats,barley,rye,wheat\n";
    assert_eq!(send(&row.repeat(10_000)), "200");
    assert_eq!(send(&format!("{}{CARD}\n", row.repeat(10_000))), "200");
    assert_eq!(origin.seen().len(), 2);
    let event = exeat.events().remove(0);
    assert_eq!((event["action"].as_str(), event["gaps"].as_array().map(Vec::len)), (Some("redact"), Some(0)), "{event}");
    assert_eq!(send(&row.repeat(100_000)), "403", "35 times its place");
}
