//! Header values with parameters (RFC 9110, 5.6.6): `Content-Type`, `Content-Disposition`.

use std::{borrow::Cow, ops::Range};

/// A media type, as declared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct MediaType {
    /// `type/subtype` in lower case.
    essence: String,
    boundary: Option<String>,
    charset: Option<String>,
}

impl MediaType {
    /// What `value`, a `Content-Type`, declares.
    pub(super) fn parse(value: &str) -> Self {
        let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let find = |name: &str| {
            let param = params(value).into_iter().find(|param| param.name.eq_ignore_ascii_case(name))?;
            Some(param.text(value).into_owned())
        };
        Self { boundary: find("boundary"), charset: find("charset"), essence }
    }

    /// The boundary of a multipart type.
    pub(super) fn boundary(&self) -> Option<&str> {
        self.boundary.as_deref().filter(|boundary| !boundary.is_empty() && self.essence.starts_with("multipart/"))
    }

    /// The declared charset.
    pub(super) fn charset(&self) -> Option<&str> {
        self.charset.as_deref()
    }

    /// Whether it claims JSON, of whatever kind.
    pub(super) fn is_json(&self) -> bool {
        let subtype = self.essence.split_once('/').map_or("", |(_, subtype)| subtype);
        subtype.ends_with("+json")
            || matches!(
                subtype,
                "json" | "x-json" | "json5" | "ndjson" | "x-ndjson" | "jsonl" | "x-jsonlines" | "jsonlines" | "json-seq" | "csp-report"
            )
            || subtype.starts_with("x-amz-json")
    }

    /// Whether it claims XML, HTML aside.
    pub(super) fn is_xml(&self) -> bool {
        self.essence.ends_with("+xml") || matches!(self.essence.as_str(), "application/xml" | "text/xml" | "application/xml-dtd")
    }

    /// Whether it claims HTML.
    pub(super) fn is_html(&self) -> bool {
        self.essence == "text/html"
    }

    /// Whether it claims a urlencoded form.
    pub(super) fn is_form(&self) -> bool {
        self.essence == "application/x-www-form-urlencoded"
    }

    /// Whether it claims what `git push` sends.
    pub(super) fn is_git_push(&self) -> bool {
        self.essence == "application/x-git-receive-pack-request"
    }

    /// Whether it claims what `git fetch` sends.
    pub(super) fn is_git_fetch(&self) -> bool {
        self.essence == "application/x-git-upload-pack-request"
    }

    /// Whether it claims gRPC, and if so, whether it is armoured as text.
    pub(super) fn grpc(&self) -> Option<Grpc> {
        if self.essence.starts_with("application/grpc-web-text") {
            Some(Grpc::Text)
        } else if self.essence.starts_with("application/grpc") || self.essence.starts_with("application/connect+") {
            Some(Grpc::Binary)
        } else {
            None
        }
    }
}

/// How gRPC frames are carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grpc {
    /// As they are.
    Binary,
    /// In base64.
    Text,
}

/// A parameter of a header value.
pub(super) struct Param<'a> {
    /// Its name as written; one that ends in `*` holds an extended value (RFC 8187).
    pub(super) name: &'a str,
    /// Where its value stands in the header value, without quotes.
    pub(super) value: Range<usize>,
    quoted: bool,
}

impl Param<'_> {
    /// The value with the backslashes of a quoted string taken off.
    pub(super) fn text<'a>(&self, header: &'a str) -> Cow<'a, str> {
        let raw = header.get(self.value.clone()).unwrap_or_default();
        if !self.quoted || !raw.contains('\\') {
            return raw.into();
        }
        let mut text = String::with_capacity(raw.len());
        let mut chars = raw.chars();
        while let Some(char) = chars.next() {
            // Browsers do not escape, so a backslash before anything but a quote or itself is one of a Windows path.
            match (char, chars.as_str().chars().next()) {
                ('\\', Some(next @ ('"' | '\\'))) => {
                    text.push(next);
                    chars.next();
                }
                _ => text.push(char),
            }
        }
        text.into()
    }
}

/// The parameters of a header value: `; name=value`, the value a token or a quoted string.
pub(super) fn params(header: &str) -> Vec<Param<'_>> {
    let mut params = Vec::new();
    let mut at = header.find(';').unwrap_or(header.len());
    while let Some(rest) = header.get(at..).and_then(|rest| rest.strip_prefix(';')) {
        at += 1;
        let name_len = rest.find(['=', ';']).unwrap_or(rest.len());
        let name = rest.get(..name_len).unwrap_or_default().trim();
        at += name_len;
        let Some(value) = header.get(at..).and_then(|rest| rest.strip_prefix('=')) else { continue };
        let indent = value.len() - value.trim_start().len();
        let start = at + 1 + indent;
        let value = value.trim_start();
        let (range, quoted) = match value.strip_prefix('"') {
            Some(inside) => {
                let len = quoted_len(inside);
                (start + 1..start + 1 + len, true)
            }
            None => {
                let token = value.get(..value.find(';').unwrap_or(value.len())).unwrap_or_default();
                (start..start + token.trim_end().len(), false)
            }
        };
        at = header.get(range.end..).and_then(|rest| rest.find(';')).map_or(header.len(), |found| range.end + found);
        params.push(Param { name, value: range, quoted });
    }
    params
}

/// The length of the inside of a quoted string up to its closing quote.
fn quoted_len(inside: &str) -> usize {
    let bytes = inside.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += match byte {
            b'"' => return at,
            b'\\' if matches!(bytes.get(at + 1), Some(b'"' | b'\\')) => 2,
            _ => 1,
        };
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_tokens_or_quoted_strings() {
        let kind = MediaType::parse("Multipart/Form-Data; charset=utf-8 ;x; boundary=\"a;b\\\"c\"");
        assert_eq!((kind.essence.as_str(), kind.boundary(), kind.charset()), ("multipart/form-data", Some("a;b\"c"), Some("utf-8")));
        let header = "form-data; name=\"a\"; filename=\"C:\\new\\x.txt\"; filename*=UTF-8''%e4";
        let texts: Vec<_> = params(header).iter().map(|param| (param.name, param.text(header).into_owned())).collect();
        assert_eq!(texts, [("name", "a".into()), ("filename", "C:\\new\\x.txt".into()), ("filename*", "UTF-8''%e4".into())]);
    }

    #[test]
    fn broken_values_do_not_hang_or_panic() {
        for header in ["", ";", ";;", "a;=", "a;b=\"", "a;b=\"\\", "a; b = c ; d", ";\"=;"] {
            params(header);
            MediaType::parse(header);
        }
    }

    #[test]
    fn json_goes_by_many_names() {
        for name in [
            "application/json",
            "application/vnd.api+json; charset=utf-8",
            "application/x-ndjson",
            "application/x-amz-json-1.1",
            "text/json",
        ] {
            assert!(MediaType::parse(name).is_json(), "{name}");
        }
        assert!(!MediaType::parse("text/plain").is_json());
    }
}
