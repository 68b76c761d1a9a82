//! Whatever a body is said to be coded in: decoding ends, within its budget, and what was decoded can be coded again.

#![no_main]

use bytes::Bytes;
use exeat::{
    budget::Budget,
    content::{Rewritten, decode, encode},
};
use http::{HeaderMap, HeaderValue, header::CONTENT_ENCODING};
use libfuzzer_sys::fuzz_target;

const BUDGET: usize = 1 << 20;

fuzz_target!(|input: (u8, &[u8])| {
    let (coding, body) = input;
    let codings = ["gzip", "deflate", "br", "zstd", "gzip, br", "deflate, zstd, gzip", "identity"];
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static(codings[usize::from(coding) % codings.len()]));
    let coded = Bytes::copy_from_slice(body);
    if let Ok(plain) = decode(&headers, &coded, &mut Budget::new(BUDGET, None)) {
        let rewritten = Rewritten { body: Some(plain.clone()), ..Rewritten::default() };
        let again = encode(&headers, rewritten).expect("a coding that was decoded").body.expect("a body");
        let back = decode(&headers, &again, &mut Budget::new(2 * BUDGET, None)).expect("what we coded");
        assert_eq!(back, plain);
    }
});
