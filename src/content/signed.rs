//! Requests that the client signed: a change would break the signature, so they are refused with that reason instead.

use super::{RewriteError, Rewritten};
use http::{HeaderMap, header::AUTHORIZATION};

/// Headers that hold a digest of, or a signature over, the body.
const OVER_BODY: [&str; 24] = [
    "content-digest",
    "repr-digest",
    "digest",
    "content-md5",
    "signature-input",
    "signature",
    "x-signature",
    "x-sign",
    "x-hub-signature",
    "x-hub-signature-256",
    "x-ca-signature",
    "x-amz-checksum-crc32",
    "x-amz-checksum-crc32c",
    "x-amz-checksum-crc64nvme",
    "x-amz-checksum-sha1",
    "x-amz-checksum-sha256",
    "x-goog-hash",
    "x-oss-content-sha256",
    "x-oss-hash-crc64ecma",
    "x-cos-content-sha1",
    "x-bce-content-sha256",
    "x-ms-content-sha256",
    "x-ms-content-crc64",
    "x-acs-content-sha256",
];

/// What an `Authorization` begins with that signs the request: SigV4 of AWS and its likes at Google, Alibaba, Tencent,
/// Huawei, Volcengine, Baidu and Azure.
const SCHEMES: [&str; 15] = [
    "aws4-",
    "aws ",
    "goog4-",
    "goog1 ",
    "oss ",
    "oss4-",
    "obs ",
    "cos ",
    "q-sign-algorithm=",
    "acs3-",
    "tc3-",
    "sdk-hmac-",
    "hmac-sha256",
    "bce-auth-v1",
    "sharedkey",
];

/// Query parameters of a URL that is itself signed.
const IN_QUERY: [&str; 8] = [
    "x-amz-signature=",
    "x-goog-signature=",
    "x-oss-signature=",
    "q-signature=",
    "x-tos-signature=",
    "x-obs-signature=",
    "ossaccesskeyid=",
    "awsaccesskeyid=",
];

/// Refuses `rewritten` if a signature or digest covers what it changes.
///
/// # Errors
/// [`RewriteError::Signed`]
pub(super) fn check(target: &str, headers: &HeaderMap, rewritten: &Rewritten) -> Result<(), RewriteError> {
    let authorization =
        headers.get_all(AUTHORIZATION).iter().filter_map(|value| value.to_str().ok()).map(str::to_ascii_lowercase).find(|value| {
            // `Authorization: Signature ...` is the draft that became HTTP Message Signatures.
            SCHEMES.iter().any(|scheme| value.starts_with(scheme)) || value.starts_with("signature ")
        });
    let query = target.split_once('?').map_or("", |(_, query)| query).to_ascii_lowercase();
    let signed_url = query.split('&').any(|pair| IN_QUERY.iter().any(|name| pair.starts_with(name)));
    let signature_input = headers.get("signature-input").is_some();

    let body = rewritten.body.is_some()
        && (signs_body(headers, authorization.as_deref()) || OVER_BODY.iter().any(|name| headers.contains_key(*name)));
    let target = rewritten.target.is_some() && (authorization.is_some() || signed_url || signature_input);
    let names = || rewritten.headers.iter().map(|(name, _)| name.as_str());
    let listed = |list: &str| names().any(|name| list.contains(name));
    let header = authorization.as_deref().is_some_and(listed)
        || headers.get_all("signature-input").iter().filter_map(|value| value.to_str().ok()).any(listed)
        || signed_url && !rewritten.headers.is_empty() && listed(&query);
    if body || target || header { Err(RewriteError::Signed) } else { Ok(()) }
}

/// Whether the signature in `authorization` covers the body.
fn signs_body(headers: &HeaderMap, authorization: Option<&str>) -> bool {
    // Said by the client, in so many words: the payload is not signed.
    let unsigned = |name: &str| headers.get(name).is_some_and(|value| value.as_bytes() == b"UNSIGNED-PAYLOAD");
    let declared = headers.get("x-amz-content-sha256").is_some();
    if unsigned("x-amz-content-sha256") || unsigned("x-goog-content-sha256") {
        return false;
    }
    authorization.is_some() || declared
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    fn changed(target: &str, headers: &[(&'static str, &'static str)], rewritten: &Rewritten) -> bool {
        let headers = headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect();
        check(target, &headers, rewritten).is_ok()
    }

    #[test]
    fn a_signed_body_is_not_changed() {
        let body = Rewritten { body: Some("x".into()), ..Rewritten::default() };
        for header in [
            ("content-digest", "sha-256=:x:"),
            ("content-md5", "x"),
            ("authorization", "AWS4-HMAC-SHA256 Credential=x"),
            ("authorization", "OSS id:sig"),
            ("authorization", "q-sign-algorithm=sha1&q-ak=x"),
            ("signature-input", "sig=(\"@path\")"),
            ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
        ] {
            assert!(!changed("/", &[header], &body), "{header:?}");
        }
        assert!(changed("/", &[("authorization", "Bearer AWS4-x"), ("dpop", "x")], &body));
        assert!(changed("/?X-Amz-Signature=1", &[], &body));
        let unsigned = [("authorization", "AWS4-HMAC-SHA256 Credential=x"), ("x-amz-content-sha256", "UNSIGNED-PAYLOAD")];
        assert!(changed("/", &unsigned, &body));
    }

    #[test]
    fn a_signed_url_is_not_changed() {
        let target = Rewritten { target: Some("/".into()), ..Rewritten::default() };
        assert!(!changed("/a?b=c&X-Amz-Signature=1", &[], &target));
        assert!(!changed("/a", &[("authorization", "AWS4-HMAC-SHA256 x"), ("x-amz-content-sha256", "UNSIGNED-PAYLOAD")], &target));
        assert!(changed("/a?b=c", &[("content-md5", "x")], &target));
    }

    #[test]
    fn a_signed_header_is_not_changed() {
        let header = Rewritten { headers: vec![(HeaderName::from_static("slug"), HeaderValue::from_static("x"))], ..Rewritten::default() };
        assert!(!changed("/", &[("authorization", "AWS4-HMAC-SHA256 Credential=x, SignedHeaders=host;slug, Signature=y")], &header));
        assert!(changed("/", &[("authorization", "AWS4-HMAC-SHA256 Credential=x, SignedHeaders=host, Signature=y")], &header));
    }
}
