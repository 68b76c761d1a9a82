//! The router from outside: every route, with and without a token, right and wrong.

use super::{access::Access, router, routes, status::OPENAPI, *};
use crate::{
    audit::{Entry, Id, Outcome, Record, Role},
    detect::Detectors,
    inspect::{Limits, Readers},
    knowledge::{
        build::{NewDocument, PackBuilder, Reading},
        seal::{self, Key, SigningKey},
        signer::Signers,
    },
    policy::Policy,
    redact::DigestKey,
};
use axum::{
    Extension,
    body::Body,
    extract::ConnectInfo,
    http::{Request, Response},
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, net::IpAddr, time::Duration};
use tower::ServiceExt as _;

struct Server {
    router: Router,
    store: Store,
    token: String,
    viewer: String,
    ready: Arc<AtomicBool>,
    dir: tempfile::TempDir,
}

impl Server {
    async fn start() -> Self {
        Self::listening("127.0.0.1:8080", "127.0.0.1:8081").await
    }

    async fn listening(proxy: &str, admin: &str) -> Self {
        let dir = tempfile::tempdir().expect("dir");
        let store = Store::open(&dir.path().join("audit.db"), &[7; 32], None).expect("store");
        let tokens = Tokens::open(&dir.path().join("admin.token"), store.clone()).expect("tokens");
        let (_, viewer) = tokens.create("siem", Role::Viewer, "admin.token").await.expect("token");
        let limits = Limits { max_bytes: 1 << 20, deadline: Duration::from_secs(30), tokens: 8192 };
        let detectors = Detectors::embedded().expect("rules");
        let desk = Arc::new(Desk::open(dir.path().join("dismissed.json")).expect("none yet"));
        let inspector = Inspector::new(Readers::new(Arc::new(detectors)), Policy::embedded(), DigestKey::new([9; 32]), limits);
        let inspector = inspector.without(desk.dismissed());
        let ready = Arc::new(AtomicBool::new(true));
        let state = AdminState {
            store: store.clone(),
            tokens,
            inspector: Arc::new(ArcSwap::from_pointee(inspector)),
            metrics: Arc::default(),
            ready: Arc::clone(&ready),
            ca_pem: "-----BEGIN CERTIFICATE-----\n".into(),
            ca_der: Bytes::from_static(&[0x30, 0x82]),
            ca_fingerprint: "AB:CD".to_owned(),
            proxy: proxy.parse().expect("address"),
            admin: admin.parse().expect("address"),
            names: vec!["exeat.corp.example".to_owned()],
            shelf: Shelf::new(dir.path().join("knowledge")),
            keyring: Box::new(|| Ok(Keyring { key: pack_key(), signers: Signers::new(vec![own_signing().signer()]) })),
            desk,
        };
        let token = std::fs::read_to_string(dir.path().join("admin.token")).expect("token").trim().to_owned();
        Self { router: router(state), store, token, viewer, ready, dir }
    }

    async fn send_from(&self, client: &str, request: Request<Body>) -> Response<Body> {
        let client: SocketAddr = client.parse().expect("address");
        self.router.clone().layer(Extension(ConnectInfo(client))).oneshot(request).await.expect("answer")
    }

    async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.send_from("10.0.0.9:5000", request).await
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        let response = self.send(with_token(&self.token, "GET", path, Body::empty())).await;
        (response.status(), json_of(response).await)
    }

    async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let response = self.send(with_token(&self.token, "POST", path, Body::from(body.to_string()))).await;
        (response.status(), json_of(response).await)
    }

    /// An event with findings of these labels and digests.
    async fn found(&self, host: &str, findings: &[(&str, &str)]) -> Id {
        let mut record = Record::unread(Id::new(), IpAddr::from([10, 0, 0, 1]), None, "POST", host, Outcome::Log);
        let entry = |(label, digest): &(&str, &str)| Entry {
            label: (*label).to_owned(),
            detector: "test".to_owned(),
            confidence: 0.9,
            place: "body".to_owned(),
            digest: (*digest).to_owned(),
            trace: None,
        };
        record.findings = findings.iter().map(entry).collect();
        self.store.append(&record).await.expect("append");
        record.id
    }

    async fn record(&self, host: &str, action: Outcome, labels: &[&str]) -> Id {
        let mut record = Record::unread(Id::new(), IpAddr::from([10, 0, 0, 1]), Some("li.wei"), "POST", host, action);
        record.findings = labels
            .iter()
            .map(|label| Entry {
                label: (*label).to_owned(),
                detector: "test".to_owned(),
                confidence: 0.9,
                place: "$.text".to_owned(),
                digest: "00".repeat(16),
                trace: None,
            })
            .collect();
        self.store.append(&record).await.expect("append");
        record.id
    }
}

