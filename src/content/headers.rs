//! Request headers that carry text of the user's.

use http::{HeaderMap, HeaderName, HeaderValue};

/// The headers that are read, in lower case.
///
/// `Authorization`, `Cookie`, `X-Api-Key` and their likes are not among them: what they hold was given by the site, or is
/// meant for it, and signing in is not a leak.
pub const READ: [&str; 20] = [
    "referer",
    "user-agent",
    "from",
    "content-disposition",
    "content-description",
    "content-location",
    "destination",
    "slug",
    "title",
    "subject",
    "description",
    "comments",
    "x-title",
    "x-subject",
    "x-description",
    "x-file-name",
    "x-filename",
    "x-upload-filename",
    "file-name",
    "dropbox-api-arg",
];

/// How the value of a header is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A URL.
    Url,
    /// A token with parameters, of which the values are text.
    Parameters,
    /// JSON.
    Json,
    /// Text, possibly percent-encoded or in encoded words.
    Text,
}

/// How the header `name` is read.
pub(super) fn form_of(name: &HeaderName) -> Form {
    match name.as_str() {
        "referer" | "content-location" | "destination" => Form::Url,
        "content-disposition" => Form::Parameters,
        "dropbox-api-arg" => Form::Json,
        _ => Form::Text,
    }
}

/// The headers of a message that are read.
pub(super) fn readable(headers: &HeaderMap) -> Vec<(&HeaderName, &HeaderValue)> {
    headers.iter().filter(|(name, _)| READ.contains(&name.as_str()) || name.as_str().starts_with("x-amz-meta-")).collect()
}
