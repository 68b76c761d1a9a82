//! How fast bodies become text.

#![expect(missing_docs, reason = "criterion's macros make undocumented functions")]

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use exeat::{budget::Budget, content};
use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use std::hint::black_box;

const MIB: usize = 1 << 20;

fn extract(criterion: &mut Criterion) {
    let sentence = "The quick brown fox jumps over the lazy dog, again and again, until the page is full. ";
    let chinese = "春江潮水连海平，海上明月共潮生。";
    let chat = |text: &str| format!("{{\"role\":\"user\",\"content\":\"{}\"}},", text.repeat(4096 / text.len()));
    let messages = |text: &str| format!("{{\"model\":\"m\",\"messages\":[{}{{}}]}}", chat(text).repeat(MIB / chat(text).len()));
    let record = "{\"id\":123456,\"name\":\"alice\",\"active\":true,\"tags\":[\"a\",\"b\"]},";
    let bodies = [
        ("json, chat", "application/json", messages(sentence)),
        ("json, chat with line breaks", "application/json", messages(&sentence.replace(", ", ",\\n"))),
        ("json, chat in Chinese", "application/json", messages(chinese)),
        ("json, records", "application/json", format!("[{}0]", record.repeat(MIB / record.len()))),
        (
            "form",
            "application/x-www-form-urlencoded",
            format!("text={}", sentence.replace(' ', "+").replace(',', "%2C").repeat(MIB / sentence.len())),
        ),
        ("xml", "text/xml", format!("<r>{}</r>", format!("<p a=\"1\">{sentence}&amp;</p>").repeat(MIB / 100))),
        ("text", "text/plain", sentence.repeat(MIB / sentence.len())),
    ];
    let mut group = criterion.benchmark_group("extract");
    for (name, content_type, body) in bodies {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))]);
        let body = Bytes::from(body);
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let document = content::extract("/", &headers, &body, &mut Budget::new(64 * MIB, None), &mut Vec::new());
                black_box(document.segments().len())
            });
        });
    }
    let body = Bytes::from(
        (0..MIB)
            .scan(1u32, |x, _| {
                *x = x.wrapping_mul(1664525).wrapping_add(1013904223);
                Some((*x >> 24) as u8)
            })
            .collect::<Vec<u8>>(),
    );
    let headers = HeaderMap::new();
    group.throughput(Throughput::Bytes(MIB as u64));
    group.bench_function("noise", |bencher| {
        bencher.iter(|| content::extract("/", &headers, &body, &mut Budget::new(64 * MIB, None), &mut Vec::new()).segments().len());
    });
    group.finish();
}

criterion_group!(benches, extract);
criterion_main!(benches);
