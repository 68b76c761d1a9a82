//! Ways past the guard, and ways to attack it: one test each, named for it.

use crate::{
    exeat::{CARD, Exeat, Setup, curl, run},
    origin::{Certificate, Kind, Origin},
    wire,
};
use std::io::{Read as _, Write as _};

/// Status and whole answer of raw bytes to the proxy.
fn raw(exeat: &Exeat, bytes: &str) -> String {
    let mut stream = wire::connect(exeat);
    stream.write_all(bytes.as_bytes()).expect("sent");
    wire::read_all(&mut stream)
}

#[test]
fn smuggling_by_two_framings_bare_lf_and_folded_headers_gets_400() {
    let exeat = Exeat::start();
    let origin = Origin::start(&Kind::http());
    let port = origin.address.port();
    let host = format!("Host: localhost:{port}");
    for (name, head) in [
        ("both framings", format!("{host}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")),
        ("two lengths", format!("{host}\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nabcd")),
        ("bare LF", format!("{host}\nContent-Length: 0\r\n\r\n")),
        ("folded", format!("{host}\r\nX-A: b\r\n c\r\n\r\n")),
        ("space before colon", format!("{host}\r\nContent-Length : 0\r\n\r\n")),
        ("two hosts", format!("{host}\r\nHost: elsewhere\r\n\r\n")),
    ] {
        let answer = raw(&exeat, &format!("POST http://localhost:{port}/echo HTTP/1.1\r\n{head}"));
        assert!(answer.starts_with("HTTP/1.1 400"), "{name}: {answer}");
    }
    assert!(origin.seen().is_empty());
}

#[test]
fn a_client_hello_split_after_one_byte_is_still_tls() {
    let exeat = Exeat::start();
    let origin = Origin::start(&Kind::https());
    let authority = format!("localhost:{}", origin.address.port());
    let stream = wire::tunnel(&exeat, &authority);
    let mut tls = wire::tls(&exeat, stream, "localhost", &[b"http/1.1"]);
    let mut hello = Vec::new();
    tls.conn.write_tls(&mut hello).expect("a hello");
    for byte in hello {
        tls.sock.write_all(&[byte]).expect("sent");
        tls.sock.flush().expect("sent");
    }
    write!(tls, "POST /echo HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi").expect("sent");
    let answer = wire::read_all(&mut tls);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"body\":\"hi\""), "{answer}");
}

#[test]
fn a_plain_post_inside_a_tunnel_is_read() {
    let exeat = Exeat::start();
    let origin = Origin::start(&Kind::http());
    let authority = format!("localhost:{}", origin.address.port());
    let mut stream = wire::tunnel(&exeat, &authority);
    let body = format!("note=charge my visa card {CARD} today");
    let length = body.len();
    write!(stream, "POST /echo HTTP/1.1\r\nHost: {authority}\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}").expect("sent");
    let answer = wire::read_all(&mut stream);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("x-exeat-request"), "{answer}");
    assert!(!origin.has_seen(CARD) && !origin.seen().is_empty());
}

#[test]
fn a_tunnel_that_carries_something_else_is_closed_and_recorded() {
    let exeat = Exeat::start();
    let origin = Origin::start(&Kind::http());
    let mut stream = wire::tunnel(&exeat, &format!("localhost:{}", origin.address.port()));
    stream.write_all(b"SSH-2.0-OpenSSH_9.6\r\n").expect("sent");
    assert_eq!(wire::read_all(&mut stream), "");
    let event = exeat.events().remove(0);
    assert_eq!((event["action"].as_str(), event["gaps"][0].as_str()), (Some("block"), Some("opaque_tunnel")), "{event}");
}

