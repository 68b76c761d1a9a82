//! Answers that git shows (gitprotocol-http, gitprotocol-pack): git hides the body of any status but 200.

use super::{Language, Rendered, RequestFacts, notice::Notice};
use http::{StatusCode, header};

/// What git was about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exchange {
    /// `GET .../info/refs?service=...`, the start of both.
    Advertisement(Service),
    /// `POST .../git-receive-pack`: a push.
    Push,
    /// `POST .../git-upload-pack`: a fetch.
    Fetch,
    /// Git LFS's JSON API.
    Lfs,
}

/// A service of the smart protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    ReceivePack,
    UploadPack,
}

impl Exchange {
    pub(super) fn of(facts: &RequestFacts<'_>) -> Option<Self> {
        let content_type = facts.header(header::CONTENT_TYPE);
        if content_type.starts_with("application/vnd.git-lfs+json") || facts.header(header::ACCEPT).contains("application/vnd.git-lfs+json")
        {
            return Some(Self::Lfs);
        }
        match content_type {
            "application/x-git-receive-pack-request" => return Some(Self::Push),
            "application/x-git-upload-pack-request" => return Some(Self::Fetch),
            _ => {}
        }
        if !facts.uri.path().ends_with("/info/refs") {
            return None;
        }
        match facts.uri.query().unwrap_or_default() {
            "service=git-receive-pack" => Some(Self::Advertisement(Service::ReceivePack)),
            "service=git-upload-pack" => Some(Self::Advertisement(Service::UploadPack)),
            _ => None,
        }
    }

    pub(super) fn render(self, notice: &Notice<'_>, facts: &RequestFacts<'_>) -> Rendered {
        // git sends Accept-Language by the user's locale.
        let asked = Language::asked(facts.headers);
        if self == Self::Lfs {
            return lfs(notice, asked);
        }
        if notice.status == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
            // git answers this one itself, from the status.
            return Rendered { status: notice.status, content_type: "text/plain", language: None, body: Vec::new(), headers: Vec::new() };
        }
        let mut body = Vec::new();
        let content_type = match self {
            Self::Push => {
                for language in languages(asked) {
                    for line in notice.lines(language) {
                        side_band(&mut body, 2, &format!("{line}\n"));
                    }
                }
                side_band(&mut body, 3, &notice.reason_phrase());
                body.extend_from_slice(b"0000");
                "application/x-git-receive-pack-result"
            }
            Self::Fetch | Self::Lfs => {
                packet(&mut body, &[b"ERR ", joined(notice, asked).as_bytes()]);
                "application/x-git-upload-pack-result"
            }
            Self::Advertisement(service) => {
                let (line, content_type) = match service {
                    Service::ReceivePack => ("# service=git-receive-pack\n", "application/x-git-receive-pack-advertisement"),
                    Service::UploadPack => ("# service=git-upload-pack\n", "application/x-git-upload-pack-advertisement"),
                };
                packet(&mut body, &[line.as_bytes()]);
                body.extend_from_slice(b"0000");
                packet(&mut body, &[b"ERR ", joined(notice, asked).as_bytes()]);
                content_type
            }
        };
        Rendered { status: StatusCode::OK, content_type, language: None, body, headers: Vec::new() }
    }
}

fn languages(asked: Option<Language>) -> Vec<Language> {
    asked.map_or_else(|| vec![Language::English, Language::Chinese], |language| vec![language])
}

fn joined(notice: &Notice<'_>, asked: Option<Language>) -> String {
    notice.in_asked(asked).replace('\n', " ")
}

/// The longest payload of a pkt-line.
const MOST: usize = 65516;

/// Appends a pkt-line: four hex digits of the whole length, then the payload.
fn packet(out: &mut Vec<u8>, parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut left = length.min(MOST);
    out.extend_from_slice(format!("{:04x}", left + 4).as_bytes());
    for part in parts {
        let part = part.get(..left.min(part.len())).unwrap_or_default();
        out.extend_from_slice(part);
        left -= part.len();
    }
}

/// Appends a message on a side band: 2 is shown after `remote:`, 3 also ends the exchange as failed.
fn side_band(out: &mut Vec<u8>, band: u8, text: &str) {
    packet(out, &[&[band], text.as_bytes()]);
}

/// The error object of the LFS API: the client prints `message`.
fn lfs(notice: &Notice<'_>, asked: Option<Language>) -> Rendered {
    let body = serde_json::json!({ "message": notice.in_asked(asked), "request_id": notice.request_id });
    Rendered {
        status: notice.status,
        content_type: "application/vnd.git-lfs+json",
        language: None,
        body: body.to_string().into_bytes(),
        headers: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_counts_its_own_length() {
        let mut out = Vec::new();
        packet(&mut out, &[b"ERR ", b"no"]);
        assert_eq!(out, b"000aERR no");
        let mut long = Vec::new();
        packet(&mut long, &[&[b'x'; 70_000]]);
        assert_eq!(long.len(), MOST + 4);
    }
}
