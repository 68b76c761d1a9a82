//! What the proxy has to say itself, put into the words and the form that the client understands.

use super::{
    Proxy,
    body::ReplyBody,
    failure::UpstreamError,
    reply::{self, Fault, Kind, Refusal, RequestFacts, Words},
    upstream::Destination,
};
use crate::{
    audit::Id,
    content::RewriteError,
    inspect::{Found, Inspection},
    policy::Action,
    words::Language,
};
use http::{HeaderMap, Method, Response, Uri, request::Parts};
use std::{io, sync::Arc};

/// Answers in place of the origin. Holds what of the request decides the form of the answer.
#[derive(Clone, Debug)]
pub struct Refuser {
    proxy: Arc<Proxy>,
    method: Method,
    uri: Uri,
    host: String,
    headers: Arc<HeaderMap>,
}

impl Refuser {
    /// For this request.
    pub fn new(proxy: &Arc<Proxy>, parts: &Parts) -> Self {
        let host = parts.uri.host().unwrap_or_default().to_owned();
        Self {
            proxy: Arc::clone(proxy),
            method: parts.method.clone(),
            uri: parts.uri.clone(),
            host,
            headers: Arc::new(parts.headers.clone()),
        }
    }

    /// Names the destination.
    pub fn to(mut self, to: &Destination) -> Self {
        self.host.clone_from(&to.host);
        self
    }

    fn facts(&self) -> RequestFacts<'_> {
        RequestFacts { method: &self.method, uri: &self.uri, host: &self.host, headers: &self.headers }
    }

    /// Policy said no.
    pub fn blocked(&self, id: Id, inspection: &Inspection) -> Response<ReplyBody> {
        reply::blocked(&self.refusal(id, inspection), &self.facts()).map(ReplyBody::whole)
    }

    /// Policy said no to a whole body: of a `git push`, it names the refs that git then reports one by one.
    pub fn blocked_body(&self, id: Id, inspection: &Inspection, body: &[u8]) -> Response<ReplyBody> {
        if reply::is_preflight(&self.facts()) {
            return self.blocked(id, inspection);
        }
        reply::blocked_push(&self.refusal(id, inspection), body, &self.facts()).map(ReplyBody::whole)
    }

    /// The reason for a WebSocket close frame.
    pub fn close_reason(&self, id: Id, inspection: &Inspection) -> String {
        reply::close_reason(&self.refusal(id, inspection), &self.facts())
    }

    fn refusal(&self, id: Id, inspection: &Inspection) -> Refusal {
        let verdict = &inspection.verdict;
        Refusal {
            request_id: id.to_string(),
            kinds: inspection.findings.iter().filter(|found| found.action >= Action::Redact).map(|found| self.kind(found)).collect(),
            gap: verdict.gap,
            rule: verdict.rule.as_deref().map(str::to_owned),
            message: verdict.message.as_deref().cloned(),
            unredactable: verdict.reason.map(unredactable),
            contact: self.proxy.contact.clone(),
        }
    }

    fn kind(&self, found: &Found) -> Kind {
        let label = &found.finding.label;
        let name = |language| self.proxy.gate.inspector().name_of(label, language).to_owned();
        Kind { label: label.to_string(), name: Words::new(name(Language::English), name(Language::Chinese)), place: found.place.clone() }
    }

    /// The request is not HTTP as it should be.
    pub fn bad_request(&self, wrong: &'static str) -> Response<ReplyBody> {
        self.fault(&Fault::BadRequest(Words::fixed(wrong, wrong)))
    }

    /// The body did not come in time.
    pub fn slow(&self) -> Response<ReplyBody> {
        self.fault(&Fault::SlowRequest)
    }

    /// Something of the proxy's own is in the way.
    pub fn fault(&self, fault: &Fault) -> Response<ReplyBody> {
        self.fault_numbered(Id::new(), fault)
    }

    /// The origin could not be reached. The log holds the number that the client is shown, and not where it wanted to go.
    pub fn unreachable(&self, error: &UpstreamError) -> Response<ReplyBody> {
        let id = Id::new();
        self.proxy.gate.metrics().upstream_failed();
        tracing::info!(%error, request = %id, "upstream failed");
        self.fault_numbered(id, &fault_of(error))
    }

    fn fault_numbered(&self, id: Id, fault: &Fault) -> Response<ReplyBody> {
        reply::fault(fault, &id.to_string(), self.proxy.contact.as_deref(), &self.facts()).map(ReplyBody::whole)
    }
}

/// Why policy's redaction could not be had.
fn unredactable(error: RewriteError) -> Words {
    match error {
        RewriteError::Signed => Words::fixed(
            "It could not be redacted, because the request is signed and would be refused if it were changed.",
            "无法脱敏:该请求带有签名,修改后会被对方拒绝。",
        ),
        RewriteError::Unsupported => {
            Words::fixed("It could not be redacted, because this format cannot be changed in place.", "无法脱敏:此格式不支持就地修改。")
        }
    }
}

fn fault_of(error: &UpstreamError) -> Fault {
    match error {
        UpstreamError::Dns(_) => Fault::UnknownHost,
        UpstreamError::Private(_) => Fault::PrivateDestination,
        UpstreamError::Loop => Fault::OwnAddress,
        UpstreamError::Connect(error) => match error.kind() {
            io::ErrorKind::ConnectionRefused => Fault::ConnectionRefused,
            io::ErrorKind::ConnectionReset => Fault::ConnectionReset,
            _ => Fault::Unreachable,
        },
        UpstreamError::Certificate(fault) => Fault::Certificate(*fault),
        UpstreamError::Tls(_) => Fault::Tls,
        UpstreamError::Parent(_) => Fault::ParentProxy,
        UpstreamError::Http(error) if error.is_parse() => Fault::BadAnswer,
        UpstreamError::Http(_) => Fault::ConnectionReset,
        UpstreamError::TimedOut => Fault::ConnectTimeout,
        UpstreamError::AnswerTimedOut => Fault::AnswerTimeout,
    }
}
