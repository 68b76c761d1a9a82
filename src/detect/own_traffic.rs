//! What sites and apps send about themselves: a sign-in is not a leak, nor is a signed link.

use super::{
    quiet::{Reason, Seen},
    rule::Traffic,
};
use crate::{
    content::{Document, Field},
    text::{Place, Span, Syntax},
};

/// Whether the value is what a site sends about itself, in its own place.
pub(super) fn own_traffic(seen: &Seen<'_>, document: &Document<'_>, segment: usize, span: Span) -> Option<Reason> {
    let source = document.segments().get(segment)?;
    let secret = seen.rule.label.is_under("secret");
    let session = seen.rule.traffic == Traffic::Session;
    if (secret || session) && !matches!(source.syntax, Syntax::Plain | Syntax::Raw) {
        let text = span.slice(&source.text);
        // `"password": "x"` as a whole: what counts is the value.
        let value = text.rfind([':', '=']).map_or(0, |at| at + 1);
        let value = value + text.get(value..)?.len() - text.get(value..)?.trim_start_matches([' ', '"', '\'', '\n', '\t']).len();
        let value_end = text.trim_end_matches([' ', '"', '\'', ',', '\n']).len();
        let tail = Span::of(&source.text, span.start() + value, span.start() + value_end);
        let fields = [Some(span), tail].into_iter().flatten().filter_map(|span| document.field(segment, span));
        let signs_in = |name: &str| is_oauth_parameter(name) || (session && !is_free_text(name));
        // A rule may end where a password goes on, at an "&" or a quote in it; the field says what it is all the same.
        let is_own = |field: Field| field.whole && signs_in(&field.name) || session && is_password(&field.name);
        if fields.into_iter().any(is_own) {
            return Some(Reason::SignIn);
        }
    }
    let in_link = match &source.place {
        Place::Url => true,
        Place::Header(name) => name == "referer",
        Place::Body | Place::Part(_) => false,
    };
    if in_link && secret && is_signing_parameter(parameter(&source.text, span)?) {
        return Some(Reason::SignedLink);
    }
    None
}

/// What an app proves itself with at a token endpoint (RFC 6749 sections 2.3.1 and 6, RFC 7521 section 4, RFC 8693 section 2.1).
fn is_oauth_parameter(name: &str) -> bool {
    const NAMES: [&str; 6] = ["assertion", "client_assertion", "client_secret", "code_verifier", "refresh_token", "subject_token"];
    NAMES.contains(&name)
}

/// Whether a field of this name takes a password and nothing else.
fn is_password(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["passw", "pwd", "passcode", "passphrase", "密码", "口令"].iter().any(|part| name.contains(part)) || name == "pass"
}

/// Whether people type into fields of this name: a token that is pasted into a chat as the whole message signs nobody in.
fn is_free_text(name: &str) -> bool {
    const NAMES: [&str; 23] = [
        "body",
        "caption",
        "chat",
        "comment",
        "content",
        "description",
        "input",
        "message",
        "messages",
        "msg",
        "note",
        "notes",
        "parts",
        "post",
        "prompt",
        "q",
        "query",
        "question",
        "reply",
        "subject",
        "summary",
        "text",
        "title",
    ];
    NAMES.contains(&name.to_ascii_lowercase().trim_end_matches("[]"))
}

/// The name of the query parameter in whose value `span` lies.
fn parameter(url: &str, span: Span) -> Option<&str> {
    // The match may begin with the name itself.
    let equals =
        url.get(..span.end())?.rfind('=').filter(|equals| url.get(*equals..span.start()).is_none_or(|between| !between.contains('&')))?;
    let name = url.get(..equals)?;
    let start = name.rfind(['?', '&', '#', ';'])? + 1;
    name.get(start..)
}

/// Names of parameters that carry keys, signatures and tickets of a link (AWS, Google, Azure, Alibaba, Tencent, OAuth).
fn is_signing_parameter(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    const PREFIXES: [&str; 5] = ["x-amz-", "x-goog-", "x-oss-", "x-cos-", "q-"];
    const NAMES: [&str; 32] = [
        "awsaccesskeyid",
        "ossaccesskeyid",
        "googleaccessid",
        "key-pair-id",
        "key",
        "api_key",
        "apikey",
        "appkey",
        "ak",
        "sig",
        "sign",
        "signature",
        "token",
        "access_token",
        "id_token",
        "refresh_token",
        "auth_token",
        "auth_key",
        "code",
        "state",
        "nonce",
        "ticket",
        "session",
        "sessionid",
        "sid",
        "jwt",
        "policy",
        "security-token",
        "upload_token",
        "csrf_token",
        "hmac",
        "client_secret",
    ];
    PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || NAMES.contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_links_are_named() {
        let url = "/o?q=hello&X-Amz-Credential=AKIA1/x&b=1";
        let start = url.find("AKIA").expect("value");
        let name = parameter(url, Span::of(url, start, start + 5).expect("span")).expect("name");
        assert!(is_signing_parameter(name), "{name}");
        assert!(!is_signing_parameter(parameter(url, Span::of(url, 5, 8).expect("span")).expect("name")));
        assert_eq!(parameter(url, Span::of(url, 1, 2).expect("span")), None);
    }
}
