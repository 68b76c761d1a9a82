//! What a client is told when its request does not go through, in the form that this client shows to its user.
//!
//! A browser gets a page, an API client the error shape of the API that it speaks, `git push` a line that git prints.
//! [`blocked`] answers for policy, [`fault`] for everything else that ends an exchange here: a request that is not HTTP,
//! a site that cannot be reached, a certificate that cannot be trusted. Every answer carries `X-Exeat-Request`.

mod fault;
mod git;
mod json;
mod notice;
mod page;
mod shape;

pub use crate::words::{Language, Words};
pub use fault::{CertificateFault, Fault};
pub use notice::{Kind, Refusal};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri, header};
use notice::Notice;
use shape::Shape;

/// The response header that names the exchange in the audit.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-exeat-request");

/// What of a request decides the form of the answer.
#[derive(Clone, Copy, Debug)]
pub struct RequestFacts<'a> {
    /// The request method.
    pub method: &'a Method,
    /// The target; only path and query are read.
    pub uri: &'a Uri,
    /// Destination host, lower case, without port.
    pub host: &'a str,
    /// The request headers.
    pub headers: &'a HeaderMap,
}

impl<'a> RequestFacts<'a> {
    pub(super) fn header(&self, name: impl header::AsHeaderName) -> &'a str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// The answer to a request that policy refuses: 403, or 503 where trying again can help.
pub fn blocked(refusal: &Refusal, facts: &RequestFacts<'_>) -> Response<Bytes> {
    if is_preflight(facts) {
        return preflight(&refusal.request_id, facts);
    }
    render(&Notice::of_refusal(refusal, facts), facts)
}

/// [`blocked`] for a `git push` of which the start of the content is at hand: git then shows for each ref that it was rejected.
pub fn blocked_push(refusal: &Refusal, content: &[u8], facts: &RequestFacts<'_>) -> Response<Bytes> {
    let notice = Notice::of_refusal(refusal, facts);
    match Shape::of(facts) {
        Shape::Git(git::Exchange::Push) => respond(git::push(&notice, facts, &git::Push::parse(content)), &notice, facts),
        shape => respond(shape.render(&notice, facts), &notice, facts),
    }
}

/// The answer to a request that cannot be served; `contact` is whom users can ask.
pub fn fault(fault: &Fault, request_id: &str, contact: Option<&str>, facts: &RequestFacts<'_>) -> Response<Bytes> {
    render(&Notice::of_fault(fault, request_id, contact, facts), facts)
}

/// The reason of a close frame (status 1008) for a refused WebSocket message: at most 123 bytes (RFC 6455, 5.5.1).
pub fn close_reason(refusal: &Refusal, facts: &RequestFacts<'_>) -> String {
    let language = Language::asked(facts.headers).unwrap_or_default();
    let kinds = notice::kinds_in(&refusal.kinds, language);
    let text = match (language, kinds.is_empty()) {
        (Language::English, false) => format!("blocked: {kinds} ({})", refusal.request_id),
        (Language::English, true) => format!("blocked by policy ({})", refusal.request_id),
        (Language::Chinese, false) => format!("已拦截：{kinds}（{}）", refusal.request_id),
        (Language::Chinese, true) => format!("已按策略拦截（{}）", refusal.request_id),
    };
    clip(&text, 123).to_owned()
}

/// Whether this is a CORS preflight (Fetch standard): it carries no content, and refusing it would hide our answer to the real request.
pub fn is_preflight(facts: &RequestFacts<'_>) -> bool {
    facts.method == Method::OPTIONS
        && facts.headers.contains_key(header::ORIGIN)
        && facts.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The longest start of `text` of at most `most` bytes that cuts no character.
fn clip(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

/// Lets the browser send the real request, which then gets an answer that its page can read.
fn preflight(request_id: &str, facts: &RequestFacts<'_>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    allow_origin(facts, headers);
    let copies = [
        (header::ACCESS_CONTROL_REQUEST_METHOD, header::ACCESS_CONTROL_ALLOW_METHODS),
        (header::ACCESS_CONTROL_REQUEST_HEADERS, header::ACCESS_CONTROL_ALLOW_HEADERS),
    ];
    for (asked, allowed) in copies {
        if let Some(value) = facts.headers.get(asked) {
            headers.insert(allowed, value.clone());
        }
    }
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("0"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    insert_text(headers, REQUEST_ID, request_id);
    response
}

/// Lets a cross-origin page read the answer (Fetch standard, CORS protocol); a wildcard would not do for requests with credentials.
fn allow_origin(facts: &RequestFacts<'_>, headers: &mut HeaderMap) {
    let Some(origin) = facts.headers.get(header::ORIGIN) else { return };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("X-Exeat-Request, Retry-After"));
}

/// A rendered body with what only its shape knows.
struct Rendered {
    status: StatusCode,
    content_type: &'static str,
    language: Option<Language>,
    body: Vec<u8>,
    headers: Vec<(HeaderName, String)>,
}

fn render(notice: &Notice<'_>, facts: &RequestFacts<'_>) -> Response<Bytes> {
    respond(Shape::of(facts).render(notice, facts), notice, facts)
}

fn respond(rendered: Rendered, notice: &Notice<'_>, facts: &RequestFacts<'_>) -> Response<Bytes> {
    let length = rendered.body.len();
    // The answer to a HEAD has the length of the answer to a GET, and no body (RFC 9110, 8.6).
    let body = if facts.method == Method::HEAD { Bytes::new() } else { Bytes::from(rendered.body) };
    let mut response = Response::new(body);
    *response.status_mut() = rendered.status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(rendered.content_type));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::VARY, HeaderValue::from_static("Accept, Accept-Language, Origin, Sec-Fetch-Mode, User-Agent"));
    if let Some(language) = rendered.language {
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    }
    insert_text(headers, REQUEST_ID, notice.request_id);
    if let Some(seconds) = notice.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if notice.status == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
        // RFC 7617; browsers ask their user and repeat the request.
        headers.insert(header::PROXY_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"Exeat\", charset=\"UTF-8\""));
    }
    for (name, value) in rendered.headers {
        insert_text(headers, name, &value);
    }
    allow_origin(facts, headers);
    if rendered.status == notice.status
        && let Ok(phrase) = hyper::ext::ReasonPhrase::try_from(notice.reason_phrase().into_bytes())
    {
        // apt, wget, pip, twine, Maven, Gradle and curl -v show nothing else. HTTP/2 has none.
        response.extensions_mut().insert(phrase);
    }
    response
}

/// Sets a header to the visible ASCII of `text`.
fn insert_text(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(&ascii(text)) {
        headers.insert(name, value);
    }
}

/// `text` with everything but visible ASCII and spaces replaced: safe in a header or reason phrase.
fn ascii(text: &str) -> String {
    text.chars().map(|c| if matches!(c, ' '..='~') { c } else { '?' }).collect()
}

#[cfg(test)]
mod tests;
