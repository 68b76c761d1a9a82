//! What the targets of body formats share.

use bytes::Bytes;
use exeat::{
    budget::Budget,
    content::extract,
    text::{Edit, Span},
};
use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};

/// A body, and the start and length of what is cut out of each of its texts.
pub type Input<'a> = (&'a [u8], u16, u16);

/// Reads the body as `media_type`, cuts one place out of each of its texts, and hands the body and what became of it to `check`.
pub fn cut(media_type: &'static str, input: Input<'_>, check: impl Fn(&[u8], &[u8])) {
    let (body, start, len) = (Bytes::copy_from_slice(input.0), usize::from(input.1), usize::from(input.2));
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    let document = extract("/", &headers, &body, &mut Budget::new(1 << 20, None), &mut Vec::new());
    for (segment, read) in document.segments().iter().enumerate() {
        let Some(span) = Span::of(&read.text, start, start + len) else { continue };
        let _ = (document.place(segment, span), document.field(segment, span));
        let edit = Edit { segment, span, replacement: "[\"redacted\"]".to_owned() };
        if let Ok(rewritten) = document.rewrite(&[edit])
            && let Some(changed) = rewritten.body
        {
            check(&body, &changed);
        }
    }
}