fn pack_key() -> Key {
    Key::parse(&"5a".repeat(32)).expect("a key")
}

/// Of the one signer whose packs are taken; published in RFC 8410, section 10.3.
fn own_signing() -> SigningKey {
    SigningKey::parse("302e020100300506032b657004220420d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842").expect("a key")
}

fn plain(method: &str, path: &str) -> Request<Body> {
    Request::builder().method(method).uri(path).header("host", "127.0.0.1:8081").body(Body::empty()).expect("request")
}

fn with_token(token: &str, method: &str, path: &str, body: Body) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", "127.0.0.1:8081")
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .body(body)
        .expect("request")
}

async fn bytes_of(response: Response<Body>) -> Bytes {
    axum::body::to_bytes(response.into_body(), 16 << 20).await.expect("body")
}

async fn text_of(response: Response<Body>) -> String {
    String::from_utf8(bytes_of(response).await.to_vec()).expect("text")
}

async fn json_of(response: Response<Body>) -> Value {
    serde_json::from_slice(&bytes_of(response).await).unwrap_or(Value::Null)
}

fn ids(page: &Value) -> Vec<&str> {
    page["events"].as_array().expect("events").iter().map(|event| event["id"].as_str().expect("id")).collect()
}

#[test]
fn the_description_has_every_route_and_no_other() {
    let described: Value = serde_json::from_str(OPENAPI).expect("json");
    let described: BTreeSet<String> = described["paths"]
        .as_object()
        .expect("paths")
        .iter()
        .flat_map(|(path, methods)| {
            methods.as_object().expect("methods").keys().map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect();
    let routed: BTreeSet<String> = routes().iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    assert_eq!(described, routed);
}

#[test]
fn the_description_says_which_routes_need_a_token() {
    let described: Value = serde_json::from_str(OPENAPI).expect("json");
    for route in routes() {
        let open = described["paths"][route.path][route.method.as_str().to_lowercase()]["security"] == json!([]);
        assert_eq!(open, matches!(route.access, Access::Public | Access::Page), "{} {}", route.method, route.path);
    }
}

#[tokio::test]
async fn every_route_asks_for_the_token_that_its_table_names() {
    let server = Server::start().await;
    for route in routes() {
        let path = route.path.replace("{id}", "0198c2f0-1111-7222-8333-444455556666");
        let name = format!("{} {path}", route.method);
        let without = server.send(plain(route.method.as_str(), &path)).await.status();
        let wrong = server.send_from("10.9.9.9:1", with_token("wrong", route.method.as_str(), &path, Body::empty())).await.status();
        let viewer = server.send(with_token(&server.viewer, route.method.as_str(), &path, Body::empty())).await.status();
        match route.access {
            Access::Public | Access::Page => {
                assert_eq!((without, wrong, viewer), (StatusCode::OK, StatusCode::OK, StatusCode::OK), "{name}")
            }
            Access::Metrics | Access::Viewer => {
                assert_eq!(without, StatusCode::UNAUTHORIZED, "{name}");
                assert!(matches!(wrong, StatusCode::UNAUTHORIZED | StatusCode::TOO_MANY_REQUESTS), "{name}");
                assert!(!matches!(viewer, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN), "{name}");
            }
            Access::Admin => assert_eq!((without, viewer), (StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN), "{name}"),
        }
    }
}

#[tokio::test]
async fn metrics_are_open_to_this_machine_only() {
    let server = Server::start().await;
    let local = server.send_from("127.0.0.1:5000", plain("GET", "/metrics")).await;
    assert_eq!(local.status(), StatusCode::OK);
    assert!(text_of(local).await.contains("exeat_audit_queue 0"));
    assert_eq!(server.send(plain("GET", "/metrics")).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_page_that_rebinds_its_name_gets_nothing_of_the_api() {
    let server = Server::start().await;
    for (host, path, status) in [
        ("evil.example", "/api/v1/audit/events", StatusCode::MISDIRECTED_REQUEST),
        ("evil.example:8081", "/console", StatusCode::MISDIRECTED_REQUEST),
        ("evil.example", "/metrics", StatusCode::MISDIRECTED_REQUEST),
        ("exeat.corp.example:8081", "/console", StatusCode::OK),
        ("localhost:8081", "/console", StatusCode::OK),
        ("wpad.corp.example", "/wpad.dat", StatusCode::OK),
    ] {
        let mut request = with_token(&server.token, "GET", path, Body::empty());
        request.headers_mut().insert("host", host.parse().expect("host"));
        assert_eq!(server.send(request).await.status(), status, "{host} {path}");
    }
}

#[tokio::test]
async fn wrong_tokens_are_stopped_after_a_while_and_only_for_their_address() {
    let server = Server::start().await;
    let mut answers = Vec::new();
    for _ in 0..12 {
        answers.push(server.send(with_token("wrong", "GET", "/api/v1/whoami", Body::empty())).await.status());
    }
    assert_eq!(answers.iter().filter(|status| **status == StatusCode::UNAUTHORIZED).count(), 10);
    let blocked = server.send(with_token(&server.token, "GET", "/api/v1/whoami", Body::empty())).await;
    assert_eq!(blocked.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(blocked.headers().contains_key("retry-after"));
    let other = server.send_from("10.0.0.10:1", with_token(&server.token, "GET", "/api/v1/whoami", Body::empty())).await;
    assert_eq!(json_of(other).await, json!({"name": "admin.token", "role": "admin"}));
}

#[tokio::test]
async fn pages_follow_the_cursor_and_do_not_shift_when_events_are_added() {
    let server = Server::start().await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(server.record("a.example", Outcome::Log, &["x"]).await.to_string());
    }
    made.reverse();
    let (status, first) = server.get("/api/v1/audit/events?limit=2").await;
    assert_eq!((status, ids(&first)), (StatusCode::OK, vec![made[0].as_str(), &made[1]]));
    server.record("b.example", Outcome::Log, &["x"]).await;
    let next = first["next_cursor"].as_str().expect("cursor");
    let (_, second) = server.get(&format!("/api/v1/audit/events?limit=2&cursor={next}")).await;
    assert_eq!(ids(&second), [&made[2], &made[3]]);
    let next = second["next_cursor"].as_str().expect("cursor");
    let (_, third) = server.get(&format!("/api/v1/audit/events?limit=2&cursor={next}")).await;
    assert_eq!((ids(&third), &third["next_cursor"]), (vec![made[4].as_str()], &Value::Null));
}

#[tokio::test]
async fn wrong_parameters_are_told_apart_in_problem_documents() {
    let server = Server::start().await;
    let mut told = String::new();
    for query in [
        "limit=0",
        "limit=1001",
        "limit=x",
        "cursor=zzz",
        "from=yesterday",
        "to=2026-01-01",
        "action=allow",
        "sort=up",
        "limit=1&limit=2",
        "from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z",
    ] {
        let (status, problem) = server.get(&format!("/api/v1/audit/events?{query}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}");
        told += &format!("{query}: {}\n", problem["detail"].as_str().expect("detail"));
    }
    for path in ["summary?by=colour", "summary?bucket=week", "export?format=xml", "events/42"] {
        let (status, problem) = server.get(&format!("/api/v1/audit/{path}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}");
        told += &format!("{path}: {}\n", problem["detail"].as_str().expect("detail"));
    }
    insta::assert_snapshot!(told);
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_document_too() {
    let server = Server::start().await;
    for (method, path, status) in [
        ("GET", "/nowhere", StatusCode::NOT_FOUND),
        ("POST", "/proxy.pac", StatusCode::METHOD_NOT_ALLOWED),
        ("GET", "/api/v1/audit/events/0198c2f0-1111-7222-8333-444455556666", StatusCode::NOT_FOUND),
        ("DELETE", "/api/v1/tokens/none", StatusCode::NOT_FOUND),
        ("DELETE", "/api/v1/tokens/admin.token", StatusCode::CONFLICT),
    ] {
        let response = server.send(with_token(&server.token, method, path, Body::empty())).await;
        assert_eq!(
            (response.status(), response.headers()["content-type"].as_bytes()),
            (status, b"application/problem+json".as_slice()),
            "{path}"
        );
        assert_eq!(json_of(response).await["status"], status.as_u16());
    }
}

#[tokio::test]
async fn every_answer_is_hardened_and_none_may_be_read_across_origins() {
    let server = Server::start().await;
    for path in ["/", "/console", "/api/v1/whoami", "/nowhere"] {
        let mut request = plain("GET", path);
        request.headers_mut().insert("origin", "https://evil.example".parse().expect("origin"));
        let response = server.send(request).await;
        let headers = response.headers();
        assert!(headers["content-security-policy"].to_str().expect("text").starts_with("default-src 'none'"), "{path}");
        assert_eq!(
            (&headers["x-content-type-options"], &headers["x-frame-options"]),
            (&"nosniff".parse().expect("v"), &"DENY".parse().expect("v"))
        );
        assert!(!headers.contains_key("access-control-allow-origin"), "{path}");
    }
}

#[tokio::test]
async fn what_a_reviewer_calls_false_is_not_raised_again_until_that_is_taken_back() {
    let server = Server::start().await;
    let text = json!({"text": "call 13902468135, card 6222021234567890128"});
    let found = async || {
        let (status, body) = server.post("/api/v1/inspect", &text).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let labels = body["findings"].as_array().expect("findings").iter().map(|found| found["label"].as_str().expect("label").to_owned());
        (labels.collect::<Vec<_>>(), body)
    };
    let (labels, _) = found().await;
    assert!(labels.contains(&"personal.phone".to_owned()), "{labels:?}");
    let digest = DigestKey::new([9; 32]).digest("13902468135");
    let id = server.found("a.example", &[("personal.phone", &digest), ("secret.aws", &"00".repeat(16))]).await;
    let path = format!("/api/v1/audit/events/{id}/review");
    let (status, problem) = server.post(&path, &json!({"verdict": "false_positive", "digests": ["ff"]})).await;
    assert!(status == StatusCode::BAD_REQUEST && problem["detail"].as_str().is_some_and(|text| text.contains("take digests from")));
    assert_eq!(server.post(&path, &json!({"verdict": "confirmed", "digests": [digest]})).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(server.post(&path, &json!({"verdict": "false_positive", "digests": [digest]})).await.0, StatusCode::OK);

    let (labels, body) = found().await;
    assert!(!labels.contains(&"personal.phone".to_owned()), "{labels:?}");
    let told = body["suppressed"].as_array().expect("suppressed").iter().find(|one| one["reason"] == "dismissed").expect("told");
    assert_eq!(told["detail"], json!(id.to_string()));

    let (_, list) = server.get("/api/v1/audit/dismissed").await;
    let all = list["dismissed"].as_array().expect("a list");
    assert_eq!(all.len(), 1, "only what was meant: {list}");
    assert_eq!(
        (&all[0]["label"], &all[0]["event"], &all[0]["reviewer"]),
        (&json!("personal.phone"), &json!(id.to_string()), &json!("admin.token"))
    );
    // It survives a restart, and holds nothing readable.
    let file = server.dir.path().join("dismissed.json");
    assert_eq!(Desk::open(file.clone()).expect("kept").dismissed().list().len(), 1);
    assert!(!std::fs::read_to_string(&file).expect("kept").contains("13902468135"));

    let revoke = async |digest: &str| {
        let path = format!("/api/v1/audit/dismissed/{digest}");
        server.send(with_token(&server.token, "DELETE", &path, Body::empty())).await.status()
    };
    assert_eq!((revoke(&digest).await, revoke(&digest).await), (StatusCode::NO_CONTENT, StatusCode::NOT_FOUND));
    assert!(found().await.0.contains(&"personal.phone".to_owned()));
    // A later review of the event replaces what an earlier one dismissed.
    server.post(&path, &json!({"verdict": "false_positive"})).await;
    assert_eq!(server.get("/api/v1/audit/dismissed").await.1["dismissed"].as_array().map(Vec::len), Some(2));
    server.post(&path, &json!({"verdict": "confirmed"})).await;
    assert!(found().await.0.contains(&"personal.phone".to_owned()));
}

#[test]
fn a_damaged_list_of_dismissals_is_told_and_not_forgotten() {
    let dir = tempfile::tempdir().expect("dir");
    let path = dir.path().join("dismissed.json");
    std::fs::write(&path, "[{\"digest\": \"aa\"").expect("written");
    let error = Desk::open(path).expect_err("damaged").to_string();
    assert!(error.contains("dismissed.json") && error.contains("put the right one back"), "{error}");
}

#[tokio::test]
async fn a_review_is_kept_with_the_event() {
    let server = Server::start().await;
    let id = server.record("a.example", Outcome::Block, &["secret.aws"]).await;
    let path = format!("/api/v1/audit/events/{id}/review");
    let (status, event) = server.post(&path, &json!({"verdict": "false_positive", "note": "sample"})).await;
    assert_eq!(
        (status, &event["review"]["verdict"], &event["review"]["reviewer"]),
        (StatusCode::OK, &json!("false_positive"), &json!("admin.token"))
    );
    server.post(&path, &json!({"verdict": "confirmed"})).await;
    let (_, event) = server.get(&format!("/api/v1/audit/events/{id}")).await;
    assert_eq!((&event["review"]["verdict"], &event["review"]["note"]), (&json!("confirmed"), &json!("")));
    assert_eq!(server.post(&path, &json!({"verdict": "maybe"})).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(server.post(&path, &json!({"verdict": "confirmed", "note": "x".repeat(2001)})).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(server.get("/api/v1/audit/verify").await.1["intact"], true);
}

#[tokio::test]
async fn a_summary_sums_by_what_is_asked() {
    let server = Server::start().await;
    server.record("a.example", Outcome::Block, &["secret.aws", "secret.aws"]).await;
    server.record("b.example", Outcome::Log, &["personal.email"]).await;
    server.record("b.example", Outcome::Log, &["personal.email"]).await;
    let totals = async |query: &str| server.get(&format!("/api/v1/audit/summary?{query}")).await.1["totals"].clone();
    let pair = |key: &str, count: u64| json!({"key": key, "count": count});
    assert_eq!(totals("by=label").await, json!([pair("personal.email", 2), pair("secret.aws", 2)]));
    assert_eq!(totals("by=host&bucket=hour").await, json!([pair("b.example", 2), pair("a.example", 1)]));
    assert_eq!(totals("by=user").await, json!([pair("li.wei", 3)]));
    assert_eq!(totals("by=action&label=secret").await, json!([pair("block", 1)]));
}

#[tokio::test]
async fn an_export_has_every_event_also_beyond_one_page() {
    let server = Server::start().await;
    let records = (0..1203).map(|_| server.record("a.example", Outcome::Log, &["x"]));
    futures_util::future::join_all(records).await;
    let export = async |path: &str| text_of(server.send(with_token(&server.token, "GET", path, Body::empty())).await).await;
    let lines = export("/api/v1/audit/export").await;
    let seen: Vec<Id> = lines.lines().map(|line| serde_json::from_str::<Record>(line).expect("record").id).collect();
    assert!(seen.len() == 1203 && seen.is_sorted());
    let csv = export("/api/v1/audit/export?format=csv").await;
    assert!(csv.starts_with("id,time,client,") && csv.lines().count() == 1204);
}

#[tokio::test]
async fn a_stream_tells_new_events_and_takes_up_where_it_broke() {
    use futures_util::StreamExt as _;
    let server = Server::start().await;
    server.record("old.example", Outcome::Log, &["x"]).await;
    let response = server.send(with_token(&server.token, "GET", "/api/v1/audit/stream?label=x", Body::empty())).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body().into_data_stream();
    server.record("other.example", Outcome::Log, &["y"]).await;
    let id = server.record("new.example", Outcome::Log, &["x"]).await;
    let chunk = String::from_utf8(body.next().await.expect("chunk").expect("data").to_vec()).expect("text");
    assert!(chunk.contains("event: audit\n") && chunk.contains("id: 4\n") && chunk.contains(&id.to_string()), "{chunk}");

    let mut request = with_token(&server.token, "GET", "/api/v1/audit/stream", Body::empty());
    request.headers_mut().insert("last-event-id", "2".parse().expect("id"));
    let mut body = server.send(request).await.into_body().into_data_stream();
    let chunk = String::from_utf8(body.next().await.expect("chunk").expect("data").to_vec()).expect("text");
    assert!(chunk.contains("id: 3\n") && chunk.contains("other.example"), "{chunk}");
}

#[tokio::test]
async fn tokens_are_made_listed_and_revoked() {
    let server = Server::start().await;
    let (status, made) = server.post("/api/v1/tokens", &json!({"name": "dashboard", "role": "viewer"})).await;
    assert_eq!(status, StatusCode::CREATED);
    let (token, id) = (made["token"].as_str().expect("token"), made["id"].as_str().expect("id"));
    let who = server.send(with_token(token, "GET", "/api/v1/whoami", Body::empty())).await;
    assert_eq!(json_of(who).await, json!({"name": "dashboard", "role": "viewer"}));
    let (_, listed) = server.get("/api/v1/tokens").await;
    assert_eq!(listed["tokens"].as_array().map(Vec::len), Some(3));
    assert!(!listed.to_string().contains(token));
    let stream = server.send(with_token(token, "GET", "/api/v1/audit/stream", Body::empty())).await;
    let revoked = server.send(with_token(&server.token, "DELETE", &format!("/api/v1/tokens/{id}"), Body::empty())).await;
    assert_eq!(revoked.status(), StatusCode::NO_CONTENT);
    let after = server.send(with_token(token, "GET", "/api/v1/whoami", Body::empty())).await;
    assert_eq!(after.status(), StatusCode::UNAUTHORIZED);
    server.record("a.example", Outcome::Log, &["x"]).await;
    assert_eq!(text_of(stream).await, "", "a revoked token's stream ends");
    assert_eq!(server.post("/api/v1/tokens", &json!({"name": "", "role": "viewer"})).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(server.post("/api/v1/tokens", &json!({"name": "x", "role": "root"})).await.0, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_dry_run_of_plain_words_finds_nothing_and_is_not_recorded() {
    let server = Server::start().await;
    let (status, report) = server.post("/api/v1/inspect", &json!({"text": "see you at noon"})).await;
    assert_eq!((status, &report["action"], &report["findings"]), (StatusCode::OK, &json!("allow"), &json!([])));
    assert_eq!(server.get("/api/v1/audit/events").await.1["events"], json!([]));
}

#[tokio::test]
async fn a_dry_run_says_where_in_the_text_by_bytes() {
    let server = Server::start().await;
    let text = "\u{738b}\u{82b3}: write to fang.wang@corp-mail.com today";
    let (_, report) = server.post("/api/v1/inspect", &json!({"text": text})).await;
    let finding = &report["findings"][0];
    let at = |key: &str| usize::try_from(finding[key].as_u64().expect("offset")).expect("usize");
    assert_eq!(
        (&finding["label"], text.get(at("start")..at("end"))),
        (&json!("personal.email"), Some("fang.wang@corp-mail.com")),
        "{report}"
    );
    let (_, rules) = server.get("/api/v1/rules").await;
    assert!(rules["rules"].as_array().expect("rules").iter().any(|rule| rule["id"] == finding["detector"]));
}

#[tokio::test]
async fn a_dry_run_says_what_is_wrong_with_it_without_repeating_it() {
    let server = Server::start().await;
    for body in [
        json!({}),
        json!({"text": "hunter2", "body_base64": "aGk="}),
        json!({"body_base64": "hunter2!"}),
        json!({"text": "x", "url": "hunter2"}),
        json!({"text": "x", "method": "hunter2 x"}),
        json!({"text": "x", "headers": {"hunter2\n": "x"}}),
        json!({"text": 42}),
        json!({"hunter2": 42}),
    ] {
        let (status, problem) = server.post("/api/v1/inspect", &body).await;
        assert!(status.is_client_error(), "{body}");
        assert!(!problem.to_string().contains("hunter2") && problem["detail"].is_string(), "{problem}");
    }
}

#[tokio::test]
async fn readiness_follows_the_proxy() {
    let server = Server::start().await;
    assert_eq!(server.send(plain("GET", "/readyz")).await.status(), StatusCode::OK);
    server.ready.store(false, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(server.send(plain("GET", "/readyz")).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(text_of(server.send(plain("GET", "/healthz")).await).await, "ok\n");
}

#[tokio::test]
async fn a_pac_of_an_open_listener_names_the_host_it_was_fetched_from() {
    let server = Server::listening("0.0.0.0:8080", "0.0.0.0:8081").await;
    for path in ["/proxy.pac", "/wpad.dat"] {
        let mut request = plain("GET", path);
        request.headers_mut().insert("host", "wpad.corp.example".parse().expect("host"));
        let response = server.send(request).await;
        assert_eq!(response.headers()["content-type"], "application/x-ns-proxy-autoconfig");
        assert!(text_of(response).await.contains("return \"PROXY wpad.corp.example:8080\";"));
    }
}

#[tokio::test]
async fn the_set_up_page_speaks_the_readers_language() {
    let server = Server::start().await;
    let page = async |path: &str, accepted: &str| {
        let mut request = plain("GET", path);
        request.headers_mut().insert("accept-language", accepted.parse().expect("language"));
        text_of(server.send(request).await).await
    };
    assert!(page("/", "zh-CN").await.contains("设置这台设备"));
    assert!(page("/", "de").await.contains("Set up this device"));
    assert!(page("/?lang=zh&utm=x", "en").await.contains("设置这台设备"));
}

#[tokio::test]
async fn it_serves_on_a_socket_and_stops_when_told() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let server = Server::start().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let address = listener.local_addr().expect("address");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let task = tokio::spawn(serve(listener, server.router.clone(), async { drop(stopped.await) }));
    let mut socket = tokio::net::TcpStream::connect(address).await.expect("connect");
    // A live stream is open while the server stops: it must not keep it.
    let request = format!("GET /api/v1/audit/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {}\r\n\r\n", server.token);
    socket.write_all(request.as_bytes()).await.expect("write");
    let mut head = [0; 15];
    socket.read_exact(&mut head).await.expect("read");
    assert_eq!(&head, b"HTTP/1.1 200 OK");
    stop.send(()).expect("stop");
    task.await.expect("task").expect("served");
    let mut rest = Vec::new();
    let _ = socket.read_to_end(&mut rest).await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn packs_are_uploaded_rolled_back_and_removed() {
    let server = Server::start().await;
    let pack_of = |name: &str, signing: &SigningKey| {
        let mut builder = PackBuilder::new(pack_key().digester(), name);
        let text = "some confidential words that are long enough to be learnt";
        builder.document(&NewDocument { id: 1, source: 1, content: 1, text, reading: Reading::Prose });
        seal::seal(&pack_key(), signing, builder.finish("2026-01-01T00:00:00Z".to_owned())).expect("sealed")
    };
    let pack = |name: &str| pack_of(name, &own_signing());
    let send = async |method: &str, path: &str, body: Vec<u8>| {
        let response = server.send(with_token(&server.token, method, path, Body::from(body))).await;
        let status = response.status();
        (status.as_u16(), axum::body::to_bytes(response.into_body(), 1 << 16).await.expect("body"))
    };
    let (status, body) = send("PUT", "/api/v1/knowledge/acme", pack("acme")).await;
    let about: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!((status, &about["name"], &about["documents"]), (201, &json!("acme"), &json!(1)));
    assert_eq!(about["head"], json!(null), "there was nothing to train one on");
    assert_eq!(about["signer"], json!(own_signing().signer().to_string()));
    assert_eq!(send("POST", "/api/v1/knowledge/acme/rollback", Vec::new()).await.0, 404, "there was none before");
    assert_eq!(send("PUT", "/api/v1/knowledge/acme", pack("acme")).await.0, 201);
    assert_eq!(send("POST", "/api/v1/knowledge/acme/rollback", Vec::new()).await.0, 204);
    let mut damaged = pack("acme");
    damaged.truncate(100);
    assert_eq!(send("PUT", "/api/v1/knowledge/acme", damaged).await.0, 422);
    let foreign = SigningKey::random().expect("random");
    let (status, body) = send("PUT", "/api/v1/knowledge/acme", pack_of("acme", &foreign)).await;
    let told = String::from_utf8_lossy(&body);
    assert!(status == 422 && told.contains(&format!("signed by {}, which knowledge.signers does not name", foreign.signer())), "{told}");
    assert_eq!(send("PUT", "/api/v1/knowledge/other", pack("acme")).await.0, 409);
    assert_eq!(send("PUT", "/api/v1/knowledge/..%2Facme", pack("acme")).await.0, 400);
    assert_eq!(send("DELETE", "/api/v1/knowledge/acme", Vec::new()).await.0, 204);
    assert_eq!(send("DELETE", "/api/v1/knowledge/acme", Vec::new()).await.0, 404);
    let (status, body) = server.get("/api/v1/knowledge").await;
    assert_eq!((status, body), (StatusCode::OK, json!({"packs": []})), "the inspector of this test was made without any");
}