#[test]
fn a_card_does_not_pass_in_any_coding_place_or_dress() {
    let exeat = Exeat::start();
    let origin = Origin::start(&Kind::https());
    let url = origin.url("/echo");
    let text = format!("please charge my visa card {CARD} today");
    let escaped: String = text.chars().map(|character| format!("\\u{:04x}", character as u32)).collect();
    let wide: String =
        text.chars().map(|c| if c.is_ascii_digit() { char::from_u32(c as u32 + 0xFEE0).expect("full width") } else { c }).collect();
    let spread = text.replace(CARD, &CARD.chars().map(|c| format!("{c}\u{200b}")).collect::<String>());
    let query = format!("{url}?q={}", text.replace(' ', "%20"));
    let json = format!("{{\"a\":[{{\"b\":\"{escaped}\"}}]}}");
    let form = format!("a=1&note={}", text.replace(' ', "+"));
    let (kind_json, kind_text) = ("content-type: application/json", "content-type: text/plain; charset=utf-8");
    for arguments in [
        vec!["-H", kind_json, "-d", &json],
        vec!["-d", &form],
        vec!["-F", &format!("file=note: {text}")],
        vec!["-H", kind_text, "-d", &wide],
        vec!["-H", kind_text, "-d", &spread],
        vec!["-H", "content-type: application/octet-stream", "-d", &text],
        vec!["-H", "content-type: application/xml", "-d", &format!("<a><b>{}</b></a>", text.replace('4', "&#52;"))],
        vec!["-G"],
    ] {
        let target = if arguments == ["-G"] { &query } else { &url };
        run(curl(&exeat).args(&arguments).arg(target));
        let last = origin.seen().pop();
        let digits: String = last
            .iter()
            .flat_map(|seen| String::from_utf8_lossy(&seen.body).chars().collect::<Vec<_>>())
            .filter(char::is_ascii_digit)
            .collect();
        assert!(!origin.has_seen(CARD) && !digits.contains("4539578763621486"), "{arguments:?}: {last:?}");
    }
    assert_eq!(exeat.events().len(), 8);
}

#[test]
fn an_encoding_that_nobody_knows_is_blocked() {
    let exeat = Exeat::start();
    let origin = Origin::start(&Kind::https());
    let out = run(curl(&exeat).args([
        "-H",
        "content-encoding: x-rot13",
        "-d",
        "uryyb",
        "-w",
        "%{http_code}",
        "-o",
        "/dev/null",
        &origin.url("/echo"),
    ]));
    assert_eq!(out, "403");
    assert!(origin.seen().is_empty());
}

#[test]
fn a_signed_body_is_blocked_rather_than_broken() {
    let exeat = Exeat::start();
    let origin = Origin::start(&Kind::https());
    let body = format!("{{\"note\":\"charge my visa card {CARD} today\"}}");
    let sent = ["-H", "content-type: application/json", "-H", "content-digest: sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"];
    let out = run(curl(&exeat).args(sent).args(["-w", "\n%{http_code}", "-d", &body, &origin.url("/echo")]));
    assert!(out.ends_with("403") && out.contains("signed"), "{out}");
    assert!(origin.seen().is_empty());
}

#[test]
fn private_destinations_and_the_admin_port_are_out_of_reach() {
    let origin = Origin::start(&Kind::http());
    let closed = Exeat::start_with(&Setup { config: "[upstream]\nextra_roots = [\"origin-ca.pem\"]\n", ..Setup::default() });
    let port = origin.address.port();
    for host in ["localhost", "127.0.0.1", "[::ffff:127.0.0.1]", "0.0.0.0", "169.254.169.254", "[::1]"] {
        let answer = raw(&closed, &format!("GET http://{host}:{port}/ HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"));
        assert!(answer.starts_with("HTTP/1.1 403"), "{host}: {answer}");
    }
    assert!(origin.seen().is_empty());
    // Allowed private networks do not open the admin port.
    let open = Exeat::start();
    let admin = open.admin.port();
    for host in ["127.0.0.1", "localhost", "127.0.0.2"] {
        let answer =
            raw(&open, &format!("GET http://{host}:{admin}/healthz HTTP/1.1\r\nHost: {host}:{admin}\r\nConnection: close\r\n\r\n"));
        assert!(!answer.starts_with("HTTP/1.1 200"), "{host}: {answer}");
    }
}

#[test]
fn a_bad_certificate_is_shown_as_our_page_and_nothing_is_sent() {
    let exeat = Exeat::start();
    for certificate in [Certificate::Expired, Certificate::WrongName, Certificate::SelfSigned] {
        let origin = Origin::start(&Kind::bad(certificate));
        let out = run(curl(&exeat).args(["-d", "hello", "-w", "\n%{http_code}", &origin.url("/echo")]));
        assert!(out.ends_with("502") && out.to_lowercase().contains("certificate"), "{certificate:?}: {out}");
        assert!(origin.seen().is_empty());
    }
}

