//! The proxy's main job, seen from outside.

use crate::{
    exeat::{CARD, Exeat, curl, run},
    origin::{Kind, Origin},
};
use serde_json::{Value, json};

fn echo(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn clean_requests_pass_untouched_on_every_pair_of_versions() {
    let exeat = Exeat::start();
    for kind in [Kind::https(), Kind::https_h1(), Kind::http()] {
        let origin = Origin::start(&kind);
        for version in ["--http1.1", "--http2"] {
            let body = json!({ "prompt": "a recipe for 红烧肉, please", "n": 3 }).to_string();
            let out = run(curl(&exeat).args([version, "-H", "content-type: application/json", "-d", &body, &origin.url("/echo?q=1")]));
            let got = echo(&out);
            assert_eq!(got["body"], body);
            assert_eq!(got["target"].as_str().map(|target| target.ends_with("/echo?q=1")), Some(true), "{got}");
        }
    }
    assert!(exeat.events().is_empty(), "clean exchanges leave no record");
}

#[test]
fn a_card_in_json_is_redacted_on_its_way_and_the_answer_says_so() {
    let exeat = Exeat::start();
    let origin = Origin::start(&Kind::https());
    let body = json!({ "messages": [{ "role": "user", "content": format!("charge my visa card {CARD} today") }] }).to_string();
    let out = run(curl(&exeat).args(["-i", "-H", "content-type: application/json", "-d", &body, &origin.url("/echo")]));
    assert!(!origin.has_seen(CARD));
    let seen = origin.seen().remove(0);
    let sent: Value = serde_json::from_slice(&seen.body).expect("still JSON");
    let content = sent["messages"][0]["content"].as_str().expect("text");
    assert!(content.starts_with("charge my visa card [") && content.ends_with("] today"), "{content}");
    let event = exeat.events().remove(0);
    assert_eq!(event["action"], "redact");
    assert!(event["findings"][0]["label"].as_str().expect("label").starts_with("finance.card"), "{event}");
    assert!(out.to_ascii_lowercase().contains(&format!("x-exeat-request: {}", event["id"].as_str().expect("id"))), "{out}");
    assert!(!exeat.log().contains(CARD) && !event.to_string().contains(CARD));
}

#[test]
fn people_can_sign_up_and_sign_in() {
    let exeat = Exeat::start();
    let origin = Origin::start(&Kind::https());
    let form = "name=Li+Wei&email=li.wei%40example.org&phone=13912345678&password=Tr0ub4dor%263x&password_confirm=Tr0ub4dor%263x&terms=on";
    let json = json!({ "email": "anna.schmidt@example.org", "phone": "+49 151 23456789", "password": "Tr0ub4dor&3x" }).to_string();
    for (kind, body, path) in [
        ("application/x-www-form-urlencoded", form, "/echo?signup"),
        ("application/json", json.as_str(), "/echo?register"),
        ("application/x-www-form-urlencoded", "username=li.wei&password=Tr0ub4dor%263x", "/echo?login"),
    ] {
        let content_type = format!("content-type: {kind}");
        let out = run(curl(&exeat).args(["-H", &content_type, "--data-raw", body, &origin.url(path)]));
        assert_eq!(echo(&out)["body"], body, "{path}");
    }
    let actions: Vec<_> = exeat.events().iter().map(|event| event["action"].clone()).collect();
    assert!(actions.iter().all(|action| action == "log"), "{actions:?}");
}

#[test]
fn an_origin_that_has_ipv6_alone_is_reached() {
    let exeat = Exeat::start();
    let origin = Origin::start(&Kind { at: "::1", ..Kind::https() });
    let url = format!("https://[::1]:{}/echo", origin.address.port());
    for version in ["--http1.1", "--http2"] {
        assert_eq!(echo(&run(curl(&exeat).args([version, "-d", "hello", &url])))["body"], "hello");
    }
}

#[test]
fn what_an_origin_spoke_is_offered_to_the_next_client() {
    let exeat = Exeat::start();
    let spoken = |url: &str, version: &str| run(curl(&exeat).args([version, "-o", "/dev/null", "-w", "%{http_version}", url]));
    let (old, new) = (Origin::start(&Kind::https_h1()), Origin::start(&Kind::https()));
    let (old, new) = (old.url("/echo"), new.url("/echo"));
    assert_eq!((spoken(&old, "--http2"), spoken(&new, "--http2")), ("2".to_owned(), "2".to_owned()), "nothing is known yet");
    assert_eq!((spoken(&old, "--http2"), spoken(&new, "--http2")), ("1.1".to_owned(), "2".to_owned()));
    assert_eq!(spoken(&new, "--http1.1"), "1.1");
}

#[test]
fn the_audit_names_every_host_of_a_request_and_finds_it_by_each() {
    let exeat = Exeat::start();
    let origin = Origin::start(&Kind::https());
    let way = format!("origin.test:443:localhost:{}", origin.address.port());
    let body = format!("charge my visa card {CARD} today");
    let sent = ["-H", "content-type: text/plain", "-H", "Host: other.example", "--connect-to", &way, "-d", &body];
    run(curl(&exeat).args(sent).arg("https://origin.test/echo"));
    let event = exeat.events().remove(0);
    assert_eq!((&event["host"], &event["also"]), (&json!("localhost"), &json!(["origin.test", "other.example"])), "{event}");
    for host in ["localhost", "origin.test", "*.example"] {
        let found = exeat.get(&format!("/api/v1/audit/events?host={host}"));
        assert_eq!(found["events"].as_array().map(Vec::len), Some(1), "{host}");
    }
}
