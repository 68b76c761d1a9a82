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
    // The words of the documents in another order, the surnames of the tables with other given names, and a customer now and then: what a
    // company's own people write.
    let texts = [
        ("english", prose(&mut random, 170_000)),
        ("english, a customer in 50 words", with_customers(&mut random, 170_000)),
        ("chinese", chinese(&mut random, 350_000)),
        ("english 2 KiB", prose(&mut random, 300)),
        ("chinese 2 KiB", chinese(&mut random, 680)),
    ];
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
        let name = if row % 2 == 0 { random.person() } else { random.chinese_person() };
        let name = forms(&digester, &name);
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
        let text = if id % 2 == 0 { prose(&mut random, WORDS) } else { chinese(&mut random, 2 * WORDS) };
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

/// The same with a name in every fifty words.
fn with_customers(random: &mut Random, words: u64) -> String {
    (0..words / 50).map(|_| format!("{} asked about it. {}", random.person(), prose(random, 45))).collect()
}

/// Characters, common ones more often; one in forty is also a surname, as in most Chinese text.
fn chinese(random: &mut Random, characters: u64) -> String {
    (0..characters)
        .map(|at| match random.below(40) {
            _ if at % 14 == 13 => '，',
            0 => random.surname(),
            _ => random.character(),
        })
        .collect()
}

impl Random {
    /// Of 2,000 given names and 20,000 surnames.
    fn person(&mut self) -> String {
        let (given, family) = (self.below(2_000), self.below(20_000));
        format!("{}a {}son", spelled(given * 13), spelled(family))
    }

    /// Of 100 surnames and as many given names as there are pairs of common characters.
    fn chinese_person(&mut self) -> String {
        [self.surname(), self.character(), self.character()].iter().collect()
    }

    fn surname(&mut self) -> char {
        char::from_u32(0x8000 + self.below(100) as u32).expect("a character")
    }

    fn character(&mut self) -> char {
        char::from_u32(0x4E00 + (self.below(60) * self.below(60)) as u32).expect("a character")
    }

    fn word(&mut self) -> String {
        // The product of two even numbers is uneven, as words are.
        spelled(self.below(173) * self.below(173))
    }
}

/// A number below 29,791 as three syllables.
fn spelled(number: u64) -> String {
    const SYLLABLES: [&str; 31] = [
        "ba", "co", "di", "fu", "ge", "ho", "ja", "ki", "lu", "me", "no", "pa", "qui", "ro", "su", "ta", "ve", "wi", "xo", "ya", "zen",
        "tion", "ing", "er", "al", "ment", "st", "re", "in", "de", "con",
    ];
    let number = number as usize;
    [SYLLABLES[number % 31], SYLLABLES[number / 31 % 31], SYLLABLES[number / 961 % 31]].concat()
}
