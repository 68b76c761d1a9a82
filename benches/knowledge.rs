//! What it costs to know a company: 10 million cells and 100,000 documents, beside the rules alone.
//!
//! `cargo bench --bench knowledge -- --quick`. One thread; everything is made here, the same every time, and takes a minute and some GB to make.

#![expect(missing_docs, reason = "criterion's macros make undocumented functions")]
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a bench that cannot make its text should stop")]

mod random;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use exeat::{
    detect::Detectors,
    knowledge::{
        Knowledge, TableBuilder, Thresholds,
        build::{NewDocument, PackBuilder, Reading},
        forms,
        pack::{Section, Source, SourceKind},
        seal::{self, Key, Keyring, SigningKey},
        signer::Signers,
    },
};
use random::Random;
use std::{hint::black_box, sync::Arc, time::Duration};

criterion_group!(benches, knowledge);
criterion_main!(benches);

const ROWS: u64 = 1_000_000;
/// Beside the primary one.
const COLUMNS: usize = 9;
const DOCUMENTS: u64 = 100_000;
/// Of a document: some 5 KB.
const WORDS: u64 = 850;

fn knowledge(criterion: &mut Criterion) {
    let key = Key::parse(&"5a".repeat(32)).expect("a key");
    let sections = pack(&key);
    let signing = SigningKey::random().expect("random numbers");
    let sealed = seal::seal(&key, &signing, sections).expect("sealed");
    let keyring = Keyring { key: key.clone(), signers: Signers::new(vec![signing.signer()]) };
    let load = || {
        let opened = seal::open(&keyring, &mut sealed.clone()).expect("opened");
        opened.pack().expect("a pack")
    };
    let pack = load();
    println!("pack: {:.1} MB on the disk, {:.1} MB in memory", sealed.len() as f64 / 1e6, pack.bytes() as f64 / 1e6);
    let mut group = criterion.benchmark_group("load");
    group.sample_size(10).measurement_time(Duration::from_secs(5));
    group.bench_function("10 M cells, 100,000 documents", |bencher| bencher.iter(load));
    group.finish();

    let rules = || Detectors::embedded().expect("the shipped rules");
    let taught = rules().with_knowledge(Arc::new(Knowledge::new(key.digester(), vec![pack], Thresholds::default())));
    let rules = rules();
    let mut random = Random(99);
    // Words that are in the tables and documents, in other order: the hard case, where gates let much pass.
    let texts =
        [("english", prose(&mut random, 170_000)), ("chinese", chinese(&mut random, 350_000)), ("english 2 KiB", prose(&mut random, 340))];
    for (name, text) in &texts {
        let mut group = criterion.benchmark_group(*name);
        group.sample_size(10).measurement_time(Duration::from_secs(3)).throughput(Throughput::Bytes(text.len() as u64));
        for (what, detectors) in [("rules", &rules), ("rules and knowledge", &taught)] {
            let found = detectors.scan(text).findings.iter().filter(|finding| finding.label.is_under("company")).count();
            println!("{name}, {what}: {found} of the company's found in {} bytes", text.len());
            group.bench_with_input(BenchmarkId::from_parameter(what), text, |bencher, text| {
                bencher.iter(|| detectors.scan(black_box(text)))
            });
        }
        group.finish();
    }
}

fn pack(key: &Key) -> Vec<Section> {
    let digester = key.digester();
    let mut random = Random(1);
    let mut table = TableBuilder::new(COLUMNS);
    for row in 0..ROWS {
        let name = forms(&digester, &format!("{} {}", random.word(), random.word()));
        let mut others = Vec::new();
        for column in 0..COLUMNS {
            let cell = match column % 3 {
                0 => format!("139{:08}", random.below(100_000_000)),
                1 => format!("{} {} {row}", random.word(), random.word()),
                _ => format!("{} {} {} {}", random.word(), random.word(), random.word(), random.word()),
            };
            others.extend(forms(&digester, &cell).first().map(|form| (column, *form)));
        }
        table.row(&name, &others);
    }
    let mut builder = PackBuilder::new(digester, "bench");
    let source = |kind| Source { id: "0".to_owned(), kind, content: String::new(), count: ROWS };
    builder.table(source(SourceKind::Table), table);
    for id in 0..DOCUMENTS {
        let text = prose(&mut random, WORDS);
        builder.document(&NewDocument { id, source: 0, content: id, text: &text, reading: Reading::Prose });
    }
    builder.note(source(SourceKind::Documents));
    builder.finish("2026-01-01T00:00:00Z".to_owned())
}

/// Words of a vocabulary of 30,000, common ones more often.
fn prose(random: &mut Random, words: u64) -> String {
    let mut text = String::new();
    for word in 0..words {
        text += &random.word();
        text += if word % 12 == 11 { ". " } else { " " };
    }
    text
}

fn chinese(random: &mut Random, characters: u64) -> String {
    (0..characters)
        .map(|at| {
            if at % 14 == 13 { '，' } else { char::from_u32(0x4E00 + (random.below(60) * random.below(60)) as u32).expect("a character") }
        })
        .collect()
}

impl Random {
    fn word(&mut self) -> String {
        const SYLLABLES: [&str; 31] = [
            "ba", "co", "di", "fu", "ge", "ho", "ja", "ki", "lu", "me", "no", "pa", "qui", "ro", "su", "ta", "ve", "wi", "xo", "ya", "zen",
            "tion", "ing", "er", "al", "ment", "st", "re", "in", "de", "con",
        ];
        // The product of two even numbers is uneven, as words are.
        let number = (self.below(173) * self.below(173)) as usize;
        [SYLLABLES[number % 31], SYLLABLES[number / 31 % 31], SYLLABLES[number / 961 % 31]].concat()
    }
}
