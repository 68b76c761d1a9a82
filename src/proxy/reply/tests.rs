use super::*;
use crate::finding::Gap;
use std::fmt::Write as _;

struct Asked {
    method: Method,
    uri: Uri,
    host: &'static str,
    headers: HeaderMap,
}

impl Asked {
    fn new(method: Method, host: &'static str, target: &str, headers: &[(&'static str, &'static str)]) -> Self {
        let headers = headers.iter().map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect();
        Self { method, uri: target.parse().expect("uri"), host, headers }
    }

    fn post(host: &'static str, target: &str, headers: &[(&'static str, &'static str)]) -> Self {
        Self::new(Method::POST, host, target, headers)
    }

    fn facts(&self) -> RequestFacts<'_> {
        RequestFacts { method: &self.method, uri: &self.uri, host: self.host, headers: &self.headers }
    }

    fn blocked(&self) -> Response<Bytes> {
        blocked(&refusal(), &self.facts())
    }
}

fn refusal() -> Refusal {
    Refusal {
        request_id: "01JDEXEAT0000000000000001".to_owned(),
        kinds: vec![
            Kind {
                label: "finance.card".to_owned(),
                name: Words::fixed("payment card number", "银行卡号"),
                place: "$.messages[0].content".to_owned(),
            },
            Kind { label: "personal.email".to_owned(), name: Words::fixed("e-mail address", "电子邮箱"), place: "url".to_owned() },
        ],
        gap: None,
        rule: Some("no cards to ai assistants".to_owned()),
        message: Some(Words::fixed("Card numbers stay in the company.", "银行卡号不得外发。")),
        unredactable: None,
        contact: Some("it-security@example.com".to_owned()),
    }
}

fn unread(gap: Gap) -> Refusal {
    Refusal { kinds: Vec::new(), gap: Some(gap), rule: Some(gap.name().to_owned()), message: None, ..refusal() }
}

/// Head and body, as a snapshot.
fn show(response: &Response<Bytes>) -> String {
    let mut out = format!("{}\n", response.status());
    if let Some(phrase) = response.extensions().get::<hyper::ext::ReasonPhrase>() {
        let _ = writeln!(out, "reason: {}", String::from_utf8_lossy(phrase.as_bytes()));
    }
    for (name, value) in response.headers() {
        let _ = writeln!(out, "{name}: {}", String::from_utf8_lossy(value.as_bytes()));
    }
    out.push('\n');
    let body = response.body();
    match serde_json::from_slice::<serde_json::Value>(body) {
        Ok(value) => out.push_str(&serde_json::to_string_pretty(&value).expect("json")),
        Err(_) => out.push_str(&String::from_utf8_lossy(body).replace(include_str!("page.css"), "/* page.css */\n")),
    }
    out
}

fn body(response: &Response<Bytes>) -> serde_json::Value {
    serde_json::from_slice(response.body()).expect("json")
}

const NAVIGATION: [(&str, &str); 2] = [("accept", "text/html,*/*;q=0.8"), ("sec-fetch-mode", "navigate")];
const CHINESE: (&str, &str) = ("accept-language", "zh-CN,zh;q=0.9,en;q=0.8");

#[test]
fn a_navigation_gets_a_page_in_english() {
    insta::assert_snapshot!(show(&Asked::new(Method::GET, "chat.example", "/", &NAVIGATION).blocked()));
}

#[test]
fn a_navigation_gets_a_page_in_chinese() {
    let asked = Asked::post("chat.example", "/", &[NAVIGATION[0], NAVIGATION[1], CHINESE]);
    insta::assert_snapshot!(show(&asked.blocked()));
}

#[test]
fn a_script_gets_a_problem_document_in_both_languages() {
    let headers = [("accept", "*/*"), ("sec-fetch-mode", "cors"), ("origin", "https://chat.example")];
    insta::assert_snapshot!(show(&Asked::post("chat.example", "/api/send", &headers).blocked()));
}

#[test]
fn a_script_that_prefers_chinese_gets_a_problem_document_in_chinese() {
    let headers = [("accept", "application/json"), ("sec-fetch-mode", "cors"), CHINESE];
    insta::assert_snapshot!(show(&Asked::post("chat.example", "/api/send", &headers).blocked()));
}

#[test]
fn a_terminal_gets_a_few_lines_and_chinese_ones_where_it_asks() {
    let curl = ("user-agent", "curl/8.5.0");
    let accept = ("accept", "*/*");
    let english = show(&Asked::post("paste.example", "/", &[curl, accept]).blocked());
    let chinese = show(&Asked::post("paste.example", "/", &[curl, accept, CHINESE]).blocked());
    insta::assert_snapshot!(format!("{english}\n----\n{chinese}"));
}