#[test]
fn policy_sees_every_name_of_the_destination() {
    let policy = "[[rule]]\nname = \"closed\"\nwhen = { host = [\"fronted.example\"] }\naction = \"block\"\n";
    let exeat = Exeat::start_with(&Setup { policy: Some(policy), ..Setup::default() });
    let origin = Origin::start(&Kind::https());
    let out = run(curl(&exeat).args(["-H", "Host: fronted.example", "-w", "%{http_code}", "-o", "/dev/null", &origin.url("/echo")]));
    assert_eq!(out, "403");
    assert!(origin.seen().is_empty());
}

#[test]
fn a_large_upload_is_read_as_it_streams_and_never_completes_when_refused() {
    let exeat = Exeat::start_with(&Setup { config: "[inspect]\nmax_memory_bytes = 1048576\n", ..Setup::default() });
    let origin = Origin::start(&Kind::https_h1());
    let (clean, dirty) = (exeat.path("clean.txt"), exeat.path("dirty.txt"));
    let prose = "the quick brown fox jumps over the lazy dog\n".repeat(100_000);
    std::fs::write(&clean, &prose).expect("written");
    std::fs::write(&dirty, format!("{prose}please charge my visa card {CARD} today\n{prose}")).expect("written");
    let send = |file: &std::path::Path| {
        let data = format!("@{}", file.display());
        run(curl(&exeat).args([
            "-H",
            "content-type: text/plain",
            "-H",
            "expect:",
            "--data-binary",
            &data,
            "-w",
            "%{http_code}",
            "-o",
            "/dev/null",
            &origin.url("/echo"),
        ]))
    };
    assert_eq!(send(&clean), "200");
    assert_eq!(origin.seen()[0].body.len(), prose.len());
    assert_eq!(send(&dirty), "403");
    assert!(!origin.has_seen(CARD));
    assert!(origin.seen().iter().skip(1).all(|seen| !seen.complete));
}

#[test]
fn proxy_authentication_asks_and_the_user_is_recorded() {
    let hash = "$argon2id$v=19$m=4096,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$jPEIvBH0HtXBmgdy4Jb9h+vAOx3GiGrJLLDT2fWcNxk";
    let users = format!("anna:{hash}\n");
    let exeat = Exeat::start_with(&Setup { config: "[proxy]\nauth_file = \"users\"\n", files: &[("users", &users)], ..Setup::default() });
    let origin = Origin::start(&Kind::http());
    let port = origin.address.port();
    let answer = raw(&exeat, &format!("GET http://localhost:{port}/ HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n"));
    assert!(answer.starts_with("HTTP/1.1 407") && answer.to_ascii_lowercase().contains("proxy-authenticate: basic"), "{answer}");
    assert!(origin.seen().is_empty());
}

#[test]
fn server_sent_events_arrive_at_once_and_alt_svc_is_stripped() {
    let exeat = Exeat::start();
    let origin = Origin::start(&Kind::https());
    let authority = format!("localhost:{}", origin.address.port());
    let mut tls = wire::tls(&exeat, wire::tunnel(&exeat, &authority), "localhost", &[b"http/1.1"]);
    write!(tls, "GET /events HTTP/1.1\r\nHost: {authority}\r\n\r\n").expect("sent");
    let head = wire::read_head(&mut tls);
    assert!(head.contains("text/event-stream"), "{head}");
    let mut first = [0; 64];
    let count = tls.read(&mut first).expect("the first event, while the answer is still open");
    assert!(count > 0);
    let out = run(curl(&exeat).args(["-i", &origin.url("/altsvc")]));
    assert!(!out.to_ascii_lowercase().contains("alt-svc"), "{out}");
}

#[test]
fn sigterm_drains_and_exits_0_and_no_record_is_lost_to_sigkill() {
    let mut exeat = Exeat::start();
    let origin = Origin::start(&Kind::https());
    let body = format!("charge my visa card {CARD} today");
    run(curl(&exeat).args(["-H", "content-type: text/plain", "-d", &body, &origin.url("/echo")]));
    assert!(!exeat.signal("-KILL").success());
    let state = exeat.path("state");
    let out = run(std::process::Command::new(env!("CARGO_BIN_EXE_exeat")).args(["audit", "export", "--state"]).arg(&state));
    assert!(out.contains("\"redact\""), "{out}");
    let verified = run(std::process::Command::new(env!("CARGO_BIN_EXE_exeat")).args(["audit", "verify", "--state"]).arg(&state));
    assert!(verified.starts_with("intact"), "{verified}");
    let mut other = Exeat::start();
    assert_eq!(other.signal("-TERM").code(), Some(0));
    assert!(!other.path("state/ready").exists());
}
