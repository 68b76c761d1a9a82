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
