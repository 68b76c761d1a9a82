//! Which form of answer a client shows to its user, read off the request.

use super::{Language, Rendered, RequestFacts, git, json, notice::Notice, page};
use crate::words::weighted;
use http::{HeaderName, Method, StatusCode, header};

/// A form of answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A page, for a person in a browser.
    Page,
    /// RFC 9457.
    Problem,
    /// A few lines, for a terminal.
    Text,
    /// The error object of an API.
    Api(json::Api),
    /// Something that git shows.
    Git(git::Exchange),
    /// gRPC and gRPC-Web: a status in headers.
    Grpc,
}

impl Shape {
    pub(super) fn of(facts: &RequestFacts<'_>) -> Self {
        let content_type = facts.header(header::CONTENT_TYPE);
        if starts_with(content_type, "application/grpc") {
            return Self::Grpc;
        }
        if let Some(exchange) = git::Exchange::of(facts) {
            return Self::Git(exchange);
        }
        let mode = facts.header("sec-fetch-mode");
        if mode == "navigate" {
            return Self::Page;
        }
        if let Some(api) = json::Api::of(facts) {
            return Self::Api(api);
        }
        let by_script = !mode.is_empty() || facts.header("x-requested-with").eq_ignore_ascii_case("XMLHttpRequest");
        let accept = facts.header(header::ACCEPT);
        if !by_script && prefers_html(accept) {
            return Self::Page;
        }
        if !by_script && !accept.contains("json") && is_terminal_tool(facts) {
            return Self::Text;
        }
        Self::Problem
    }

    pub(super) fn render(self, notice: &Notice<'_>, facts: &RequestFacts<'_>) -> Rendered {
        match self {
            Self::Page => page::render(notice, facts),
            Self::Problem => json::problem(notice, facts),
            Self::Text => text(notice, facts),
            Self::Api(api) => api.render(notice, facts),
            Self::Git(exchange) => exchange.render(notice, facts),
            Self::Grpc => grpc(notice, facts),
        }
    }
}

/// Clients that print a body as it is.
fn is_terminal_tool(facts: &RequestFacts<'_>) -> bool {
    const TOOLS: [&str; 20] = [
        "curl/",
        "wget/",
        "wget2/",
        "httpie/",
        "xh/",
        "aria2/",
        "lftp/",
        "pip/",
        "twine/",
        "uv/",
        "poetry/",
        "cargo",
        "rustup/",
        "debian apt",
        "apt/",
        "libdnf",
        "dnf/",
        "ruby, rubygems/",
        "composer/",
        "homebrew/",
    ];
    let agent = facts.header(header::USER_AGENT);
    let path = facts.uri.path();
    TOOLS.iter().any(|tool| starts_with(agent, tool))
        || agent.contains("PowerShell/")
        // The go command shows the start of a plain-text body of a module proxy's refusal.
        || (starts_with(agent, "go-http-client/") && (path.contains("/@v/") || path.ends_with("/@latest")))
}

/// Whether HTML is named and nothing is wanted more.
fn prefers_html(accept: &str) -> bool {
    let mut html = 0.0_f32;
    let mut other = 0.0_f32;
    for range in accept.split(',') {
        let (name, quality) = weighted(range);
        if name.eq_ignore_ascii_case("text/html") || name.eq_ignore_ascii_case("application/xhtml+xml") {
            html = html.max(quality);
        } else if name.contains("json") || name.eq_ignore_ascii_case("text/event-stream") {
            other = other.max(quality);
        }
    }
    html > 0.0 && html >= other && !accept.to_ascii_lowercase().contains("event-stream")
}

pub(super) fn starts_with(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

/// English always; Chinese below it where the client wants Chinese.
fn text(notice: &Notice<'_>, facts: &RequestFacts<'_>) -> Rendered {
    let asked = Language::asked(facts.headers);
    let mut body = notice.lines(Language::English).join("\n");
    body.push('\n');
    if asked == Some(Language::Chinese) {
        body.push_str(&notice.lines(Language::Chinese).join("\n"));
        body.push('\n');
    }
    Rendered {
        status: notice.status,
        content_type: "text/plain; charset=utf-8",
        language: None,
        body: body.into_bytes(),
        headers: Vec::new(),
    }
}

/// A trailers-only answer (gRPC over HTTP/2, Responses): HTTP 200, the status in the headers, no body.
fn grpc(notice: &Notice<'_>, facts: &RequestFacts<'_>) -> Rendered {
    let code = match notice.status {
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::BAD_GATEWAY => "14", // UNAVAILABLE
        StatusCode::GATEWAY_TIMEOUT | StatusCode::REQUEST_TIMEOUT => "4",  // DEADLINE_EXCEEDED
        StatusCode::BAD_REQUEST => "3",                                    // INVALID_ARGUMENT
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => "16",                 // UNAUTHENTICATED
        _ => "7",                                                          // PERMISSION_DENIED
    };
    let message = notice.in_asked(Language::asked(facts.headers));
    let content_type = match facts.header(header::CONTENT_TYPE).get(.."application/grpc-web".len()) {
        Some(start) if start.eq_ignore_ascii_case("application/grpc-web") => "application/grpc-web+proto",
        Some(_) | None => "application/grpc",
    };
    Rendered {
        status: if notice.status == StatusCode::PROXY_AUTHENTICATION_REQUIRED { notice.status } else { StatusCode::OK },
        content_type,
        language: None,
        body: Vec::new(),
        headers: vec![
            (HeaderName::from_static("grpc-status"), code.to_owned()),
            (HeaderName::from_static("grpc-message"), percent_encoded(&message)),
        ],
    }
}

/// gRPC's percent-encoding: all but visible ASCII, and `%` itself.
fn percent_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'%' => out.push_str("%25"),
            b' '..=b'~' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

/// Whether the method can carry a push or a prompt: a POST or PUT.
pub(super) fn is_write(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_is_preferred_only_where_nothing_else_is_wanted_more() {
        assert!(prefers_html("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
        assert!(!prefers_html("application/json, text/html;q=0.5"));
        assert!(!prefers_html("*/*"));
        assert!(!prefers_html("text/event-stream, text/html"));
        assert!(!prefers_html(""));
    }

    #[test]
    fn grpc_messages_are_percent_encoded() {
        assert_eq!(percent_encoded("50% 是\n"), "50%25 %E6%98%AF%0A");
    }
}
