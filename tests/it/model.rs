//! The model at work in the proxy: what it finds, where it does less, and what it costs.

use crate::{
    exeat::{Exeat, Setup, curl, run},
    origin::{Kind, Origin},
};
use serde_json::{Value, json};

const NAME: &str = "Margaret Okafor";

/// A chat message that holds a name and nothing that a rule knows.
fn message(more: &str) -> String {
    json!({ "messages": [{ "role": "user", "content": format!("Please ask {NAME} whether she can sign the lease before Friday. {more}") }] })
        .to_string()
}

fn post(exeat: &Exeat, url: &str, body: &str) -> String {
    run(curl(exeat).args(["-H", "content-type: application/json", "-d", body, url]))
}

/// The value of a metric.
fn metric(exeat: &Exeat, name: &str) -> u64 {
    let token = std::fs::read_to_string(exeat.path("state/admin.token")).expect("a token");
    let (status, body) = exeat.admin_request(&format!("GET /metrics HTTP/1.1\r\nAuthorization: Bearer {}\r\n", token.trim()), "");
    assert_eq!(status, 200);
    let line = body.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name}: {body}"));
    line.rsplit(' ').next().and_then(|value| value.parse().ok()).expect("a number")
}

const BLOCK_NAMES: &str = "[[rule]]\nname = \"no names\"\nwhen = { label = [\"personal.name\"] }\naction = \"block\"\n";

#[test]
fn a_name_in_prose_is_recorded_and_the_message_passes_untouched() {
    let exeat = Exeat::start();
    let origin = Origin::start(&Kind::https());
    let body = message("");
    post(&exeat, &origin.url("/echo"), &body);
    assert_eq!(origin.seen().remove(0).body, body.as_bytes());
    let event = exeat.events().remove(0);
    assert_eq!(event["action"], "log");
    let found: Vec<_> = event["findings"].as_array().expect("findings").iter().map(|found| &found["label"]).collect();
    assert!(found.contains(&&json!("personal.name")), "{event}");
    assert!(!event.to_string().contains("Okafor") && !exeat.log().contains("Okafor"));
}

#[test]
fn a_conversation_that_is_sent_again_is_known() {
    let exeat = Exeat::start();
    let origin = Origin::start(&Kind::https());
    let turns = "We met at the office by the river and talked about the plan for the next quarter. ".repeat(30);
    post(&exeat, &origin.url("/echo"), &message(&turns));
    let first = metric(&exeat, "exeat_model_windows_total{result=\"read\"}");
    assert!(first > 3, "{first}");
    post(&exeat, &origin.url("/echo"), &message(&format!("{turns}And one more thing for Samuel.")));
    assert!(metric(&exeat, "exeat_model_windows_total{result=\"read\"}") - first <= 2);
    assert!(metric(&exeat, "exeat_model_windows_total{result=\"known\"}") >= first - 1);
}

#[test]
fn policy_says_where_the_model_only_observes_or_does_not_read() {
    for (more, blocked, recorded) in [
        ("", true, true),
        ("[model]\nobserve = [\"127.0.0.1\", \"localhost\"]\n", false, true),
        ("[model]\noff = [\"127.0.0.1\", \"localhost\"]\n", false, false),
    ] {
        let exeat = Exeat::start_with(&Setup { policy: Some(&format!("{BLOCK_NAMES}{more}")), ..Setup::default() });
        let origin = Origin::start(&Kind::https());
        post(&exeat, &origin.url("/echo"), &message(""));
        assert_eq!(origin.seen().is_empty(), blocked, "{more}");
        assert_eq!(!exeat.events().is_empty(), recorded, "{more}");
    }
}

#[test]
fn a_dry_run_names_the_words_that_carried_a_finding() {
    let exeat = Exeat::start();
    let token = std::fs::read_to_string(exeat.path("state/admin.token")).expect("a token");
    let text = format!("Please ask {NAME} whether she can sign the lease before Friday.");
    let head = format!("POST /api/v1/inspect HTTP/1.1\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n", token.trim());
    let (status, body) = exeat.admin_request(&head, &json!({ "text": text }).to_string());
    assert_eq!(status, 200, "{body}");
    let report: Value = serde_json::from_str(&body).expect("JSON");
    let found = report["findings"].as_array().expect("findings").iter().find(|found| found["label"] == "personal.name").expect("a name");
    assert_eq!((&found["evidence"], &found["detector"]), (&json!("model"), &json!("model")));
    let span = |value: &Value| {
        let at = |key: &str| usize::try_from(value[key].as_u64().expect("an offset")).expect("small");
        text[at("start")..at("end")].to_owned()
    };
    assert_eq!(span(found), NAME);
    for carried in found["carried"].as_array().expect("words") {
        assert!(!NAME.contains(&span(carried)) && carried["share"].as_f64().is_some_and(|share| share > 0.0 && share <= 1.0), "{carried}");
    }
}
