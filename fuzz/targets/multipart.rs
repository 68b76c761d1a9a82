//! A multipart body, well formed or not: it is read within its budget, and what is found in it can be cut out.

#![no_main]

use bytes::Bytes;
use exeat::{
    budget::Budget,
    content::extract,
    text::{Edit, Span},
};
use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], u16, u16)| {
    let (body, start, len) = (Bytes::copy_from_slice(input.0), usize::from(input.1), usize::from(input.2));
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("multipart/form-data; boundary=b"));
    let document = extract("/", &headers, &body, &mut Budget::new(1 << 20, None), &mut Vec::new());
    for (segment, read) in document.segments().iter().enumerate() {
        let Some(span) = Span::of(&read.text, start, start + len) else { continue };
        let _ = (document.place(segment, span), document.field(segment, span));
        let edit = Edit { segment, span, replacement: "[\"redacted\"]".to_owned() };
        if let Ok(rewritten) = document.rewrite(&[edit]) {
            // Base64 and quoted-printable make a part longer, at most threefold.
            assert!(rewritten.body.is_none_or(|changed| changed.len() <= 3 * body.len() + 256));
        }
    }
});
