//! The model on one core: `RAYON_NUM_THREADS` plays no part, since it keeps to one thread for each message.
//!
//! `cargo bench --bench model`

#![expect(
    missing_docs,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "criterion's macros make undocumented functions; a bench that cannot start says so"
)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use exeat::{
    budget::Budget,
    content::Document,
    detect::{Detection, model::Model},
};
use std::hint::black_box;

/// Sentences in both languages, each different, so that none is known.
fn sentence(number: usize) -> String {
    let names = ["Margaret", "Samuel", "Priya", "Tomas", "李娜", "王建国", "陈晓明"];
    let name = names[number % names.len()];
    if number.is_multiple_of(2) {
        format!("On day {number} we met {name} at the office by the river and talked about the plan for the next quarter. ")
    } else {
        format!("第{number}天我们在河边的办公室见了{name}，讨论了下个季度的计划和预算安排，大家都很认真。")
    }
}

/// A text of about `tokens` tokens that begins with `seed`.
fn text(seed: usize, tokens: usize) -> String {
    // About 24 tokens a sentence.
    (0..tokens.div_ceil(24)).map(|at| sentence(seed * 1000 + at)).collect()
}

fn read(model: &Model, text: &str) -> usize {
    let mut detection = Detection::default();
    model.read(&Document::plain(text), None, &mut detection, &mut Budget::new(usize::MAX, None));
    detection.findings.len()
}

fn model(criterion: &mut Criterion) {
    let model = Model::embedded(1).expect("the shipped model");
    let mut group = criterion.benchmark_group("model");
    let mut seed = 0;
    for (name, tokens) in [("32 tokens", 32), ("128 tokens", 128), ("8,000 tokens", 8000)] {
        let before = model.readings().tokens;
        read(&model, &text(seed, tokens));
        group.throughput(Throughput::Elements(model.readings().tokens - before));
        group.bench_function(name, |bencher| {
            bencher.iter_batched_ref(
                || {
                    seed += 1;
                    text(seed, tokens)
                },
                |text| read(&model, black_box(text)),
                criterion::BatchSize::SmallInput,
            );
        });
    }
    let chat = text(0, 8000);
    read(&model, &chat);
    group.throughput(Throughput::Elements(1));
    group.bench_function("8,000 tokens sent again with a sentence more", |bencher| {
        bencher.iter_batched_ref(
            || {
                seed += 1;
                format!("{chat}\n\n{}", sentence(seed * 1000))
            },
            |text| read(&model, black_box(text)),
            criterion::BatchSize::SmallInput,
        );
    });
    group.finish();
    criterion.bench_function("model/load", |bencher| bencher.iter(|| Model::embedded(1).expect("the shipped model")));
}

criterion_group! { name = benches; config = Criterion::default().sample_size(20); targets = model }
criterion_main!(benches);
