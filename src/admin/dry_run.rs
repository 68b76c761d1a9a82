//! `POST /api/v1/inspect`: what would become of a text or a request, without sending or recording it; and the rules.

use super::{Admin, Problem, token_routes::body_problem};
use crate::{
    content::Rewritten,
    finding::Carried,
    inspect::{Found, Inspection, Inspector, Message},
};
use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::{Duration, Instant},
};

/// What is tried: `text`, or the parts of a request.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trial {
    text: Option<String>,
    body_base64: Option<String>,
    content_type: Option<String>,
    method: Option<String>,
    url: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    user: Option<String>,
}

const EXAMPLE: &str =
    r#"{"text": "..."} or {"body_base64": "...", "content_type": "application/json", "method": "POST", "url": "https://example.com/"}"#;

/// Inspects as the proxy would.
pub(super) async fn inspect(State(admin): State<Arc<Admin>>, body: Result<Json<Trial>, JsonRejection>) -> Result<Response, Problem> {
    let Json(trial) = body.map_err(|rejection| body_problem(&rejection, EXAMPLE))?;
    let request = Request::of(trial)?;
    // Few at a time: the proxy's own work comes first.
    let permit = tokio::time::timeout(Duration::from_secs(10), admin.dry_runs.acquire()).await;
    let Ok(Ok(_permit)) = permit else {
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too many dry runs at once; try again in a moment").retry_after(5));
    };
    let inspector = admin.state.inspector.load_full();
    let report = tokio::task::spawn_blocking(move || request.report(&inspector)).await;
    report.map(|report| Json(report).into_response()).map_err(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the dry run failed"))
}

/// Every detector that is loaded.
pub(super) async fn rules(State(admin): State<Arc<Admin>>) -> Response {
    let inspector = admin.state.inspector.load();
    let rules = inspector.detectors().rules().map(|rule| {
        json!({
            "id": &*rule.id,
            "label": rule.label.as_str(),
            "name": {"en": rule.name.en, "zh": rule.name.zh},
            "evidence": rule.evidence,
            "confidence": rule.confidence,
            "confidence_in_context": rule.confidence_in_context,
            "file": &*rule.file,
        })
    });
    Json(json!({"rules": rules.collect::<Vec<_>>()})).into_response()
}

struct Request {
    user: Option<String>,
    hosts: Vec<String>,
    method: Method,
    target: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Request {
    /// A post to a host that no policy lists, unless the trial says more.
    fn of(trial: Trial) -> Result<Self, Problem> {
        let (body, default_type) = match (trial.text, trial.body_base64) {
            (Some(text), None) => (Bytes::from(text), "text/plain; charset=utf-8"),
            (None, Some(encoded)) => {
                let body = STANDARD.decode(encoded.trim()).map_err(|_| Problem::bad("body_base64 is not standard base64"))?;
                (Bytes::from(body), "application/octet-stream")
            }
            (None, None) if trial.url.is_some() => (Bytes::new(), ""),
            (Some(_), Some(_)) | (None, None) => return Err(Problem::bad(format!("give either text or body_base64: {EXAMPLE}"))),
        };
        let url = trial.url.as_deref().unwrap_or("https://host.invalid/");
        let url: Uri = url.parse().map_err(|_| Problem::bad("url is not a URL; escape what is not ASCII"))?;
        let host = url.host().filter(|_| url.scheme().is_some());
        let host = host.ok_or_else(|| Problem::bad("url is absolute, like https://example.com/path"))?.to_ascii_lowercase();
        let method = trial.method.as_deref().unwrap_or("POST");
        let method = Method::from_bytes(method.as_bytes()).map_err(|_| Problem::bad("method is not an HTTP method"))?;
        let mut headers = HeaderMap::new();
        for (name, value) in &trial.headers {
            let (name, value) = (HeaderName::try_from(name), HeaderValue::try_from(value));
            let (Ok(name), Ok(value)) = (name, value) else {
                return Err(Problem::bad("headers has a name or value that HTTP does not allow"));
            };
            headers.append(name, value);
        }
        if let Some(given) = &trial.content_type {
            headers.insert(header::CONTENT_TYPE, given.try_into().map_err(|_| Problem::bad("content_type is not a header value"))?);
        } else if !default_type.is_empty() && !headers.contains_key(header::CONTENT_TYPE) {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(default_type));
        }
        let target = url.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
        Ok(Self { user: trial.user, hosts: vec![host], method, target, headers, body })
    }

    fn report(&self, inspector: &Inspector) -> Value {
        let message = Message {
            client: IpAddr::V4(Ipv4Addr::LOCALHOST),
            user: self.user.as_deref(),
            hosts: &self.hosts,
            method: &self.method,
            target: &self.target,
            headers: &self.headers,
            body: &self.body,
        };
        let begun = Instant::now();
        let inspection = inspector.explain(&message);
        let duration = begun.elapsed();
        let Inspection { verdict, findings, suppressed, gaps, rewritten } = inspection;
        let suppressed = suppressed.iter().map(|one| {
            let (start, end) = (one.span.start(), one.span.end());
            json!({"segment": one.segment, "start": start, "end": end, "detector": &*one.detector, "reason": one.reason, "detail": one.detail.as_deref()})
        });
        let mut report = json!({
            "action": verdict.action,
            "policy": verdict.rule.as_deref(),
            "reason": verdict.reason.as_ref().map(ToString::to_string),
            "findings": findings.iter().map(finding).collect::<Vec<_>>(),
            "suppressed": suppressed.collect::<Vec<_>>(),
            "gaps": gaps,
            "duration_ms": (duration.as_secs_f64() * 1e6).round() / 1e3,
        });
        if let (Some(rewritten), Some(report)) = (rewritten, report.as_object_mut()) {
            report.extend(redacted(rewritten));
        }
        report
    }
}

fn finding(found: &Found) -> Value {
    let finding = &found.finding;
    json!({
        "label": finding.label.as_str(),
        "detector": &*finding.detector,
        "evidence": finding.evidence,
        "confidence": finding.confidence,
        "place": found.place,
        "segment": finding.segment,
        "start": finding.span.start(),
        "end": finding.span.end(),
        "digest": found.digest,
        "action": found.action,
        "carried": found.carried.iter().map(carried).collect::<Vec<_>>(),
    })
}

/// A word that carried a finding, by place: whoever asks has the text.
fn carried(carried: &Carried) -> Value {
    json!({"start": carried.span.start(), "end": carried.span.end(), "share": f64::from((carried.share * 1000.0).round()) / 1000.0})
}

/// The parts that redaction changed.
fn redacted(rewritten: Rewritten) -> impl Iterator<Item = (String, Value)> {
    let body = rewritten.body.map(|body| match std::str::from_utf8(&body) {
        Ok(text) => ("redacted_text".to_owned(), json!(text)),
        Err(_) => ("redacted_body_base64".to_owned(), json!(STANDARD.encode(&body))),
    });
    let target = rewritten.target.map(|target| ("redacted_target".to_owned(), json!(target)));
    let headers: BTreeMap<String, String> =
        rewritten.headers.iter().map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())).collect();
    let headers = (!headers.is_empty()).then(|| ("redacted_headers".to_owned(), json!(headers)));
    body.into_iter().chain(target).chain(headers)
}