#[test]
fn every_vendor_gets_its_own_error_object() {
    const JSON: (&str, &str) = ("content-type", "application/json");
    type Case = (&'static str, &'static str, &'static [(&'static str, &'static str)]);
    let cases: [Case; 21] = [
        ("api.openai.com", "/v1/chat/completions", &[JSON]),
        ("llm.internal.example", "/proxy/v1/chat/completions", &[JSON]),
        ("api.deepseek.com", "/chat/completions", &[JSON, CHINESE]),
        ("api.openai.com", "/v1/assistants", &[JSON]),
        ("api.anthropic.com", "/v1/messages", &[JSON]),
        ("gateway.example", "/anthropic/v1/messages", &[JSON]),
        ("generativelanguage.googleapis.com", "/v1beta/models/gemini-2.5-pro:generateContent", &[JSON]),
        ("generativelanguage.googleapis.com", "/v1beta/models/gemini-2.5-pro:streamGenerateContent", &[JSON]),
        ("generativelanguage.googleapis.com", "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse", &[JSON]),
        ("dashscope.aliyuncs.com", "/api/v1/services/aigc/text-generation/generation", &[JSON]),
        ("dashscope.aliyuncs.com", "/compatible-mode/v1/chat/completions", &[JSON]),
        ("hunyuan.tencentcloudapi.com", "/", &[JSON]),
        ("api.mistral.ai", "/v1/chat/completions", &[JSON]),
        ("ollama.example", "/api/chat", &[JSON]),
        ("api.cohere.com", "/v2/chat", &[JSON]),
        ("router.huggingface.co", "/hf-inference/models/x", &[JSON]),
        ("bedrock-runtime.us-east-1.amazonaws.com", "/model/x/converse", &[JSON]),
        ("bucket.s3.eu-west-1.amazonaws.com", "/key", &[]),
        ("bucket.oss-cn-hangzhou.aliyuncs.com", "/key", &[]),
        ("registry-1.docker.io", "/v2/library/x/blobs/uploads/", &[]),
        ("rpc.example", "/acme.v1.Chat/Send", &[JSON, ("connect-protocol-version", "1")]),
    ];
    let mut shown = String::new();
    for (host, target, headers) in cases {
        let _ = writeln!(shown, "==== {host}{target}\n{}\n", show(&Asked::post(host, target, headers).blocked()));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn package_managers_get_what_they_print() {
    let npm = Asked::new(Method::PUT, "registry.npmjs.org", "/pkg", &[("user-agent", "npm/10.2.4 node/v20.11.0 linux x64")]);
    let docker = Asked::new(Method::PUT, "registry.example", "/v2/app/manifests/latest", &[("user-agent", "docker/27.0")]);
    let cargo = Asked::new(Method::PUT, "crates.example", "/api/v1/crates/new", &[("user-agent", "cargo/1.95.0")]);
    let pip = Asked::new(
        Method::GET,
        "files.example",
        "/x.whl",
        &[("user-agent", "pip/23.2.1 {}"), ("accept", "application/vnd.pypi.simple.v1+json, text/html; q=0.01")],
    );
    let twine = Asked::post("upload.example", "/legacy/", &[("user-agent", "twine/5.0.0 requests/2.31"), ("accept", "*/*")]);
    let apt = Asked::new(Method::GET, "deb.example", "/dists/x", &[("user-agent", "Debian APT-HTTP/1.3 (2.6.1)"), ("accept", "text/*")]);
    let go = Asked::new(Method::GET, "proxy.example", "/mod/@v/list", &[("user-agent", "Go-http-client/1.1")]);
    let shown: Vec<String> = [npm, docker, cargo, pip, twine, apt, go].iter().map(|asked| show(&asked.blocked())).collect();
    insta::assert_snapshot!(shown.join("\n====\n"));
}

#[test]
fn git_gets_lines_that_it_shows() {
    let git = ("user-agent", "git/2.39.5");
    let push = Asked::post("git.example", "/r.git/git-receive-pack", &[git, ("content-type", "application/x-git-receive-pack-request")]);
    let fetch = Asked::post(
        "git.example",
        "/r.git/git-upload-pack",
        &[git, ("content-type", "application/x-git-upload-pack-request"), ("accept-language", "zh-CN, *;q=0.9")],
    );
    let refs =
        Asked::new(Method::GET, "git.example", "/r.git/info/refs?service=git-receive-pack", &[git, ("accept-language", "en-US, *;q=0.9")]);
    let lfs =
        Asked::post("git.example", "/r.git/info/lfs/objects/batch", &[("content-type", "application/vnd.git-lfs+json; charset=utf-8")]);
    let command = format!("0082{0} {0} refs/heads/main\0 report-status side-band-64k0000", "0".repeat(40));
    let mut shown: Vec<String> = [&push, &fetch, &refs, &lfs].iter().map(|asked| show(&asked.blocked())).collect();
    shown.push(show(&blocked_push(&refusal(), command.as_bytes(), &push.facts())));
    insta::assert_snapshot!(shown.join("\n====\n").replace('\0', "<NUL>").replace('\u{1}', "<1>").replace('\u{2}', "<2>"));
}

#[test]
fn grpc_gets_trailers_only() {
    let plain = Asked::post("rpc.example", "/acme.v1.Chat/Send", &[("content-type", "application/grpc+proto"), ("te", "trailers")]);
    let web = Asked::post("rpc.example", "/acme.v1.Chat/Send", &[("content-type", "application/grpc-web+proto"), CHINESE]);
    insta::assert_snapshot!(format!("{}\n====\n{}", show(&plain.blocked()), show(&web.blocked())));
}

#[test]
fn every_gap_has_its_words() {
    let asked = Asked::post("drop.example", "/", &[("accept", "application/json")]);
    let mut shown = String::new();
    for gap in Gap::ALL {
        let response = blocked(&unread(gap), &asked.facts());
        let body = body(&response);
        let _ = writeln!(shown, "{gap} {}\n  {}\n  {}", response.status(), body["detail_en"], body["detail_zh"]);
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn what_can_pass_later_says_when_to_try_again() {
    let asked = Asked::post("api.openai.com", "/v1/responses", &[]);
    for gap in [Gap::Overloaded, Gap::TimedOut] {
        let response = blocked(&unread(gap), &asked.facts());
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[header::RETRY_AFTER], "5");
        assert!(!response.headers().contains_key("x-should-retry"));
    }
}

const FAULTS: [Fault; 21] = [
    Fault::BadRequest(Words::fixed("two Content-Length headers", "有两个 Content-Length 请求头")),
    Fault::SlowRequest,
    Fault::ProxyAuthentication,
    Fault::ClientNotAllowed,
    Fault::PrivateDestination,
    Fault::OwnAddress,
    Fault::Busy,
    Fault::UnknownHost,
    Fault::ConnectionRefused,
    Fault::Unreachable,
    Fault::ConnectionReset,
    Fault::ConnectTimeout,
    Fault::AnswerTimeout,
    Fault::Tls,
    Fault::BadAnswer,
    Fault::ParentProxy,
    Fault::Certificate(CertificateFault::Expired),
    Fault::Certificate(CertificateFault::NotYetValid),
    Fault::Certificate(CertificateFault::WrongName),
    Fault::Certificate(CertificateFault::UnknownIssuer),
    Fault::Certificate(CertificateFault::Revoked),
];

#[test]
fn every_fault_has_its_words_and_its_status() {
    let asked = Asked::new(Method::GET, "site.example", "/", &[("accept", "application/json")]);
    let mut shown = String::new();
    for cause in &FAULTS {
        let response = fault(cause, "01J", None, &asked.facts());
        let body = body(&response);
        assert_eq!(response.status(), cause.status());
        let _ = writeln!(shown, "{} {}\n  {}\n  {}", response.status(), body["type"], body["detail_en"], body["detail_zh"]);
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn a_bad_certificate_is_shown_as_our_own_page() {
    let asked = Asked::new(Method::GET, "expired.example", "/", &NAVIGATION);
    insta::assert_snapshot!(show(&fault(&Fault::Certificate(CertificateFault::Expired), "01J", None, &asked.facts())));
}

#[test]
fn a_client_without_a_user_is_asked_for_one_in_every_shape() {
    for headers in [
        &NAVIGATION[..],
        &[("accept", "*/*")],
        &[("content-type", "application/grpc")],
        &[("content-type", "application/x-git-upload-pack-request")],
    ] {
        let asked = Asked::post("site.example", "/", headers);
        let response = fault(&Fault::ProxyAuthentication, "01J", None, &asked.facts());
        assert_eq!(response.status(), StatusCode::PROXY_AUTHENTICATION_REQUIRED);
        assert_eq!(response.headers()[header::PROXY_AUTHENTICATE], "Basic realm=\"Exeat\", charset=\"UTF-8\"");
    }
}

#[test]
fn a_cross_origin_page_can_read_the_answer() {
    let asked = Asked::post("api.example", "/x", &[("origin", "https://app.example"), ("sec-fetch-mode", "cors")]);
    let response = asked.blocked();
    assert_eq!(response.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "https://app.example");
    assert_eq!(response.headers()[header::ACCESS_CONTROL_ALLOW_CREDENTIALS], "true");
    assert!(response.headers()[header::ACCESS_CONTROL_EXPOSE_HEADERS].to_str().expect("text").contains("X-Exeat-Request"));
}

#[test]
fn a_preflight_is_let_through_so_that_the_real_request_is_answered() {
    let headers =
        [("origin", "https://app.example"), ("access-control-request-method", "PUT"), ("access-control-request-headers", "x-a, x-b")];
    let asked = Asked::new(Method::OPTIONS, "api.example", "/x", &headers);
    let response = asked.blocked();
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert_eq!(response.headers()[header::ACCESS_CONTROL_ALLOW_METHODS], "PUT");
    assert_eq!(response.headers()[header::ACCESS_CONTROL_ALLOW_HEADERS], "x-a, x-b");
    assert_eq!(Asked::new(Method::OPTIONS, "api.example", "*", &[]).blocked().status(), StatusCode::FORBIDDEN);
}

#[test]
fn an_event_stream_gets_a_problem_document() {
    let asked = Asked::new(Method::GET, "api.example", "/events", &[("accept", "text/event-stream")]);
    assert_eq!(asked.blocked().headers()[header::CONTENT_TYPE], "application/problem+json");
}

#[test]
fn a_head_request_gets_the_head_alone() {
    let get = Asked::new(Method::GET, "a.example", "/", &NAVIGATION).blocked();
    let head = Asked::new(Method::HEAD, "a.example", "/", &NAVIGATION).blocked();
    assert!(head.body().is_empty());
    assert_eq!(head.headers(), get.headers());
    assert_eq!(get.headers()[header::CONTENT_LENGTH], get.body().len().to_string());
}

#[test]
fn nothing_from_outside_becomes_markup() {
    let evil = "<script>alert('1')</script>\"&";
    let mut refusal = refusal();
    refusal.request_id = evil.to_owned();
    refusal.rule = Some(evil.to_owned());
    refusal.contact = Some(evil.to_owned());
    refusal.message = Some(Words::new(evil, evil));
    refusal.unredactable = Some(Words::new(evil, evil));
    refusal.kinds = vec![Kind { label: evil.to_owned(), name: Words::new(evil, evil), place: format!("part {evil}") }];
    let mut asked = Asked::new(Method::GET, "<script>", "/", &NAVIGATION);
    let page = blocked(&refusal, &asked.facts());
    let text = std::str::from_utf8(page.body()).expect("text");
    assert!(!text.contains("<script"), "{text}");
    asked.headers.clear();
    asked.host = "s3.amazonaws.com";
    let xml = blocked(&refusal, &asked.facts());
    assert!(!std::str::from_utf8(xml.body()).expect("text").contains("<script"));
}

#[test]
fn no_outside_text_breaks_a_header() {
    let mut refusal = refusal();
    refusal.request_id = "a\r\nx-evil: 1".to_owned();
    refusal.kinds[0].name = Words::fixed("卡\r\nx: y", "卡");
    for target in ["/", "/v1/chat/completions"] {
        let response = blocked(&refusal, &Asked::post("a.example", target, &NAVIGATION[..1]).facts());
        assert!(response.headers().values().all(|value| !value.as_bytes().iter().any(|b| b.is_ascii_control())));
        assert!(!response.headers().contains_key("x-evil"));
    }
}

#[test]
fn a_close_reason_fits_a_close_frame() {
    let mut refusal = refusal();
    let english = Asked::new(Method::GET, "a.example", "/ws", &[]);
    assert_eq!(close_reason(&refusal, &english.facts()), "blocked: payment card number, e-mail address (01JDEXEAT0000000000000001)");
    refusal.kinds = (0..40)
        .map(|i| Kind { label: String::new(), name: Words::new(format!("k{i}"), format!("种类{i}")), place: String::new() })
        .collect();
    let chinese = Asked::new(Method::GET, "a.example", "/ws", &[CHINESE]);
    let reason = close_reason(&refusal, &chinese.facts());
    assert!(reason.len() <= 123 && reason.starts_with("已拦截"), "{reason}");
}
