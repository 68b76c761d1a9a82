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
            Self::Push => return push(notice, facts, &Push::default()),
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

/// What a push asks for: the start of its content (gitprotocol-pack, "Reference Update Request").
#[derive(Debug, Default)]
pub(super) struct Push<'a> {
    refs: Vec<&'a str>,
    capabilities: Option<&'a str>,
}

impl<'a> Push<'a> {
    /// Reads the commands; what cannot be read is left out, the answer is only less precise then.
    pub(super) fn parse(mut content: &'a [u8]) -> Self {
        let mut push = Self::default();
        while let Some((length, rest)) = content.split_first_chunk::<4>() {
            let Some(length) = std::str::from_utf8(length).ok().and_then(|text| usize::from_str_radix(text, 16).ok()) else { break };
            let Some((line, rest)) = length.checked_sub(4).and_then(|length| rest.split_at_checked(length)) else { break };
            content = rest;
            let line = std::str::from_utf8(line).unwrap_or_default().trim_end_matches('\n');
            let (command, capabilities) = line.split_once('\0').map_or((line, None), |(command, rest)| (command, Some(rest)));
            push.capabilities = push.capabilities.or(capabilities);
            // old new name
            let mut words = command.splitn(3, ' ');
            if let (Some(_), Some(_), Some(name)) = (words.next(), words.next(), words.next()) {
                push.refs.push(name);
            }
        }
        push
    }

    /// git has negotiated side bands and reports for more than ten years; without the commands it is taken to have.
    fn can(&self, capability: &str) -> bool {
        self.capabilities.is_none_or(|all| all.split(' ').any(|word| word == capability))
    }
}

/// The answer to a push: the words on side band 2, which git shows after `remote:`, then the report that every ref was rejected.
pub(super) fn push(notice: &Notice<'_>, facts: &RequestFacts<'_>, push: &Push<'_>) -> Rendered {
    let mut body = Vec::new();
    let banded = push.can("side-band-64k");
    if banded {
        for language in languages(Language::asked(facts.headers)) {
            for line in notice.lines(language) {
                packet(&mut body, &[&[2], line.as_bytes(), b"\n"]);
            }
        }
    }
    let reason = notice.reason_phrase();
    let mut report = Vec::new();
    if push.can("report-status") || push.can("report-status-v2") {
        // "unpack ok" although nothing was unpacked: then git names each ref with its reason, and only then.
        let unpack = if push.refs.is_empty() { reason.as_str() } else { "ok" };
        packet(&mut report, &[b"unpack ", unpack.as_bytes(), b"\n"]);
        for name in &push.refs {
            packet(&mut report, &[b"ng ", name.as_bytes(), b" ", reason.as_bytes(), b"\n"]);
        }
        report.extend_from_slice(b"0000");
    }
    if banded {
        for part in report.chunks(MOST - 1) {
            packet(&mut body, &[&[1], part]);
        }
        body.extend_from_slice(b"0000");
    } else {
        body.extend_from_slice(&report);
    }
    Rendered { status: StatusCode::OK, content_type: "application/x-git-receive-pack-result", language: None, body, headers: Vec::new() }
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
    fn the_commands_of_a_push_are_read_as_far_as_they_go() {
        let zero = "0".repeat(40);
        let mut content = Vec::new();
        packet(&mut content, &[format!("{zero} {zero} refs/heads/a\0 report-status side-band-64k").as_bytes()]);
        packet(&mut content, &[format!("{zero} {zero} refs/heads/b\n").as_bytes()]);
        let whole = content.len();
        content.extend_from_slice(b"0000PACK\0\0\0\x02");
        let push = Push::parse(&content);
        assert_eq!(push.refs, ["refs/heads/a", "refs/heads/b"]);
        assert!(push.can("side-band-64k") && !push.can("report-status-v2"));
        assert_eq!(Push::parse(&content[..whole - 1]).refs, ["refs/heads/a"]);
        assert!(Push::parse(b"zzzz").can("report-status"));
    }

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
