//! The whole inspection of one message, as the proxy calls it: decode, extract, detect, decide, redact.

#![expect(missing_docs, clippy::expect_used, reason = "criterion's macros make undocumented functions; a bench that cannot start says so")]

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use exeat::{
    detect::Detectors,
    inspect::{Inspector, Limits, Message, Readers},
    policy::Policy,
    redact::DigestKey,
};
use http::{HeaderMap, HeaderValue, Method, header::CONTENT_TYPE};
use std::{hint::black_box, net::IpAddr, sync::Arc, time::Duration};

/// A chat request of about `size` bytes around `message`.
fn chat(size: usize, message: &str) -> Bytes {
    let line = "We met on Tuesday and moved the release to the third week; the forecast for the north is due then.\\n";
    let filler = line.repeat(size / line.len());
    format!(r#"{{"model":"m","messages":[{{"role":"user","content":"{filler}{message}"}}]}}"#).into()
}

fn inspect(criterion: &mut Criterion) {
    let detectors = Arc::new(Detectors::embedded().expect("the shipped rules"));
    let limits = Limits { max_bytes: 16 << 20, deadline: Duration::from_secs(10), tokens: 8192 };
    let inspector = Inspector::new(Readers::new(detectors), Policy::embedded(), DigestKey::new([7; 32]), limits);
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    let hosts = ["assistant.example".to_owned()];
    let mut group = criterion.benchmark_group("inspect");
    for (name, size, message) in [
        ("clean 1 KiB", 1 << 10, ""),
        ("clean 16 KiB", 16 << 10, ""),
        ("clean 1 MiB", 1 << 20, ""),
        ("redacted 1 KiB", 1 << 10, "charge my visa card 4539 5787 6362 1486 today"),
    ] {
        let body = chat(size, message);
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                inspector.inspect(black_box(&Message {
                    client: IpAddr::from([127, 0, 0, 1]),
                    user: None,
                    hosts: &hosts,
                    method: &Method::POST,
                    target: "/v1/chat",
                    headers: &headers,
                    body: &body,
                }))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, inspect);
criterion_main!(benches);
